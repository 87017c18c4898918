"""Tables: names, units, times, and what is turned away."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest

from adiz.errors import ReportsError
from adiz.sources.read import read, scan
from adiz.sources.reports import SCHEMA

DEMO = str(files("adiz") / "data" / "c2a-san-diego-2020-09.parquet")


def write(folder: Path, text: str, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_the_bundled_capture_passes_through_as_it_is() -> None:
    reports = read(DEMO)
    assert reports.table.height == 7335
    assert dict(reports.table.schema) == SCHEMA
    assert reports.rejected.height == 0
    assert reports.table.equals(pl.read_parquet(DEMO))
    assert scan(DEMO).collect().equals(reports.table)


def test_bad_rows_are_counted_by_reason_and_never_stop_the_good(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "time,icao24,lat,lon,altitude_m\n"
        "2020-01-01T00:00:00Z,AE0455,32,-117,1000\n"
        ",ae0455,32,-117,\n"
        "yesterday,ae0455,32,-117,\n"
        "2020-01-01T00:00:00Z,,32,-117,\n"
        "2020-01-01T00:00:00Z,ae0455,,-117,\n"
        "2020-01-01T00:00:00Z,ae0455,north,-117,\n"
        "2020-01-01T00:00:00Z,ae0455,91,-117,\n"
        "2020-01-01T00:00:00Z,ae0455,32,inf,\n"
        "2020-01-01T00:00:00Z,ae0455,32,-541,\n"
        "2020-01-01T00:00:01Z,ae0455,32,243,\n",
    )
    reports = read(path)
    assert reports.table["lon_deg"].to_list() == [-117.0, -117.0]
    assert reports.table["track_id"].to_list() == ["ae0455", "ae0455"]
    assert reports.table["alt_baro_ft"][0] == pytest.approx(1000 / 0.3048, rel=1e-15)
    assert reports.rejected.select("row", "reason", "field", "value").rows() == [
        (2, "missing time", "time", None),
        (3, "unparsable time", "time", "yesterday"),
        (4, "missing track", "track_id", None),
        (5, "missing position", "lat_deg", None),
        (6, "not a number", "lat_deg", "north"),
        (7, "latitude out of range", "lat_deg", "91"),
        (8, "not a number", "lon_deg", "inf"),
        (9, "longitude out of range", "lon_deg", "-541"),
    ]
    assert sum(reports.rejected_counts.values()) == 8


def test_no_usable_row_is_an_error_with_the_counts(tmp_path: Path) -> None:
    path = write(
        tmp_path, "time,id,lat,lon\n2020-01-01T00:00Z,a,95,10\n2020-01-01T00:00Z,a,96,10\n"
    )
    with pytest.raises(ReportsError, match=r"2 latitude out of range.*swapped"):
        read(path)
