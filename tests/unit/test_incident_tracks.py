"""Claims held against recorded positions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

import adiz
from adiz.incidents.against_tracks import RecordedTrack, check_claim
from adiz.incidents.edtf import parse_edtf
from adiz.incidents.model import Claim, Incident, Place, Subject
from adiz.incidents.quantities import parse_quantity, parse_sector
from adiz.schema import REPORTS, polars_schema
from adiz.zones.model import Circle, Ring, Zone, Zones

ROCK = (37.24, 131.87)
ZONES = Zones((Zone("belt", "belt", (Ring((Circle(*ROCK, 22_224.0),)),)),))
INCIDENT = Incident("i", "t", "UTC", subjects=(Subject("x", "X"),),
                    places=(Place("rock", "Rock", (ROCK,)),))  # fmt: skip
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


def track(gap: tuple[int, int] | None = None, north: float = 0.05) -> RecordedTrack:
    """West to east past the rock at 12 km/min for 20 minutes, a report every 15 s."""
    from adiz.geo import direct

    rows = []
    for i in range(81):
        second = 15 * i
        if gap and gap[0] < second < gap[1]:
            continue
        lat, lon = direct(ROCK[0] + north, ROCK[1], 90.0, (second / 60 - 10) * 12_000.0)
        rows.append({"time": NOON + timedelta(seconds=second), "track_id": "x", "lat_deg": lat,
                     "lon_deg": lon})  # fmt: skip
    table = pl.DataFrame(rows, schema_overrides=polars_schema(REPORTS))
    schema = polars_schema(REPORTS)
    table = table.select(
        [pl.col(c) if c in table.columns else pl.lit(None, schema[c]).alias(c) for c in schema]
    )
    stays = adiz.find_stays(table, ZONES, max_gap_s=120, max_speed_kt=600)
    return RecordedTrack(table, stays, 120, 1100)


def check(predicate: str, recorded: RecordedTrack | None, **more) -> str:
    if "time" in more:
        more["time"] = parse_edtf(more["time"])
    if "km" in more:
        more |= {"distance_km": parse_quantity(more.pop("km"), "km"), "place": "rock"}
    if predicate in ("enters", "leaves", "inside", "never_inside"):
        more["zones"] = ("belt",)
    claim = Claim("1", "p", "x", predicate, "s", "q", **more)
    return check_claim(INCIDENT, claim, recorded)[0]


def minutes(a: int, b: int | None = None) -> str:
    text = f"2024-01-01T12:{a:02}Z"
    return text if b is None else f"{text}/2024-01-01T12:{b:02}Z"


@pytest.mark.parametrize(
    ("predicate", "more", "verdict"),
    [
        ("enters", {"time": minutes(8)}, "confirmed"),
        ("enters", {"time": minutes(5)}, "refuted"),
        ("enters", {"time": "2024-01-01T13:05Z"}, "no data"),
        ("leaves", {"time": minutes(11)}, "confirmed"),
        ("leaves", {"time": minutes(8)}, "refuted"),
        ("enters", {"time": minutes(5), "negated": True}, "confirmed"),
        ("inside", {"time": minutes(9, 10)}, "confirmed"),
        ("inside", {"time": minutes(2, 3)}, "refuted"),
        ("never_inside", {}, "refuted"),
        ("never_inside", {"time": minutes(2, 5)}, "confirmed"),
        ("passes", {"km": "5..6", "time": minutes(8, 12)}, "confirmed"),
        ("passes", {"km": "12", "time": minutes(8, 12)}, "refuted"),
        ("passes", {"km": ">25"}, "refuted"),
        ("fires", {}, "no data"),
        ("inside", {"time": minutes(5, 10)}, "refuted"),  # from 8 on only: not throughout
        ("inside", {"time": minutes(8)}, "confirmed"),
        ("inside", {"duration_min": parse_quantity("3..4", "min")}, "confirmed"),
        ("inside", {"duration_min": parse_quantity("9", "min")}, "refuted"),
        (
            "enters",
            {"time": minutes(8), "place": "rock", "bearing": parse_sector("W")},
            "confirmed",
        ),
        ("enters", {"time": minutes(8), "place": "rock", "bearing": parse_sector("E")}, "refuted"),
        ("at", {"km": "14", "time": minutes(8)}, "confirmed"),  # nearer at another moment of it
        ("at", {"km": "14", "time": minutes(8), "bearing": parse_sector("E")}, "refuted"),
        ("at", {"km": "30", "time": minutes(8)}, "refuted"),
        (
            "passes",
            {"km": "5..6", "time": minutes(8, 12), "bearing": parse_sector("N")},
            "confirmed",
        ),
        ("passes", {"km": "5..6", "time": minutes(8, 12), "bearing": parse_sector("S")}, "refuted"),
        ("passes", {"km": ">3", "time": minutes(8, 40)}, "no data"),  # the track ends before
    ],
)
def test_incident_claim_against_a_track(predicate: str, more: dict, verdict: str):
    assert check(predicate, track(), **more) == verdict


def test_incident_claim_within_a_gap_is_possible():
    recorded = track(gap=(300, 900))
    assert check("enters", recorded, time=minutes(8)) == "possible"
    assert check("never_inside", recorded) in ("possible", "refuted")
    assert check("passes", recorded, km="12", time=minutes(8, 12)) == "possible"


def test_incident_claim_in_a_gap_that_leaves_no_time_is_refuted():
    recorded = track(gap=(0, 400))  # over before the belt: at 1,111 km/h it could not be in and out
    assert check("enters", recorded, time=minutes(8)) == "confirmed"
    far = track(gap=(300, 900), north=2.0)
    assert check("never_inside", far) == "confirmed"
    assert check("inside", far, time=minutes(9)) == "refuted"
    assert check("at", far, km="12", time=minutes(9)) == "refuted"


def test_incident_far_track_refutes_all():
    recorded = track(north=2.0)
    assert check("enters", recorded, time=minutes(8)) == "refuted"
    assert check("never_inside", recorded) == "confirmed"
    assert check("passes", recorded, km=">25") == "confirmed"
    assert check("at", recorded, km="12", time=minutes(10)) == "refuted"


def test_incident_without_a_track_there_is_no_data():
    assert check("enters", None, time=minutes(8)) == "no data"
