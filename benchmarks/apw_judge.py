"""What becomes of warnings: which were followed by an entry, which entries had none.

Definitions, the same for every world:

- An *entry* is a stay that begins by crossing (or by climbing in, or by the zone coming into
  force), without error of measurement. It counts when the track was observed, and outside, for
  ``known_s`` before.
- *Missed*: no warning stood at the entry, nor was cleared as entered in the minute before it (noise
  puts a report inside early where the boundary is met at a flat angle).
- *Lead*: entry minus the time of the report that raised the warning that stood at the entry.
- *Nuisance*: a warning that was cleared as turned away, with no entry of that track into that zone
  while it stood or within two minutes after. *Nuisance rate*: their share of all warnings.
- *Open*: a warning that still stood when the track ended or was lost; nobody knows what followed.
"""

from __future__ import annotations

from typing import Any

import polars as pl

import adiz
from adiz.zones.model import Zones

KEYS = ["track_id", "zone_id"]


def entries_of(truth: pl.DataFrame, zones: Zones, known_s: float) -> pl.DataFrame:
    """Entries that could have been warned of: outside and observed for so long before."""
    begin = truth.group_by("track_id").agg(first=pl.col("time").min())
    since = pl.coalesce(pl.col("exit_time").shift().over(KEYS), "first")
    return (
        adiz.find_stays(truth, zones)
        .drop_nulls("entry_time")
        .join(begin, on="track_id")
        .sort("entry_time")
        .with_columns(free_s=(pl.col("entry_time") - since).dt.total_seconds())
        .filter(pl.col("entry_kind").is_in(["crossed", "activated"]), pl.col("free_s") >= known_s)
        .select(*KEYS, "entry_time")
    )


def warnings_of(changes: pl.DataFrame) -> pl.DataFrame:
    """One row a warning: raised, cleared, why, and whether the cone alone raised it."""
    return (
        changes.sort("time", maintain_order=True)
        .group_by(*KEYS, "raised_time", maintain_order=True)
        .agg(
            first_course=pl.col("course").first(),
            cleared_time=pl.col("time").last(),
            reason=pl.col("reason").last(),
            said_lead_s=pl.col("lead_s").first(),
        )
    )


def judge(changes: pl.DataFrame, entries: pl.DataFrame, stays: pl.DataFrame) -> dict[str, Any]:
    """The figures, from all changes, the entries that count, and all stays."""
    warned = warnings_of(changes)
    pairs = entries.with_row_index("entry").join(warned, on=KEYS, how="left")
    slack = pl.when(reason="entered").then(60).otherwise(10)  # noise puts a report inside early
    stood = pairs.filter(
        (pl.col("raised_time") <= pl.col("entry_time"))
        & (pl.col("cleared_time") + pl.duration(seconds=slack) >= pl.col("entry_time"))
    )
    lead = (
        stood.with_columns(
            lead=(pl.col("entry_time") - pl.col("raised_time")).dt.total_microseconds() / 1e6
        )
        .sort("lead")
        .unique("entry", keep="last", maintain_order=True)
    )
    entered = stays.select(*KEYS, "entry_time").drop_nulls()
    others = warned.with_row_index("warning").filter(pl.col("reason") != "entered")
    followed = (
        others.join(entered, on=KEYS)
        .filter(
            (pl.col("entry_time") >= pl.col("raised_time"))
            & (pl.col("entry_time") <= pl.col("cleared_time") + pl.duration(minutes=2))
        )["warning"]
        .unique()
    )
    vain = others.filter(~pl.col("warning").is_in(followed.implode()))
    return {
        "entries": entries.height,
        "missed": entries.height - lead.height,
        "warnings": warned.height,
        "nuisance": vain.filter(pl.col("reason") != "lost").height,
        "open": vain.filter(reason="lost").height,
        "lead": lead["lead"].to_numpy(),
        "entry": lead["entry"].to_numpy(),
        "cone_first": warned.filter(first_course="cone").height,
        "tracks_warned": warned["track_id"].n_unique(),
    }
