"""Live equals batch over ASTERIX: datagrams sent to a watch, and the same ones read from a file.

A generated world is sent in each category, out of order and in part twice, by a sender that is
started anew in the midst to a watch that is, too. The batch run reads a capture of all that was
sent. Nothing is sent before the watch has taken what was: so no load of the machine loses any.
"""

from __future__ import annotations

import random
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests import feed_wires
from tests.feed_samples import pcap, udp
from tests.feed_servers import wait_for
from tests.live_worlds import running

import adiz
from adiz.run.live.config import read_config
from adiz.run.live.loop import Watch
from adiz.run.live.store import Store
from adiz.simulate.world import Settings, make_world

GROUP = "239.255.71.49"
TRACK_END_S = 900
POSITION_ERROR_DEG = {21: 1e-6, 48: 3e-3, 62: 1e-5}
"""What the format costs, and for the radar a round Earth: most where it flies over the radar."""


def made_world() -> pl.DataFrame:
    """Forty aircraft, and after them one far off that goes on until all the others have ended."""
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
    settings = Settings(aircraft=40, hours=0.4, seed=4, holes=0.2, begin=begin)
    world = feed_wires.as_sent(make_world(settings).reports())
    last = world["time"].max()
    assert isinstance(last, datetime)
    times = [last + timedelta(seconds=60 * (k + 1)) for k in range(30)]
    row = world[:1].with_columns(
        track_id=pl.lit("00beac"), lat_deg=pl.lit(36.0), lon_deg=pl.lit(135.5)
    )
    beacon = pl.concat([row] * len(times)).with_columns(
        pl.Series("time", times, world.schema["time"])
    )
    return pl.concat([world, beacon])


def disturbed(reports: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Up to four seconds out of order, one in ten twice."""
    source = random.Random(seed)
    twice = [n for n in range(reports.height) if source.random() < 0.1]
    more = pl.concat([reports, reports[twice]])
    late = pl.Series([source.uniform(0, 4e6) for _ in range(more.height)], dtype=pl.Float64)
    return more[(more["time"].to_physical() + late).arg_sort()]


def taken(watch: Watch) -> int:
    """How many reports have come as far as the engine; never too many, whatever it is at."""
    engine = watch.engine
    return engine.counts["reports"] + len(engine._gate._held)


class Sender:
    """Sends datagrams, and keeps them for the batch run."""

    def __init__(self, to: tuple[str, int], speed: float) -> None:
        self.to, self.speed = to, speed
        self.sent: list[bytes] = []

    def send(self, watch: Watch, datagrams: list[bytes], each: int, world_s: float) -> None:
        """Send some to a watch, from a new socket; each report takes so much time of the world.

        Args:
            each: reports in a full datagram.
            world_s: how much of the world's time they all take.
        """
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            loopback = socket.inet_aton("127.0.0.1")
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, loopback)
            before = taken(watch)

            def heard() -> bool:  # nothing says when the watch has opened its socket
                self._send(sock, datagrams[0])
                time.sleep(0.1)
                return taken(watch) > before

            wait_for(heard)
            time.sleep(0.3)
            wanted = taken(watch)
            pause_s = world_s / len(datagrams) / self.speed if self.speed else 0.0
            for number, datagram in enumerate(datagrams):
                self._send(sock, datagram)
                time.sleep(pause_s)
                if number % 40 == 39:
                    goal = wanted + (number + 1) * each
                    wait_for(lambda g=goal: taken(watch) >= g, 60)  # type: ignore[misc]
            wait_for(lambda: taken(watch) > wanted + (len(datagrams) - 1) * each, 60)

    def _send(self, sock: socket.socket, datagram: bytes) -> None:
        sock.sendto(datagram, self.to)
        self.sent.append(datagram)


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def configured(folder: Path, port: int, group: str | None) -> Path:
    lat, lon = feed_wires.RADAR
    path = folder / "watch.toml"
    path.write_text(
        f'[watch]\nzones = ["KADIZ"]\ncheckpoint_s = 0.5\nsilent_s = 600\n'
        f"track_end_s = {TRACK_END_S}\n[encounters]\nfor_s = 120\n"
        f'[[feeds]]\nname = "radar"\nkind = "asterix"\nport = {port}\ninterface = "127.0.0.1"\n'
        f"site = [{lat}, {lon}, 0.0]\n" + (f'group = "{group}"\n' if group else "")
    )
    return path


@pytest.mark.parametrize(
    ("category", "group", "speed"),
    [(21, None, 0), (21, GROUP, 300), (48, None, 0), (62, None, 300), (62, GROUP, 0)],
)
def test_the_watch_tells_what_the_batch_run_finds_in_a_capture(
    tmp_path: Path, category: int, group: str | None, speed: float
) -> None:
    each, world = 15, made_world()
    datagrams = list(feed_wires.asterix_datagrams(disturbed(world, category), category, each))
    port, half = free_port(), len(datagrams) // 2
    path = configured(tmp_path, port, group)
    sender = Sender((group or "127.0.0.1", port), speed)
    world_s = 1800.0
    with running(path) as watch:
        sender.send(watch, datagrams[:half], each, world_s / 2)
        # The sender is started anew and repeats itself.
        sender.send(watch, datagrams[half - 20 : half + 40], each, world_s / 8)
    with running(path) as watch:
        sender.send(watch, datagrams[half + 30 :], each, world_s / 2)
        assert watch.supervisors["radar"].health.rejected == {}
    capture = tmp_path / "sent.pcap"
    now_s = time.time()
    capture.write_bytes(pcap([(now_s, udp(data)) for data in sender.sent]))
    keys = ["time", "track_id"]
    reports = adiz.read(capture, site=(*feed_wires.RADAR, 0.0)).table.unique(
        keys, maintain_order=True
    )
    _says_the_world(reports, world, POSITION_ERROR_DEG[category])
    _same(path, reports)


def _says_the_world(reports: pl.DataFrame, world: pl.DataFrame, error_deg: float) -> None:
    by = ["track_id", "time"]
    assert_frame_equal(
        reports.sort(by).select("track_id", "callsign", "squawk", "alt_baro_ft"),
        world.sort(by).select("track_id", "callsign", "squawk", "alt_baro_ft"),
    )
    places = ["lat_deg", "lon_deg"]
    assert_frame_equal(
        reports.sort(by).select(places), world.sort(by).select(places), abs_tol=error_deg, rel_tol=0
    )


def _same(path: Path, reports: pl.DataFrame) -> None:
    """What the store holds is what the batch run finds, row by row."""
    store = Store(read_config(path).store, writer=False)
    stays, encounters = store.stays(), store.encounters()
    store.close()
    wanted = adiz.find_stays(reports, adiz.zones("KADIZ"), track_end_s=TRACK_END_S)
    assert len(wanted) > 20
    assert_frame_equal(stays.select(wanted.columns), wanted)
    wanted = adiz.find_encounters(reports, for_s=120).drop("source_a", "source_b")
    assert len(wanted) > 10
    assert_frame_equal(encounters.select(wanted.columns), wanted)
