"""Stays while they happen: what a watch is told is what the batch run finds, whatever is done."""

from __future__ import annotations

import itertools
from datetime import timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from tests.property.test_stays_fold import START, ZONES, batch, square, world

from adiz.detect.stays import StaysParams, order_of, sort_stays
from adiz.detect.watching import WatchedStays
from adiz.zones.model import Zones

ENDS = StaysParams(track_end_s=800.0)
KEY = ["track_id", "zone_id", "entry_time", "entry_kind"]


@given(st.integers(0, 10_000), st.lists(st.integers(0, 240), max_size=6), st.booleans())
def test_finished_stays_are_those_of_the_batch_and_each_was_told_when_it_began(
    seed: int, cuts: list[int], forget: bool
) -> None:
    reports = world(seed).sort("time", *order_of(world(seed)))
    fold = WatchedStays(ZONES, ENDS)
    finished, opened = [], []
    for a, b in itertools.pairwise([0, *sorted(cuts), len(reports)]):
        step = fold.watch(reports[a:b])
        assert not step.late
        finished.append(step.finished)
        opened.append(step.opened)
        fold = WatchedStays.restore(fold.save(), ZONES)
        if forget and b:
            newest = int(reports["time"][:b].dt.epoch("us").max())
            finished.append(fold.retire(newest))
        standing = fold.open_stays()
        told = pl.concat(opened).join(standing, on=KEY)
        assert len(told) == len(standing)
    finished.append(fold.flush())
    found = sort_stays(pl.concat(finished))
    assert_frame_equal(found, batch(reports, track_end_s=800.0))
    began = found.filter(pl.col("entry_time").is_not_null(), pl.col("certainty") == "observed")
    assert_frame_equal(
        pl.concat(opened).select(KEY).sort(KEY), began.select(KEY).sort(KEY), check_dtypes=False
    )


@given(st.integers(0, 10_000), st.integers(0, 200))
def test_a_late_report_is_named_and_refolding_mends_its_track(seed: int, at: int) -> None:
    reports = world(seed).sort(order_of(world(seed))).unique(["track_id", "time"], keep="first")
    reports = reports.sort(order_of(reports))
    late = reports[at : at + 1]
    rest = reports.with_row_index().filter(pl.col("index") != at).drop("index")
    fold = WatchedStays(ZONES)
    fold.watch(rest.sort("time"))
    named = fold.watch(late).late
    track = late["track_id"][0] if len(late) else "t0"
    last = rest.filter(pl.col("track_id") == track)["time"].max()
    assert named == ([0] if len(late) and last is not None and late["time"][0] < last else [])
    mended = fold.refold(track, reports.filter(pl.col("track_id") == track))
    found = pl.concat([mended.finished, fold.flush()])
    of_track = pl.col("track_id") == track
    assert_frame_equal(
        sort_stays(found.filter(of_track)), batch(reports).filter(of_track), check_dtypes=False
    )


@given(st.integers(0, 10_000), st.integers(1, 239))
def test_zones_that_stay_go_on_when_others_come_and_go(seed: int, at: int) -> None:
    reports = world(seed).sort("time", *order_of(world(seed)))
    before = Zones((square("GOING", 10.1, 20.1, 0.6), *ZONES))
    after = Zones((*ZONES, square("COMING", 10.2, 20.0, 0.6)))
    fold = WatchedStays(before)
    finished = [fold.watch(reports[:at]).finished]
    finished.append(fold.rezone(after).finished)
    fold = WatchedStays.restore(fold.save(), after)
    finished += [fold.watch(reports[at:]).finished, fold.flush()]
    found = sort_stays(pl.concat(finished))
    kept = found.filter(~pl.col("zone_id").is_in(["GOING", "COMING"]))
    wanted = batch(reports)
    assert_frame_equal(kept.drop("max_depth_m"), wanted.drop("max_depth_m"))
    apart_m = (kept["max_depth_m"] - wanted["max_depth_m"]).abs().fill_null(0)
    assert (apart_m <= 1.0 + 1e-3 * wanted["max_depth_m"].fill_null(0)).all()
    for name, kind in (("GOING", "exit_kind"), ("COMING", "entry_kind")):
        words = {"GOING": "deactivated", "COMING": "activated"}
        others = set(found.filter(pl.col("zone_id") == name)[kind]) - {words[name]}
        assert others <= {"crossed", "appeared", "vanished", "lost", "reacquired"}


def test_two_aircraft_with_one_name_are_two_tracks() -> None:
    """Silent for five minutes, then 900 km away: nothing is said of what lay between."""
    rows = [(0, 10.1, 20.1), (60, 10.15, 20.1), (360, 10.3, 28.5), (420, 10.3, 20.3)]
    reports = pl.DataFrame(
        {
            "time": [START + timedelta(seconds=s) for s, _, _ in rows[:3]],
            "track_id": ["x"] * 3,
            "lat_deg": [lat for _, lat, _ in rows[:3]],
            "lon_deg": [lon for _, _, lon in rows[:3]],
        }
    )
    stays = batch(reports).filter(pl.col("zone_id") == "PLAIN")
    assert stays["exit_kind"].to_list() == ["vanished"]
    assert stays["certainty"].to_list() == ["observed"]
