"""Real captures, against counts taken from them with nothing but json and gzip."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from adiz.sources.read import read


@pytest.mark.parametrize(
    ("name", "rows", "tracks"),
    [
        ("aircraft_carrier.json.gz", 9_024, 1),
        ("inflight_refuelling.json.gz", 10_397, 1),
        ("switzerland.json.gz", 139_098, 842),
    ],
)
def test_records_of_traffic(captures: Path, name: str, rows: int, tracks: int) -> None:
    path = captures / "traffic" / name
    raw = json.loads(gzip.decompress(path.read_bytes()))
    placed = [r for r in raw if r["latitude"] is not None and r["longitude"] is not None]
    reports = read(path)
    assert len(raw) == rows == reports.table.height + reports.rejected.height
    assert reports.table.height == len(placed)
    assert reports.rejected_counts in ({}, {"missing position": rows - len(placed)})
    assert reports.table["track_id"].n_unique() == tracks
    for ours, theirs in {
        "lat_deg": "latitude",
        "lon_deg": "longitude",
        "alt_baro_ft": "altitude",
        "gs_kt": "groundspeed",
        "track_true_deg": "track",
        "callsign": "callsign",
        "icao24": "icao24",
    }.items():
        assert reports.table[ours].to_list() == [r[theirs] for r in placed], ours
    assert reports.table["time"].dt.timestamp("ms").to_list() == [r["timestamp"] for r in placed]


def test_a_trace_with_its_gap(captures: Path) -> None:
    path = captures / "traffic" / "trace_full_ac671b.json"
    raw = json.loads(path.read_bytes())
    start = datetime.fromtimestamp(raw["timestamp"], UTC)
    table = read(path).table
    assert table.height == len(raw["trace"]) == 2_500
    assert table["lat_deg"].to_list() == [row[1] for row in raw["trace"]]
    assert table["lon_deg"].to_list() == [row[2] for row in raw["trace"]]
    assert table["on_ground"].to_list() == [row[3] == "ground" for row in raw["trace"]]
    for said, row in zip(table["time"], raw["trace"], strict=True):
        assert abs(said - start - timedelta(seconds=row[0])) <= timedelta(microseconds=1)
    gap = table.select(
        before=pl.col("time").shift(),
        after="time",
        seconds=pl.col("time").diff().dt.total_seconds(),
    ).filter(pl.col("seconds") == 2_887)
    assert [str(t)[11:19] for t in gap.row(0)[:2]] == ["21:49:38", "22:37:45"]


def test_one_capture_in_all_the_shapes_of_a_table(captures: Path, tmp_path: Path) -> None:
    path = captures / "traffic" / "aircraft_carrier.json.gz"
    raw = pl.read_json(gzip.decompress(path.read_bytes()))
    expected = read(path).table.drop("source")
    stamped = raw.with_columns(pl.from_epoch("timestamp", "ms").dt.replace_time_zone("UTC"))
    raw.write_parquet(tmp_path / "epoch.parquet")
    stamped.write_parquet(tmp_path / "stamped.parquet")
    raw.write_csv(tmp_path / "epoch.csv")
    stamped.write_csv(tmp_path / "stamped.csv")
    stamped.write_csv(tmp_path / "stamped.tsv", separator="\t")
    raw.write_ndjson(tmp_path / "lines.jsonl")
    for other in sorted(tmp_path.iterdir()):
        reports = read(other)
        assert reports.table.drop("source").equals(expected), other.name
        assert reports.rejected_counts == {"missing position": 1_689}, other.name
