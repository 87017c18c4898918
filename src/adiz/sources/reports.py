"""The result of reading: good reports, and what was turned away with its reason.

Every reader hands :func:`finish` a frame whose columns are named as in :data:`adiz.schema.REPORTS`
(any of them may be absent) and already carry the product's units. A coordinate that was given but
is no number is NaN there; a missing one is null. More columns may say more about rows that fail:
``row`` (counted from 1), ``time_text``, ``lat_text``, ``lon_text`` (what the input said), and
``fault`` (why this is no report at all; null for reports).
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from adiz.schema import REPORTS, polars_schema

SCHEMA = polars_schema(REPORTS)
REJECTED_SCHEMA: dict[str, pl.DataType] = {
    "source": pl.String(),
    "row": pl.Int64(),
    "reason": pl.String(),
    "field": pl.String(),
    "value": pl.String(),
}
EXTRA = ("row", "time_text", "lat_text", "lon_text", "fault")
LON_LIMIT_DEG = 540.0
"""Longitudes are accepted one turn to either side of [-180, 180), and wrapped into it."""

LONGEST_VALUE = 80


@dataclass(frozen=True, slots=True, eq=False)
class Reports:
    """Reports and what was rejected on the way.

    Attributes:
        table: exactly the columns of :data:`adiz.schema.REPORTS`, in their order.
        rejected: one row for each row of the input that could not be used: ``source`` (file),
            ``row`` (record in it, counted from 1, a heading not counted; null for a fault of the
            whole file), ``reason``, ``field`` (name in the reports table), ``value`` (what the
            input said, cut at 80 characters).
        notes: what a reader decided or noticed that its user should know.
    """

    table: pl.DataFrame
    rejected: pl.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def rejected_counts(self) -> dict[str, int]:
        """How many rows were rejected for each reason, most frequent first."""
        counts = (
            self.rejected.group_by("reason").len().sort("len", "reason", descending=[True, False])
        )
        return dict(counts.iter_rows())


def valid_rows() -> pl.Expr:
    """True for rows that are usable reports, on the columns of the reports table."""
    return (
        pl.col("time").is_not_null()
        & pl.col("track_id").is_not_null()
        & pl.col("lat_deg").is_between(-90.0, 90.0)
        & pl.col("lon_deg").is_between(-LON_LIMIT_DEG, LON_LIMIT_DEG, closed="left")
    ).fill_null(False)


def reject_reason() -> pl.Expr:
    """Why a row is no usable report; null for the rows of :func:`valid_rows`."""
    lat, lon = pl.col("lat_deg"), pl.col("lon_deg")
    return (
        pl.when(pl.col("time").is_null())
        .then(pl.lit("missing time"))
        .when(pl.col("track_id").is_null())
        .then(pl.lit("missing track"))
        .when(lat.is_null() | lon.is_null())
        .then(pl.lit("missing position"))
        .when(~lat.is_finite() | ~lon.is_finite())
        .then(pl.lit("not a number"))
        .when(lat.abs() > 90.0)
        .then(pl.lit("latitude out of range"))
        .when(~lon.is_between(-LON_LIMIT_DEG, LON_LIMIT_DEG, closed="left"))
        .then(pl.lit("longitude out of range"))
    )


def count_rejected(rows: pl.DataFrame) -> dict[str, int]:
    """How many rows of a scan are no usable reports, by reason; cheap where all are.

    Of the columns of the reports table it needs ``time``, ``track_id``, ``lat_deg``, ``lon_deg``.
    """
    if rows.select(valid_rows().all()).item():
        return {}
    reasons = rows.filter(~valid_rows()).select(reject_reason().alias("reason"))
    return dict(reasons["reason"].value_counts(sort=True).iter_rows())


def wrapped_lon() -> pl.Expr:
    """Longitude in [-180, 180); exact, since the turn is taken off within a factor of two."""
    lon = pl.col("lon_deg")
    return (
        pl.when(lon >= 180.0).then(lon - 360.0).when(lon < -180.0).then(lon + 360.0).otherwise(lon)
    )


def finish(frame: pl.DataFrame, source: str, notes: tuple[str, ...] = ()) -> Reports:
    """Make a reader's frame into reports: types, order, wrapping, and rejection with reasons."""
    extra = [n for n in EXTRA if n in frame.columns]
    frame = as_declared(frame, source).hstack(frame.select(extra))
    usable = valid_rows() & pl.col("fault").is_null() if "fault" in frame.columns else valid_rows()
    facts = frame.select(
        usable.all().alias("valid"),
        pl.col("lon_deg").is_between(-180.0, 180.0, closed="left").all().alias("wrapped"),
    ).row(0, named=True)
    if facts["valid"]:
        good, rejected = frame, pl.DataFrame(schema=REJECTED_SCHEMA)
    else:
        if "row" not in frame.columns:
            frame = frame.with_row_index("row", offset=1)
        good = frame.filter(usable)
        rejected = _rejected(frame.filter(~usable))
        if hint := _swap_hint(frame):
            notes = (*notes, f"{source}: {hint}")
    if not facts["wrapped"]:
        good = good.with_columns(wrapped_lon())
    numbers = pl.selectors.float()
    odd = good.select(~numbers.is_finite().all())
    if odd.height and any(odd.row(0)):
        good = good.with_columns(pl.when(numbers.is_finite()).then(numbers).name.keep())
    return Reports(good.select(*SCHEMA), rejected, notes)


