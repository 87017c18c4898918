"""Encounters found anew where reports came too late for the fold that runs along.

A late report changes the legs of its track beside it and nothing else. So what the fold says of
that span is not told; the encounters that touch it are found again by the batch fold, from all
reports of the track and of those that were near it, and that is told instead. An encounter that
still goes on is looked at again later, until it is over and the fold can say no more of the span.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import msgspec
import polars as pl

from adiz.detect.encounters import EncountersFold
from adiz.units import US_PER_S

_FOREVER_US = 1 << 62
_SLACK_US = 120 * US_PER_S
"""The fold tells an encounter up to a minute after it could, and none shorter than a minute."""
_WINDOW_US = 600 * US_PER_S
_CHUNK_US = 600 * US_PER_S
_MOST_BOXES = 100
_MANY = 100
_MANY_EVERY_US = 150 * US_PER_S
"""A feed that is always late makes a look at all its tracks necessary: so many, seldom."""
_MOST_KT = 2000.0
_LONGEST_LEG_DEG = 90.0

History = Callable[[Sequence[str] | pl.Expr, int], pl.DataFrame]
"""(track ids or a condition, since, microseconds) -> the reports of earlier steps."""


@dataclass(slots=True)
class Span:
    """Where a track's reports came late.

    Attributes:
        first_us, last_us: the earliest and the latest of them.
        asked: something has come up since it was last looked at.
    """

    first_us: int
    last_us: int
    asked: bool = True


@dataclass(slots=True)
class SecondLook:
    """The tracks to be looked at again.

    Args:
        within_nm, within_ft, max_gap_s, lateness_s: of the fold.
        reach_s: reports later than that change nothing: their tracks may be forgotten.
    """

    within_nm: float
    within_ft: float
    max_gap_s: float
    lateness_s: float
    reach_s: float
    newest_us: int | None = None
    looked_us: int | None = None
    spans: dict[str, Span] = field(default_factory=dict)

    def observe(self, reports: pl.DataFrame) -> None:
        """Reports that the fold is about to take: which come too late for it?"""
        if reports.is_empty():
            return
        times = reports["time"].to_physical()
        newest = int(times.max())  # type: ignore[arg-type]
        if self.newest_us is not None:
            late_us = self.newest_us - round(self.lateness_s * US_PER_S)
            if int(times.min()) < late_us:  # type: ignore[arg-type]
                reach_us = self.newest_us - round(self.reach_s * US_PER_S)
                self._mark(reports.filter((times < late_us) & (times >= reach_us)))
        self.newest_us = max(newest, self.newest_us or newest)

    def _mark(self, late: pl.DataFrame) -> None:
        time = pl.col("time").to_physical()
        found = late.group_by("track_id", maintain_order=True).agg(
            time.min().alias("first"), time.max().alias("last")
        )
        for track_id, first_us, last_us in found.iter_rows():
            span = self.spans.setdefault(track_id, Span(first_us, last_us))
            span.first_us = min(span.first_us, first_us)
            span.last_us = max(span.last_us, last_us)
            span.asked = True

    def holds(self, a: str, b: str, start_us: int, end_us: int, *, ask: bool = False) -> bool:
        """Whether what the fold says of an encounter is not to be told."""
        held = False
        for track_id in (a, b):
            span = self.spans.get(track_id)
            if span is not None and self._touches(span, start_us, end_us):
                held = True
                span.asked |= ask
        return held

    def _touches(self, span: Span, start_us: int, end_us: int) -> bool:
        gap_us = round(self.max_gap_s * US_PER_S)
        return start_us <= span.last_us + gap_us and end_us >= span.first_us - gap_us

    @property
    def over_us(self) -> int:
        """Of encounters that ended before this the fold has said all it will."""
        assert self.newest_us is not None
        return self.newest_us - round((self.lateness_s + self.max_gap_s) * US_PER_S) - _SLACK_US

    def due(self, under_way: Iterable[tuple[str, str, int]]) -> list[str]:
        """The tracks to look at now; the fold has these encounters under way."""
        open_ = [
            (a, b, start_us) for a, b, start_us in under_way if a in self.spans or b in self.spans
        ]
        gap_us = round(self.max_gap_s * US_PER_S)
        found = []
        for track_id, span in self.spans.items():
            lasts = any(
                track_id in (a, b) and start_us <= span.last_us + gap_us for a, b, start_us in open_
            )
            if span.asked or (self.over_us > span.last_us + gap_us + _SLACK_US and not lasts):
                found.append(track_id)
        many = len(found) > _MANY and self.looked_us is not None
        if many and self.newest_us - self.looked_us < _MANY_EVERY_US:  # type: ignore[operator]
            return []
        return sorted(found)

    def look(
        self, tracks: Collection[str], history: History, more: pl.DataFrame | None
    ) -> tuple[pl.DataFrame, Callable[[str, str, int, int], bool]]:
        """The encounters that touch the spans of some tracks, of any length, found anew.

        Args:
            more: reports of this step, which are not in the history yet.

        Returns:
            The encounters, and the test by which they were chosen: tracks, begin and end.
        """
        spans = {track_id: self.spans[track_id] for track_id in tracks}

        def concerns(a: str, b: str, start_us: int, end_us: int) -> bool:
            return any(t in spans and self._touches(spans[t], start_us, end_us) for t in (a, b))

        gap_us = round(self.max_gap_s * US_PER_S)
        first_us, window_us = min(span.first_us for span in spans.values()) - gap_us, _WINDOW_US
        while True:
            since_us = first_us - window_us
            found = self._found(spans, since_us, history, more)
            times = (pl.col(n).dt.epoch("us") for n in ("start_time", "end_time"))
            chosen = [concerns(*row) for row in found.select("track_a", "track_b", *times).rows()]
            found = found.filter(pl.Series(chosen, dtype=pl.Boolean))
            begun = found["start_time"].dt.epoch("us").min()
            # One that began where the reports begin may have begun before.
            if not isinstance(begun, int) or begun > since_us + gap_us:
                return found, concerns
            window_us *= 3

    def _found(
        self, tracks: Collection[str], since_us: int, history: History, more: pl.DataFrame | None
    ) -> pl.DataFrame:
        def read(who: Sequence[str] | pl.Expr) -> pl.DataFrame:
            past = history(who, since_us)
            if more is None:
                return past
            chosen = who if isinstance(who, pl.Expr) else pl.col("track_id").is_in(list(who))
            recent = more.filter(chosen & (pl.col("time").to_physical() >= since_us))
            return pl.concat([past, recent.select(past.columns)])

        own = read(sorted(tracks))
        near = read(self._near(own))["track_id"].unique().to_list()
        reports = read(sorted({*near, *tracks}))
        fold = EncountersFold(
            within_nm=self.within_nm,
            within_ft=self.within_ft,
            for_s=0.0,
            max_gap_s=self.max_gap_s,
            threads=1,
        )
        order = ["time", "track_id", "lat_deg", "lon_deg", "alt_baro_ft"]
        ended = fold.step(reports.sort(order))
        return pl.concat([ended, fold.flush()]).sort("start_time", "track_a", "track_b")

    def _near(self, own: pl.DataFrame) -> pl.Expr:
        """A condition that reports of all who were near these tracks fulfil.

        A leg is at most ``max_gap_s`` long: one of its two ends is at most that far, at the
        greatest speed that makes a leg, from where they met.
        """
        margin_deg = (self.within_nm + _MOST_KT * self.max_gap_s / 3600) / 60 * 1.01
        boxes = _boxes(own, _CHUNK_US)
        if len(boxes) > _MOST_BOXES:
            boxes = _boxes(own, None)
        if not 0 < len(boxes) <= _MOST_BOXES:
            return pl.lit(True)
        gap_us = round(self.max_gap_s * US_PER_S)
        wanted = pl.lit(False)
        for from_us, to_us, south, north, west, east in boxes.iter_rows():
            time = pl.col("time").to_physical().is_between(from_us - gap_us, to_us + gap_us)
            # Its own legs reach into the next chunk.
            low, high = south - 2 * margin_deg, north + 2 * margin_deg
            box = time & pl.col("lat_deg").is_between(low, high)
            furthest = max(abs(low), abs(high))
            if furthest < 85:
                wide = 2 * margin_deg / math.cos(math.radians(furthest))
                if west - wide > -180 and east + wide < 180 and east - west < _LONGEST_LEG_DEG:
                    box &= pl.col("lon_deg").is_between(west - wide, east + wide)
            wanted |= box
        return wanted

    def looked(self, tracks: Iterable[str], open_: Collection[tuple[str, str]]) -> None:
        """These were looked at, and what was over is told; some pairs are still together."""
        gap_us = round(self.max_gap_s * US_PER_S)
        self.looked_us = self.newest_us
        together = {track_id for pair in open_ for track_id in pair}
        for track_id in tracks:
            span = self.spans[track_id]
            if track_id not in together and span.last_us + gap_us < self.over_us:
                del self.spans[track_id]
                continue
            span.first_us = max(span.first_us, self.over_us)
            span.last_us = max(span.last_us, self.over_us)
            span.asked = False

    def forget(self, track_ids: Iterable[str]) -> None:
        """Forget tracks that have ended."""
        for track_id in track_ids:
            self.spans.pop(track_id, None)

    # ---- memory ---------------------------------------------------------------------------------

    def save(self) -> dict[str, Any]:
        """The state, for :meth:`restore`."""
        spans = {track_id: asdict(span) for track_id, span in self.spans.items()}
        return {"newest_us": self.newest_us, "looked_us": self.looked_us, "spans": spans}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up what was saved."""
        self.newest_us, self.looked_us = state["newest_us"], state["looked_us"]
        self.spans = msgspec.convert(state["spans"], dict[str, Span])


def _boxes(own: pl.DataFrame, chunk_us: int | None) -> pl.DataFrame:
    """Where each track was, by stretches of time: times and edges of a box."""
    time = pl.col("time").to_physical()
    keys = [pl.col("track_id")] + ([] if chunk_us is None else [time // chunk_us])
    named = [key.alias(f"key_{number}") for number, key in enumerate(keys)]
    return (
        own.group_by(named, maintain_order=True)
        .agg(
            time.min().alias("from"),
            time.max().alias("to"),
            pl.col("lat_deg").min().alias("south"),
            pl.col("lat_deg").max().alias("north"),
            pl.col("lon_deg").min().alias("west"),
            pl.col("lon_deg").max().alias("east"),
        )
        .drop([f"key_{number}" for number in range(len(keys))])
    )
