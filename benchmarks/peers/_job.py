"""What all peers share: arguments in, one line of JSON and a table of stays out.

A peer is a function ``find(reports, zones) -> pl.DataFrame``: the folder's ``*.parquet`` and a
GeoJSON file of planar polygons in, the columns track_id, zone_id, entry_us, exit_us (microseconds
since 1970) out; a row without times says that the peer failed there. Its clock runs from after the
imports to the finished table; writing the table for the comparison is not counted. A leg longer
than 120 s breaks a stay.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from importlib.metadata import version

import polars as pl

MAX_GAP_S = 120
COLUMNS = ["time", "track_id", "lat_deg", "lon_deg"]
STAYS = {"track_id": pl.String, "zone_id": pl.String, "entry_us": pl.Int64, "exit_us": pl.Int64}


def read_zones(path: str) -> list[tuple[str, str]]:
    """The id and the geometry (GeoJSON text) of each zone."""
    with open(path) as file:
        features = json.load(file)["features"]
    return [(f["properties"]["id"], json.dumps(f["geometry"])) for f in features]


def legs_broken() -> pl.Expr:
    """True where a report does not continue the leg of the row before (tracks lie in order)."""
    new_track = pl.col("track_id") != pl.col("track_id").shift()
    return (new_track | (pl.col("time").diff() > pl.duration(seconds=MAX_GAP_S))).fill_null(True)


def read_in_order(reports: str) -> pl.DataFrame:
    """The reports by track and time, sorted only if the file is not."""
    table = pl.read_parquet(f"{reports}/*.parquet", columns=COLUMNS)
    return table if table["track_id"].is_sorted() else table.sort("track_id", "time")


def run(
    find: Callable[[str, str], pl.DataFrame | None],
    packages: str,
    tidy: Callable[[pl.DataFrame], pl.DataFrame] = lambda stays: stays,
) -> None:
    """Time one job and print what came of it; ``tidy`` makes the columns named above, untimed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("reports")
    parser.add_argument("zones")
    parser.add_argument("out")
    args = parser.parse_args()
    start = time.perf_counter()
    stays = find(args.reports, args.zones)
    seconds = time.perf_counter() - start
    said = {"seconds": seconds, "versions": {name: version(name) for name in packages.split()}}
    if stays is not None:
        stays = tidy(stays)
        stays.write_parquet(args.out)
        said["stays"] = stays["entry_us"].count()
        said["raised"] = stays["entry_us"].null_count()
    print(json.dumps(said))
