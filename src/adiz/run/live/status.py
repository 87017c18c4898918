"""The figures of a watch that runs, for any thread; and what there is to see, from its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import islice
from typing import TypeVar

import polars as pl

from adiz import __version__
from adiz.out.alerts import SinkHealth
from adiz.out.face.model import Ahead, FeedState, Inside, Scene, Seen, Status
from adiz.run.live.labels import Label
from adiz.run.live.loop import Watch
from adiz.sources.feeds import ClockWatch, Supervisor
from adiz.sources.feeds.model import now_us

T = TypeVar("T")
Box = tuple[float, float, float, float]
"""South, north, west in degrees, and the width in degrees of longitude."""

_TRIES = 20
_MOST_TRACKS = 1500
_MOST_ROWS = 200
_MOST_RECENT = 60
_STALE_US = 300_000_000


def read_status(watch: Watch) -> Status:
    """The figures now; from any thread, also while the loop is held up."""
    figures, now_s = watch.figures, time.monotonic()
    at_us, mark = watch.time_us, watch.engine.watermark_us
    depth, size = watch.backlog
    sinks, error = _sinks(watch)
    return Status(
        version=__version__,
        at_us=at_us,
        live=watch.live,
        uptime_s=now_s - figures.began_s,
        turn_age_s=max(0.0, now_s - figures.turned_s),
        stalled=figures.stalled,
        records=figures.records,
        events=_steady(lambda: dict(figures.kinds)),
        tally=_steady(watch.engine.tally),
        lag_s=None if mark is None else max(0.0, (at_us - mark) / 1e6),
        queue_depth=depth,
        queue_size=size,
        journal_bytes=watch.journal.size_bytes,
        archive_outside=watch.archive.outside,
        checkpoints=figures.checkpoints,
        checkpoint_age_s=max(0.0, now_s - figures.checkpoint_s),
        checkpoint_bytes=figures.state_bytes,
        restart_s=figures.restart_s,
        latency_counts=tuple(figures.latency_counts),
        latency_sum_s=figures.latency_sum_s,
        feeds=tuple(
            _feed(name, supervisor, watch.clocks[name], watch.live)
            for name, supervisor in watch.supervisors.items()
        ),
        sinks=sinks,
        alerts_error=error,
    )


def _feed(name: str, supervisor: Supervisor, clock: ClockWatch, live: bool) -> FeedState:
    health = supervisor.health
    last_us = health.last_us
    return FeedState(
        name=name,
        kind=supervisor.feed.kind,
        state=health.state,
        reason=health.reason,
        age_s=max(0.0, (now_us() - last_us) / 1e6) if live and last_us is not None else None,
        clock=_steady(lambda: clock.verdict),
        clock_delay_s=_steady(lambda: clock.delay_s),
        reports=health.reports,
        batches=health.batches,
        rejected=_steady(lambda: dict(health.rejected)),
    )


def _sinks(watch: Watch) -> tuple[tuple[SinkHealth, ...], str | None]:
    if watch.alerts is None:
        return (), None
    try:
        return tuple(watch.alerts.health()), watch.alerts.error
    except Exception as error:  # the database is away: the rest can be told all the same
        return (), f"{type(error).__name__}: {error}"


def _steady(read: Callable[[], T]) -> T:
    """What another thread may be changing; read again where it did."""
    for _ in range(_TRIES):
        try:
            return read()
        except RuntimeError:  # changed while it was gone through
            continue
    return read()


class Scenes:
    """Copies of what there is to see, made in the loop's thread, only when asked for.

    While the watch is behind (its queue more than half full) none is made: what is shown grows
    old, and events do not wait.

    Attributes:
        shed: how often that was so.
        error: why no copy can be made any more; None: it can.
    """

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._asked = threading.Event()
        self._made = threading.Event()
        self._box: Box | None = None
        self._scene: Scene | None = None
        self.shed = 0
        self.error: str | None = None
        watch.on_turn.append(self._turned)

    def next(self, timeout_s: float, box: Box | None = None) -> Scene | None:
        """A new copy, with the tracks in a box; the last one where none came in time."""
        self._box = box
        self._made.clear()
        self._asked.set()
        self._made.wait(timeout_s)
        return self._scene

    def _turned(self) -> None:
        if not self._asked.is_set() or self.error is not None:
            return
        depth, size = self._watch.backlog
        if self._watch.live and depth > size // 2:  # a replay waits, and fills its queue
            self.shed += 1
            return
        self._asked.clear()
        try:
            self._scene = make_scene(self._watch, self._box)
        except Exception as error:  # no fault of a view is to stop the watch
            self.error = f"{type(error).__name__}: {error}"
        self._made.set()


def make_scene(watch: Watch, box: Box | None = None) -> Scene:
    """What there is to see; in the loop's thread alone."""
    engine, at_us = watch.engine, watch.time_us
    stays, warnings = engine.open_stays(), engine.open_warnings()
    inside, ahead = _inside(stays), _ahead(warnings)
    labels = engine.labels.by_track
    named = {*(i.track_id for i in inside), *(a.track_id for a in ahead)}
    wanted = [label for name in named if (label := labels.get(name))]
    if box is not None:
        south, north, west, width = box
        since_us = at_us - _STALE_US
        near = (
            label
            for label, (_, last_us, lat_deg, lon_deg, _) in ((x, x.at) for x in labels.values())
            if last_us >= since_us
            and lat_deg is not None
            and lon_deg is not None
            and south <= lat_deg <= north
            and (lon_deg - west) % 360.0 <= width
        )
        wanted += islice(near, _MOST_TRACKS)
    return Scene(
        at_us=at_us,
        zones=engine.zones,
        tracks={label.track_id: seen for label in wanted if (seen := _seen(label))},
        track_count=len(labels),
        inside=inside,
        inside_count=len(stays),
        ahead=ahead,
        ahead_count=0 if warnings is None else len(warnings),
        recent=tuple(watch.recent)[-_MOST_RECENT:],
        max_gap_s=engine.params.stays.max_gap_s,
    )


def _inside(stays: pl.DataFrame) -> tuple[Inside, ...]:
    rows = stays.select(
        "track_id",
        "zone_id",
        pl.col("entry_time").to_physical().alias("since_us"),
        pl.col("exit_time").to_physical().alias("last_us"),
        pl.col("max_depth_m").alias("depth_m"),
    )
    rows = rows.drop_nulls("last_us").top_k(_MOST_ROWS, by=pl.col("since_us").fill_null(0))
    return tuple(Inside(**row) for row in rows.sort("since_us", "track_id").rows(named=True))


def _ahead(warnings: pl.DataFrame | None) -> tuple[Ahead, ...]:
    if warnings is None:
        return ()
    rows = warnings.select(
        "track_id",
        "zone_id",
        pl.col("predicted_entry_time").to_physical().alias("entry_us"),
        "gs_kt",
        "track_true_deg",
    )
    rows = rows.drop_nulls("entry_us").bottom_k(_MOST_ROWS, by="entry_us")
    return tuple(Ahead(**row) for row in rows.sort("entry_us", "track_id").rows(named=True))


def _seen(label: Label) -> Seen | None:
    if label.lat_deg is None or label.lon_deg is None:
        return None
    return Seen(
        track_id=label.track_id,
        time_us=label.last_us,
        lat_deg=label.lat_deg,
        lon_deg=label.lon_deg,
        alt_ft=label.alt_ft,
        callsign=label.value("callsign") or label.value("registration"),
        type_code=label.value("type_code"),
        squawk=label.value("squawk"),
        state=label.state,
        role=label.role,
    )
