"""The fold property of encounters: how the reports arrive changes nothing."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from tests.encounter_worlds import crowd

from adiz.detect.company import Rule
from adiz.detect.encounters import EncountersFold
from adiz.detect.formations import Formations, FormationsFold
from adiz.errors import AdizError
from adiz.run.together import encounters_through, find_encounters, find_formations

SORT = ["start_time", "track_a", "track_b"]


def fold(lateness_s: float = 30) -> EncountersFold:
    return EncountersFold(for_s=20, lateness_s=lateness_s)


@given(st.integers(0, 10**6), st.randoms(use_true_random=False))
def test_any_split_order_and_restart(seed: int, rng: random.Random) -> None:
    reports = crowd(seed)
    whole = find_encounters(reports, for_s=20)
    # Rows move by up to the lateness, steps are cut anywhere, the state is saved and restored.
    moved = reports.with_columns(
        late=pl.col("time").dt.epoch("us")
        + pl.Series([rng.randrange(30_000_000) for _ in range(reports.height)])
    ).sort("late")
    sweep_s = rng.choice([None, 2.0, 8.0, 60.0])
    live, parts, at = EncountersFold(for_s=20, lateness_s=30, sweep_s=sweep_s), [], 0
    while at < moved.height:
        n = rng.choice([1, 3, 17, 60])
        parts.append(live.step(moved.slice(at, n)))
        at += n
        if rng.random() < 0.3:
            live = EncountersFold.restore(live.save())
    parts.append(live.flush())
    assert live.counts["late"] == 0
    assert_frame_equal(pl.concat(parts).sort(SORT), whole, check_exact=True)
    shuffled = reports.sample(fraction=1.0, shuffle=True, seed=seed)
    assert_frame_equal(find_encounters(shuffled, for_s=20), whole, check_exact=True)


class Saved:
    """States in parts as a watch keeps them: of each the parts that it needs, the last one its own.

    Args:
        live: the fold that is saved.
    """

    def __init__(self, live: EncountersFold) -> None:
        self.parts: list[bytes] = []
        self.states = [(live.save(), self.parts)]  # before the first part

    def save(self, live: EncountersFold) -> None:
        """As a forked process does: on a copy, which may put tracks in order."""
        kept = self.parts[len(self.parts) - live.parts_needed() :]
        state, part = live.save_part()
        self.parts = [*kept, part]
        self.states.append((state, self.parts))
        live.mark_saved(True)

    def restored(self, *, before: int = 0) -> EncountersFold:
        """From the last state, or one before it."""
        del self.states[len(self.states) - before :]
        state, self.parts = self.states[-1]
        return EncountersFold.restore(state, self.parts)


@given(st.integers(0, 10**6), st.sampled_from([0, 30]), st.randoms(use_true_random=False))
def test_states_saved_in_parts(seed: int, lateness_s: int, rng: random.Random) -> None:
    """What is told, and the whole state, are those of a fold that was left in peace."""
    reports = pl.concat([crowd(seed), crowd(seed).sample(fraction=0.1, seed=seed)])
    moved = reports.with_columns(
        late=pl.col("time").dt.epoch("us")
        + pl.Series([rng.randrange(lateness_s * 1_000_000 + 1) for _ in range(reports.height)])
    ).sort("late")
    settings = {"for_s": 20, "lateness_s": lateness_s, "max_gap_s": rng.choice([10, 120])}
    peace, live = EncountersFold(**settings), EncountersFold(**settings)
    saved, stepped = Saved(live), [0]
    at, told, wanted, steps = 0, [], [], []
    while at < moved.height:
        steps.append(moved.slice(at, rng.choice([1, 3, 17, 60])))
        at += steps[-1].height
    for k, rows in enumerate(steps):
        wanted.append(peace.step(rows))
        told.append(live.step(rows))
        chance = rng.random()
        if chance < 0.4:
            saved.save(live)
            stepped.append(k + 1)
        elif chance < 0.5:  # a part could not be written: the next one holds everything
            live.mark_saved(False)
        elif chance < 0.7 and len(stepped) > 2:
            before = rng.choice([0, 1])
            live = saved.restored(before=before)
            del stepped[len(stepped) - before :]
            if stepped[-1]:
                assert live.parts_needed() <= len(saved.parts)
            del told[stepped[-1] :]
            for again in steps[stepped[-1] : k + 1]:
                told.append(live.step(again))
    assert live.under_way().equals(peace.under_way())
    told.append(live.flush())
    wanted.append(peace.flush())
    assert live.counts == peace.counts  # not before: tracks are put in order when it is needed
    assert_frame_equal(pl.concat(told), pl.concat(wanted), check_exact=True)


@given(st.integers(0, 10**6))
def test_a_state_in_parts_is_the_whole_state(seed: int) -> None:
    """Reports in order: octet by octet, and what no part needs any more is not needed."""
    live = fold(0)
    saved, most = Saved(live), 0
    for day in range(2):
        for rows in crowd(seed).with_columns(pl.col("time") + timedelta(days=day)).iter_slices(9):
            live.step(rows)
            saved.save(live)
            most = max(most, len(saved.parts))
            assert saved.restored().save() == live.save()
    assert most < len(saved.states) - 1


def test_parts_that_are_missing_or_others_are_refused() -> None:
    live = fold()
    saved = Saved(live)
    for rows in crowd(2).head(60).iter_slices(9):
        live.step(rows)
        saved.save(live)
    state, parts = saved.states[-1]
    assert len(parts) > 2
    for wrong in ([], parts[1:], [*parts[:-1], parts[0]], [*parts[:-1], parts[-1][:-3]]):
        with pytest.raises(AdizError, match="cannot be carried on"):
            EncountersFold.restore(state, wrong)


@given(st.integers(0, 10**6), st.integers(5, 90), st.sampled_from([0.0, 40.0]))
def test_any_number_of_threads_and_size_of_chunk(seed: int, rows: int, lateness_s: float) -> None:
    reports = crowd(seed)
    whole = find_encounters(reports, for_s=20)
    parts = [reports.slice(at, 17) for at in range(0, reports.height, 17)]
    uneven = pl.DataFrame(
        [
            pl.concat([column[: 7 * k], column[7 * k :]], rechunk=False)
            for k, column in enumerate(reports)
        ]
    )
    shuffled = reports.sample(fraction=1.0, shuffle=True, seed=seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("adiz.detect._encounters.CHUNK_ROWS", rows)
        patch.setattr("adiz.detect.encounters.CHUNK_ROWS", rows)
        for given_rows in (reports, shuffled, uneven, pl.concat(parts, rechunk=False)):
            states = set()
            for threads in (1, 2, 5):
                live = EncountersFold(for_s=20, lateness_s=lateness_s, threads=threads)
                found = [live.step(given_rows)]
                states.add(live.save())
                found.append(live.flush())
                assert_frame_equal(pl.concat(found).sort(SORT), whole, check_exact=True)
            assert len(states) == 1


@given(st.integers(0, 10**6), st.integers(5, 90), st.integers(1, 4))
def test_what_is_prepared_may_wait(seed: int, rows: int, threads: int) -> None:
    reports = crowd(seed)
    live = EncountersFold(for_s=20, threads=threads)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("adiz.detect._encounters.CHUNK_ROWS", rows)
        patch.setattr("adiz.detect.encounters.CHUNK_ROWS", rows)
        prepared = [live.prepare(part) for part in reports.iter_slices(71)]
        found = [live.step(part) for part in prepared]
    whole = find_encounters(reports, for_s=20)
    assert_frame_equal(pl.concat([*found, live.flush()]).sort(SORT), whole, check_exact=True)


def test_a_step_in_order_of_time_holds_no_more_than_many_steps() -> None:
    days = [crowd(1).with_columns(pl.col("time") + timedelta(days=day)) for day in range(20)]
    live = fold()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("adiz.detect._encounters.CHUNK_ROWS", 50)
        live.step(pl.concat(days))
    assert live.held[0] < 250


@pytest.mark.parametrize("shuffled", [False, True])
def test_files_in_order_of_time_or_not(tmp_path: Path, shuffled: bool) -> None:
    reports = crowd(15, tracks=10, reports=40)
    rows = reports.sample(fraction=1.0, shuffle=True, seed=1) if shuffled else reports
    for k in range(3):
        rows.slice(k * 140, 140).write_parquet(tmp_path / f"{k}.parquet")
    live = fold()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("adiz.run.together._SLICE_ROWS", 60)
        met = encounters_through(live, tmp_path)
        rule = Rule(for_s=60, apart_s=60, level_ft=5000, heading_deg=90, speed_kt=300, close_nm=4)
        together = find_formations(tmp_path, rule=rule)
    assert not any(live.counts.values())
    assert_frame_equal(met, find_encounters(reports, for_s=20), check_exact=True)
    whole = find_formations(reports, rule=rule)
    assert_frame_equal(together.formations, whole.formations, rel_tol=1e-9)


@given(st.integers(0, 10**6))
def test_shift_of_time_and_longitude(seed: int) -> None:
    reports = crowd(seed)
    whole = find_encounters(reports, for_s=20)
    shift = timedelta(days=1000, microseconds=123_456_789)
    times = ["start_time", "end_time", "time_of_min"]
    later = find_encounters(reports.with_columns(pl.col("time") + shift), for_s=20)
    assert_frame_equal(later.with_columns(pl.col(times) - shift), whole, rel_tol=1e-6)
    around = find_encounters(reports.with_columns(pl.col("lon_deg") + 360.0), for_s=20)
    for name in times:
        assert ((around[name] - whole[name]).abs() <= timedelta(milliseconds=1)).all()
    assert_frame_equal(around.drop(times), whole.drop(times), rel_tol=1e-4, abs_tol=1e-3)


def test_reports_twice_change_nothing_but_the_count() -> None:
    reports = crowd(3)
    live = fold()
    twice = encounters_through(live, pl.concat([reports, reports]))
    assert_frame_equal(twice, find_encounters(reports, for_s=20), check_exact=True)
    assert live.counts["same_time"] == reports.height


def test_a_late_report_is_counted_and_left_out() -> None:
    reports = crowd(3)
    live = fold(lateness_s=1)
    live.step(reports)
    live.step(reports.head(5))
    assert live.counts["late"] == 5


def test_memory_is_that_of_the_aircraft_in_the_air() -> None:
    live = fold()
    for day in range(40):
        live.step(crowd(1).with_columns(pl.col("time") + timedelta(days=day)))
        assert live.held[0] < 250
        assert live.held[1] < 16


def test_what_is_under_way_is_what_comes_out() -> None:
    reports = crowd(15, tracks=10, reports=40)
    whole = find_encounters(reports, for_s=20)
    live, seen = fold(lateness_s=0), {}
    for k in range(reports.height):
        live.step(reports.slice(k, 1))
        for row in live.under_way().iter_rows(named=True):
            assert row["end_kind"] is None
            seen[row["track_a"], row["track_b"], row["start_time"]] = row
    assert seen
    for row in whole.iter_rows(named=True):
        before = seen.pop((row["track_a"], row["track_b"], row["start_time"]), None)
        assert before is None or before["end_time"] <= row["end_time"]
    assert not seen


@pytest.mark.parametrize("cut", [0, 5, 40, 400, -1])
def test_damaged_state_is_refused(cut: int) -> None:
    live = fold()
    live.step(crowd(2))
    with pytest.raises(AdizError, match="cannot be carried on"):
        EncountersFold.restore(live.save()[:cut])


@given(st.integers(0, 10**6), st.randoms(use_true_random=False))
def test_formations_too(seed: int, rng: random.Random) -> None:
    rule = Rule(for_s=60, apart_s=60, level_ft=5000, heading_deg=90, speed_kt=300, close_nm=4)
    reports = crowd(seed, tracks=8)
    whole = find_formations(reports, rule=rule)
    live, parts, at = FormationsFold(rule, lateness_s=1), [], 0
    while at < reports.height:
        n = rng.choice([1, 11, 60])
        parts.append(live.step(reports.slice(at, n)))
        at += n
        if rng.random() < 0.1:
            live = FormationsFold.restore(live.save())
    found = Formations.joined([*parts, live.flush()])
    for name in ("formations", "parts", "events", "company"):
        assert_frame_equal(getattr(found, name), getattr(whole, name), rel_tol=1e-9)


def test_a_pair_that_never_parts_holds_up_no_other() -> None:
    rows = []
    for minute in range(180):
        for name, lat in (("for-ever-1", 0.0), ("for-ever-2", 0.01)):
            rows.append((minute, name, lat, minute * 0.1))
        if minute % 20 < 15:  # others meet and part again, each time others
            for name, lat in (("one", 40.0), ("other", 40.01)):
                rows.append((minute, f"{name}-{minute // 20}", lat, minute % 20 * 0.1))
    reports = pl.DataFrame(rows, schema=["minute", "track_id", "lat_deg", "lon_deg"], orient="row")
    reports = reports.with_columns(
        time=pl.datetime(2026, 3, 1, time_zone="UTC") + pl.duration(minutes=pl.col("minute")),
        alt_baro_ft=pl.lit(30_000.0),
    )
    live = FormationsFold(Rule(), lateness_s=0)
    found, most = [], 0
    for part in reports.partition_by("minute", maintain_order=True):
        found.append(live.step(part))
        most = max(most, live._pending.height + live._chosen.height)
    assert most <= 3
    found.append(live.flush())
    whole = find_formations(reports, rule=Rule())
    assert whole.company.height == 10
    for name in ("formations", "parts", "events", "company"):
        assert_frame_equal(getattr(Formations.joined(found), name), getattr(whole, name))