def join(parts: list[Reports]) -> Reports:
    """Reports of several inputs as one, in the order given."""
    if len(parts) == 1:
        return parts[0]
    return Reports(
        pl.concat([p.table for p in parts], rechunk=False),
        pl.concat([p.rejected for p in parts]),
        tuple(dict.fromkeys(note for p in parts for note in p.notes)),
    )


def as_declared(frame: pl.DataFrame, source: str) -> pl.DataFrame:
    """A reader's frame with the declared columns, cast, absent ones null and ``source`` filled."""
    present = set(frame.columns)
    exprs = [
        (pl.col(name) if name in present else pl.lit(None)).cast(dtype, strict=False).alias(name)
        for name, dtype in SCHEMA.items()
        if name != "source"
    ]
    given = pl.col("source").fill_null(source) if "source" in present else pl.lit(source)
    return frame.with_columns(*exprs, given.alias("source")).select(*SCHEMA)


def _rejected(bad: pl.DataFrame) -> pl.DataFrame:
    """The table of rejected rows."""
    present = set(bad.columns)
    lat = pl.col("lat_deg")

    def said(name: str, column: str) -> pl.Expr:
        given = pl.col(name) if name in present else pl.col(column)
        return given.cast(pl.String).str.slice(0, LONGEST_VALUE)

    reason = reject_reason()
    if "time_text" in present:
        unparsed = pl.col("time").is_null() & pl.col("time_text").is_not_null()
        reason = pl.when(unparsed).then(pl.lit("unparsable time")).otherwise(reason)
    if "fault" in present:
        reason = pl.coalesce("fault", reason)
    lon_is_it = (
        pl.when(pl.col("reason") == "missing position")
        .then(lat.is_not_null())
        .when(pl.col("reason") == "not a number")
        .then(lat.is_finite())
        .otherwise(pl.col("reason") == "longitude out of range")
    )
    field = (
        pl.when(pl.col("reason").str.ends_with(" time"))
        .then(pl.lit("time"))
        .when(pl.col("reason") == "missing track")
        .then(pl.lit("track_id"))
        .when(lon_is_it)
        .then(pl.lit("lon_deg"))
        .when(pl.col("reason").is_in(["missing position", "not a number", "latitude out of range"]))
        .then(pl.lit("lat_deg"))
    )
    value = (
        pl.when(pl.col("field") == "time")
        .then(said("time_text", "time"))
        .when(pl.col("field") == "lat_deg")
        .then(said("lat_text", "lat_deg"))
        .when(pl.col("field") == "lon_deg")
        .then(said("lon_text", "lon_deg"))
    )
    return (
        bad.with_columns(reason.alias("reason"))
        .with_columns(field.alias("field"))
        .with_columns(value.alias("value"))
        .select(pl.col(name).cast(dtype) for name, dtype in REJECTED_SCHEMA.items())
    )


def _swap_hint(frame: pl.DataFrame) -> str | None:
    """A remark where latitude and longitude seem to have changed places."""
    lat, lon = pl.col("lat_deg"), pl.col("lon_deg")
    beyond = (lat.abs() > 90.0) & (lat.abs() <= 360.0)
    wrong, swapped, placed = frame.select(
        beyond.sum().alias("wrong"),
        (beyond & (lon.abs() <= 90.0)).sum().alias("swapped"),
        (lat.is_finite() & lon.is_finite()).sum().alias("placed"),
    ).row(0)
    if 2 * swapped <= wrong or 10 * swapped < placed:
        return None
    return (
        f"latitude and longitude seem swapped ({swapped} of {placed} positions are valid only the "
        "other way round); if so, say which is which: --column lat_deg=NAME --column lon_deg=NAME, "
        "or columns= in Python"
    )
