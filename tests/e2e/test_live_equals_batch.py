"""Live equals batch: a world sent through each kind of feed gives what the batch run finds.

The receivers are servers of our own that drop the connection now and then, repeat themselves and
mix up the order. What is compared with is a batch run on the reports that arrived (the archive)
and, where the format carries the times, on the world itself.
"""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.feed_samples import beast, position
from tests.live_worlds import (
    START_US,
    STEPS,
    TRACKS,
    Point,
    archived,
    disordered,
    ended,
    same_encounters,
    table,
    watched,
    world,
    write_config,
    zones_of,
)

import adiz
from adiz import clock
from adiz.run.live.config import read_config
from adiz.run.live.loop import Watch
from adiz.run.live.store import Store


def tcp(kind: str, port: int) -> dict[str, object]:
    """A feed of that kind from a server here."""
    return {"name": kind, "kind": kind, "host": "127.0.0.1", "port": port}


def sbs(point: Point) -> bytes:
    address, seconds, lat, lon = point
    at = time.gmtime((START_US + round(seconds * 1e6)) // 1_000_000)
    clock = time.strftime("%Y/%m/%d,%H:%M:%S", at) + f".{round(seconds * 1e3) % 1000:03d}"
    return f"MSG,3,1,1,{address:06X},1,{clock},{clock},,10000,,,{lat},{lon},,,0,0,0,0\n".encode()


@contextmanager
def served(handle: Callable[[socket.socket], None]) -> Iterator[int]:
    """A TCP server; each connection is handled and closed."""
    server = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()

    def accept() -> None:
        while not done.is_set():
            try:
                client, _ = server.accept()
            except OSError:
                return
            with client, suppress(OSError):
                handle(client)

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server.getsockname()[1]
    finally:
        done.set()
        server.close()


def pieces(octets: list[bytes], drops: int, at_once: int = 40) -> Callable[[socket.socket], None]:
    """Sends all of it over several connections, each broken off after a whole message's half."""
    rest = list(octets)
    portion = -(-len(rest) // (drops + 1))

    def handle(client: socket.socket) -> None:
        now, rest[:] = rest[:portion], rest[portion:]
        for at in range(0, len(now), at_once):
            client.sendall(b"".join(now[at : at + at_once]))
            time.sleep(0.002)
        if rest:
            client.sendall(rest[0][: len(rest[0]) // 2])
        elif not now:
            time.sleep(0.5)
        else:
            time.sleep(1.0)

    return handle


@pytest.mark.parametrize(("at_once", "drops"), [(2, 2), (40, 5), (400, 2)])
def test_basestation_over_connections_that_break_at_any_speed(
    tmp_path: Path, at_once: int, drops: int
) -> None:
    points = disordered(world(), 1)
    with served(pieces([sbs(p) for p in points], drops, at_once)) as port:
        path = write_config(tmp_path, tcp("basestation", port))
        last = max(s for _, s, _, _ in points)
        mark = START_US + round((last - 9) * 1e6)
        watch, stays, encounters = watched(path, lambda w: (w.engine.watermark_us or 0) > mark)
    zones = zones_of(path)
    same_encounters(encounters, archived(path), mark)
    assert len(ended(stays)) > 10
    assert_frame_equal(ended(stays), ended(adiz.find_stays(archived(path), zones)))
    upto = pl.col("exit_time") < pl.from_epoch(pl.lit(mark), "us").dt.replace_time_zone("UTC")
    wanted = ended(adiz.find_stays(table(world()), zones)).filter(upto)
    found = ended(stays).filter(upto)
    keys = ["track_id", "zone_id", "entry_time", "exit_time", "entry_kind", "exit_kind"]
    assert_frame_equal(found.select(keys), wanted.select(keys))
    assert watch.engine.counts["late"] == 0


def test_stretches_that_come_minutes_late_change_what_was_told(
    tmp_path: Path,
) -> None:
    """From the archive on the disk, and over a stop and a start of the watch."""
    rng = random.Random(9)
    last = max(s for _, s, _, _ in world())
    delays = {(k, n): rng.choice([0, 0, rng.uniform(60, 400)]) for k in range(TRACKS)
              for n in range(100)}  # fmt: skip
    points = sorted(world(), key=lambda p: p[1] + delays.get((p[0] - 0x780100, int(p[1] // 60)), 0))
    half = len(points) // 2
    far = [(0x780200, last + 25.0 * k, 11.9, 21.9) for k in range(85)]

    def first(client: socket.socket) -> None:
        client.sendall(b"".join(sbs(p) for p in points[:half]))
        time.sleep(2.0)

    def second(client: socket.socket) -> None:
        client.sendall(b"".join(sbs(p) for p in points[half:]))
        for point in far:  # revisions are made as time goes on, from record to record
            time.sleep(0.05)
            client.sendall(sbs(point))
        time.sleep(20.0)

    def all_told(watch: Watch) -> bool:
        company = watch.engine._company
        assert company is not None
        waits = company._again.spans or len(watch.engine._late)
        return not waits and (watch.engine.watermark_us or 0) > START_US + (last + 500) * 1e6

    for handle, until in ((first, lambda w: w.engine.counts["reports"] > half - 200),
                          (second, all_told)):  # fmt: skip
        with served(handle) as port:
            path = write_config(tmp_path, tcp("basestation", port))
            watch, stays, encounters = watched(path, until)
    assert watch.engine.tally()["late_for_encounters"] > 100
    same_encounters(encounters, archived(path), START_US + round((last + 300) * 1e6))
    assert_frame_equal(ended(stays), ended(adiz.find_stays(archived(path), zones_of(path))))


@pytest.mark.parametrize(("speed", "drops"), [(60, 3), (150, 1)])
def test_beast_as_it_is_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, speed: float, drops: int
) -> None:
    """Beast has no times: the reports are of the moment they arrive, here on a clock that hurries.

    What is sent while the connection is cut, nobody hears.
    """
    begin, begin_s = clock.now() - timedelta(hours=1), time.monotonic()

    def hurried() -> datetime:
        return begin + timedelta(seconds=(time.monotonic() - begin_s) * speed)

    monkeypatch.setattr(clock, "now", hurried)
    points = world()
    cuts = [points[-1][1] * n / (drops + 1) for n in range(1, drops + 1)]
    at_s: list[float] = []

    def handle(client: socket.socket) -> None:
        at_s.append(at_s[0] if at_s else time.monotonic())
        now_s = (time.monotonic() - at_s[0]) * speed
        for address, seconds, lat, lon in points:
            if seconds < now_s:
                continue
            time.sleep(max(0.0, at_s[0] + seconds / speed - time.monotonic()))
            frames = [beast(position(address, lat, lon, odd)) for odd in (False, True)]
            if cuts and seconds > cuts[0]:
                del cuts[0]
                client.sendall(frames[0][:9])
                return
            client.sendall(b"".join(frames))
        time.sleep(30)

    with served(handle) as port:
        path = write_config(tmp_path, tcp("beast", port))
        over_s = (points[-1][1] + 20) / speed
        watch, stays, encounters = watched(
            path, lambda _: bool(at_s) and time.monotonic() > at_s[0] + over_s
        )
    assert len(at_s) == drops + 1
    assert watch.engine.counts["late"] == 0
    reports = archived(path)
    assert reports["track_id"].n_unique() == TRACKS
    assert reports.height > TRACKS * STEPS
    assert len(ended(stays)) > 10
    assert_frame_equal(ended(stays), ended(adiz.find_stays(reports, zones_of(path))))
    same_encounters(encounters, reports, reports["time"].to_physical().max())


def test_aircraft_json_polled(tmp_path: Path) -> None:
    points = world()
    latest: dict[int, Point] = {}
    documents = []
    for second in range(5, int(points[-1][1]) + 10, 5):
        for point in points:
            if second - 5 <= point[1] < second:
                latest[point[0]] = point
        listed = [
            {"hex": f"{a:06x}", "lat": lat, "lon": lon, "alt_baro": 10000,
             "seen_pos": round(second - s, 3)}
            for a, s, lat, lon in latest.values() if second - s < 60
        ]  # fmt: skip
        documents.append({"now": START_US / 1e6 + second, "aircraft": listed})
    served_count = [0]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            number = min(served_count[0], len(documents) - 1)
            served_count[0] += 1
            if served_count[0] % 17 == 3:  # the server has a hiccup
                self.send_error(503)
                return
            body = json.dumps(documents[number]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        path = write_config(
            tmp_path,
            {
                "name": "json",
                "kind": "aircraft",
                "every_s": 0.05,
                "url": f"http://127.0.0.1:{server.server_port}/",
            },
        )
        watch, stays, encounters = watched(path, lambda _: served_count[0] > len(documents) + 5)
    finally:
        server.shutdown()
        server.server_close()
    reports = archived(path)
    assert len(ended(stays)) > 5
    assert_frame_equal(ended(stays), ended(adiz.find_stays(reports, zones_of(path))))
    same_encounters(encounters, reports, watch.engine.watermark_us or 0)


@pytest.mark.parametrize("speed", [0, 400])
def test_a_replay_of_disordered_doubled_reports_at_any_speed(tmp_path: Path, speed: float) -> None:
    points = disordered(world(), 2)
    path = write_config(
        tmp_path,
        {"name": "r", "kind": "replay", "paths": "w.parquet", "speed": speed, "slice_s": 20},
    )
    table(points).write_parquet(path.parent / "w.parquet")
    watch = Watch(read_config(path))
    watch.run()
    store = Store(read_config(path).store, writer=False)
    wanted = adiz.find_stays(table(world()), zones_of(path))
    keys = [c for c in wanted.columns if c != "report_count"]
    assert_frame_equal(store.stays().select(keys), wanted.select(keys))
    same_encounters(store.encounters(), table(world()), 1 << 62)
    store.close()


def in_step(parts: list[list[bytes]]) -> Callable[[socket.socket], None]:
    """Sends part after part; each only when another server has come as far."""

    def handle(client: socket.socket) -> None:
        for part in parts:
            BARRIER.wait(30)
            client.sendall(b"".join(part))
            time.sleep(0.02)
        time.sleep(2.0)

    return handle


BARRIER = threading.Barrier(2)


def test_two_feeds_hear_the_same_aircraft_as_one_track(tmp_path: Path) -> None:
    points = world()
    rng = random.Random(5)
    sent: list[list[list[bytes]]] = [[], []]
    for start in range(0, int(points[-1][1]) + 10, 10):
        some = [p for p in points if start <= p[1] < start + 10]
        heard = [rng.choice([(True, False), (False, True), (True, True)]) for _ in some]
        for k in (0, 1):
            sent[k].append([sbs(p) for p, h in zip(some, heard, strict=True) if h[k]])
    with served(in_step(sent[0])) as one, served(in_step(sent[1])) as other:
        path = write_config(
            tmp_path,
            *(tcp("basestation", port) | {"name": f"sbs-{port}"} for port in (one, other)),
            lateness_s=300,
        )
        mark = START_US + round((points[-1][1] - 310) * 1e6)
        watch, stays, encounters = watched(path, lambda w: (w.engine.watermark_us or 0) > mark)
    same_encounters(encounters, archived(path), mark)
    assert len(watch.engine.labels.by_track) == TRACKS
    assert watch.engine.counts["late"] == 0
    reports = archived(path)
    assert len(ended(stays)) > 5
    assert_frame_equal(ended(stays), ended(adiz.find_stays(reports, zones_of(path))))
