"""More comes than can be worked in: the screen stands still; no event is lost."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.property.test_stays_fold import square

from adiz.run.live.config import read_config
from adiz.run.live.loop import Watch
from adiz.run.live.said import Said
from adiz.run.live.status import Scenes
from adiz.sources.feeds.model import Batch
from adiz.sources.reports import as_declared
from adiz.zones.geojson_write import write_geojson
from adiz.zones.model import Zones

BATCHES, TRACKS = 700, 12
CONFIG = """
[watch]
zones = "zones.geojson"
lateness_s = 0

[[feeds]]
name = "roof"
kind = "aircraft"
path = "is-not-there.json"
"""


def made(folder: Path) -> Watch:
    folder.mkdir()
    zones = Zones((square("BOX", 10.0, 20.0, 1.0, kind="adiz"),))
    (folder / "zones.geojson").write_text(write_geojson(zones))
    (folder / "watch.toml").write_text(CONFIG)
    return Watch(read_config(folder / "watch.toml"))


def batches() -> list[Said]:
    """A second each, up to now: tracks that fly to and fro over the edge of a zone."""
    start = datetime.now(UTC) - timedelta(seconds=BATCHES)
    said = []
    for second in range(BATCHES):
        rows: list[dict[str, Any]] = []
        for n in range(TRACKS):
            swing = (second + 37 * n) % 240
            away = min(swing, 240 - swing) / 120
            rows.append(
                {
                    "time": start + timedelta(seconds=second, milliseconds=n),
                    "track_id": f"{n:06x}",
                    "lat_deg": 10.05 + n / 20,
                    "lon_deg": 19.8 + 0.4 * away,
                    "alt_baro_ft": 30_000.0,
                    "squawk": "7700" if (n, second) == (3, 400) else "1000",
                }
            )
        at_us = int((start + timedelta(seconds=second)).timestamp() * 1e6)
        reports = as_declared(pl.DataFrame(rows), "roof")
        said.append(Said("reports", "roof", at_us, Batch(reports, at_us, None, {})))
    return said


def events(watch: Watch) -> list[tuple[object, ...]]:
    found = watch.store.events(latest=False).filter(~pl.col("kind").str.starts_with("feed"))
    columns = ("event_id", "revision", "kind", "time_us", "withdrawn", "text")
    return sorted(found.select(columns).rows())


def test_what_is_too_much_sheds_the_display_and_no_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = batches()
    calm = made(tmp_path / "calm")
    for one in given:
        calm._take(one)
    wanted = events(calm)
    calm._close()
    assert {"entry", "exit", "warning", "squawk_7700"} <= {str(row[2]) for row in wanted}
    assert len(wanted) > 60

    watch = made(tmp_path / "busy")
    scenes = Scenes(watch)
    step = watch.engine.step
    depths: list[int] = []
    watch.on_turn.append(lambda: depths.append(watch.backlog[0]))

    def slowly(record: Any) -> Any:
        time.sleep(0.1)
        return step(record)

    monkeypatch.setattr(watch.engine, "step", slowly)
    monkeypatch.setattr("adiz.run.live.said.MOST_ROWS", 30 * TRACKS)
    looking = threading.Event()

    def look() -> None:
        while not looking.is_set():
            scenes.next(0.1)

    def put() -> None:
        for one in given:
            watch._put(one)
        until_s = time.monotonic() + 60
        while watch.figures.reports < BATCHES * TRACKS and time.monotonic() < until_s:
            time.sleep(0.02)
        watch.stop()

    helpers = [threading.Thread(target=run) for run in (put, look)]
    found: list[tuple[object, ...]] = []
    closing = watch._close
    monkeypatch.setattr(watch, "_close", lambda: (found.extend(events(watch)), closing()))
    for helper in helpers:
        helper.start()
    watch.run()
    looking.set()
    for helper in helpers:
        helper.join()
    assert watch.figures.reports == BATCHES * TRACKS
    assert watch.figures.records < BATCHES / 2  # many batches were worked in as one
    assert watch.backlog[1] // 2 < max(depths) <= watch.backlog[1]
    assert scenes.shed > 0
    assert scenes.error is None
    assert found == wanted


def test_a_stop_takes_in_what_has_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = batches()[:100]
    watch = made(tmp_path / "stopped")
    step = watch.engine.step

    def stop_at_once(record: Any) -> Any:
        watch.stop()
        return step(record)

    monkeypatch.setattr(watch.engine, "step", stop_at_once)
    monkeypatch.setattr("adiz.run.live.said.MOST_ROWS", TRACKS)
    for one in given:
        watch._put(one)
    watch.run()
    assert watch.figures.reports == len(given) * TRACKS
    assert watch.states.find(watch._state_names[-1])  # and it is in the checkpoint
