"""One party's claims about one subject, as sets of positions and windows of time.

A claim that it entered a zone at 09:09 says that it was on the zone's edge at some moment of that
minute; that it passed 12 km east of a place from 09:09 to 09:12, that it was then at some moment
within the rounding of 12 km and east of it. Each such claim is an :class:`Anchor`. A claim that
it was never in a zone, or never nearer than 25 km, is an :class:`Avoid`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import shapely

from adiz.incidents.edtf import Span
from adiz.incidents.model import Claim, Incident, Sector
from adiz.incidents.plane import Plane, Pool, area_pool, line_pool, plane_about
from adiz.zones.model import Zones

Limit = tuple[float, float]
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_CONFIDENCE = {"high": 0, "medium": 1, "low": 2}


def seconds(moment: datetime | None, otherwise: float) -> float:
    """Seconds on the account's clock."""
    return otherwise if moment is None else (moment - _EPOCH).total_seconds()


def moment_of(clock_s: float) -> datetime:
    from datetime import timedelta

    return _EPOCH + timedelta(seconds=clock_s)


@dataclass(frozen=True)
class Anchor:
    """The subject was at one of some positions at some moment of a window.

    Attributes:
        crossing: for a zone's edge, the zone and whether it came in (True) or went out.
        keep_out: for a closest approach, the area it did not come into within the window.
        hold: for a stay from one anchor of its claim to the other, the area it kept within.
        heading: which way it flew there, as stated: a wish of a reconstruction, no condition.
        bearing: a place (x, y) and the middle of the stated direction from it: likewise a wish.
    """

    claim_id: str
    earliest_s: float
    latest_s: float
    pool: Pool
    crossing: tuple[str, bool] | None = None
    keep_out: Any = None
    hold: Any = None
    heading: Sector | None = None
    bearing: tuple[float, float, float] | None = None

    @property
    def middle_s(self) -> float:
        return (self.earliest_s + self.latest_s) / 2


@dataclass(frozen=True)
class Avoid:
    """The subject was at no time of a window in an area."""

    claim_id: str
    area: Any
    earliest_s: float
    latest_s: float


@dataclass(frozen=True)
class Account:
    """What can be checked together.

    Attributes:
        anchors: by the middle of their windows.
        unchecked: (claim id, why it cannot be checked here).
        limit_kmh: published maximum speeds, lowest and highest, wind added; None if none known.
        unspoken: territorial airspace of the incident that no claim puts the subject in: a
            reconstruction keeps out of it if it can.
        doubt: by claim id, 0 of high confidence to 2 of low.
    """

    party_id: str
    subject_id: str
    plane: Plane
    anchors: tuple[Anchor, ...]
    avoids: tuple[Avoid, ...]
    unchecked: tuple[tuple[str, str], ...]
    limit_kmh: Limit | None
    areas: dict[str, Any]
    unspoken: tuple[Any, ...] = ()
    doubt: Mapping[str, int] = field(default_factory=dict)

    @property
    def claims(self) -> tuple[str, ...]:
        """Ids of all that is checked, in time order."""
        return tuple(dict.fromkeys([a.claim_id for a in self.anchors + self.avoids]))

    def only(self, *claim_ids: str) -> Account:
        """The account with no other claims than these."""
        return replace(
            self,
            anchors=tuple(a for a in self.anchors if a.claim_id in claim_ids),
            avoids=tuple(a for a in self.avoids if a.claim_id in claim_ids),
        )

    def without(self, *claim_ids: str) -> Account:
        """The account less some claims."""
        return self.only(*(c for c in self.claims if c not in claim_ids))


def speed_limit(incident: Incident, subject_id: str) -> Limit | None:
    """Published maximum speeds of a subject (lowest, highest), km/h, with the stated wind.

    From the file, else from the published figures for its type. Of a group, its slowest member's.
    """
    limits = []
    for member in sorted(incident.members(subject_id)):
        subject = incident.subject(member)
        if subject.max_speed_kmh:
            figures = [f.value for f in subject.max_speed_kmh]
            limits.append((min(q.low for q in figures), max(q.high for q in figures)))
        elif subject.type_code:
            published = _published_speed(subject.type_code)
            if published:
                limits.append(published)
    if not limits:
        return None
    return min(low for low, _ in limits), min(high for _, high in limits) + incident.wind_kmh


