"""Live equals batch, feed by feed: a world sent in each format gives the stays of its reports.

Sent out of order, some twice, over connections that are cut and brokers that are killed.
"""

from __future__ import annotations

import random
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests import feed_wires
from tests.brokers import KafkaServer, KafkaTopic, NatsServer
from tests.feed_samples import pcap, udp
from tests.feed_servers import tcp_server, wait_for, watched

import adiz
from adiz.simulate.world import Settings, make_world
from adiz.sources.feeds import Batch, from_table
from adiz.sources.feeds.aircraft import AircraftFeed
from adiz.sources.feeds.model import make_batch

KEPT = ["time", "track_id", "lat_deg", "lon_deg", "alt_baro_ft", "gs_kt", "callsign", "squawk"]


def _world(begin: datetime) -> pl.DataFrame:
    settings = Settings(aircraft=25, hours=0.5, seed=4, holes=0.2, begin=begin)
    return feed_wires.as_sent(make_world(settings).reports())


@pytest.fixture(scope="module")
def world() -> pl.DataFrame:
    return _world(datetime(2026, 3, 1, 22, 0, tzinfo=UTC))


def _disturbed(reports: pl.DataFrame, seed: int) -> pl.DataFrame:
    """The same reports up to four seconds out of order, one in ten of them twice."""
    source = random.Random(seed)
    twice = [n for n in range(reports.height) if source.random() < 0.1]
    more = pl.concat([reports, reports[twice]])
    late = pl.Series([source.uniform(0, 4e6) for _ in range(more.height)], dtype=pl.Float64)
    order = (more["time"].to_physical() + late).arg_sort()
    return more[order]


def _same(got: pl.DataFrame, sent: pl.DataFrame) -> None:
    """The same reports, and the same stays."""
    keys = ["time", "track_id"]
    if got["type_code"].null_count() == got.height:  # the format has none
        sent = sent.with_columns(pl.lit(None, pl.String).alias("type_code"))
    once = got.select(KEPT).unique(keys, maintain_order=True).sort(keys)
    assert_frame_equal(once, sent.select(KEPT).sort(keys), abs_tol=1e-9)
    assert got.height >= sent.height
    zones = adiz.zones("KADIZ")
    stays = adiz.find_stays(sent, zones)
    assert stays.height > 5
    assert_frame_equal(adiz.find_stays(got, zones), stays)


def test_aircraft_json(world: pl.DataFrame) -> None:
    documents = list(feed_wires.aircraft_documents(_disturbed(world, 1)))
    # Each is seen by some polls; one in five of them fails in between.
    seen = iter([d for n, d in enumerate(documents) for d in [d] * (1 + n % 2)])
    batches: list[Batch] = []
    stop = threading.Event()

    def read(_: threading.Event) -> bytes | None:
        data = next(seen, None)
        if data is None:
            stop.set()
        return data

    AircraftFeed("x", read, every_s=0.0, silent_s=30.0).run(batches.append, stop, None)
    assert len(batches) == len(documents)
    _same(pl.concat([b.reports for b in batches]), world)


def test_basestation_over_connections_that_are_cut(world: pl.DataFrame) -> None:
    parts = list(feed_wires.basestation_lines(_disturbed(world, 2)))
    cuts = [0, 100, 101, 3000, len(parts)]

    def serve(sock: socket.socket, number: int) -> None:
        data = b"".join(parts[cuts[number] : cuts[number + 1]]) if number < 4 else b""
        source, at = random.Random(number), 0
        while at < len(data):
            size = source.choice((3, 500, 20_000))
            sock.sendall(data[at : at + size])
            at += size
        if number >= 4:
            sock.recv(1)

    with tcp_server(serve) as port:
        feed = from_table({"name": "x", "kind": "basestation", "host": "127.0.0.1", "port": port})
        with watched(feed) as watcher:
            wait_for(lambda: watcher.height() == len(parts), 60)
    assert [t[0] for t in watcher.told].count("up") >= 4
    assert watcher.rejected == {}
    _same(watcher.reports, world)


