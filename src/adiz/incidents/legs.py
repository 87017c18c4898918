"""The table of legs: how fast an account's aircraft would have flown, straight, leg by leg.

Two claims good to the minute and n minutes apart lie n - 1 to n + 1 minutes apart: a leg of three
minutes flown in 2 to 4 has a speed between -25 % and +50 % of the one the clock suggests. So each
row is an interval. Where on a boundary the aircraft crossed is not said either; a row states what
it assumes, and where one end is fixed by a closest approach there is a row for each direction.

Lengths are WGS84 geodesics between points found on the account's flat map.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import shapely

from adiz.incidents.account import Account
from adiz.incidents.model import Claim, Incident
from adiz.incidents.plane import GEOD, Floats, Plane, pair_distances, ray_length
from adiz.incidents.reachability import coarse_layer
from adiz.incidents.verdicts import AccountStay, BearingSector, Interval, LegAssessment

_FAR_KM = 3000.0
_STEP_DEG = 15
_NO_LEG_KM = 0.5  # two claims that may be at one point of one edge make no leg


@dataclass(frozen=True)
class Fix:
    """A position that a claim suggests: on a straight pass, or in a stated direction."""

    xy: Floats
    on_pass: bool
    says: str


def geodesic_km(plane: Plane, a: Floats, b: Floats) -> float:
    lat, lon = plane.to_degrees(np.stack([a, b]))
    _, _, metres = GEOD.inv(lon[0], lat[0], lon[1], lat[1])
    return float(metres) / 1000.0


def minutes_between(one: Claim, other: Claim) -> Interval:
    """From one claim's time to another's: least, stated, most."""
    a, b = one.time, other.time
    if a is None or b is None:
        raise ValueError("both claims need a time")
    if a.earliest is None or a.latest is None or b.earliest is None or b.latest is None:
        raise ValueError("both times need both ends")
    low = (b.earliest - a.latest).total_seconds() / 60
    high = (b.latest - a.earliest).total_seconds() / 60
    return Interval(max(0.0, low), (low + high) / 2, high)


def speeds(distance_km: float, minutes: Interval) -> Interval:
    """km/h: lowest, at the stated minutes, highest (``inf`` for no time at all)."""
    low, stated, high = (
        60.0 * distance_km / t if t > 0 else math.inf
        for t in (minutes.high, minutes.stated, minutes.low)
    )
    return Interval(low, stated, high)


def clock(claim: Claim, incident: Incident) -> str:
    """The time of a claim on the incident's own clock: ``09:09``."""
    from zoneinfo import ZoneInfo

    if claim.time is None or claim.time.begin.earliest is None:
        return claim.time.text if claim.time else "no time"
    zone = ZoneInfo(incident.time_zone)
    text = f"{claim.time.begin.earliest.astimezone(zone):%H:%M}"
    if claim.time.interval and claim.time.end.earliest is not None:
        text += f" to {claim.time.end.earliest.astimezone(zone):%H:%M}"
    return ("about " if claim.time.approximate else "") + text


def crossings(incident: Incident, account: Account) -> list[Claim]:
    """The account's claims with a closed time that put the subject at a place or on an edge."""
    ids = dict.fromkeys(a.claim_id for a in account.anchors)
    return [incident.claim(i) for i in ids]


def account_stays(incident: Incident, account: Account) -> list[AccountStay]:
    """Each entry followed by an exit of the same zone."""
    open_: dict[str, Claim] = {}
    stays = []
    for anchor in account.anchors:
        if anchor.crossing is None:
            continue
        zone_id, inward = anchor.crossing
        claim = incident.claim(anchor.claim_id)
        if inward:
            open_[zone_id] = claim
        elif zone_id in open_:
            entry = open_.pop(zone_id)
            stays.append(
                AccountStay(account.party_id, account.subject_id, zone_id, entry.claim_id,
                            claim.claim_id, minutes_between(entry, claim))
            )  # fmt: skip
    return stays


