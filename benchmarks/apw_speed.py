"""What the warnings cost: 20,000 aircraft at 1 Hz among 200 zones, on one core.

    python benchmarks/apw_speed.py [--aircraft N] [--zones N] [--seconds N]

The aircraft fly over the region of ``worlds.py`` among its seeded zones (geodesic edges, half of
them with floors and ceilings, some with validity), whose kinds are dealt out in turn; one in ten
turns for half a minute in five. A step is one second of traffic. Figures are processor seconds a
step, once every aircraft has been heard for half a minute.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
from pyproj import Geod

import adiz
from adiz.detect.index import build_index
from adiz.detect.warnings import WarningsFold, WarningsParams
from adiz.zones.model import Zone, Zones
from worlds import REGION_DEG, make_zones

GEOD = Geod(ellps="WGS84")
KINDS = ("adiz", "territorial", "fir", "restricted", "danger")
BEGIN_US = int(datetime(2019, 7, 20, 3, tzinfo=UTC).timestamp()) * 1_000_000


def zones_of(count: int, kinds: tuple[str, ...] = KINDS) -> Zones:
    """The seeded zones, their kinds dealt out in turn."""
    from dataclasses import replace

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "zones.geojson")
        path.write_text(json.dumps(make_zones(count, law=True, days=1)))
        made = list(adiz.zones(str(path)))
    dealt: list[Zone] = [replace(z, kind=kinds[i % len(kinds)]) for i, z in enumerate(made)]
    return Zones(tuple(dealt))


def traffic(aircraft: int, seconds: int, noise_deg: float, seed: int = 1) -> Iterator[pl.DataFrame]:
    """One table a second."""
    rng = np.random.default_rng(seed)
    south, north, west, east = REGION_DEG
    lat, lon = rng.uniform(south, north, aircraft), rng.uniform(west, east, aircraft)
    course, speed = rng.uniform(0, 360, aircraft), rng.uniform(180, 500, aircraft)
    alt, climb = rng.uniform(2e3, 41e3, aircraft), rng.choice([0, 0, 0, 1500, -1500], aircraft)
    turner = rng.random(aircraft) < 0.1
    begin = rng.integers(0, 150, aircraft)
    names = pl.Series([f"{i:06x}" for i in rng.choice(1 << 24, aircraft, replace=False)])
    for s in range(seconds):
        turning = turner & ((s + begin) % 150 < 30)
        course = (course + np.where(turning, 1.0, 0.0)) % 360
        lon, lat, back = GEOD.fwd(lon, lat, course, speed * 1852 / 3600)
        course = (np.asarray(back) + 180) % 360
        lon, lat = np.asarray(lon), np.asarray(lat)
        alt = np.clip(alt + climb / 60, 500, 45_000)
        shown = np.round((course + rng.normal(0, noise_deg, aircraft)) % 360, 1)
        yield pl.DataFrame(
            {
                "time": pl.Series(BEGIN_US + s * 1_000_000 + rng.integers(0, 999_000, aircraft))
                .cast(pl.Datetime("us"))
                .dt.replace_time_zone("UTC"),
                "track_id": names,
                "lat_deg": lat,
                "lon_deg": lon,
                "alt_baro_ft": np.round(alt / 25) * 25,
                "gs_kt": np.round(speed),
                "track_true_deg": shown,
                "vrate_fpm": climb.astype(float),
                "on_ground": np.zeros(aircraft, bool),
            }
        )


def measure(
    aircraft: int, zones: Zones, seconds: int, noise_deg: float, settle: int = 30
) -> dict[str, float]:
    """Processor seconds a step: median, 99th percentile and mean after ``settle`` seconds."""
    index = build_index(zones)
    fold = WarningsFold(zones, WarningsParams(), index=index)
    spent, raised = [], 0
    before: dict[str, int] = {}
    for s, reports in enumerate(traffic(aircraft, seconds, noise_deg)):
        if s == settle:
            before = fold.counts
        begin = time.process_time()
        changes = fold.step(reports)
        spent.append(time.process_time() - begin)
        raised += changes.filter(change="raised").height
    steady, after = np.array(spent[settle:]), fold.counts
    begin = time.process_time()
    state = fold.save()
    saved = time.process_time() - begin
    return {
        "median_s": float(np.median(steady)),
        "p99_s": float(np.quantile(steady, 0.99)),
        "mean_s": float(steady.mean()),
        "first_s": spent[0],
        "updates": (after["updates"] - before["updates"]) / len(steady),
        "solved": (after["solved"] - before["solved"]) / len(steady),
        "standing": float(fold.under_way().height),
        "changes": raised,
        "state_mb": len(state) / 1e6,
        "save_s": saved,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Processor time of the warnings.")
    parser.add_argument("--aircraft", type=int, default=20_000)
    parser.add_argument("--zones", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=90)
    args = parser.parse_args()
    for kinds in (KINDS, ("adiz",)):
        for noise_deg in (0.2, 1.0):
            found = measure(args.aircraft, zones_of(args.zones, kinds), args.seconds, noise_deg)
            print("+".join(kinds), noise_deg, {k: round(v, 4) for k, v in found.items()})


if __name__ == "__main__":
    main()
