"""``adiz.find_encounters``: legs, exact ends, as many threads as there are processors."""

import polars as pl
from encounters_job import run

import adiz
import adiz.run.together
import adiz.sources.read


def find(reports: str) -> pl.DataFrame:
    table = adiz.find_encounters(reports)
    return table.with_columns(
        pl.col("start_time").dt.epoch("us").alias("start_us"),
        pl.col("end_time").dt.epoch("us").alias("end_us"),
    )


if __name__ == "__main__":
    run(find, "polars")
