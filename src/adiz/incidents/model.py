"""What an incident is made of: parties, sources, subjects, places, responses, claims.

All values are frozen and hold what the incident file says, checked but not judged: judging is the
work of the other modules of this folder, whose results are in :mod:`adiz.incidents.verdicts`.
Every part remembers the line of the file it was read from (0 where it has none).

This module does no I/O and imports nothing but the standard library.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar

from adiz.incidents.edtf import TimeSpec

Predicate = Literal[
    "enters", "leaves", "inside", "never_inside", "at", "passes", "joins", "leaves_formation",
    "fires", "warns", "notifies", "counts", "recognises", "denies", "states",
]  # fmt: skip

PREDICATES: dict[str, str] = {
    "enters": "the subject crosses into a zone",
    "leaves": "the subject crosses out of a zone",
    "inside": "the subject is in a zone, for a time or a duration",
    "never_inside": "the subject is at no time in a zone",
    "at": "the subject is at a place, or at a bearing and distance from it",
    "passes": "the subject's closest approach to a place, or its way between two places",
    "joins": "the subject joins another subject",
    "leaves_formation": "the subject parts from another subject",
    "fires": "the subject fires at, or near, another; a value of 0 says it did not",
    "warns": "the subject calls or warns another; a value of 0 says it did not",
    "notifies": "the subject gives notice beforehand; a value of 0 says it did not",
    "counts": "how many there were of what `counting` names",
    "recognises": "the subject, a state or body, recognises a zone or fact; `negated` if not",
    "denies": "the party says that another claim is untrue",
    "states": "anything else, in words: kept and shown, not checked",
}

Wording = Literal["verbatim", "translation", "summary"]
"""Whether a claim's quote is the source's own words, their translation, or a paraphrase."""

Confidence = Literal["high", "medium", "low"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as a source gives it: always an interval.

    Attributes:
        low, high: bounds in ``unit``; ``inf`` where there is none.
        unit: ``km``, ``km/h``, ``m``, ``min``, ``rounds``, … ; "" for a bare count.
        text: as written in the file; with its own unit where that is another.
        approximate: the source says "about".
    """

    low: float
    high: float
    unit: str = ""
    text: str = ""
    approximate: bool = False

    @property
    def middle(self) -> float:
        """The middle of the interval, or its finite end."""
        if math.isinf(self.high):
            return self.low
        return (self.low + self.high) / 2

    def meets(self, other: Quantity) -> bool:
        """Whether some number is in both."""
        return self.low <= other.high and other.low <= self.high

    def __str__(self) -> str:
        words = {"~": "about ", ">": "more than ", "<": "less than "}
        text = words.get(self.text[:1], "") + self.text.lstrip("~<> ").replace("..", " to ")
        return text if " " in self.text.strip() else f"{text} {self.unit}".strip()


@dataclass(frozen=True, slots=True)
class Sector:
    """A range of directions, clockwise from ``from_deg`` to ``to_deg`` (true north)."""

    from_deg: float
    to_deg: float
    text: str = ""

    def holds(self, azimuth_deg: float) -> bool:
        return (azimuth_deg - self.from_deg) % 360.0 <= self.width_deg

    @property
    def width_deg(self) -> float:
        width = (self.to_deg - self.from_deg) % 360.0
        return width if width or self.from_deg == self.to_deg else 360.0

    @property
    def middle_deg(self) -> float:
        return (self.from_deg + self.width_deg / 2) % 360.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """A copy of a source, kept so that it can be checked later.

    Follows the Berkeley Protocol on Digital Open Source Investigations (OHCHR and Human Rights
    Center, 2022), chapters on collection and preservation: the original is kept as collected, its
    hash is recorded at that moment, work is done on a copy.
    """

    file: str
    sha256: str
    collected_at: datetime
    collected_how: str
    collected_by: str = ""
    working_copy: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Source:
    """Where a claim is published. ``relays`` names the party whose words it only repeats."""

    source_id: str
    publisher: str
    title: str = ""
    date: TimeSpec | None = None
    address: str = ""
    language: str = ""
    relays: str = ""
    note: str = ""
    evidence: tuple[Evidence, ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True)
class Party:
    """Who makes claims: a state's body, a newspaper, an author."""

    party_id: str
    name: str
    kind: str = "other"
    state: str = ""
    part_of: str = ""
    note: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """A named place: one point or several (islets). A distance to it is to its nearest point."""

    place_id: str
    name: str
    points: tuple[tuple[float, float], ...]
    position_error_m: float = 0.0
    source: str = ""
    note: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Figure:
    """A published figure with its source; several of them may disagree."""

    value: Quantity
    source: str


@dataclass(frozen=True, slots=True)
class TrackRef:
    """Recorded positions of a subject: a file of reports and the track in it."""

    file: str
    track_id: str


