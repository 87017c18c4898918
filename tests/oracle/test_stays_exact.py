"""Containment and crossings against PROJ and GEOS (see exact.py).

Stated tolerance: containment agrees for every point more than 1 m from an edge; crossings agree
within 0.1 s.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

import adiz
from adiz.detect.index import build_index
from adiz.zones.model import Ring, Vertex, Zone, Zones
from tests.oracle.exact import GEOD, Oracle, along

WORLDS = int(os.environ.get("ADIZ_WORLDS", "9"))
START = datetime(2026, 1, 1, tzinfo=UTC)


def random_zone(rng: np.random.Generator, edge: str) -> Zone:
    """A star of 4 to 12 corners about a middle at 1 to 80 degrees, often on the antimeridian.

    For `parallel` a stair whose level steps run along parallels and whose others are geodesics.
    """
    lat0 = rng.uniform(1, 80) * rng.choice([-1, 1])
    lon0 = rng.choice([rng.uniform(-180, 180), 180 + rng.uniform(-1, 1)])
    size = min(rng.uniform(0.05, 4.0), 0.6 * (90 - abs(lat0)))
    squeeze = 1 / np.cos(np.radians(lat0))
    if edge == "parallel":
        w, h = size * squeeze, size
        corners = [(-h, -w), (-h, w), (rng.uniform(-0.5, 0.5) * h, w)]
        corners += [(corners[2][0], 0.3 * w), (h, 0.2 * w), (h, -w)]
        rules = ["parallel", "geodesic", "parallel", "geodesic", "parallel", "geodesic"]
    else:
        n = int(rng.integers(4, 13))
        angle = 2 * np.pi * (np.arange(n) + rng.uniform(-0.3, 0.3, n)) / n
        radius = size * rng.uniform(0.3, 1.0, n)
        corners = list(zip(radius * np.cos(angle), radius * np.sin(angle) * squeeze, strict=True))
        rules = [edge] * n
    parts = tuple(
        Vertex(float(lat0 + dy), float((lon0 + dx + 180) % 360 - 180), rule)
        for (dy, dx), rule in zip(corners, rules, strict=True)
    )
    return Zone("Z", "Z", (Ring(parts),))


def near(zone: Zone, rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    lats = np.array([p.lat_deg for p in zone.rings[0].parts])
    first = zone.rings[0].parts[0].lon_deg
    lons = first + (np.array([p.lon_deg for p in zone.rings[0].parts]) - first + 180) % 360 - 180
    pad = 0.3 * np.ptp(lats) + 0.01
    lat = np.clip(rng.uniform(lats.min() - pad, lats.max() + pad, n), -89.5, 89.5)
    lon = rng.uniform(lons.min() - 1.2 * pad, lons.max() + 1.2 * pad, n)
    return lat, (lon + 180) % 360 - 180


@pytest.mark.parametrize("edge", ["geodesic", "parallel", "rhumb", "planar"])
def test_containment_agrees_beyond_one_metre_of_an_edge(edge: str):
    rng = np.random.default_rng(20260101)
    checked = 0
    for _ in range(WORLDS):
        zone = random_zone(rng, edge)
        oracle, index = Oracle(zone), build_index(Zones((zone,)))
        lat, lon = near(zone, rng, 400)
        # and points close to corners and edges, where it matters
        vertex = zone.rings[0].parts[int(rng.integers(len(zone.rings[0].parts)))]
        lat = np.append(lat, vertex.lat_deg + rng.normal(0, 3e-4, 200))
        lon = np.append(lon, (vertex.lon_deg + rng.normal(0, 3e-4, 200) + 180) % 360 - 180)
        clear = oracle.edge_m(lat, lon) > 1.0
        ours = np.array([bool(index.at(a, o)) for a, o in zip(lat, lon, strict=True)])
        wrong = clear & (ours != oracle.inside(lat, lon))
        assert not wrong.any(), (zone, lat[wrong], lon[wrong])
        checked += int(clear.sum())
    assert checked > 400 * WORLDS


@pytest.mark.parametrize("edge", ["geodesic", "parallel", "rhumb", "planar"])
@pytest.mark.parametrize("leg_s", [5.0, 115.0, 1500.0])
def test_crossings_agree_within_a_tenth_of_a_second(edge: str, leg_s: float):
    rng = np.random.default_rng(7)
    compared = 0
    for _ in range(max(2, WORLDS // 3)):
        zone = random_zone(rng, edge)
        oracle = Oracle(zone)
        on = oracle.ring[rng.integers(len(oracle.ring), size=12)]
        azimuth, length = rng.uniform(0, 360, 12), rng.uniform(80, 300, 12) * leg_s
        share = rng.uniform(0.05, 0.95, 12)
        lon1, lat1, _ = GEOD.fwd(on[:, 0], on[:, 1], azimuth, length * share)
        lon2, lat2, _ = GEOD.fwd(on[:, 0], on[:, 1], azimuth, -length * (1 - share))
        rows = []
        for k in range(12):
            ends = ((0.0, lat1[k], lon1[k]), (leg_s, lat2[k], lon2[k]))
            rows += [(START + timedelta(seconds=s), f"t{k:02d}", a, o) for s, a, o in ends]
        reports = pl.DataFrame(
            rows, schema=["time", "track_id", "lat_deg", "lon_deg"], orient="row"
        )
        stays = adiz.find_stays(reports, zone, max_gap_s=leg_s + 1, track_end_s=leg_s + 2)
        for k in range(12):
            expected = exact_crossings(oracle, lat1[k], lon1[k], lat2[k], lon2[k], leg_s)
            mine = sorted(
                (row[f"{end}_time"] - START).total_seconds()
                for row in stays.filter(pl.col("track_id") == f"t{k:02d}").iter_rows(named=True)
                for end in ("entry", "exit")
                if row[f"{end}_kind"] == "crossed"
            )
            if expected is None:
                continue
            assert len(mine) == len(expected), (zone, k, mine, expected)
            assert np.allclose(mine, expected, atol=0.1), (zone, k, mine, expected)
            compared += len(mine)
    assert compared > 8


def exact_crossings(oracle: Oracle, lat1, lon1, lat2, lon2, leg_s: float) -> list[float] | None:
    """Times of change by sampling and bisection; None where a graze leaves the count in doubt."""
    t = np.linspace(0, 1, 121 if leg_s < 60 else 1201)
    lat, lon = along(lat1, lon1, lat2, lon2, t)
    inside, edge_m = oracle.inside(lat, lon), oracle.edge_m(lat, lon)
    changes = np.flatnonzero(inside[1:] != inside[:-1])
    step_m = np.hypot(*(np.diff(v) for v in oracle.chart.transform(lon, lat))).max()
    away = np.ones(len(t), bool)
    for c in changes:
        away[max(0, c - 1) : c + 3] = False
    if (edge_m[away] < 0.6 * step_m + 1.0).any():
        return None
    found = []
    for c in changes:
        lo, hi = t[c], t[c + 1]
        for _ in range(22):
            mid = 0.5 * (lo + hi)
            if oracle.inside(*along(lat1, lon1, lat2, lon2, mid))[0] == inside[c]:
                lo = mid
            else:
                hi = mid
        found.append(leg_s * 0.5 * (lo + hi))
    return found
