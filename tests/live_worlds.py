"""A world that is sent to a watch, and what the batch run finds in it."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
from polars.testing import assert_frame_equal

import adiz
from adiz.run.live.config import read_config
from adiz.run.live.loop import Watch
from adiz.run.live.store import Store
from adiz.zones.geojson_write import write_geojson

# An hour ago: an archive keeps what is recent, and no receiver speaks of the future.
START_US = (int(time.time()) - 3600) * 1_000_000
TRACKS = 12
STEPS = 150
NEAR = {"within_nm": 10.0, "for_s": 60.0}

Point = tuple[int, float, float, float]  # address, seconds, latitude, longitude


def world(seed: int = 7) -> list[Point]:
    """Aircraft that wander over the zones, in order of time."""
    rng = random.Random(seed)
    points = []
    for k in range(TRACKS):
        lat, lon = rng.uniform(10.0, 10.8), rng.uniform(20.0, 20.8)
        seconds, north, east = rng.uniform(0, 9), rng.uniform(-1, 1), rng.uniform(-1, 1)
        for _ in range(STEPS):
            points.append((0x780100 + k, round(seconds, 3), round(lat, 6), round(lon, 6)))
            step = rng.choice([4.0, 5.0, 6.0, 20.0])
            seconds += step
            north, east = north + rng.gauss(0, 0.2), east + rng.gauss(0, 0.2)
            lat, lon = lat + 8e-4 * step * north, lon + 8e-4 * step * east
    return sorted(points, key=lambda p: p[1])


def disordered(points: list[Point], seed: int) -> list[Point]:
    """Up to 3 s out of order, one in ten twice."""
    rng = random.Random(seed)
    doubled = [p for p in points for _ in range(1 + (rng.random() < 0.1))]
    return sorted(doubled, key=lambda p: p[1] + rng.uniform(0, 3.0))


def table(points: list[Point]) -> pl.DataFrame:
    """The world as reports."""
    return pl.DataFrame(
        {
            "time": [START_US + round(s * 1e6) for _, s, _, _ in points],
            "track_id": [f"{a:06x}" for a, _, _, _ in points],
            "lat_deg": [lat for _, _, lat, _ in points],
            "lon_deg": [lon for _, _, _, lon in points],
        }
    ).with_columns(pl.col("time").cast(pl.Datetime("us", "UTC")))


def write_config(folder: Path, *feeds: dict[str, object], lateness_s: int = 5) -> Path:
    """A configuration of these feeds, beside its zones."""
    from tests.property.test_stays_fold import ZONES

    (folder / "zones.geojson").write_text(write_geojson(z for z in ZONES if not z.valid_from))
    path = folder / "watch.toml"
    lines = [
        # A machine that is busy elsewhere makes no feed silent: else its reports come late, and
        # what they change may not be worked in yet when the test ends.
        '[watch]\nzones = "zones.geojson"\ncheckpoint_s = 0.3\nsilent_s = 600',
        f"lateness_s = {lateness_s}\n[encounters]\nwithin_nm = 10\nfor_s = 60",
    ]
    for feed in feeds:
        lines += ["[[feeds]]", *(f"{key} = {json.dumps(value)}" for key, value in feed.items())]
    path.write_text("\n".join(lines) + "\n")
    return path


@contextmanager
def running(path: Path) -> Iterator[Watch]:
    """A watch that runs, and is stopped in the end."""
    watch = Watch(read_config(path))
    thread = threading.Thread(target=watch.run)
    thread.start()
    try:
        yield watch
    finally:
        watch.stop()
        thread.join(60)
        assert not thread.is_alive()


def watched(path: Path, until: Callable[[Watch], bool]) -> tuple[Watch, pl.DataFrame, pl.DataFrame]:
    """Run a watch until something; it, its stays, and its encounters."""
    with running(path) as watch:
        deadline = time.monotonic() + 120
        while not until(watch) and time.monotonic() < deadline:
            time.sleep(0.1)
    assert until(watch), watch.engine.tally()
    store = Store(read_config(path).store, writer=False)
    try:
        return watch, store.stays(), store.encounters()
    finally:
        store.close()


def ended(stays: pl.DataFrame) -> pl.DataFrame:
    """Those that did not end with the recording: of the others a watch still waits for the end."""
    return stays.filter(pl.col("exit_kind") != "vanished")


def same_encounters(found: pl.DataFrame, reports: pl.DataFrame, mark_us: int) -> None:
    """Those that ended so long before the watermark that nothing could still carry them on."""
    over = pl.col("end_time").dt.epoch("us") < mark_us - 240_000_000
    wanted = adiz.find_encounters(reports, **NEAR).drop("source_a", "source_b").filter(over)
    assert len(wanted) > 3
    assert_frame_equal(found.filter(over).select(wanted.columns), wanted)


def zones_of(path: Path) -> adiz.Zones:
    return adiz.zones(str(path.parent / "zones.geojson"))


def archived(path: Path) -> pl.DataFrame:
    return adiz.read(path.parent / "watch" / "archive").table
