"""Claims that cannot all be true, found by comparing every pair.

A pair is compared only where both speak of the same subject (or one of a group with a member of
it) and their times allow it. What a rule cannot decide it leaves alone: silence is no denial.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np
import shapely

from adiz.incidents.account import Account, Anchor
from adiz.incidents.comparison import PRESENT, Comparison, ends_before, time_within, times_meet
from adiz.incidents.legs import LegTable, clock, geodesic_km
from adiz.incidents.model import Claim
from adiz.incidents.plane import pair_distances, plane_about
from adiz.incidents.verdicts import Contradiction

_MERGED = ("presence", "reach")
_AMOUNTS = ("fires", "warns", "notifies", "counts")


class Contradictions(Comparison):
    """The rules, each for one pair of claims."""

    def contradictions(self) -> list[Contradiction]:
        found: list[Contradiction] = []
        for claim in self.incident.claims:
            for other in claim.denies:
                denied = self.incident.claim(other)
                sentence = f"{self.told_by[claim.party]} ({claim.claim_id}) denies {other}, told "
                sentence += f"by {self.told_by[denied.party]}."
                found.append(self.pair("denial", denied, claim, sentence))
        rules: tuple[Callable[[Claim, Claim], Contradiction | None], ...] = (
            self.presence, self.distance, self.zone_distance, self.amount, self.recognition,
            self.event, self.sequence, self.place,
        )  # fmt: skip
        for a, b in combinations(self.incident.claims, 2):
            for rule in rules:
                one = rule(a, b) or rule(b, a)
                if one:
                    found.append(one)
                    break
        return merge([*found, *self.apart(found)])

    def pair(
        self, kind: str, a: Claim, b: Claim, sentence: str, *figures: tuple[str, float, str]
    ) -> Contradiction:
        first, second = sorted((a, b), key=self.incident.claims.index)
        parties = tuple(dict.fromkeys((first.party, second.party)))
        ids = (first.claim_id, second.claim_id)
        return Contradiction(kind, ids, parties, sentence, figures)

    def both(self, a: Claim, b: Claim) -> str:
        return f"{self.says(a)}; {self.says(b)}"

    def presence(self, a: Claim, b: Claim) -> Contradiction | None:
        if (
            a.predicate not in PRESENT
            or b.predicate != "never_inside"
            or a.negated
            or b.negated
            or not self.overlap(a, b)
            or not self.share_zone(a, b)
            or not times_meet(a, b)
        ):
            return None
        return self.pair("presence", a, b, f"{self.both(a, b)}: inside, and never inside.")

    def distance(self, a: Claim, b: Claim) -> Contradiction | None:
        """The closest approach within a time is no less than that of a longer time."""
        near, far = a.distance_km, b.distance_km
        if (
            a.predicate != "passes"
            or b.predicate != "passes"
            or near is None
            or far is None
            or a.place != b.place
            or not self.overlap(a, b)
            or not time_within(a, b)
            or near.high >= far.low
        ):
            return None
        gap = far.low - near.high
        return self.pair(
            "distance", a, b,
            f"{self.both(a, b)}: {near.low:g} to {near.high:g} km and {_range(far.low, far.high)} "
            f"exclude each other, by {gap:.1f} km at the least.",
            ("gap", gap, "km"),
        )  # fmt: skip

    def zone_distance(self, a: Claim, b: Claim) -> Contradiction | None:
        """Inside a zone that lies wholly nearer to a place than the other claim allows."""
        far = b.distance_km
        if (
            a.predicate not in PRESENT
            or b.predicate != "passes"
            or far is None
            or not b.place
            or not self.overlap(a, b)
            or not time_within(a, b)
        ):
            return None
        reach = self.greatest_distance(a, b.place)
        if reach is None or reach >= far.low:
            return None
        return self.pair(
            "reach", a, b,
            f"{self.both(a, b)}: no point of {a.zones[0]} is farther than {reach:.1f} km from "
            f"{self.incident.place(b.place).name}, so this and {_range(far.low, far.high)} exclude "
            f"each other.",
            ("greatest distance", reach, "km"),
        )  # fmt: skip

    def greatest_distance(self, claim: Claim, place_id: str) -> float | None:
        if not claim.zones or self.zones[claim.zones[0]].incomplete:
            return None
        place = self.incident.place(place_id)
        plane = plane_about(place.points)
        edge = shapely.get_coordinates(plane.area(self.zones[claim.zones[0]]))
        return float(pair_distances(edge, plane.place_xy(place)).min(axis=1).max())

    def amount(self, a: Claim, b: Claim) -> Contradiction | None:
        """Fewer in a longer time than in a part of it; or, of one thing, two numbers."""
        if (
            a.predicate != b.predicate
            or a.predicate not in _AMOUNTS
            or a.value is None
            or b.value is None
            or a.value.unit != b.value.unit
            or a.counting != b.counting
            or not (self.overlap(a, b) or a.counting)
            or not time_within(a, b)
            or a.value.meets(b.value)
            or (not time_within(b, a) and a.value.low <= b.value.high)
        ):
            return None
        return self.pair(
            "amount", a, b, f"{self.both(a, b)}: not both {a.value} and {b.value}.",
            ("one", a.value.middle, a.value.unit), ("other", b.value.middle, b.value.unit),
        )  # fmt: skip

    def recognition(self, a: Claim, b: Claim) -> Contradiction | None:
        if (
            a.predicate == b.predicate == "recognises"
            and self.overlap(a, b)
            and self.share_zone(a, b)
            and b.negated
            and not a.negated
        ):
            return self.pair("recognition", a, b, f"{self.both(a, b)}: recognised, and not.")
        return None

    def event(self, a: Claim, b: Claim) -> Contradiction | None:
        """One event told with two times, or in two zones."""
        if not a.event or a.event != b.event or a.predicate != b.predicate:
            return None
        if a.time and b.time and not a.time.meets(b.time):
            return self.pair("event", a, b, f"{self.both(a, b)}: one event, two times.")
        if a.zones and b.zones and not self.share_zone(a, b):
            return self.pair("event", a, b, f"{self.both(a, b)}: one event, two zones.")
        return None

    def sequence(self, a: Claim, b: Claim) -> Contradiction | None:
        """Enters a zone in which another account already has it, with no exit between."""
        if a.predicate != "enters" or a.time is None or a.claim_id == b.claim_id:
            return None
        for stay in self.stays:
            entry, leave = (
                self.incident.claim(stay.entry_claim), self.incident.claim(stay.exit_claim)
            )  # fmt: skip
            if stay.entry_claim != b.claim_id or stay.party_id == a.party:
                continue
            if (
                stay.subject_id in self.about[a.claim_id]
                and any(self.same_area(stay.zone_id, z) for z in a.zones)
                and ends_before(entry, a)
                and ends_before(a, leave)
            ):
                return self.pair(
                    "sequence", a, b,
                    f"{self.says(a)}; but {self.told_by[stay.party_id]} has it inside already, "
                    f"from {clock(entry, self.incident)} ({entry.claim_id}"
                    f"{', derived' if entry.derived else ''}) to {clock(leave, self.incident)} "
                    f"({leave.claim_id}).",
                )  # fmt: skip
        return None

    def place(self, a: Claim, b: Claim) -> Contradiction | None:
        """A place told for the moment of a crossing that lies off the zone's edge."""
        if (
            a.predicate not in ("enters", "leaves")
            or b.predicate != "at"
            or a.party != b.party
            or a.subject != b.subject
            or a.time is None
            or b.time is None
            or a.time.text != b.time.text
        ):
            return None
        account = self.joint_account(sorted(self.about[a.claim_id])[0], a.party)
        anchors = {x.claim_id: x for x in account.anchors}
        if a.claim_id not in anchors or b.claim_id not in anchors:
            return None
        least = _least_km(anchors[a.claim_id], anchors[b.claim_id])
        table = LegTable(self.incident, account)
        table.direction(b)
        if least <= 0 or b.claim_id not in table.fixes:
            return None
        area, xy = account.areas[a.zones[0]], table.fixes[b.claim_id].xy
        edge = shapely.shortest_line(shapely.Point(xy), area.boundary)
        depth = geodesic_km(account.plane, *shapely.get_coordinates(edge))
        side = "inside" if shapely.contains_xy(area, *xy) else "outside"
        return self.pair(
            "place", a, b,
            f"{self.both(a, b)}: that place lies {depth:.0f} km {side} {a.zones[0]}, whose edge is "
            f"said to be crossed there ({least:.0f} km at the least, its words taken as widely "
            f"as they allow).",
            ("depth", depth, "km"), ("least", least, "km"),
        )  # fmt: skip

    def apart(self, found: list[Contradiction]) -> Iterator[Contradiction]:
        """Two places of one subject too far apart for the time between, at any published speed."""
        told = {frozenset(c.claims) for c in found}
        for subject in self.incident.subjects:
            if subject.members:
                continue
            account = self.joint_account(subject.subject_id, None)
            if account.limit_kmh is None:
                continue
            for one, other in combinations(account.anchors, 2):
                a, b = self.incident.claim(one.claim_id), self.incident.claim(other.claim_id)
                key = frozenset((one.claim_id, other.claim_id))
                if a.party == b.party or key in told:
                    continue
                contrary = self.too_far(account, one, other, a, b)
                if contrary:
                    told.add(key)
                    yield contrary

    def too_far(
        self, account: Account, one: Anchor, other: Anchor, a: Claim, b: Claim
    ) -> Contradiction | None:
        limit = (account.limit_kmh or (0.0, math.inf))[1]
        most_s = max(other.latest_s - one.earliest_s, one.latest_s - other.earliest_s)
        least = self.edge_distance(account, one, other)
        if least <= 0 or least / (1 + account.plane.scale_error) <= limit * most_s / 3600:
            return None
        needed = least / most_s * 3600
        name = self.incident.subject(account.subject_id).name
        return self.pair(
            "apart", a, b,
            f"{self.both(a, b)}: the two are {least:.0f} km apart at the least, and their times at "
            f"most {_minutes(most_s)}: {needed:,.0f} km/h or more, where {name} is published with "
            f"{limit:.0f} km/h at most.",
            ("distance", least, "km"), ("speed", needed, "km/h"),
        )  # fmt: skip

    def edge_distance(self, account: Account, one: Anchor, other: Anchor) -> float:
        """Least distance between two anchors; of two crossings, between the whole edges."""
        if one.crossing and other.crossing:
            a, b = account.areas[one.crossing[0]], account.areas[other.crossing[0]]
            line = shapely.shortest_line(a.boundary, b.boundary)
            return geodesic_km(account.plane, *shapely.get_coordinates(line))
        return _least_km(one, other)


