"""``adiz events``, on the store of a watch."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.face_samples import AT_US, an_event

from adiz.cli import main
from adiz.run.live.store import Store


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "watch.toml"
    path.write_text('[watch]\nstore = "w.db"\n')
    store = Store(str(tmp_path / "w.db"))
    entry = an_event(text="A entered\x1b[2J", tracks=("a", "b"), data={"depth": 1})
    gone = an_event(event_id="bbbb", kind="exit", tracks=("c",), time_us=AT_US + 60_000_000)
    moved = replace(entry, revision=2, time_us=AT_US + 1)
    store.commit([entry, gone, moved])
    store.commit([replace(gone, revision=2, withdrawn=True)])
    store.commit([an_event(event_id="cccc", kind="lost", tracks=("d",), zone_id="OTHER")])
    store.close()
    return str(path)


def told(capsys: pytest.CaptureFixture[str], *args: str) -> list[tuple[str, int]]:
    assert main(["events", *args, "--format", "json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [(row["event_id"], row["revision"]) for row in rows]


def test_what_is_chosen(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, config) == [("aaaa", 2), ("cccc", 1)]
    assert told(capsys, str(Path(config).parent / "w.db")) == [("aaaa", 2), ("cccc", 1)]
    every = [("aaaa", 1), ("bbbb", 1), ("aaaa", 2), ("bbbb", 2), ("cccc", 1)]
    assert told(capsys, config, "--all") == every
    assert told(capsys, config, "--all", "--kind", "exit, entry") == every[:4]
    assert told(capsys, config, "--zone", "OTHER") == [("cccc", 1)]
    assert told(capsys, config, "--track", "b") == [("aaaa", 2)]
    assert told(capsys, config, "--all", "--from", "2026-03-01T22:46Z") == [
        ("bbbb", 1),
        ("bbbb", 2),
    ]
    assert told(capsys, config, "--to", "2026-03-02T07:45+09:00") == []
    assert told(capsys, config, "--to", "2026-03-02") == [("aaaa", 2), ("cccc", 1)]
    assert told(capsys, config, "--last", "1") == [("cccc", 1)]


def test_how_it_is_written(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["events", config]) == 0
    table = capsys.readouterr().out
    assert "2026-03-01 22:45:00Z" in table
    assert "\x1b" not in table
    assert main(["events", config, "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert rows[0]["tracks"] == "a b"
    assert rows[0]["time"] == "2026-03-01T22:45:00.000001Z"
    assert json.loads(rows[0]["data"]) == {"depth": 1}
    out = tmp_path / "events.parquet"
    assert main(["events", config, "--format", "parquet", "--out", str(out)]) == 0
    assert out.stat().st_size


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--kind", "entri"], "did you mean entry"),
        (["--from", "yesterday"], "2026-03-01T22:45Z"),
        (["--last", "0"], "below 1"),
    ],
)
def test_wrong_use_is_told(
    config: str, args: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["events", config, *args]) == 2
    assert said in capsys.readouterr().err


def test_what_is_no_watch_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["events", str(tmp_path / "none.toml")]) == 2
    assert "neither" in capsys.readouterr().err
    (tmp_path / "empty.toml").write_text("")
    assert main(["events", str(tmp_path / "empty.toml")]) == 2
    assert "no store" in capsys.readouterr().err
