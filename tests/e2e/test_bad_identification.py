"""Bad input to identification, from the shell: each is handled plainly, and counted."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adiz.cli import main

START = datetime(2026, 6, 26, 23, 30, tzinfo=UTC)
HEAD = "time,track_id,lat_deg,lon_deg,alt_baro_ft,icao24,callsign\n"

ZONE = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "id": "AUS-ADIZ",  # has a rule with a lead time and tolerances
            "properties": {"kind": "adiz"},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[120, 28], [128, 28], [128, 32], [120, 32], [120, 28]]],
            },
        }
    ],
}

PLAN = "(FPL-JAL91-IS-B738/M-S/C-RJTT{clock}-N0450F360 {route}-ZSPD0400-DOF/260626 CODE/840001)\n"
ROUTE = "DCT 3030N13100E DCT 3030N12000E DCT"


def flown(tmp_path: Path, *tracks: tuple[str, float, str, str], name: str = "f.csv") -> str:
    """Tracks westward through the zone, at a report a minute: id, latitude, address, callsign."""
    rows = [
        f"{(START + timedelta(minutes=m)).isoformat()},{track},{lat},{131 - m * 0.13:.4f},36000,"
        f"{address},{callsign}\n"
        for m in range(100)
        for track, lat, address, callsign in tracks
    ]
    path = tmp_path / name
    path.write_text(HEAD + "".join(rows))
    return str(path)


@pytest.fixture
def zone(tmp_path: Path) -> str:
    path = tmp_path / "zone.geojson"
    path.write_text(json.dumps(ZONE))
    return str(path)


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[str, str]:
    assert main(list(words)) == 0
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return out, err


def test_two_aircraft_with_one_address(tmp_path: Path, zone: str, capsys) -> None:
    path = flown(tmp_path, ("a", 30.0, "840001", "JAL91"), ("b", 34.5, "840001", "JAL91"))
    out, _ = said(capsys, "identity", path, "--conflicts")
    assert out.count("840001 leaps 199 times between positions up to 501 km apart") == 2
    out, _ = said(capsys, "tally", path, "--zones", zone, "--format", "csv")
    assert out.splitlines()[-1] == ",,1,1,0,1"  # one entry, and it is doubtful
    plans = tmp_path / "p.txt"
    plans.write_text(PLAN.format(clock="2300", route=ROUTE))
    out, _ = said(capsys, "identify", path, "--zones", zone, "--plans", str(plans))
    assert "tracks with conflicting identity: 2" in out


def test_two_aircraft_with_one_id_500_km_apart(tmp_path: Path, zone: str, capsys) -> None:
    both = Path(flown(tmp_path, ("x", 30.0, "", "AB1")))
    other = Path(flown(tmp_path, ("x", 34.5, "", "AB1"), name="g.csv"))
    later = other.read_text().replace(":00+00:00", ":30+00:00")
    both.write_text(both.read_text() + later.partition("\n")[2])
    out, _ = said(capsys, "identity", str(both), "--conflicts")
    assert "x leaps 199 times" in out
    out, _ = said(capsys, "tally", str(both), "--zones", zone, "--format", "json")
    total = json.loads(out.splitlines()[-1])
    assert total["entries"] == total["doubtful"] > 0
    for command in ("encounters", "formations"):
        _, err = said(capsys, command, str(both))
        assert "left out: 199 legs too fast to be flown" in err


def test_plans_with_unknown_points_midnight_and_filed_too_late(
    tmp_path: Path, zone: str, capsys
) -> None:
    path = flown(tmp_path, ("a", 30.5, "840001", "JAL91"))
    plans = tmp_path / "p.txt"
    # Off blocks at 23:40 of the 26th, then delayed past midnight, then departed before it.
    plans.write_text(PLAN.format(clock="2200", route=f"DCT NOWHR {ROUTE} OTHER DCT"))
    out, _ = said(capsys, "identify", path, "--zones", zone, "--plans", str(plans))
    assert "Plan JAL91 RJTT-ZSPD (p.txt:1) does not say when it was filed." in out
    assert "unknown points in plans: 2" in out
    plans.write_text(
        "ZCZC ABC0001 270100\nFF RKRRZQZX\n270100 RJTTZPZX\n"
        + PLAN.format(clock="2230", route=ROUTE)
        + "NNNN\n(DLA-JAL91-RJTT0010-ZSPD-DOF/260626)\n(DEP-JAL91-RJTT2232-ZSPD-DOF/260626)\n"
    )
    out, _ = said(capsys, "identify", path, "--zones", zone, "--plans", str(plans))
    assert "was filed 67 min after entry; 60 min are asked." in out  # a negative lead time
    assert "stays whose plan was filed after entry: 1" in out
    assert "distance from the route  met" in out
    plans.write_text("(FPL-NOBODY-IS-B738/M)\n(CNL-JAL91-RJTT2200-ZSPD-0)\n(FPL-\n")
    out, err = said(capsys, "identify", path, "--zones", zone, "--plans", str(plans))
    assert "p.txt:1: FPL NOBODY: items 10, 13, 15, 16, 18 are missing" in err
    assert "CNL JAL91 RJTT: fits no plan read before it" in err
    assert "plan messages set aside: 3" in out
    # Without a plan there is nothing to measure a flight against, and that is not "not met".
    assert "time at the boundary     unknown  There is no plan of it to measure against." in out


def test_notices_after_the_fact_and_csv_of_spreadsheets(tmp_path: Path, capsys) -> None:
    rows = [
        f"{(START + timedelta(minutes=m)).isoformat()},h6,36.0,{134 - m * 0.13:.4f},30000,,H-6K\n"
        for m in range(90)
    ]
    path = tmp_path / "bomber.csv"
    path.write_text(HEAD.replace("callsign", "type_code") + "".join(rows))
    notices = tmp_path / "n.csv"
    notices.write_text(
        "\ufefftrack_id;notified_at;entry_time;zone\n"
        "h6;2026-06-27T02:00Z;2026-06-27T00:00Z;KADIZ\n"
        "other;2026-06-25T02:00Z;;KADIZ\n"
        "h6;2026-06-26T20:00;;KADIZ\n"
        "h6;soon;;KADIZ\n",
        encoding="utf-8",
    )
    contacts = tmp_path / "c.csv"
    contacts.write_text("\ufefftrack_id\ttime\tanswered\nh6\t2026-06-27T00:00Z\tmaybe\n")
    words = ("--notices", str(notices), "--contacts", str(contacts))
    out, err = said(capsys, "identify", str(path), "--zones", "KADIZ", *words)
    assert "not met  Notice was given 2.0 h after entry: after the fact." in out
    assert "not met  Notice was given 2.0 h after entry; 24.0 h are asked." in out
    for count in (
        "notices set aside: 2",
        "notices given after the entry they announce: 1",
        "notices that fit no stay: 1",
        "contacts set aside: 1",
        "stays with notice only after the fact: 1",
    ):
        assert count in out
    assert "n.csv:4: time '2026-06-26T20:00' has no time zone" in err
    assert "c.csv:2: 'maybe' is neither yes nor no (field answered)" in err
