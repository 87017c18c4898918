"""CSV and its relatives: comma, semicolon, tab or bar; BOM; decimal comma; quotes; gzip."""

from __future__ import annotations

import polars as pl

from adiz.errors import Fault, ReportsError
from adiz.sources.files import HEAD_BYTES, Input
from adiz.sources.tabular import Options, table_frame

_MISSING = ["NA", "N/A", "null", "NULL", "None", "none", "\\N", "-"]


def read_frame(item: Input, options: Options) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The frame of one table of text; its first line names the columns."""
    data, damage = item.content()
    data = as_utf8(data, item.name)
    separator = _separator(data, item.name)
    try:
        raw = pl.read_csv(
            data,
            separator=separator,
            infer_schema=False,
            null_values=_MISSING,
            encoding="utf8-lossy",
            truncate_ragged_lines=True,
            try_parse_dates=False,
        )
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0][:200]
        raise ReportsError(Fault(f"this table cannot be read: {reason}", item.name)) from None
    frame, notes = table_frame(raw, item.name, options, decimal_comma=separator != ",")
    return frame, (*notes, f"{item.name}: {damage}; kept what came before") if damage else notes


def as_utf8(data: bytes, name: str) -> bytes:
    """Text in UTF-8 without a byte order mark, from UTF-8 or UTF-16 with one."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return data.decode("utf-16").encode()
        except UnicodeDecodeError:
            raise ReportsError(Fault("damaged UTF-16 text", name)) from None
    return data.removeprefix(b"\xef\xbb\xbf")


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
