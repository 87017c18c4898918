"""The first test of the detector: any split, any order within the lateness, the same stays.

Positions are multiples of 2^-20 degree, so that a turn of 360 degrees can be added exactly.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import adiz
from adiz.detect.stays import DisorderError, StaysParams, sort_stays
from adiz.errors import FaultyInputError
from adiz.zones.model import Limit, Ring, Vertex, Zone, Zones

START = datetime(2026, 3, 1, tzinfo=UTC)
GRID = 2.0**-20


def square(name: str, south: float, west: float, size: float, **more: object) -> Zone:
    corners = [(south, west), (south, west + size), (south + size, west + size)]
    corners.append((south + size, west))
    return Zone(name, name, (Ring(tuple(Vertex(a, o) for a, o in corners)),), **more)


ZONES = Zones(
    (
        square("PLAIN", 10.0, 20.0, 0.5),
        square("OVERLAP", 10.2, 20.2, 0.6, edge="rhumb"),
        square("HIGH", 10.1, 20.1, 0.5, floor=Limit("FL", 9000.0), ceiling=Limit("FL", 12000.0)),
        square(
            "DATED",
            9.9,
            19.9,
            0.8,
            valid_from=START + timedelta(seconds=400),
            valid_to=START + timedelta(seconds=1500),
        ),
        square("ABOVE-GROUND", 10.3, 20.0, 0.4, ceiling=Limit("AGL", 1500.0)),
    )
)


def world(seed: int, tracks: int = 4, reports: int = 60) -> pl.DataFrame:
    """Wandering tracks over the zones, with gaps, missing heights, repeats and equal times."""
    rng = np.random.default_rng(seed)
    parts = []
    for k in range(tracks):
        step_s = rng.choice(
            [1.0, 5.0, 30.0, 60.0, 200.0, 900.0], reports, p=[0.2, 0.3, 0.25, 0.15, 0.07, 0.03]
        )
        step_s[rng.random(reports) < 0.05] = 0.0
        t = np.cumsum(step_s) + rng.integers(0, 300)
        heading = np.cumsum(rng.normal(0, 0.3, reports)) + rng.uniform(0, 6.3)
        move = np.minimum(step_s, 60.0) * 2e-3
        lat = np.round((10.4 + rng.uniform(-0.4, 0.4) + np.cumsum(move * np.cos(heading))) / GRID)
        lon = np.round((20.4 + rng.uniform(-0.4, 0.4) + np.cumsum(move * np.sin(heading))) / GRID)
        alt = 10_000 + np.cumsum(rng.normal(0, 400, reports)).round()
        alt[rng.random(reports) < 0.1] = np.nan
        parts.append(
            pl.DataFrame(
                {
                    "time": [START + timedelta(seconds=float(s)) for s in t],
                    "track_id": [f"track-with-a-long-name-{k}" if k % 2 else f"t{k}"] * reports,
                    "lat_deg": lat * GRID,
                    "lon_deg": lon * GRID,
                    "alt_baro_ft": alt,
                }
            ).with_columns(pl.col("alt_baro_ft").fill_nan(None))
        )
    return pl.concat(parts)


def batch(reports: pl.DataFrame, **more: object) -> pl.DataFrame:
    return adiz.find_stays(reports, ZONES, **more)


def folded(
    reports: pl.DataFrame, cuts: list[int], lateness_s: float, *, save: bool
) -> pl.DataFrame:
    fold = adiz.StaysFold(ZONES, lateness_s=lateness_s)
    found = []
    edges = [0, *sorted(cuts), len(reports)]
    for a, b in itertools.pairwise(edges):
        found.append(fold.step(reports[a:b]))
        if save:
            fold = adiz.StaysFold.restore(fold.save(), ZONES)
    found.append(fold.flush())
    assert fold.counts["late"] == 0
    return sort_stays(pl.concat(found))


@given(st.integers(0, 10_000), st.lists(st.integers(0, 240), max_size=6), st.booleans())
def test_any_split_and_save_and_restore_at_any_point(seed: int, cuts: list[int], save: bool):
    reports = world(seed).sort("time", maintain_order=True)
    assert_frame_equal(folded(reports, cuts, 0.0, save=save), batch(reports))


@given(st.integers(0, 10_000), st.floats(0, 600), st.lists(st.integers(0, 240), max_size=4))
def test_any_order_within_the_lateness(seed: int, lateness_s: float, cuts: list[int]):
    reports = world(seed)
    rng = np.random.default_rng(seed)
    delay = pl.duration(
        microseconds=pl.Series((rng.random(len(reports)) * lateness_s * 1e6).astype(int))
    )
    arrived = reports.with_columns(at=pl.col("time") + delay).sort("at").drop("at")
    assert_frame_equal(folded(arrived, cuts, lateness_s, save=False), batch(reports))


@given(st.integers(0, 10_000))
def test_batch_does_not_depend_on_the_order_of_rows(seed: int):
    reports = world(seed)
    shuffled = reports.sample(fraction=1.0, shuffle=True, seed=seed)
    assert_frame_equal(batch(shuffled), batch(reports))


@given(st.integers(0, 10_000), st.sampled_from([-360.0, 360.0]))
def test_a_turn_of_longitude_changes_nothing(seed: int, turn_deg: float):
    reports = world(seed)
    turned = reports.with_columns(pl.col("lon_deg") + turn_deg)
    assert_frame_equal(batch(turned), batch(reports), check_exact=True)


@given(st.integers(0, 10_000), st.integers(-(10**9), 10**9))
def test_a_shift_of_time_shifts_the_stays_and_nothing_else(seed: int, shift_s: int):
    shift = timedelta(seconds=shift_s)
    zones = Zones(
        tuple(
            replace(z, valid_from=z.valid_from + shift, valid_to=z.valid_to + shift)
            if z.valid_from and z.valid_to
            else z
            for z in ZONES
        )
    )
    reports = world(seed)
    moved = adiz.find_stays(reports.with_columns(pl.col("time") + shift), zones)
    assert_frame_equal(moved.with_columns(pl.col(pl.Datetime) - shift), batch(reports))


@given(st.integers(0, 10_000))
def test_threads_give_the_same(seed: int):
    reports = world(seed, tracks=7).sort("track_id", "time", "lat_deg", "lon_deg", "alt_baro_ft")
    fold = adiz.StaysFold(ZONES, lateness_s=None, parts=3)
    both = sort_stays(pl.concat([fold.step(reports[:200]), fold.step(reports[200:]), fold.flush()]))
    assert_frame_equal(both, batch(reports))


@pytest.mark.parametrize("layout", ["time", "track", "days", "shuffled"])
@pytest.mark.parametrize("row_group", [7, 1000])
def test_files_and_row_groups_do_not_matter(tmp_path: Path, layout: str, row_group: int):
    reports = world(3, tracks=6, reports=150)
    expected = batch(reports)
    frames = {
        "time": [reports.sort("time")],
        "track": [reports.sort("track_id", "time")],
        "days": [reports.sort("time")[i : i + 300] for i in (0, 300, 600)],
        "shuffled": [
            reports.sample(fraction=1.0, shuffle=True, seed=1)[i : i + 300] for i in (600, 0, 300)
        ],
    }[layout]
    for i, frame in enumerate(frames):
        frame.write_parquet(tmp_path / f"{9 - i}.parquet", row_group_size=row_group)
    assert_frame_equal(adiz.find_stays(tmp_path, ZONES), expected)


def test_columns_cut_into_different_chunks_are_one_table():
    """Zones without heights, so one column is left out; the others disagree in their chunks."""
    whole = world(5).select("time", "track_id", "lat_deg", "lon_deg")
    parts = [whole[:50], whole[50:]]
    cut = pl.concat(parts, rechunk=False).with_columns(whole["lat_deg"].rechunk())
    assert cut["time"].n_chunks() != cut["lat_deg"].n_chunks()
    assert_frame_equal(
        adiz.find_stays(cut, ZONES.select(["PLAIN"])),
        adiz.find_stays(whole, ZONES.select(["PLAIN"])),
    )


def test_late_reports_are_counted_and_left_out():
    reports = world(5).sort("time")
    fold = adiz.StaysFold(ZONES, lateness_s=10.0)
    fold.step(reports)
    fold.step(reports[:3])
    assert fold.counts["late"] == 3


def test_disorder_is_told_where_no_lateness_is_allowed():
    reports = world(5).sort("time", descending=True)
    with pytest.raises(DisorderError):
        adiz.StaysFold(ZONES, lateness_s=None).step(reports)


def test_a_damaged_or_foreign_state_is_refused():
    fold = adiz.StaysFold(ZONES)
    fold.step(world(1))
    state = fold.save()
    with pytest.raises(FaultyInputError, match="damaged"):
        adiz.StaysFold.restore(state[:-1] + bytes([state[-1] ^ 1]), ZONES)
    with pytest.raises(FaultyInputError, match="other zones"):
        adiz.StaysFold.restore(state, Zones(ZONES.zones[:2]))


@pytest.mark.parametrize("field", ["max_gap_s", "track_end_s", "max_speed_kt"])
@pytest.mark.parametrize("value", [0.0, -5.0, float("nan"), float("inf")])
def test_impossible_settings_are_refused(field: str, value: float):
    with pytest.raises(FaultyInputError, match=field):
        StaysParams(**{field: value})
