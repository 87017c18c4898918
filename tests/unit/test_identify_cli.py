"""identify, identity and tally from the shell, on a small flight through the KADIZ."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.feed_samples import block, plot

from adiz.cli import main

START = datetime(2026, 6, 27, 0, 0, tzinfo=UTC)


@pytest.fixture
def flights(tmp_path: Path) -> str:
    """Two bombers of two states, a mile apart, and an airliner, along 36N towards Korea."""
    lines = ["time,track_id,lat_deg,lon_deg,alt_baro_ft,icao24,callsign,squawk,type_code"]
    for minute in range(0, 90):
        time = (START + timedelta(minutes=minute)).isoformat()
        lon = 134.0 - minute * 0.13
        lines += [
            f"{time},h6,36.0,{lon:.4f},30000,7800a1,,,TU16",
            f"{time},tu95,36.02,{lon:.4f},30000,155b50,RFF1234,,TU95",
            f"{time},air,37.0,{lon:.4f},36000,840001,JAL91,4321,B738",
        ]
    path = tmp_path / "flights.csv"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


@pytest.fixture
def evidence(tmp_path: Path) -> list[str]:
    plans = tmp_path / "plans.txt"
    plans.write_text(
        "(FPL-JAL91-IS-B738/M-S/C-RJTT2300-N0400F360 DCT 37N134E 37N126E DCT-RKSI0230-"
        "DOF/260626 CODE/840001)\n(FPL-BAD1-IS-B738/M-S/C-RJTT2300-0400F360 DCT-RKSI0230-0)\n"
    )
    notices = tmp_path / "notices.csv"
    notices.write_bytes("\ufeffcallsign;notified_at\nRFF1234;2026-06-27T09:40+09:00\n".encode())
    return ["--plans", str(plans), "--notices", str(notices)]


def test_identify(flights: str, evidence: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    command = ["identify", flights, "--zones", "KADIZ", *evidence]
    assert main([*command, "--format", "json"]) == 0
    out, err = capsys.readouterr()
    rows = [json.loads(line) for line in out.splitlines()]
    found = {(r["track_id"], r["requirement"]): r["result"] for r in rows}
    assert found["h6", "prior notice"] == "not met"
    assert found["tu95", "prior notice"] == "not met"
    assert found["air", "prior notice"] == "exempt"
    assert "plans.txt:2: FPL BAD1: cruising speed 0400 of '0400F360' lacks its unit" in err
    assert "stays with notice only after the fact: 1" in err
    assert main([*command, "--partial", "--result", "not met"]) == 0
    out, _ = capsys.readouterr()
    assert "after entry: after the fact." in out
    assert "h6 " not in out
    assert "no violation of airspace" in out


def test_tally_in_company(
    flights: str, evidence: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chart = tmp_path / "chart.svg"
    command = ["tally", flights, "--zones", "KADIZ", "--by", "state,company,identified"]
    assert main([*command, *evidence, "--format", "csv"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "state,company,identified,sorties,entries,possible,doubtful",
        "CN,in formation,no,1,1,0,0",
        "JP,alone,yes,1,1,0,0",
        "RU,in formation,yes,1,1,0,0",
        ",,,3,3,0,0",
    ]
    assert "Sortie: one flight" in err
    assert main(["tally", flights, "--zones", "KADIZ", "--chart", str(chart)]) == 0
    assert "KADIZ, CN: 1" in chart.read_text()
    assert main(["tally", flights, "--zones", "KADIZ", "--by", "colour"]) == 2


def test_identity(flights: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["identity", flights, "--format", "csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].startswith("h6,CN,military,type TU16 (Tupolev Tu-16 and Xian H-6) is military")
    assert main(["identity", flights, "--statements"]) == 0
    assert "7800a1 is in the block 780000-7bffff of China" in capsys.readouterr().out
    assert main(["identity", flights, "--conflicts", "--format", "csv"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_files_that_are_not_there(flights: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["identify", flights, "--zones", "KADIZ", "--plans", "none.txt"]) == 2
    assert "none.txt: cannot be read" in capsys.readouterr().err
    assert main(["identify", flights, "--zones", "KADIZZ"]) == 2


@pytest.mark.parametrize(
    "command",
    [
        ["identity"],
        ["identify", "--zones", "KADIZ"],
        ["tally", "--zones", "KADIZ"],
        ["encounters"],
        ["formations"],
    ],
    ids=lambda command: command[0],
)
def test_every_reader_takes_recordings_without_dates(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Radar: ASTERIX CAT 048 needs the radar's site and the day."""
    raw = tmp_path / "radar.ast"
    plots = (plot(43_200 + 4 * k, range_nm=40 - k / 9, address=0x7800A1) for k in range(90))
    raw.write_bytes(b"".join(block(48, one) for one in plots))
    words = [command[0], str(raw), *command[1:], "--format", "json"]
    assert main(words) == 2  # without them nothing is usable
    assert "--start" in capsys.readouterr().err
    assert main([*words, "--site", "36.5,131.0,100", "--start", "2026-06-27"]) == 0
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    if command[0] == "identity":
        assert [json.loads(line)["track_id"] for line in out.splitlines()] == ["7800a1"]
