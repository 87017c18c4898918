"""Small random worlds of aircraft near each other, for the tests of encounters."""

from __future__ import annotations

import random

import polars as pl
from geographiclib.geodesic import Geodesic

from adiz.schema import REPORTS, polars_schema

EPOCH_US = 1_563_840_000_000_000


def crowd(seed: int, tracks: int = 6, reports: int = 30) -> pl.DataFrame:
    """Aircraft that wander within some 30 NM: gaps, missing altitudes, any latitude."""
    rng = random.Random(seed)
    center = (rng.uniform(-82, 82), rng.choice([rng.uniform(-180, 180), 180.0, 0.0]))
    rows = []
    for i in range(tracks):
        start = Geodesic.WGS84.Direct(*center, rng.uniform(0, 360), rng.uniform(0, 30_000))
        lat, lon = start["lat2"], start["lon2"]
        course, speed, alt = rng.uniform(0, 360), rng.uniform(60, 300), rng.uniform(5e3, 12e3)
        time_us = EPOCH_US + rng.randrange(60_000_000)
        knows_baro, knows_geom = rng.random() < 0.8, rng.random() < 0.5
        pace = rng.choice([1, 5, 20, 60])
        for _ in range(reports):
            known = rng.random() < 0.95
            rows.append(
                {
                    "time": time_us,
                    "track_id": f"t{i}",
                    "lat_deg": lat,
                    "lon_deg": lon,
                    "alt_baro_ft": alt if knows_baro and known else None,
                    "alt_geom_ft": alt + 300 if knows_geom else None,
                    "on_ground": rng.random() < 0.01,
                    "source": "made",
                }
            )
            step_s = pace * rng.uniform(0.5, 1.5) if rng.random() > 0.05 else rng.uniform(60, 180)
            course += rng.gauss(0, 15)
            to = Geodesic.WGS84.Direct(lat, lon, course, speed * step_s)
            lat, lon = to["lat2"], to["lon2"]
            alt += rng.gauss(0, 20) * step_s
            time_us += round(step_s * 1e6)
    types = {n: t for n, t in polars_schema(REPORTS).items() if n in rows[0]}
    raw = {**types, "time": pl.Int64()}
    return pl.DataFrame(rows, schema=raw).cast(types).sort("time", "track_id")
