"""The tutorial says what the program does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adiz.cli import main

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial" / "incident.md"


def verdicts(path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["incident", "verdicts", str(path), "--legs"]) == 0
    return capsys.readouterr().out


def test_incident_tutorial(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    *blocks, last = re.findall(r"```toml\n(.*?)```", TUTORIAL.read_text(), re.DOTALL)
    path = tmp_path / "rock.toml"
    assert main(["incident", "new", str(path)]) == 0
    assert main(["incident", "check", str(path)]) == 0
    assert main(["incident", "new", str(path)]) == 2  # never over an existing file
    path.write_text("\n".join(blocks))
    assert main(["incident", "check", str(path)]) == 0
    capsys.readouterr()
    out = verdicts(path, capsys)
    assert "exclude each other, by 12.5 km at the least" in out
    assert "no point of LIANCOURT-12NM-KR is farther than 22.2 km" in out
    assert "3 min (2 to 4)" in out
    assert "37.4 km in 3 min, 749 km/h (561 to 1123), partly" in out
    assert "can all hold" in out
    assert "one of many paths that satisfy 3 claims" in out
    path.write_text("\n".join([*blocks, last]))
    out = verdicts(path, capsys)
    assert "cannot all hold" in out
    assert "It leaves out" in out
    path.write_text("\n".join(blocks).replace('["LIANCOURT-12NM-KR"]', '["LIANCOURT"]'))
    assert main(["incident", "check", str(path)]) == 2
    error = capsys.readouterr().err
    assert "rock.toml:" in error
    assert "claims.zones" in error


def test_incident_verdicts_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    import json

    blocks = re.findall(r"```toml\n(.*?)```", TUTORIAL.read_text(), re.DOTALL)[:-1]
    path = tmp_path / "rock.toml"
    path.write_text("\n".join(blocks))
    assert main(["incident", "verdicts", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [v["claim_id"] for v in found["verdicts"]] == ["e1", "e2", "e3", "w1"]


def test_incident_markup_stays_text_on_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    blocks = re.findall(r"```toml\n(.*?)```", TUTORIAL.read_text(), re.DOTALL)[:-1]
    path = tmp_path / "rock.toml"
    path.write_text("\n".join(blocks).replace("Westland's jet", "\\u009b31mjet<script>"))
    assert "\x9b" not in verdicts(path, capsys)
