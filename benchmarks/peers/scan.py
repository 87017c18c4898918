"""The floor: the columns of the job read into memory by polars, and nothing done with them."""

import polars as pl
from _job import COLUMNS, run


def find(reports: str, zones: str) -> None:
    pl.read_parquet(f"{reports}/*.parquet", columns=COLUMNS)


if __name__ == "__main__":
    run(find, "polars")
