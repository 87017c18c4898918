"""Plain Python values, as JSON and XML give them, to columns."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import Any

import polars as pl

from adiz.sources.reports import SCHEMA

_ROWS = {**SCHEMA, "time": pl.Int64(), "row": pl.Int64(), "fault": pl.String()}
_MOST_ROWS = 50_000


def records(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Objects as a table: one column a member name, in the order in which they first appear."""
    names = dict.fromkeys(name for row in rows for name in row)
    return pl.DataFrame([series(name, _members(name, rows)) for name in names])


def _members(name: str, rows: list[dict[str, Any]]) -> list[Any]:
    try:
        return list(map(itemgetter(name), rows))
    except KeyError:  # not all rows have it
        return [row.get(name) for row in rows]


def series(name: str, values: list[Any]) -> pl.Series:
    """Values as numbers, truths or text; text where they are mixed; what is nested is null."""
    kinds = set(map(type, values)) - {type(None)}
    try:
        if kinds <= {int, float}:
            dtype = pl.Int64 if kinds == {int} else pl.Float64
            return pl.Series(name, values, dtype=dtype, strict=False)
        if kinds == {bool}:
            return pl.Series(name, values, dtype=pl.Boolean)
    except (OverflowError, TypeError, pl.exceptions.PolarsError):
        pass
    return words(name, values)


def words(name: str, values: list[Any]) -> pl.Series:
    """Values as text; what is nested is null."""
    if not set(map(type, values)) <= {str, type(None)}:
        values = [None if v is None or isinstance(v, list | dict) else str(v) for v in values]
    return pl.Series(name, values, dtype=pl.String)


def numbers(name: str, values: list[Any]) -> pl.Series:
    """Values as float64: missing is null, what is no number is NaN."""
    try:
        return pl.Series(name, values, dtype=pl.Float64)
    except (OverflowError, TypeError, pl.exceptions.PolarsError):
        return pl.Series(name, [_number(v) for v in values], dtype=pl.Float64)


def _number(value: Any) -> float | None:
    if value is None:
        return None
    try:
        return float("nan") if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return float("nan")


def rows_frame(batches: Iterable[list[dict[str, Any]]]) -> pl.DataFrame:
    """The frame of a decoder's rows: columns of the reports table, ``row`` and ``fault``.

    ``time`` is microseconds since 1970 UTC in the rows. Rows become columns by and by, since as
    dictionaries they take ten times the memory.
    """
    frames = [pl.DataFrame(schema=_ROWS)]
    rows: list[dict[str, Any]] = []
    for batch in batches:
        rows += batch
        if len(rows) >= _MOST_ROWS:
            frames.append(pl.from_dicts(rows, schema=_ROWS))
            rows = []
    if rows:
        frames.append(pl.from_dicts(rows, schema=_ROWS))
    return pl.concat(frames).with_columns(pl.col("time").cast(SCHEMA["time"]))
