"""Reports from a topic of Kafka (:mod:`adiz.sources.feeds.messages`).

All partitions are read, each from its own offset; the position is the next offset of every one. The
watch keeps it: nothing is committed to the broker. Partitions that are added are found within a
minute and read from their beginning.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from adiz.options import Option, OptionError, needs_package
from adiz.sources import convert
from adiz.sources.feeds.messages import Messages
from adiz.sources.feeds.model import Batch, Emit, FeedError, make_batch, now_us
from adiz.sources.feeds.nats import begin_moment

if TYPE_CHECKING:
    from confluent_kafka import Consumer, KafkaError, Message

OPTIONS = (
    Option("servers", "texts", "addresses of brokers, as HOST:9092"),
    Option("topic", "text", "name of the topic"),
    Option("begin", "text", "where the first time: new, all, or a moment in ISO 8601", "new"),
    Option("time_zone", "text", "IANA zone of times that name none; else those are rejected", None),
    Option("settings", "table", "further settings of librdkafka, as security.protocol", None),
    Option("batch_s", "number", "seconds for which messages are gathered", 0.1, least=0.01,
           most=10.0),
    Option("timeout_s", "number", "seconds that an answer may take", 10.0, least=0.1, most=300.0),
)  # fmt: skip
_MOST_MESSAGES = 1_000
_QUEUED_KB = 65_536
_LOOK_FOR_PARTITIONS_S = 60.0
GONE = "messages that the topic no longer holds"
OTHER_TOPIC = "a partition that ends before the position: begun anew"
EMPTY = "a message without content"


def make(name: str, values: dict[str, Any]) -> KafkaFeed:
    """The feed of validated options."""
    needs_package("confluent_kafka", "confluent-kafka", "kafka")
    convert.check_zone(values["time_zone"])
    if values["begin"] not in ("new", "all"):
        values["begin"] = begin_moment(values["begin"])
    values["settings"] = settings = values["settings"] or {}
    for key, value in settings.items():
        if not isinstance(value, str | int | float):
            raise OptionError(f"{key} is {value!r}", "settings", "text, a number or a truth")
    decoder = Messages(values.pop("time_zone"))
    return KafkaFeed(name, decoder, **values)


@dataclass(slots=True)
class KafkaFeed:
    """See the module."""

    name: str
    decoder: Messages
    servers: list[str]
    topic: str
    begin: str | datetime
    settings: dict[str, Any]
    batch_s: float
    timeout_s: float
    kind: str = "kafka"
    replayable: bool = False

    def run(self, emit: Emit, stop: threading.Event, position: str | None) -> None:
        """Receive until asked to stop, or cut off."""
        from confluent_kafka import Consumer, KafkaException

        where = f"{' '.join(self.servers)}, topic {self.topic}"
        trouble: list[KafkaError] = []
        try:
            consumer = Consumer(self._settings(trouble))
            try:
                self._receive(consumer, trouble, emit, stop, position)
            finally:
                consumer.close()
        except KafkaException as error:
            told = error.args[0] if error.args else error
            raise FeedError(f"{where}: {told.str() if hasattr(told, 'str') else told}") from None
        except FeedError as error:
            raise FeedError(f"{where}: {error}") from None

    def _settings(self, trouble: list[KafkaError]) -> dict[str, Any]:
        return {
            "client.id": "adiz",
            "group.id": f"adiz-{self.name}",  # has to be there; nothing is kept under it
            "fetch.wait.max.ms": 100,
            "queued.max.messages.kbytes": _QUEUED_KB,
            "socket.connection.setup.timeout.ms": max(1000, round(self.timeout_s * 1000)),
            **self.settings,
            "bootstrap.servers": ",".join(self.servers),
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "error",
            "error_cb": trouble.append,
        }

    def _receive(
        self,
        consumer: Consumer,
        trouble: list[KafkaError],
        emit: Emit,
        stop: threading.Event,
        position: str | None,
    ) -> None:
        offsets = _offsets(position)
        rejected = self._assign(consumer, offsets, first=position is None)
        emit(make_batch(None, self.name, now_us(), position=_said(offsets), rejected=rejected))
        looked_s = time.monotonic()
        while not stop.is_set():
            messages = consumer.consume(_MOST_MESSAGES, timeout=self.batch_s)
            _check(trouble)
            if messages:
                emit(self._batch(messages, offsets))
            if time.monotonic() - looked_s > _LOOK_FOR_PARTITIONS_S:
                looked_s = time.monotonic()
                if len(self._partitions(consumer)) > len(offsets):
                    self._assign(consumer, offsets, first=False)

    def _partitions(self, consumer: Consumer) -> list[int]:
        topic = consumer.list_topics(self.topic, timeout=self.timeout_s).topics[self.topic]
        if topic.error is not None:
            raise FeedError(topic.error.str())
        return sorted(topic.partitions)

    def _assign(self, consumer: Consumer, offsets: dict[int, int], *, first: bool) -> Counter[str]:
        """Read every partition from its offset on; those without one get it here."""
        from confluent_kafka import TopicPartition

        rejected: Counter[str] = Counter()
        partitions = [TopicPartition(self.topic, n) for n in self._partitions(consumer)]
        at_moment = {}
        if first and isinstance(self.begin, datetime):
            asked = round(self.begin.timestamp() * 1000)
            wanted = [TopicPartition(self.topic, p.partition, asked) for p in partitions]
            found = consumer.offsets_for_times(wanted, timeout=self.timeout_s)
            at_moment = {p.partition: p.offset for p in found if p.offset >= 0}
        for one in partitions:
            low, high = consumer.get_watermark_offsets(one, timeout=self.timeout_s)
            known = offsets.get(one.partition)
            if known is None:
                known = low if not first or self.begin == "all" else high
                known = at_moment.get(one.partition, known)
            elif known > high:
                rejected[OTHER_TOPIC] += 1
                known = low
            elif known < low:
                rejected[GONE] += low - known
                known = low
            offsets[one.partition] = one.offset = known
        consumer.assign(partitions)
        return rejected

    def _batch(self, messages: list[Message], offsets: dict[int, int]) -> Batch:
        received_us, values = now_us(), []
        for message in messages:
            error, partition, offset = message.error(), message.partition(), message.offset()
            if error is not None or partition is None or offset is None:
                raise FeedError(error.str() if error else "a message without its offset")
            offsets[partition] = offset + 1
            value = message.value()
            if value is None:
                self.decoder.rejected[EMPTY] += 1
            else:
                values.append(bytes(value))
        frame = self.decoder.step(values)
        rejected, self.decoder.rejected = self.decoder.rejected, Counter()
        said = _said(offsets)
        return make_batch(frame, self.name, received_us, position=said, rejected=rejected)


def _offsets(position: str | None) -> dict[int, int]:
    """Partition -> the next offset."""
    try:
        told = json.loads(position or "{}")
        return {int(partition): int(offset) for partition, offset in told.items()}
    except (ValueError, TypeError, AttributeError):
        raise FeedError(f"'{position}' is no position in a topic") from None


def _said(offsets: dict[int, int]) -> str:
    return json.dumps({str(partition): offset for partition, offset in sorted(offsets.items())})


def _check(trouble: list[KafkaError]) -> None:
    """Whether what the client has told in the meantime ends the connection."""
    from confluent_kafka import KafkaError

    for error in trouble:
        if error.fatal() or error.code() == KafkaError._ALL_BROKERS_DOWN:
            raise FeedError(error.str())
    trouble.clear()
