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
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.feed_samples import beast, position

import adiz
from adiz.run.live.config import read_config
from adiz.run.live.loop import Watch
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


@pytest.fixture
def config(tmp_path: Path) -> Callable[[str], Path]:
    from tests.property.test_stays_fold import ZONES

    (tmp_path / "zones.geojson").write_text(write_geojson(z for z in ZONES if not z.valid_from))

    def write(feeds: str) -> Path:
        path = tmp_path / "watch.toml"
        path.write_text(
            '[watch]\nzones = "zones.geojson"\nlateness_s = 5\ncheckpoint_s = 0.3\n'
            # A machine that is busy elsewhere makes no feed silent: else its reports come late, and
            # what they change may not be worked in yet when the test ends.
            "silent_s = 600\n[encounters]\nwithin_nm = 10\nfor_s = 60\n" + feeds
        )
        return path

    return write


def watched(path: Path, until: Callable[[Watch], bool]) -> tuple[Watch, pl.DataFrame, pl.DataFrame]:
    """Run a watch until something; it, its stays, and its encounters."""
    watch = Watch(read_config(path))
    thread = threading.Thread(target=watch.run)
    thread.start()
    deadline = time.monotonic() + 120
    while not until(watch) and time.monotonic() < deadline and thread.is_alive():
        time.sleep(0.1)
    watch.stop()
    thread.join(60)
    assert not thread.is_alive()
    assert until(watch), watch.engine.tally()
    from adiz.run.live.store import Store

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


@pytest.mark.parametrize(("at_once", "drops"), [(2, 2), (40, 5), (400, 2)])
def test_basestation_over_connections_that_break_at_any_speed(
    config: Callable[[str], Path], at_once: int, drops: int
) -> None:
    points = disordered(world(), 1)
    with served(pieces([sbs(p) for p in points], drops, at_once)) as port:
        path = config(f'[[feeds]]\nname = "sbs"\nkind = "basestation"\nhost = "127.0.0.1"\n'
                      f"port = {port}\n")  # fmt: skip
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
    config: Callable[[str], Path],
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
            path = config(f'[[feeds]]\nname = "sbs"\nkind = "basestation"\nhost = "127.0.0.1"\n'
                          f"port = {port}\n")  # fmt: skip
            watch, stays, encounters = watched(path, until)
    assert watch.engine.tally()["late_for_encounters"] > 100
    same_encounters(encounters, archived(path), START_US + round((last + 300) * 1e6))
    assert_frame_equal(ended(stays), ended(adiz.find_stays(archived(path), zones_of(path))))


def test_beast_over_connections_that_break(config: Callable[[str], Path]) -> None:
    """Beast has no times: the reports are of the moment they arrive."""
    frames = [
        beast(position(address, lat, lon, odd)) for address, _, lat, lon in world()
        for odd in (False, True)
    ]  # fmt: skip
    with served(pieces(frames, 3)) as port:
        path = config(f'[[feeds]]\nname = "beast"\nkind = "beast"\nhost = "127.0.0.1"\n'
                      f"port = {port}\n")  # fmt: skip
        enough = 2 * TRACKS * STEPS - 200
        watch, stays, _ = watched(path, lambda w: w.supervisors["beast"].health.reports > enough)
    assert watch.engine.counts["late"] == 0
    reports = archived(path)
    assert_frame_equal(ended(stays), ended(adiz.find_stays(reports, zones_of(path))))
    assert reports["track_id"].n_unique() == TRACKS


def test_aircraft_json_polled(config: Callable[[str], Path]) -> None:
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
        path = config(f'[[feeds]]\nname = "json"\nkind = "aircraft"\nevery_s = 0.05\n'
                      f'url = "http://127.0.0.1:{server.server_port}/"\n')  # fmt: skip
        watch, stays, encounters = watched(path, lambda _: served_count[0] > len(documents) + 5)
    finally:
        server.shutdown()
        server.server_close()
    reports = archived(path)
    assert len(ended(stays)) > 5
    assert_frame_equal(ended(stays), ended(adiz.find_stays(reports, zones_of(path))))
    same_encounters(encounters, reports, watch.engine.watermark_us or 0)


@pytest.mark.parametrize("speed", [0, 400])
def test_a_replay_of_disordered_doubled_reports_at_any_speed(
    config: Callable[[str], Path], speed: float
) -> None:
    points = disordered(world(), 2)
    path = config(f'[[feeds]]\nname = "r"\nkind = "replay"\npaths = "w.parquet"\nspeed = {speed}\n'
                  "slice_s = 20\n")  # fmt: skip
    table(points).write_parquet(path.parent / "w.parquet")
    watch = Watch(read_config(path))
    watch.run()
    from adiz.run.live.store import Store

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


def test_two_feeds_hear_the_same_aircraft_as_one_track(config: Callable[[str], Path]) -> None:
    points = world()
    rng = random.Random(5)
    sent: list[list[list[bytes]]] = [[], []]
    for start in range(0, int(points[-1][1]) + 10, 10):
        some = [p for p in points if start <= p[1] < start + 10]
        heard = [rng.choice([(True, False), (False, True), (True, True)]) for _ in some]
        for k in (0, 1):
            sent[k].append([sbs(p) for p, h in zip(some, heard, strict=True) if h[k]])
    with served(in_step(sent[0])) as one, served(in_step(sent[1])) as other:
        path = config("".join(
            f'[[feeds]]\nname = "sbs-{port}"\nkind = "basestation"\nhost = "127.0.0.1"\n'
            f"port = {port}\n" for port in (one, other)
        ))  # fmt: skip
        path.write_text(path.read_text().replace("lateness_s = 5", "lateness_s = 300"))
        mark = START_US + round((points[-1][1] - 310) * 1e6)
        watch, stays, encounters = watched(path, lambda w: (w.engine.watermark_us or 0) > mark)
    same_encounters(encounters, archived(path), mark)
    assert len(watch.engine.labels.by_track) == TRACKS
    assert watch.engine.counts["late"] == 0
    reports = archived(path)
    assert len(ended(stays)) > 5
    assert_frame_equal(ended(stays), ended(adiz.find_stays(reports, zones_of(path))))