class LegTable:
    """Makes the rows of one account."""

    def __init__(self, incident: Incident, account: Account) -> None:
        self.incident, self.account, self.plane = incident, account, account.plane
        self.claims = [c for c in crossings(incident, account) if c.predicate != "passes"]
        self.passes = [c for c in crossings(incident, account) if c.predicate == "passes"]
        self.fixes: dict[str, Fix] = {}
        self.rows: list[LegAssessment] = []
        self.sectors: list[BearingSector] = []

    def run(self) -> None:
        chords = set()
        for one, other in self.pairs():
            if self.chord(one, other):
                chords.add((one.claim_id, other.claim_id))
        for claim in self.claims:
            self.direction(claim)
        for one, other in self.pairs():
            if (one.claim_id, other.claim_id) in chords:
                continue
            self.least(one, other)
            a, b = self.fixes.get(one.claim_id), self.fixes.get(other.claim_id)
            if a and a.on_pass and other.zones:
                self.fan(one, other, a, "departure")
            elif b and b.on_pass and one.zones:
                self.fan(one, other, b, "arrival")
            elif a and b:
                self.row(one, other, f"from {a.says} to {b.says}", None,
                         geodesic_km(self.plane, a.xy, b.xy))  # fmt: skip

    def pairs(self) -> Iterator[tuple[Claim, Claim]]:
        """Consecutive claims; a place told for the moment of a crossing is a leg of its own."""
        moments = {c.time.text: c for c in self.claims if c.zones and c.time}
        crossing_at = {
            c.claim_id: moments[c.time.text]
            for c in self.claims
            if c.predicate == "at" and c.time and c.time.text in moments
        }
        main = [c for c in self.claims if c.claim_id not in crossing_at]
        after = dict(pairwise(c.claim_id for c in main))
        yield from pairwise(main)
        for claim_id, crossing in crossing_at.items():
            yield crossing, self.incident.claim(claim_id)
            if crossing.claim_id in after:
                following = self.incident.claim(after[crossing.claim_id])
                yield self.incident.claim(claim_id), following

    def row(
        self, one: Claim, other: Claim, assumption: str, bearing_deg: float | None,
        distance_km: float,
    ) -> None:  # fmt: skip
        minutes = minutes_between(one, other)
        speed, limit = speeds(distance_km, minutes), self.account.limit_kmh
        hopeless = bearing_deg is not None and limit and speed.low > 2 * limit[1]
        if distance_km < _NO_LEG_KM or hopeless:
            return
        self.rows.append(
            LegAssessment(
                self.account.party_id, self.account.subject_id, one.claim_id, other.claim_id,
                f"{self.step(one)} to {self.step(other)}", assumption, bearing_deg, distance_km,
                minutes, speed, limit, outcome(speed, limit),
            )
        )  # fmt: skip

    def step(self, claim: Claim) -> str:
        what = claim.zones[0] if claim.zones else self.incident.place(claim.place).name
        act = {"enters": "entering", "leaves": "leaving"}.get(claim.predicate, claim.predicate)
        return f"{act} {what} {clock(claim, self.incident)}"

    def chord(self, one: Claim, other: Claim) -> bool:
        """A straight pass through a zone at a stated distance from a place."""
        if (one.predicate, other.predicate) != ("enters", "leaves") or one.zones != other.zones:
            return False
        for claim in self.passes:
            near, side = claim.distance_km, claim.bearing
            if near is None or side is None or not claim.place or not _between(one, claim, other):
                continue
            heading = claim.heading.middle_deg if claim.heading else side.middle_deg + 90.0
            place = self.incident.place(claim.place)
            tangent = self.plane.nominal(place, side.middle_deg, near.middle)
            area = self.account.areas[one.zones[0]]
            ahead = ray_length(area, tangent, heading, _FAR_KM)
            behind = ray_length(area, tangent, heading + 180.0, _FAR_KM)
            if not math.isfinite(ahead + behind):
                continue
            at = f"on a straight pass {near} {side.text} of {place.name}"
            self.fixes[one.claim_id] = Fix(_move(tangent, heading, -behind), True, at)
            self.fixes[other.claim_id] = Fix(_move(tangent, heading, ahead), True, at)
            length = geodesic_km(
                self.plane, self.fixes[one.claim_id].xy, self.fixes[other.claim_id].xy
            )
            self.row(one, other, f"straight, heading {heading % 360:03.0f}, closest {near} "
                     f"{side.text} of {place.name}", None, length)  # fmt: skip
            return True
        return False

    def direction(self, claim: Claim) -> None:
        """The middle of a stated direction, on the zone's edge or at the stated distance."""
        if claim.claim_id in self.fixes or not claim.place or claim.bearing is None:
            return
        place, azimuth = self.incident.place(claim.place), claim.bearing.middle_deg
        if claim.distance_km:
            xy = self.plane.nominal(place, azimuth, claim.distance_km.middle)
        elif claim.zones:
            start = self.plane.place_xy(place).mean(axis=0)
            length = ray_length(self.account.areas[claim.zones[0]], start, azimuth, _FAR_KM)
            if not math.isfinite(length):
                return
            xy = _move(start, azimuth, length)
        else:
            return
        says = f"{azimuth:03.0f}° of {place.name}"
        self.fixes[claim.claim_id] = Fix(xy, False, says)

    def least(self, one: Claim, other: Claim) -> None:
        """The least distance there can be between what the two claims allow."""
        a, b = (self.positions(c) for c in (one, other))
        apart = pair_distances(a, b)
        i, j = np.unravel_index(int(apart.argmin()), apart.shape)
        length = geodesic_km(self.plane, a[i], b[j])
        self.row(one, other, "the least distance the places allow", None, length)

    def positions(self, claim: Claim) -> Floats:
        fix = self.fixes.get(claim.claim_id)
        if fix and fix.on_pass:
            return fix.xy[None, :]
        anchor = next(a for a in self.account.anchors if a.claim_id == claim.claim_id)
        return coarse_layer(anchor, anchor.pool.xy, 1500).xy

    def fan(self, one: Claim, other: Claim, fix: Fix,
            kind: Literal["arrival", "departure"]) -> None:  # fmt: skip
        """A row for every 15° and the sectors below the limit, from one straight pass's end."""
        zone_id, passed = (other, one) if kind == "departure" else (one, other)
        area = self.account.areas[zone_id.zones[0]]
        inner = self.account.areas[passed.zones[0]].buffer(-0.05)
        word = "heading" if kind == "departure" else "in from"
        rays = list(_rays(area, inner, fix.xy))
        for degrees, length in rays:
            if degrees % _STEP_DEG == 0:
                end = _move(fix.xy, degrees, length)
                self.row(one, other, f"{word} {degrees:03d}, straight, {fix.says}",
                         float(degrees), geodesic_km(self.plane, fix.xy, end))  # fmt: skip
        if self.account.limit_kmh and rays:
            self.sector(one, other, fix, kind, rays)

    def sector(self, one: Claim, other: Claim, fix: Fix, kind: Literal["arrival", "departure"],
               rays: list[tuple[int, float]]) -> None:  # fmt: skip
        minutes = minutes_between(one, other)
        limit = (self.account.limit_kmh or (0.0, 0.0))[0]
        seen = self.seen_from(passed=other if kind == "arrival" else one)
        shown = {
            degrees: float(degrees) if kind == "departure" or seen is None
            else float(self.plane.azimuths(seen, _move(fix.xy, degrees, length)[None, :])[0])
            for degrees, length in rays
        }  # fmt: skip

        def runs(least_minutes: float) -> tuple[tuple[float, float], ...]:
            good = [d for d, km in rays if km <= limit * least_minutes / 60.0]
            return tuple((shown[a], shown[b]) for a, b in _runs(good))

        stated, certain, possible = map(runs, (minutes.stated, minutes.low, minutes.high))
        whence = (
            f"only if it crossed the edge at a bearing of {_say(stated)}"
            + (f" from {seen.name}" if seen else "")
            if kind == "arrival"
            else f"only on a heading of {_say(stated)}"
        )
        sentence = (
            f"From {self.step(one)} to {self.step(other)} it stays below {limit:.0f} km/h at the "
            f"stated {minutes.stated:.0f} minutes {whence}; whatever the rounding, "
            f"{_say(certain)}; with the rounding most favourable, {_say(possible)}."
        )
        self.sectors.append(
            BearingSector(self.account.party_id, self.account.subject_id, one.claim_id,
                          other.claim_id, kind, limit, stated, certain, possible, sentence)
        )  # fmt: skip

    def seen_from(self, passed: Claim) -> Any:
        """The place of the closest approach during the pass that this claim begins or ends."""
        for claim in self.passes:
            if claim.place and claim.time and passed.time and claim.time.meets(passed.time):
                return self.incident.place(claim.place)
        return None


