"""Plausibility flags: which reports are hard to believe, and why. They flag; they delete nothing.

Times are checked in the order in which each source gave them; everything else on each track in
the order of time, so that the order of files does not matter. Distances are great circles on a
sphere (within 0.6 % of the ellipsoid), which is finer than any limit here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag

import polars as pl

from adiz import units


class Flag(IntFlag):
    """The bits of the column ``flags``; null there means not checked, 0 nothing found.

    The limits meant are those of :class:`Limits`.
    """

    IMPOSSIBLE_SPEED = 1
    """The way from the report before needs more than ``max_speed_kt``."""
    TIME_REPEATED = 2
    """The same track has an earlier row with the same time."""
    TIME_BACKWARD = 4
    """Earlier than what the same source gave of the same track just before it."""
    POSITION_JUMP = 8
    """Further from the report before than its own reported speed explains."""
    FROZEN_POSITION = 16
    """The position has not changed for ``frozen_s`` while the reported speed says that it moves."""
    ALTITUDE_SPIKE = 32
    """Higher, or lower, than the reports before and after it by more than any climb explains."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is still believed.

    Attributes:
        max_speed_kt: no aircraft meant here is faster over the ground.
        position_slack_m: distance that position errors alone may make between two reports.
        jump_factor: how many times the greater of two reported speeds a leg may need.
        jump_slack_m: distance beyond that which still is no jump.
        max_leg_s: a longer leg is a gap, over which speeds may have changed: no jump there.
        frozen_s: how long an unchanged position is believed.
        frozen_speed_kt: reported speed from which a position has to change.
        max_climb_fpm: no aircraft climbs or sinks faster.
        altitude_slack_ft: difference that altitude errors alone may make.
    """

    max_speed_kt: float = 2000.0
    position_slack_m: float = 500.0
    jump_factor: float = 2.0
    jump_slack_m: float = 2000.0
    max_leg_s: float = 120.0
    frozen_s: float = 30.0
    frozen_speed_kt: float = 50.0
    max_climb_fpm: float = 60_000.0
    altitude_slack_ft: float = 500.0


_EARTH_RADIUS_M = 6_371_008.8


def flag_reports(table: pl.DataFrame, limits: Limits | None = None) -> pl.DataFrame:
    """The same reports table with its ``flags`` worked out anew; rows and order are kept.

    Parameters:
        table: with the columns of :data:`adiz.schema.REPORTS`.
        limits: what is still believed.

    Example:
        >>> import polars as pl
        >>> from adiz.schema import REPORTS, polars_schema
        >>> flag_reports(pl.DataFrame(schema=polars_schema(REPORTS))).height
        0
    """
    limits = limits or Limits()
    several = ["source"] if table["source"].n_unique() > 1 else []
    checked = (
        table.lazy()
        .select(
            *("time", "lat_deg", "lon_deg", "gs_kt", "alt_baro_ft", "alt_geom_ft", *several),
            # A number for each track: it sorts three times as fast as the name.
            pl.col("track_id").cast(pl.Categorical).to_physical().alias("_track"),
        )
        .with_row_index("_row")
        .with_columns(
            (pl.col("time") < pl.col("time").shift().over("_track", *several)).alias("_backward")
        )
        .sort("_track", "time", *several, maintain_order=True)
        .with_columns(_legs())
        .with_columns(_frozen_since())
        .select("_row", _bits(limits).alias("flags"))
        .sort("_row")
        .collect()
    )
    return table.with_columns(checked["flags"])


def _same() -> pl.Expr:
    """Whether the row before is of the same track."""
    return (pl.col("_track") == pl.col("_track").shift()).fill_null(False)


def _legs() -> list[pl.Expr]:
    """For each report the leg that leads to it: seconds and metres; null for a track's first."""
    lat, lon = (pl.col(n).radians() for n in ("lat_deg", "lon_deg"))
    haversine = ((lat - lat.shift()) / 2).sin() ** 2 + (
        lat.cos() * lat.shift().cos() * ((lon - lon.shift()) / 2).sin() ** 2
    )
    metres = 2 * _EARTH_RADIUS_M * haversine.clip(0.0, 1.0).sqrt().arcsin()
    seconds = pl.col("time").diff().dt.total_microseconds() / units.US_PER_S
    return [
        pl.when(_same()).then(seconds).alias("_seconds"),
        pl.when(_same()).then(metres).alias("_metres"),
    ]


def _frozen_since() -> pl.Expr:
    """When the present position was first reported in an unbroken row."""
    moved = (pl.col("lat_deg") != pl.col("lat_deg").shift()) | (
        pl.col("lon_deg") != pl.col("lon_deg").shift()
    )
    first = moved.fill_null(True) | ~_same()
    return pl.when(first).then("time").forward_fill().alias("_since")


def _bits(limits: Limits) -> pl.Expr:
    seconds, metres = pl.col("_seconds"), pl.col("_metres")
    reach_m = seconds * limits.max_speed_kt / units.KT_PER_MPS + limits.position_slack_m
    speed = pl.max_horizontal("gs_kt", pl.when(_same()).then(pl.col("gs_kt").shift()))
    explained_m = seconds * speed * limits.jump_factor / units.KT_PER_MPS + limits.jump_slack_m
    still_s = (pl.col("time") - pl.col("_since")).dt.total_microseconds() / units.US_PER_S
    found = {
        Flag.IMPOSSIBLE_SPEED: metres > reach_m,
        Flag.TIME_REPEATED: seconds == 0.0,
        Flag.TIME_BACKWARD: pl.col("_backward"),
        Flag.POSITION_JUMP: (metres > explained_m) & (seconds <= limits.max_leg_s),
        Flag.FROZEN_POSITION: (still_s >= limits.frozen_s)
        & (pl.col("gs_kt") >= limits.frozen_speed_kt),
        Flag.ALTITUDE_SPIKE: _spike("alt_baro_ft", limits) | _spike("alt_geom_ft", limits),
    }
    return pl.sum_horizontal(
        when.fill_null(False).cast(pl.Int64) * bit.value for bit, when in found.items()
    )


def _spike(name: str, limits: Limits) -> pl.Expr:
    """Whether an altitude sticks out to one side of the known ones before and after it."""
    height = pl.col(name)

    def beyond(step: int) -> tuple[pl.Expr, pl.Expr]:
        """Difference to the known neighbour on one side, and whether no climb explains it."""

        def neighbour(what: pl.Expr) -> pl.Expr:
            known = pl.when(height.is_not_null()).then(what)
            return (known.forward_fill() if step > 0 else known.backward_fill()).shift(step)

        same = neighbour(pl.col("_track")) == pl.col("_track")
        rise = height - neighbour(height)
        minutes = (pl.col("time") - neighbour(pl.col("time"))).dt.total_microseconds().abs() / (
            60 * units.US_PER_S
        )
        allowed = minutes * limits.max_climb_fpm + limits.altitude_slack_ft
        return rise, same & (rise.abs() > allowed)

    (rise_before, odd_before), (rise_after, odd_after) = beyond(1), beyond(-1)
    spike = odd_before & odd_after & ((rise_before > 0) == (rise_after > 0))
    return spike.fill_null(False)
