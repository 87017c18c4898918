"""Live equals batch over brokers: reports from NATS JetStream and Kafka through a whole watch.

A world is published out of order and in part twice; in the midst the watch is stopped and begun
anew, and the broker, where it is a server of its own, is killed and comes back. What is compared
with is a batch run on the archive, and on the world itself.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.brokers import KafkaServer, KafkaTopic, NatsServer
from tests.feed_servers import wait_for
from tests.live_worlds import (
    START_US,
    Point,
    archived,
    disordered,
    ended,
    running,
    same_encounters,
    table,
    world,
    write_config,
    zones_of,
)

import adiz
from adiz.run.live.config import read_config
from adiz.run.live.store import Store
from adiz.sources.feeds.supervisor import Health


def message(point: Point) -> bytes:
    """A report as the stream carries it."""
    address, seconds, lat, lon = point
    return json.dumps(
        {"time": START_US + round(seconds * 1e6), "icao24": f"{address:06x}", "lat_deg": lat,
         "lon_deg": lon}
    ).encode()  # fmt: skip


LATENESS_S = 60
UNATTENDED = 80  # messages: less than a minute of the world


def told_as_the_batch_run_does(
    path: Path, publish: Callable[[list[bytes]], None], restart: Callable[[], None]
) -> None:
    points = disordered(world(), 6)
    mark = START_US + round((points[-1][1] - LATENESS_S - 9) * 1e6)
    messages = [message(p) for p in points]
    half, third = len(messages) // 2, len(messages) // 3

    def publish_as_they_are_taken(health: Health, first: int, end: int) -> None:
        before = health.reports - first
        for at in range(first, end, UNATTENDED):
            upto = min(at + UNATTENDED, end)
            publish(messages[at:upto])
            wait_for(lambda upto=upto: health.reports >= before + upto, 30)  # type: ignore[misc]

    with running(path) as watch:
        health = watch.supervisors["bus"].health
        publish_as_they_are_taken(health, 0, third)
        restart()
        publish_as_they_are_taken(health, third, half)
    publish(messages[half : half + UNATTENDED])
    with running(path) as watch:
        health = watch.supervisors["bus"].health
        wait_for(lambda: health.reports >= UNATTENDED, 30)
        publish_as_they_are_taken(health, half + UNATTENDED, len(messages))
        wait_for(lambda: (watch.engine.watermark_us or 0) > mark, 30)
    with closing(Store(read_config(path).store, writer=False)) as store:
        stays, encounters = store.stays(), store.encounters()
    assert watch.engine.counts["late"] == 0
    by, before = ["time", "track_id"], pl.col("time").dt.epoch("us") < mark
    wanted = table(world()).filter(before).sort(by)
    arrived = archived(path).filter(before).unique(by).sort(by)
    assert_frame_equal(arrived.select(wanted.columns), wanted)
    same_encounters(encounters, table(world()), mark)
    upto = pl.col("exit_time").dt.epoch("us") < mark
    wanted = ended(adiz.find_stays(table(world()), zones_of(path))).filter(upto)
    keys = [c for c in wanted.columns if c not in ("report_count", "source")]
    assert len(wanted) > 10
    assert_frame_equal(ended(stays).filter(upto).select(keys), wanted.select(keys))


def test_nats_that_is_killed_and_a_watch_that_is_stopped(tmp_path: Path) -> None:
    pytest.importorskip("nats", reason="nats-py is not installed")
    server = NatsServer(tmp_path / "nats")
    try:
        server.do(lambda streams: streams.add_stream(name="REPORTS", subjects=["reports.>"]))

        def restart() -> None:
            server.kill()
            time.sleep(0.3)
            server.start()

        path = write_config(
            tmp_path,
            {"name": "bus", "kind": "nats", "url": server.url, "stream": "REPORTS", "begin": "all"},
            lateness_s=LATENESS_S,
        )
        told_as_the_batch_run_does(
            path, lambda messages: server.publish("reports.a", messages), restart
        )
    finally:
        server.kill()


def test_kafka_with_four_partitions(tmp_path: Path) -> None:
    """The partitions come as the broker likes: the watch waits for what is out of order."""
    pytest.importorskip("confluent_kafka", reason="confluent-kafka is not installed")
    server = KafkaServer(tmp_path / "kafka") if KafkaServer.jars() else None
    try:
        topic = KafkaTopic(server)

        def restart() -> None:
            if server is not None:
                server.kill()
                server.start()

        feed = {"name": "bus", "kind": "kafka", "servers": topic.server, "topic": topic.topic}
        path = write_config(tmp_path, feed | {"begin": "all"}, lateness_s=LATENESS_S)
        told_as_the_batch_run_does(path, lambda messages: topic.publish([*messages]), restart)
    finally:
        if server is not None:
            server.kill()
