"""What all feeds have in common: configuration, supervision, clocks; and replay."""

from __future__ import annotations

import random
import re
import threading
import time
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.conftest import ROOT
from tests.feed_servers import Watcher, wait_for, watched

from adiz.errors import FaultyInputError
from adiz.options import REQUIRED
from adiz.sources.feeds import KINDS, Batch, ClockWatch, FeedError, from_table
from adiz.sources.feeds.kinds import options_of
from adiz.sources.feeds.model import make_batch
from adiz.sources.read import read
from adiz.sources.reports import SCHEMA

START = datetime(2024, 5, 31, 12, 0, 0, tzinfo=UTC)


def _batch(*lats: float, position: str | None = None) -> Batch:
    frame = pl.DataFrame(
        {"time": [START] * len(lats), "track_id": "a", "lat_deg": lats, "lon_deg": 1.0}
    )
    return make_batch(frame, "x", 5, position=position)


class _Scripted:
    """A feed whose runs are given as functions."""

    name, kind, replayable = "x", "scripted", False

    def __init__(self, *runs: Any) -> None:
        self.runs = list(runs)
        self.positions: list[str | None] = []

    def run(self, emit: Any, stop: threading.Event, position: str | None) -> None:
        self.positions.append(position)
        if self.runs:
            self.runs.pop(0)(emit)
        else:
            stop.wait()


def _fail(error: BaseException) -> Any:
    def run(emit: Any) -> None:
        raise error

    return run


# ---- configuration -------------------------------------------------------------------------------


def _faults(table: dict[str, Any]) -> list[str]:
    with pytest.raises(FaultyInputError) as raised:
        from_table(table, "watch.toml")
    return [str(f) for f in raised.value.faults]


