"""CSV and its relatives: comma, semicolon, tab or bar; BOM; decimal comma; quotes; gzip.

Beside what any table may have, two habits of writers are understood: date and time of day in two
columns, and latitude and longitude in one (``Position``, as Flightradar24 exports them).
"""

from __future__ import annotations

import polars as pl

from adiz.errors import Fault, ReportsError
from adiz.sources.files import HEAD_BYTES, Input, as_utf8
from adiz.sources.tabular import Options, table_frame

_MISSING = ["NA", "N/A", "null", "NULL", "None", "none", "\\N", "-"]


def read_frame(item: Input, options: Options) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The frame of one table of text; its first line names the columns."""
    data, damage = item.content()
    data = as_utf8(data)
    separator = _separator(data, item.name)
    try:
        raw = pl.read_csv(
            data,
            separator=separator,
            infer_schema=False,
            null_values=_MISSING,
            encoding="utf8-lossy",
            truncate_ragged_lines=True,
        )
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0][:200]
        raise ReportsError(Fault(f"this table cannot be read: {reason}", item.name)) from None
    raw = _place_in_two(_time_in_one(raw))
    frame, notes = table_frame(raw, item.name, options, decimal_comma=separator != ",")
    return frame, (*notes, f"{item.name}: {damage}; kept what came before") if damage else notes


def _separator(data: bytes, name: str) -> str:
    """The separator that the heading uses most, outside quotes."""
    line, ending, _ = data[:HEAD_BYTES].lstrip(b"\r\n").partition(b"\n")
    if not ending and len(line) >= HEAD_BYTES:
        raise ReportsError(
            Fault(
                f"no line ends within the first {HEAD_BYTES} bytes",
                name,
                line=1,
                remedy="a table needs a heading and one row a line",
            )
        )
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
