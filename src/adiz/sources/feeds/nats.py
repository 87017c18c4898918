"""Reports from a stream of NATS JetStream (:mod:`adiz.sources.feeds.messages`).

The position is the sequence number in the stream. Every connection makes a consumer of its own that
begins after the position and wants no acknowledgements: what the watch has stored is what counts,
and the stream has to keep messages for as long as the watch may be away. A message that is missing
between two others (the consumer's own count tells) ends the connection; the next one fetches it.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from adiz.options import Option, OptionError, needs_package
from adiz.sources import convert
from adiz.sources.feeds import net
from adiz.sources.feeds.messages import Messages
from adiz.sources.feeds.model import Batch, Emit, FeedError, make_batch, now_us

if TYPE_CHECKING:
    from nats.aio.msg import Msg
    from nats.js import JetStreamContext
    from nats.js.api import ConsumerConfig

OPTIONS = (
    Option("url", "texts", "addresses of the servers, as nats://HOST:4222 or tls://…"),
    Option("stream", "text", "name of the stream"),
    Option("subject", "text", "which of its subjects; may have wildcards", ">"),
    Option("begin", "text", "where the first time: new, all, or a moment in ISO 8601", "new"),
    Option("time_zone", "text", "IANA zone of times that name none; else those are rejected", None),
    Option("user", "text", "name to log in with", None),
    Option("password", "text", "password of that name", None),
    Option("token", "text", "token to log in with", None),
    Option("tls_ca", "text", "file of the authority that vouches for the server", None),
    Option("batch_s", "number", "seconds for which messages are gathered", 0.1, least=0.01,
           most=10.0),
    Option("timeout_s", "number", "seconds that an answer may take", 5.0, least=0.1, most=300.0),
)  # fmt: skip
_MOST_MESSAGES = 1_000
_PENDING_OCTETS = 1 << 26
_PING_S = 10
GONE = "messages that the stream no longer holds"
OTHER_STREAM = "a stream that ends before the position: begun anew"


def make(name: str, values: dict[str, Any]) -> NatsFeed:
    """The feed of validated options."""
    needs_package("nats", "nats-py", "nats")
    convert.check_zone(values["time_zone"])
    if values["begin"] not in ("new", "all"):
        values["begin"] = begin_moment(values["begin"])
    decoder = Messages(values.pop("time_zone"))
    return NatsFeed(name, decoder, **values)


def begin_moment(text: str) -> datetime:
    """The moment that an option ``begin`` names."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        remedy = "write new, all, or a moment as 2024-05-31T21:47:51Z"
        raise OptionError(f"'{text}' is no beginning", "begin", remedy)
    return moment


