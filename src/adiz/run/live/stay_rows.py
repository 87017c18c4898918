"""The stays a watch has found, as the store keeps them: with an identity and a revision."""

from __future__ import annotations

import io
from collections.abc import Collection
from dataclasses import dataclass, field

import polars as pl

from adiz.events import event_id
from adiz.schema import STAYS, polars_schema

_NOTED = {"stay_id": pl.String(), "revision": pl.Int64(), "withdrawn": pl.Boolean()}
_MOST_CHUNKS = 64
SCHEMA = {**_NOTED, **polars_schema(STAYS)}


@dataclass(slots=True)
class StayRows:
    """The finished stays of tracks still in the air, so that they can be revised.

    Attributes:
        table: the columns of the stays table, and ``stay_id``, ``revision``, ``withdrawn``.
    """

    table: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SCHEMA))

    def add(self, stays: pl.DataFrame) -> pl.DataFrame:
        """Stays that are complete; as rows."""
        rows = _identified(stays)
        self.table = pl.concat([self.table, rows], rechunk=self.table.n_chunks() > _MOST_CHUNKS)
        return rows

    def revise(self, track_id: str, stays: pl.DataFrame) -> pl.DataFrame:
        """A track's finished stays, found anew; the rows that are new, altered or withdrawn."""
        now = _identified(stays)
        before = self.table.filter(pl.col("track_id") == track_id)
        held = before.filter(~pl.col("withdrawn"))
        same = set(held.drop("revision").rows())
        changed = [row not in same for row in now.drop("revision").rows()]
        revisions = dict(before.select("stay_id", "revision").rows())
        fresh = now.filter(pl.Series(changed, dtype=pl.Boolean))
        numbers = [revisions.get(identity, 0) + 1 for identity in fresh["stay_id"]]
        fresh = fresh.with_columns(pl.Series("revision", numbers, pl.Int64()))
        gone = held.filter(~pl.col("stay_id").is_in(now["stay_id"].implode())).with_columns(
            pl.col("revision") + 1, withdrawn=pl.lit(True)
        )
        altered = pl.concat([fresh, gone])
        rest = self.table.filter(~pl.col("stay_id").is_in(altered["stay_id"].implode()))
        self.table = pl.concat([rest, altered])
        return altered

    def forget(self, track_ids: Collection[str]) -> None:
        """Forget tracks that have ended."""
        if track_ids:
            self.table = self.table.filter(~pl.col("track_id").is_in(list(track_ids)))

    def trim(self, before_us: int) -> None:
        """Forget the stays that ended before."""
        self.table = self.table.filter(ended_since(before_us))


def ended_since(since_us: int) -> pl.Expr:
    """Which stays ended no earlier."""
    return pl.coalesce("exit_time", "latest_exit").to_physical() >= since_us


def packed(table: pl.DataFrame) -> bytes:
    """A table as bytes."""
    rows = io.BytesIO()
    table.write_ipc(rows, compression="lz4")
    return rows.getvalue()


def _identified(stays: pl.DataFrame) -> pl.DataFrame:
    """Stays with an identity: track, zone, beginning and certainty."""
    begin = pl.coalesce("entry_time", "earliest_entry").to_physical()
    rows = stays.select("track_id", "zone_id", "certainty", begin).rows()
    ids = [event_id("stay", *row) for row in rows]
    return stays.with_columns(
        pl.Series("stay_id", ids, pl.String()), revision=pl.lit(1, pl.Int64()), withdrawn=False
    ).select(list(SCHEMA))
