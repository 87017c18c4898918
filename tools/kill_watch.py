"""Kill the watch a thousand times and look whether anything was lost or told twice.

``adiz watch`` runs on a generated world and is ended with ``kill -9`` at random moments: while it
starts, steps, or saves a checkpoint; on a full disk; with a torn record at the journal's end. It
goes on each time, and in the end its tables must be those of a watch that was left in peace:

- replay: those of one run over the same files; after every kill its events must be the first so
  many of that run's;
- tcp: a receiver that sends on whoever listens, so that what it said is in the journal alone: those
  of one pass over all that was journaled.

Processes are forked from this one, where everything is loaded already: it must not use polars
itself, whose threads a fork does not copy.

    python tools/kill_watch.py --kills 1000 --out benchmarks/results/kills.md
    python tools/kill_watch.py --kills 50 --store postgresql
"""

from __future__ import annotations

import argparse
import contextlib
import mmap
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import kill_parts as parts
import kill_stores as stores

RUNNING, STARTING, SAVING = 0, 1, 2
STAGES = {RUNNING: "stepping", STARTING: "starting", SAVING: "saving a checkpoint"}


class Life:
    """One process of the watch, forked from this one.

    Args:
        target: what it does.
        log: where its output goes.
    """

    def __init__(self, target: Callable[[Any], None], log: Path) -> None:
        self._stage = mmap.mmap(-1, 2)  # where it is, and how often it has saved
        self._stage[0] = STARTING
        self.returned: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
                os.dup2(file, 1)
                os.dup2(file, 2)
                target(self._stage)
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)

    @property
    def stage(self) -> int:
        """Where it is, or was when it ended."""
        return self._stage[0]

    def ended(self) -> bool:
        """Whether it has come to an end by itself."""
        if self.returned is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returned = os.waitstatus_to_exitcode(status)
        return self.returned is not None

    def wait(self, most_s: float, until: int | None = None, saves: int = 256) -> None:
        """Wait so long, or until it has ended, has come to a stage, or has saved so often."""
        over_s = time.monotonic() + most_s
        while time.monotonic() < over_s and not self.ended():
            if self._stage[0] == until or self._stage[1] >= saves:
                return
            time.sleep(0.001 if until is not None else 0.005)

    def kill(self) -> int:
        """End it with kill -9; at which stage that was."""
        stage = self._stage[0]
        os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        self.returned = os.waitstatus_to_exitcode(status)
        return stage


class Wrong(Exception):
    """The watch lost, doubled or changed something."""


