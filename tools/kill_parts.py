"""The parts of ``tools/kill_watch.py``: worlds, configurations, a receiver, one run of the watch.

What is imported here is loaded once and shared by all processes that are forked.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import os
import platform
import random
import shutil
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

os.environ["POLARS_MAX_THREADS"] = "1"

import polars as pl
import shapely.geometry

from adiz.run.live import loop
from adiz.run.live.config import read_config
from adiz.run.live.store import Store
from adiz.simulate.world import Settings
from adiz.simulate.world import make_world as simulate
from adiz.zones.load import zones as load_zones

assert shapely.geometry  # what the watch loads as it goes is loaded before the forks

ZONES = ["KADIZ"]
KEPT_BYTES = 100_000_000


def load_everything(folder: Path) -> None:
    """Load and make ready once what each process would else load for itself."""
    Store(str(folder / "warm.db")).close()
    with contextlib.suppress(ImportError):
        import pg8000.dbapi  # noqa: F401
        import sqlalchemy.dialects.postgresql.pg8000  # noqa: F401
    for name in ZONES:
        load_zones(name)


def make_world(folder: Path) -> None:
    """Traffic over the Sea of Japan: as files, and as the lines of a receiver."""
    world = simulate(Settings(aircraft=150, hours=0.4, seed=7, period_s=10.0, dropout=0.05))
    folder.mkdir(parents=True)
    world.write(folder / "world")
    reports = pl.read_parquet(folder / "world" / "reports" / "*.parquet").sort("time", "track_id")
    hexes = reports["icao24"].fill_null("71be00").to_list()
    begin = dt.datetime.now(dt.UTC) - dt.timedelta(hours=0.5)
    first = reports["time"][0]
    with open(folder / "lines.txt", "w") as file:
        for address, when, lat, lon, alt, squawk in zip(
            hexes,
            reports["time"].to_list(),
            reports["lat_deg"].to_list(),
            reports["lon_deg"].to_list(),
            reports["alt_baro_ft"].to_list(),
            reports["squawk"].to_list(),
            strict=True,
        ):
            moment = f"{begin + (when - first):%Y/%m/%d,%H:%M:%S.%f}"[:-3]
            height = "" if alt is None else f"{alt:.0f}"
            file.write(
                f"MSG,3,1,1,{address.upper()},1,{moment},{moment},,{height},,,"
                f"{lat:.6f},{lon:.6f},,{squawk or ''},0,0,0,0\n"
            )


def replay_feed(world: Path) -> str:
    """The table of a feed that plays the world, as fast as it can."""
    return f"""
[[feeds]]
name = "files"
kind = "replay"
paths = "{world / "world" / "reports"}"
speed = 0
slice_s = 4.0
"""


def tcp_feed(port: int) -> str:
    """The table of a feed that listens to a receiver."""
    return f"""
[[feeds]]
name = "roof"
kind = "basestation"
host = "127.0.0.1"
port = {port}
batch_s = 0.02
"""


def write_config(folder: Path, feed: str, store: str) -> Path:
    """A configuration in a new folder, where the watch will keep everything too."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir()
    path = folder / "watch.toml"
    path.write_text(f"""
[watch]
zones = {ZONES}
folder = "."
store = "{store}"
checkpoint_s = 0.2
silent_s = 2.0

[journal]
max_mb = 8

[encounters]
within_nm = 10
for_s = 120
{feed}""")
    return path


def run_watch(config: Path, stage: Any) -> None:
    """``adiz watch CONFIG``, telling at which stage it is; no segment of the journal is lost."""
    loop.Journal = functools.partial(  # type: ignore[assignment,misc]
        loop.Journal, keep=config.parent / "kept", segment_bytes=50_000
    )
    begin, end = loop.Watch._begin_checkpoint, loop.Watch._end_checkpoint

    def begun(watch: loop.Watch, **options: Any) -> None:
        stage[0] = 2
        begin(watch, **options)

    def ended(watch: loop.Watch, name: str | None) -> None:
        end(watch, name)
        if name is not None:
            stage[0], stage[1] = 0, min(stage[1] + 1, 255)

    loop.Watch._begin_checkpoint = begun  # type: ignore[method-assign]
    loop.Watch._end_checkpoint = ended  # type: ignore[method-assign]
    watch = loop.Watch(read_config(config))
    signal.signal(signal.SIGTERM, lambda *_: watch.stop())
    stage[0] = 0
    watch.run()