def _published_speed(type_code: str) -> Limit | None:
    from adiz.tracks.types import published

    speeds = [statement.value for statement in published(type_code, "max_speed_kmh")]
    return (min(speeds), max(speeds)) if speeds else None


def build_account(
    incident: Incident, zones: Zones, party_id: str | None, subject_id: str
) -> Account:
    """The checkable claims of a party (None: of all) about a subject and the groups it is in."""
    claims = list(incident.claims_about(subject_id, party_id))
    builder = _Builder(incident, zones, _plane_for(incident, zones, claims))
    told: dict[tuple[str, str], Claim] = {}
    for claim in sorted(claims, key=lambda c: _CONFIDENCE[c.confidence]):
        if (
            party_id
            and claim.event
            and told.setdefault((claim.predicate, claim.event), claim) is not claim
        ):
            first = told[claim.predicate, claim.event].claim_id
            builder.unchecked.append((claim.claim_id, f"{first} tells the same event"))
    variants = {one for one, _ in builder.unchecked}
    for claim in claims:
        if claim.claim_id not in variants:
            builder.add(claim)
    plane = builder.plane
    for anchor in builder.anchors:
        plane.radius_km = max(plane.radius_km, float(np.hypot(*anchor.pool.xy.T).max()))
    return Account(
        party_id or "",
        subject_id,
        plane,
        tuple(sorted(builder.anchors, key=lambda a: a.middle_s)),
        tuple(builder.avoids),
        tuple(builder.unchecked),
        speed_limit(incident, subject_id),
        builder.areas,
        _unspoken(incident, zones, plane, claims),
        {claim.claim_id: _CONFIDENCE[claim.confidence] for claim in claims},
    )


def _unspoken(
    incident: Incident, zones: Zones, plane: Plane, claims: list[Claim]
) -> tuple[Any, ...]:
    """Areas of the incident's territorial zones, each boundary once, of which no claim speaks."""
    spoken = [zones[z].rings for c in claims if c.predicate != "never_inside" for z in c.zones]
    found: dict[str, Any] = {}
    for zone in (zones[zone_id] for zone_id in incident.zones):
        if zone.kind == "territorial" and not zone.incomplete and zone.rings not in spoken:
            found.setdefault(repr(zone.rings), plane.area(zone))
    return tuple(found.values())


def _plane_for(incident: Incident, zones: Zones, claims: list[Claim]) -> Plane:
    points = [
        point
        for claim in claims
        for place in filter(None, (claim.place, *claim.between))
        for point in incident.place(place).points
    ]
    if points:
        return plane_about(points)
    for claim in claims:
        for zone_id in claim.zones:
            if not zones[zone_id].incomplete:
                from adiz.zones.rings import dense_rings

                ring = dense_rings(zones[zone_id], 1000.0)[0]
                return plane_about(list(zip(ring[0::2], ring[1::2], strict=True)))
    return Plane((0.0, 0.0))