def merge(found: list[Contradiction]) -> list[Contradiction]:
    """One entry where one claim stands against several of one party on the same ground."""
    groups: dict[tuple[str, str, tuple[str, ...]], list[Contradiction]] = {}
    rest: list[Contradiction] = []
    counts = Counter(c for one in found for c in one.claims)
    for one in found:
        if one.kind in _MERGED:
            against = max(one.claims, key=lambda c: counts[c])
            groups.setdefault((one.kind, against, one.parties), []).append(one)
            if len(groups[one.kind, against, one.parties]) > 1:
                continue
        rest.append(one)
    merged = {members[0].claims: members for members in groups.values()}
    for i, one in enumerate(rest):
        members = merged.get(one.claims, []) if one.kind in _MERGED else []
        if len(members) > 1:
            ids = tuple(dict.fromkeys(c for member in members for c in member.claims))
            others = [c for c in ids if c not in one.claims]
            sentence = f"{one.sentence} So it is with {', '.join(others)}."
            rest[i] = replace(one, claims=ids, sentence=sentence)
    return rest


def _least_km(one: Anchor, other: Anchor) -> float:
    a, b = one.pool.xy[:: max(1, len(one.pool.xy) // 800)], other.pool.xy
    thinned = one.pool.reach_km * max(1, len(one.pool.xy) // 800)
    return max(0.0, float(np.min(pair_distances(a, b))) - thinned - other.pool.reach_km)


def _range(low: float, high: float) -> str:
    return f"more than {low:g} km" if math.isinf(high) else f"{low:g} to {high:g} km"


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
