"""The command ``adiz warnings``, with input as it should and should not be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import adiz
from adiz.cli import main

CAPTURE = str(adiz.demo_capture())
ZONES = ["--zones", "US-CONUS-2"]


def rows(argv: list[str], capsys: pytest.CaptureFixture[str]) -> list[dict]:
    assert main(["warnings", CAPTURE, *ZONES, "--format", "json", *argv]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_both_crossings_of_the_capture_are_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    found = rows([], capsys)
    entered = [row for row in found if row["reason"] == "entered"]
    assert [row["time"][:16] for row in entered] == ["2020-09-14T21:59", "2020-09-15T00:34"]
    assert all(row["raised_time"] < row["time"] for row in entered)
    assert main(["warnings", CAPTURE, *ZONES]) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[0].split()[:4] == ["time", "track_id", "zone_id", "change"]
    assert len(table) == len(found) + 1


def test_settings_and_suppression(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "watch.toml"
    config.write_text("[warnings]\nagree = 1\nof = 1\n[warnings.horizon_s]\nadiz = 60\n")
    short = rows(["--config", str(config)], capsys)
    assert max(row["lead_s"] for row in short if row["change"] == "raised") <= 60
    long = rows(["--config", str(config), "--horizon", "adiz=900"], capsys)
    assert max(row["lead_s"] for row in long) > 600
    assert rows(["--suppress", "ae0455,other"], capsys) == []


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--agree", "3"], "write N/M"),
        (["--agree", "6/5"], "agree is 6, more than of"),
        (["--horizon", "adiz"], "write KIND=SECONDS"),
        (["--horizon", "=3"], "write KIND=SECONDS"),
        (["--horizon", "adiz=99999"], "give seconds from 0 to 3600"),
        (["--cone-deg", "120"], "give a number from 0 to 90"),
        (["--config", "absent.toml"], "absent.toml"),
    ],
)
def test_what_cannot_be_is_told(
    argv: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["warnings", CAPTURE, *ZONES, *argv]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "text", ["[warnings", "warnings = 3", "[warnings]\nhorizon_s = 4", "[warnings]\nagrees = 4"]
)
def test_a_configuration_that_cannot_be_names_its_file(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "bad.toml"
    config.write_text(text)
    assert main(["warnings", CAPTURE, *ZONES, "--config", str(config)]) == 2
    assert "bad.toml" in capsys.readouterr().err
