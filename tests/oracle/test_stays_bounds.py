"""Depth and the bounds in gaps, against brute force with PROJ, GEOS and GeographicLib."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

import adiz
from adiz.detect.index import build_index
from adiz.zones.model import Zone, Zones
from tests.oracle.exact import GEOD, Oracle, along, edge_points
from tests.oracle.test_stays_exact import random_zone

WORLDS = int(os.environ.get("ADIZ_WORLDS", "9"))
SPACING_M = 50.0  # of points of a boundary
SHORT_M = 50.0  # how short the search of the longest time inside becomes
START = datetime(2026, 1, 1, tzinfo=UTC)


def small_zone(rng: np.random.Generator) -> Zone:
    """One whose middle is at most 60 degrees from the equator: charts of it are true to 0.1 %."""
    while True:
        zone = random_zone(rng, "geodesic")
        lats = [p.lat_deg for p in zone.rings[0].parts]
        if max(map(abs, lats)) < 60 and max(lats) - min(lats) < 3:
            return zone


def test_depth_is_the_greatest_distance_from_the_edge_along_the_path():
    rng = np.random.default_rng(11)
    compared = 0
    for _ in range(2 * WORLDS):
        zone = small_zone(rng)
        oracle = Oracle(zone)
        on = oracle.ring[rng.integers(len(oracle.ring), size=2)]
        lat, lon = along(on[0, 1], on[0, 0], on[1, 1], on[1, 0], np.linspace(-0.2, 1.2, 400))
        lat = lat + 0.02 * np.cumsum(rng.normal(0, 0.05, 400))  # not quite straight
        reports = pl.DataFrame(
            {
                "time": [START + timedelta(seconds=5 * k) for k in range(400)],
                "track_id": ["t"] * 400,
                "lat_deg": lat,
                "lon_deg": (lon + 180) % 360 - 180,
            }
        )
        fine = [
            along(lat[k], lon[k], lat[k + 1], lon[k + 1], np.linspace(0, 1, 9)) for k in range(399)
        ]
        at_s = np.concatenate([5.0 * (k + np.linspace(0, 1, 9)) for k in range(399)])
        fine_lat, fine_lon = (np.concatenate([f[i] for f in fine]) for i in (0, 1))
        edge_m = oracle.edge_m(fine_lat, fine_lon)
        for row in adiz.find_stays(reports, zone).iter_rows(named=True):
            begin, end = ((row[n] - START).total_seconds() for n in ("entry_time", "exit_time"))
            within = (at_s >= begin) & (at_s <= end)
            if not within.any() or edge_m[within].max() < 100:
                continue
            true_m = edge_m[within].max()
            assert true_m * 0.997 - 2 < row["max_depth_m"] < true_m * 1.002 + 60
            compared += 1
    assert compared > WORLDS


def test_what_a_gap_allows():
    rng = np.random.default_rng(12)
    seen = {"out": 0, "touched": 0, "certain": 0, "tight": 0}
    for _ in range(2 * WORLDS):
        zone = small_zone(rng)
        oracle, index = Oracle(zone), build_index(Zones((zone,)))
        parts = zone.rings[0].parts
        ring = np.vstack(
            [
                edge_points("geodesic", a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg, SPACING_M)[:-1]
                for a, b in zip(parts, parts[1:] + parts[:1], strict=True)
            ]
        )
        middle = oracle.chart.transform(0.0, 0.0, direction="INVERSE")
        reach = float(oracle.edge_m(middle[1], middle[0])) + 5e4
        for _ in range(12):
            lon, lat, _ = GEOD.fwd(
                [middle[0]] * 2,
                [middle[1]] * 2,
                rng.uniform(0, 360, 2),
                rng.uniform(0, 4, 2) * reach,
            )
            (lat1, lat2), (lon1, lon2) = lat, lon
            apart = GEOD.inv(lon1, lat1, lon2, lat2)[2]
            budget = apart * rng.choice([1.02, 1.2, 2.0, 4.0]) + 100
            in1, in2 = (bool(v) for v in oracle.inside([lat1, lat2], [lon1, lon2]))
            d1, d2 = distances(ring, lat1, lon1), distances(ring, lat2, lon2)
            allowed = d1 + d2 <= budget
            doubt = 2.0 + 1e-5 * apart  # lengths are taken from chords
            if abs((d1 + d2).min() - budget) < SPACING_M + 2 * doubt:
                continue  # too near to decide by points 50 m apart
            reachable, certain, to_entry, from_exit, outside = index.prism(
                0, lat1, lon1, lat2, lon2, in1, in2, budget
            )
            assert reachable == (in1 or in2 or bool(allowed.any()))
            assert certain == (in1 and in2 and not allowed.any())
            if not reachable or certain:
                seen["certain" if certain else "out"] += 1
                continue
            seen["touched"] += 1
            # Each point of the boundary is within half a spacing of one that was measured.
            surely = d1 + d2 <= budget - doubt
            perhaps = d1 + d2 <= budget + doubt + SPACING_M
            for found, way, within in ((to_entry, d1, in1), (from_exit, d2, in2)):
                if within:
                    assert found == 0.0
                    continue
                assert found >= way[perhaps].min() - SPACING_M / 2 - doubt
                assert not surely.any() or found <= way[surely].min() + doubt
            assert outside >= to_entry + from_exit - 1e-6
            if not in1 and not in2:
                low, high = least_outside(ring, (lon1, lat1), (lon2, lat2), budget, doubt)
                assert outside <= high + doubt  # nothing that can be flown is excluded
                assert outside >= low - SHORT_M - doubt, (zone, lat1, lon1, lat2, lon2, budget)
                seen["tight"] += outside > to_entry + from_exit + 1
    assert min(seen.values()) > 0, seen


def distances(ring: np.ndarray, lat: float, lon: float) -> np.ndarray:
    n = len(ring)
    return np.asarray(GEOD.inv(np.full(n, lon), np.full(n, lat), ring[:, 0], ring[:, 1])[2])


def least_outside(
    ring: np.ndarray, p1: tuple, p2: tuple, budget: float, doubt: float
) -> tuple[float, float]:
    """Bounds of the least flown outside, over every pair of points of the boundary.

    Pairs of stretches that no length can bring within the budget, or below what is known to be
    possible, are left out; the others are cut in four. A length changes by no more than its end.
    """
    n = len(ring)
    half = 32.0  # in points; of a stretch
    middles = np.arange(half, n + half, 2 * half)
    x, y = (m.ravel() for m in np.meshgrid(middles, middles))
    high = np.inf
    while True:
        a, b = place(ring, x), place(ring, y)
        outside = distance(p1, a) + distance(p2, b)
        whole = outside + distance(a, b)
        ok = whole <= budget - doubt
        high = min(high, outside[ok].min(initial=np.inf))
        reach = 2 * half * SPACING_M
        kept = (whole - 2 * reach <= budget + doubt) & (outside - reach <= high)
        low = (outside - reach)[kept].min(initial=np.inf)
        if half * SPACING_M < 4.0 or kept.sum() > 100_000:
            return low, high
        half /= 2
        x, y = (
            np.concatenate([m[kept] + i * half for i in signs])
            for m, signs in ((x, (-1, -1, 1, 1)), (y, (-1, 1, -1, 1)))
        )


def place(ring: np.ndarray, at: np.ndarray) -> np.ndarray:
    """(lon, lat) of points between those of a ring, which lie close."""
    n = len(ring)
    lo = np.floor(at).astype(int)
    a, b = ring[lo % n], ring[(lo + 1) % n]
    turn = (b - a + 180) % 360 - 180
    return a + (at - lo)[:, None] * turn


def distance(a, b: np.ndarray) -> np.ndarray:
    lon, lat = (np.broadcast_to(v, len(b)) for v in np.transpose(a))
    return np.asarray(GEOD.inv(lon, lat, b[:, 0], b[:, 1])[2])
