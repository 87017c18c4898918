"""Which flight plan is of which flight of a track.

A track may hold several flights: it is parted where nothing is heard of it for half an hour, and
where it was on the ground. Each plan is scored against each flight by what they have in common.
The rule, in full:

======================  ======  =======================================================
evidence                agrees  differs (both sides say something)
======================  ======  =======================================================
24-bit address (CODE)   +4      -4
registration (REG)      +3      -3
callsign (item 7)       +3      -2 (crews mistype it)
on the planned path     +2      -2 (half of the flight lies over 100 NM off)
time                    +2      no match at all
======================  ======  =======================================================

*Time* agrees (+2) when the flight lies within half an hour of the times the plan states for the
places it passes, or, where its path is not known, within its window. The window runs from 30
minutes before off-block (or take-off, once there is a DEP) to 90 minutes after the planned
arrival; outside it (+0 within another 3 hours, for flights that left late without a DLA) there is
no match. *On the path* means half of the flight lies within 20 NM of it.

A plan matches with a score of 5 or more, of which address, registration or callsign must give some.
It is *ambiguous*, and no plan is named, when another plan comes within 2 points, and when two
flights at the same time, not of one address, claim a plan for one aircraft with scores within 2
points. A track that leaps between places (:mod:`adiz.tracks.sightings`) may be of two aircraft:
place then does not count against a plan, and several plans that match are ambiguous whatever their
scores.

Ambiguous, never matched, is also a flight without a plan that scores 2 to 4 with a plan nobody else
matches: because one of the three agrees and another does not; because its callsign is one slip (a
letter wrong, missing, added, or two exchanged) from the plan's; or because it carries nothing that
the plan gives, and is where and when the plan says.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING

from adiz.identify.plans import Plan, Plans
from adiz.tracks.identity import Seen
from adiz.units import M_PER_NM

if TYPE_CHECKING:
    import polars as pl

SAMPLES = 16
"""Positions of a flight compared with a path."""
FLIGHT_GAP = timedelta(minutes=30)
"""Nothing heard for longer parts a track into two flights."""
NEEDED, MARGIN = 5, 2
HALF = 2
"""Too little to match, too much for "no plan": place and time for it, a callsign against."""
ON_PATH_M, OFF_PATH_M = 20 * M_PER_NM, 100 * M_PER_NM
ON_TIME = timedelta(minutes=30)
EARLY, LATE, VERY_LATE = timedelta(minutes=30), timedelta(minutes=90), timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Flight:
    """What correlation needs of a flight: who it says it is, and some of its positions."""

    seen: Seen
    first: datetime
    last: datetime
    samples: tuple[tuple[datetime, float, float], ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A plan weighed against a flight: the score and what made it."""

    flight: Flight
    plan: Plan
    score: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Correlation:
    """The answer for one flight.

    Attributes:
        status: ``matched``, ``ambiguous`` or ``none``.
        match: the plan, where matched.
        candidates: where ambiguous, those that tie, best first.
        why: one sentence.
    """

    flight: Flight
    status: str
    match: Match | None
    candidates: tuple[Match, ...]
    why: str


Correlations = Mapping[str, Sequence[Correlation]]
"""The answers for the flights of each track, in order of time, by track id."""


def split_flights(table: pl.DataFrame) -> dict[str, list[Flight]]:
    """The flights of each track, in order of time, by track id."""
    import polars as pl

    keys = ("icao24", "callsign", "squawk", "type_code", "registration")
    last = pl.len() - 1
    take = (pl.int_range(SAMPLES) * last) // (SAMPLES - 1)
    landed = pl.col("on_ground").fill_null(False)
    parts = (
        (pl.col("code") != pl.col("code").shift(1))
        | (pl.col("time").diff() > FLIGHT_GAP)
        | (landed.shift(1) & ~landed)
    )
    grouped = (
        table.lazy()
        .select("track_id", "time", "lat_deg", "lon_deg", "on_ground", *keys)
        .with_columns(pl.col("track_id").cast(pl.Categorical).to_physical().alias("code"))
        .sort("code", "time")
        .with_columns(parts.fill_null(True).cum_sum().alias("part"))
        .filter(~landed)
        .group_by("part", maintain_order=True)
        .agg(
            pl.col("track_id").first(),
            *(pl.col(k).filter((pl.col(k) != "").fill_null(False)).unique().sort() for k in keys),
            *(pl.col(c).gather(take) for c in ("time", "lat_deg", "lon_deg")),
        )
        .collect()
    )
    flights: dict[str, list[Flight]] = {name: [] for name in table["track_id"].unique().sort()}
    for _, track_id, *values in grouped.iter_rows():
        samples = tuple(dict.fromkeys(zip(*values[5:], strict=True)))
        seen = Seen(track_id, *map(tuple, values[:5]))
        flights[track_id].append(Flight(seen, samples[0][0], samples[-1][0], samples))
    return flights


