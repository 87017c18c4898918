"""Who a track is: statements, evidence, conflicts."""

from __future__ import annotations

import contextlib
import json
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import adiz
from adiz.errors import FaultyInputError
from adiz.identify.notices import read_contacts, read_notices
from adiz.schema import REPORTS, polars_schema
from adiz.tracks.address_blocks import find_block, find_mark, find_military_block, state_names
from adiz.tracks.identity import (
    Seen,
    identify,
    identify_tracks,
    identities_table,
    squawk_meaning,
    statements_table,
)
from adiz.tracks.registry import read_registry
from adiz.tracks.types import read_rows

START = datetime(2026, 6, 27, 3, 0, tzinfo=UTC)


def table(rows: list[dict[str, Any]]) -> pl.DataFrame:
    filled = [{"time": START, "lat_deg": 36.0, "lon_deg": 130.0, **row} for row in rows]
    return pl.DataFrame(filled, schema=polars_schema(REPORTS))


@pytest.mark.parametrize(
    ("address", "state"),
    [
        ("100000", "RU"), ("1fffff", "RU"), ("718000", "KR"), ("71ffff", "KR"), ("720000", "KP"),
        ("7bffff", "CN"), ("87ffff", "JP"), ("8993ff", "TW"), ("899400", None), ("AE0455", "US"),
        ("000000", None), ("ffffff", None), ("~2a1b3c", None), ("", None), ("7b01234", None),
    ],
)  # fmt: skip
def test_addresses_lie_in_their_blocks(address: str, state: str | None) -> None:
    block = find_block(address)
    assert (block.state if block else None) == state


def test_blocks_do_not_overlap_and_start_where_their_prefix_says() -> None:
    ends = []
    for row in read_rows("states.csv"):
        if row["block"]:
            first, size = int(row["block"], 16), 1 << (24 - int(row["prefix_bits"]))
            assert first % size == 0
            ends.append((first, first + size - 1))
    ends.sort()
    assert all(a[1] < b[0] for a, b in pairwise(ends))
    assert len(ends) > 180


def test_blocks_and_marks_agree_with_an_independent_table(captures: Path) -> None:
    known = {name: state for state, name in state_names().items()} | {
        "The Netherlands": "NL",
        "Turkey": "TR",
    }
    checked = 0
    for entry in json.loads((captures / "traffic" / "patterns.json").read_text())["registers"]:
        state = known.get(entry["country"])
        if state is None:
            assert re.match("ICAO|Unassigned", entry["country"])
            continue
        if "start" in entry:
            for end in ("start", "end"):
                block = find_block(f"{int(entry[end], 16):06x}")
                assert block is not None
                assert block.state == state
            checked += 1
        marks = next(r["marks"] for r in read_rows("states.csv") if r["state"] == state)
        overseas = {"VP-", "VQ-", "VR-"}  # of British territories, which that table leaves out
        for mark in sorted(set(marks.split()) - overseas):
            sample = mark.replace("#", "1") + ("" if mark.endswith("#") else "ABC")
            assert re.match(entry["pattern"], sample), (mark, entry["pattern"])
    assert checked == 188


def test_real_registrations_fit_their_addresses(captures: Path) -> None:
    assert find_mark("N899DN") == ("N", "US")
    block = find_block("ac671b")
    assert block is not None
    assert block.state == "US"
    assert find_military_block("ae0455") is not None


def test_real_military_aircraft(captures: Path) -> None:
    for name, state in (("aircraft_carrier", "US"), ("inflight_refuelling", "FR")):
        found = identify_tracks(adiz.read(captures / "traffic" / f"{name}.json.gz"))
        assert {(one.state, one.use) for one in found.values()} == {(state, "military")}
        assert not any(one.conflicts for one in found.values())


@pytest.mark.parametrize(
    ("registration", "state"),
    [
        ("B-18901", "TW"), ("B-1234", "CN"), ("B1234", "CN"), ("HL7742", "KR"), ("P-632", "KP"),
        ("RF-94130", "RU"), ("VHOEG", "AU"), ("N172DN", "US"), ("CSTKJ", "PT"), ("C-GABC", "CA"),
        ("PH-BXA", "NL"), ("", None), ("-", None), ("12345", None), ("N", None), ("[(", None),
    ],
)  # fmt: skip
def test_registrations_have_marks(registration: str, state: str | None) -> None:
    found = find_mark(registration)
    assert (found[1] if found else None) == state


def test_squawks() -> None:
    assert squawk_meaning("7500") == "unlawful interference"
    assert squawk_meaning("7700") == "emergency"
    assert squawk_meaning("2000") == (
        "no code assigned: entering from an area without secondary radar"
    )
    assert squawk_meaning("0600") == "conspicuity"
    assert squawk_meaning("8000") is None


def test_every_statement_has_evidence_and_a_source() -> None:
    one = identify(Seen("t", ("7800a1",), ("RFF1234",), ("7700",), ("H-6K",), ("B-1234",)))
    assert {s.subject for s in one.statements} == {
        "state", "use", "role", "type", "registration", "operator", "callsign", "squawk"
    }  # fmt: skip
    assert all(s.evidence and s.source for s in one.statements)


def test_conflicting_states_are_shown_not_resolved() -> None:
    one = identify(Seen("t", ("7800a1",), ("RFF1234",)))
    assert one.state is None
    assert one.values("state") == ("CN", "RU")
    assert len(one.conflicts) == 1
    assert "780000-7bffff" in one.conflicts[0]
    assert "RFF1234" in one.conflicts[0]


