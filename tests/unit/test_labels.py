"""What is known of tracks: the same however reports are split, and what a plain count says."""

from __future__ import annotations

import random
from typing import Any

import polars as pl
import pytest
from tests.report_rows import SCHEMA

from adiz.run.live.labels import Labels

TRACKS = ["71be01", "71be02", "a name of more than twelve bytes", "another such name", "~é", ""]
CALLSIGNS = [None, "", "KAL123", "KAL124", "a callsign that is far too long", "bell\x07", "ÄÖ1"]
SQUAWKS = [None, "1000", "1000", "1000", "2000", "7700"]


def table(draw: random.Random, count: int) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    for n in range(count):
        rows.append(
            {
                "time": 1_000_000 * n + draw.choice([0, 0, 0, -5_000_000]),
                "track_id": draw.choice(TRACKS),
                "lat_deg": draw.uniform(-9, 9),
                "lon_deg": draw.uniform(-9, 9),
                "alt_baro_ft": draw.choice([None, 3000.0]),
                "alt_geom_ft": draw.choice([None, 3100.0]),
                "callsign": draw.choice(CALLSIGNS),
                "squawk": draw.choice(SQUAWKS),
            }
        )
    shape = {**SCHEMA, "time": pl.Int64()}
    return pl.DataFrame(rows, schema=shape).with_columns(pl.col("time").cast(SCHEMA["time"]))


def plain(reports: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """First and last time, place and callsigns of each track, counted the plain way."""
    found: dict[str, dict[str, Any]] = {}
    for row in reports.with_columns(pl.col("time").to_physical()).iter_rows(named=True):
        time_us = row["time"]
        one = found.setdefault(
            row["track_id"], {"first_us": time_us, "last_us": time_us, "callsigns": []}
        )
        one["first_us"] = min(one["first_us"], time_us)
        if time_us >= one["last_us"]:
            height = row["alt_baro_ft"] if row["alt_baro_ft"] is not None else row["alt_geom_ft"]
            one["last_us"], one["place"] = time_us, (row["lat_deg"], row["lon_deg"], height)
        said = row["callsign"]
        if said is not None and not (said.isascii() and said.isprintable()):
            said = "".join(c for c in said if c.isprintable())[:40]
        if said and said not in one["callsigns"]:
            one["callsigns"].append(said)
    return found


@pytest.mark.parametrize("seed", range(6))
def test_labels_do_not_depend_on_how_reports_are_split(seed: int) -> None:
    draw = random.Random(seed)
    reports = table(draw, 400)
    whole, single, broken = Labels(), Labels(), Labels()
    told = [whole.step(reports, 7)]
    told.append([event for n in range(400) for event in single.step(reports[n : n + 1], 7)])
    events, at = [], 0
    while at < 400:
        size = draw.randrange(1, 60)
        events += broken.step(reports[at : at + size], 7)
        at += size
        state = broken.save()
        broken = Labels()
        broken.restore(state)
    told.append(events)
    assert whole.save() == single.save() == broken.save()
    assert told[0] == told[1] == told[2]
    assert told[0]
    for track_id, wanted in plain(reports).items():
        label = whole[track_id]
        assert (label.first_us, label.last_us) == (wanted["first_us"], wanted["last_us"])
        assert (label.lat_deg, label.lon_deg, label.alt_ft) == wanted["place"]
        assert list(label.seen[1]) == wanted["callsigns"]


def test_tracks_are_forgotten_and_come_back_as_new_ones() -> None:
    draw = random.Random(1)
    reports = table(draw, 300)
    labels = Labels()
    labels.step(reports, 0)
    last_us = {name: label.last_us for name, label in labels.by_track.items()}
    before_us = sorted(last_us.values())[3]
    gone = labels.forget(before_us)
    assert sorted(gone) == sorted(name for name, at in last_us.items() if at < before_us)
    assert len(gone) == 3
    assert {name: label.last_us for name, label in labels.by_track.items()} == {
        name: at for name, at in last_us.items() if at >= before_us
    }
    assert labels[gone[0]].at == (0, 0, None, None, None)
    again = reports.filter(pl.col("track_id") == gone[0])[-1:]
    labels.step(again, 0)
    assert labels[gone[0]].first_us == again["time"].to_physical()[0]
    assert labels.forget(-(1 << 60)) == []


def test_many_tracks() -> None:
    """More than the kernel has room for at first."""
    count = 5000
    names = [f"track {n} of {count}" if n % 2 else f"{n:06x}" for n in range(count)]
    shape = {"time": pl.Int64(), "track_id": pl.String()}
    few = pl.DataFrame({"time": range(count), "track_id": names}, schema=shape)
    reports = pl.concat([pl.DataFrame(schema={**SCHEMA, "time": pl.Int64()}), few], how="diagonal")
    reports = reports.with_columns(pl.col("time").cast(SCHEMA["time"]))
    labels = Labels()
    labels.step(reports, 0)
    assert [labels[name].last_us for name in names] == list(range(count))
    assert len(labels.forget(4000)) == 4000
    assert [labels[name].last_us for name in names[4000:]] == list(range(4000, count))
