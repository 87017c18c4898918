"""Plausibility flags: one small track for each bit, and what must not change them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import adiz
from adiz.sources.reports import SCHEMA
from adiz.tracks.flags import Flag, Limits, flag_reports

START = datetime(2020, 1, 1, tzinfo=UTC)


def track(*rows: dict[str, Any], name: str = "a", source: str = "s") -> pl.DataFrame:
    """Rows of ``s`` (seconds) and reports columns; 0.001 degrees of latitude are 111 m."""
    full = [
        {
            "track_id": name,
            "source": source,
            "time": START + timedelta(seconds=row["s"]),
            "lat_deg": row.get("lat", 0.0),
            "lon_deg": row.get("lon", 0.0),
            **{k: v for k, v in row.items() if k in SCHEMA},
        }
        for row in rows
    ]
    return pl.DataFrame(full, schema=SCHEMA)


def flags(table: pl.DataFrame, **limits: float) -> list[Flag]:
    return [Flag(value) for value in flag_reports(table, Limits(**limits))["flags"]]


def test_an_ordinary_track_has_no_flags() -> None:
    rows = [
        {"s": 10 * i, "lat": 0.02 * i, "gs_kt": 432.0, "alt_baro_ft": 100.0 * i} for i in range(9)
    ]
    assert set(flags(track(*rows))) == {Flag(0)}


def test_impossible_speed() -> None:
    # 0.1 degrees of latitude are 11.06 km: 2,150 kt if flown in 10 s.
    found = flags(track({"s": 0}, {"s": 10, "lat": 0.1}, {"s": 20, "lat": 0.1}))
    assert found == [Flag(0), Flag.IMPOSSIBLE_SPEED, Flag(0)]
    assert flags(track({"s": 0}, {"s": 11, "lat": 0.1}))[1] == Flag(0)


def test_repeated_and_backward_times_by_order_of_arrival() -> None:
    table = track({"s": 0}, {"s": 20}, {"s": 10}, {"s": 20}, {"s": 30})
    back, again = Flag.TIME_BACKWARD, Flag.TIME_REPEATED
    assert flags(table) == [Flag(0), Flag(0), back, again, Flag(0)]


def test_position_jump_beyond_the_reported_speed() -> None:
    # 0.05 degrees in 10 s are 1,075 kt: possible, but not at a reported 200 kt.
    slow = track({"s": 0, "gs_kt": 200.0}, {"s": 10, "lat": 0.05, "gs_kt": 200.0})
    assert flags(slow) == [Flag(0), Flag.POSITION_JUMP]
    fast = slow.with_columns(gs_kt=pl.Series([200.0, 900.0]))
    assert flags(fast) == [Flag(0), Flag(0)]
    unknown = slow.with_columns(gs_kt=pl.lit(None, pl.Float64))
    assert flags(unknown) == [Flag(0), Flag(0)]


def test_frozen_position_while_moving() -> None:
    rows = [{"s": 10 * i, "gs_kt": 300.0 if i < 5 else 0.0} for i in range(6)]
    frozen = Flag.FROZEN_POSITION
    assert flags(track(*rows)) == [Flag(0)] * 3 + [frozen] * 2 + [Flag(0)]


def test_altitude_spike_across_missing_altitudes() -> None:
    heights = [35_000.0, None, 3_000.0, None, 35_000.0, 36_000.0]
    rows = [{"s": 10 * i, "lat": 0.02 * i, "alt_baro_ft": h} for i, h in enumerate(heights)]
    assert flags(track(*rows)) == [Flag(0)] * 2 + [Flag.ALTITUDE_SPIKE] + [Flag(0)] * 3
    step = [{"s": i, "alt_baro_ft": 0.0 if i < 2 else 35_000.0} for i in range(4)]
    assert set(flags(track(*step))) == {Flag(0)}  # a step sticks out to no side


def test_tracks_do_not_touch_each_other() -> None:
    table = pl.concat([track({"s": 0}), track({"s": 0, "lat": 40.0}, name="b")])
    assert flags(table) == [Flag(0), Flag(0)]


def test_reading_works_the_flags_out(tmp_path: Path) -> None:
    track({"s": 0}, {"s": 10, "lat": 0.1}).write_parquet(tmp_path / "t.parquet")
    assert adiz.read(tmp_path / "t.parquet").table["flags"].to_list() == [0, 1]


micro_degrees = st.integers(-1_000_000, 1_000_000).map(lambda n: n / 2**20)
whole_rows = st.fixed_dictionaries(
    {
        "s": st.integers(0, 100),
        "lat": micro_degrees,
        "lon": micro_degrees,
        "gs_kt": st.none() | st.integers(0, 600).map(float),
        "alt_baro_ft": st.none() | st.integers(0, 40_000).map(float),
    }
)


@given(st.lists(whole_rows, min_size=1, max_size=12), st.integers(-10_000, 10_000))
def test_shifting_time_or_longitude_changes_nothing(rows: list[dict[str, Any]], shift: int) -> None:
    table = track(*rows)
    expected = flag_reports(table)["flags"]
    later = table.with_columns(pl.col("time") + timedelta(seconds=shift))
    assert flag_reports(later)["flags"].equals(expected)
    turned = table.with_columns(pl.col("lon_deg") + 360.0)
    assert flag_reports(turned)["flags"].equals(expected)


@given(st.lists(whole_rows, min_size=1, max_size=8), st.lists(whole_rows, min_size=1, max_size=8))
def test_the_order_of_sources_changes_nothing(
    first: list[dict[str, Any]], second: list[dict[str, Any]]
) -> None:
    parts = [track(*first, source="x"), track(*second, source="y")]
    there = flag_reports(pl.concat(parts))["flags"]
    back = flag_reports(pl.concat(parts[::-1]))["flags"]
    assert there[: len(first)].equals(back[len(second) :])
    assert there[len(first) :].equals(back[: len(second)])


def test_known_oddities_of_real_captures(captures: Path) -> None:
    table = adiz.read(captures / "traffic" / "trace_full_ac671b.json").table
    assert table.filter(pl.col("flags") != 0)["flags"].to_list() == [Flag.TIME_REPEATED]


@pytest.mark.parametrize("bit", list(Flag))
def test_every_bit_is_one_bit(bit: Flag) -> None:
    assert bit.value.bit_count() == 1
