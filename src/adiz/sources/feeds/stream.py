"""Feeds over a TCP connection: octets that come in pieces cut anywhere."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any, Protocol

import polars as pl

from adiz.options import Option
from adiz.sources.feeds import net
from adiz.sources.feeds.model import Batch, Emit, FeedError, make_batch, now_us

TIMING = (
    Option("batch_s", "number", "seconds for which reports are gathered", 0.1, least=0.0,
           most=10.0),
    Option("silent_s", "number", "seconds without anything usable after which it is down", 60.0,
           least=1.0, most=86_400.0),
)  # fmt: skip


def options(port: int) -> tuple[Option, ...]:
    """The options of a feed that connects, and its usual port."""
    return (
        Option("host", "text", "name or address of the receiver"),
        Option("port", "whole", "its port", port, least=1, most=65_535),
        Option("timeout_s", "number", "seconds that connecting may take", 5.0, least=0.1, most=300),
        *TIMING,
    )


class Decoder(Protocol):
    """Makes frames (see :mod:`adiz.sources.reports`) of octets; none make it raise.

    Attributes:
        rejected: what was rejected and is not in a frame, by reason.
    """

    rejected: Counter[str]

    def step(self, pieces: list[net.Piece]) -> pl.DataFrame | None:
        """The frame of what these pieces complete; None if they complete nothing."""
        ...

    def cut(self) -> pl.DataFrame | None:
        """The connection is cut: what has come of a frame will never be whole."""
        ...


class Usefulness:
    """Tells when nothing that can be used has come for too long."""

    def __init__(self, silent_s: float) -> None:
        self._silent_s = silent_s
        self._last_s = time.monotonic()

    def see(self, batch: Batch) -> None:
        """Take in a batch.

        Raises:
            FeedError: all there is has been rejected for ``silent_s``.
        """
        now_s = time.monotonic()
        if batch.reports.height or not batch.rejected:
            self._last_s = now_s
        elif now_s - self._last_s > self._silent_s:
            most = max(batch.rejected, key=lambda reason: batch.rejected[reason])
            raise FeedError(f"nothing usable came for {self._silent_s:g} s: {most}")


def decoded(decoder: Decoder, name: str, frame: pl.DataFrame | None, received_us: int) -> Batch:
    """The batch of a decoder's frame, with what it has rejected since the last."""
    rejected, decoder.rejected = decoder.rejected, Counter()
    return make_batch(frame, name, received_us, rejected=rejected)


@dataclass(slots=True)
class StreamFeed:
    """Connects to a receiver and decodes what it sends, from one connection to the next."""

    name: str
    kind: str
    decoder: Decoder
    host: str
    port: int
    timeout_s: float
    batch_s: float
    silent_s: float
    replayable: bool = False

    def run(self, emit: Emit, stop: threading.Event, position: str | None) -> None:
        """Receive until asked to stop, or cut off."""
        sock = net.connect(self.host, self.port, self.timeout_s, stop)
        useful = Usefulness(self.silent_s)
        try:
            for pieces in net.gather(sock, stop, self.batch_s, self.silent_s):
                frame = self.decoder.step(pieces)
                batch = decoded(self.decoder, self.name, frame, pieces[-1][1])
                if frame is not None or batch.rejected:
                    emit(batch)
                    useful.see(batch)
        except FeedError as error:
            raise FeedError(f"{self.host}:{self.port}: {error}") from None
        finally:
            net.close(sock)
            batch = decoded(self.decoder, self.name, self.decoder.cut(), now_us())
            if not batch.is_empty:
                emit(batch)


def make(name: str, kind: str, decoder: Decoder, values: dict[str, Any]) -> StreamFeed:
    """The feed of validated options, of which those of the decoder are taken out."""
    return StreamFeed(name, kind, decoder, **values)
