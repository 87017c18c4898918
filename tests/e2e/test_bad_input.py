"""Bad input from the shell: a message that helps, the right exit status, never a traceback."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from adiz.cli import main

HEAD = "time,icao24,lat,lon,altitude\n"
ROWS = [f"2026-01-01T00:00:{s:02d}Z,abc123,37.{s:02d},131.5,30000\n" for s in range(60)]
GOOD = HEAD + "".join(ROWS)


def polygon(*points: tuple[float, float]) -> str:
    geometry = {"type": "Polygon", "coordinates": [[*points, points[0]]]}
    return json.dumps({"type": "Feature", "id": "Z", "properties": {}, "geometry": geometry})


def swapped() -> str:
    return HEAD + "".join(r.replace("37.", "131.").replace(",131.5,", ",37.5,") for r in ROWS)


UNUSABLE_REPORTS = {
    "empty.csv": ("", "empty"),
    "heading-only.csv": (HEAD, "no rows"),
    "swapped.csv": (swapped(), "seem swapped"),
    "local-times.csv": (GOOD.replace("Z,", ","), "--time-zone"),
    "no-such-columns.csv": ("a,b\n1,2\n", "column"),
    "junk.parquet": (b"PAR1" + bytes(range(256)) * 20, "cannot be read"),
    "one-long-line.csv": ("x" * 200_000_000, "line"),
}


@pytest.mark.parametrize("name", UNUSABLE_REPORTS)
def test_reports_that_cannot_be_used(name: str, tmp_path: Path, capsys: pytest.CaptureFixture):
    content, message = UNUSABLE_REPORTS[name]
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert main(["stays", str(path), "--zones", "KADIZ"]) == 2
    said = capsys.readouterr().err
    assert name in said
    assert message in said


UNUSABLE_ZONES = {
    "two-points.geojson": (polygon((130, 37), (131, 38)), "2 different points"),
    "bow-tie.geojson": (polygon((130, 37), (132, 38), (132, 37), (130, 38)), "crosses itself"),
    "pole.geojson": (polygon((-170, 80), (-60, 80), (60, 80), (170, 80)), "pole"),
    "empty.geojson": ("", "empty"),
    "cut.geojson": ('{"type": "FeatureCollection", "features": [{"type"', ":1:"),
    "swapped.geojson": (polygon((37, 130), (38, 130), (38, 131)), "out of range"),
}


@pytest.mark.parametrize("name", UNUSABLE_ZONES)
def test_zones_that_cannot_be_used(name: str, tmp_path: Path, capsys: pytest.CaptureFixture):
    content, message = UNUSABLE_ZONES[name]
    (tmp_path / name).write_text(content)
    (tmp_path / "good.csv").write_text(GOOD)
    assert main(["stays", str(tmp_path / "good.csv"), "--zones", str(tmp_path / name)]) == 2
    said = capsys.readouterr().err
    assert name in said
    assert message in said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--zones", "KADZI"], "did you mean KADIZ"),
        (["--zones", "JADIZ"], "points 8 to 30"),
        (["--zones", "KADIZ", "--max-gap", "-3"], "positive"),
        (["--zones", "KADIZ", "--max-speed-kt", "nan"], "positive"),
        (["--zones", "KADIZ", "--show-zone", "Asia/Atlantis"], "Asia/Seoul"),
        (["--zones", "KADIZ", "--column", "time"], "OURS=THEIRS"),
        (["--zones", "KADIZ", "--out", "/no/such/folder/stays.csv"], "No such file"),
    ],
)
def test_wrong_use(options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture):
    (tmp_path / "good.csv").write_text(GOOD)
    assert main(["stays", str(tmp_path / "good.csv"), *options]) == 2
    assert message in capsys.readouterr().err


def test_bad_rows_are_counted_and_stop_nothing(tmp_path: Path, capsys: pytest.CaptureFixture):
    bad = "2026-01-01T00:02:00Z,abc123,NaN,131.5,1\n2026-01-01T00:02:01Z,abc123,91,131.5,1\n"
    (tmp_path / "some.csv").write_text(GOOD + bad + ",abc123,37,131,1\nsoon,abc123,37,131,1\n")
    rejected = tmp_path / "rejected.csv"
    command = ["stays", str(tmp_path / "some.csv"), "--zones", "KADIZ", "--format", "json"]
    assert main([*command, "--rejected", str(rejected)]) == 0
    out, err = capsys.readouterr()
    (stay,) = map(json.loads, out.splitlines())
    assert stay["report_count"] == 60
    for reason in ("not a number", "latitude out of range", "missing time", "unparsable time"):
        assert f"1 row left out: {reason}" in err
    assert len(rejected.read_text().splitlines()) == 5


def test_what_precedes_a_break_in_a_gzip_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture):
    whole = gzip.compress((HEAD + "".join(ROWS) * 3000).encode())
    (tmp_path / "cut.csv.gz").write_bytes(whole[: len(whole) // 2])
    assert main(["stays", str(tmp_path / "cut.csv.gz"), "--zones", "KADIZ"]) == 0
    out, err = capsys.readouterr()
    assert "cut off" in err
    assert "abc123  KADIZ-2013" in out


def test_names_from_files_cannot_move_the_cursor(tmp_path: Path, capsys: pytest.CaptureFixture):
    (tmp_path / "evil.csv").write_text(GOOD.replace("abc123", "\x1b[2Jevil"))
    assert main(["stays", str(tmp_path / "evil.csv"), "--zones", "KADIZ"]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_parquet_counts_its_bad_rows_too(tmp_path: Path, capsys: pytest.CaptureFixture):
    import polars as pl

    import adiz

    good = adiz.read(adiz.demo_capture()).table
    bad = good.head(3).with_columns(lat_deg=pl.Series([91.0, float("nan"), None]))
    pl.concat([good, bad]).write_parquet(tmp_path / "some.parquet")
    bad.write_parquet(tmp_path / "none.parquet")
    command = ["--zones", "US-CONUS-2", "--format", "json"]
    assert main(["stays", str(tmp_path / "some.parquet"), *command]) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 6
    for reason in ("not a number", "latitude out of range", "missing position"):
        assert f"1 row left out: {reason}" in err
    assert main(["stays", str(tmp_path / "none.parquet"), *command]) == 2
    assert "no usable row" in capsys.readouterr().err