class Trial:
    """Runs of one kind, killed again and again.

    Attributes:
        figures: what happened how often.
        journal_bytes: the largest journal seen.

    Args:
        disk: one that is to be full now and then.
        server: one that is to be killed now and then.
    """

    def __init__(
        self,
        work: Path,
        chance: random.Random,
        databases: stores.Databases,
        disk: Path | None = None,
        server: stores.Server | None = None,
    ) -> None:
        self.work, self.chance, self.databases = work, chance, databases
        self.disk, self.server = disk, server
        self.figures: Counter[str] = Counter()
        self.journal_bytes = 0
        self.start_s = 0.5

    def live_and_kill(self, folder: Path, target: Callable[[Any], None], last: bool) -> bool:
        """One life; True if it came to its end. The last one is left to it."""
        life = Life(target, self.work / "log.txt")
        if last:
            life.wait(600)
        elif self.chance.random() < 0.15:
            life.wait(self.chance.uniform(0, self.start_s))
        else:
            born_s = time.monotonic()
            life.wait(120, until=RUNNING)
            self.start_s = 0.8 * self.start_s + 0.2 * (time.monotonic() - born_s)
            life.wait(20, saves=self.chance.randint(0, 3))
            if self.chance.random() < 0.4:
                life.wait(5, until=SAVING)
                life.wait(self.chance.expovariate(50))
            else:
                life.wait(self.chance.uniform(0, self.start_s))
        journal = sum(p.stat().st_size for p in (folder / "journal").glob("*.journal"))
        self.journal_bytes = max(self.journal_bytes, journal)
        if life.ended():
            if life.returned == 0:
                return True
            # Without its server it does not start; once it runs it waits for it.
            may = self.figures["full disk"] or (self.server and life.stage == STARTING)
            if not may:
                raise Wrong(
                    f"it failed, {life.returned}: {(self.work / 'log.txt').read_text()[-2000:]}"
                )
            self.figures["ended by itself"] += 1
            time.sleep(0.2)
            return False
        self.figures[STAGES[life.kill()]] += 1
        self.figures["kills"] += 1
        if self.figures["kills"] % 20 == 0:
            print(f"{self.figures['kills']} kills, {self.figures['runs']} runs", flush=True)
        if self.chance.random() < 0.3:
            self.tear(folder)
        return False

    def configured(self, folder: Path, feed: str) -> Path:
        """A configuration in a new folder, with a store of its own."""
        return parts.write_config(folder, feed, self.databases.new(folder))

    def tear(self, folder: Path) -> None:
        """Leave the beginning of a record at the journal's end, as a write cut short does."""
        segments = sorted((folder / "journal").glob("*.journal"))
        if not segments:
            return
        record = segments[-1].read_bytes()[-4000:] or b"AJ1\n" + bytes(100)
        start = max(record.rfind(b"AJ1\n"), 0)
        part = record[start : start + self.chance.randrange(1, max(len(record) - start, 2))]
        with contextlib.suppress(OSError), open(segments[-1], "ab") as file:
            file.write(part)
            self.figures["torn records"] += 1

    @contextlib.contextmanager
    def disturbed(self) -> Iterator[None]:
        """Now and then the disk is full, or the server is killed, if there is one that may be."""
        if self.server is not None:
            with self.server.being_killed(self.chance, self.figures):
                yield
            return
        if self.disk is None:
            yield
            return
        over = threading.Event()

        def fill() -> None:
            assert self.disk is not None
            filler = self.disk / "filler"
            while not over.wait(self.chance.uniform(0.5, 3)):
                self.figures["full disk"] += 1
                with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
                    while True:
                        file.write(bytes(1 << 16))
                over.wait(self.chance.uniform(0.2, 2))
                filler.unlink()

        thread = threading.Thread(target=fill)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def replay(self, kills: int, world: Path) -> None:
        """Replayed files, killed until enough."""
        peace = self.configured(self.work / "peace", parts.replay_feed(world))
        life = Life(lambda stage: parts.run_watch(peace, stage), self.work / "log.txt")
        life.wait(600)
        if life.returned != 0:
            raise Wrong(f"the undisturbed run: {(self.work / 'log.txt').read_text()[-2000:]}")
        expected = self.databases.content(peace.parent)
        self.figures["events"] = len(expected["watch_events"])
        place = self.disk or self.work
        while self.figures["kills"] < kills:
            config = self.configured(place / "run", parts.replay_feed(world))
            with self.disturbed():
                while not self.live_and_kill(
                    config.parent,
                    lambda stage, c=config: parts.run_watch(c, stage),
                    last=self.figures["kills"] >= kills,
                ):
                    found = self.databases.content(config.parent)
                    events = found["watch_events"]
                    if events != expected["watch_events"][: len(events)]:
                        raise Wrong(f"after a kill: {difference(found, expected)}")
            found = self.databases.content(config.parent)
            if found != expected:
                raise Wrong(f"in the end: {difference(found, expected)}")
            self.figures["runs"] += 1
            shutil.rmtree(config.parent)

    def tcp(self, kills: int, world: Path) -> None:
        """A receiver that does not repeat itself."""
        place = self.disk or self.work
        while self.figures["kills"] < kills:
            with parts.Receiver(world / "lines.txt", self.chance.randrange(1 << 30)) as receiver:
                config = self.configured(place / "run", parts.tcp_feed(receiver.port))
                some = min(self.figures["kills"] + self.chance.randint(20, 60), kills)
                with self.disturbed():
                    while self.figures["kills"] < some:
                        self.live_and_kill(
                            config.parent,
                            lambda stage, c=config: parts.run_watch(c, stage),
                            last=False,
                        )
                life = Life(
                    lambda stage, c=config: parts.run_watch(c, stage), self.work / "log.txt"
                )
                life.wait(20, until=RUNNING)
                life.wait(1)
                os.kill(life.pid, signal.SIGTERM)
                life.wait(60)
                if life.returned != 0:
                    raise Wrong(f"it did not stop: {(self.work / 'log.txt').read_text()[-2000:]}")
            once = self.configured(self.work / "once", parts.tcp_feed(9))
            records = parts.gather(config.parent, once.parent)
            life = Life(lambda stage, c=once: parts.pass_over(c, stage), self.work / "log.txt")
            life.wait(600)
            if life.returned != 0:
                raise Wrong(f"the pass: {(self.work / 'log.txt').read_text()[-2000:]}")
            found = self.databases.content(config.parent)
            expected = self.databases.content(once.parent)
            if found != expected:
                raise Wrong(f"in the end: {difference(found, expected)}")
            self.figures["runs"] += 1
            self.figures["events"] += len(found["watch_events"])
            self.figures["segments"] += records
            shutil.rmtree(config.parent)
            shutil.rmtree(once.parent)