@dataclass(frozen=True, slots=True)
class Subject:
    """Who claims are about: an aircraft, a group (with ``members``), or a body.

    A claim about a group holds for each of its members.
    """

    subject_id: str
    name: str
    state: str = ""
    type_code: str = ""
    count: Quantity | None = None
    members: tuple[str, ...] = ()
    max_speed_kmh: tuple[Figure, ...] = ()
    cruise_speed_kmh: tuple[Figure, ...] = ()
    ceiling_m: tuple[Figure, ...] = ()
    range_km: tuple[Figure, ...] = ()
    track: TrackRef | None = None
    note: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Response:
    """One act of a party in answer: a radio call, a scramble, flares, warning shots, a protest."""

    response_id: str
    actor: str
    kind: str
    source: str
    time: TimeSpec | None = None
    amount: Quantity | None = None
    target: str = ""
    claim: str = ""
    note: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing a party says.

    Attributes:
        subject: id of the subject it is about.
        time: when; None where the source does not say.
        zones: catalogue ids (``enters``, ``leaves``, ``inside``, ``never_inside``, ``recognises``).
        place, distance_km, bearing: a place; how far from it; and in which direction from it.
        between: two places (``passes``).
        heading: which way the subject was flying.
        duration_min: how long (``inside``); with ``total``, of all stays together.
        value: how many (``fires``, ``warns``, ``notifies``, ``counts``).
        counting: what is counted, in words that two claims must share to be compared.
        target: another subject (``joins``, ``leaves_formation``, ``fires``, ``warns``).
        denies: ids of the claims it denies.
        event: a label; claims that share it speak of one event and must agree about it.
        negated: the party says that it is not so.
        relays: the party whose words these are, where the claimant only repeats them.
        quote, wording: the source's text, and whether it is its own words.
        derived_from, derivation: the claims it is worked out from, and how; empty if stated.
    """

    claim_id: str
    party: str
    subject: str
    predicate: Predicate
    source: str
    quote: str
    wording: Wording = "verbatim"
    time: TimeSpec | None = None
    zones: tuple[str, ...] = ()
    place: str = ""
    distance_km: Quantity | None = None
    bearing: Sector | None = None
    between: tuple[str, ...] = ()
    heading: Sector | None = None
    duration_min: Quantity | None = None
    total: bool = False
    value: Quantity | None = None
    counting: str = ""
    target: str = ""
    denies: tuple[str, ...] = ()
    event: str = ""
    negated: bool = False
    relays: str = ""
    derived_from: tuple[str, ...] = ()
    derivation: str = ""
    confidence: Confidence = "high"
    note: str = ""
    line: int = 0

    @property
    def derived(self) -> bool:
        """Worked out from other claims, not stated by its party."""
        return bool(self.derived_from)


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the incident's log of changes."""

    date: TimeSpec
    who: str
    what: str
    line: int = 0


_Part = TypeVar("_Part", Party, Source, Subject, Place, Response, Claim)


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident as its file tells it.

    Attributes:
        incident_id: short, unique, used in file names.
        time_zone: IANA zone in which dates without a time are days.
        display_time_zones: IANA zones a reader wants to see side by side.
        zones: catalogue ids of the zones the incident is about.
        zone_files: files of zones that are in no catalogue, relative to the incident file.
        wind_kmh: added to published maximum speeds, which are through the air; 0 if not given.
        file: where it was read from; "" if nowhere.
        sha256: of the file's bytes; "" if none.
    """

    incident_id: str
    title: str
    time_zone: str
    summary: str = ""
    display_time_zones: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    zone_files: tuple[str, ...] = ()
    wind_kmh: float = 0.0
    parties: tuple[Party, ...] = ()
    sources: tuple[Source, ...] = ()
    subjects: tuple[Subject, ...] = ()
    places: tuple[Place, ...] = ()
    responses: tuple[Response, ...] = ()
    claims: tuple[Claim, ...] = ()
    changes: tuple[Change, ...] = ()
    file: str = ""
    sha256: str = ""

    def party(self, party_id: str) -> Party:
        return _find(self.parties, "party_id", party_id)

    def source(self, source_id: str) -> Source:
        return _find(self.sources, "source_id", source_id)

    def subject(self, subject_id: str) -> Subject:
        return _find(self.subjects, "subject_id", subject_id)

    def place(self, place_id: str) -> Place:
        return _find(self.places, "place_id", place_id)

    def claim(self, claim_id: str) -> Claim:
        return _find(self.claims, "claim_id", claim_id)

    def members(self, subject_id: str) -> frozenset[str]:
        """The subject and, for a group, all that belong to it."""
        found: set[str] = set()
        todo = [subject_id]
        while todo:
            one = todo.pop()
            if one not in found:
                found.add(one)
                todo.extend(self.subject(one).members)
        return frozenset(found)

    def claims_about(self, subject_id: str, party_id: str | None = None) -> Iterator[Claim]:
        """The claims that hold for a subject: about it, or about a group it belongs to."""
        for claim in self.claims:
            if party_id in (None, claim.party) and subject_id in self.members(claim.subject):
                yield claim


def _find(parts: tuple[_Part, ...], field: str, value: str) -> _Part:
    for part in parts:
        if getattr(part, field) == value:
            return part
    raise KeyError(value)
