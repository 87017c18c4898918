"""Servers of feeds that do as they are told, on this machine, and runs of a feed against them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import polars as pl

from adiz.sources.feeds import Batch, Feed, Supervisor

Handler = Callable[[socket.socket, int], None]


@contextmanager
def tcp_server(handle: Handler) -> Iterator[int]:
    """A server whose every connection (the how-manieth, from 0) is handled, then closed."""
    listener = socket.create_server(("127.0.0.1", 0))
    open_now: list[socket.socket] = []

    def serve() -> None:
        with suppress(OSError):
            for number in range(1000):
                sock, _ = listener.accept()
                open_now.append(sock)
                with suppress(OSError), sock:
                    handle(sock, number)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for sock in open_now:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        thread.join(5)


class Watcher:
    """Takes down all that a supervisor tells."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.told: list[tuple[Any, ...]] = []

    def supervise(self, feed: Feed, **options: Any) -> Supervisor:
        options = {"first_s": 0.05, "most_s": 0.2, **options}
        return Supervisor(
            feed,
            emit=lambda name, batch: self.batches.append(batch),
            up=lambda name, at_us: self.told.append(("up",)),
            down=lambda name, at_us, reason: self.told.append(("down", reason)),
            ended=lambda name, at_us: self.told.append(("ended", at_us)),
            **options,
        )

    @property
    def reports(self) -> pl.DataFrame:
        return pl.concat([b.reports for b in list(self.batches)])

    @property
    def rejected(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for batch in list(self.batches):
            for reason, count in batch.rejected.items():
                counts[reason] = counts.get(reason, 0) + count
        return counts

    def height(self) -> int:
        return sum(b.reports.height for b in list(self.batches))


def wait_for(true: Callable[[], Any], timeout_s: float = 30.0) -> None:
    """Wait until something is so; fail if it does not become so."""
    until_s = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < until_s, "it did not happen in time"
        time.sleep(0.01)


@contextmanager
def watched(feed: Feed, **options: Any) -> Iterator[Watcher]:
    """A feed under a supervisor, stopped at the end, promptly."""
    watcher = Watcher()
    supervisor = watcher.supervise(feed, **options)
    watcher.supervisor = supervisor  # type: ignore[attr-defined]
    supervisor.start()
    try:
        yield watcher
    finally:
        began_s = time.monotonic()
        assert supervisor.stop(10)
        assert time.monotonic() - began_s < 8.0
