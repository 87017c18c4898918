"""CSV and its relatives: comma, semicolon, tab or bar; BOM; decimal comma; quotes; gzip.

Beside what any table may have, two habits of writers are understood: date and time of day in two
columns, and latitude and longitude in one (``Position``, as Flightradar24 exports them).
"""

from __future__ import annotations

import re

import polars as pl

from adiz.errors import Fault, ReportsError
from adiz.sources.files import HEAD_BYTES, Input, as_utf8
from adiz.sources.tabular import Options, faults_frame, table_frame

_MISSING = ["NA", "N/A", "null", "NULL", "None", "none", "\\N", "-"]


def read_frame(item: Input, options: Options) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The frame of one table of text; its first line names the columns."""
    data, damage = item.content()
    data = as_utf8(data).lstrip(b"\r\n")
    separator = _separator(data, item.name)
    raw, rows, broken = _table(data, separator, item.name)
    if not options.columns:
        raw = _place_in_two(_time_in_one(raw))
    frame, notes = table_frame(raw, item.name, options, decimal_comma=separator != ",")
    if broken:
        faults = faults_frame([(row, "broken quotes") for row in broken])
        numbered = frame.with_columns(pl.Series("row", rows, dtype=pl.Int64))
        frame = pl.concat([numbered, faults], how="diagonal")
    return frame, (*notes, f"{item.name}: {damage}; kept what came before") if damage else notes


def _table(data: bytes, separator: str, name: str) -> tuple[pl.DataFrame, list[int], list[int]]:
    """All columns as text; and, where quotes are broken, which rows these are and which are not.

    A quote that is never closed, or closed far below, swallows the rows in between. So where there
    are fewer rows than lines, each line is also looked at by itself, and what gives more rows is
    taken.
    """
    whole, fault = None, ""
    try:
        whole = _parse(data, separator)
    except pl.exceptions.PolarsError as error:
        fault = str(error).splitlines()[0][:200]
    if whole is not None and whole.height >= data.count(b"\n", 0, len(data) - 1):
        return whole, [], []
    inner = b'(?:"(?:[^"]|"")*"|[^"%s]*)' % re.escape(separator).encode()
    sound = re.compile(b"%s(?:%s%s)*" % (inner, re.escape(separator).encode(), inner))
    heading, *lines = data.splitlines()
    rows = [n for n, line in enumerate(lines, start=1) if sound.fullmatch(line)]
    if whole is not None and len(rows) <= whole.height:
        return whole, [], []
    broken = sorted(set(range(1, len(lines) + 1)) - set(rows))
    try:
        kept = _parse(b"\n".join([heading, *(lines[n - 1] for n in rows), b""]), separator)
    except pl.exceptions.PolarsError:
        raise ReportsError(Fault(f"this table cannot be read: {fault}", name)) from None
    return kept, rows, broken


def _parse(data: bytes, separator: str) -> pl.DataFrame:
    return pl.read_csv(
        data,
        separator=separator,
        infer_schema=False,
        null_values=_MISSING,
        encoding="utf8-lossy",
        truncate_ragged_lines=True,
    )


def _separator(data: bytes, name: str) -> str:
    """The separator that the heading uses most, outside quotes."""
    line, ending, _ = data[:HEAD_BYTES].partition(b"\n")
    if not ending and len(line) >= HEAD_BYTES:
        raise ReportsError(
            Fault(
                f"no line ends within the first {HEAD_BYTES} bytes",
                name,
                line=1,
                remedy="a table needs a heading and one row a line",
            )
        )
    if not line.strip():
        raise ReportsError(Fault("the file is empty", name))
    bare = b"".join(line.split(b'"')[::2])
    return max(",;\t|", key=lambda mark: bare.count(mark.encode()))


def _time_in_one(raw: pl.DataFrame) -> pl.DataFrame:
    """A date and a time of day joined, where they are two columns."""
    names = {name.strip().lower(): name for name in raw.columns}
    if not {"date", "time"} <= names.keys():
        return raw
    day, clock = names["date"], names["time"]
    if not raw[clock].head(100).str.contains(r"^\s*\d{1,2}:\d{2}").any():
        return raw
    return raw.with_columns((pl.col(day) + " " + pl.col(clock)).alias(clock)).drop(day)


def _place_in_two(raw: pl.DataFrame) -> pl.DataFrame:
    """Latitude and longitude, where one column holds both with a comma between them."""
    name = next((n for n in raw.columns if n.strip().lower() == "position"), None)
    if name is None or not raw[name].head(100).str.contains(r"^[^,]+,[^,]+$").any():
        return raw
    parts = pl.col(name).str.split_exact(",", 1).struct
    return raw.with_columns(
        parts.field("field_0").alias("latitude"), parts.field("field_1").alias("longitude")
    ).drop(name)
