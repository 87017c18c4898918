"""The OpenAir reader on small texts of our own."""

from __future__ import annotations

from pathlib import Path

import pytest

from adiz.errors import ZoneError
from adiz.geo import inverse
from adiz.zones.load import read_zones
from adiz.zones.model import Arc, Circle, Vertex, Zones

HEAD = "AC R\nAN BOX\nAL SFC\nAH FL100\n"
SQUARE = (
    "DP 10:00:00 N 020:00:00 E\nDP 10:00:00 N 021:00:00 E\n"
    "DP 11:00:00 N 021:00:00 E\nDP 11:00:00 N 020:00:00 E\nDP 10:00:00 N 020:00:00 E\n"
)


@pytest.fixture
def read(tmp_path: Path):
    def reader(text: str, **settings: bool) -> Zones:
        path = tmp_path / "space.txt"
        path.write_text(text, encoding="utf-8")
        return read_zones(path, **settings)

    return reader


def fault_of(read, text: str) -> tuple[int | None, str]:
    with pytest.raises(ZoneError) as caught:
        read(text)
    assert len(caught.value.faults) == 1, str(caught.value)
    return caught.value.faults[0].line, str(caught.value)


@pytest.mark.parametrize(
    "position",
    [
        "10:30:00 N 020:15:00 E",
        "10:30:00N020:15:00E",
        "10:30.0 N, 020:15.0 E",
        "103000N 0201500E",
        "103000.00N 0201500.00E",
        "10.5 N 20.25 E",
    ],
)
def test_positions_in_their_spellings(read, position: str) -> None:
    (zone,) = read(HEAD + SQUARE.replace("10:00:00 N 020:00:00 E", position))
    assert zone.rings[0].parts[0] == Vertex(10.5, 20.25)


def test_the_closing_point_is_not_kept(read) -> None:
    (zone,) = read(HEAD + SQUARE)
    assert len(zone.rings[0].parts) == 4
    assert zone.edge == "geodesic"
    assert zone.kind == "restricted"


def test_arc_by_angles_both_ways(read) -> None:
    text = HEAD + "V X=10:00:00 N 020:00:00 E\nDP 10:00:00 N 020:00:00 E\n"
    for sign, clockwise in (("+", True), ("-", False)):
        closed = f"V D={sign}\nDA 10,90,180\nDP 10:00:00 N 020:00:00 E\n"
        (zone,) = read(text + closed)
        arc = zone.rings[0].parts[1]
        assert isinstance(arc, Arc)
        assert arc.clockwise is clockwise
        there = (arc.start_lat_deg, arc.start_lon_deg)
        distance_m, azimuth_deg, _ = inverse(10.0, 20.0, *there)
        assert distance_m == pytest.approx(18_520, abs=0.01)
        assert azimuth_deg == pytest.approx(90, abs=1e-6)


def test_direction_turns_clockwise_again_at_each_airspace(read) -> None:
    arcs = "V X=10:00:00 N 020:00:00 E\nDP 10:00:00 N 020:00:00 E\n{}DA 10,90,180\n"
    closed = arcs + "DP 10:00:00 N 020:00:00 E\n"
    one, two = read(HEAD + closed.format("V D=-\n") + HEAD + closed.format(""))
    assert not one.rings[0].parts[1].clockwise
    assert two.rings[0].parts[1].clockwise


def test_circle(read) -> None:
    (zone,) = read(HEAD + "V X=10:00:00 N 020:00:00 E\nDC 2.5\n")
    assert zone.rings[0].parts == (Circle(10.0, 20.0, 4630.0),)


def test_extended_format_ids_types_and_times(read) -> None:
    text = (
        "AC C\nAY TMA\nAI unique-1\nAN NAME\nAF 118.1\nAG TOWER\nAX 7000\nAL 1500 ft AGL\nAH UNL\n"
        "AA 2026-01-01T08:00Z/2026-01-02T08:00Z\n" + SQUARE
    )
    (zone,) = read(text)
    assert (zone.zone_id, zone.name, zone.kind) == ("unique-1", "NAME", "tma")
    assert str(zone.floor) == "1500 ft AGL"
    assert zone.valid_from is not None
    assert zone.valid_from.isoformat() == "2026-01-01T08:00:00+00:00"


def test_airspaces_of_one_name_get_numbers(read) -> None:
    assert [z.zone_id for z in read(HEAD + SQUARE + HEAD + SQUARE)] == ["BOX", "BOX #2"]


@pytest.mark.parametrize(
    ("text", "line", "cause"),
    [
        (HEAD + "DY 5\n" + SQUARE, 5, "airway"),
        (HEAD + "DC 5\n", 5, "no centre is set"),
        (HEAD + SQUARE + "V D=x\n", 10, "sets nothing"),
        (HEAD + SQUARE + "ZZ\n", 10, "not an OpenAir record"),
        (HEAD + SQUARE + "hello there\n", 10, "not an OpenAir record"),
        ("AC R\nAN X\nAL SFC\n" + SQUARE, 1, "without AH"),
        ("AC R\nAN X\nAL SFC\nAH\n" + SQUARE, 4, "not a height"),
        (HEAD + SQUARE.replace("11:00:00 N", "91:00:00 N", 1), 7, "more than 90 degrees"),
        (HEAD + SQUARE.replace("021:00:00", "021:60:00", 1), 6, "60 minutes"),
        (HEAD + "V X=10:00:00 N 020:00:00 E\nDC nan\n", 6, "radius of nan"),
        (HEAD + "V X=10:00:00 N 020:00:00 E\nDC 1\nDC 2\n", 7, "a circle after other points"),
        (HEAD + "DP " + "1" * 20_000 + "\n" + SQUARE, 5, "a line of 20003 characters"),
        (HEAD, 1, "no boundary"),
    ],
)
def test_faults_name_their_line(read, text: str, line: int, cause: str) -> None:
    found, message = fault_of(read, text)
    assert cause in message
    assert found == line


def test_all_faults_are_told_and_good_zones_kept_on_request(read) -> None:
    bad = HEAD.replace("BOX", "BAD").replace("FL100", "FL") + SQUARE
    worse = HEAD.replace("BOX", "WORSE") + SQUARE.replace("N", "X", 2)
    text = HEAD + SQUARE + bad + worse
    with pytest.raises(ZoneError) as caught:
        read(text)
    assert [fault.line for fault in caught.value.faults] == [13, 23, 24]
    zones = read(text, strict=False)
    assert [zone.zone_id for zone in zones] == ["BOX"]
    assert len(zones.faults) == 3


def test_an_open_ring_is_a_fault_yet_can_be_kept_closed(read) -> None:
    text = HEAD + SQUARE.rsplit("DP", 1)[0]
    assert fault_of(read, text)[0] == 8
    zones = read(text, strict=False)
    assert len(zones["BOX"].rings[0].parts) == 4
    assert len(zones.faults) == 1


def test_files_in_an_old_encoding(tmp_path: Path) -> None:
    path = tmp_path / "old.txt"
    path.write_bytes((HEAD.replace("BOX", "Münster") + SQUARE).encode("cp1252"))
    assert [zone.name for zone in read_zones(path)] == ["Münster"]
