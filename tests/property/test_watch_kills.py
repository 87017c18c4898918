"""A small watch on the true journal, store and archive, killed anywhere: nothing lost or twice.

The kills are real (``kill -9``): at random moments; and, where strace is installed, in the middle
of its n-th system call of those that write. ``make kills`` does it a thousand times to the watch
itself.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.conftest import ROOT
from tests.report_rows import reports
from tests.stand_in_watch import ROWS, StandIn

from adiz.events import Event
from adiz.run.live.journal import read_segment

WRITES = "pwrite64,write,fsync,fdatasync,rename,unlink,ftruncate"
ROUNDS = int(os.environ.get("ADIZ_KILLS", "3"))
BATCHES = 40


def findings(folder: Path) -> tuple[list[tuple[int, Event]], pl.DataFrame]:
    """Events with their numbers, and the archive, after an orderly end."""
    watch = StandIn(folder)
    found = watch.store.events_after(0, 100_000), watch.archive.read()
    assert watch.store.differing == 0
    watch.close()
    return found


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("undisturbed")
    watch = StandIn(folder)
    watch.replay(BATCHES)
    watch.close()
    events, archive = findings(folder)
    assert len(events) == 7 * (BATCHES * ROWS // 7 // 7)
    expected = reports(ROWS * BATCHES).sort("track_id", "time")
    assert_frame_equal(archive, expected)
    return events, archive


def run(folder: Path, prefix: list[str], kill_after_s: float | None = None) -> bool:
    """Play on; whether it came to its end."""
    command = [*prefix, sys.executable, "-m", "tests.stand_in_watch", str(folder), str(BATCHES)]
    with subprocess.Popen(command, cwd=ROOT) as process:
        if kill_after_s is not None:
            threading.Timer(kill_after_s, process.kill).start()
    assert process.returncode in (0, 128 + signal.SIGKILL, -signal.SIGKILL)
    return process.returncode == 0


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_killed_in_the_middle_of_any_write(tmp_path: Path, undisturbed: Any) -> None:
    chance = random.Random(1)
    for n in range(ROUNDS):
        folder = tmp_path / str(n)
        folder.mkdir()
        for _ in range(2):  # the second while it recovers, or later
            call = chance.choice(WRITES.split(","))
            when = int(chance.lognormvariate(2, 1.2)) + 1
            inject = f"inject={call}:signal=SIGKILL:when={when}"
            run(
                folder,
                ["strace", "-f", "-qq", "-o", os.devnull, "-e", f"trace={call}", "-e", inject],
            )
        assert run(folder, [])
        events, archive = findings(folder)
        assert events == undisturbed[0]
        assert_frame_equal(archive, undisturbed[1])
        shutil.rmtree(folder)


def tear(folder: Path, chance: random.Random) -> None:
    """Leave the beginning of a record at the journal's end, as a write cut short does."""
    *_, last = sorted((folder / "journal").glob("*.journal"))
    whole = last.read_bytes() or next(iter(sorted((folder / "kept").iterdir()))).read_bytes()
    with open(last, "ab") as file:
        file.write(whole[: chance.randrange(1, 600)])


LIVE = """
import socket, sys
from pathlib import Path
from tests.stand_in_watch import StandIn
watch = StandIn(Path(sys.argv[1]))
with socket.create_connection(("127.0.0.1", int(sys.argv[2]))) as feed:
    watch.live(map(int, feed.makefile()))
watch.close()
"""


def test_what_cannot_be_asked_again_is_not_lost(tmp_path: Path) -> None:
    """A feed that sends on whoever listens; compared with one pass over what was journaled."""
    chance = random.Random(2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(120)
        port = server.getsockname()[1]
        number = 0
        for life in range(ROUNDS + 1):
            last = life == ROUNDS
            with subprocess.Popen(
                [sys.executable, "-c", LIVE, str(tmp_path), str(port)], cwd=ROOT
            ) as process:
                connection, _ = server.accept()
                with connection, connection.makefile("w") as feed:
                    for _ in range(chance.randrange(2, 25)):
                        feed.write(f"{number}\n")
                        feed.flush()
                        number += 1
                        time.sleep(chance.choice([0, 0.005]))
                    if not last:
                        time.sleep(chance.uniform(0, 0.2))
                        process.kill()
            assert last == (process.returncode == 0)
            if not last and chance.random() < 0.5:
                tear(tmp_path, chance)
    kept = sorted([*(tmp_path / "kept").iterdir(), *(tmp_path / "journal").glob("*.journal")],
                  key=lambda path: path.name)  # fmt: skip
    records = [record for path in kept for record in read_segment(path)]
    assert [record.seq for record in records] == list(range(1, len(records) + 1))
    assert len(records) > ROUNDS
    (tmp_path / "again").mkdir()
    once = StandIn(tmp_path / "again")
    for record in records:
        once.step(record)
    once.close()
    events, archive = findings(tmp_path)
    expected, reports_once = findings(tmp_path / "again")
    assert events == expected
    assert_frame_equal(archive, reports_once)
