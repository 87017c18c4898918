"""Reports from Kafka: offsets, restarts, what is gone.

Against a real broker where `make kafka` has fetched one. Else against librdkafka's mock cluster
(``test.mock.num.brokers``): a server of the real protocol over TCP, in this process, in memory,
that cannot be stopped and started again.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from tests.brokers import KafkaServer, KafkaTopic
from tests.feed_servers import tcp_server, wait_for, watched

from adiz.errors import FaultyInputError
from adiz.sources.feeds import from_table
from adiz.sources.feeds.kafka import EMPTY, GONE, OTHER_TOPIC

pytest.importorskip("confluent_kafka", reason="confluent-kafka is not installed")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer | None]:
    if KafkaServer.jars() is None:
        yield None
        return
    one = KafkaServer(tmp_path_factory.mktemp("kafka"))
    yield one
    one.kill()


@pytest.fixture
def broker(server: KafkaServer | None) -> KafkaTopic:
    return KafkaTopic(server)


def _messages(first: int, count: int) -> list[bytes]:
    return [
        json.dumps(
            {"time": (1_717_156_800 + n) * 10**6, "track_id": "a", "lat_deg": 1,
             "lon_deg": n / 1e4}
        ).encode()
        for n in range(first, first + count)
    ]  # fmt: skip


def _feed(broker: KafkaTopic, **options: Any) -> Any:
    return from_table(
        {"name": "bus", "kind": "kafka", "servers": broker.server, "topic": broker.topic,
         "begin": "all", "batch_s": 0.05, **options}
    )  # fmt: skip


def _numbers(watcher: Any) -> list[int]:
    return sorted(round(lon * 1e4) for lon in watcher.reports["lon_deg"])


def test_every_message_of_every_partition_comes_once_and_the_position_goes_on(
    broker: KafkaTopic,
) -> None:
    broker.publish(_messages(0, 50))
    with watched(_feed(broker)) as watcher:
        wait_for(lambda: watcher.height() == 50, 30)
        broker.publish([b"[" + b",".join(_messages(50, 10)) + b"]", b"{", None], partition=1)
        wait_for(lambda: len(watcher.rejected) == 2, 30)
    assert _numbers(watcher) == list(range(60))
    assert watcher.rejected == {"a message that is no JSON": 1, EMPTY: 1}
    assert watcher.told == [("up",)]
    position = watcher.batches[-1].position
    assert json.loads(position or "") == {"0": 13, "1": 16, "2": 12, "3": 12}
    broker.publish(_messages(60, 8))
    with watched(_feed(broker), position=position) as watcher:
        wait_for(lambda: watcher.height() == 8, 30)
    assert _numbers(watcher) == list(range(60, 68))


def test_within_a_partition_order_is_kept(broker: KafkaTopic) -> None:
    broker.publish(_messages(0, 500), partition=2)
    with watched(_feed(broker)) as watcher:
        wait_for(lambda: watcher.height() == 500, 30)
    lons = watcher.reports["lon_deg"].to_list()
    assert lons == sorted(lons)


def test_new_means_from_the_first_connection_on_even_if_nothing_came_then(
    broker: KafkaTopic,
) -> None:
    broker.publish(_messages(0, 6))
    with watched(_feed(broker, begin="new")) as watcher:
        wait_for(lambda: watcher.batches, 30)
    position = watcher.batches[0].position
    assert json.loads(position or "") == {"0": 2, "1": 2, "2": 1, "3": 1}
    broker.publish(_messages(6, 6))
    with watched(_feed(broker, begin="new"), position=position) as watcher:
        wait_for(lambda: watcher.height() == 6, 30)
    assert _numbers(watcher) == list(range(6, 12))


def test_a_position_beyond_the_end_begins_anew_and_is_told(broker: KafkaTopic) -> None:
    broker.publish(_messages(0, 6), partition=0)
    with watched(_feed(broker), position='{"0": 1000, "1": 0}') as watcher:
        wait_for(lambda: watcher.height() == 6, 30)
    assert watcher.rejected == {OTHER_TOPIC: 1}


def test_what_the_topic_no_longer_holds_is_counted(broker: KafkaTopic) -> None:
    if broker.real:
        broker.publish(_messages(0, 100), partition=3)
        broker.forget(3, before=40)
    else:  # the mock cluster keeps 5 MB of a partition
        filler = b" " * 100_000
        for _ in range(10):
            broker.publish([m + filler for m in _messages(0, 10)], partition=3)
    with watched(_feed(broker), position='{"3": 0}') as watcher:
        wait_for(watcher.height, 30)
        wait_for(lambda: json.loads(watcher.batches[-1].position or "{}").get("3") == 100, 30)
    assert watcher.rejected[GONE] == 100 - watcher.height() > 0


def test_a_broker_that_goes_away_is_down_and_nothing_is_lost_or_doubled(broker: KafkaTopic) -> None:
    broker.publish(_messages(0, 200))
    with watched(_feed(broker, timeout_s=1.0)) as watcher:
        wait_for(lambda: watcher.height() == 200, 30)
        if broker.real:
            broker.real.kill()
        else:
            del broker.producer
        wait_for(lambda: len(watcher.told) == 2, 60)
        wait_for(lambda: watcher.supervisor.health.failures > 1, 60)  # type: ignore[attr-defined]
        if broker.real:
            broker.real.start()
            broker.publish(_messages(200, 200))
            wait_for(lambda: watcher.height() == 400, 60)
    assert [t[0] for t in watcher.told[:2]] == ["up", "down"]
    assert _numbers(watcher) == list(range(watcher.height()))


def test_nobody_there_no_answer_and_garbage_are_down(broker: KafkaTopic) -> None:
    def hang(sock: socket.socket, number: int) -> None:
        sock.recv(1)

    def garbage(sock: socket.socket, number: int) -> None:
        sock.sendall(os.urandom(5000))

    for handle in (hang, garbage):
        with tcp_server(handle) as port:
            feed = _feed(broker, servers=f"127.0.0.1:{port}", timeout_s=0.5)
            with watched(feed) as watcher:
                wait_for(lambda w=watcher: w.told)  # type: ignore[misc]
            assert [t[0] for t in watcher.told] == ["down"]
    with watched(_feed(broker, servers="127.0.0.1:1", timeout_s=0.5)) as watcher:
        wait_for(lambda: watcher.told)
    assert watcher.told[0][0] == "down"


def test_what_cannot_be_is_refused(broker: KafkaTopic) -> None:
    for options, said in (({"begin": "yesterday"}, "is no beginning"),
                          ({"settings": {"a": [1]}}, "(field feeds.bus.settings)"),
                          ({"time_zone": "Mars"}, "is no time zone")):  # fmt: skip
        with pytest.raises(FaultyInputError) as raised:
            _feed(broker, **options)
        assert said in str(raised.value)
    with watched(_feed(broker, settings={"no.such": "thing"})) as watcher:
        wait_for(lambda: watcher.told)
    assert "no.such" in watcher.told[0][1]
    with watched(_feed(broker), position="[1]") as watcher:
        wait_for(lambda: watcher.told)
    assert "is no position in a topic" in watcher.told[0][1]
