"""Tables of named columns: Parquet, CSV and its relatives, JSON records.

The same plan serves a table in memory and one that is only scanned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from adiz.errors import Fault, ReportsError
from adiz.sources import convert
from adiz.sources.columns import Pick, Plan, make_plan
from adiz.sources.reports import SCHEMA, valid_rows
from adiz.sources.site import Sites


@dataclass(frozen=True, slots=True)
class Options:
    """What the caller told a reader.

    Attributes:
        columns: our column name -> the input's.
        time_zone: IANA zone of times that carry none.
        track_id: the one aircraft of inputs that do not name theirs.
        sites: where radars and receivers stand.
        start: when a recording without dates begins, UTC.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    time_zone: str | None = None
    track_id: str | None = None
    sites: Sites = field(default_factory=dict)
    start: datetime | None = None


def table_frame(
    raw: pl.DataFrame,
    file: str,
    options: Options,
    *,
    decimal_comma: bool = False,
    typed: bool = False,
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """A reader's frame (see :mod:`adiz.sources.reports`) from a table in memory, and its notes.

    Parameters:
        decimal_comma: numbers may be written with one.
        typed: the format has types: what has our name and type needs no cleaning; and ``raw``
            may be a part of the table.
    """
    if dict(raw.schema) == SCHEMA:
        return raw, ()
    exprs, notes, plan = table_exprs(raw, file, options, decimal_comma=decimal_comma, typed=typed)
    frame = raw.select(exprs)
    if not frame.select(valid_rows().all()).item():
        texts = {"time_text": "time", "lat_text": "lat_deg", "lon_text": "lon_deg"}
        said = [convert.filled(plan.picks[o].column).alias(name) for name, o in texts.items()]
        frame = frame.hstack(raw.select(said))
    return frame, (*notes, *_lost(frame, file))


def table_exprs(
    sample: pl.DataFrame,
    file: str,
    options: Options,
    *,
    decimal_comma: bool = False,
    typed: bool = False,
) -> tuple[list[pl.Expr], tuple[str, ...], Plan]:
    """Expressions for the reports columns a table has, from its schema and a sample of rows.

    Raises:
        ReportsError: time, position or aircraft is not found or ambiguous, or times are naive.
    """
    plan = plan_table(sample, file, options)
    exprs = []
    for target in SCHEMA:
        pick = plan.picks.get(target)
        if pick is None or (target == "track_id" and options.track_id):
            continue
        ours = pick.column == target and sample.schema[target] == SCHEMA[target]
        if typed and ours and (SCHEMA[target] != pl.String or target == "track_id"):
            exprs.append(pl.col(target))
            continue
        expr = _expr(target, pick, sample, file, options, decimal_comma, typed)
        if target == "track_id" and plan.picks.get("icao24") == pick:
            expr = expr.str.to_lowercase()
        exprs.append(expr.alias(target))
    if options.track_id:
        exprs.append(pl.lit(options.track_id).alias("track_id"))
    return exprs, tuple(f"{file}: {note}" for note in plan.notes), plan


def faults_frame(faults: list[tuple[int, str]]) -> pl.DataFrame:
    """A frame of (row, reason) for parts of an input that hold no reports."""
    return pl.DataFrame(faults, schema={"row": pl.Int64, "fault": pl.String}, orient="row")


def plan_table(sample: pl.DataFrame, file: str, options: Options) -> Plan:
    """What the columns of a table mean; all that a report needs is among them."""
    plan = make_plan(
        sample.columns,
        mapping=options.columns,
        track_is_id=_track_is_id(sample, file, options),
        file=file,
    )
    picks, notes = dict(plan.picks), list(plan.notes)
    for target, pick in plan.picks.items():
        dtype = sample.schema[pick.column]
        if not _holds_values(dtype, target):
            notes.append(f"column '{pick.column}' is left out: it holds {dtype}")
            del picks[target]
    plan = Plan(picks, tuple(notes))
    _check_required(plan, sample.columns, file, options)
    return plan


def _holds_values(dtype: pl.DataType, target: str) -> bool:
    """Whether a column of this type can be what its name says."""
    if dtype.is_temporal():
        return target == "time" and isinstance(dtype, pl.Datetime)
    return dtype.is_numeric() or dtype in (pl.String, pl.Boolean, pl.Null)


def _expr(
    target: str,
    pick: Pick,
    sample: pl.DataFrame,
    file: str,
    options: Options,
    comma: bool,
    typed: bool,
) -> pl.Expr:
    dtype = sample.schema[pick.column]
    if target == "time":
        return convert.time(
            pick.column,
            sample[pick.column],
            factor=pick.factor,
            time_zone="UTC" if pick.utc else options.time_zone,
            file=file,
            whole=not typed,
        )
    if target in ("icao24", "squawk", "on_ground"):
        made = {"icao24": convert.address, "squawk": convert.squawk, "on_ground": convert.truth}
        return made[target](pick.column, dtype)
    if SCHEMA[target] == pl.Float64:
        whole = None if typed else sample[pick.column]
        return convert.number(pick.column, dtype, pick.factor, decimal_comma=comma, whole=whole)
    if target == "flags":
        return pl.col(pick.column).cast(pl.Int64, strict=False)
    return convert.text(pick.column, dtype)


def _track_is_id(sample: pl.DataFrame, file: str, options: Options) -> bool:
    """Whether a column ``track`` is the aircraft, as to some writers, or its direction.

    Numbers with a fraction are directions; whole numbers are too where something else names the
    aircraft.
    """
    column = next((c for c in sample.columns if c.strip().lower() == "track"), None)
    if column is None or column in options.columns.values():
        return False
    values = sample[column].drop_nulls().head(10_000)
    if values.dtype == pl.String:
        values = values.filter(values.str.strip_chars() != "").cast(pl.Float64, strict=False)
    if not values.dtype.is_numeric() or values.null_count():
        return True
    numbers = values.cast(pl.Float64).drop_nans()
    if (numbers != numbers.round()).any() or (numbers.is_empty() and values.dtype.is_float()):
        return False
    others = make_plan(
        [c for c in sample.columns if c != column], mapping=options.columns, file=file
    )
    return not options.track_id and "track_id" not in others


def _check_required(plan: Plan, names: list[str], file: str, options: Options) -> None:
    missing = [t for t in ("time", "track_id", "lat_deg", "lon_deg") if t not in plan]
    if options.track_id and "track_id" in missing:
        missing.remove("track_id")
    if not missing:
        return
    what = {
        "time": "the time",
        "track_id": "the aircraft (or give track_id= for a file of one aircraft)",
        "lat_deg": "the latitude",
        "lon_deg": "the longitude",
    }
    raise ReportsError(
        Fault(
            "no column is recognised as " + ", ".join(what[t] for t in missing),
            file=file,
            field=", ".join(missing),
            remedy="".join(f"{note}; " for note in plan.notes)
            + f"name it with columns={{'{missing[0]}': ...}} (--column {missing[0]}=NAME); "
            "the input has " + ", ".join(names[:40]),
        )
    )


def _lost(frame: pl.DataFrame, file: str) -> tuple[str, ...]:
    """Notes for numbers that a row can do without and that were not numbers."""
    optional = [
        name
        for name in frame.columns
        if SCHEMA.get(name) == pl.Float64 and name not in ("lat_deg", "lon_deg")
    ]
    counts = frame.select(pl.col(optional).is_infinite().sum() + pl.col(optional).is_nan().sum())
    return tuple(
        f"{file}: {count} values of {name} are not numbers and were read as missing"
        for name, count in zip(optional, counts.row(0) if optional else (), strict=True)
        if count
    )
