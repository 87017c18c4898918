"""Keeping an incident from the shell: revisions and evidence."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from adiz.cli import main
from adiz.errors import AdizError
from adiz.incidents.catalogue import bundled_incidents
from adiz.incidents.evidence import insert_evidence
from adiz.incidents.file import read_incident


@pytest.fixture
def incident(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "incident.toml"
    path.write_text(bundled_incidents()["2019-07-23"].read_text())
    return path


def test_revisions(incident: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["incident", "save", str(incident), "--author", "A", "--message", "first"]) == 0
    assert main(["incident", "save", str(incident)]) == 0
    text = incident.read_text()
    incident.write_text(text.replace('title = "Joint', 'title = "A joint', 1))
    assert main(["incident", "save", str(incident)]) == 0
    capsys.readouterr()
    assert main(["incident", "log", "2019-07-23"]) == 0
    out = capsys.readouterr().out
    assert "revision 2" in out
    assert "revision 3" not in out
    assert "by A" in out
    assert "chain of revisions is whole" in out
    assert main(["incident", "diff", "2019-07-23"]) == 0
    assert capsys.readouterr().out.startswith('~ incident.title: "Joint')
    assert main(["incident", "show", "2019-07-23", "--revision", "1"]) == 0
    assert capsys.readouterr().out == text
    assert main(["incident", "log"]) == 0
    assert capsys.readouterr().out == "2019-07-23\n"
    assert main(["incident", "log", "none"]) == 2
    assert "it has: 2019-07-23" in capsys.readouterr().err


def test_nothing_to_compare(incident: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["incident", "save", "2019-07-23"]) == 0
    assert main(["incident", "diff", "2019-07-23"]) == 2
    assert "one revision only" in capsys.readouterr().err


def test_evidence(incident: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    page.write_text("<p>text</p>")
    arguments = ["incident", "evidence", "add", str(incident), "sbs", str(page)]
    options = ["--how", 'saved "whole"', "--collected", "2026-11-22T10:00+09:00"]
    assert main([*arguments, *options]) == 0
    (kept,) = read_incident(incident).source("sbs").evidence
    assert kept.collected_how == 'saved "whole"'
    assert (incident.parent / kept.file).read_text() == "<p>text</p>"
    assert main(["incident", "evidence", "verify", str(incident)]) == 0
    (incident.parent / kept.working_copy).write_text("marked")
    capsys.readouterr()
    assert main(["incident", "evidence", "verify", str(incident)]) == 1
    assert "unlogged" in capsys.readouterr().out
    copy = kept.working_copy.partition("/")[2]
    assert main(["incident", "evidence", "change", str(incident), copy, "--what", "marked"]) == 0
    assert main(["incident", "evidence", "verify", str(incident)]) == 0
    assert main([*arguments, "--how", "again"]) == 2
    assert "already kept" in capsys.readouterr().err
    assert main([*arguments[:4], "nobody", str(page), "--how", "x"]) == 2
    assert main([*arguments, "--how", "x", "--collected", "yesterday"]) == 2


def test_a_block_of_evidence_goes_where_it_belongs() -> None:
    entry = {
        "original": "o/1", "working": "w/1", "sha256": "0" * 64, "how": "h",
        "collected_at": "2026-01-01T00:00:00+00:00", "who": "",
    }  # fmt: skip
    text = '[[sources]]\nid = "a"\nnote = """\n[[sources]]\n"""\n# keep\n[[sources]]\nid = "b"\n'
    changed = insert_evidence(text, "a", entry, Path("x.evidence"))
    sources = tomllib.loads(changed)["sources"]
    assert [len(s.get("evidence", [])) for s in sources] == [1, 0]
    assert "# keep" in changed
    again = insert_evidence(changed, "b", entry, Path("x.evidence"))
    assert [len(s["evidence"]) for s in tomllib.loads(again)["sources"]] == [1, 1]
    with pytest.raises(AdizError, match="no source"):
        insert_evidence(text, "c", entry, Path("x.evidence"))
    with pytest.raises(AdizError, match="put this after the source a"):
        insert_evidence('sources = [{ id = "a" }]', "a", entry, Path("x.evidence"))


def test_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["incident", "list"]) == 0
    assert capsys.readouterr().out.startswith("2019-07-23  Joint patrol")
    assert main(["incident", "save", "no-such"]) == 2
    assert "one of: 2019-07-23" in capsys.readouterr().err


def test_dossier_arguments(incident: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["incident", "dossier", str(incident), "--out", "d", "--no-pdf"]
    assert main([*arguments, "--ring", "a50"]) == 2
    assert "SUBJECT@PLACE" in capsys.readouterr().err
