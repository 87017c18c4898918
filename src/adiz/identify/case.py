"""Everything known about one stay, gathered for the checks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from adiz.identify.correlate import Correlation
from adiz.identify.notices import Contact, Notice
from adiz.identify.plans import Plan
from adiz.tracks.identity import Identity
from adiz.zones.model import Zone

Result = Literal["met", "not met", "unknown", "exempt"]


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to one requirement: the reason is one sentence."""

    result: Result
    reason: str
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Position:
    """A report within the stay, as far as the checks need it."""

    time: datetime
    lat_deg: float
    lon_deg: float
    gs_kt: float | None
    squawk: str | None
    has_altitude: bool
    has_address: bool


@dataclass(frozen=True, slots=True)
class Given:
    """What the user gave: how many rows of each input, None where it was not given at all.

    Attributes:
        complete: the inputs are taken as everything there was. Without it, that nothing is found
            proves nothing.
    """

    plans: int | None = None
    notices: int | None = None
    contacts: int | None = None
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Case:
    """One stay and what bears on it.

    Attributes:
        begin, end: the stay, or its widest bounds where only those are known.
        entry_kind: of the stays table.
        entry: where it began (degrees), None where unknown.
        reports: within the stay.
        before: contacts of this aircraft before the entry and within the stay.
        departure: where its plan departs (degrees), None where unknown.
    """

    zone: Zone
    begin: datetime
    end: datetime
    entry_kind: str
    certainty: str
    entry: tuple[float, float] | None
    identity: Identity
    correlation: Correlation
    reports: tuple[Position, ...]
    notices: tuple[Notice, ...]
    state_notices: tuple[Notice, ...]
    contacts: tuple[Contact, ...]
    departure: tuple[float, float] | None
    given: Given

    @property
    def plan(self) -> Plan | None:
        """The plan correlated, if one was."""
        return self.correlation.match.plan if self.correlation.match else None


def span(minutes: float) -> str:
    """A span of time as a person says it."""
    whole = round(abs(minutes))
    if whole < 120:
        return f"{whole} min"
    return f"{whole / 60:.1f} h" if whole < 2880 else f"{whole / 1440:.1f} days"


def absent(case: Case, what: str, count: int | None) -> Finding:
    """The answer when nothing of some input (``what``, in the plural) speaks of the aircraft."""
    if count is None:
        return Finding("unknown", f"No {what} were given.")
    given = f"The one {what[:-1]} given" if count == 1 else f"None of the {count} {what} given"
    verb = "does not fit" if count == 1 else "fits"
    if not case.given.complete:
        return Finding("unknown", f"{given} {verb}; there may be others.")
    return Finding("not met", f"{given}, taken as all there are, {verb}.")
