"""Alerts to Kafka: delivered when all in-sync replicas have it.

The key of a record is the alert's track, so what is about one track stays in order within its
partition. The producer is idempotent; the header ``adiz-key`` has the alert's own key.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from adiz.options import Option, OptionError
from adiz.out.alerts.message import Message
from adiz.out.alerts.model import FailedError, RefusedError, Retry, SinkBase
from adiz.out.alerts.setting import TIMEOUT, Setting, secret_options
from adiz.out.alerts.sinks.topics import check_template, fill_template

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Producer

OPTIONS = (
    Option("servers", "texts", "HOST:PORT, one or more"),
    Option("topic", "text", "where to; a template", default="adiz-alerts"),
    TIMEOUT,
    Option(
        "options",
        "table",
        "further options of librdkafka by their names there, as security.protocol",
        default={},
    ),
    *secret_options("password", "the password (sasl.password)"),
)
_OURS = ("bootstrap.servers", "enable.idempotence", "acks", "message.timeout.ms", "sasl.password")


def make(setting: Setting) -> KafkaSink:
    """The sink that a table describes.

    Raises:
        OptionError: the library is not there, or a value cannot be used.
    """
    try:
        from confluent_kafka import KafkaException, Producer
    except ModuleNotFoundError:
        remedy = "pip install 'adiz[kafka]'"
        raise OptionError("this kind needs the library confluent-kafka", "kind", remedy) from None
    check_template(setting["topic"], "topic")
    taken = [name for name in setting["options"] if name in _OURS]
    if taken:
        raise OptionError(f"{taken[0]} is set by the sink itself", "options", "leave it out")
    password = setting.secret("password")
    options = {**setting["options"], **({"sasl.password": password} if password else {})}
    sink = KafkaSink(
        setting.name,
        servers=setting["servers"],
        topic=setting["topic"],
        options=options,
        timeout_s=setting["timeout_s"],
        retry=setting.retry,
    )
    try:
        Producer({**sink.configuration, "logger": _silent()})
    except (KafkaException, ValueError, TypeError) as error:
        said = str(error).replace(password, "…") if password else str(error)
        raise OptionError(said, "options", "see librdkafka's CONFIGURATION.md") from None
    return sink


class KafkaSink(SinkBase):
    """Produces one record at a time; the producer is thrown away with every failure, so that
    nothing of it goes out later, behind the outbox's back."""

    kind = "kafka"

    def __init__(
        self,
        name: str,
        *,
        servers: list[str],
        topic: str = "adiz-alerts",
        options: Mapping[str, Any] | None = None,
        timeout_s: float = 10.0,
        retry: Retry | None = None,
    ) -> None:
        super().__init__(name, retry)
        self._topic = topic
        self._timeout_s = timeout_s
        self._producer: Producer | None = None
        self.configuration: dict[str, Any] = {
            "client.id": "adiz",
            "linger.ms": 0,
            "socket.timeout.ms": max(1000, int(timeout_s * 1000)),
            **(options or {}),
            "bootstrap.servers": ",".join(servers),
            "enable.idempotence": True,
            "acks": "all",
            "message.timeout.ms": int(timeout_s * 1000),
        }

    def deliver(self, message: Message) -> None:
        """Produce the alert and wait for the report.

        Raises:
            FailedError: no broker, or no report in time.
            RefusedError: the record is larger than the broker takes.
        """
        from confluent_kafka import KafkaError, KafkaException

        reports: list[KafkaError | None] = []
        try:
            if self._producer is None:
                self._producer = self._make()
            self._producer.produce(
                fill_template(self._topic, message),
                key=message.lane.encode(),
                value=message.json().encode(),
                headers=[("adiz-key", message.key.encode())],
                on_delivery=lambda error, _message: reports.append(error),
            )
            until = time.monotonic() + self._timeout_s + 5.0
            while not reports and time.monotonic() < until:
                self._producer.poll(0.1)
        except KafkaException as error:
            reports = [error.args[0]]
        except (BufferError, ValueError) as error:
            self.close()
            raise FailedError(f"{type(error).__name__}: {error}", down=True) from None
        if not reports:
            self.close()
            raise FailedError("no report of the delivery", down=True)
        said = reports[0]
        if said is not None and said.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            raise RefusedError(said.str())
        if said is not None:
            self.close()
            raise FailedError(said.str(), down=True)

    def close(self) -> None:
        """Drop the producer and what it holds."""
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.purge()
            producer.flush(0)

    def _make(self) -> Producer:
        from confluent_kafka import Producer

        return Producer({**self.configuration, "logger": _silent()})


def _silent() -> logging.Logger:
    """What librdkafka logs would go to stderr; what matters is in the sink's health."""
    logger = logging.Logger("adiz-kafka")
    logger.addHandler(logging.NullHandler())
    return logger
