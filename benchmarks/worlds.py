"""Seeded air traffic and zones for the benchmarks.

A world is a Parquet dataset of reports (time, track_id, lat_deg, lon_deg, alt_baro_ft) over the
East China Sea and its neighbours. A flight starts somewhere in the region and heads for another
place in it at 200 to 480 kt along a great circle, with turns; one in eight flies orbits for a
while. It reports every 1 to 5 s (its own interval, ±20 %), misses some seconds now and then (legs
of 10 to 110 s), and one in six vanishes for 130 to 900 s, longer than a leg may be. The ``sparse``
world reports every 12 to 60 s, as saved snapshots of a receiver or a satellite do. One id is one
flight. Positions are rounded to 1e-6 degree, altitudes to 25 ft; one flight in fifty reports none.

The same name always gives the same bytes for the same versions of numpy and polars.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

SEED = 20190723
START_US = int(datetime(2019, 7, 20, tzinfo=UTC).timestamp()) * 1_000_000
DAY_US = 86_400_000_000
REPORTS_A_DAY = 2_000_000
REGION_DEG = (21.0, 41.0, 114.0, 136.0)  # south, north, west, east
EARTH_M = 6_371_008.8
KNOT_MPS = 1852 / 3600
SPARSE = 12
LAW_ZONES = ("KADIZ-2013", "CHN-ECS-ADIZ", "TWN-ADIZ")


def _unit(lat_deg: np.ndarray, lon_deg: np.ndarray) -> np.ndarray:
    lat, lon = np.radians(lat_deg), np.radians(lon_deg)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def _plan(rows: int, order: str) -> dict[str, np.ndarray]:
    """Draw each flight's parameters: just so many that their reports add up to ``rows``."""
    rng = np.random.default_rng(SEED)
    thin = SPARSE if order == "sparse" else 1
    count = rows * thin // 200 + 50
    south, north, west, east = REGION_DEG
    origin, target = (
        _unit(rng.uniform(south, north, count), rng.uniform(west, east, count)) for _ in range(2)
    )
    speed_mps = rng.uniform(200, 480, count) * KNOT_MPS
    interval_s = rng.uniform(1, 5, count) * thin
    distance_m = EARTH_M * np.arccos(np.clip((origin * target).sum(0), -1, 1))
    reports = (np.clip(distance_m / speed_mps, 1200, 10800) / interval_s).astype(np.int64)
    total = np.cumsum(reports)
    flights = int(np.searchsorted(total, rows)) + 1
    reports[flights - 1] -= total[flights - 1] - rows
    plan = {
        "reports": reports,
        "speed_mps": speed_mps,
        "interval_s": interval_s,
        "start_us": START_US + np.sort(rng.integers(0, days_of(rows * thin) * DAY_US, flights)),
        "icao24": rng.choice(1 << 24, flights, replace=False),
        "level_ft": rng.integers(5, 41, count) * 1000.0,
        "orbits": rng.random(count) < 1 / 8,
        "lost": rng.random(count) < 1 / 6,
        "silent": rng.random(count) < 1 / 50,
        "origin": origin.T,
        "target": target.T,
    }
    return {key: value[:flights] for key, value in plan.items()}


def _turns(rng: np.random.Generator, plan: dict[str, np.ndarray], steps: int) -> np.ndarray:
    """Rate of turn (rad/s) of each flight at each step, shape (steps, flights)."""
    rate = np.zeros((steps, len(plan["reports"])))
    for f, (reports, interval) in enumerate(zip(plan["reports"], plan["interval_s"], strict=True)):
        for _ in range(rng.poisson(4)):
            at, angle, turn = rng.integers(reports), rng.normal(0, 0.7), rng.uniform(0.01, 0.05)
            rate[at : at + int(abs(angle) / turn / interval) + 1, f] = math.copysign(turn, angle)
        if plan["orbits"][f]:
            at, turn = rng.integers(reports), rng.uniform(0.014, 0.05) * rng.choice([-1, 1])
            rate[at : at + int(rng.uniform(600, 3000) / interval), f] = turn
    return rate


