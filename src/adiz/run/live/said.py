"""What passes between the threads of a watch."""

from __future__ import annotations

import queue
import time
from bisect import bisect_left
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import polars as pl

from adiz.out.face.model import LATENCY_BOUNDS_S
from adiz.sources.feeds import Batch

MOST_ROWS = 50_000


class Said(NamedTuple):
    """Something a feed's thread puts into the queue.

    Attributes:
        at_us: when it was received; where batches were made one, the last of them.
        since_us: the same of the first of them; 0: there was but one.
    """

    kind: str
    feed: str
    at_us: int
    batch: Batch | None = None
    data: dict[str, Any] = {}  # noqa: RUF012  never changed
    since_us: int = 0


@dataclass(slots=True)
class Figures:
    """What the watch measures of itself; read by others at any time.

    Attributes:
        latencies_s: from a batch's arrival to its events being in the store, and how many reports
            it had, of the last ones; of batches made one, from the first one's arrival.
        stalled: why the input is stopped just now; None: it is not.
        latency_counts, latency_sum_s: the same of all, by :data:`LATENCY_BOUNDS_S`.
        state_bytes: the size of the last state saved.
        kinds: events by kind.
        began_s, turned_s, checkpoint_s: monotonic times of the start, of the loop's last turn, of
            the last checkpoint that succeeded.
        restart_s: how long it took to go on from where the last run stopped.
    """

    records: int = 0
    reports: int = 0
    events: int = 0
    checkpoints: int = 0
    restart_s: float = 0.0
    stalled: str | None = None
    latencies_s: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=4096))
    latency_counts: list[int] = field(default_factory=lambda: [0] * (len(LATENCY_BOUNDS_S) + 1))
    latency_sum_s: float = 0.0
    state_bytes: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    began_s: float = field(default_factory=time.monotonic)
    turned_s: float = field(default_factory=time.monotonic)
    checkpoint_s: float = field(default_factory=time.monotonic)

    def took(self, latency_s: float, reports: int) -> None:
        """Note the latency of a batch."""
        self.latencies_s.append((latency_s, reports))
        self.latency_counts[bisect_left(LATENCY_BOUNDS_S, latency_s)] += 1
        self.latency_sum_s += latency_s


def joined(a: Batch, b: Batch) -> Batch:
    """Two batches of one feed that follow each other as one."""
    rejected = {
        name: a.rejected.get(name, 0) + b.rejected.get(name, 0)
        for name in (*a.rejected, *(n for n in b.rejected if n not in a.rejected))
    }
    position = b.position if b.position is not None else a.position
    return Batch(pl.concat([a.reports, b.reports]), b.received_us, position, rejected)


def gathered(first: Said, waiting: queue.Queue[Said]) -> list[Said]:
    """What else waits, up to some ten thousand reports; a feed's batches in a row become one.

    The more of them wait, the less each costs: a watch that is behind catches up.
    """
    found = [first]
    rows = len(first.batch.reports) if first.batch else 0
    while rows < MOST_ROWS:
        try:
            said = waiting.get_nowait()
        except queue.Empty:
            break
        rows += len(said.batch.reports) if said.batch else 0
        last = found[-1]
        if said.batch and last.batch and said.feed == last.feed:
            found[-1] = last._replace(
                batch=joined(last.batch, said.batch),
                at_us=said.at_us,
                since_us=last.since_us or last.at_us,
            )
        else:
            found.append(said)
    return found
