"""The engine of the watch: what it tells is what the batch run finds, in whatever way it is fed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from tests.property.test_stays_fold import ZONES, batch, world

import adiz
from adiz.detect.stays import order_of, sort_stays
from adiz.events import Event
from adiz.run.live.company import CompanyParams
from adiz.run.live.engine import Engine, EngineParams
from adiz.run.live.gate import GateParams
from adiz.run.live.record import Record
from adiz.run.live.telling import Output
from adiz.sources.reports import as_declared

PARAMS = EngineParams(
    gate=GateParams(lateness_s=30.0), company=CompanyParams(lateness_s=600.0), dwell_s=300.0
)


@dataclass
class Run:
    """A watch without feeds and store: the engine, and an archive in memory."""

    params: EngineParams = PARAMS
    outputs: list[Output] = field(default_factory=list)
    parts: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.engine = self.new()

    def new(self) -> Engine:
        return Engine(ZONES, self.params, history=self.history)

    def history(self, who: Sequence[str] | pl.Expr, since_us: int) -> pl.DataFrame:
        kept = pl.concat([o.reports for o in self.outputs])
        wanted = who if isinstance(who, pl.Expr) else pl.col("track_id").is_in(list(who))
        return kept.filter(wanted & (pl.col("time").dt.epoch("us") >= since_us))

    def step(self, kind: str, feed: str, at_us: int, reports: pl.DataFrame | None = None) -> None:
        record = Record(len(self.outputs) + 1, kind, feed, at_us, reports)
        self.outputs.append(self.engine.step(record))

    def reborn(self) -> None:
        """Saved and restored: in parts, and now and then whole."""
        needed = self.engine.parts_needed()
        state, part = self.engine.save_part()
        self.parts = [*self.parts[len(self.parts) - needed :], part]
        if len(self.outputs) % 3 == 0:
            state, self.parts = self.engine.save(), []
        self.engine = self.new()
        self.engine.restore(state, self.parts)

    @property
    def events(self) -> list[Event]:
        return [event for out in self.outputs for event in out.events]

    @property
    def stays(self) -> pl.DataFrame:
        rows = pl.concat([o.stays for o in self.outputs if o.stays is not None])
        last = rows.group_by("stay_id", maintain_order=True).last()
        kept = last.filter(~pl.col("withdrawn")).select(rows.columns)
        return sort_stays(kept.drop("stay_id", "revision", "withdrawn"))

    @property
    def encounters(self) -> pl.DataFrame:
        tables = [o.encounters for o in self.outputs if o.encounters is not None]
        if not tables:
            return adiz.find_encounters(declared(1)[:0])
        rows = pl.concat(tables)
        assert rows.select("encounter_id", "revision").is_unique().all()
        last = rows.sort("revision").group_by("encounter_id", maintain_order=True).last()
        kept = last.filter(~pl.col("withdrawn")).drop("encounter_id", "revision", "withdrawn")
        return kept.sort("start_time", "track_a", "track_b")


def declared(seed: int) -> pl.DataFrame:
    reports = world(seed)
    return as_declared(reports, "test").unique(["track_id", "time"], keep="first").sort("time")


def arrivals(reports: pl.DataFrame, seed: int, disorder_s: float) -> pl.DataFrame:
    """The reports in the order of their arrival, with its time."""
    delay_us = np.random.default_rng(seed).uniform(0, disorder_s * 1e6, len(reports)).astype(int)
    at = pl.col("time").dt.epoch("us") + pl.Series(delay_us)
    return reports.with_columns(at_us=at).sort("at_us")


def fed(
    run: Run, came: pl.DataFrame, cuts: list[int], *, feeds: int = 1, save: bool = False
) -> Run:
    for k, (a, b) in enumerate(zip([0, *cuts], [*cuts, len(came)], strict=True)):
        part = came[a:b]
        if part.is_empty():
            continue
        run.step("reports", f"feed-{k % feeds}", int(part["at_us"].max()), part.drop("at_us"))
        if save:
            run.reborn()
    run.step("end", "", int(came["at_us"].max()))
    return run


def latest(events: list[Event]) -> list[tuple[object, ...]]:
    """What holds in the end, without when it was found out."""
    by_id = {event.event_id: event for event in events}
    return sorted(
        (e.kind, e.tracks, e.zone_id or "", e.time_us) for e in by_id.values() if not e.withdrawn
    )


FEW = settings(max_examples=max(25, settings().max_examples // 3))
CUTS = st.lists(st.integers(0, 240), max_size=8).map(sorted)


@FEW
@given(st.integers(0, 10_000), CUTS, st.floats(0, 29))
def test_live_equals_batch_whatever_the_order_within_the_lateness(
    seed: int, cuts: list[int], disorder_s: float
) -> None:
    reports = declared(seed)
    run = fed(Run(), arrivals(reports, seed, disorder_s), cuts)
    assert run.engine.counts["late"] == 0
    assert_frame_equal(run.stays, batch(reports))
    wanted = adiz.find_encounters(reports)
    assert run.encounters.equals(wanted)


@FEW
@given(st.integers(0, 10_000), CUTS, st.floats(30, 900))
def test_reports_too_late_bring_revisions_until_it_is_the_batch(
    seed: int, cuts: list[int], disorder_s: float
) -> None:
    reports = declared(seed)
    run = fed(Run(), arrivals(reports, seed, disorder_s), cuts, feeds=2)
    assert_frame_equal(run.stays, batch(reports))
    calm = fed(Run(), arrivals(reports, seed, 0.0), [])
    quiet = {"warning", "encounter", "formation"}  # of these no revision is made for late reports
    told = [e for e in run.events if e.kind not in quiet]
    wanted = [e for e in calm.events if e.kind not in quiet]
    assert latest(told) == latest(wanted)


@FEW
@given(st.integers(0, 10_000), CUTS, st.floats(0, 200))
def test_saved_and_restored_after_every_step_nothing_differs(
    seed: int, cuts: list[int], disorder_s: float
) -> None:
    came = arrivals(declared(seed), seed, disorder_s)
    one, other = fed(Run(), came, cuts), fed(Run(), came, cuts, save=True)
    assert one.events == other.events
    assert one.stays.equals(other.stays)


@FEW
@given(st.integers(0, 10_000), CUTS)
def test_duplicates_change_nothing(seed: int, cuts: list[int]) -> None:
    reports = declared(seed)
    twice = pl.concat([reports, reports]).sort(order_of(reports))
    run = fed(Run(), arrivals(twice, seed, 20.0), cuts, feeds=3)
    assert_frame_equal(run.stays, batch(reports))
    ids = [event.key for event in run.events]
    assert len(ids) == len(set(ids))


def test_a_silent_feed_holds_the_others_back_no_longer_than_it_may() -> None:
    reports = declared(3).filter(pl.col("track_id") == "t0")
    run = Run()
    first = int(reports["time"].dt.epoch("us").min())
    run.step("reports", "silent", first, reports[:1])
    for row in reports[1:].iter_slices(1):
        run.step("reports", "other", int(row["time"].dt.epoch("us")[0]), row)
    newest = int(reports["time"].dt.epoch("us").max())
    assert run.engine.watermark_us == newest - 30_000_000


def test_a_report_of_the_future_does_not_end_the_present() -> None:
    reports = declared(3).filter(pl.col("track_id") == "t0")
    run = Run()
    half = len(reports) // 2
    now = int(reports["time"].dt.epoch("us")[half])
    wrong = reports[:1].with_columns(pl.col("time") + pl.duration(days=400))
    run.step("reports", "a", now, pl.concat([reports[:half], wrong]))
    run.step("reports", "a", now + 10**10, reports[half:])
    run.step("end", "a", now + 10**10)
    assert run.engine.tally()["future"] == 1
    assert_frame_equal(run.stays, batch(reports))
