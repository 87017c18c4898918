"""The shape of what is found out about an incident: verdicts, contradictions, legs, paths.

Values only; the modules beside this one make them and the dossier reads them. A sentence in these
values is complete, names its figures, and attributes what it repeats: it can be printed as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Among = Literal["corroborated", "disputed", "uncontested"]
Physics = Literal["feasible", "infeasible", "not checkable"]
Tracks = Literal["confirmed", "refuted", "possible", "no data"]


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its bounds. ``stated`` takes the source's numbers at their face."""

    low: float
    stated: float
    high: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What other accounts, physics and recorded tracks say of one claim.

    Attributes:
        claim_id: the claim.
        among, supporters, opposers: among the accounts; ids of the independent parties that say
            the same, or the contrary (never the claimant itself).
        physics, least_speed_kmh, limit_kmh: least speed that the claim, with its party's other
            claims about the subject, asks for; the published maximum speeds (lowest, highest).
        tracks: against recorded positions.
        among_reason, physics_reason, tracks_reason: a clause for each part.
        reason: one sentence of all three, with its figures.
    """

    claim_id: str
    among: Among
    supporters: tuple[str, ...]
    opposers: tuple[str, ...]
    physics: Physics
    least_speed_kmh: float | None
    limit_kmh: tuple[float, float] | None
    tracks: Tracks
    among_reason: str
    physics_reason: str
    tracks_reason: str
    reason: str


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Claims that cannot all be true.

    Attributes:
        kind: ``denial``; ``presence`` (inside or never inside); ``distance``; ``reach`` (in a
            zone nearer than another claim allows); ``amount``; ``apart`` (two places too far
            apart for the time between); ``sequence`` (enters where it is already said to be);
            ``event`` (one event told differently); ``place`` (a crossing told off the zone's
            edge); ``recognition``.
        claims: ids, the first two those of the sentence; more stand on the same ground.
        parties: who makes them; one id if a party contradicts itself.
        sentence: why, with the figures.
        figures: (name, value, unit) of each figure in the sentence.
    """

    kind: str
    claims: tuple[str, ...]
    parties: tuple[str, ...]
    sentence: str
    figures: tuple[tuple[str, float, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ScopeNote:
    """Two claims that look contrary but speak of different subjects: no contradiction follows."""

    claims: tuple[str, str]
    parties: tuple[str, str]
    sentence: str


@dataclass(frozen=True, slots=True)
class AccountStay:
    """A stay in a zone as one account tells it, from an entry claim to a leaving claim."""

    party_id: str
    subject_id: str
    zone_id: str
    entry_claim: str
    exit_claim: str
    minutes: Interval


@dataclass(frozen=True, slots=True)
class LegAssessment:
    """One leg between two claims of an account, flown straight under a stated assumption.

    Attributes:
        step: the leg in words ("enters X 09:09 to leaves X 09:12").
        assumption: what was assumed of where it began and ended.
        bearing_deg: direction along the leg that the row stands for (from where, for an arrival;
            towards which, for a departure); None for a row that stands for no direction.
        distance_km, minutes, speed_kmh: length; time between, with its granularity; speeds.
        limit_kmh: published maximum speeds, (lowest, highest); None where none is known.
        outcome: ``within`` (below the lowest published maximum whatever the rounding), ``partly``
            (only for some of the possible times or figures), ``above`` (for none), ``unknown``.
    """

    party_id: str
    subject_id: str
    from_claim: str
    to_claim: str
    step: str
    assumption: str
    bearing_deg: float | None
    distance_km: float
    minutes: Interval
    speed_kmh: Interval
    limit_kmh: tuple[float, float] | None
    outcome: Literal["within", "partly", "above", "unknown"]


@dataclass(frozen=True, slots=True)
class BearingSector:
    """Directions from which (or towards which) a leg stays below a speed.

    Attributes:
        kind: ``arrival`` (directions it came from) or ``departure`` (directions it left to).
        stated: sectors (from, to; degrees clockwise) at the stated minutes.
        certain, possible: whatever the rounding; with some rounding.
        sentence: in words, with figures.
    """

    party_id: str
    subject_id: str
    from_claim: str
    to_claim: str
    kind: Literal["arrival", "departure"]
    speed_kmh: float
    stated: tuple[tuple[float, float], ...]
    certain: tuple[tuple[float, float], ...]
    possible: tuple[tuple[float, float], ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class LegSpeed:
    """Average speeds possible on a leg within a feasible account (km/h), wherever it crossed."""

    from_claim: str
    to_claim: str
    low_kmh: float
    high_kmh: float


@dataclass(frozen=True, slots=True)
class Feasibility:
    """Whether one account's claims about one subject can all hold.

    Attributes:
        claims: the ids that were checked together, in time order.
        state: ``feasible``, ``infeasible`` or ``not checkable``.
        least_speed_kmh: the least maximum speed any path needs; ``inf`` where none would do; None
            where nothing can be checked.
        limit_kmh: published maximum speeds, (lowest, highest).
        conflict: a minimal set of claims that cannot all hold: without any one of them, they can.
        left_out: the claims a reconstruction must leave out to exist.
        legs: possible average speeds of each leg.
        sentence: in words.
        rest_speed_kmh: the least maximum speed that the claims not left out need.
    """

    party_id: str
    subject_id: str
    claims: tuple[str, ...]
    state: Physics
    least_speed_kmh: float | None
    limit_kmh: tuple[float, float] | None
    conflict: tuple[str, ...]
    left_out: tuple[str, ...]
    legs: tuple[LegSpeed, ...]
    sentence: str
    rest_speed_kmh: float | None = None


@dataclass(frozen=True, slots=True)
class PathPoint:
    """One point of a reconstruction."""

    time: datetime
    lat_deg: float
    lon_deg: float
    track_true_deg: float
    speed_kmh: float


@dataclass(frozen=True, slots=True)
class Band:
    """Where the subject may have been between two claims, within the speed limit.

    ``rings``: closed rings of (lat, lon) on WGS84, first point not repeated; even-odd.
    """

    from_claim: str
    to_claim: str
    begin: datetime
    end: datetime
    rings: tuple[tuple[tuple[float, float], ...], ...]


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """A path that satisfies an account: one of many, not a recorded track.

    Attributes:
        claims: the ids it satisfies; ``left_out``: those it does not.
        points: evenly spaced in time; great-circle legs between.
        crossings: (claim id, time at which the path satisfies it).
        max_speed_kmh, max_turn_deg_s, max_bank_deg: reached along the path.
        bands: possible positions, leg by leg.
        sentence: what it is and is not.
    """

    party_id: str
    subject_id: str
    claims: tuple[str, ...]
    left_out: tuple[str, ...]
    points: tuple[PathPoint, ...]
    crossings: tuple[tuple[str, datetime], ...]
    max_speed_kmh: float
    max_turn_deg_s: float
    max_bank_deg: float
    bands: tuple[Band, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class Alibi:
    """Whether two subjects could have met between their sightings.

    ``state``: ``could have met``, ``could not have met``, ``too close to call`` or
    ``not checkable``. ``where``, ``when``: one possible meeting. ``claim_id``: of the claim that
    they met, if there is one.
    """

    subjects: tuple[str, str]
    party_id: str
    state: str
    where: tuple[float, float] | None
    when: datetime | None
    sentence: str
    claim_id: str = ""


@dataclass(frozen=True, slots=True)
class Assessment:
    """Everything found out about an incident, each list in the order of the file."""

    verdicts: tuple[Verdict, ...]
    contradictions: tuple[Contradiction, ...]
    scope_notes: tuple[ScopeNote, ...]
    stays: tuple[AccountStay, ...]
    legs: tuple[LegAssessment, ...]
    sectors: tuple[BearingSector, ...]
    feasibilities: tuple[Feasibility, ...]
    reconstructions: tuple[Reconstruction, ...]
    alibis: tuple[Alibi, ...]
    notes: tuple[str, ...] = ()
    """Assumptions and limits that hold for all of it."""
