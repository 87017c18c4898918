"""The watch as a whole: from a configuration to the store, stopped and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import adiz
from adiz.run.live.config import read_config
from adiz.run.live.loop import Watch
from adiz.run.live.store import Store

CONFIG = """
[watch]
zones = "US-CONUS-2"
checkpoint_s = 0.2
dwell_s = 300

[[feeds]]
name = "capture"
kind = "replay"
paths = "{paths}"
speed = 0
slice_s = 60
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "watch.toml"
    path.write_text(CONFIG.format(paths=adiz.demo_capture()))
    return path


def events_of(path: Path) -> pl.DataFrame:
    store = Store(read_config(path).store, writer=False)
    try:
        return store.events(latest=False).drop("number").sort("event_id", "revision")
    finally:
        store.close()


def stays_of(path: Path) -> pl.DataFrame:
    store = Store(read_config(path).store, writer=False)
    try:
        return store.stays()
    finally:
        store.close()


def test_a_replay_gives_the_stays_of_the_batch_run_and_its_archive_the_reports(config: Path):
    Watch(read_config(config)).run()
    wanted = adiz.find_stays(adiz.demo_capture(), "US-CONUS-2")
    assert_frame_equal(stays_of(config), wanted)
    assert_frame_equal(adiz.find_stays(config.parent / "watch" / "archive", "US-CONUS-2"), wanted)
    kinds = set(events_of(config)["kind"])
    assert {"warning", "entry", "exit", "cross", "dwell", "feed_up", "feed_down"} <= kinds


def test_run_again_after_its_end_it_tells_nothing_more(config: Path) -> None:
    Watch(read_config(config)).run()
    before = events_of(config)
    Watch(read_config(config)).run()
    assert_frame_equal(events_of(config), before)


def run_killed(config: Path, after_s: float) -> int:
    """Run the command and kill it after a while; its status, negative if it was killed."""
    command = [sys.executable, "-m", "adiz", "watch", str(config), "--view", "none"]
    process = subprocess.Popen(command, env={**os.environ, "POLARS_MAX_THREADS": "1"})
    try:
        return process.wait(after_s)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        return process.wait()


def test_killed_at_any_time_it_ends_with_the_events_of_an_undisturbed_run(
    config: Path, tmp_path: Path
) -> None:
    calm = tmp_path / "calm"
    calm.mkdir()
    (calm / "watch.toml").write_text(config.read_text())
    started = time.monotonic()
    assert run_killed(calm / "watch.toml", 300.0) == 0
    whole_s = time.monotonic() - started
    kills = 0
    for k in range(20):
        status = run_killed(config, whole_s * (0.3 + 0.1 * k))
        if status == 0:
            break
        kills += 1
    assert kills
    assert_frame_equal(events_of(config), events_of(calm / "watch.toml"))
    assert_frame_equal(stays_of(config), stays_of(calm / "watch.toml"))