class _Builder:
    def __init__(self, incident: Incident, zones: Zones, plane: Plane) -> None:
        self.incident, self.zones, self.plane = incident, zones, plane
        self.anchors: list[Anchor] = []
        self.avoids: list[Avoid] = []
        self.unchecked: list[tuple[str, str]] = []
        self.areas: dict[str, Any] = {}

    def add(self, claim: Claim) -> None:
        method = getattr(self, f"_{claim.predicate}", None)
        why = "it says nothing of where the subject was" if method is None else (
            "it says that it was not so" if claim.negated else method(claim)
        )  # fmt: skip
        if why:
            self.unchecked.append((claim.claim_id, why))

    def anchor(self, claim: Claim, span: Span | None, pool: Pool | str, **more: Any) -> str:
        if isinstance(pool, str):
            return pool
        if span is None or span.earliest is None or span.latest is None:
            return "it gives no time" if span is None else "its time has an open end"
        if not len(pool.xy):
            return "no position fits what it says of the place"
        early, late = seconds(span.earliest, -math.inf), seconds(span.latest, math.inf)
        more["heading"] = claim.heading
        if claim.place and claim.bearing:
            x, y = self.plane.place_xy(self.incident.place(claim.place)).mean(0)
            more["bearing"] = (float(x), float(y), claim.bearing.middle_deg)
        self.anchors.append(Anchor(claim.claim_id, early, late, pool, **more))
        return ""

    def span(self, claim: Claim) -> Span | None:
        return Span(claim.time.earliest, claim.time.latest) if claim.time else None

    def zone_areas(self, claim: Claim) -> list[Any] | str:
        found = []
        for zone_id in claim.zones:
            zone = self.zones[zone_id]
            if zone.incomplete:
                return f"the boundary of {zone_id} is incomplete: {zone.incomplete}"
            self.areas[zone_id] = self.plane.area(zone)
            found.append(self.areas[zone_id])
        return found

    def where(self, claim: Claim, pool: Pool) -> Pool:
        """Only the positions in the stated direction from the stated place."""
        if not claim.place or claim.bearing is None:
            return pool
        keep = self.plane.in_sector(self.incident.place(claim.place), claim.bearing, pool.xy)
        return Pool(pool.xy[keep], pool.reach_km)

    def crossing(self, claim: Claim, inward: bool) -> str:
        areas = self.zone_areas(claim)
        if isinstance(areas, str):
            return areas
        why = ""
        for zone_id, area in zip(claim.zones, areas, strict=True):
            pool = self.where(claim, line_pool(area.boundary))
            why = self.anchor(claim, self.span(claim), pool, crossing=(zone_id, inward)) or why
        return why

    def _enters(self, claim: Claim) -> str:
        return self.crossing(claim, True)

    def _leaves(self, claim: Claim) -> str:
        return self.crossing(claim, False)

    def _inside(self, claim: Claim) -> str:
        areas = self.zone_areas(claim)
        if isinstance(areas, str):
            return areas
        if claim.time is None:
            return "it gives no time"
        spans = [claim.time.begin, claim.time.end] if claim.time.interval else [claim.time.begin]
        return "".join(
            self.anchor(claim, span, area_pool(area), hold=area) for area in areas for span in spans
        )

    def _never_inside(self, claim: Claim) -> str:
        areas = self.zone_areas(claim)
        if isinstance(areas, str):
            return areas
        self.avoid(claim, shapely.union_all(areas))
        return ""

    def avoid(self, claim: Claim, area: Any) -> None:
        span = self.span(claim) or Span(None, None)
        early, late = seconds(span.earliest, -math.inf), seconds(span.latest, math.inf)
        self.avoids.append(Avoid(claim.claim_id, area, early, late))

    def near(self, claim: Claim) -> Pool:
        """Positions at the stated distance (none: at the place, to its error) and direction."""
        place = self.incident.place(claim.place)
        distance = claim.distance_km
        error = place.position_error_m / 1000.0
        low = max(0.0, distance.low - error) if distance else 0.0
        high = distance.high + error if distance else max(error, 0.1)
        ring = self.plane.disc(place, high)
        if low > 0:
            ring = ring.difference(self.plane.disc(place, low))
        return self.where(claim, area_pool(ring))

    def _at(self, claim: Claim) -> str:
        return self.anchor(claim, self.span(claim), self.near(claim))

    def _passes(self, claim: Claim) -> str:
        if claim.between:
            ends = [self.plane.place_xy(self.incident.place(p)).mean(0) for p in claim.between]
            return self.anchor(claim, self.span(claim), line_pool(shapely.LineString(ends)))
        distance = claim.distance_km
        if distance is None:
            return "it gives no distance"
        place = self.incident.place(claim.place)
        error = place.position_error_m / 1000.0
        keep_out = self.plane.disc(place, distance.low - error) if distance.low > error else None
        if math.isinf(distance.high) or claim.time is None:
            if keep_out is None:
                return "it gives no time"
            self.avoid(claim, keep_out)
            return ""
        return self.anchor(claim, self.span(claim), self.near(claim), keep_out=keep_out)
