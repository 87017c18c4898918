"""Real aircraft in a real ADIZ: the crossings worked out by hand with pyproj and the FAA's ring."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import adiz

HALF_SECOND = timedelta(seconds=0.5)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_c2a_crosses_the_contiguous_us_adiz_four_times():
    stays = adiz.find_stays(adiz.demo_capture(), "US-CONUS-2")
    observed = [row for row in stays.iter_rows(named=True) if row["certainty"] == "observed"]
    times = [row[name] for row in observed for name in ("entry_time", "exit_time")]
    expected = [
        at("2020-09-14T21:59:07.8"),
        at("2020-09-14T22:02:06.2"),
        at("2020-09-15T00:34:55.1"),
        at("2020-09-15T00:45:52.6"),
    ]
    assert len(times) == 4
    assert all(abs(t - e) < HALF_SECOND for t, e in zip(times, expected, strict=True))
    assert {row["entry_kind"] for row in observed} == {"crossed"}


def test_n899dn_may_have_entered_in_its_gap_and_is_seen_to_leave(captures: Path):
    reports = adiz.read(captures / "traffic" / "trace_full_ac671b.json")
    stays = adiz.find_stays(reports, "US-CONUS-ADIZ")
    left = [r for r in stays.iter_rows(named=True) if r["exit_kind"] == "crossed"]
    last = max(left, key=lambda row: row["exit_time"])
    assert abs(last["exit_time"] - at("2025-02-04T22:57:59.5")) < HALF_SECOND
    assert last["entry_kind"] == "reacquired"
    gap = [
        r
        for r in stays.iter_rows(named=True)
        if r["certainty"] == "possible"
        and r["zone_id"] == last["zone_id"]
        and r["latest_exit"] == last["entry_time"]
    ]
    assert len(gap) == 1
    assert at("2025-02-04T21:49:38") <= gap[0]["earliest_entry"] < gap[0]["latest_exit"]
    assert gap[0]["latest_exit"] - at("2025-02-04T22:37:45") < timedelta(seconds=1)
    assert 0 < gap[0]["longest_inside_s"] < 2887
    assert gap[0]["entry_time"] is None
    assert gap[0]["exit_time"] == last["entry_time"]
    assert last["earliest_entry"] == gap[0]["earliest_entry"]


def test_planar_edges_move_the_crossings():
    """The same ring with straight edges in longitude and latitude, as plain GeoJSON has it."""
    from dataclasses import replace

    ring = adiz.zones("US-CONUS-2")["US-CONUS-2"]
    parts = tuple(replace(part, edge="planar") for part in ring.rings[0].parts)
    planar = replace(ring, rings=(replace(ring.rings[0], parts=parts),))
    reports = adiz.read(adiz.demo_capture())
    both = [
        [
            row[name]
            for row in adiz.find_stays(reports, zone).iter_rows(named=True)
            if row["certainty"] == "observed"
            for name in ("entry_time", "exit_time")
        ]
        for zone in (ring, planar)
    ]
    moved = [(p - g).total_seconds() for g, p in zip(*both, strict=True)]
    assert moved == pytest.approx([0.7, 1.5, -3.2, -0.1], abs=0.1)