def correlate(
    flights: Mapping[str, Sequence[Flight]], plans: Plans, leaping: Collection[str] = ()
) -> dict[str, list[Correlation]]:
    """The plan of each flight, by the rule of the module's head.

    Args:
        leaping: ids of tracks that leap between places.
    """
    live = [plan for plan in plans.plans if plan.status != "cancelled"]
    by_key = _index(live, _plan_keys)
    ranked: dict[str, list[list[Match]]] = {}
    rivals: dict[int, list[Match]] = {}
    for track_id, parts in flights.items():
        leaps = track_id in leaping
        ranked[track_id] = [_rank(flight, by_key, live, leaps) for flight in parts]
        for matches in filter(None, ranked[track_id]):
            rivals.setdefault(id(matches[0].plan), []).append(matches[0])
    free = [plan for plan in live if id(plan) not in rivals]
    near_keys = _index(free, lambda plan: (*_plan_keys(plan), *_slips(plan.message.callsign)))
    return {
        track_id: [
            _decide(flight, matches, rivals, track_id in leaping)
            if matches
            else _near_miss(flight, free, near_keys, track_id in leaping)
            for flight, matches in zip(parts, ranked[track_id], strict=True)
        ]
        for track_id, parts in flights.items()
    }


def correlation_at(found: Sequence[Correlation], begin: datetime, end: datetime) -> Correlation:
    """The answer for the flight during, or nearest in time to, a span; ``found`` is not empty."""

    def apart(one: Correlation) -> timedelta:
        return max(one.flight.first - end, begin - one.flight.last, timedelta(0))

    return min(found, key=apart)


def _rank(
    flight: Flight,
    by_key: Mapping[tuple[str, str], list[Plan]],
    live: list[Plan],
    leaping: bool,
) -> list[Match]:
    """The plans that fit a flight, best first."""
    keys = list(_flight_keys(flight.seen))
    found = {id(plan): plan for key in keys for plan in by_key.get(key, ())}
    fitting = (_weigh(flight, plan, leaping) for plan in (found.values() if keys else live))
    needed = NEEDED if keys else NEEDED - 1
    return sorted((m for m in fitting if m and m.score >= needed), key=lambda m: -m.score)


def _plain(value: str) -> str:
    return value.replace("-", "").upper()


def _plan_keys(plan: Plan) -> Iterable[tuple[str, str]]:
    other = plan.message.other
    yield "callsign", plan.message.callsign
    if "CODE" in other:
        yield "icao24", other["CODE"].lower()
    for registration in other.get("REG", "").split():
        yield "registration", _plain(registration)


def _flight_keys(seen: Seen) -> Iterable[tuple[str, str]]:
    yield from (("icao24", value.lower()) for value in seen.icao24)
    yield from (("callsign", value.upper()) for value in seen.callsign)
    yield from (("registration", _plain(value)) for value in seen.registration)


def _slips(callsign: str) -> Iterable[tuple[str, str]]:
    """Keys that two callsigns share if one slip lies between them: each less one letter."""
    yield "slip", callsign
    for i in range(len(callsign)):
        yield "slip", callsign[:i] + callsign[i + 1 :]


def _index(
    plans: Iterable[Plan], keys_of: Callable[[Plan], Iterable[tuple[str, str]]]
) -> dict[tuple[str, str], list[Plan]]:
    found: dict[tuple[str, str], list[Plan]] = {}
    for plan in plans:
        for key in set(keys_of(plan)):
            found.setdefault(key, []).append(plan)
    return found


def _near_miss(
    flight: Flight,
    free: list[Plan],
    near_keys: Mapping[tuple[str, str], list[Plan]],
    leaping: bool,
) -> Correlation:
    """The answer for a flight that no plan matches, by the plans that no flight matches."""

    def weighed(plans: Iterable[Plan], least: int) -> tuple[Match, ...]:
        unique = {id(plan): plan for plan in plans}.values()
        found = (_weigh(flight, plan, leaping) for plan in unique)
        return tuple(m for m in found if m and m.score >= least)

    def near(keys: Iterable[tuple[str, str]]) -> Iterable[Plan]:
        return (plan for key in set(keys) for plan in near_keys.get(key, ()))

    slips = [key for callsign in flight.seen.callsign for key in _slips(callsign.upper())]
    for found, why in (
        (weighed(near(_flight_keys(flight.seen)), HALF), "it agrees in part only with"),
        (weighed(near(slips), HALF), "but for a slip of its callsign it may be"),
        (
            weighed(() if flight.seen.callsign else free, NEEDED - 1),
            "it carries nothing to compare; in place and time fits",
        ),
    ):
        if found:
            told = "; ".join(f"{m.plan.name}: {', '.join(m.reasons)}" for m in found[:3])
            return Correlation(flight, "ambiguous", None, found, f"{why} {told}")
    return Correlation(flight, "none", None, (), "no plan given fits this flight")


