"""Seeded traffic for the measures of ``apw.py``, with its truth.

A fleet is flown without error, step by step on the ellipsoid; what a sensor makes of it is drawn
afterwards. The truth (who entered when) is found by the product's stays on the fleet without error:
their own tests hold them to an independent solution.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import polars as pl
from pyproj import Geod

import adiz
from adiz.detect.index import build_index
from adiz.zones.model import Circle, Limit, Ring, Vertex, Zone, Zones
from adiz.zones.rings import dense_rings

GEOD = Geod(ellps="WGS84")
BEGIN_US = int(datetime(2026, 3, 1, 6, tzinfo=UTC).timestamp()) * 1_000_000
NM = 1852.0
KT = NM / 3600.0
Array = np.ndarray


@dataclass(frozen=True)
class Sensor:
    """What is known of an aircraft: standard deviations of noise, and what is lost.

    ``burst`` is the chance at each report that a hole of 10 to 60 s begins; ``velocity`` False
    means that course, speed and climb are not reported.
    """

    period_s: float = 5.0
    place_m: float = 10.0
    course_deg: float = 0.3
    speed_kt: float = 1.0
    climb_fpm: float = 32.0
    dropout: float = 0.05
    burst: float = 0.0
    velocity: bool = True


ADS_B = Sensor()
FAST = Sensor(period_s=1.0)
RADAR = Sensor(place_m=100.0, course_deg=1.0, speed_kt=5.0, dropout=0.1, burst=0.005)
BARE = replace(RADAR, velocity=False)


@dataclass
class Fleet:
    """Flights without error; arrays of shape (steps, flights)."""

    step_s: float
    lat: Array
    lon: Array
    course: Array
    speed_kt: Array
    alt_ft: Array
    climb_fpm: Array
    about: dict[str, Array]  # by flight

    def truth(self) -> pl.DataFrame:
        return self._table(np.ones(self.lat.shape, bool), self.lat, self.lon, {})

    def seen_by(self, sensor: Sensor, seed: int = 7) -> pl.DataFrame:
        rng = np.random.default_rng(seed)
        every = round(sensor.period_s / self.step_s)
        steps, flights = self.lat.shape
        heard = (np.arange(steps)[:, None] + rng.integers(0, every, flights)) % every == 0
        heard &= rng.random(heard.shape) >= sensor.dropout
        for step, flight in np.argwhere(rng.random(heard.shape) < sensor.burst / every):
            heard[step : step + int(rng.integers(10, 60) / self.step_s), flight] = False
        off = rng.normal(0, sensor.place_m, (2, *heard.shape))
        lat = self.lat + off[0] / 111_000
        lon = self.lon + off[1] / 111_000 / np.cos(np.radians(self.lat))
        noise = rng.normal(0, 1, (3, *heard.shape))
        given = {}
        if sensor.velocity:
            given = {
                "gs_kt": np.round(self.speed_kt + noise[0] * sensor.speed_kt, 1),
                "track_true_deg": np.round((self.course + noise[1] * sensor.course_deg) % 360, 1),
                "vrate_fpm": np.round((self.climb_fpm + noise[2] * sensor.climb_fpm) / 64) * 64,
            }
        return self._table(heard, lat, lon, given)

    def _table(self, heard: Array, lat: Array, lon: Array, given: dict[str, Array]) -> pl.DataFrame:
        step, flight = np.nonzero(heard)
        time = BEGIN_US + np.round(step * self.step_s * 1e6).astype(np.int64)
        names = pl.Series([f"f{i:05d}" for i in range(self.lat.shape[1])])
        columns = {
            "time": pl.Series(time).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
            "track_id": names.gather(flight),
            "lat_deg": lat[heard],
            "lon_deg": (lon[heard] + 180) % 360 - 180,
            "alt_baro_ft": np.round(self.alt_ft[heard] / 25) * 25,
        }
        return pl.DataFrame(columns | {n: v[heard] for n, v in given.items()})


def fly(
    lat: Array,
    lon: Array,
    course: Array,
    speed_kt: Array,
    seconds: float,
    *,
    turn: Callable[[float], Array] | None = None,
    climb: Callable[[float, Array], Array] | None = None,
    alt_ft: Array | float = 30_000.0,
    step_s: float = 1.0,
    about: dict[str, Array] | None = None,
) -> Fleet:
    """Fly on geodesics, bent by ``turn(t)`` (deg/s) and climbing at ``climb(t, alt)`` (ft/min)."""
    steps, flights = round(seconds / step_s), len(lat)
    out = {n: np.empty((steps, flights)) for n in ("lat", "lon", "course", "alt", "climb")}
    alt = np.broadcast_to(np.asarray(alt_ft, float), flights).copy()
    lon, lat, course = (np.asarray(v, float).copy() for v in (lon, lat, course))
    for k in range(steps):
        rate = climb(k * step_s, alt) if climb else np.zeros(flights)
        for name, value in zip(out, (lat, lon, course, alt, rate), strict=True):
            out[name][k] = value
        bend = (turn(k * step_s) if turn else 0.0) * step_s
        lon, lat, back = GEOD.fwd(lon, lat, course + bend / 2, speed_kt * KT * step_s)
        lon, lat, course = np.asarray(lon), np.asarray(lat), np.asarray(back) + 180 + bend / 2
        alt = alt + rate / 60 * step_s
    speeds = np.broadcast_to(speed_kt, (steps, flights))
    return Fleet(
        step_s,
        out["lat"],
        out["lon"],
        out["course"] % 360,
        speeds,
        out["alt"],
        out["climb"],
        about or {},
    )


# ---- straight entries ----------------------------------------------------------------------------


def straight_entries(zones: Zones, count: int, seed: int, run_in_s: float = 1200.0) -> Fleet:
    """Flights that meet a zone's boundary at a random place, angle (2 to 90 degrees) and speed."""
    rng = np.random.default_rng(seed)
    index, rows = build_index(zones), []
    rings = [np.array(r).reshape(-1, 2) for z in zones for r in dense_rings(z)]
    owner = [i for i, z in enumerate(zones) for _ in dense_rings(z)]
    while len(rows) < count:
        k = int(rng.integers(len(rings)))
        ring = rings[k]
        lengths = GEOD.inv(*ring[:, ::-1].T, *np.roll(ring, -1, 0)[:, ::-1].T)[2]
        i = int(rng.choice(len(ring), p=np.array(lengths) / np.sum(lengths)))
        (lat1, lon1), (lat2, lon2) = ring[i], ring[(i + 1) % len(ring)]
        azimuth, _, length = GEOD.inv(lon1, lat1, lon2, lat2)
        lon, lat, back = GEOD.fwd(lon1, lat1, azimuth, length * rng.random())
        inward = (back + 180 + 90) % 360
        east, north, _ = GEOD.fwd(lon, lat, inward, 500.0)
        if owner[k] not in index.at(north, (east + 180) % 360 - 180):
            inward += 180
        angle = rng.uniform(2.0, 90.0)
        course = inward + (90 - angle) * rng.choice([-1, 1])
        speed = rng.uniform(150, 550)
        lon, lat, back = GEOD.fwd(lon, lat, course + 180, speed * KT * run_in_s)
        rows.append((lat, lon, back, speed, angle, owner[k]))
    lat, lon, course, speed, angle, zone = np.array(rows).T
    about = {"angle": angle, "zone": zone.astype(int)}
    return fly(lat, lon, course, speed, run_in_s + 120, step_s=1.0, about=about)


