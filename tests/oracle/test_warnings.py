"""Predicted entries against PROJ and GEOS: the same instant to 0.1 s, the same place.

The oracle flies the geodesic of the course by pyproj (GeographicLib) second by second, asks shapely
whether each place is inside, and halves the second in which that changes. No code is shared.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from adiz.detect.warnings import WarningsFold, WarningsParams
from adiz.zones.model import Limit, Ring, Vertex, Zone, Zones
from tests.oracle.exact import GEOD, Oracle

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
HORIZON_S = 900.0
PARAMS = WarningsParams(
    agree=1, of=1, smooth_s=0.0, cone_deg=0.0, turn_ahead_s=0.0, horizon_s={"adiz": HORIZON_S}
)
CASES = 30 + 2 * int(os.environ.get("ADIZ_WORLDS", "0"))
LEVEL_FPM = 150.0


def some_zone(rng: np.random.Generator, name: str, lat: float, lon: float) -> Zone:
    """A star of 3 to 9 corners, 20 to 200 km in radius; edges of any kind; perhaps limits."""
    n = int(rng.integers(3, 10))
    bearing = np.sort(rng.uniform(0, 360, n))
    while (np.diff(bearing, append=bearing[0] + 360) > 170).any():
        bearing = np.sort(rng.uniform(0, 360, n))
    lons, lats, _ = GEOD.fwd([lon] * n, [lat] * n, bearing, rng.uniform(2e4, 2e5, n))
    corners = tuple(Vertex(float(a), float(o)) for a, o in zip(lats, lons, strict=True))
    more: dict[str, object] = {}
    if rng.random() < 0.4:
        more["floor"] = Limit("FL", float(rng.integers(50, 250) * 100))
    if rng.random() < 0.4:
        more["ceiling"] = Limit("FL", float(rng.integers(250, 400) * 100))
    if rng.random() < 0.2:
        more["valid_from"] = START + timedelta(seconds=float(rng.uniform(-500, 800)))
    if rng.random() < 0.2:
        more["valid_to"] = START + timedelta(seconds=float(rng.uniform(801, 1200)))
    edge = rng.choice(["geodesic", "rhumb", "planar"])
    return Zone(name, name, (Ring(corners),), edge=str(edge), **more)


class Flight:
    """A ray: geodesic, constant speed, linear altitude down to the ground."""

    def __init__(self, rng: np.random.Generator, lat: float, lon: float) -> None:
        lon0, self.lat, _ = GEOD.fwd(lon, lat, rng.uniform(0, 360), rng.uniform(0, 4e5))
        self.lon = (lon0 + 180) % 360 - 180
        aim = GEOD.inv(self.lon, self.lat, lon, lat)[0] + rng.normal(0, 25)
        self.course, self.speed_kt = aim % 360, rng.uniform(100, 900)
        self.alt_ft = float(rng.integers(20, 1800) * 25)
        self.climb_fpm = float(rng.choice([0, rng.uniform(-4000, 4000)]))

    def at(self, seconds: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        n = len(seconds)
        distance = self.speed_kt * 1852 / 3600 * seconds
        lon, lat, _ = GEOD.fwd([self.lon] * n, [self.lat] * n, [self.course] * n, distance)
        rate = self.climb_fpm if abs(self.climb_fpm) >= LEVEL_FPM else 0.0
        return np.asarray(lat), np.asarray(lon), np.maximum(0, self.alt_ft + rate / 60 * seconds)

    def report(self) -> pl.DataFrame:
        return pl.DataFrame(
            {
                "time": [START],
                "track_id": ["a"],
                "lat_deg": [self.lat],
                "lon_deg": [self.lon],
                "alt_baro_ft": [self.alt_ft],
                "gs_kt": [self.speed_kt],
                "track_true_deg": [self.course],
                "vrate_fpm": [self.climb_fpm],
            }
        ).with_columns(pl.col("time").cast(pl.Datetime("us", "UTC")))


def inside(zone: Zone, oracle: Oracle, flight: Flight, seconds: np.ndarray) -> np.ndarray:
    lat, lon, alt = flight.at(seconds)
    floor = zone.floor.value_ft if zone.floor.reference == "FL" else -np.inf
    ceiling = zone.ceiling.value_ft if zone.ceiling.reference == "FL" else np.inf
    held = oracle.inside(lat, lon) & (alt >= floor) & (alt <= ceiling)
    if zone.valid_from:
        held &= seconds >= (zone.valid_from - START).total_seconds()
    if zone.valid_to:
        held &= seconds < (zone.valid_to - START).total_seconds()
    return held


def first_entry(zone: Zone, oracle: Oracle, flight: Flight) -> float | None:
    """Seconds to the first entry; None where there is none within the horizon; 0 inside."""
    seconds = np.arange(0.0, HORIZON_S + 1)
    held = inside(zone, oracle, flight, seconds)
    if held[0]:
        return 0.0
    if not held.any():
        return None
    high = float(seconds[held.argmax()])
    low = high - 1
    while high - low > 1e-3:
        middle = (low + high) / 2
        if inside(zone, oracle, flight, np.array([middle]))[0]:
            high = middle
        else:
            low = middle
    return high


@pytest.mark.parametrize("seed", range(CASES))
def test_predicted_entries_are_those_of_the_oracle(seed: int) -> None:
    rng = np.random.default_rng([19, seed])
    lat, lon = rng.uniform(-65, 65), rng.choice([rng.uniform(-180, 180), 179.5])
    zones = Zones(tuple(some_zone(rng, f"Z{i}", lat + rng.normal(0, 1), lon) for i in range(4)))
    oracles = {zone.zone_id: Oracle(zone) for zone in zones}
    for _ in range(8):
        flight = Flight(rng, lat, lon)
        found = WarningsFold(zones, PARAMS).step(flight.report())
        told = {row["zone_id"]: row for row in found.to_dicts()}
        for zone in zones:
            expected = first_entry(zone, oracles[zone.zone_id], flight)
            row = told.get(zone.zone_id)
            if expected is None or expected == 0.0 or expected > HORIZON_S - 0.1:
                # none, or one that the oracle's seconds stepped over: a stay of under a second
                if row and not (expected and expected > HORIZON_S - 0.1):
                    assert expected is None
                    fine = row["lead_s"] + np.arange(0, 1.001, 0.001)
                    assert inside(zone, oracles[zone.zone_id], flight, fine).sum() < 1001
                continue
            if row is None or row["lead_s"] < expected - 0.1:
                assert row is not None
                fine = row["lead_s"] + np.arange(0.0, 1.0, 0.002)
                held = inside(zone, oracles[zone.zone_id], flight, fine)
                assert held[:60].any()
                assert not held.all()  # a stay of under a second
                continue
            assert row["lead_s"] == pytest.approx(expected, abs=0.1)
            at_lat, at_lon, _ = flight.at(np.array([expected]))
            off = GEOD.inv(row["predicted_lon_deg"], row["predicted_lat_deg"], at_lon[0], at_lat[0])
            assert off[2] <= 0.1 * flight.speed_kt * 1852 / 3600
