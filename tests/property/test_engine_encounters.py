"""Encounters of a watch whose reports come too late: in the end those of the batch run."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from tests.encounter_worlds import crowd
from tests.property.test_engine import CUTS, Run, arrivals, fed, latest

import adiz
from adiz.run.live.company import CompanyParams
from adiz.run.live.engine import EngineParams
from adiz.run.live.gate import GateParams
from adiz.sources.reports import as_declared

NEAR = {"within_nm": 10.0, "within_ft": 10_000.0, "for_s": 60.0}
PARAMS = EngineParams(
    gate=GateParams(lateness_s=5.0), company=CompanyParams(**NEAR, lateness_s=20.0), warnings=None
)
FEW = settings(max_examples=max(15, settings().max_examples // 4))


def declared(seed: int) -> pl.DataFrame:
    reports = as_declared(crowd(seed, reports=40), "test")
    return reports.unique(["track_id", "time"], keep="first").sort("time")


def some_late(reports: pl.DataFrame, seed: int, late_s: float, share: float) -> pl.DataFrame:
    """Some of the reports come late, in runs of a track as a bad link makes them."""
    rng = np.random.default_rng(seed)
    stretch = pl.col("time").dt.epoch("s") // 90
    key = reports.select((pl.col("track_id") + "/" + stretch.cast(pl.String)).alias("k"))["k"]
    delays = {
        k: rng.uniform(0, late_s) if rng.random() < share else 0.0 for k in key.unique().sort()
    }
    delay_us = pl.Series([round(delays[k] * 1e6) for k in key], dtype=pl.Int64)
    return reports.with_columns(at_us=pl.col("time").dt.epoch("us") + delay_us).sort("at_us")


def same(run: Run, reports: pl.DataFrame) -> None:
    wanted = adiz.find_encounters(reports, **NEAR)
    assert_frame_equal(run.encounters, wanted, check_exact=True)
    told = [e for e in latest(run.events) if e[0] == "encounter"]
    rows = wanted.select("track_a", "track_b", pl.col("start_time").dt.epoch("us")).rows()
    assert told == sorted(("encounter", (a, b), "", at) for a, b, at in rows)
    ids = [event.key for event in run.events]
    assert len(ids) == len(set(ids))


@FEW
@given(st.integers(0, 10_000), CUTS, st.floats(30, 2000))
def test_in_any_order_it_is_the_batch(seed: int, cuts: list[int], disorder_s: float) -> None:
    reports = declared(seed)
    same(fed(Run(PARAMS), arrivals(reports, seed, disorder_s), cuts, feeds=2), reports)


@FEW
@given(st.integers(0, 10_000), st.integers(1, 60), st.floats(30, 1500), st.floats(0.02, 0.5))
def test_stretches_that_come_late_are_worked_in(
    seed: int, size: int, late_s: float, share: float
) -> None:
    reports = declared(seed)
    came = some_late(reports, seed, late_s, share)
    cuts = list(range(size, len(came), size))
    run = fed(Run(PARAMS), came, cuts)
    same(run, reports)
    again = fed(Run(PARAMS), came, cuts, save=True)
    assert again.events == run.events
    assert again.encounters.equals(run.encounters)
