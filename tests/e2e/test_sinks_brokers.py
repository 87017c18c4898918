"""Sinks against real brokers that are killed and started again."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.alert_log import Log, make_event, make_message
from tests.brokers import KafkaServer
from tests.e2e.test_sinks_outages import RULES, assert_all_in_order, first_copies, made
from tests.sink_servers import Gate, Server, mosquitto, nats_server, running, wait_until

from adiz.errors import FaultyInputError
from adiz.events import Event
from adiz.out.alerts import Alerts, from_tables
from adiz.out.alerts.model import FailedError, RefusedError

TRIES = {"name": "s", "retry_first_s": 0.05, "retry_most_s": 0.3, "timeout_s": 3}


def deliver_through_restarts(
    folder: Path, table: dict[str, Any], server: Server, sign: signal.Signals
) -> list[Event]:
    """Deliver events while the broker is away again and again."""
    log = Log(f"sqlite:///{folder}/watch.db")
    events = made(160)
    with running(Alerts(log, *from_tables([TRIES | table], RULES))) as alerts:
        for n, event in enumerate(events):
            if n % 40 == 20:
                server.end(sign)
            log.add(event)
            if n % 5 == 0:
                alerts.wake()
                time.sleep(0.02)
            if server.process is None:
                failed = alerts.health()[0].failed_tries
                wait_until(lambda f=failed: alerts.health()[0].failed_tries > f)  # type: ignore[misc]
                server.start()
        assert alerts.drain(90)
        (health,) = alerts.health()
        assert (health.dead, health.pending) == (0, 0)
    return events


# ---- NATS JetStream ------------------------------------------------------------------------------


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[Server]:
    pytest.importorskip("nats")
    with nats_server(tmp_path / "nats") as server:
        yield server


def stored(server: Server, stream: str) -> list[tuple[str, dict[str, str], dict[str, Any]]]:
    """Every message of a stream: subject, headers, body."""
    import nats

    async def read() -> list[Any]:
        client = await nats.connect(f"nats://127.0.0.1:{server.port}")
        context = client.jetstream()
        last = (await context.stream_info(stream)).state.last_seq
        found = [await context.get_msg(stream, n) for n in range(1, last + 1)]
        await client.close()
        return [(m.subject, m.headers, json.loads(m.data)) for m in found]

    return asyncio.run(read())


def test_a_nats_server_that_is_killed(tmp_path: Path, nats: Server) -> None:
    table = {"kind": "nats", "servers": f"nats://127.0.0.1:{nats.port}", "stream": "ALERTS"}
    events = deliver_through_restarts(tmp_path, table, nats, signal.SIGKILL)
    found = stored(nats, "ALERTS")
    assert_all_in_order([body for _, _, body in found], events)
    assert len(found) == 160  # Nats-Msg-Id: the stream itself keeps one copy of each
    subject, headers, body = found[0]
    assert subject == "adiz.entry.KR-KADIZ"
    assert headers["Nats-Msg-Id"] == body["key"]


def test_no_stream_for_the_subject(nats: Server) -> None:
    table = {"name": "s", "kind": "nats", "servers": f"nats://127.0.0.1:{nats.port}"}
    (sink,) = from_tables([table], []).sinks
    with pytest.raises(FailedError, match=r"no stream takes adiz\.entry\.KR-KADIZ"):
        sink.deliver(make_message())
    sink.close()


# ---- MQTT ----------------------------------------------------------------------------------------


class Subscriber:
    """Keeps what a topic brings, over restarts of the broker."""

    def __init__(self, port: int, topic: str, **login: str) -> None:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        self.got: list[dict[str, Any]] = []
        self.topics: list[str] = []
        self.ready = threading.Event()
        client = Client(CallbackAPIVersion.VERSION2, "subscriber", clean_session=False)
        if login:
            client.username_pw_set(**login)
        client.reconnect_delay_set(0.05, 0.2)  # type: ignore[arg-type]
        client.on_connect = lambda c, *_: c.subscribe(topic, qos=1)
        client.on_subscribe = lambda *_: self.ready.set()
        client.on_message = self._take
        client.connect("127.0.0.1", port)
        client.loop_start()
        assert self.ready.wait(20)
        self.client = client

    def _take(self, _client: Any, _data: Any, message: Any) -> None:
        self.topics.append(message.topic)
        self.got.append(json.loads(message.payload))

    def catch_up(self) -> None:
        """Wait until nothing more comes."""
        count = -1
        while count < len(self.got):
            count = len(self.got)
            time.sleep(0.2)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def test_a_mosquitto_that_restarts(tmp_path: Path) -> None:
    """Ended in order."""
    pytest.importorskip("paho.mqtt.client")
    with mosquitto(tmp_path) as server:
        subscriber = Subscriber(server.port, "adiz/#")
        table = {"kind": "mqtt", "host": "127.0.0.1", "port": server.port}
        events = deliver_through_restarts(tmp_path, table, server, signal.SIGTERM)
        wait_until(lambda: len(first_copies(subscriber.got)) == 160)
        subscriber.close()
    assert_all_in_order(subscriber.got, events)
    assert set(subscriber.topics) == {"adiz/entry/KR-KADIZ"}


@pytest.mark.parametrize("persistence", [True, False])
def test_a_mosquitto_that_is_killed(tmp_path: Path, persistence: bool) -> None:
    """Cut off from the sink in the midst, then killed once it has handed on what it had.

    What it has acknowledged and neither saved nor handed on a killed broker forgets; that is its
    own. One that saves each change remembers who listens. One that saves nothing forgets that too,
    and what is sent before they are back reaches no one: here the sink is let in after them.
    """
    pytest.importorskip("paho.mqtt.client")
    more = ["allow_anonymous true"]
    if persistence:
        more += ["autosave_on_changes true", "autosave_interval 1"]
    log = Log(f"sqlite:///{tmp_path}/watch.db")
    events = made(160)
    with mosquitto(tmp_path, *more, persistence=persistence) as server:
        gate, subscriber = Gate(server.port), Subscriber(server.port, "adiz/#")
        table = TRIES | {"kind": "mqtt", "host": "127.0.0.1", "port": gate.port}
        with running(Alerts(log, *from_tables([table], RULES))) as alerts:
            for n, event in enumerate(events):
                if n % 40 == 20:
                    gate.shut()
                    subscriber.catch_up()
                    server.end(signal.SIGKILL)
                log.add(event)
                if n % 4 == 0:
                    alerts.wake()
                    time.sleep(0.01)
                if n % 40 == 20:
                    failed = alerts.health()[0].failed_tries
                    wait_until(lambda f=failed: alerts.health()[0].failed_tries > f)  # type: ignore[misc]
                    subscriber.ready.clear()
                    server.start()
                    assert persistence or subscriber.ready.wait(20)
                    gate.open()
                    assert subscriber.ready.wait(20)
            assert alerts.drain(90)
            (health,) = alerts.health()
            assert (health.dead, health.pending) == (0, 0)
        wait_until(lambda: len(first_copies(subscriber.got)) == 160)
        subscriber.close()
        gate.close()
    assert_all_in_order(subscriber.got, events)


def test_mqtt_with_a_password_and_values_that_are_no_topics(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("paho.mqtt.client")
    import shutil
    import subprocess

    if not shutil.which("mosquitto_passwd"):
        pytest.skip("mosquitto_passwd is not installed")
    passwords = tmp_path / "passwords"
    command = ["mosquitto_passwd", "-b", "-c", str(passwords), "watch", "pa55"]
    subprocess.run(command, check=True, capture_output=True)
    passwords.chmod(0o644)
    more = ["allow_anonymous false", f"password_file {passwords}"]
    with mosquitto(tmp_path, *more) as server:
        table = {"kind": "mqtt", "host": "127.0.0.1", "port": server.port, "user": "watch"}
        table |= {"name": "s", "topic": "a/{zone}/{state}/{track}", "retain": True}
        monkeypatch.setenv("MQTT_PASSWORD", "wrong")
        (sink,) = from_tables([{**table, "password_env": "MQTT_PASSWORD"}], []).sinks
        with pytest.raises(FailedError, match="refused") as error:
            sink.deliver(make_message())
        assert "wrong" not in str(error.value)
        monkeypatch.setenv("MQTT_PASSWORD", "pa55")
        (sink,) = from_tables([{**table, "password_env": "MQTT_PASSWORD"}], []).sinks
        sink.deliver(make_message(make_event(zone_id="+/#", track="a/b$#", state=None)))
        subscriber = Subscriber(server.port, "a/#", username="watch", password="pa55")
        wait_until(lambda: bool(subscriber.got))  # retained
        assert subscriber.topics == ["a/_/none/a_b_"]
        subscriber.close()
        sink.close()


@pytest.mark.parametrize(
    ("kind", "options", "said"),
    [
        ("mqtt", {"host": "h", "topic": "a/#"}, "no + and no #"),
        ("mqtt", {"host": "h", "topic": "a/{zones}"}, "{zones} is not known"),
        ("mqtt", {"host": "h", "topic": "a/{zone"}, "cannot be read"),
        ("mqtt", {"host": "h", "topic": "a/{zone.x}"}, "is not known"),
        ("mqtt", {"host": "h", "topic": "a/{zone!r}"}, "cannot be read"),
        ("nats", {"servers": "nats://h:1", "subject": "a.>"}, "no * and no >"),
        ("nats", {"servers": "nats://u:p@h:1"}, "is no address"),
        ("kafka", {"servers": "h:1", "options": {"acks": 0}}, "acks is set by the sink"),
        ("kafka", {"servers": "h:1", "options": {"akcs": 0}}, "akcs"),
    ],
)
def test_settings_of_brokers_that_cannot_be(kind: str, options: dict[str, Any], said: str) -> None:
    modules = {"mqtt": "paho.mqtt.client", "nats": "nats", "kafka": "confluent_kafka"}
    pytest.importorskip(modules[kind])
    with pytest.raises(FaultyInputError) as error:
        from_tables([{"name": "s", "kind": kind, **options}], [])
    assert said in str(error.value)


# ---- Kafka ---------------------------------------------------------------------------------------


@pytest.fixture
def kafka() -> Iterator[str]:
    """The address of librdkafka's own mock cluster of three brokers."""
    pytest.importorskip("confluent_kafka")
    from confluent_kafka import Producer

    cluster = Producer({"bootstrap.servers": "unused", "test.mock.num.brokers": 3})
    brokers = cluster.list_topics(timeout=20).brokers.values()
    yield ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
    del cluster