@dataclass(slots=True)
class NatsFeed:
    """See the module."""

    name: str
    decoder: Messages
    url: list[str]
    stream: str
    subject: str
    begin: str | datetime
    user: str | None
    password: str | None
    token: str | None
    tls_ca: str | None
    batch_s: float
    timeout_s: float
    kind: str = "nats"
    replayable: bool = False

    def run(self, emit: Emit, stop: threading.Event, position: str | None) -> None:
        """Receive until asked to stop, or cut off."""
        import nats.errors

        where = f"{' '.join(map(net.shown, self.url))}, stream {self.stream}"
        try:
            asyncio.run(_until(stop, self._receive(emit, stop, position)))
        except (nats.errors.Error, OSError, TimeoutError, FeedError) as error:
            said = str(error) or type(error).__name__
            raise FeedError(f"{where}: {said.removeprefix('nats: ')}") from None

    async def _receive(self, emit: Emit, stop: threading.Event, position: str | None) -> None:
        import nats
        import nats.errors

        trouble: list[str] = []

        async def note(error: Exception) -> None:
            trouble.append(str(error) or type(error).__name__)

        login = {"user": self.user, "password": self.password, "token": self.token}
        try:
            connection = await nats.connect(
                self.url, allow_reconnect=False, max_reconnect_attempts=1,
                reconnect_time_wait=0.1, connect_timeout=self.timeout_s, error_cb=note,
                ping_interval=_PING_S, max_outstanding_pings=2, tls=self._tls(),
                **{key: value for key, value in login.items() if value is not None},
            )  # fmt: skip
        except nats.errors.NoServersError:
            raise FeedError(", ".join(trouble[-1:]) or "no server") from None
        try:
            subscription = await self._subscribe(connection.jetstream(), emit, position)
            expected = 1
            while not stop.is_set():
                if not connection.is_connected:
                    raise FeedError(", ".join(trouble[-1:]) or "the connection was lost")
                try:
                    messages = await subscription.fetch(_MOST_MESSAGES, timeout=self.batch_s)
                except (nats.errors.TimeoutError, TimeoutError):
                    continue
                if messages:
                    expected = _in_sequence(messages, expected)
                    emit(self._batch(messages))
        finally:
            await connection.close()

    def _tls(self) -> ssl.SSLContext | None:
        if self.tls_ca is None and not any(url.startswith("tls:") for url in self.url):
            return None
        return ssl.create_default_context(cafile=self.tls_ca)

    async def _subscribe(
        self, streams: JetStreamContext, emit: Emit, position: str | None
    ) -> JetStreamContext.PullSubscription:
        """A consumer from the position on; the first batch says where that is."""
        from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

        state = (await streams.stream_info(self.stream)).state
        rejected: Counter[str] = Counter()
        after = _sequence(position)
        if after is not None and after > state.last_seq:
            after, rejected[OTHER_STREAM] = state.first_seq - 1, 1
        elif after is not None and after + 1 < state.first_seq:
            rejected[GONE] = state.first_seq - 1 - after
        elif after is None and self.begin in ("new", "all"):
            after = state.last_seq if self.begin == "new" else max(state.first_seq - 1, 0)
        config = ConsumerConfig(
            ack_policy=AckPolicy.NONE, filter_subject=self.subject, mem_storage=True,
            inactive_threshold=60.0, max_waiting=512,
        )  # fmt: skip
        if after is None and isinstance(self.begin, datetime):
            config.deliver_policy = DeliverPolicy.BY_START_TIME
            config.opt_start_time = self.begin
        else:
            config.deliver_policy = DeliverPolicy.BY_START_SEQUENCE
            config.opt_start_seq = (after or 0) + 1
        subscription = await _pull(streams, self.stream, config)
        said = None if after is None else str(after)
        emit(make_batch(None, self.name, now_us(), position=said, rejected=rejected))
        return subscription

    def _batch(self, messages: list[Msg]) -> Batch:
        received_us = now_us()
        frame = self.decoder.step([message.data for message in messages])
        rejected, self.decoder.rejected = self.decoder.rejected, Counter()
        position = str(messages[-1].metadata.sequence.stream)
        return make_batch(frame, self.name, received_us, position=position, rejected=rejected)


async def _pull(
    streams: JetStreamContext, stream: str, config: ConsumerConfig
) -> JetStreamContext.PullSubscription:
    return await streams.pull_subscribe(
        config.filter_subject or ">", stream=stream, config=config,
        pending_bytes_limit=_PENDING_OCTETS,
    )  # fmt: skip


def _sequence(position: str | None) -> int | None:
    if position is None:
        return None
    if not position.isdecimal():
        raise FeedError(f"'{position}' is no position in a stream")
    return int(position)


def _in_sequence(messages: list[Msg], expected: int) -> int:
    """The number that the consumer gives to the next message."""
    for message in messages:
        if message.metadata.sequence.consumer != expected:
            raise FeedError("a message was lost on the way: fetching it again")
        expected += 1
    return expected


async def _until(stop: threading.Event, work: Coroutine[Any, Any, None]) -> None:
    """Do something until asked to stop."""
    task = asyncio.create_task(work)
    while not task.done():
        await asyncio.wait({task}, timeout=0.2)
        if stop.is_set() and not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=1.0)
            return
    task.result()