def _weigh(flight: Flight, plan: Plan, leaping: bool) -> Match | None:
    """The score of a plan; None where the time forbids it, or no identity agrees or is absent."""
    score, reasons = 0, []
    said, held = set(_plan_keys(plan)), set(_flight_keys(flight.seen))
    for kind, name, plus, minus in (
        ("icao24", "address", 4, 4),
        ("registration", "registration", 3, 3),
        ("callsign", "callsign", 3, 2),
    ):
        ours = {v for k, v in held if k == kind}
        theirs = {v for k, v in said if k == kind}
        if ours & theirs:
            score += plus
            reasons.append(f"same {name} {min(ours & theirs)}")
        elif ours and theirs:
            score -= minus
            reasons.append(f"{name} {min(ours)} is not {min(theirs)}")
    offs, late = _compare(flight, plan)
    half = median(offs) if offs else None
    place = 0 if half is None else 2 if half <= ON_PATH_M else -2 if half > OFF_PATH_M else 0
    place = max(place, 0) if leaping else place
    if late is not None and place > 0:
        if abs(late) > VERY_LATE + LATE:
            return None
        in_time = abs(late) <= ON_TIME
        reasons.append(f"{late.total_seconds() / 60:+.0f} min from the planned times")
    else:
        start = plan.take_off(flight.first)
        end = start + plan.duration + LATE
        if flight.last < start - EARLY or flight.first > end + VERY_LATE:
            return None
        in_time = flight.first <= end
        reasons.append("within the plan's window" if in_time else "after the plan's window")
    if half is not None:
        reasons.append(f"half of it lies within {half / M_PER_NM:.0f} NM of the path")
    return Match(flight, plan, score + place + 2 * in_time, tuple(reasons))


def _compare(flight: Flight, plan: Plan) -> tuple[list[float], timedelta | None]:
    """Distances from the planned path (m), and how late the flight is: its median position."""
    start = plan.take_off(flight.first)
    offs, apart = [], []
    for moment, lat, lon in flight.samples:
        near = plan.path.nearest(lat, lon)
        if near is None:
            break
        offs.append(near[0])
        minutes = plan.path.minutes_at(near[1], plan.speed_kt)
        if minutes is not None:
            apart.append((moment - start).total_seconds() - minutes * 60)
    return offs, timedelta(seconds=median(apart)) if apart else None


def _decide(
    flight: Flight, matches: list[Match], rivals: Mapping[int, list[Match]], leaping: bool
) -> Correlation:
    best = matches[0]
    ties = tuple(matches if leaping else (m for m in matches if best.score - m.score < MARGIN))
    if not any(_flight_keys(flight.seen)):
        why = "it carries no identity; only place and time fit " + _names(ties)
        return Correlation(flight, "ambiguous", None, ties, why)
    if len(ties) > 1:
        how = "fit a track that leaps between places" if leaping else "fit about equally"
        return Correlation(
            flight, "ambiguous", None, ties, f"{len(ties)} plans {how}: {_names(ties)}"
        )
    others = [m for m in rivals[id(best.plan)] if m is not best and _rival(flight, m.flight)]
    stronger = [m for m in others if m.score - best.score >= MARGIN]
    level = [m for m in others if abs(m.score - best.score) < MARGIN]
    if best.plan.message.count <= len(stronger) + len(level) and (stronger or level):
        rival = (stronger or level)[0]
        why = (
            f"{best.plan.name} is for {best.plan.message.count} aircraft, and track "
            f"{rival.flight.seen.track_id} at the same time fits it "
            f"{'better' if stronger else 'as well'}"
        )
        return Correlation(flight, "none" if stronger else "ambiguous", None, (best,), why)
    why = f"plan {best.plan.name}: {'; '.join(best.reasons)} (score {best.score})"
    return Correlation(flight, "matched", best, (best,), why)


def _names(matches: Iterable[Match]) -> str:
    return ", ".join(m.plan.name for m in matches)


def _rival(a: Flight, b: Flight) -> bool:
    """Whether two flights are of two aircraft at one time, not of one that two sources saw."""
    return a.first <= b.last and b.first <= a.last and not set(a.seen.icao24) & set(b.seen.icao24)