def test_a_civil_operator_of_another_state_is_shown_and_leaves_the_state() -> None:
    one = identify(Seen("t", ("440005",), ("EZY12AB", "EZY34CD")))
    assert one.state == "AT"
    assert one.value("operator state") == "GB"
    assert one.reason == "callsigns EZY12AB, EZY34CD are of easyJet"
    assert "the aircraft is of AT, its operator of GB" in one.conflicts[0]


def test_use_needs_a_reason() -> None:
    assert identify(Seen("t", ("7800a1",))).use == "unknown"
    assert identify(Seen("t", ("7800a1",))).reason == "nothing seen tells military from civil"
    bomber = identify(Seen("t", (), (), (), ("TU-95MS",)))
    assert (bomber.state, bomber.use, bomber.role) == ("RU", "military", "bomber")
    assert bomber.reason == "type TU-95MS (Tupolev Tu-95MS) is military"


def test_a_registry_settles_with_provenance(tmp_path: Path) -> None:
    path = tmp_path / "fleet.csv"
    path.write_bytes(
        "\ufeffICAO24;State;Type;Use;Source\r\n7800A1;ru;a-50u;military;JCS 2019\r\n".encode()
    )
    one = identify(Seen("t", ("7800a1",)), read_registry(path))
    assert one.state == "RU"
    assert one.role == "aew&c"
    assert one.about("state")[0].evidence == "fleet.csv:2, by icao24 7800A1"
    assert one.about("state")[0].source == "JCS 2019"
    assert "the registry settles it: RU" in one.conflicts[0]


def test_a_type_within_its_designator_is_no_conflict(tmp_path: Path) -> None:
    path = tmp_path / "fleet.csv"
    path.write_text("icao24,type\n7800a1,H-6K\n7800a2,KJ-2000\n")
    registry = read_registry(path)
    assert identify(Seen("t", ("7800a1",), (), (), ("TU16",)), registry).conflicts == ()
    assert len(identify(Seen("t", ("7800a2",), (), (), ("TU16",)), registry).conflicts) == 2


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "is empty"),
        ("icao24,stat\n", "unknown column 'stat'"),
        ("icao24,icao24\n", "repeated column 'icao24'"),
        ("icao24,state\nxyz,RU\n", ":2: 'xyz' is no address (field icao24)"),
        ("icao24,state\n7800a1,Russia\n", ":2: 'RUSSIA' is no state (field state)"),
        ("icao24,state\n,RU\n", ":2: names no aircraft"),
        ("icao24,state\n7800a1,\n", ":2: says nothing"),
        ("icao24,use\n7800a1,hostile\n", "'hostile' is no use"),
    ],
)
def test_a_bad_registry_is_named_by_place(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "fleet.csv"
    path.write_text(text)
    with pytest.raises(FaultyInputError, match=re.escape(fault)):
        read_registry(path)


@given(st.binary(max_size=80), st.sampled_from([b"", b"icao24,state\n", b"\xff\xfe", b'a"']))
def test_any_bytes_are_read_or_refused(tmp_path_factory: Any, data: bytes, head: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "any.csv"
    path.write_bytes(head + data)
    for read in (read_registry, lambda p: read_notices([p]), lambda p: read_contacts([p])):
        with contextlib.suppress(FaultyInputError):
            read(path)


def test_two_aircraft_with_one_address_far_apart_are_shown() -> None:
    rows = [
        {
            "track_id": "7800a1",
            "icao24": "7800a1",
            "time": START + timedelta(seconds=10 * i),
            "lat_deg": 36.0 + (i % 2) * 4.5,
        }
        for i in range(10)
    ]
    one = identify_tracks(table(rows))["7800a1"]
    assert len(one.conflicts) == 1
    assert "leaps 9 times" in one.conflicts[0]
    assert "500 km" in one.conflicts[0]
    assert "two aircraft share it" in one.conflicts[0]


def test_one_address_on_two_tracks_at_one_instant() -> None:
    rows = [
        {"track_id": "a", "icao24": "7800a1"},
        {"track_id": "b", "icao24": "7800a1", "lon_deg": 140.0},
        {"track_id": "c", "icao24": None, "lon_deg": 150.0},
    ]
    found = identify_tracks(table(rows))
    assert found["a"].conflicts == found["b"].conflicts
    assert "at one instant" in found["a"].conflicts[0]
    assert found["c"].conflicts == ()


def test_a_fast_but_possible_aircraft_does_not_leap() -> None:
    rows = [
        {"track_id": "a", "time": START + timedelta(seconds=60 * i), "lat_deg": 36.0 + 0.3 * i}
        for i in range(5)
    ]
    assert identify_tracks(table(rows))["a"].conflicts == ()


def test_tables() -> None:
    found = identify_tracks(table([{"track_id": "a", "icao24": "7800a1", "callsign": "RFF12"}]))
    row = identities_table(found).row(0, named=True)
    assert row["state"] == "CN or RU"
    assert row["use"] == "military"
    assert statements_table(found)["subject"].to_list() == [
        "state", "callsign", "operator", "use", "state"
    ]  # fmt: skip
    assert identities_table({}).height == 0
    assert identify_tracks(table([])) == {}


@pytest.mark.parametrize(
    ("registration", "state", "use"),
    [
        ("RF-94203", "RU", "state"),
        ("RA-85155", "RU", "unknown"),
        ("50+49", "DE", "military"),
        ("ZZ333", "GB", "military"),  # not of Zimbabwe, whose mark is Z-
        ("Z-WPA", "ZW", "unknown"),
        ("VP-BDK", "GB", "unknown"),
        ("05-8152", None, "military"),  # of the United States or of Japan
        ("ZZZZ", None, "unknown"),
        ("0000", None, "unknown"),
    ],
)
def test_serials_and_marks(registration: str, state: str | None, use: str) -> None:
    one = identify(Seen("t", registration=(registration,)))
    assert (one.state, one.use) == (state, use)
