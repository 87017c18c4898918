"""Which plan is of which track: on generated flights whose truth is known."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import polars as pl
import pytest

from adiz.geo import direct, inverse
from adiz.identify.ats import parse_ats
from adiz.identify.correlate import Correlation, correlate, correlation_at, split_flights
from adiz.identify.plans import Plans, build_plans
from adiz.identify.route import PlanPoint
from adiz.schema import REPORTS, polars_schema

DAY = datetime(2026, 6, 27, tzinfo=UTC)
POINTS = {
    name: [PlanPoint(name, lat, lon)]
    for name, lat, lon in [
        ("RJTT", 35.5, 139.8), ("RKSI", 37.5, 126.4), ("ZSPD", 31.1, 121.8), ("RCTP", 25.1, 121.2),
        ("RJOO", 34.8, 135.4), ("UHWW", 43.4, 132.1), ("ROAH", 26.2, 127.6), ("RKPC", 33.5, 126.5),
        ("MIDAA", 33.0, 130.0), ("MIDBB", 36.0, 131.5), ("MIDCC", 30.0, 125.5),
    ]
}  # fmt: skip
AIRPORTS = [name for name in POINTS if not name.startswith("MID")]


class World:
    """Flights with plans: ``truth`` holds the callsign and clock of the plan of each track."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.messages: list[str] = []
        self.rows: list[dict[str, Any]] = []
        self.truth: dict[str, str | None] = {}

    def fly(
        self, track_id: str, keys: dict[str, Any], path: list[str], start: datetime, off_nm: float
    ) -> None:
        legs = [(POINTS[a][0], POINTS[b][0]) for a, b in pairwise(path)]
        now = start
        for a, b in legs:
            length, azimuth, _ = inverse(a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg)
            for step in range(int(length // 30_000)):
                lat, lon = direct(a.lat_deg, a.lon_deg, azimuth, step * 30_000)
                lat, lon = direct(lat, lon, azimuth + 90, off_nm * 1852)
                row = {"time": now, "track_id": track_id, "lat_deg": lat, "lon_deg": lon, **keys}
                self.rows.append(row)
                now += timedelta(seconds=30_000 / (450 * 1852 / 3600))

    def add(self, number: int, start: datetime, planned: bool = True) -> None:
        pick = self.random
        departure, destination = pick.sample(AIRPORTS, 2)
        path = [departure, pick.choice(["MIDAA", "MIDBB", "MIDCC"]), destination]
        callsign, code = f"KAL{100 + number}", f"{0x718000 + number:06X}"
        registration = f"HL{7000 + number}"
        length = sum(inverse(*_at(a), *_at(b))[0] for a, b in pairwise(path))
        minutes = round(length / 1852 / 450 * 60)
        eet = f"{minutes // 60:02}{minutes % 60:02}"
        others = [f"DOF/{start:%y%m%d}"]
        others += [f"REG/{registration}"] if pick.random() < 0.7 else []
        others += [f"CODE/{code}"] if pick.random() < 0.6 else []
        if planned:
            self.messages.append(
                f"(FPL-{callsign}-IS-A321/M-SDGRWY/LB1-{departure}{start:%H%M}-N0450F350 DCT "
                f"{path[1]} DCT-{destination}{eet}-{' '.join(others)})"
            )
        flown = callsign if pick.random() < 0.9 else f"KAL{number}X"[:7]
        shown = {"icao24": code.lower(), "callsign": flown}
        if pick.random() < 0.5:
            shown["registration"] = registration
        if pick.random() < 0.1 and flown == callsign:
            del shown["icao24"]
        late = timedelta(minutes=pick.gauss(5, 10))
        track_id = f"t{number}"
        self.fly(track_id, shown, path, start + late, pick.uniform(-8, 8))
        identified = (
            flown == callsign
            or any("CODE" in o for o in others)
            or ("registration" in shown and any("REG" in o for o in others))
        )
        self.truth[track_id] = callsign if planned and identified else None

    def answers(self, *more: str) -> tuple[dict[str, Correlation], Plans]:
        table = pl.DataFrame(self.rows, schema=polars_schema(REPORTS))
        plans = build_plans([parse_ats("\n".join([*self.messages, *more]))], POINTS)
        found = correlate(split_flights(table), plans)
        assert all(len(flown) == 1 for flown in found.values())
        return {track_id: flown[0] for track_id, flown in found.items()}, plans


def _at(name: str) -> tuple[float, float]:
    return POINTS[name][0].lat_deg, POINTS[name][0].lon_deg


@pytest.mark.parametrize("seed", range(3))
def test_generated_plans_find_their_tracks(seed: int) -> None:
    world = World(seed)
    for number in range(150):
        start = DAY + timedelta(minutes=world.random.randrange(24 * 60))
        world.add(number, start, planned=number % 5 != 0)
    answers, _ = world.answers()
    right = sum(
        (a.match.plan.message.callsign if a.match else None) == world.truth[t]
        for t, a in answers.items()
    )
    wrong = [
        a for t, a in answers.items() if a.match and a.match.plan.message.callsign != world.truth[t]
    ]
    assert wrong == []
    assert right / len(answers) >= 0.99


def shuttle(world: World, *starts: datetime, keys: dict[str, Any] | None = None) -> None:
    for i, start in enumerate(starts):
        world.messages.append(
            f"(FPL-JAL1-IS-A321/M-S/C-RJTT{start:%H%M}-N0450F350 DCT MIDBB DCT-RKSI0140-"
            f"DOF/{start:%y%m%d})"
        )
        shown = {"callsign": "JAL1"} if keys is None else keys
        world.fly(f"s{i}", shown, ["RJTT", "MIDBB", "RKSI"], start, 2.0)


def test_one_callsign_twice_a_day_is_told_apart_by_time() -> None:
    world = World(0)
    shuttle(world, DAY, DAY + timedelta(hours=12), DAY + timedelta(hours=24))
    answers, _ = world.answers()
    clocks = [answers[f"s{i}"].match for i in range(3)]
    assert [m and m.plan.off_block(DAY) for m in clocks] == [
        DAY, DAY + timedelta(hours=12), DAY + timedelta(hours=24)
    ]  # fmt: skip


def test_plans_that_fit_equally_are_ambiguous() -> None:
    world = World(0)
    shuttle(world, DAY, DAY + timedelta(minutes=10))
    answers, _ = world.answers()
    assert answers["s0"].status == "ambiguous"
    assert answers["s0"].match is None
    assert len(answers["s0"].candidates) == 2
    assert "2 plans fit about equally" in answers["s0"].why


def test_two_tracks_with_one_plan_are_ambiguous_unless_it_is_for_two() -> None:
    world = World(0)
    shuttle(world, DAY)
    world.fly("twin", {"callsign": "JAL1"}, ["RJTT", "MIDBB", "RKSI"], DAY, -3.0)
    answers, _ = world.answers()
    assert {a.status for a in answers.values()} == {"ambiguous"}
    assert "is for 1 aircraft" in answers["twin"].why
    world.messages[0] = world.messages[0].replace("A321", "2A321")
    answers, _ = world.answers()
    assert {a.status for a in answers.values()} == {"matched"}


def test_one_aircraft_that_two_sources_saw_has_one_plan() -> None:
    world = World(0)
    shuttle(world, DAY, keys={"callsign": "JAL1", "icao24": "840001"})
    world.fly("radar", {"icao24": "840001"}, ["RJTT", "MIDBB", "RKSI"], DAY, 2.0)
    world.messages[0] = world.messages[0].replace("DOF", "CODE/840001 DOF")
    answers, _ = world.answers()
    assert {a.status for a in answers.values()} == {"matched"}


def test_a_track_without_identity_is_never_matched() -> None:
    world = World(0)
    shuttle(world, DAY, keys={})
    answers, _ = world.answers()
    assert answers["s0"].status == "ambiguous"
    assert "carries no identity" in answers["s0"].why


def test_cancelled_plans_and_other_days_do_not_match() -> None:
    world = World(0)
    shuttle(world, DAY)
    answers, _ = world.answers("(CNL-JAL1-RJTT0000-RKSI-0)")
    assert answers["s0"].status == "none"
    world = World(0)
    shuttle(world, DAY)
    world.messages[0] = world.messages[0].replace("260627", "260629")
    answers, _ = world.answers()
    assert answers["s0"].status == "none"


def test_a_contradicting_address_is_shown_beside_the_callsign() -> None:
    world = World(0)
    shuttle(world, DAY, keys={"callsign": "JAL1", "icao24": "7b0001"})
    world.messages[0] = world.messages[0].replace("DOF", "CODE/840001 DOF")
    answers, _ = world.answers()
    assert (answers["s0"].status, answers["s0"].match) == ("ambiguous", None)
    assert "agrees in part only" in answers["s0"].why
    assert "address 7b0001 is not 840001" in answers["s0"].why


def test_the_flights_of_one_track_each_find_their_plan() -> None:
    world = World(0)
    shuttle(world, DAY, DAY + timedelta(hours=12), keys={"icao24": "840001"})
    for row in world.rows:
        row["track_id"] = "840001"
    world.messages = [m.replace("DOF", "CODE/840001 DOF") for m in world.messages]
    table = pl.DataFrame(world.rows, schema=polars_schema(REPORTS))
    plans = build_plans([parse_ats("\n".join(world.messages))], POINTS)
    flown = correlate(split_flights(table), plans)["840001"]
    assert [c.match and c.match.plan.off_block(DAY).hour for c in flown] == [0, 12]
    later = DAY + timedelta(hours=14)
    assert correlation_at(flown, later, later).flight is flown[1].flight


def test_a_landing_parts_a_track() -> None:
    world = World(0)
    world.fly("t", {}, ["RJTT", "RKSI"], DAY, 0.0)
    for i, row in enumerate(world.rows):
        row["on_ground"] = i in (7, 8)
    flights = split_flights(pl.DataFrame(world.rows, schema=polars_schema(REPORTS)))["t"]
    assert [len(f.samples) for f in flights] == [7, 16]
    for row in world.rows:
        row["on_ground"] = True
    assert split_flights(pl.DataFrame(world.rows, schema=polars_schema(REPORTS))) == {"t": []}


def test_no_plans_and_no_tracks() -> None:
    world = World(0)
    answers, plans = world.answers()
    assert answers == {}
    assert len(plans) == 0


@pytest.mark.parametrize(
    ("flown", "status"),
    [("JAL1", "matched"), ("JLA1", "ambiguous"), ("JAL", "ambiguous"), ("JAL12", "ambiguous"),
     ("JAX1", "ambiguous"), ("JXX1", "none"), ("KAL2", "none")],
)  # fmt: skip
def test_a_slip_of_the_callsign_is_ambiguous_and_no_more(flown: str, status: str) -> None:
    world = World(0)
    shuttle(world, DAY, keys={"callsign": flown})
    answers, _ = world.answers()
    assert answers["s0"].status == status
    assert ("slip" in answers["s0"].why) == (status == "ambiguous")


def test_what_cannot_be_compared_is_ambiguous_where_place_and_time_fit() -> None:
    world = World(0)
    shuttle(world, DAY, keys={"icao24": "840001"})  # the plan gives no CODE and no REG
    answers, _ = world.answers()
    assert answers["s0"].status == "ambiguous"
    assert "nothing to compare" in answers["s0"].why
