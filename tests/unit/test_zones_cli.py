"""``adiz zones`` from the shell's side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import adiz
from adiz.cli import main
from adiz.zones.load import read_zones

SPACE = (
    "AC R\nAN BOX\nAL SFC\nAH FL100\nDP 10:00:00 N 020:00:00 E\nDP 10:00:00 N 021:00:00 E\n"
    "DP 11:00:00 N 021:00:00 E\nDP 10:00:00 N 020:00:00 E\n"
)


def test_list_names_every_zone_and_its_flags(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zones", "list"]) == 0
    out = capsys.readouterr().out
    for zone in adiz.zones():
        (line,) = [x for x in out.splitlines() if x.split()[0] == zone.zone_id]
        assert ("incomplete" in line) == bool(zone.incomplete)
        assert ("approximate" in line) == bool(zone.approximate)


def test_list_at_a_time_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zones", "list", "KADIZ", "--at", "2012-01-01", "--json"]) == 0
    (zone,) = json.loads(capsys.readouterr().out)
    assert zone["id"] == "KADIZ-1951"
    assert zone["valid_to"] == "2013-12-15T00:00:00Z"


def test_show_says_how_edges_run_and_how_far_to_trust_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["zones", "show", "KADIZ-2013", "JADIZ"]) == 0
    out = capsys.readouterr().out
    for text in (
        "9 by the shortest line, 3 along a parallel",
        "484,518 km²",
        "37-17-00.00N 133-00-00.00E",
        "confidence   high",
        "incomplete   points 8 to 30",
    ):
        assert text in out


def test_show_as_json_can_be_read_again(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["zones", "show", "LIANCOURT-12NM", "--json"]) == 0
    path = tmp_path / "out.geojson"
    path.write_text(capsys.readouterr().out)
    assert list(read_zones(path)) == list(adiz.zones("LIANCOURT-12NM"))


def test_check_tells_every_fault_and_fails(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.txt", tmp_path / "bad.txt"
    good.write_text(SPACE)
    bad.write_text(SPACE.replace("FL100", "FL") + SPACE.replace("11:00:00", "11:60:00"))
    assert main(["zones", "check", str(good)]) == 0
    assert main(["zones", "check", str(bad), str(good), str(tmp_path / "none")]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{good}: 1 zone, no fault"
    assert lines[1].startswith(f"{bad}:4: AH: 'FL' is a flight level without its number")
    assert lines[2].startswith(f"{bad}:15: DP: '11:60:00' has 60 minutes")
    assert lines[3] == lines[0]
    assert "No such file" in lines[4]


def test_convert(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    space, out = tmp_path / "space.txt", tmp_path / "space.geojson"
    space.write_text(SPACE)
    assert main(["zones", "convert", str(space), str(out), "--tolerance-m", "1"]) == 0
    assert list(read_zones(out)) == list(read_zones(space))
    space.write_text(SPACE + SPACE.replace("FL100", "FL"))
    assert main(["zones", "convert", str(space), str(out)]) == 2
    assert main(["zones", "convert", str(space), str(out), "--keep-going"]) == 1
    assert [zone.zone_id for zone in read_zones(out)] == ["BOX"]
    assert "space.txt:12: AH" in capsys.readouterr().err
    assert main(["zones", "convert", str(space), str(tmp_path / "no" / "x"), "--keep-going"]) == 2


def test_belt(tmp_path: Path) -> None:
    points, out = tmp_path / "islets.csv", tmp_path / "belt.geojson"
    points.write_text("name,lat,lon\neast,37.240778,131.869556\nwest,37.241833,131.865167\n")
    arguments = ["zones", "belt", str(points), "--out", str(out), "--claimant", "KR"]
    assert main(arguments) == 0
    (zone,) = read_zones(out)
    assert (zone.zone_id, zone.kind, zone.claimants) == ("islets", "territorial", ("KR",))
    assert zone.approximate
    points.write_text("name,lat,lon\neast,x,131.869556\n")
    assert main(arguments) == 2


@pytest.mark.parametrize("arguments", [["show", "NOPE"], ["list", "--at", "yesterday"]])
def test_wrong_use_is_told_plainly(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["zones", *arguments]) == 2
    assert capsys.readouterr().err.startswith("adiz zones: ")
