"""The commands encounters and formations, with input as it should and should not be."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

import adiz
from adiz.cli import main
from adiz.errors import AdizError
from adiz.simulate.world import Settings, make_world


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("day") / "day.parquet"
    make_world(Settings(aircraft=60, hours=1.5)).reports().write_parquet(path)
    return path


def lines_of(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_encounters_as_json_lines(day: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["encounters", str(day), "--format", "json"]) == 0
    rows = lines_of(capsys.readouterr().out)
    assert rows
    assert rows[0]["track_a"] < rows[0]["track_b"]
    assert rows[0]["start_time"].endswith("Z")
    assert len(rows[0]["start_time"]) == len("2026-03-01T22:00:00.000000Z")


def test_formations_and_their_events(
    day: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["formations", str(day), "--joint", "--format", "json"]) == 0
    (joint,) = lines_of(capsys.readouterr().out)
    assert (joint["states"], joint["roles"], joint["member_count"]) == ("CN;RU", "bomber", 4)
    assert main(["formations", str(day), "--show", "events", "--joint", "--format", "json"]) == 0
    kinds = {e["kind"] for e in lines_of(capsys.readouterr().out)}
    assert {"formed", "ended"} <= kinds
    zone = tmp_path / "box.geojson"
    ring = [[100, 10], [160, 10], [160, 60], [100, 60], [100, 10]]
    feature = {
        "type": "Feature",
        "id": "BOX",
        "properties": {},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    zone.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    argv = ["formations", str(day), "--show", "zones", "--zones", str(zone), "--joint"]
    assert main([*argv, "--format", "json"]) == 0
    together = lines_of(capsys.readouterr().out)
    assert {row["zone_id"] for row in together} == {"BOX"}
    assert max(row["member_count"] for row in together) == 4


def test_two_aircraft_with_one_id_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ["time,track_id,lat,lon"]
    for k in range(200):
        time = f"2026-03-01T22:{k // 12:02d}:{k % 12 * 5:02d}Z"
        rows.append(f"{time},twice,{37 + (k % 2) * 5},130")
        rows.append(f"{time},near,37.01,130")
    path = tmp_path / "two.csv"
    path.write_text("\n".join(rows))
    assert main(["encounters", str(path), "--format", "json"]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "199 legs too fast" in said.err


def test_wrong_use_is_told(day: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["encounters", str(day), "--within-nm", "900"]) == 2
    assert "within_nm is 900" in capsys.readouterr().err
    assert main(["formations", str(day), "--show", "zones"]) == 2
    assert "go together" in capsys.readouterr().err
    assert main(["encounters", str(day), "--format", "parquet"]) == 2
    assert "give --out" in capsys.readouterr().err
    with pytest.raises(AdizError, match="lack the columns lat_deg"):
        adiz.find_encounters(pl.DataFrame({"time": [], "track_id": []}))


def test_rows_without_sense_are_counted() -> None:
    nothing = [None, float("nan"), float("inf"), 91.0]
    reports = pl.DataFrame(
        {"time": [0, 1, 2, 3], "track_id": ["a", "b", None, "d"], "lat_deg": nothing,
         "lon_deg": [0.0, 0.0, 0.0, 0.0]}
    ).cast({"time": pl.Datetime("us", "UTC")})  # fmt: skip
    fold = adiz.EncountersFold()
    assert fold.step(reports).is_empty()
    assert fold.flush().is_empty()
    assert fold.counts["unusable"] == 4


def test_times_beyond_all_sense_are_counted() -> None:
    far = [-(2**63) + 5, 2**63 - 5, 0, 5_000_000]
    reports = pl.DataFrame(
        {"time": far, "track_id": ["a", "a", "b", "b"], "lat_deg": [1.0] * 4, "lon_deg": [1.0] * 4}
    ).with_columns(pl.col("time").cast(pl.Datetime("us", "UTC")))
    fold = adiz.EncountersFold()
    fold.step(reports)
    fold.flush()
    assert fold.counts["unusable"] == 2


def test_the_swiss_day_has_no_formation(captures: Path) -> None:
    found = adiz.find_formations(captures / "traffic" / "switzerland.json.gz")
    assert found.formations.is_empty()
    assert 15 <= found.company.height <= 30
    assert set(found.company["kind"]) <= {"stacked", "passing", "spaced"}