def consumed(servers: str, topic: str, count: int) -> list[Any]:
    from confluent_kafka import Consumer

    consumer = Consumer(
        {"bootstrap.servers": servers, "group.id": "g", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    found: list[Any] = []
    until = time.monotonic() + 60
    while time.monotonic() < until:
        message = consumer.poll(0.2)
        if message is not None and not message.error():
            found.append(message)
        elif message is None and len({m.value() for m in found}) >= count:
            break
    consumer.close()
    return found


def test_kafka_keeps_a_track_in_one_partition(tmp_path: Path, kafka: str) -> None:
    log = Log(f"sqlite:///{tmp_path}/watch.db")
    events = made(40)
    table = {"name": "s", "kind": "kafka", "servers": kafka.split(","), "topic": "alerts"}
    with running(Alerts(log, *from_tables([table], RULES))) as alerts:
        log.add(*events)
        alerts.wake()
        assert alerts.drain(60)
    found = consumed(kafka, "alerts", 40)
    bodies = [json.loads(message.value()) for message in found]
    assert_all_in_order(bodies, events)
    where: dict[bytes, set[int]] = {}
    for message, body in zip(found, bodies, strict=True):
        assert message.key().decode() == body["event"]["tracks"][0]
        assert message.headers() == [("adiz-key", body["key"].encode())]
        where.setdefault(message.key(), set()).add(message.partition())
    assert all(len(partitions) == 1 for partitions in where.values())


def test_a_real_kafka_that_is_killed(tmp_path: Path) -> None:
    """Copies may be in the topic (the producer is made anew); none is missing, and order holds."""
    if KafkaServer.jars() is None:
        pytest.skip("no Kafka is here ('make kafka' fetches one; needs Java and Maven)")
    server = KafkaServer(tmp_path)
    log = Log(f"sqlite:///{tmp_path}/watch.db")
    events = made(90)
    table = TRIES | {"kind": "kafka", "servers": server.server, "topic": "alerts", "timeout_s": 5}
    try:
        with running(Alerts(log, *from_tables([table], RULES))) as alerts:
            for n, event in enumerate(events):
                if n % 40 == 20:
                    server.kill()
                log.add(event)
                alerts.wake()
                if n % 40 == 20:
                    failed = alerts.health()[0].failed_tries
                    wait_until(
                        lambda f=failed: alerts.health()[0].failed_tries > f,  # type: ignore[misc]
                        90,
                    )
                    server.start()
            assert alerts.drain(90)
        found = consumed(server.server, "alerts", 90)
        assert_all_in_order([json.loads(message.value()) for message in found], events)
    finally:
        server.kill()


def test_kafka_that_is_not_there_and_records_too_large(kafka: str) -> None:
    table = {"name": "s", "kind": "kafka", "timeout_s": 1.0}
    (sink,) = from_tables([table | {"servers": "127.0.0.1:1"}], []).sinks
    before = time.monotonic()
    with pytest.raises(FailedError):
        sink.deliver(make_message())
    assert time.monotonic() - before < 10
    small = {"servers": kafka.split(","), "options": {"message.max.bytes": 1000}, "timeout_s": 20}
    (sink,) = from_tables([table | small], []).sinks
    with pytest.raises(RefusedError):
        sink.deliver(make_message(make_event(text="x" * 1900)))
    sink.close()
