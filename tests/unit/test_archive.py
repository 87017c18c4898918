"""The archive: by day, readable by all, and what it holds wherever the watch was stopped."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from tests.report_rows import SCHEMA, START_US, reports

import adiz
from adiz.errors import AdizError
from adiz.run.live import archive as module
from adiz.run.live.archive import Archive

DAY_US = 86_400_000_000


def parts(folder: Path) -> list[str]:
    return sorted(f"{p.parent.name}/{p.name}" for p in folder.rglob("*") if p.is_file())


def ordered(*tables: pl.DataFrame) -> pl.DataFrame:
    return pl.concat(tables).sort("track_id", "time", maintain_order=True)


def test_reports_are_read_with_what_is_not_yet_written(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    first, second, third = reports(50), reports(50, start=50), reports(50, start=100)
    archive.append(first, START_US)
    archive.flush()
    archive.append(second, START_US)
    archive.settle(1, 0, START_US)
    archive.flush()
    archive.append(third, START_US)
    assert_frame_equal(archive.read(), ordered(first, second, third))
    some = archive.read(["track-1", "none"], START_US + 20_000_000, START_US + 120_000_000)
    wanted = ordered(first, second, third).filter(
        pl.col("track_id") == "track-1",
        pl.col("time").dt.epoch("us").is_between(START_US + 20_000_000, START_US + 119_999_999),
    )
    assert len(some) == 14
    assert_frame_equal(some, wanted)
    assert archive.read([], 0, 1).schema == SCHEMA
    archive.close()


def test_a_part_lies_in_the_day_of_its_reports(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    table = reports(4, step_us=DAY_US // 2)
    archive.append(table, START_US + DAY_US)
    archive.flush()
    days = [name.split("/")[0] for name in parts(tmp_path)]
    assert days == ["2026-09-21", "2026-09-22", "2026-09-23"]
    assert_frame_equal(archive.read(from_us=START_US + 1), ordered(table[1:]))


def test_other_programs_read_the_folder(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.append(reports(500), START_US)
    archive.flush()
    read = adiz.read(tmp_path)
    assert read.rejected.is_empty()
    table = read.table.sort("track_id", "time", maintain_order=True)
    assert_frame_equal(table.drop("flags"), archive.read().drop("flags"))
    assert adiz.find_stays(tmp_path, adiz.zones("KADIZ")).columns


def test_what_is_too_old_or_ahead_is_left_out_and_counted(tmp_path: Path) -> None:
    archive = Archive(tmp_path, keep_days=2)
    archive.append(reports(5, step_us=DAY_US), START_US + DAY_US)
    assert archive.outside == 2  # two and three days ahead
    archive.append(reports(5, step_us=-DAY_US), START_US)
    assert archive.outside == 4
    assert len(archive.read()) == 6


def test_days_too_old_are_removed(tmp_path: Path) -> None:
    archive = Archive(tmp_path, keep_days=1)
    archive.append(reports(2, step_us=DAY_US), START_US + DAY_US)
    archive.flush()
    (tmp_path / "notes").mkdir()
    archive.settle(1, 0, START_US + 2 * DAY_US)
    archive.close()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["2026-09-22", "notes"]


def test_covered_parts_are_joined(tmp_path: Path) -> None:
    archive, tables = Archive(tmp_path), []
    for number in range(1, 20):
        tables.append(reports(10, start=10 * number))
        archive.append(tables[-1], START_US)
        archive.flush()
        archive.settle(number, number - 1, START_US)
        archive.close()
    assert len(parts(tmp_path)) == 4
    archive.settle(20, 19, START_US + DAY_US)  # the day is over
    archive.close()
    assert parts(tmp_path) == [
        "2026-09-21/reports-0000000001.000-0000000019.000.parquet",
    ]
    assert_frame_equal(archive.read(), ordered(*tables))
    assert_frame_equal(Archive(tmp_path, number=20).read(), ordered(*tables))


@pytest.mark.parametrize("fails", [False, True])
def test_much_is_joined_by_a_process_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    """Where that process cannot do it, the watch does."""
    monkeypatch.setattr(module, "APART_BYTES", 1)
    started = []

    def start(draft: Path, paths: list[Path]) -> subprocess.Popen[bytes]:
        started.append(joining_start(draft, paths))
        if fails:
            started[-1].kill()
        return started[-1]

    joining_start = module.joining.start
    monkeypatch.setattr(module.joining, "start", start)
    tables = [reports(40, start=40 * n) for n in range(module.JOIN_PARTS)]
    archive = Archive(tmp_path)
    for table in tables:
        archive.append(table, START_US)
        archive.flush()
    archive.settle(1, 1, START_US)
    assert archive._joining is not None
    archive._joining.join()
    archive.close()
    assert len(started) == 1
    assert (started[0].returncode != 0) == fails
    assert len(parts(tmp_path)) == 1
    assert_frame_equal(Archive(tmp_path, number=1).read(), ordered(*tables))


def test_a_joining_does_not_hold_up_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "APART_BYTES", 1)
    monkeypatch.setattr(module.joining, "start", lambda *_: subprocess.Popen(["sleep", "60"]))
    archive = Archive(tmp_path)
    for n in range(module.JOIN_PARTS):
        archive.append(reports(40, start=40 * n), START_US)
        archive.flush()
    archive.settle(1, 1, START_US)
    began_s = time.monotonic()
    archive.close()
    assert time.monotonic() - began_s < 10
    assert len(parts(tmp_path)) == module.JOIN_PARTS


def test_full_parts_are_not_joined_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FULL_BYTES", 10_000)
    archive = Archive(tmp_path)
    for number in range(1, 60):
        archive.append(reports(20, start=20 * number), START_US)
        archive.flush()
        archive.settle(number, number - 1, START_US)
        archive.close()
    sizes = [p.stat().st_size for p in tmp_path.rglob("*.parquet")]
    assert 5 < len(sizes) < 30
    assert max(sizes) < 20_000
    assert len(archive.read()) == 59 * 20


def test_a_stop_while_joining_leaves_nothing_twice(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "a")
    for number in (1, 2, 3):
        archive.append(reports(10, start=10 * number), START_US)
        archive.flush()
        archive.settle(number, 0, START_US)
    archive.close()
    shutil.copytree(tmp_path / "a", tmp_path / "before")
    archive.settle(3, 3, START_US + DAY_US)
    archive.close()
    shutil.copytree(tmp_path / "before", tmp_path / "a", dirs_exist_ok=True)
    (tmp_path / "a" / "2026-09-21" / ".reports-half").write_bytes(b"PAR1")
    assert len(parts(tmp_path / "a")) == 5
    again = Archive(tmp_path / "a", number=3)
    assert len(parts(tmp_path / "a")) == 1
    assert_frame_equal(again.read(), archive.read())


def test_the_archive_of_a_watch_that_has_come_further_is_left_alone(tmp_path: Path) -> None:
    archive = Archive(tmp_path, number=6)
    archive.append(reports(10), START_US)
    archive.flush()
    with pytest.raises(AdizError, match="come further"):
        Archive(tmp_path)
    assert len(parts(tmp_path)) == 1


def test_what_came_after_a_checkpoint_that_failed_belongs_to_the_next(tmp_path: Path) -> None:
    archive = Archive(tmp_path, spill_rows=1)
    for number in range(3):
        archive.append(reports(10), START_US)
        archive.flush()
        archive.advance(1)
        archive.append(reports(10), START_US)
        archive.flush()
        archive.retreat()
        assert len(parts(tmp_path)) == 2 * (number + 1)
    archive.settle(1, 0, START_US)
    archive.close()
    assert len(Archive(tmp_path, number=1).read()) == 60
    assert Archive(tmp_path).read().is_empty()


def test_a_disk_that_fails_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = Archive(tmp_path, spill_rows=20)
    table = reports(30, step_us=DAY_US // 10)
    failing = [True]
    real = module.os.fsync

    def fsync(file: int) -> None:
        if failing[0] and len(parts(tmp_path)) > 1:
            raise OSError(28, "No space left on device")
        real(file)

    monkeypatch.setattr(module.os, "fsync", fsync)
    with pytest.raises(OSError, match="No space"):
        archive.append(table, START_US + 2 * DAY_US)
    assert_frame_equal(archive.read(), ordered(table))
    failing[0] = False
    archive.flush()
    assert_frame_equal(archive.read(), ordered(table))
    assert_frame_equal(Archive(tmp_path, number=1).read(), ordered(table))


@given(st.data())
def test_wherever_it_is_stopped_it_holds_what_was_stepped_through(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Records 0, 1, 2, …; a checkpoint now and then; stops anywhere, some before its commit."""
    folder = tmp_path_factory.mktemp("archive")
    last, before, done = (0, 0), (0, 0), 0  # checkpoint: number, records stepped through
    stopped = 0
    archive = Archive(folder, spill_rows=40)
    for _ in range(data.draw(st.integers(1, 40))):
        action = data.draw(st.sampled_from(["step", "step", "step", "checkpoint", "stop"]))
        if action == "step":
            archive.append(reports(15, start=15 * done, step_us=DAY_US // 100), START_US + DAY_US)
            done += 1
        elif action == "checkpoint":
            archive.flush()
            last, before = (last[0] + 1, done), last
            now_us = START_US + data.draw(st.integers(0, 2)) * DAY_US
            archive.settle(last[0], before[0], now_us)
            archive.close()
        elif stopped < 3:
            stopped += 1
            if data.draw(st.booleans()):
                archive.flush()
            if last[0] and data.draw(st.booleans()):
                last = before  # the last one turns out damaged
                before = (max(last[0] - 1, 0), 0) if last[0] else last
            done = last[1]
            archive = Archive(folder, number=last[0], spill_rows=40)
            before = (0, 0)  # nothing is joined until there are two again
    expected = reports(15 * done, step_us=DAY_US // 100)
    expected = expected.filter(
        (pl.col("time").dt.epoch("us") // DAY_US) <= (START_US + DAY_US) // DAY_US + 1
    )
    assert_frame_equal(archive.read(), ordered(expected))
    archive.flush()
    assert_frame_equal(Archive(folder, number=last[0] + 1).read(), ordered(expected))
