"""The floor without memory: the columns of the job streamed through polars into one row."""

import polars as pl
from _job import COLUMNS, run


def find(reports: str, zones: str) -> None:
    table = pl.scan_parquet(f"{reports}/*.parquet").select(COLUMNS)
    sums = table.select(pl.col("lat_deg", "lon_deg").sum(), pl.col("time", "track_id").max())
    sums.collect(engine="streaming")


if __name__ == "__main__":
    run(find, "polars")
