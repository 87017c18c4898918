"""Beast over TCP, as port 30005 of dump1090 and readsb gives it (:mod:`adiz.sources.beast`).

A message is dated by when it was received here, since a receiver's clock only counts from when it
was switched on. What is known of each aircraft outlives a lost connection.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import polars as pl

from adiz.options import Option
from adiz.sources.beast import Beast
from adiz.sources.feeds import net, stream
from adiz.sources.site import read_sites
from adiz.sources.values import rows_frame

OPTIONS = (
    *stream.options(30_005),
    Option("site", "place", "where the receiver stands; for aircraft first heard on the ground",
           None),
)  # fmt: skip


def make(name: str, values: dict[str, Any]) -> stream.StreamFeed:
    """The feed of validated options."""
    decoder = Messages(Beast(read_sites(values.pop("site"))))
    return stream.make(name, "beast", decoder, values)


class Messages:
    """Decodes messages as they come; what is rejected is in the frames."""

    def __init__(self, decoder: Beast) -> None:
        self.rejected: Counter[str] = Counter()
        self._decoder = decoder

    def step(self, pieces: list[net.Piece]) -> pl.DataFrame | None:
        """The frame of the messages that these pieces complete."""
        before = self._decoder.frames
        frame = rows_frame(self._decoder.step(*piece) for piece in pieces)
        return frame if self._decoder.frames != before else None

    def cut(self) -> pl.DataFrame | None:
        """The connection is cut."""
        return rows_frame([self._decoder.cut()])
