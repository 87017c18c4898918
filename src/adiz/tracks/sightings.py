"""Positions that one aircraft cannot have had.

Two aircraft may send one address (a copied transponder setting, a false broadcast), or a feed may
give two aircraft one id. Either way the reports of that address or id, in time order, leap to and
fro faster than anything flies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

MIN_LEAP_M = 20_000.0
"""Shorter leaps are left to the plausibility flags: a bad position, not a second aircraft."""

MAX_SPEED_KT = 2_000.0
"""Faster than any aircraft in the type table; wind does not add enough to matter."""

_EARTH_RADIUS_M = 6_371_008.8


@dataclass(frozen=True, slots=True)
class Leap:
    """Leaps of one address (or of one track without an address).

    Attributes:
        key: the address or track id.
        track_ids: the tracks that take part.
        count: how many leaps; two or more, back again, mean two aircraft at once.
        distance_m: the longest, on a sphere (error below 0.6 %).
        speed_kt: the greatest speed it would need; infinite for one instant.
    """

    key: str
    track_ids: tuple[str, ...]
    count: int
    distance_m: float
    speed_kt: float

    def __str__(self) -> str:
        speed = "at one instant" if self.speed_kt == float("inf") else f"{self.speed_kt:,.0f} kt"
        times = "once" if self.count == 1 else f"{self.count} times"
        guess = "two aircraft share it, or positions are false"
        return (
            f"{self.key} leaps {times} between positions up to {self.distance_m / 1000:,.0f} km "
            f"apart ({speed}): {guess}"
        )


def find_leaps(table: pl.DataFrame) -> list[Leap]:
    """Leaps over :data:`MIN_LEAP_M` that need more than :data:`MAX_SPEED_KT`, by address.

    Reports without an address are compared within their track.
    """
    import polars as pl

    address = pl.when(pl.col("icao24").str.contains("^[0-9a-f]{6}$")).then(pl.col("icao24"))
    key = pl.coalesce(address, "track_id").cast(pl.Categorical)
    lat, lon = pl.col("lat_deg").radians(), pl.col("lon_deg").radians()
    half = (lat.diff() / 2).sin().pow(2) + (
        lat.shift(1).cos() * lat.cos() * (lon.diff() / 2).sin().pow(2)
    )
    leaps = (
        table.lazy()
        .select("track_id", "time", "lat_deg", "lon_deg", key.alias("key"))
        .with_columns(pl.col("key").to_physical().alias("code"))
        .sort("code", "time")
        .with_columns(
            (2 * _EARTH_RADIUS_M * half.sqrt().clip(0, 1).arcsin()).alias("distance_m"),
            (pl.col("time").diff().dt.total_microseconds() / 1e6).alias("seconds"),
            pl.col("track_id").shift(1).alias("before_id"),
            (pl.col("code") == pl.col("code").shift(1)).alias("same"),
        )
        .with_columns((pl.col("distance_m") / pl.col("seconds") * 3600 / 1852).alias("speed_kt"))
        .filter(
            pl.col("same")
            & (pl.col("distance_m") > MIN_LEAP_M)
            & (pl.col("speed_kt") > MAX_SPEED_KT)
        )
        .group_by(pl.col("key").cast(pl.String))
        .agg(
            pl.concat_list("track_id", "before_id").explode().unique().sort().alias("track_ids"),
            pl.len().alias("count"),
            pl.col("distance_m").max(),
            pl.col("speed_kt").max(),
        )
        .sort("key")
        .collect()
    )
    return [
        Leap(r["key"], tuple(r["track_ids"]), r["count"], r["distance_m"], r["speed_kt"])
        for r in leaps.iter_rows(named=True)
    ]