def adizs() -> Zones:
    """Zones of the catalogue with plain and long boundaries."""
    return adiz.zones("KADIZ-2013,CHN-ECS-ADIZ,TWN-ADIZ,PHL-PADIZ,US-CONUS-2")


def belts(count: int = 12, seed: int = 3) -> Zones:
    """Belts of 12 NM about islands: circles, and the union's stand-in, long ovals of corners."""
    rng = np.random.default_rng(seed)
    made = []
    for k in range(count):
        lat, lon = rng.uniform(30, 40), rng.uniform(124, 134)
        rings: tuple[Ring, ...] = (Ring((Circle(lat, lon, 12 * NM),)),)
        if k % 2:
            lons, lats, _ = GEOD.fwd(
                [lon] * 24,
                [lat] * 24,
                np.arange(0, 360, 15),
                12 * NM * (1 + 2 * np.abs(np.cos(np.radians(np.arange(0, 360, 15))))),
            )
            rings = (Ring(tuple(Vertex(a, o) for a, o in zip(lats, lons, strict=True))),)
        made.append(Zone(f"BELT-{k}", f"Belt {k}", rings, kind="territorial"))
    return Zones(tuple(made))


# ---- along a boundary ----------------------------------------------------------------------------

EDGE = ((33.0, 126.0), (38.0, 138.0))
"""The boundary that airway traffic flies along: a geodesic of 1,230 km; the zone lies north."""


def wall(kind: str = "adiz", **more: object) -> Zones:
    """A zone with that southern boundary."""
    (a, b), (c, d) = EDGE
    corners = (Vertex(a, b), Vertex(c, d), Vertex(46.0, 134.0), Vertex(41.0, 122.0))
    return Zones((Zone("WALL", "Wall", (Ring(corners),), kind=kind, **more),))


def beside(distance_nm: Array, along_m: Array, eastward: Array) -> tuple[Array, Array, Array]:
    """Places south of the boundary and courses along it."""
    (lat1, lon1), (lat2, lon2) = EDGE
    n = len(distance_nm)
    azimuth, _, _ = GEOD.inv(lon1, lat1, lon2, lat2)
    lon, lat, back = GEOD.fwd([lon1] * n, [lat1] * n, [azimuth] * n, along_m)
    ahead = np.asarray(back) + 180
    lon, lat, _ = GEOD.fwd(lon, lat, ahead + 90, distance_nm * NM)
    return np.asarray(lat), np.asarray(lon), np.where(eastward, ahead, ahead + 180)


