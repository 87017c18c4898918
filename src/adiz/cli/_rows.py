"""Rows of plain values as a table for people, as CSV or as JSON."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any


def add_format(parser: argparse.ArgumentParser) -> None:
    """The option that chooses how rows are printed."""
    parser.add_argument(
        "--format", choices=("table", "csv", "json"), default="table", help="default: table"
    )


def print_rows(
    rows: Sequence[dict[str, Any]], form: str, columns: Sequence[str] | None = None
) -> None:
    """Print rows that share their keys; a table shows ``columns`` only, the others everything."""
    if form == "json":
        import json

        print(json.dumps(list(rows), ensure_ascii=False, indent=2, default=str))
    elif form == "csv":
        import csv

        writer = csv.DictWriter(sys.stdout, list(rows[0]) if rows else [], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    else:
        _print_table(rows, columns or (list(rows[0]) if rows else []))


def _print_table(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> None:
    lines = [list(columns)] + [[printable(row[name]) for name in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip())


def printable(value: Any) -> str:
    """One line of printable text: a control character must not reach a terminal."""
    text = "" if value is None else str(value)
    return "".join(c if c.isprintable() else " " for c in text)
