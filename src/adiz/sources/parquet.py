"""Parquet, read or scanned; a file in the layout of the reports table passes through as it is."""

from __future__ import annotations

import polars as pl

from adiz.errors import Fault, ReportsError
from adiz.sources.files import Input
from adiz.sources.reports import SCHEMA
from adiz.sources.tabular import Options, table_exprs, table_frame

_SAMPLE_ROWS = 1000


def read_frame(item: Input, options: Options) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The frame of one Parquet file."""
    try:
        raw = pl.read_parquet(item.path, hive_partitioning=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _unusable(item, error) from None
    return table_frame(raw, item.name, options)


def scan_frames(items: list[Input], options: Options) -> pl.LazyFrame:
    """Files of one schema as one scan each, all with the columns of the reports table."""
    layouts: dict[tuple[tuple[str, str], ...], list[Input]] = {}
    for item in items:
        key = tuple((name, str(dtype)) for name, dtype in _schema(item).items())
        layouts.setdefault(key, []).append(item)
    return pl.concat([_scan_layout(group, options) for group in layouts.values()])


def _scan_layout(group: list[Input], options: Options) -> pl.LazyFrame:
    lazy = pl.scan_parquet(
        [item.path for item in group], include_file_paths="_file", hive_partitioning=False
    )
    schema = _schema(group[0])
    if dict(schema) == SCHEMA:
        return lazy.select(*SCHEMA)
    sample = pl.DataFrame(schema=schema)
    if any(dtype == pl.String for dtype in schema.values()) or "track" in map(str.lower, schema):
        sample = pl.read_parquet(group[0].path, n_rows=_SAMPLE_ROWS, hive_partitioning=False)
    exprs, _, plan = table_exprs(sample, group[0].name, options)
    made = set(plan.picks) | {"track_id"}
    absent = [pl.lit(None, dtype).alias(n) for n, dtype in SCHEMA.items() if n not in made]
    source = [] if "source" in plan else [pl.col("_file").alias("source")]
    return lazy.select(
        *exprs, *(e for e in absent if e.meta.output_name() != "source"), *source
    ).select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())


def _schema(item: Input) -> dict[str, pl.DataType]:
    try:
        return dict(pl.read_parquet_schema(item.path))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _unusable(item, error) from None


def _unusable(item: Input, error: Exception) -> ReportsError:
    return ReportsError(
        Fault(
            f"this Parquet file cannot be read: {str(error).splitlines()[0][:200]}",
            item.name,
            remedy="it may be cut off: copy it again",
        )
    )
