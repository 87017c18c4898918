"""The circumstances of an incident, gathered: sun, light, nearest zones, places near each path.

Joins what the accounts say (:mod:`adiz.incidents.model`) and what was worked out
(:mod:`adiz.incidents.verdicts`) with :mod:`adiz.incidents.circumstances`. Headings and positions
are those of a reconstruction: one path that fits an account, not a recorded one.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from adiz.errors import AdizError
from adiz.incidents.circumstances import (
    Nearest,
    PlaceNear,
    RangeRing,
    SunSeen,
    light_in_capitals,
    nearest_point,
    places_near,
    range_ring,
    see_sun,
)
from adiz.incidents.edtf import Span
from adiz.incidents.model import Claim, Incident
from adiz.incidents.verdicts import Assessment, PathPoint, Reconstruction
from adiz.zones.model import Zones


@dataclass(frozen=True, slots=True)
class SunRow:
    """Where the sun stood for a subject at a moment a claim names.

    ``heading_claim``: the claim that states the heading; "" where it is the reconstruction's.
    """

    claim_id: str
    party_id: str
    subject_id: str
    moment: datetime
    sun: SunSeen
    heading_claim: str = ""


@dataclass(frozen=True, slots=True)
class ZoneRow:
    """A place (or a claim's place) against a zone. ``nearest`` None: ``reason`` says why."""

    what: str
    claim_id: str
    lat_deg: float
    lon_deg: float
    zone_id: str
    nearest: Nearest | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PathRow:
    """The named places that a reconstruction comes near."""

    party_id: str
    subject_id: str
    within_km: float
    places: tuple[PlaceNear, ...]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """All of it; see the row types. ``light``: (moment, rows of the capitals)."""

    sun: tuple[SunRow, ...]
    light: tuple[tuple[datetime, tuple[dict[str, Any], ...]], ...]
    zones: tuple[ZoneRow, ...]
    paths: tuple[PathRow, ...]
    rings: tuple[RangeRing, ...]


def gather_circumstances(
    incident: Incident,
    assessment: Assessment,
    zones: Zones,
    *,
    near_km: float = 100.0,
    rings: tuple[tuple[str, str], ...] = (),
) -> Circumstances:
    """Work out the circumstances of an incident.

    Args:
        zones: the zones the incident names.
        near_km: how close to a path a place must lie to be listed.
        rings: (subject id, place id): draw the subject's published range about the place.

    Raises:
        AdizError: a ring names a subject or place the incident has not, or a subject without a
            published range.
    """
    places = [(p.name, *_centre(p.points)) for p in incident.places]
    return Circumstances(
        tuple(_sun_rows(incident, assessment)),
        tuple(_light(incident)),
        tuple(_zone_rows(incident, zones)),
        tuple(_path_rows(assessment, places, near_km)),
        tuple(_ring(incident, subject, place, places) for subject, place in rings),
    )


def _centre(points: tuple[tuple[float, float], ...]) -> tuple[float, float]:
    return (
        sum(p[0] for p in points) / len(points),
        sum(p[1] for p in points) / len(points),
    )


def start_of(span: Span, granularity: str) -> datetime | None:
    """The time a span was stated as, without the margin "about" adds; None if it has no bounds."""
    unit_s = {"second": 1.0, "minute": 60.0, "hour": 3600.0}.get(granularity)
    if span.middle is None or unit_s is None:
        return span.earliest if span.latest is not None else None
    return span.middle - timedelta(seconds=unit_s / 2)


def stated_bounds(claim: Claim) -> tuple[datetime, ...]:
    """Begin and end of a claim's clock time as stated (one moment where they are the same)."""
    time = claim.time
    if time is None or time.granularity not in ("second", "minute", "hour"):
        return ()
    bounds = (start_of(span, time.granularity) for span in (time.begin, time.end))
    return tuple(dict.fromkeys(moment for moment in bounds if moment is not None))


def _shots(incident: Incident) -> list[Claim]:
    """Claims of shots with a clock time: the moments at which the sun and the light matter."""
    return [
        claim
        for claim in incident.claims
        if claim.predicate == "fires" and claim.target and stated_bounds(claim)
    ]


def _sun_rows(incident: Incident, assessment: Assessment) -> list[SunRow]:
    rows = []
    shots = _shots(incident)
    for path in assessment.reconstructions:
        if shots:
            asked = [
                (claim, moment)
                for claim in shots
                if claim.party == path.party_id
                and path.subject_id in incident.members(claim.target)
                for moment in stated_bounds(claim)
            ]
        else:
            asked = [
                (claim, moment)
                for claim_id, moment in path.crossings
                if (claim := incident.claim(claim_id)).predicate == "passes"
            ]
        first = {moment: claim for claim, moment in reversed(asked)}  # of several at one moment
        asked = [(claim, moment) for claim, moment in asked if first[moment] is claim]
        for claim, moment in asked:
            point = _at(path, moment)
            if point is None:
                continue
            headings = {"": point.track_true_deg} | _stated_heading(incident, path, moment)
            for heading_claim, heading_deg in sorted(headings.items(), reverse=True):
                sun = see_sun(moment, point.lat_deg, point.lon_deg, heading_deg)
                rows.append(
                    SunRow(
                        claim.claim_id, path.party_id, path.subject_id, moment, sun, heading_claim
                    )
                )
    return rows


def _stated_heading(incident: Incident, path: Reconstruction, moment: datetime) -> dict[str, float]:
    """The heading the account gives for a moment: of the claim that spans it, by its id."""
    for claim in incident.claims_about(path.subject_id, path.party_id):
        bounds = stated_bounds(claim)
        if claim.heading and len(bounds) == 2 and bounds[0] <= moment <= bounds[1]:
            return {claim.claim_id: claim.heading.middle_deg}
    return {}


def _at(path: Reconstruction, moment: datetime) -> PathPoint | None:
    """The point of a path nearest in time; None where the path is more than a minute away."""
    if not path.points:
        return None
    times = [p.time for p in path.points]
    index = min(bisect_left(times, moment), len(times) - 1)
    near = min(path.points[max(0, index - 1) : index + 1], key=lambda p: abs(p.time - moment))
    return near if abs((near.time - moment).total_seconds()) <= 60 else None


def _light(incident: Incident) -> list[tuple[datetime, tuple[dict[str, Any], ...]]]:
    claims = _shots(incident) or list(incident.claims)
    moments = sorted({m for claim in claims for m in stated_bounds(claim)})
    states = {p.state for p in incident.parties} | {s.state for s in incident.subjects}
    ends = dict.fromkeys((moments[0], moments[-1])) if moments else ()
    return [(moment, tuple(light_in_capitals(moment, states))) for moment in ends]


def _zone_rows(incident: Incident, zones: Zones) -> list[ZoneRow]:
    spots = [(p.name, "", *_centre(p.points)) for p in incident.places]
    spots += [
        (f"{claim.claim_id}: {place}", claim.claim_id, lat, lon)
        for claim, place, lat, lon in claimed_positions(incident)
    ]
    rows = []
    for what, claim_id, lat, lon in spots:
        for zone_id in incident.zones:
            try:
                nearest, reason = nearest_point(zones[zone_id], lat, lon), ""
            except AdizError as error:
                nearest, reason = None, str(error)
            rows.append(ZoneRow(what, claim_id, lat, lon, zone_id, nearest, reason))
    return rows


def claimed_positions(incident: Incident) -> list[tuple[Claim, str, float, float]]:
    """Claims that give a distance and a bearing from a place, and the middle of where that is."""
    from adiz.geo import direct

    found = []
    for claim in incident.claims:
        distance, bearing = claim.distance_km, claim.bearing
        if not claim.place or distance is None or bearing is None or math.isinf(distance.high):
            continue
        place = incident.place(claim.place)
        lat, lon = _centre(place.points)
        lat, lon = direct(lat, lon, bearing.middle_deg, distance.middle * 1000.0)
        found.append((claim, f"{distance.middle:.0f} km {bearing.text} of {place.name}", lat, lon))
    return found


def _path_rows(
    assessment: Assessment, places: list[tuple[str, float, float]], near_km: float
) -> list[PathRow]:
    rows = []
    for path in assessment.reconstructions:
        if path.points:
            line = [(p.lat_deg, p.lon_deg) for p in path.points]
            near = places_near(line, places, near_km * 1000.0)
            rows.append(PathRow(path.party_id, path.subject_id, near_km, tuple(near)))
    return rows


def _ring(
    incident: Incident, subject_id: str, place_id: str, places: list[tuple[str, float, float]]
) -> RangeRing:
    subject = _named(incident.subjects, "subject_id", subject_id, "subject")
    place = _named(incident.places, "place_id", place_id, "place")
    figures = [(f.value.middle * 1000.0, f.source) for f in subject.range_km]
    others = [p for p in places if p[0] != place.name]
    title = f"{subject.name} about {place.name}"
    return range_ring(title, _centre(place.points), figures, others)


def _named(parts: tuple[Any, ...], field: str, wanted: str, kind: str) -> Any:
    for part in parts:
        if getattr(part, field) == wanted:
            return part
    known = ", ".join(getattr(p, field) for p in parts) or "none"
    raise AdizError(f"the incident has no {kind} {wanted!r}; it has: {known}")
