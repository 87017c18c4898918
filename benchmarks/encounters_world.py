"""Seeded traffic for the encounter benchmarks: 2,000 aircraft in the air at a time (small: 100).

Each flies a great circle for two hours over a box of 21 by 30 degrees (about the density of East
Asia on a busy day) and is followed by another; one in 25 is a wingman, 1 km beside the one before.
Each reports every 5 s at a phase of its own. Altitudes are flight levels 290 to 410. Files of
1e6 reports, in order of time; bigger worlds last longer, so the density is the same.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import polars as pl

FLIGHT_S, PERIOD_S = 7200, 5
START_US = 1_563_840_000_000_000
STEPS = 500  # of a period, in a file


def in_the_air(rows: int) -> int:
    """How many fly at a time in the world of a size."""
    return 2000 if rows >= 200_000 else 100


def make(rows: int, folder: Path) -> Path:
    """The world of a size, made once."""
    out = folder / f"encounters-{rows}"
    if (out / ".complete").exists():
        return out
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    flying = in_the_air(rows)
    slots = np.arange(flying)
    begins = (slots * 0.6180339887 % 1.0) * FLIGHT_S  # when a slot's flights change
    phase = slots * 0.7548776662 % 1.0 * PERIOD_S
    for part, first in enumerate(range(0, rows // flying, STEPS)):
        steps = np.arange(first, min(first + STEPS, rows // flying))
        time = steps[:, None] * PERIOD_S + phase
        number = ((time + begins) // FLIGHT_S).astype(np.int64)
        since = (time + begins) % FLIGHT_S
        leader = np.where(slots % 25 == 24, slots - 1, slots)
        since_leader = (time + begins[leader]) % FLIGHT_S
        number_leader = ((time + begins[leader]) // FLIGHT_S).astype(np.int64)
        wing = slots % 25 == 24
        frame = _positions(
            np.where(wing, number_leader, number) * flying + leader,
            np.where(wing, since_leader, since),
            np.where(wing, 1000.0, 0.0),
        )
        names = np.where(wing, number_leader, number) * flying + slots
        frame = frame.with_columns(
            pl.Series("time", (time.ravel() * 1e6).round().astype(np.int64) + START_US),
            pl.Series("number", names.ravel()),
        )
        frame.select(
            pl.col("time").cast(pl.Datetime("us", "UTC")),
            pl.format("T{}", pl.col("number").cast(pl.String).str.zfill(7)).alias("track_id"),
            "lat_deg",
            "lon_deg",
            "alt_baro_ft",
        ).sort("time").write_parquet(out / f"{part:05d}.parquet", compression="snappy")
    (out / ".complete").touch()
    return out


def _uniform(key: np.ndarray, draw: int) -> np.ndarray:
    """Numbers in [0, 1) that depend on key and draw alone (splitmix64)."""
    x = key.astype(np.uint64) * np.uint64(8) + np.uint64(draw)
    x = (x + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((x ^ (x >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) / 2.0**53


def _positions(key: np.ndarray, since_s: np.ndarray, beside_m: np.ndarray) -> pl.DataFrame:
    lat = np.radians(20 + 21 * _uniform(key, 0))
    lon = np.radians(115 + 30 * _uniform(key, 1))
    course = 2 * np.pi * _uniform(key, 2)
    way = (200 + 60 * _uniform(key, 3)) * since_s / 6_371_008.8
    at = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    north = np.stack([-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)])
    east = np.stack([-np.sin(lon), np.cos(lon), np.zeros_like(lon)])
    ahead = np.cos(course) * north + np.sin(course) * east
    right = np.cos(course) * east - np.sin(course) * north
    x, y, z = np.cos(way) * at + np.sin(way) * ahead + beside_m / 6_371_008.8 * right
    return pl.DataFrame(
        {
            "lat_deg": np.degrees(np.arctan2(z, np.hypot(x, y))).ravel(),
            "lon_deg": np.degrees(np.arctan2(y, x)).ravel(),
            "alt_baro_ft": (29_000 + 1000 * np.floor(13 * _uniform(key, 4))).ravel(),
        }
    )
