"""Parquet, read or scanned; a file in the layout of the reports table passes through as it is."""

from __future__ import annotations

import polars as pl

from adiz.errors import Fault, ReportsError
from adiz.sources.files import Input
from adiz.sources.reports import SCHEMA
from adiz.sources.tabular import Options, plan_table, table_exprs, table_frame

_SAMPLE_ROWS = 1000
_CODED = pl.selectors.by_dtype(pl.Categorical, pl.Enum)
"""Columns of text kept as codes: to be read as text like any other."""
# Some damage makes the decoder panic, which polars raises as something that is no Exception.
_BROKEN = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)


def read_frame(item: Input, options: Options) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The frame of one Parquet file; only the columns that mean something are decoded."""
    schema = _schema(item)
    if schema == SCHEMA:
        return _read(item), ()
    plan = plan_table(_sample(item, schema), item.name, options)
    wanted = list(dict.fromkeys(pick.column for pick in plan.picks.values()))
    frame, notes = table_frame(_read(item, columns=wanted), item.name, options, typed=True)
    first = [f"{item.name}: {note}" for note in plan.notes]
    return frame, tuple(dict.fromkeys([*first, *notes]))


def scan_frames(items: list[Input], options: Options) -> pl.LazyFrame:
    """Files of one schema as one scan each, all with the columns of the reports table."""
    layouts: dict[tuple[tuple[str, str], ...], list[Input]] = {}
    for item in items:
        key = tuple((name, str(dtype)) for name, dtype in _schema(item).items())
        layouts.setdefault(key, []).append(item)
    return pl.concat([_scan_layout(group, options) for group in layouts.values()])


def _scan_layout(group: list[Input], options: Options) -> pl.LazyFrame:
    schema = _schema(group[0])
    lazy = pl.scan_parquet(
        [item.path for item in group], include_file_paths="_file", hive_partitioning=False
    ).with_columns(_CODED.cast(pl.String))
    if schema == SCHEMA:
        return lazy.select(*SCHEMA)
    exprs, _, _ = table_exprs(_sample(group[0], schema), group[0].name, options, typed=True)
    made = {expr.meta.output_name() for expr in exprs}
    absent = [pl.lit(None).alias(n) for n in SCHEMA if n not in made | {"source"}]
    source = [] if "source" in made else [pl.col("_file").alias("source")]
    return lazy.select(*exprs, *absent, *source).select(
        pl.col(name).cast(dtype) for name, dtype in SCHEMA.items()
    )


def _sample(item: Input, schema: dict[str, pl.DataType]) -> pl.DataFrame:
    """A few rows, where text has to be looked at; else only the types."""
    named_as_ours = schema.items() <= SCHEMA.items()
    if not named_as_ours and (pl.String in schema.values() or "track" in map(str.lower, schema)):
        return _read(item, n_rows=_SAMPLE_ROWS)
    return pl.DataFrame(schema=schema)


def _schema(item: Input) -> dict[str, pl.DataType]:
    """Names and types, those of coded text being text."""
    try:
        schema = pl.read_parquet_schema(item.path)
    except _BROKEN as error:
        raise _unusable(item, error) from None
    coded = (pl.Categorical, pl.Enum)
    return {name: pl.String() if dtype in coded else dtype for name, dtype in schema.items()}


def _read(
    item: Input, *, columns: list[str] | None = None, n_rows: int | None = None
) -> pl.DataFrame:
    try:
        raw = pl.read_parquet(item.path, columns=columns, n_rows=n_rows, hive_partitioning=False)
        return raw.with_columns(_CODED.cast(pl.String))
    except _BROKEN as error:
        raise _unusable(item, error) from None


def _unusable(item: Input, error: BaseException) -> ReportsError:
    reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    return ReportsError(
        Fault(
            f"this Parquet file cannot be read: {reason}",
            item.name,
            remedy="it may be cut off: copy it again",
        )
    )