def _fly(plan: dict[str, np.ndarray], day: int) -> pl.DataFrame:
    """The reports of some flights by track and time: great circles on a sphere, bent by turns."""
    order = np.argsort(-plan["reports"], kind="stable")  # the flights still up come first
    plan = {key: value[order] for key, value in plan.items()}
    rng = np.random.default_rng([SEED, day])
    reports = plan["reports"]
    steps, flights = int(reports[0]), len(reports)
    after_s = plan["interval_s"] * rng.uniform(0.8, 1.2, (steps, flights))
    missed = rng.random((steps, flights)) < 1 / 400
    after_s[missed] = rng.uniform(10, 110, missed.sum())
    lost = np.flatnonzero(plan["lost"])
    after_s[rng.integers(reports[lost]), lost] = rng.uniform(130, 900, len(lost))
    after_s[0] = 0
    arc = after_s * plan["speed_mps"] / EARTH_M
    turn = _turns(rng, plan, steps) * after_s

    here, target = plan["origin"].T, plan["target"].T
    ahead = target - here * (here * target).sum(0)
    ahead /= np.linalg.norm(ahead, axis=0)
    lat, lon = np.empty((steps, flights)), np.empty((steps, flights))
    for k, up in enumerate(np.searchsorted(-reports, -np.arange(steps))):
        p, t = here[:, :up], ahead[:, :up]
        c, s = np.cos(arc[k, :up]), np.sin(arc[k, :up])
        here, t = p * c + t * s, t * c - p * s
        left = np.cross(here, t, axis=0)
        ahead = t * np.cos(turn[k, :up]) + left * np.sin(turn[k, :up])
        lat[k, :up] = np.arcsin(np.clip(here[2], -1, 1))
        lon[k, :up] = np.arctan2(here[1], here[0])

    flown_s = np.cumsum(after_s, axis=0)
    left_s = flown_s[reports - 1, np.arange(flights)] - flown_s
    alt_ft = np.minimum(np.minimum(flown_s, left_s) * 30 + 1000, plan["level_ft"])
    alt_ft[:, plan["silent"]] = np.nan
    time_us = plan["start_us"] + (flown_s * 1000).round().astype(np.int64) * 1000
    made = np.arange(steps) < reports[:, None]
    ids = pl.Series([f"{i:06x}" for i in plan["icao24"]])
    return pl.DataFrame(
        {
            "time": pl.Series(time_us.T[made]).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
            "track_id": ids.gather(np.nonzero(made)[0]),
            "lat_deg": np.degrees(lat.T[made]).round(6),
            "lon_deg": np.degrees(lon.T[made]).round(6),
            "alt_baro_ft": pl.Series((alt_ft.T[made] / 25).round() * 25).fill_nan(None),
        }
    ).sort("track_id", "time")


def days_of(rows: int) -> int:
    """How many days the traffic of a world lasts."""
    return math.ceil(rows / REPORTS_A_DAY)


def _flights_by_day(rows: int, order: str) -> Iterator[pl.DataFrame]:
    plan = _plan(rows, order)
    if order != "days":
        plan["icao24"].sort()  # day after day is then track after track
    day_of = (plan["start_us"] - START_US) // DAY_US
    for day in np.unique(day_of):
        yield _fly({key: value[day_of == day] for key, value in plan.items()}, int(day))


def _write_days(rows: int, folder: Path) -> None:
    """One file a UTC day, each sorted by track; a flight over midnight is in two files."""
    over: list[pl.DataFrame] = []
    last = days_of(rows) - 1
    for day, flights in enumerate(_flights_by_day(rows, "days")):
        midnight = datetime.fromtimestamp((START_US + (day + 1) * DAY_US) / 1e6, UTC)
        reports = pl.concat([*over, flights]).sort("track_id", "time")
        today = reports if day == last else reports.filter(pl.col("time") < midnight)
        over = [] if day == last else [reports.filter(pl.col("time") >= midnight)]
        today.write_parquet(folder / f"day-{day:03d}.parquet", compression="snappy")