def test_asterix_over_udp(tmp_path: Path) -> None:
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=20)
    datagrams = list(feed_wires.asterix_datagrams(_disturbed(_world(begin), 3)))
    path = tmp_path / "x.pcap"
    at_s = datetime.now(UTC).timestamp()
    path.write_bytes(pcap([(at_s, udp(data)) for data in datagrams]))
    recorded = adiz.read(path).table
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    feed = from_table({"name": "x", "kind": "asterix", "port": port, "interface": "127.0.0.1"})
    with watched(feed) as watcher, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        while not watcher.height():
            sock.sendto(datagrams[0], ("127.0.0.1", port))
            time.sleep(0.2)
        for number, data in enumerate(datagrams):
            sock.sendto(data, ("127.0.0.1", port))
            if number % 20 == 0:
                time.sleep(0.02)
        wait_for(lambda: watcher.height() >= recorded.height + 20, 30)
    assert watcher.rejected == {}
    once = recorded.unique(["time", "track_id"], maintain_order=True)
    _same(watcher.reports, once)


def test_nats_that_is_killed(world: pl.DataFrame, tmp_path: Path) -> None:
    pytest.importorskip("nats", reason="nats-py is not installed")
    server = NatsServer(tmp_path)
    try:
        server.do(lambda streams: streams.add_stream(name="R", subjects=["r"]))
        messages = list(feed_wires.json_messages(_disturbed(world, 4)))
        half = len(messages) // 2
        table = {"name": "x", "kind": "nats", "url": server.url, "stream": "R", "begin": "all"}
        server.publish("r", messages[:half])
        with watched(from_table(table)) as watcher:
            wait_for(lambda: watcher.height() == 50 * half, 30)
            server.kill()
            wait_for(lambda: len(watcher.told) == 2, 30)
            server.start()
            server.publish("r", messages[half:])
            wait_for(lambda: watcher.batches[-1].position == str(len(messages)), 60)
    finally:
        server.kill()
    assert watcher.rejected == {}
    sent = _disturbed(world, 4)
    assert watcher.height() == sent.height
    _same(watcher.reports, world)


def test_kafka_with_a_watch_that_is_stopped_and_started(
    world: pl.DataFrame, tmp_path: Path
) -> None:
    pytest.importorskip("confluent_kafka", reason="confluent-kafka is not installed")
    from tests.unit.test_feed_kafka import _feed

    real = KafkaServer(tmp_path) if KafkaServer.jars() else None
    try:
        broker = KafkaTopic(real)
        sent = _disturbed(world, 5)
        messages = list(feed_wires.json_messages(sent))
        reports, position = [], None
        thirds = (messages[:50], messages[50:51], messages[51:])
        count = 0
        for part in thirds:
            broker.publish(list(part))
            count = min(count + 50 * len(part), sent.height)
            feed = _feed(broker)
            with watched(feed, position=position) as watcher:
                done = sum(r.height for r in reports)
                wait_for(lambda w=watcher, d=done, c=count: w.height() + d == c, 60)  # type: ignore[misc]
            reports.append(watcher.reports)
            position = watcher.batches[-1].position
    finally:
        if real:
            real.kill()
    got = pl.concat(reports)
    assert got.height == sent.height
    _same(got, world)


@pytest.mark.parametrize("form", ["parquet", "basestation", "json"])
def test_replay_of_a_recording(world: pl.DataFrame, tmp_path: Path, form: str) -> None:
    sent = _disturbed(world, 6)
    if form == "parquet":
        sent.write_parquet(tmp_path / "x.parquet")
    elif form == "basestation":
        lines = b"".join(feed_wires.basestation_lines(sent))
        (tmp_path / "x.sbs").write_bytes(lines)
    else:
        (tmp_path / "x.jsonl").write_bytes(b"\n".join(feed_wires.aircraft_documents(sent)))
    table = {"name": "x", "kind": "replay", "paths": str(tmp_path), "speed": 0,
             "time_zone": "UTC"}  # fmt: skip
    batches: list[Batch] = []
    from_table(table).run(batches.append, threading.Event(), None)
    got = pl.concat([b.reports for b in batches])
    assert got["time"].is_sorted()
    _same(got, world)


def test_arrow_messages(world: pl.DataFrame) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    import io

    from adiz.sources.feeds.messages import Messages

    sent, parts = _disturbed(world, 7), []
    for at in range(0, sent.height, 500):
        sink = io.BytesIO()
        sent[at : at + 500].write_ipc_stream(sink)
        parts.append(sink.getvalue())
    decoder: Any = Messages()
    batch = make_batch(decoder.step(parts), "x", 0, rejected=decoder.rejected)
    assert batch.rejected == {}
    _same(batch.reports, world)
