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
                edge_points("geodesic", a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg, 50.0)[:-1]
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
            slack = 60 + 2e-5 * apart
            if abs((d1 + d2).min() - budget) < slack + 100:
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
            expect_in = 0.0 if in1 else d1[allowed].min()
            expect_out = 0.0 if in2 else d2[allowed].min()
            # A nearly exhausted budget lets a boundary point in or out by its 50 m.
            near = slack
            if budget < 1.1 * apart:
                near = max(near, 3.0 * np.sqrt(50.0 * max(d1.max(), d2.max())))
            assert abs(to_entry - expect_in) < near
            assert abs(from_exit - expect_out) < near
            assert outside >= to_entry + from_exit - 1e-6
            if not in1 and not in2:
                best = least_outside(ring, d1, d2, budget)
                assert outside <= best + slack  # nothing that can be flown is excluded
                detail = (best, to_entry, from_exit, budget, apart, len(ring), allowed.sum())
                assert outside >= best - max(0.03 * apart, 2000.0), detail
                seen["tight"] += outside > to_entry + from_exit + 1
    assert min(seen.values()) > 0, seen


def distances(ring: np.ndarray, lat: float, lon: float) -> np.ndarray:
    n = len(ring)
    return np.asarray(GEOD.inv(np.full(n, lon), np.full(n, lat), ring[:, 0], ring[:, 1])[2])


def least_outside(ring: np.ndarray, d1: np.ndarray, d2: np.ndarray, budget: float) -> float:
    """Every pair of (every few) boundary points."""
    allowed = np.flatnonzero(d1 + d2 <= budget)
    ends = [allowed[d1[allowed].argmin()], allowed[d2[allowed].argmin()]]
    few = np.append(allowed[:: max(1, len(allowed) // 70)], ends)
    x, y = np.meshgrid(few, few)
    between = GEOD.inv(
        ring[x.ravel(), 0], ring[x.ravel(), 1], ring[y.ravel(), 0], ring[y.ravel(), 1]
    )[2]
    total = d1[x.ravel()] + np.asarray(between) + d2[y.ravel()]
    ok = total <= budget
    return float((d1[x.ravel()] + d2[y.ravel()])[ok].min()) if ok.any() else np.inf
