"""The coastline under a map: fine where the map is, coarse elsewhere.

The bundled data is an extract of GSHHG (see ``tools/make_coast.py`` and NOTICE). Each point knows
how much it matters, so one table serves every scale: points are picked by distance from the map's
centre, and no polygon is ever cut.
"""

from __future__ import annotations

from importlib import resources
from typing import Any

import numpy as np

from adiz.out.map.thin import unit_vectors

BASE_M = 300.0
"""Significance of class 0; each class doubles it."""
ALWAYS = 31
"""The class of points kept at every scale."""
UNITS_PER_DEG = 10_000
M_PER_UNIT = 111_195 / UNITS_PER_DEG

MAX_PLACES = 80
LIANCOURT_ROCKS = (37.2414, 131.8673)
"""Between the two islets, WGS84."""

CREDIT = "Coastline: GSHHG (Wessel and Smith 1996), extract, LGPL. Towns: GeoNames, CC BY 4.0."


def land_near(
    lat_deg: float, lon_deg: float, radius_deg: float
) -> list[tuple[list[int], list[int]]]:
    """Land and lakes for a map of a given radius (degrees of arc) about a centre.

    Returns:
        One pair per ring: latitudes and longitudes in 1/10,000 degree. Land and lakes nest: fill
        them together by the even-odd rule.
    """
    import polars as pl

    path = resources.files("adiz.out.coast").joinpath("coast.parquet")
    with path.open("rb") as file:
        table = pl.read_parquet(file)
    ring: Any = table["ring"].to_numpy()
    lon: Any = np.cumsum(table["lon_step"].to_numpy())
    lat: Any = np.cumsum(table["lat_step"].to_numpy())
    center = unit_vectors(lat_deg, lon_deg)
    away_deg = np.degrees(
        np.arccos(np.clip(unit_vectors(lat / UNITS_PER_DEG, lon / UNITS_PER_DEG) @ center, -1, 1))
    )
    # strays allowed: below half a pixel in the first view, about a pixel when zoomed far out
    radius_m = radius_deg * 111_195
    horizon_deg = max(12 * radius_deg, 25.0)
    stray_m = np.select(
        [away_deg < 1.8 * radius_deg, away_deg < 4 * radius_deg, away_deg < horizon_deg],
        [radius_m / 1000, radius_m / 200, max(radius_m / 40, 10_000.0)],
        100_000.0,
    )
    significance_m = np.where(table["class"].to_numpy() == ALWAYS, np.inf, 0.0)
    significance_m += BASE_M * 2.0 ** table["class"].to_numpy().astype(float)
    keep = significance_m * 2 > stray_m
    ring, lat, lon, stray_m = ring[keep], lat[keep], lon[keep], stray_m[keep]
    starts = np.flatnonzero(np.diff(ring, prepend=-1))
    if not len(starts):
        return []
    tall_m = (np.maximum.reduceat(lat, starts) - np.minimum.reduceat(lat, starts)) * M_PER_UNIT
    seen = (tall_m > 3 * stray_m[starts]) | (table["class"].to_numpy()[keep][starts] == ALWAYS)
    ends = np.append(starts[1:], len(lat))
    return [
        (lat[start:end].tolist(), lon[start:end].tolist())
        for start, end, worth in zip(starts, ends, seen, strict=True)
        if worth and end - start >= 4
    ]


def places_near(lat_deg: float, lon_deg: float, radius_deg: float) -> list[dict[str, Any]]:
    """Places to name on a map of a given radius about a centre, the most important first.

    The Liancourt Rocks, which are too small to be seen as land, and towns to find one's way by;
    ``rank`` 1 to 3 says from which scale on a town is worth its room.
    """
    import csv

    with resources.files("adiz.out.coast").joinpath("places.csv").open(encoding="utf-8") as file:
        towns = [
            {
                "form": "place",
                "lat": float(row["lat_deg"]),
                "lon": float(row["lon_deg"]),
                "label": row["name"],
                "rank": int(row["rank"]),
            }
            for row in csv.DictReader(file)
        ]
    lat, lon = LIANCOURT_ROCKS
    rocks = {"form": "place", "lat": lat, "lon": lon, "label": "Liancourt Rocks (Dokdo/Takeshima)"}
    center = unit_vectors(lat_deg, lon_deg)
    far = np.cos(np.radians(min(180.0, 2 * radius_deg + 1)))
    near = [p for p in [rocks, *towns] if unit_vectors(p["lat"], p["lon"]) @ center > far]
    return near[:MAX_PLACES]