def gather(folder: Path, target: Path) -> int:
    """Bring all that was ever journaled together; how many segments that are."""
    shutil.rmtree(target / "journal", ignore_errors=True)
    (target / "journal").mkdir(parents=True)
    segments = [*(folder / "kept").glob("*.journal"), *(folder / "journal").glob("*.journal")]
    for path in segments:
        shutil.copy(path, target / "journal")
    return len(segments)


def pass_over(config: Path, stage: Any) -> None:
    """One undisturbed pass over a journal: what a start without a checkpoint does."""
    watch = loop.Watch(read_config(config))
    watch._close()  # without a start of its feed, which would say that nobody is there
    stage[0] = 0


class Receiver:
    """Sends lines to whoever listens, and goes on with the next ones, listened to or not."""

    def __init__(self, lines: Path, seed: int) -> None:
        self._lines = lines.read_bytes().splitlines(keepends=True)
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(0.2)
        self.port: int = self._server.getsockname()[1]
        self._over = threading.Event()
        self._chance = random.Random(seed)
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Receiver:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._server.close()

    def _serve(self) -> None:
        at = 0
        while not self._over.is_set():
            try:
                connection, _ = self._server.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(0.5)
                at = self._send(connection, at)

    def _send(self, connection: socket.socket, at: int) -> int:
        while not self._over.is_set():
            count = self._chance.randint(1, 120)
            part = self._lines[at : at + count]
            try:
                connection.sendall(b"".join(part) or b"\n")
            except TimeoutError:
                pass  # not listened to just now; it waits no longer than this
            except OSError:
                return at + count
            at += count
            time.sleep(self._chance.uniform(0, 0.04))
        return at


KILLED = ("kills", "starting", "stepping", "saving a checkpoint", "torn records")
DISK = {"full disk": "disk filled", "ended by itself": "ended by itself, disk full"}
SERVER = {
    "session killed": "sessions killed",
    "server killed": "servers killed",
    "ended by itself": "ended by itself, server away",
}


def row(
    name: str, figures: Counter[str], journal_bytes: int, more: Mapping[str, str] = DISK
) -> str:
    """A line of the table of results."""
    columns = (*KILLED, *more, "runs", "events")
    told = " | ".join(f"{figures[column]:,}" for column in columns)
    return f"| {name} | {told} | {journal_bytes / 1e3:,.0f} |"


def write_page(path: Path, lines: list[str], kills: int, took_s: float, store: str) -> None:
    """The results, dated."""
    more = SERVER if store == "postgresql" else DISK
    first = ("feed", "kills", "while starting", "while stepping", "while saving", "torn records")
    columns = (*first, *more.values(), "runs to the end", "events compared", "largest journal, kB")
    option = " --store postgresql" if store == "postgresql" else ""
    path.write_text(
        f"""# Kills

`python tools/kill_watch.py --kills {kills}{option}`, {dt.datetime.now(dt.UTC):%d %B %Y}, Python \
{platform.python_version()}, {os.cpu_count()} processors, {took_s / 60:.0f} minutes.
Every kill is a `kill -9`; after each run the tables of events, stays and encounters were
identical, in every column and row, to those of a watch left in peace (for `tcp`: of one pass
over all that was
journaled). For `replay` also after each kill the events were the first so many of that watch's.

| {" | ".join(columns)} |
|---{"|--:" * (len(columns) - 1)}|
"""
        + "\n".join(lines)
        + """

For `replay` the events are those of one run, compared in each; for `tcp` those of all runs. A
replay journals nothing. *While saving* is from the moment a state was taken to the commit of its
checkpoint, most of it while another process writes the state.
"""
    )
