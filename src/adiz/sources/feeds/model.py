"""What every feed gives and is."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple, Protocol

import polars as pl

from adiz import clock, units
from adiz.errors import AdizError
from adiz.sources.reports import SCHEMA, finish

_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class FeedError(AdizError):
    """A feed cannot be had just now: its text says why. It is tried again."""


class Batch(NamedTuple):
    """What a feed has received since its last batch.

    Attributes:
        reports: exactly the columns of the reports table; only usable rows; ``source`` is the
            feed's name. May be empty.
        received_us: when the last octet of it arrived, microseconds since 1970 UTC; simulated, and
            always the same, for a replay.
        position: where to go on after this batch; opaque; None for feeds that cannot.
        rejected: how many rows, frames or messages were rejected, by reason.
    """

    reports: pl.DataFrame
    received_us: int
    position: str | None
    rejected: dict[str, int]

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing but that the feed is up."""
        return self.reports.is_empty() and not self.rejected and self.position is None


Emit = Callable[[Batch], None]


class Feed(Protocol):
    """A source of batches.

    Attributes:
        name: in the configuration; the ``source`` of its reports.
        kind: its kind in the configuration.
        replayable: from one position on, it always gives the same batches again.
    """

    name: str
    kind: str
    replayable: bool

    def run(self, emit: Emit, stop: threading.Event, position: str | None) -> None:
        """Connect, and give a batch whenever there is something, until ``stop`` is set.

        It returns then, or when the input has ended for good. The first batch of a connection,
        which may be empty, says that the feed is up. ``emit`` may block.

        Raises:
            FeedError: there is no connection, or no longer.
        """
        ...


def now_us() -> int:
    """The present moment, microseconds since 1970 UTC."""
    past = clock.now() - _EPOCH
    return (past.days * 86_400 + past.seconds) * units.US_PER_S + past.microseconds


def make_batch(
    frame: pl.DataFrame | None,
    name: str,
    received_us: int,
    *,
    position: str | None = None,
    rejected: Mapping[str, int] | None = None,
) -> Batch:
    """A batch of a decoder's frame (as :func:`adiz.sources.reports.finish` takes it)."""
    counts = Counter(rejected or {})
    if frame is None or frame.is_empty():
        return Batch(pl.DataFrame(schema=SCHEMA), received_us, position, dict(counts))
    made = finish(frame, name)
    counts.update(made.rejected_counts)
    reports = made.table.with_columns(pl.lit(name).alias("source"))
    return Batch(reports, received_us, position, dict(counts))