def test_every_fault_of_a_table_is_told_with_its_remedy() -> None:
    faults = _faults({"name": "a b", "kind": "aircraft", "every_s": -1, "timeout": 3, "headers": 1})
    assert len(faults) == 4
    assert "'a b' cannot be a name (field feeds.a b.name)" in faults[0]
    assert "there is no option 'timeout' here (field feeds.a b.timeout)" in faults[1]
    assert "did you mean 'timeout_s'?" in faults[1]
    assert "-1 is out of range (field feeds.a b.every_s); from 0.05 to 3600" in faults[2]
    assert "write a table" in faults[3]
    assert all(f.startswith("watch.toml: ") for f in faults)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({}, "no kind is given"),
        ({"name": "x", "kind": "aircraft.json"}, "did you mean 'aircraft'?"),
        ({"name": "x", "kind": ["replay"]}, "no kind of feed"),
        ({"name": "x", "kind": "aircraft"}, "either url or path"),
        ({"name": "x", "kind": "aircraft", "url": "ftp://x"}, "is no address (field feeds.x.url)"),
        ({"name": "x", "kind": "aircraft", "url": "http://x:99999/"}, "is no address"),
        ({"name": "x", "kind": "aircraft", "url": "http://x/", "headers": {"a b": "c"}}, "no line"),
        ({"name": "x", "kind": "aircraft", "url": "http://x", "headers": {"a": "\r\n"}}, "no line"),
        ({"name": "x", "kind": "replay"}, "write paths = "),
        ({"name": "x", "kind": "replay", "paths": []}, "it is empty"),
        ({"name": "x", "kind": "replay", "paths": "a", "speed": float("nan")}, "is not what"),
        ({"name": "x", "kind": "replay", "paths": "a", "time_zone": "Mars"}, "is no time zone"),
        ({"name": "x", "kind": "replay", "paths": "a", "site": [1, 2]}, "(field feeds.x.site)"),
        ({"name": "x", "kind": "replay", "paths": "a", "format": "cvs"}, "did you mean 'csv'?"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_is_refused(table: dict[str, Any], said: str) -> None:
    assert said in "\n".join(_faults(table))


@pytest.mark.parametrize("kind", KINDS)
def test_options_are_declared_once(kind: str) -> None:
    names = [option.name for option in options_of(kind)]
    assert len(names) == len(set(names))


def table_of(kind: str) -> str:
    """The options of a kind as the reference page has them."""

    def shown(default: Any) -> str:
        if default is REQUIRED:
            return "needed"
        if default is None:
            return ""
        return f"`{str(default).lower() if isinstance(default, bool) else default}`"

    rows = [
        f"| `{o.name}` | {o.kind} | {shown(o.default)} | {o.meaning} |" for o in options_of(kind)
    ]
    return "\n".join(["| key | value | default | meaning |", "|---|---|---|---|", *rows, ""])


@pytest.mark.parametrize("kind", KINDS)
def test_the_reference_page_has_every_option(kind: str) -> None:
    page = (ROOT / "docs" / "reference" / "watch.md").read_text()
    part = page.split(f"### `{kind}`", 1)[1].split("\n### ", 1)[0].split("\n## ", 1)[0]
    assert table_of(kind) in part


def test_every_example_of_the_guide_is_a_feed() -> None:
    page = (ROOT / "docs" / "how-to" / "feeds.md").read_text()
    tables = [t for block in re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
              for t in tomllib.loads(block)["feeds"]]  # fmt: skip
    assert {from_table(table).kind for table in tables} == set(KINDS)


# ---- supervision ---------------------------------------------------------------------------------


def test_a_feed_that_fails_is_told_down_once_and_tried_again_from_its_position() -> None:
    def good(emit: Any) -> None:
        emit(_batch(1.0, position="7"))
        raise FeedError("cut")

    feed = _Scripted(good, _fail(FeedError("refused")), _fail(FeedError("refused")), good)
    with watched(feed) as watcher:
        wait_for(lambda: len(feed.positions) == 5)
        health = watcher.supervisor.health  # type: ignore[attr-defined]
        assert (health.state, health.reports, health.reason) == ("down", 2, "cut")
    assert watcher.told == [("up",), ("down", "cut"), ("up",), ("down", "cut")]
    assert feed.positions == [None, "7", "7", "7", "7"]


def test_an_error_of_the_program_does_not_end_the_feed() -> None:
    class _PanicError(BaseException):
        pass

    feed = _Scripted(_fail(KeyError("x")), _fail(_PanicError("y")), lambda emit: emit(_batch(1.0)))
    with watched(feed) as watcher:
        wait_for(lambda: ("ended", 5) in watcher.told)
    assert watcher.told[0] == ("down", "an error of the program: KeyError: 'x'")
    assert watcher.told[1:] == [("up",), ("ended", 5)]


def test_the_wait_grows_is_spread_and_starts_anew_after_a_healthy_time() -> None:
    watcher = Watcher()
    supervisor = watcher.supervise(_Scripted(), first_s=1.0, most_s=60.0)
    waits = {}
    for failures in (1, 2, 3, 10, 5000):
        supervisor.health.failures = failures
        waits[failures] = [supervisor._delay_s() for _ in range(200)]
    for failures, middle in ((1, 1.0), (2, 2.0), (3, 4.0), (10, 60.0), (5000, 60.0)):
        assert middle / 2 <= min(waits[failures]) < max(waits[failures]) <= middle * 1.5
        assert len(set(waits[failures])) > 100

    def healthy(emit: Any) -> None:
        emit(_batch())
        time.sleep(0.3)
        raise FeedError("cut")

    refused = _fail(FeedError("refused"))
    feed = _Scripted(refused, refused, refused, healthy, healthy)
    with watched(feed, healthy_s=0.2) as watcher:
        wait_for(lambda: len(feed.positions) == 6)
        assert watcher.supervisor.health.failures == 1  # type: ignore[attr-defined]


def test_nothing_but_rejections_is_not_up() -> None:
    feed = _Scripted(lambda emit: emit(make_batch(None, "x", 1, rejected={"bad": 3})))
    with watched(feed) as watcher:
        wait_for(lambda: watcher.told)
    assert watcher.told == [("ended", 1)]
    assert watcher.rejected == {"bad": 3}


# ---- clocks --------------------------------------------------------------------------------------


def _watch(offset_s: float, *, minutes: int = 5, late: float = 0.0) -> ClockWatch:
    watch, source = ClockWatch(), random.Random(1)
    for second in range(minutes * 60):
        delay_s = offset_s + source.uniform(0.1, 0.4)
        if source.random() < late:
            delay_s += source.choice((500.0, -500.0))
        watch.observe(10**15 + second * 10**6, 10**15 + second * 10**6 - round(delay_s * 1e6))
    return watch


@pytest.mark.parametrize(
    ("offset_s", "verdict", "said"),
    [
        (0.0, "right", "right to 5 s"),
        (60.0, "behind", "60.1 s old"),
        (-60.0, "ahead", "59.9 s ahead"),
        (32_400.0, "behind", "9.00 h old when they arrive, or its clock is behind; is its time_"),
    ],
)  # fmt: skip
def test_a_clock_that_is_off_is_told(offset_s: float, verdict: str, said: str) -> None:
    watch = _watch(offset_s)
    assert watch.verdict == verdict
    assert said in watch.sentence()
    assert watch.delay_s == pytest.approx(offset_s + 0.1, abs=0.1)


def test_a_few_wrong_reports_do_not_move_the_clock() -> None:
    assert _watch(0.0, late=0.02).verdict == "right"
    assert ClockWatch().verdict == "unknown"


def test_a_clock_that_is_set_right_is_believed_in_time() -> None:
    watch = ClockWatch()
    for second in range(1200):
        offset_us = 0 if second > 600 else 7_200_000_000
        watch.observe(10**15 + second * 10**6, 10**15 + second * 10**6 - offset_us - 200_000)
    assert watch.verdict == "right"


# ---- replay --------------------------------------------------------------------------------------


def _world(path: Path, reports: int = 400) -> pl.DataFrame:
    source = random.Random(2)
    times = [
        START + timedelta(seconds=source.choice((0.0, 0.5, 1.0)) * n / 3) for n in range(reports)
    ]
    table = pl.DataFrame(
        {
            "time": times,
            "track_id": [source.choice("abc") for _ in times],
            "lat_deg": [source.uniform(-91, 90) for _ in times],
            "lon_deg": [source.uniform(-180, 180) for _ in times],
        }
    )
    table.write_parquet(path)
    return table


def _play(table: dict[str, Any], position: str | None = None, most: int = 0) -> list[Batch]:
    feed = from_table({"name": "again", "kind": "replay", **table})
    assert feed.replayable
    stop, batches = threading.Event(), []

    def emit(batch: Batch) -> None:
        batches.append(batch)
        if len(batches) == most:
            stop.set()

    feed.run(emit, stop, position)
    return batches


def test_a_replay_gives_every_report_in_order_and_its_rejections_once(tmp_path: Path) -> None:
    _world(tmp_path / "world.parquet")
    table = {"paths": str(tmp_path), "speed": 0, "slice_s": 2.0}
    batches = _play(table)
    whole = read(tmp_path)
    got = pl.concat([b.reports for b in batches])
    assert dict(got.schema) == SCHEMA
    expected = whole.table.sort("time", "track_id", maintain_order=True)
    assert_frame_equal(got.drop("source"), expected.drop("source"))
    assert got["source"].unique().to_list() == ["again"]
    assert batches[0].rejected == whole.rejected_counts != {}
    assert not any(b.rejected for b in batches[1:])
    for batch in batches:
        times = batch.reports["time"].to_physical()
        assert batch.received_us % 2_000_000 == 0
        assert batch.received_us - 2_000_000 <= times.min() <= times.max() < batch.received_us


def test_a_replay_goes_on_where_it_was(tmp_path: Path) -> None:
    _world(tmp_path / "world.parquet")
    table = {"paths": str(tmp_path), "speed": 0}
    whole = _play(table)
    for most in (1, 7, len(whole) - 1):
        first = _play(table, most=most)
        rest = _play(table, first[-1].position)
        assert len(first) == most
        for ours, other in zip(first + rest, whole, strict=True):
            assert_frame_equal(ours.reports, other.reports)
            assert ours[1:] == other[1:]


def test_a_replay_with_nothing_left_ends_when_it_ended(tmp_path: Path) -> None:
    """Stopped between its last batch and its end, it must not end at another time."""
    _world(tmp_path / "world.parquet")
    table = {"paths": str(tmp_path), "speed": 0}
    *_, last = _play(table)
    (again,) = _play(table, last.position)
    assert again.reports.is_empty()
    assert again[1:] == last[1:]


def test_a_replay_of_changed_files_is_refused(tmp_path: Path) -> None:
    _world(tmp_path / "world.parquet")
    first = _play({"paths": str(tmp_path), "speed": 0}, most=3)
    _world(tmp_path / "world.parquet", 500)
    with pytest.raises(FeedError, match="the files have changed"):
        _play({"paths": str(tmp_path), "speed": 0}, first[-1].position)
    with pytest.raises(FeedError, match="no such file"):
        _play({"paths": str(tmp_path / "absent")})


def test_a_very_full_slice_is_several_batches(tmp_path: Path) -> None:
    rows = 120_000
    pl.DataFrame({"time": [START], "track_id": ["a"], "lat_deg": [1.0], "lon_deg": [2.0]}).select(
        pl.all().repeat_by(rows).explode()
    ).write_parquet(tmp_path / "x.parquet")
    heights = [b.reports.height for b in _play({"paths": str(tmp_path), "speed": 0})]
    assert heights == [50_000, 50_000, 20_000]


def test_speed_paces_a_replay_and_stopping_is_prompt(tmp_path: Path) -> None:
    _world(tmp_path / "world.parquet")
    began_s = time.monotonic()
    batches = _play({"paths": str(tmp_path), "speed": 10.0}, most=10)
    slices = (batches[-1].received_us - batches[0].received_us) / 1e6 + 1
    assert slices / 10 - 0.1 < time.monotonic() - began_s < slices / 10 + 3.0
    feed = from_table({"name": "x", "kind": "replay", "paths": str(tmp_path), "speed": 0.01})
    with watched(feed):
        time.sleep(0.2)
