"""Which flight plan is of which track.

Each plan is scored against each track by what they have in common. The rule, in full:

======================  ======  =======================================================
evidence                agrees  differs (both sides say something)
======================  ======  =======================================================
24-bit address (CODE)   +4      -4
registration (REG)      +3      -3
callsign (item 7)       +3      -2 (crews mistype it)
on the planned path     +2      -2 (half of the track lies over 100 NM off)
time                    +2      no match at all
======================  ======  =======================================================

*Time* agrees (+2) when the track lies within half an hour of the times the plan states for the
places it passes, or, where its path is not known, within its window. The window runs from 30
minutes before off-block (or take-off, once there is a DEP) to 90 minutes after the planned
arrival; outside it (+0 within another 3 hours, for flights that left late without a DLA) there is
no match. *On the path* means half of the track lies within 20 NM of it.

A plan matches with a score of 5 or more, of which address, registration or callsign must give
some. It is *ambiguous*, and no plan is named, when another plan comes within 2 points, or when
two tracks at the same time claim a plan for one aircraft with scores within 2 points. A track
that carries no identity at all may fit a plan by place and time alone: that is reported as
ambiguous, never as a match.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING

from adiz.identify.plans import Plan, Plans
from adiz.tracks.identity import Seen, seen_by_track
from adiz.units import M_PER_NM

if TYPE_CHECKING:
    import polars as pl

SAMPLES = 16
"""Positions of a track compared with a path."""
NEEDED, MARGIN = 5, 2
ON_PATH_M, OFF_PATH_M = 20 * M_PER_NM, 100 * M_PER_NM
ON_TIME = timedelta(minutes=30)
EARLY, LATE, VERY_LATE = timedelta(minutes=30), timedelta(minutes=90), timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Track:
    """What correlation needs of a track: who it says it is, and some of its positions."""

    seen: Seen
    first: datetime
    last: datetime
    samples: tuple[tuple[datetime, float, float], ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A plan weighed against a track: the score and what made it."""

    track_id: str
    plan: Plan
    score: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Correlation:
    """The answer for one track.

    Attributes:
        status: ``matched``, ``ambiguous`` or ``none``.
        match: the plan, where matched.
        candidates: where ambiguous, those that tie, best first.
        why: one sentence.
    """

    track_id: str
    status: str
    match: Match | None
    candidates: tuple[Match, ...]
    why: str


def summarise_tracks(table: pl.DataFrame) -> dict[str, Track]:
    """Each track's keys, span and evenly spread positions, by track id."""
    import polars as pl

    last = pl.len() - 1
    take = (pl.int_range(SAMPLES) * last) // (SAMPLES - 1)
    sampled = (
        table.lazy()
        .select("track_id", "time", "lat_deg", "lon_deg")
        .with_columns(pl.col("track_id").cast(pl.Categorical).to_physical().alias("code"))
        .sort("code", "time")
        .group_by("code", maintain_order=True)
        .agg(pl.col("track_id").first(), pl.exclude("track_id", "code").gather(take))
        .collect()
    )
    positions = {
        row[1]: tuple(dict.fromkeys(zip(*row[2:], strict=True))) for row in sampled.iter_rows()
    }
    tracks = {}
    for seen in seen_by_track(table):
        samples = positions[seen.track_id]
        tracks[seen.track_id] = Track(seen, samples[0][0], samples[-1][0], samples)
    return tracks


def correlate(tracks: Mapping[str, Track], plans: Plans) -> dict[str, Correlation]:
    """The plan of each track, by the rule of the module's head."""
    live = [plan for plan in plans.plans if plan.status != "cancelled"]
    by_key = _index(live)
    ranked: dict[str, list[Match]] = {}
    for track_id, track in tracks.items():
        keys = list(_track_keys(track.seen))
        found = {id(p): p for key in keys for p in by_key.get(key, ())}
        fitting = (_weigh(track, plan) for plan in (found.values() if keys else live))
        needed = NEEDED if keys else 4
        ranked[track_id] = sorted(
            (m for m in fitting if m and m.score >= needed), key=lambda m: -m.score
        )
    rivals: dict[int, list[Match]] = {}
    for matches in ranked.values():
        if matches:
            rivals.setdefault(id(matches[0].plan), []).append(matches[0])
    return {
        track_id: _decide(tracks[track_id], matches, rivals, tracks)
        for track_id, matches in ranked.items()
    }


def _plain(value: str) -> str:
    return value.replace("-", "").upper()