def outcome(
    speed: Interval, limit_kmh: tuple[float, float] | None
) -> Literal["within", "partly", "above", "unknown"]:
    if limit_kmh is None:
        return "unknown"
    if speed.high <= limit_kmh[0]:
        return "within"
    return "above" if speed.low > limit_kmh[1] else "partly"


def _between(one: Claim, claim: Claim, other: Claim) -> bool:
    begin, end = one.time and one.time.earliest, other.time and other.time.latest
    time = claim.time
    return bool(
        time and begin and end and time.earliest and time.latest
        and begin <= time.earliest and time.latest <= end
    )  # fmt: skip


def _move(start: Floats, azimuth_deg: float, distance_km: float) -> Floats:
    angle = math.radians(azimuth_deg)
    return start + distance_km * np.array([math.sin(angle), math.cos(angle)])


def _rays(area: Any, inner: Any, start: Floats) -> Iterator[tuple[int, float]]:
    """(degrees, km to the edge of ``area``) in each direction that does not lead through inner."""
    for degrees in range(360):
        length = ray_length(area, start, degrees, _FAR_KM)
        if math.isfinite(length):
            line = shapely.LineString([start, _move(start, degrees, length)])
            if not line.intersects(inner):
                yield degrees, length


def _runs(degrees: list[int]) -> list[tuple[int, int]]:
    """Runs of whole degrees, one that passes north joined."""
    found: list[tuple[int, int]] = []
    for one in degrees:
        if found and one == found[-1][1] + 1:
            found[-1] = (found[-1][0], one)
        else:
            found.append((one, one))
    if len(found) > 1 and found[0][0] == 0 and found[-1][1] == 359:
        found[0] = (found.pop()[0], found[0][1])
    return found


def _say(runs: tuple[tuple[float, float], ...]) -> str:
    if not runs:
        return "none"
    return " or ".join(f"{a:03.0f} to {b:03.0f}°" for a, b in runs)