def airway(count: int, seed: int, leaving: float = 0.25) -> Fleet:
    """An hour along the boundary at 2 to 20 NM; some turn in after 25 to 45 minutes.

    Flights hold their airway to about 0.05 NM (two slow swings of up to so much each).
    """
    rng = np.random.default_rng(seed)
    eastward = rng.random(count) < 0.5
    distance = rng.uniform(2, 20, count)
    speed = rng.uniform(380, 500, count)
    start = np.where(eastward, rng.uniform(5e4, 2e5, count), rng.uniform(1.0e6, 1.17e6, count))
    lat, lon, course = beside(distance, start, eastward)
    leaves = rng.random(count) < leaving
    begin, angle = rng.uniform(1500, 2700, count), rng.uniform(30, 90, count)
    rate = np.where(eastward, -1.0, 1.0) * rng.uniform(0.8, 1.5, count)
    swing_s, phase = rng.uniform(180, 600, (2, count)), rng.uniform(0, 2 * np.pi, (2, count))
    wide = np.degrees(0.05 * NM * (2 * np.pi / swing_s) ** 2 / (speed * KT))

    def turn(t: float) -> Array:
        turning = leaves & (t >= begin) & (t < begin + angle / abs(rate))
        swings = (wide * np.cos(2 * np.pi * t / swing_s + phase)).sum(0)
        return np.where(turning, rate, swings)

    # begin on the mean of the swings: the rate integrates to a sine that starts at its phase
    course = course + (wide * swing_s / (2 * np.pi) * np.sin(phase)).sum(0)
    about = {"distance": distance, "leaves": leaves, "begin": begin}
    return fly(lat, lon, course, speed, 3600, turn=turn, about=about)


def bending_airway(count: int, seed: int) -> Fleet:
    """Flights bound for the boundary that turn along it at 2 to 20 NM, as their airway does."""
    rng = np.random.default_rng(seed)
    eastward = rng.random(count) < 0.5
    distance, speed = rng.uniform(2, 20, count), rng.uniform(380, 500, count)
    lat, lon, course = beside(distance, rng.uniform(4e5, 8e5, count), eastward)
    angle = rng.uniform(30, 90, count)
    side = np.where(eastward, -1.0, 1.0)
    before_s = 1200.0
    lon, lat, back = GEOD.fwd(lon, lat, course + side * angle + 180, speed * KT * before_s)
    turn_s = angle / 1.0
    begin = before_s - np.tan(np.radians(angle / 2)) / np.radians(1.0)

    def turn(t: float) -> Array:
        return np.where((t >= begin) & (t < begin + turn_s), -side, 0.0)

    about = {"distance": distance, "angle": angle}
    return fly(lat, lon, np.asarray(back), speed, 2000, turn=turn, about=about)


def turning(count: int, seed: int) -> Fleet:
    """Flights along the boundary at 5 to 60 NM: half turn in, half turn away, after 5 minutes."""
    rng = np.random.default_rng(seed)
    eastward = rng.random(count) < 0.5
    distance, speed = rng.uniform(5, 60, count), rng.uniform(250, 500, count)
    lat, lon, course = beside(distance, rng.uniform(4e5, 8e5, count), eastward)
    inward = np.where(eastward, -1.0, 1.0)
    towards = rng.random(count) < 0.5
    rate = rng.uniform(0.5, 3.0, count) * np.where(towards, inward, -inward)
    angle = rng.uniform(30, 120, count)

    def turn(t: float) -> Array:
        return np.where((t >= 300) & (t < 300 + angle / abs(rate)), rate, 0.0)

    about = {"distance": distance, "towards": towards, "turn_s": angle / abs(rate)}
    return fly(lat, lon, course, speed, 2400, turn=turn, about=about)


def vertical(count: int, seed: int) -> Fleet:
    """Climbs and descents below and above :func:`layer`, levelling off anywhere about it."""
    rng = np.random.default_rng(seed)
    up = rng.random(count) < 0.5
    lat, lon = rng.uniform(36.5, 41.0, count), rng.uniform(128.5, 133.0, count)
    alt = np.where(up, rng.uniform(5e3, 18e3, count), rng.uniform(36e3, 43e3, count))
    goal = rng.integers(np.where(up, 20, 22), 37) * 1000.0
    rate = np.where(up, 1, -1) * rng.uniform(500, 3000, count)
    begin = rng.uniform(60, 300, count)

    def climb(t: float, alt: Array) -> Array:
        moving = (t >= begin) & (np.abs(goal - alt) > 1) & ((goal - alt) * rate > 0)
        return np.where(moving, np.sign(rate) * np.minimum(abs(rate), abs(goal - alt) * 60), 0.0)

    return fly(
        lat,
        lon,
        rng.uniform(0, 360, count),
        rng.uniform(200, 450, count),
        1800,
        climb=climb,
        alt_ft=alt,
    )


def layer() -> Zones:
    """A restricted area from FL245 to FL335 over the region of :func:`wall`."""
    corners = (Vertex(34, 126), Vertex(34, 136), Vertex(43, 136), Vertex(43, 126))
    limits = {"floor": Limit("FL", 24_500.0), "ceiling": Limit("FL", 33_500.0)}
    return Zones((Zone("LAYER", "Layer", (Ring(corners),), kind="restricted", **limits),))
