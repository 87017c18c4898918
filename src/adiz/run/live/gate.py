"""Time in a watch: how far the feeds have come, and reports put in order up to there.

The watermark is the least of what the feeds have reached, less the lateness allowed. A feed that
has been silent for ``silent_s``, or is down, does not hold the others back; when all are, time goes
on as the clock of reception does. All of it follows from the records alone.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from adiz.detect.stays import order_of
from adiz.run.live.record import Record
from adiz.schema import REPORTS, polars_schema
from adiz.units import US_PER_S

_SCHEMA = polars_schema(REPORTS)


@dataclass(slots=True)
class _Feed:
    newest_us: int
    heard_us: int
    up: bool = True


@dataclass(frozen=True, slots=True)
class GateParams:
    """How reports are put in order.

    Attributes:
        lateness_s: how far out of order reports may come; so long they are held.
        silent_s: a feed that says nothing for so long holds the others back no more.
        future_s: a report so far ahead of its reception is refused: its clock is wrong.
    """

    lateness_s: float = 5.0
    silent_s: float = 10.0
    future_s: float = 60.0


@dataclass(slots=True)
class Gate:
    """Holds reports until nothing that is in time can come before them.

    Attributes:
        watermark_us: reports up to here have been let through; None before the first.
        future_count: reports refused for a time in the future.
    """

    params: GateParams
    watermark_us: int | None = None
    future_count: int = 0
    _feeds: dict[str, _Feed] = field(default_factory=dict)
    _none: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_SCHEMA))
    _held: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_SCHEMA))

    def step(self, record: Record) -> pl.DataFrame:
        """Take a record; the reports that are due, in the order the folds take them in."""
        reports = record.reports
        if reports is not None and not reports.is_empty():
            reports = self._believed(reports, record.received_us)
        if reports is not None and not reports.is_empty():
            newest = int(reports["time"].to_physical().max())  # type: ignore[arg-type]
            feed = self._feeds.setdefault(record.feed, _Feed(newest, record.received_us))
            feed.newest_us = max(feed.newest_us, newest)
            self._held = reports if self._held.is_empty() else pl.concat([self._held, reports])
        if record.feed in self._feeds:
            feed = self._feeds[record.feed]
            feed.heard_us = max(feed.heard_us, record.received_us)
            feed.up = record.kind != "feed_down"
        self._advance(record.received_us)
        return self._due()

    def flush(self) -> pl.DataFrame:
        """All that is held: nothing more will come."""
        due, self._held = self._held, self._none
        if not due.is_empty():
            newest = int(due["time"].to_physical().max())  # type: ignore[arg-type]
            self.watermark_us = max(newest, self.watermark_us or newest)
        return due.sort(order_of(due))

    def _believed(self, reports: pl.DataFrame, received_us: int) -> pl.DataFrame:
        latest = received_us + round(self.params.future_s * US_PER_S)
        if int(reports["time"].to_physical().max()) <= latest:  # type: ignore[arg-type]
            return reports
        good = reports.filter(pl.col("time").to_physical() <= latest)
        self.future_count += len(reports) - len(good)
        return good

    def _advance(self, now_us: int) -> None:
        silent_us = round(self.params.silent_s * US_PER_S)
        heard = [f for f in self._feeds.values() if f.up and f.heard_us >= now_us - silent_us]
        if heard:
            reached = min(f.newest_us for f in heard)
        elif self._feeds:
            # Their clocks may be off, or what they send is of long ago: only what passed counts.
            feeds = self._feeds.values()
            reached = max(f.newest_us + max(now_us - f.heard_us - silent_us, 0) for f in feeds)
        else:
            return
        mark = reached - round(self.params.lateness_s * US_PER_S)
        self.watermark_us = mark if self.watermark_us is None else max(mark, self.watermark_us)

    def _due(self) -> pl.DataFrame:
        if self._held.is_empty() or self.watermark_us is None:
            return self._none
        ready = self._held["time"].to_physical() <= self.watermark_us
        if ready.all():
            due, self._held = self._held, self._none
        elif ready.any():
            due, self._held = self._held.filter(ready), self._held.filter(~ready)
        else:
            return self._none
        return due if len(due) == 1 else due.sort(order_of(due))

    def table(self) -> bytes:
        """The reports held, packed."""
        rows = io.BytesIO()
        self._held.write_ipc(rows, compression="lz4")
        return rows.getvalue()

    def save(self, table: bytes) -> dict[str, Any]:
        """The state, for :meth:`restore`; ``table`` is that of :meth:`table`."""
        feeds = {name: [f.newest_us, f.heard_us, f.up] for name, f in self._feeds.items()}
        return {
            "watermark_us": self.watermark_us,
            "future_count": self.future_count,
            "feeds": feeds,
            "held": table,
        }

    @classmethod
    def restore(cls, params: GateParams, state: dict[str, Any]) -> Gate:
        """The gate that was saved."""
        feeds = {name: _Feed(*values) for name, values in state["feeds"].items()}
        held = pl.read_ipc(io.BytesIO(state["held"]))
        return cls(params, state["watermark_us"], state["future_count"], feeds, _held=held)
