"""The journal: order, numbers, size; what a kill, a full disk or damage leave behind."""

from __future__ import annotations

import errno
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.report_rows import reports

from adiz.run.live import journal as module
from adiz.run.live.journal import Journal, JournalDamagedError, JournalFullError, Record
from adiz.run.live.lock import FileLock, LockedError


def same(left: Record, right: Record) -> bool:
    """Equal in everything, reports included."""
    if left._replace(reports=None) != right._replace(reports=None):
        return False
    if left.reports is None or right.reports is None:
        return left.reports is right.reports
    return left.reports.equals(right.reports) and left.reports.schema == right.reports.schema


def all_same(left: list[Record], right: list[Record]) -> bool:
    return len(left) == len(right) and all(map(same, left, right))


def fill(journal: Journal, count: int) -> list[Record]:
    """Records of every sort."""
    made = []
    for i in range(count):
        if i % 3 == 0:
            made.append(journal.append("tick", "", 1000 + i))
        elif i % 3 == 1:
            made.append(journal.append("reports", "a", 1000 + i, reports(i % 90), f"p{i}"))
        else:
            made.append(journal.append("feed_down", "b", 1000 + i, data={"reason": "가\n", "n": i}))
    return made


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.journal"))


@pytest.mark.parametrize("fsync_s", [0, 0.01, 60])
def test_records_are_read_back_as_they_were(tmp_path: Path, fsync_s: float) -> None:
    journal = Journal(tmp_path, fsync_s=fsync_s)
    made = fill(journal, 100)
    assert [r.seq for r in made] == list(range(1, 101))
    assert all_same(list(journal.read(0)), made)
    assert [r.seq for r in journal.read(97)] == [98, 99, 100]
    assert list(journal.read(100)) == []
    journal.close()
    journal.close()
    journal = Journal(tmp_path)
    assert (journal.last_seq, journal.torn_bytes) == (100, 0)
    assert all_same(list(journal.read(0)), made)
    assert journal.append("end", "", 5).seq == 101
    journal.close()


