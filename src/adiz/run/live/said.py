"""What passes between the threads of a watch."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import polars as pl

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
        restart_s: how long it took to go on from where the last run stopped.
    """

    records: int = 0
    reports: int = 0
    events: int = 0
    checkpoints: int = 0
    restart_s: float = 0.0
    stalled: str | None = None
    latencies_s: deque[float] = field(default_factory=lambda: deque(maxlen=4096))


def joined(a: Batch, b: Batch) -> Batch:
    """Two batches of one feed that follow each other as one."""
    rejected = {
        name: a.rejected.get(name, 0) + b.rejected.get(name, 0)
        for name in (*a.rejected, *(n for n in b.rejected if n not in a.rejected))
    }
    position = b.position if b.position is not None else a.position
    return Batch(pl.concat([a.reports, b.reports]), b.received_us, position, rejected)
