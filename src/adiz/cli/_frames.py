"""Tables of results as a table for people, as CSV, as JSON lines or as Parquet."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from adiz.errors import AdizError

if TYPE_CHECKING:
    import polars as pl

_TIME = "%Y-%m-%dT%H:%M:%S%.6fZ"


def add_output(parser: argparse.ArgumentParser) -> None:
    """The options ``--format`` and ``--out``."""
    parser.add_argument(
        "--format",
        choices=("table", "json", "csv", "parquet"),
        default="table",
        help="table for people (default), JSON lines, CSV, or Parquet (with --out)",
    )
    parser.add_argument("--out", metavar="FILE", help="write there instead of printing")


def write_frame(
    frame: pl.DataFrame, args: argparse.Namespace, columns: Sequence[str] | None = None
) -> None:
    """Write a result as asked; a table shows ``columns`` only, the other forms everything.

    Times are ISO 8601 with Z and microseconds (whole seconds in a table).
    """
    if args.format == "parquet":
        if not args.out:
            raise AdizError("Parquet is not for a terminal: give --out FILE")
        frame.write_parquet(args.out)
        return
    text = _text(frame, args.format, columns)
    if args.out:
        try:
            with open(args.out, "w", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise AdizError(f"{args.out}: cannot be written: {error.strerror}") from None
    else:
        sys.stdout.write(text)


def _text(frame: pl.DataFrame, form: str, columns: Sequence[str] | None) -> str:
    import polars as pl
    import polars.selectors as cs

    if form == "table":
        return _table(frame.select(columns or frame.columns))
    plain = frame.with_columns(cs.datetime().dt.strftime(_TIME))
    if form == "csv":
        return plain.write_csv()
    plain = plain.with_columns(pl.col(pl.Float64).round(6))
    return plain.write_ndjson()


def _table(frame: pl.DataFrame) -> str:
    import polars.selectors as cs

    shown = frame.with_columns(cs.datetime().dt.strftime("%Y-%m-%d %H:%M:%SZ"), cs.float().round(1))
    rows = [frame.columns, *([_cell(v) for v in row] for row in shown.iter_rows())]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    """One line of printable text: a control character must not reach a terminal."""
    text = "" if value is None else str(value)
    return "".join(c if c.isprintable() else " " for c in text)
