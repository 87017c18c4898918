"""Hold a peer's stays against the product's: which has what the other lacks, and how far apart.

    python compare.py OURS.parquet PEERS.parquet

Two stays are the same when they are of one track and zone and overlap in time. A stay without
length (one report, a touch) need not be found by the other; every track and zone where the peer
failed is left out.
"""

from __future__ import annotations

import json
import sys

import polars as pl

KEY = ["track_id", "zone_id"]


def compare(ours: pl.DataFrame, theirs: pl.DataFrame) -> dict[str, object]:
    failed = theirs.filter(pl.col("entry_us").is_null()).select(KEY).unique()
    has_length = pl.col("exit_us") > pl.col("entry_us")
    ours, theirs = (
        table.join(failed, on=KEY, how="anti").with_row_index(name)
        for table, name in ((ours, "us"), (theirs, "them"))
    )
    both = ours.join(theirs, on=KEY, suffix="_b").filter(
        (pl.col("entry_us") <= pl.col("exit_us_b")) & (pl.col("entry_us_b") <= pl.col("exit_us"))
    )
    alone = pl.len().over("us").eq(1) & pl.len().over("them").eq(1)
    pairs = both.filter(alone).select(
        *KEY,
        entry_s=(pl.col("entry_us_b") - pl.col("entry_us")) / 1e6,
        exit_s=(pl.col("exit_us_b") - pl.col("exit_us")) / 1e6,
    )
    off_s = pairs.select(pl.max_horizontal(pl.col("entry_s", "exit_s").abs())).to_series()
    missed = ours.filter(has_length).join(both, on="us", how="anti")
    extra = theirs.filter(has_length).join(both, on="them", how="anti")
    return {
        "ours": ours.height,
        "theirs": theirs.height,
        "one_to_one": pairs.height,
        "they_miss": missed.height,
        "of_those_within_a_leg": missed.filter(pl.col("report_count") == 0).height,
        "we_miss": extra.height,
        "failed_pairs": failed.height,
        "median_off_s": off_s.median(),
        "max_off_s": off_s.max(),
        "over_0.1_s": int((off_s > 0.1).sum()),
        "examples_they_miss": missed.head(5).drop("us").to_dicts(),
        "examples_we_miss": extra.head(5).to_dicts(),
        "examples_off": pairs.filter(off_s > 0.1).head(5).to_dicts(),
    }


if __name__ == "__main__":
    print(json.dumps(compare(*(pl.read_parquet(path) for path in sys.argv[1:3]))))
