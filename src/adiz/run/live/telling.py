"""What one record of the watch told, gathered and handed on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import polars as pl

from adiz.events import Event


class Output(NamedTuple):
    """What one record told.

    Attributes:
        events: in the order they came out.
        stays, encounters: complete now, or revised, as the store keeps them; None: none.
        reports: those worked in, for the archive.
    """

    events: list[Event]
    stays: pl.DataFrame | None
    encounters: pl.DataFrame | None
    reports: pl.DataFrame


@dataclass(slots=True)
class Telling:
    """Gathers what one record tells."""

    events: list[Event] = field(default_factory=list)
    stays: list[pl.DataFrame] = field(default_factory=list)
    encounters: list[pl.DataFrame] = field(default_factory=list)

    def add_company(self, told: tuple[list[Event], pl.DataFrame]) -> None:
        """Events, and encounters as the store keeps them."""
        self.events += told[0]
        if len(told[1]):
            self.encounters.append(told[1])

    def output(self, reports: pl.DataFrame) -> Output:
        """All of it, with the reports worked in."""
        stays = pl.concat(self.stays) if self.stays else None
        encounters = pl.concat(self.encounters) if self.encounters else None
        return Output(self.events, stays, encounters, reports)
