"""The product: ``adiz.find_stays`` on the same files and zones.

Its table holds more than the peers' (crossings, depth, kinds, possible stays in gaps); all of it
is made within the time. For the comparison only the observed stays are kept.
"""

import polars as pl
from _job import run

import adiz


def find(reports: str, zones: str) -> pl.DataFrame:
    return adiz.find_stays(reports, zones)


def observed(stays: pl.DataFrame) -> pl.DataFrame:
    return stays.filter(pl.col("certainty") == "observed").select(
        "track_id",
        "zone_id",
        pl.col("entry_time").dt.epoch("us").alias("entry_us"),
        pl.col("exit_time").dt.epoch("us").alias("exit_us"),
        "report_count",
    )


if __name__ == "__main__":
    run(find, "adiz polars numpy", observed)