def _plan_keys(plan: Plan) -> Iterable[tuple[str, str]]:
    other = plan.message.other
    yield "callsign", plan.message.callsign
    if "CODE" in other:
        yield "icao24", other["CODE"].lower()
    for registration in other.get("REG", "").split():
        yield "registration", _plain(registration)


def _track_keys(seen: Seen) -> Iterable[tuple[str, str]]:
    yield from (("icao24", value.lower()) for value in seen.icao24)
    yield from (("callsign", value.upper()) for value in seen.callsign)
    yield from (("registration", _plain(value)) for value in seen.registration)


def _index(plans: Iterable[Plan]) -> dict[tuple[str, str], list[Plan]]:
    found: dict[tuple[str, str], list[Plan]] = {}
    for plan in plans:
        for key in _plan_keys(plan):
            found.setdefault(key, []).append(plan)
    return found


def _weigh(track: Track, plan: Plan) -> Match | None:
    """The score of a plan; None where the time forbids it, or no identity agrees or is absent."""
    score, reasons = 0, []
    said, held = set(_plan_keys(plan)), set(_track_keys(track.seen))
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
    offs, late = _compare(track, plan)
    half = median(offs) if offs else None
    place = 0 if half is None else 2 if half <= ON_PATH_M else -2 if half > OFF_PATH_M else 0
    if late is not None and place > 0:
        if abs(late) > VERY_LATE + LATE:
            return None
        in_time = abs(late) <= ON_TIME
        reasons.append(f"{late.total_seconds() / 60:+.0f} min from the planned times")
    else:
        start = plan.take_off(track.first)
        end = start + plan.duration + LATE
        if track.last < start - EARLY or track.first > end + VERY_LATE:
            return None
        in_time = track.first <= end
        reasons.append("within the plan's window" if in_time else "after the plan's window")
    if half is not None:
        reasons.append(f"half of the track lies within {half / M_PER_NM:.0f} NM of the path")
    return Match(track.seen.track_id, plan, score + place + 2 * in_time, tuple(reasons))


def _compare(track: Track, plan: Plan) -> tuple[list[float], timedelta | None]:
    """Distances from the planned path (m), and how late the track is: its median position."""
    start = plan.take_off(track.first)
    offs, apart = [], []
    for moment, lat, lon in track.samples:
        near = plan.path.nearest(lat, lon)
        if near is None:
            break
        offs.append(near[0])
        minutes = plan.path.minutes_at(near[1], plan.speed_kt)
        if minutes is not None:
            apart.append((moment - start).total_seconds() - minutes * 60)
    return offs, timedelta(seconds=median(apart)) if apart else None


def _decide(
    track: Track,
    matches: list[Match],
    rivals: Mapping[int, list[Match]],
    tracks: Mapping[str, Track],
) -> Correlation:
    track_id = track.seen.track_id
    if not matches:
        return Correlation(track_id, "none", None, (), "no plan given fits this track")
    best = matches[0]
    ties = tuple(m for m in matches if best.score - m.score < MARGIN)
    if not any(_track_keys(track.seen)):
        why = "the track carries no identity; only place and time fit " + _names(ties)
        return Correlation(track_id, "ambiguous", None, ties, why)
    if len(ties) > 1:
        why = f"{len(ties)} plans fit about equally: {_names(ties)}"
        return Correlation(track_id, "ambiguous", None, ties, why)
    others = [
        m
        for m in rivals[id(best.plan)]
        if m.track_id != track_id and _together(track, tracks[m.track_id])
    ]
    stronger = [m for m in others if m.score - best.score >= MARGIN]
    level = [m for m in others if abs(m.score - best.score) < MARGIN]
    if best.plan.message.count <= len(stronger) + len(level) and (stronger or level):
        rival = (stronger or level)[0]
        why = (
            f"{best.plan.name} is for {best.plan.message.count} aircraft, and track "
            f"{rival.track_id} at the same time fits it {'better' if stronger else 'as well'}"
        )
        return Correlation(track_id, "none" if stronger else "ambiguous", None, (best,), why)
    why = f"plan {best.plan.name}: {'; '.join(best.reasons)} (score {best.score})"
    return Correlation(track_id, "matched", best, (best,), why)


def _names(matches: Iterable[Match]) -> str:
    return ", ".join(m.plan.name for m in matches)


def _together(a: Track, b: Track) -> bool:
    return a.first <= b.last and b.first <= a.last
