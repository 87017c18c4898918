"""Replay of files: any that can be read, at any speed, always in the same batches.

The reports are sorted by time, those of one time by track, and cut into slices of event time; a
batch is a slice that holds any, or a part of one that holds very many. It is received at its
slice's end. Nothing of that depends on when or how fast it is played, so the number of batches
done is a position.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

import polars as pl

from adiz import units
from adiz.errors import ReportsError
from adiz.options import Option
from adiz.sources import convert
from adiz.sources.feeds.model import Batch, Emit, FeedError
from adiz.sources.read import READERS, read
from adiz.sources.reports import Reports
from adiz.sources.site import read_sites

OPTIONS = (
    Option("paths", "texts", "files, folders or patterns to play, together"),
    Option("speed", "number", "times real time; 0: as fast as possible", 1.0, least=0.0),
    Option("slice_s", "number", "seconds of event time in a batch", 1.0, least=0.001, most=3600.0),
    Option("format", "text", "of the files, if it is not to be recognised", None,
           choices=tuple(READERS)),
    Option("columns", "table", "our column name = the file's, where it is not recognised", None),
    Option("time_zone", "text", "IANA zone of times that carry none", None),
    Option("track_id", "text", "the one aircraft of files that name none", None),
    Option("site", "place", "where the radar or receiver stands", None),
    Option("sites", "table", 'where radars stand: "SAC/SIC" = place', None),
    Option("start", "text", "when a recording without dates begins", None),
)  # fmt: skip
_MOST_ROWS = 50_000


def make(name: str, values: dict[str, Any]) -> Replay:
    """The feed of validated options."""
    convert.check_zone(values["time_zone"])
    convert.moment(values["start"], values["time_zone"])
    sites = values.pop("sites") or {}
    if values["site"] is not None:
        sites = {**sites, "": values["site"]}
    read_sites(sites)
    speed, slice_s = values.pop("speed"), values.pop("slice_s")
    paths = values.pop("paths")
    return Replay(name, paths, speed, slice_s, {**values, "site": sites})


@dataclass(slots=True)
class Replay:
    """See the module."""

    name: str
    paths: list[str]
    speed: float
    slice_s: float
    reading: dict[str, Any]
    kind: str = "replay"
    replayable: bool = True

    def run(self, emit: Emit, stop: threading.Event, position: str | None) -> None:
        """Play from a position, or from the beginning."""
        slice_us = round(self.slice_s * units.US_PER_S)
        read_now = self._read()
        table, rejected = read_now.table, read_now.rejected_counts
        cuts = _cuts(table, slice_us)
        done = self._done(position, f"{len(cuts)}/{table.height}")
        started_s, from_us = time.monotonic(), None
        for number in range(done, len(cuts)):
            at, end_us = cuts[number]
            until = cuts[number + 1][0] if number + 1 < len(cuts) else table.height
            from_us = end_us - slice_us if from_us is None else from_us
            if self.speed:
                due_s = started_s + (end_us - from_us) / units.US_PER_S / self.speed
                stop.wait(max(0.0, due_s - time.monotonic()))
            if stop.is_set():
                return
            told = rejected if number == 0 else {}
            said = f"{number + 1}/{len(cuts)}/{table.height}"
            emit(Batch(table[at:until], end_us, said, told))
        if done and done == len(cuts):  # it ends when it ended, though nothing is left to play
            emit(Batch(table.clear(), cuts[-1][1], position, {}))

    def _read(self) -> Reports:
        try:
            made = read(self.paths, **self.reading)
        except ReportsError as error:
            raise FeedError(str(error)) from None
        table = made.table.sort("time", "track_id", maintain_order=True)
        return Reports(table.with_columns(pl.lit(self.name).alias("source")), made.rejected)

    def _done(self, position: str | None, whole: str) -> int:
        """How many batches are done; the position says of how many, so that a change is seen."""
        if position is None:
            return 0
        done, _, of = position.partition("/")
        if of != whole or not done.isdecimal():
            raise FeedError(
                f"the files have changed since they were played up to batch {position}: they now "
                f"make {whole.replace('/', ' batches of ')} reports"
            )
        return int(done)


def _cuts(table: pl.DataFrame, slice_us: int) -> list[tuple[int, int]]:
    """Of each batch its first row and the end of its slice."""
    slices = table["time"].to_physical() // slice_us
    starts = slices.rle_id().to_frame("slice").with_row_index("row").group_by(
        "slice", maintain_order=True
    ).first()["row"]  # fmt: skip
    rows = starts.to_list()
    cuts = []
    for row, until in zip(rows, [*rows[1:], table.height], strict=True):
        end_us = (int(slices[row]) + 1) * slice_us
        cuts += [(at, end_us) for at in range(row, until, _MOST_ROWS)]
    return cuts
