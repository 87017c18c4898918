"""Encounters against brute force: every pair of legs, positions and distances by geographiclib.

geographiclib (MIT) is C. F. F. Karney's own implementation of his geodesic algorithms. Ends are
compared to 0.1 s where the pair crosses the limit at more than 0.25 m/s (0.5 kt).
"""

from __future__ import annotations

import itertools
import math
import os
import random

import polars as pl
import pytest
from geographiclib.geodesic import Geodesic

from adiz.run.together import find_encounters
from tests.encounter_worlds import crowd

WGS84 = Geodesic.WGS84
LIMIT_M, LIMIT_FT, MAX_GAP_US = 5 * 1852.0, 2000.0, 120_000_000


class Leg:
    def __init__(self, u: dict, v: dict) -> None:
        self.u, self.v = u, v
        self.t0, self.t1 = u["time"], v["time"]
        self.line = WGS84.InverseLine(u["lat_deg"], u["lon_deg"], v["lat_deg"], v["lon_deg"])

    def at(self, t: float) -> tuple[float, float]:
        p = self.line.Position(self.line.s13 * (t - self.t0) / (self.t1 - self.t0))
        return p["lat2"], p["lon2"]

    def alt(self, t: float, name: str) -> float | None:
        a, b = self.u[name], self.v[name]
        return None if a is None or b is None else a + (b - a) * (t - self.t0) / (self.t1 - self.t0)


def legs_of(rows: list[dict]) -> list[Leg]:
    return [
        Leg(u, v)
        for u, v in itertools.pairwise(rows)
        if v["time"] - u["time"] <= MAX_GAP_US and not (u["on_ground"] or v["on_ground"])
    ]


def lateral(a: Leg, b: Leg, t: float) -> float:
    return WGS84.Inverse(*a.at(t), *b.at(t), Geodesic.DISTANCE)["s12"]


def excess(a: Leg, b: Leg, t: float) -> float:
    """Above 0 where a limit is exceeded."""
    over = lateral(a, b, t) / LIMIT_M - 1
    for name in ("alt_baro_ft", "alt_geom_ft"):
        za, zb = a.alt(t, name), b.alt(t, name)
        if za is not None and zb is not None:
            return max(over, abs(za - zb) / LIMIT_FT - 1)
    return over


def root(a: Leg, b: Leg, lo: float, hi: float) -> float:
    inside = excess(a, b, lo) <= 0
    while hi - lo > 50:
        mid = (lo + hi) / 2
        if (excess(a, b, mid) <= 0) == inside:
            lo = mid
        else:
            hi = mid
    return (lo + hi) / 2


def intervals(rows_a: list[dict], rows_b: list[dict]) -> list[list]:
    """Maximal [start, end, steepness at start, at end] of a pair."""
    found: list[list] = []
    legs_b = legs_of(rows_b)
    for a in legs_of(rows_a):
        for b in legs_b:
            o0, o1 = max(a.t0, b.t0), min(a.t1, b.t1)
            if o0 >= o1 or lateral(a, b, o0) > LIMIT_M + 800 * (o1 - o0) / 1e6:
                continue
            ts = [o0 + (o1 - o0) * k / 24 for k in range(25)]
            for t0, t1 in itertools.pairwise(ts):
                in0, in1 = excess(a, b, t0) <= 0, excess(a, b, t1) <= 0
                if not (in0 or in1):
                    continue
                s = t0 if in0 else root(a, b, t0, t1)
                e = t1 if in1 else root(a, b, t0, t1)
                rate = abs(excess(a, b, t1) - excess(a, b, t0)) / (t1 - t0) * 1e6 * LIMIT_M
                if found and abs(found[-1][1] - s) < 1:
                    found[-1][1], found[-1][3] = e, rate if not in1 else math.inf
                else:
                    found.append([s, e, math.inf if in0 else rate, math.inf if in1 else rate])
    return found


def check_least(row: dict, legs_a: list[Leg], legs_b: list[Leg]) -> None:
    """The least distance is what it is at its time, and nowhere smaller."""
    start, end, at = (row[k].timestamp() * 1e6 for k in ("start_time", "end_time", "time_of_min"))

    def distance(t: float) -> float:
        a = next(leg for leg in legs_a if leg.t0 <= t <= leg.t1)
        b = next(leg for leg in legs_b if leg.t0 <= t <= leg.t1)
        return lateral(a, b, t)

    assert abs(distance(at) - row["min_lateral_m"]) < 0.02
    least = min(distance(start + (end - start) * k / 50) for k in range(1, 50))
    assert row["min_lateral_m"] < least + 0.02


@pytest.mark.parametrize("seed", range(int(os.environ.get("ADIZ_WORLDS", "24"))))
def test_brute_force_agrees(seed: int) -> None:
    reports = crowd(seed)
    table = find_encounters(reports, for_s=20, max_speed_kt=10_000)
    by_pair: dict[tuple[str, str], list[dict]] = {}
    for row in table.iter_rows(named=True):
        by_pair.setdefault((row["track_a"], row["track_b"]), []).append(row)
    tracks = {
        name: part.cast({"time": int}).to_dicts()
        for (name,), part in reports.partition_by("track_id", as_dict=True).items()
    }
    for a, b in itertools.combinations(sorted(tracks), 2):
        true = intervals(tracks[a], tracks[b])
        got = by_pair.pop((a, b), [])
        # One about as long as the shortest may fall on either side.
        sure = [t for t in true if t[1] - t[0] > 20.2e6]
        maybe = [t for t in true if abs(t[1] - t[0] - 20e6) <= 0.2e6]
        assert len(sure) <= len(got) <= len(sure) + len(maybe)
        for row in got:
            start, end = (row[k].timestamp() * 1e6 for k in ("start_time", "end_time"))
            s, e, rate_s, rate_e = min(true, key=lambda t: abs(t[0] - start) + abs(t[1] - end))
            assert rate_s < 0.25 or abs(start - s) <= 0.1e6
            assert rate_e < 0.25 or abs(end - e) <= 0.1e6
            check_least(row, legs_of(tracks[a]), legs_of(tracks[b]))
    assert not by_pair


def test_distance_on_long_legs() -> None:
    """Legs of up to 40 km, distances up to 50 NM: the least distance is right to 2 cm."""
    rng = random.Random(7)
    for _ in range(300):
        lat, lon = rng.uniform(-85, 85), rng.uniform(-180, 180)
        rows, far = [], rng.choice([20_000, 90_000])
        for name in "ab":
            p = WGS84.Direct(lat, lon, rng.uniform(0, 360), rng.uniform(0, far / 2))
            q = WGS84.Direct(p["lat2"], p["lon2"], rng.uniform(0, 360), rng.uniform(0, 40_000))
            rows += [(0, name, p["lat2"], p["lon2"]), (120_000_000, name, q["lat2"], q["lon2"])]
        reports = pl.DataFrame(
            rows, schema=["time", "track_id", "lat_deg", "lon_deg"], orient="row"
        ).cast({"time": pl.Datetime("us", "UTC")})
        met = find_encounters(reports, for_s=0, within_nm=49)
        for row in met.cast({"time_of_min": int}).iter_rows(named=True):
            ends = [dict(zip(reports.columns, r, strict=True)) for r in rows]
            pair = (Leg(*ends[:2]), Leg(*ends[2:]))
            assert abs(lateral(*pair, row["time_of_min"]) - row["min_lateral_m"]) < 0.02
