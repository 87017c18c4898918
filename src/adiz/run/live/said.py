"""What passes between the threads of a watch."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import polars as pl

from adiz.out.face.model import LATENCY_BOUNDS_S
from adiz.sources.feeds import Batch


class Said(NamedTuple):
    """Something a feed's thread puts into the queue."""

    kind: str
    feed: str
    at_us: int
    batch: Batch | None = None
    data: dict[str, Any] = {}  # noqa: RUF012  never changed


@dataclass(slots=True)
class Figures:
    """What the watch measures of itself; read by others at any time.

    Attributes:
        latencies_s: from a batch's arrival to its events being in the store, of the last ones.
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
    latencies_s: deque[float] = field(default_factory=lambda: deque(maxlen=4096))
    latency_counts: list[int] = field(default_factory=lambda: [0] * (len(LATENCY_BOUNDS_S) + 1))
    latency_sum_s: float = 0.0
    state_bytes: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    began_s: float = field(default_factory=time.monotonic)
    turned_s: float = field(default_factory=time.monotonic)
    checkpoint_s: float = field(default_factory=time.monotonic)

    def took(self, latency_s: float) -> None:
        """Note the latency of a batch."""
        self.latencies_s.append(latency_s)
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
