"""BaseStation (SBS) text over TCP, as port 30003 of dump1090 and readsb gives it.

What a line means, and what is carried from one line to the next, is said where files of them are
read (:mod:`adiz.sources.basestation`). The state of each address is kept from batch to batch.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import polars as pl

from adiz.options import Option
from adiz.sources import convert
from adiz.sources.basestation import STATE, carry_forward, parse_lines, positions
from adiz.sources.feeds import net, stream
from adiz.sources.tabular import Options

OPTIONS = (
    *stream.options(30_003),
    Option("time_zone", "text", "IANA zone of the receiver's clock; its lines name none", "UTC"),
)
MOST_LINE_OCTETS = 512
_MOST_AIRCRAFT = 50_000
TOO_LONG = "a line that is too long"
CUT = "a line that is cut off"


def make(name: str, values: dict[str, Any]) -> stream.StreamFeed:
    """The feed of validated options."""
    time_zone = values.pop("time_zone")
    convert.check_zone(time_zone)
    return stream.make(name, "basestation", BaseStation(time_zone), values)


class Lines:
    """Puts lines together that come in pieces; none is kept beyond its greatest length.

    Attributes:
        rejected: how many lines were rejected, by reason.
    """

    def __init__(self, most_octets: int = MOST_LINE_OCTETS) -> None:
        self.rejected: Counter[str] = Counter()
        self._most_octets = most_octets
        self._part = b""
        self._dropping = False

    def step(self, data: bytes) -> list[bytes]:
        """The lines that these octets complete."""
        *whole, part = (self._part + data).split(b"\n")
        if self._dropping and whole:
            del whole[0]
            self._dropping = False
        self._part = b"" if self._dropping else part
        lines = [line for line in whole if len(line) <= self._most_octets]
        self.rejected[TOO_LONG] += len(whole) - len(lines)
        if len(self._part) > self._most_octets:
            self.rejected[TOO_LONG] += 1
            self._part, self._dropping = b"", True
        self.rejected = +self.rejected
        return lines

    def cut(self) -> None:
        """The end: what is left is no line."""
        if self._part.strip():
            self.rejected[CUT] += 1
        self._part, self._dropping = b"", False


class BaseStation:
    """Decodes lines as they come."""

    def __init__(self, time_zone: str) -> None:
        self._options = Options(time_zone=time_zone)
        self._lines = Lines()
        self._state: pl.DataFrame | None = None

    @property
    def rejected(self) -> Counter[str]:
        """How many lines were rejected and are in no frame, by reason."""
        return self._lines.rejected

    @rejected.setter
    def rejected(self, counts: Counter[str]) -> None:
        self._lines.rejected = counts

    def step(self, pieces: list[net.Piece]) -> pl.DataFrame | None:
        """The frame of the lines that these pieces complete; empty lines say: still here."""
        lines = self._lines.step(b"".join(data for data, _ in pieces))
        texts = [line for line in lines if line.strip()]
        return self._frame(texts) if texts else pl.DataFrame() if lines else None

    def cut(self) -> pl.DataFrame | None:
        """The connection is cut."""
        self._lines.cut()
        return None

    def _frame(self, lines: list[bytes]) -> pl.DataFrame:
        told = parse_lines(b"\n".join(lines) + b"\n", "", self._options)
        state = told.select(STATE).clear() if self._state is None else self._state
        before = state.join(told.select("address").unique(), on="address", how="semi")
        known = carry_forward(pl.concat([before, told], how="diagonal")).slice(before.height)
        last = known.filter(pl.col("address").is_not_null()).select(STATE)
        last = last.unique("address", keep="last", maintain_order=True)
        older = state.join(last, on="address", how="anti")
        self._state = pl.concat([older, last]).tail(_MOST_AIRCRAFT)
        return positions(known, self._options)