def make_reports(rows: int, order: str, folder: Path) -> None:
    """Write a world, unless it is there.

    Args:
        rows: how many reports, exactly.
        order: ``track`` or ``time`` (one file sorted so), ``days`` (one file a day, each by
            track) or ``sparse`` (one file by track, fewer reports a flight).
        folder: where its ``*.parquet`` go.
    """
    if folder.exists():
        return
    draft = folder.with_name(folder.name + ".draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    if order == "days":
        _write_days(rows, draft)
    else:
        for part, flights in enumerate(_flights_by_day(rows, order)):
            flights.write_parquet(draft / f"{part:03d}.part")
        world = pl.scan_parquet(draft / "*.part")
        if order == "time":
            world = world.sort("time", "track_id")
        world.sink_parquet(draft / "reports.parquet", compression="snappy", maintain_order=True)
        for path in draft.glob("*.part"):
            path.unlink()
    draft.rename(folder)


def _circle(lat_deg: float, lon_deg: float, radius_m: float, bearings: np.ndarray) -> np.ndarray:
    """Points at a distance (one or one each) from a place on a sphere; (n, 2) of lon, lat."""
    lat, arc = math.radians(lat_deg), np.asarray(radius_m) / EARTH_M
    lat2 = np.arcsin(math.sin(lat) * np.cos(arc) + math.cos(lat) * np.sin(arc) * np.cos(bearings))
    east = np.arctan2(
        np.sin(bearings) * np.sin(arc) * math.cos(lat),
        np.cos(arc) - math.sin(lat) * np.sin(lat2),
    )
    return np.stack([lon_deg + np.degrees(east), np.degrees(lat2)], axis=1).round(6)


def make_zones(count: int, law: bool, days: int) -> dict[str, Any]:
    """A GeoJSON collection: the three catalogue zones and, up to ``count``, seeded ones.

    Half of the seeded zones are circles (as 72 corners), half are star-shaped polygons of 5 to 12
    corners, 10 to 150 km in radius. ``law`` False: planar edges, no floor, ceiling or validity.
    True: the same corners with geodesic edges; every second seeded zone has a floor and a ceiling,
    every fourth begins or ends its validity within the days of the traffic.
    """
    import adiz

    rng = np.random.default_rng(SEED + 1)
    edge = "geodesic" if law else "planar"
    features = []
    for zone in adiz.zones(",".join(LAW_ZONES)):
        corners = [[part.lon_deg, part.lat_deg] for part in zone.rings[0].parts]
        features.append(_feature(zone.zone_id, corners, {"edge": edge}))
    south, north, west, east = REGION_DEG
    while len(features) < count:
        n = len(features)
        lat, lon = rng.uniform(south, north), rng.uniform(west, east)
        radius_m = rng.uniform(10_000, 150_000)
        corners = 72 if n % 2 else int(rng.integers(5, 13))
        bearings = -np.linspace(0, 2 * math.pi, corners, endpoint=False)
        radii = np.full(corners, radius_m) * (1 if n % 2 else rng.uniform(0.4, 1, corners))
        hour, floor_ft = int(rng.integers(days * 24)), int(rng.integers(2, 20)) * 1000
        terms: dict[str, Any] = {"edge": edge}
        if law and n // 2 % 2:
            terms |= {"lower": f"{floor_ft} ft AMSL", "upper": f"FL{floor_ft // 100 + 150:03d}"}
        if law and n % 4 == 0:
            moment = datetime.fromtimestamp(START_US / 1e6 + hour * 3600, UTC)
            key = "valid_from" if n % 8 else "valid_to"
            terms[key] = moment.strftime("%Y-%m-%dT%H:%MZ")
        features.append(_feature(f"Z{n:03d}", _circle(lat, lon, radii, bearings).tolist(), terms))
    return {"type": "FeatureCollection", "features": features}


def _feature(zone_id: str, corners: list[list[float]], terms: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"id": zone_id, "name": zone_id, "kind": "adiz"} | terms,
        "geometry": {"type": "Polygon", "coordinates": [[*corners, corners[0]]]},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the benchmarks' data.")
    parser.add_argument("--reports", nargs=3, action="append", default=[],
                        metavar=("ROWS", "ORDER", "FOLDER"))  # fmt: skip
    parser.add_argument("--zones", nargs=4, action="append", default=[],
                        metavar=("COUNT", "planar|law", "ROWS", "FILE"))  # fmt: skip
    args = parser.parse_args()
    for rows, order, folder in args.reports:
        make_reports(int(rows), order, Path(folder))
    for count, kind, rows, file in args.zones:
        zones = make_zones(int(count), kind == "law", days_of(int(rows)))
        Path(file).write_text(json.dumps(zones))


if __name__ == "__main__":
    main()