def test_a_tick_is_small(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append("tick", "", 1)
    assert journal.size_bytes == os.path.getsize(segments(tmp_path)[0]) < 64
    journal.close()


def test_what_is_no_report_or_no_json_is_refused(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with pytest.raises(ValueError, match="columns of the reports table"):
        journal.append("reports", "a", 1, reports(3).drop("flags"))
    with pytest.raises(ValueError, match="JSON"):
        journal.append("zones", "", 1, data={"x": float("nan")})
    assert journal.append("tick", "", 1).seq == 1
    journal.close()


def test_numbers_go_on_whatever_is_dropped(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j", segment_bytes=4000)
    made = fill(journal, 200)
    files = segments(tmp_path / "j")
    assert len(files) > 5
    journal.drop(100)
    assert journal.size_bytes == sum(p.stat().st_size for p in segments(tmp_path / "j"))
    assert all_same(list(journal.read(100)), made[100:])
    with pytest.raises(JournalDamagedError, match=r"records 1 to \d+ are missing"):
        list(journal.read(0))
    journal.drop(200)
    assert (journal.size_bytes, len(segments(tmp_path / "j"))) == (0, 1)
    journal.close()
    journal = Journal(tmp_path / "j")
    assert journal.last_seq == 200
    assert journal.append("tick", "", 1).seq == 201
    journal.close()
    shutil.rmtree(tmp_path / "j")
    journal = Journal(tmp_path / "j", least_seq=202)  # as the checkpoint knows
    assert journal.append("tick", "", 1).seq == 202
    journal.close()


def test_a_checkpoint_ahead_of_the_journal_leaves_no_number_twice(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    fill(journal, 5)
    journal.close()
    journal = Journal(tmp_path, least_seq=9)
    assert journal.append("tick", "", 1).seq == 9
    journal.close()
    journal = Journal(tmp_path, least_seq=9)
    assert [r.seq for r in journal.read(8)] == [9]
    with pytest.raises(JournalDamagedError, match="records 6 to 8 are missing"):
        list(journal.read(3))
    journal.close()


def test_dropped_segments_can_be_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j", segment_bytes=4000, keep=tmp_path / "kept")
    made = fill(journal, 100)
    journal.drop(100)
    journal.close()
    found = [r for p in segments(tmp_path / "kept") for r in module.read_segment(p, last=False)]
    assert all_same(found, made)


def test_its_size_is_bounded(tmp_path: Path) -> None:
    journal = Journal(tmp_path, max_bytes=20_000)
    with pytest.raises(JournalFullError, match="20000"):
        fill(journal, 10_000)
    full = journal.last_seq
    with pytest.raises(JournalFullError):
        journal.append("reports", "a", 1, reports(1000))
    assert sum(p.stat().st_size for p in segments(tmp_path)) == journal.size_bytes <= 20_000
    assert len(list(journal.read(0))) == full
    journal.drop(full)
    assert journal.append("tick", "", 1).seq == full + 1
    journal.close()


def test_a_write_torn_at_any_octet_is_cut_off(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "whole", fsync_s=60)
    made = fill(journal, 4)
    ends = []
    for record in (("tick", "", 5, None), ("reports", "a", 6, reports(2))):
        ends.append(journal.size_bytes)
        made.append(journal.append(*record))
    ends.append(journal.size_bytes)
    journal.close()
    whole = segments(tmp_path / "whole")[0].read_bytes()
    assert len(whole) == ends[-1]
    for cut in range(ends[0], len(whole)):
        folder = tmp_path / "torn"
        folder.mkdir(exist_ok=True)
        for old in segments(folder):
            old.unlink()
        (folder / f"{1:020d}.journal").write_bytes(whole[:cut])
        journal = Journal(folder)
        sound = 4 + sum(cut >= end for end in ends[1:])
        assert (journal.last_seq, journal.torn_bytes) == (sound, cut - ends[sound - 4])
        assert journal.append("end", "", 9).seq == sound + 1
        if cut % 50 == 0:
            assert all_same(list(journal.read(0))[:-1], made[:sound])
        journal.close()


def test_a_tail_the_medium_never_got_is_cut_off(tmp_path: Path) -> None:
    """After a power failure blocks within what was not forced out may be missing or old."""
    journal = Journal(tmp_path, fsync_s=60)
    made = fill(journal, 10)
    journal.sync()
    safe = journal.size_bytes
    made += fill(journal, 20)
    journal.close()
    path = segments(tmp_path)[0]
    whole = path.read_bytes()
    chance = random.Random(4)
    for _ in range(60):
        start = chance.randrange(safe, len(whole))
        end = chance.randrange(start + 1, len(whole) + 1)
        path.write_bytes(whole[:start] + bytes(end - start) + whole[end:])
        journal = Journal(tmp_path, fsync_s=60)
        assert 10 <= journal.last_seq <= 30
        assert journal.torn_bytes > 0 or path.read_bytes() == whole
        assert all_same(list(journal.read(0)), made[: journal.last_seq])
        journal.close()


@pytest.mark.parametrize("fsync_s", [0, 60])
def test_damage_to_what_was_safe_is_an_error_that_says_where(
    tmp_path: Path, fsync_s: float
) -> None:
    journal = Journal(tmp_path, fsync_s=fsync_s, segment_bytes=3000)
    fill(journal, 10)
    journal.sync()
    fill(journal, 40)
    journal.close()
    chance = random.Random(5)
    *full, last = segments(tmp_path)
    for path in (full[0], full[-1]):
        whole = path.read_bytes()
        for at in [*chance.sample(range(len(whole)), 15), len(whole) - 1]:
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            journal = Journal(tmp_path)
            with pytest.raises(JournalDamagedError) as error:
                list(journal.read(0))
            assert str(path) in str(error.value)
            assert "octet" in str(error.value)
            assert "move the journal's folder away" in str(error.value)
            journal.close()
        path.write_bytes(whole)
    if fsync_s == 0:  # each record proves those before it; only the last could be a torn one
        whole = last.read_bytes()
        last.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
        with pytest.raises(JournalDamagedError, match="octet 0"):
            Journal(tmp_path)
        last.write_bytes(whole)
        Journal(tmp_path).close()


def test_a_missing_segment_is_an_error(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=3000)
    fill(journal, 100)
    segments(tmp_path)[2].unlink()
    with pytest.raises(JournalDamagedError, match="are missing"):
        list(journal.read(0))
    journal.close()


class Disk:
    """A disk with so much room left, and on demand one that forgets what it was told to keep."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room = 1 << 60
        self.truncates = self.syncs = True
        self._write, self._truncate, self._sync = os.write, os.ftruncate, os.fdatasync
        for name in ("write", "ftruncate", "fdatasync"):
            monkeypatch.setattr(module.os, name, getattr(self, name))

    def write(self, file: int, octets: bytes) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        count = self._write(file, octets[: self.room])
        self.room -= count
        return count

    def ftruncate(self, file: int, size: int) -> None:
        if not self.truncates:
            raise OSError(errno.EIO, "Input/output error")
        self._truncate(file, size)

    def fdatasync(self, file: int) -> None:
        if not self.syncs:
            raise OSError(errno.EIO, "Input/output error")
        self._sync(file)


def test_a_full_disk_leaves_no_half_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch)
    journal = Journal(tmp_path, fsync_s=60)
    made = fill(journal, 5)
    for room in (0, 1, 39, 41, 700):
        disk.room = room
        with pytest.raises(OSError, match="No space"):
            journal.append("reports", "a", 7, reports(80))
        assert os.path.getsize(segments(tmp_path)[0]) == journal.size_bytes
        disk.room = 1 << 60
        made.append(journal.append("reports", "a", 7, reports(80)))
    disk.room, disk.truncates = 9, False
    for _ in range(2):
        with pytest.raises(OSError, match=r"No space|Input/output"):
            journal.append("tick", "", 8)
    assert os.path.getsize(segments(tmp_path)[0]) > journal.size_bytes
    copy = Path(shutil.copytree(tmp_path, tmp_path / "killed"))
    disk.room, disk.truncates = 1 << 60, True
    opened = Journal(copy)
    assert (opened.last_seq, opened.torn_bytes) == (10, 9)
    opened.close()
    made.append(journal.append("tick", "", 8))
    assert [r.seq for r in made] == list(range(1, 12))
    assert all_same(list(journal.read(0)), made)
    journal.close()


def test_a_disk_that_cannot_keep_is_told_once_and_its_segment_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    journal = Journal(tmp_path, fsync_s=0.01)
    made = fill(journal, 5)
    disk.syncs = False
    made.append(journal.append("tick", "", 8))
    for _ in range(500):
        if journal._failed:
            break
        time.sleep(0.01)
    disk.syncs = True
    with pytest.raises(OSError, match="Input/output"):
        journal.append("tick", "", 9)
    made.append(journal.append("tick", "", 9))
    assert len(segments(tmp_path)) == 2
    assert all_same(list(journal.read(0)), made)
    journal.close()


def test_with_each_forced_out_a_record_that_was_not_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    journal = Journal(tmp_path, fsync_s=0)
    made = fill(journal, 5)
    disk.syncs = False
    with pytest.raises(OSError, match="Input/output"):
        journal.append("tick", "", 8)
    disk.syncs = True
    made.append(journal.append("tick", "", 9))
    assert all_same(list(journal.read(0)), made)
    journal.close()


def test_a_segment_that_cannot_be_begun_is_begun_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path, segment_bytes=1000)
    made = fill(journal, 3)
    real = os.fsync

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module.os, "fsync", full)
    for _ in range(2):
        with pytest.raises(OSError, match="No space"):
            journal.append("reports", "a", 7, reports(80))
    copy = Path(shutil.copytree(tmp_path, tmp_path / "killed"))
    monkeypatch.setattr(module.os, "fsync", real)
    opened = Journal(copy)
    assert opened.append("tick", "", 7).seq == 4
    opened.close()
    made.append(journal.append("reports", "a", 7, reports(80)))
    assert all_same(list(journal.read(0)), made)
    assert len(segments(tmp_path)) == 3
    journal.close()


HOLDER = """
import sys, time
from adiz.run.live.journal import Journal
journal = Journal(sys.argv[1])
print("held", flush=True)
time.sleep(60)
"""


def test_two_processes_cannot_have_it(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(LockedError, match=f"in use by process {other.pid}"):
            Journal(tmp_path)
        other.kill()
    Journal(tmp_path).close()


def test_a_forked_process_does_not_keep_the_lock(tmp_path: Path) -> None:
    """As the one that writes the watch's state, which may outlive a killed watch."""
    script = (
        "import os, sys, time; from adiz.run.live.lock import FileLock; from pathlib import Path\n"
        "lock = FileLock(Path(sys.argv[1]), 'it')\n"
        "if os.fork() == 0: os.close(1); os.close(2); time.sleep(30)\n"
        "print('forked', flush=True); time.sleep(30)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "lock")], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "forked\n"
        with pytest.raises(LockedError):
            FileLock(tmp_path / "lock", "it")
        other.kill()
    FileLock(tmp_path / "lock", "it").release()
