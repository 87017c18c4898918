"""ATS messages, routes and plans."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adiz.errors import FaultyInputError
from adiz.geo import inverse
from adiz.identify.ats import parse_ats, read_ats
from adiz.identify.plans import Plans, build_plans, read_plans
from adiz.identify.route import (
    PlanPoint,
    level_ft,
    parse_coordinates,
    read_points,
    resolve_path,
    speed_kt,
)

FPL = (
    "(FPL-ABC12-IS\n-B738/M-SDGRWY/LB1\n-RJTT2340\n-N0450F350 DCT 36N133E DCT\n-RKSI0210 RKPC\n-{})"
)
POINTS = {
    "RJTT": [PlanPoint("RJTT", 35.55, 139.78)],
    "RKSI": [PlanPoint("RKSI", 37.46, 126.44)],
    "TWICE": [PlanPoint("TWICE", 0.0, 0.0), PlanPoint("TWICE", 36.5, 134.0)],
    "VOR": [PlanPoint("VOR", 36.0, 133.0, -8.0)],
}


def plan(item_18: str = "DOF/260627 REG/JA01AB CODE/840001", *more: str) -> Plans:
    return build_plans([parse_ats("\n".join([FPL.format(item_18), *more]), "p.txt")], POINTS)


def test_the_real_messages_are_read_and_the_malformed_one_is_named(captures: Path) -> None:
    found = read_ats(captures / "ats" / "ats_messages.txt")
    assert [(m.kind, m.callsign) for m in found.messages] == [
        ("FPL", "DAL18"), ("DLA", "DAL18"), ("FPL", "QFA8"), ("FPL", "RAQ"), ("ARR", "RAQ")
    ]  # fmt: skip
    (fault,) = found.faults
    assert (fault.line, fault.field) == (4, "15")
    assert "cruising speed 0454 of '0454F330' lacks its unit" in fault.message
    arrival = found.messages[-1]
    assert (arrival.arrival, arrival.arrival_time, arrival.arrival_place) == (
        "ZZZZ", "0622", "CABOOLTURE"
    )  # fmt: skip
    plans = build_plans([found], {})
    delayed = next(p for p in plans.plans if p.message.callsign == "DAL18")
    moment = delayed.off_block(datetime(2000, 1, 1, tzinfo=UTC))
    assert moment == datetime(2017, 3, 24, 3, 54, tzinfo=UTC)
    assert [k for k, _, _ in delayed.history] == ["FPL", "DLA"]
    qantas = next(p for p in plans.plans if p.message.callsign == "QFA8")
    assert qantas.path.points[0].name == "2704N11627W"
    assert len(qantas.path.points) == 16
    assert {"ABI", "INK", "GUXIB", "HARVS"} <= set(qantas.path.unknown)
    assert "J26" not in qantas.path.unknown

    others = read_ats(captures / "ats" / "arr_dep_messages.txt")
    assert len(others.messages) == 8
    assert others.faults == ()
    assert others.messages[3].squawk == "1001"
    assert others.messages[0].destination == "ELLX"
    assert others.messages[0].arrival == "LFJL"


def test_the_reader_agrees_with_aviconv(captures: Path) -> None:
    parser = pytest.importorskip("aviconv_fpl.parser_icao")
    text = (captures / "ats" / "ats_messages.txt").read_text()
    found = read_ats(captures / "ats" / "ats_messages.txt")
    chunks = {m: "\n".join(text.splitlines()[m - 1 :]) for m in range(1, 45)}
    compared = 0
    for ours in (m for m in found.messages if m.kind == "FPL"):
        chunk = chunks[ours.line]
        theirs = parser.parse(chunk[: chunk.index(")") + 1])
        assert (ours.callsign, ours.rules, ours.flight_type) == (
            theirs.aircraft_id.callsign, theirs.flight_rules, theirs.type_of_flight
        )  # fmt: skip
        assert (ours.type_code, ours.wake, ours.count) == (
            theirs.aircraft.type_designator, theirs.aircraft.wake, theirs.aircraft.number
        )  # fmt: skip
        assert (ours.departure + ours.departure_time) == theirs.departure.raw
        assert (ours.destination, ours.eet, ours.alternates[:1]) == (
            theirs.destination.ades,
            theirs.destination.total_eet,
            (theirs.destination.altn1,) if theirs.destination.altn1 else (),
        )
        assert (ours.speed, ours.level) == (theirs.route.speed.raw, theirs.route.level.raw)
        assert f"{ours.speed}{ours.level} {ours.route}" == theirs.route.raw
        ends = [leg for leg in theirs.route.legs if leg.kind == "coordinate_waypoint"]
        path = {p.name: (p.lat_deg, p.lon_deg) for p in resolve_path(ours, {}).points}
        for leg in ends:  # it leaves a point with a new speed or level unread, as a name
            assert path[leg.raw] == pytest.approx((leg.lat, leg.lon))
        compared += 1
    assert compared == 3
    refused = pytest.importorskip("aviconv_core.errors").ParseError
    with pytest.raises(refused, match="Item 15"):
        parser.parse(text[: text.index(")") + 1])
    with pytest.raises(refused):
        parser.parse("(DLA-DAL18-KDTW0354-EGLL-0)")


@pytest.mark.parametrize(
    ("text", "line", "item", "fault"),
    [
        ("(FPL-ABCDEFGH-IS)", 1, "9", "items 9, 10, 13, 15, 16, 18 are missing"),
        (FPL.format("0").replace("RJTT2340", "RJTT2460"), 3, "13", "'RJTT2460' is no departure"),
        (FPL.format("0").replace("N0450F350", "N450F350"), 4, "15", "'N450F350' is no cruising"),
        (FPL.format("0").replace("RKSI0210", "RKSI0261"), 5, "16", "is no destination"),
        (FPL.format("0").replace("B738/M", "B738"), 2, "9", "'B738' is no type"),
        (FPL.format("DOF/260230"), 6, "18", "DOF/260230 is no date"),
        (FPL.format("CODE/84001"), 6, "18", "CODE/'84001' is no 24-bit address"),
        (FPL.format("HELLO"), 6, "18", "begins with no known indicator"),
        (FPL.format("0")[:-1], 1, "3", "no closing bracket"),
        ("(SPL-ABC12-RJTT2340)", 1, "3", "message type SPL is not one of"),
        ("(DEP-ABC12)", 1, "13", "needs departure and destination"),
        ("(CHG-ABC12-RJTT2340-RKSI-0-99/X)", 1, "22", "item 99 cannot be amended"),
        ("hello", None, None, "holds no ATS message"),
        ("", None, None, "holds no ATS message"),
    ],
)
def test_faults_name_their_place(text: str, line: int, item: str, fault: str) -> None:
    found = parse_ats(text, "p.txt")
    assert found.messages == ()
    assert (found.faults[0].line, found.faults[0].field) == (line, item)
    assert fault in found.faults[0].message


def test_one_bad_message_does_not_cost_the_others() -> None:
    bad = FPL.format("0").replace("N0450", "0450")
    found = parse_ats("\n\n".join([bad, FPL.format("0"), bad, FPL.format("0")[:-1]]))
    assert len(found.messages) == 1
    assert [f.line for f in found.faults] == [4, 18, 22]


def test_envelopes_and_item_19_and_carriage_returns() -> None:
    text = (
        "ZCZC ABC001 262210\r\nFF RKSSZQZX RJTTZQZX\r\n262205 RJTTZPZX\r\n"
        + FPL.format("DOF/260627\n-E/0400 P/120 R/UV").replace("\n", "\r\n")
        + "\r\nNNNN\r\n"
    )
    (message,) = parse_ats(text).messages
    assert message.filed == "262205"
    assert message.other == {"DOF": "260627"}
    built = build_plans([parse_ats(text)], {}).plans[0]
    assert built.filed_at(built.off_block(datetime(2026, 6, 27, tzinfo=UTC))) == datetime(
        2026, 6, 26, 22, 5, tzinfo=UTC
    )


def test_hyphens_and_brackets_in_remarks() -> None:
    (message,) = parse_ats(FPL.format("DOF/260627 RMK/CREW (2) NON-STOP VIA A/B")).messages
    assert message.other["RMK"] == "CREW (2) NON-STOP VIA A/B"


@given(st.text(alphabet="(FPLDEACHGN-/ 0123456789NSW\n)KMIVX\x00é", max_size=200))
def test_nothing_crashes_the_reader(text: str) -> None:
    for head in ("", "(FPL-", "(ARR-", "(CHG-", "(DLA-A-"):
        found = parse_ats(head + text)
        build_plans([found], POINTS)
        assert found.messages or found.faults


@given(st.integers(0, 160), st.text(max_size=3))
def test_damaged_plans_do_not_crash(at: int, noise: str) -> None:
    text = FPL.format("DOF/260627 EET/RJJJ0010 REG/JA01AB")
    found = parse_ats(text[:at] + noise + text[at + 1 :])
    for one in build_plans([found], POINTS).plans:
        one.off_block(datetime(2026, 6, 27, tzinfo=UTC))


def test_a_long_file_is_read_in_linear_time() -> None:
    many = "\n".join(FPL.format("0").replace("ABC12", f"A{i}") for i in range(3000))
    assert len(parse_ats(many).messages) == 3000
    assert parse_ats("(FPL-" * 20_000).messages == ()
    assert len(parse_ats("\n" * 200_000 + FPL.format("0")).messages) == 1


NEAR = datetime(2026, 6, 28, tzinfo=UTC)


def test_midnight_rollover() -> None:
    (one,) = plan().plans
    assert one.off_block(NEAR) == datetime(2026, 6, 27, 23, 40, tzinfo=UTC)
    (late,) = plan("DOF/260627", "(DLA-ABC12-RJTT0015-RKSI-DOF/260627)").plans
    assert late.off_block(NEAR) == datetime(2026, 6, 28, 0, 15, tzinfo=UTC)
    (gone,) = plan("DOF/260627", "(DEP-ABC12-RJTT0005-RKSI-DOF/260627)").plans
    assert gone.take_off(NEAR) == datetime(2026, 6, 28, 0, 5, tzinfo=UTC)
    assert gone.status == "departed"


def test_without_a_day_the_nearest_is_taken() -> None:
    (one,) = plan("0").plans
    assert not one.day_known
    seen = datetime(2026, 6, 28, 1, 0, tzinfo=UTC)
    assert one.off_block(seen) == datetime(2026, 6, 27, 23, 40, tzinfo=UTC)


def test_changes_and_cancellations() -> None:
    (one,) = plan(
        "DOF/260627", "(CHG-ABC12-RJTT2340-RKSI-0-8/IM-15/N0400F310 DCT 35N130E DCT)"
    ).plans
    assert one.message.flight_type == "M"
    assert one.message.level == "F310"
    assert [p.name for p in one.path.points] == ["RJTT", "35N130E", "RKSI"]
    gone = plan("DOF/260627", "(CNL-ABC12-RJTT2340-RKSI-0)", "(DLA-ABC12-RJTT2350-RKSI-0)")
    assert gone.plans[0].status == "cancelled"
    assert "fits no plan read before it" in gone.faults[0].message


def test_messages_that_fit_no_plan_or_several_are_faults() -> None:
    two = plan("DOF/260627", FPL.format("DOF/260628"), "(DLA-ABC12-RJTT2350-RKSI-0)")
    assert len(two.plans) == 2
    assert "fits 2 plans" in two.faults[0].message
    told = plan("DOF/260627", FPL.format("DOF/260628"), "(DLA-ABC12-RJTT2350-RKSI-DOF/260628)")
    assert told.faults == ()
    assert [p.message.departure_time for p in told.plans] == ["2340", "2350"]
    twice = plan("DOF/260627", FPL.format("DOF/260627"))
    assert len(twice.plans) == 1
    assert "repeats the plan of p.txt:1" in twice.faults[0].message


def test_coordinates_speeds_and_levels() -> None:
    assert parse_coordinates("2544N12000W") == (pytest.approx(25 + 44 / 60), -120.0)
    assert parse_coordinates("0500S17435W") == (-5.0, pytest.approx(-(174 + 35 / 60)))
    assert parse_coordinates("91N000E") is None
    assert parse_coordinates("ABI") is None
    assert speed_kt("K0830") == pytest.approx(448.16, abs=0.01)
    assert speed_kt("M078", "F350") == pytest.approx(449.6, abs=0.5)
    assert speed_kt("") is None
    assert (level_ft("F330"), level_ft("A045"), level_ft("VFR")) == (33000, 4500, None)
    assert level_ft("S1130") == pytest.approx(37073.5, abs=0.1)


def test_paths_resolve_names_and_bearings() -> None:
    text = FPL.format("0").replace("36N133E DCT", "TWICE A1 VOR090060 NOPE/N0400F310")
    path = resolve_path(parse_ats(text).messages[0], POINTS)
    assert [p.name for p in path.points] == ["RJTT", "TWICE", "VOR090060", "RKSI"]
    assert path.points[1].lat_deg == 36.5  # the one near Japan
    assert path.unknown == ("NOPE",)
    distance, azimuth, _ = inverse(36.0, 133.0, path.points[2].lat_deg, path.points[2].lon_deg)
    assert distance == pytest.approx(60 * 1852)
    assert azimuth == pytest.approx(82.0)  # 090 magnetic, variation 8 W
    assert path.anchors == ((0.0, 0.0), (path.along_m[-1], 130.0))
    off, along = path.nearest(36.0, 139.78) or (0, 0)
    assert off == pytest.approx(50_000, rel=0.05)
    assert along == pytest.approx(0, abs=20_000)
    assert path.minutes_at(path.along_m[-1] / 2, 450) == pytest.approx(65.0)


def test_places_of_item_18_stand_in_for_aerodromes() -> None:
    text = FPL.format("DEP/3739N12946E DEST/RKSI HANGAR DOF/260627")
    text = text.replace("RJTT", "ZZZZ").replace("RKSI0210", "ZZZZ0210")
    path = resolve_path(parse_ats(text).messages[0], POINTS)
    assert [p.name for p in path.points] == ["3739N12946E", "36N133E", "RKSI"]
    assert len(path.anchors) == 2


def test_a_path_round_the_earth_does_not_crash() -> None:
    text = FPL.format("0").replace("36N133E", "00N000E 00N180E 90N000E 90S000E 00N0001W")
    path = resolve_path(parse_ats(text).messages[0], POINTS)
    assert path.unknown == ("00N0001W",)
    assert path.nearest(0.0, 90.0) is not None
    assert path.nearest(0.0, 180.0) is not None


def test_points_files(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_bytes("\ufeffname;lat_deg;lon_deg\nRUGMA;36.5;131\n".encode())
    assert read_points(path)["RUGMA"] == [PlanPoint("RUGMA", 36.5, 131.0)]
    path.write_text("name,lat_deg,lon_deg\nRUGMA,north,131\nX,91,0\n")
    with pytest.raises(FaultyInputError, match=re.escape(":2: is no point")):
        read_points(path)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(FaultyInputError, match="No such file"):
        read_plans([tmp_path / "none.txt"])
    assert timedelta(minutes=130) == plan().plans[0].duration