def difference(found: stores.Content, expected: stores.Content) -> str:
    """The first rows that are not the same."""
    for table in stores.TABLES:
        if found[table] != expected[table]:
            pairs = zip(found[table], expected[table], strict=False)
            rows = next(((a, b) for a, b in pairs if a != b), None)
            sizes = f"{len(found[table])} rows, not {len(expected[table])}"
            more = found[table][len(expected[table]) :]
            return f"{table}: {sizes}; first that differ: {rows}; more: {more}"
    return "none"


@contextlib.contextmanager
def small_disk(work: Path, megabytes: int) -> Iterator[Path | None]:
    """A disk that can be filled; None where it may not be mounted."""
    folder = work / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def on_sqlite(work: Path, world: Path, kills: int, seed: int) -> Iterator[str]:
    """The trials with SQLite, some of them on a disk that is full now and then; their rows."""
    trials = [("replay", False), ("tcp", False), ("replay", True), ("tcp", True)]
    for (kind, full), share in zip(trials, SHARES, strict=True):
        own = work / f"{kind}-{full}"
        own.mkdir()
        chance = random.Random(f"{seed} {kind} {full}")
        with small_disk(own, 24) if full else contextlib.nullcontext() as disk:
            if full and disk is None:
                print("full disk: left out, no disk of that kind can be mounted here")
                continue
            trial = Trial(own, chance, stores.Files(own / "copy"), disk)
            getattr(trial, kind)(max(round(kills * share), 1), world)
        name = f"{kind}, disk full now and then" if full else kind
        yield parts.row(name, trial.figures, trial.journal_bytes)


def on_postgresql(work: Path, world: Path, kills: int, seed: int) -> Iterator[str]:
    """The trials with PostgreSQL, in some of which the server is killed too; their rows."""
    trials = [("replay", False), ("tcp", False), ("replay", True), ("tcp", True)]
    server = stores.Server(work / "postgresql")
    try:
        for (kind, dies), share in zip(trials, SHARES, strict=True):
            own = work / f"{kind}-{dies}"
            own.mkdir()
            chance = random.Random(f"{seed} {kind} {dies}")
            trial = Trial(own, chance, server, server=server if dies else None)
            getattr(trial, kind)(max(round(kills * share), 1), world)
            name = f"{kind}, server killed too" if dies else kind
            yield parts.row(name, trial.figures, trial.journal_bytes, parts.SERVER)
    finally:
        server.stop()


SHARES = [0.4, 0.3, 0.15, 0.15]


def main() -> int:
    """Kill, compare, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=1000, help="altogether (default 1000)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments of the kills")
    kinds = ("sqlite", "postgresql")
    told = "sqlite (default), or postgresql: a server of its own, that is killed as well"
    parser.add_argument("--store", choices=kinds, default="sqlite", help=told)
    parser.add_argument("--out", type=Path, help="a Markdown page for what was found")
    args = parser.parse_args()
    if args.store == "postgresql" and not stores.installed():
        print("PostgreSQL's server programs, or pg8000, are not installed")
        return 2
    started_s = time.monotonic()
    lines = []
    memory = Path("/dev/shm")  # what a killed process wrote is there as it is on any disk
    place = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="adiz-kills-", dir=place) as temporary:
        work = Path(temporary)
        world = work / "world"
        parts.load_everything(work)
        maker = Life(lambda _: parts.make_world(world), work / "log.txt")
        maker.wait(600)
        if maker.returned != 0:
            raise Wrong((work / "log.txt").read_text()[-2000:])
        trials = on_postgresql if args.store == "postgresql" else on_sqlite
        for line in trials(work, world, args.kills, args.seed):
            lines.append(line)
            print(line, flush=True)
    if args.out:
        parts.write_page(args.out, lines, args.kills, time.monotonic() - started_s, args.store)
    return 0


if __name__ == "__main__":
    sys.exit(main())
