"""Could two subjects have met, by what one party says of both?

Each account leaves its subject a set of possible positions at each moment: reachable from the
claim before, in time for the claim after. On a grid over both, a cell in which the two sets share
a moment shows a meeting that could have been; if not even cells widened by the sampling do, there
was none within the published speeds. In between the answer is that it is too close to call. For
two subjects seen at points :func:`adiz.incidents.prism.meeting` decides exactly.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from adiz.incidents.account import Account, Anchor, moment_of, seconds
from adiz.incidents.legs import clock
from adiz.incidents.model import Claim, Incident
from adiz.incidents.plane import Floats, Plane, pair_distances
from adiz.incidents.reachability import bounds, find_path
from adiz.incidents.verdicts import Alibi

_GRID = 70
_NOTHING: Floats = np.empty((0, 2))


@dataclass(frozen=True)
class Freedom:
    """One leg: the positions before and after it, with earliest arrival and latest departure."""

    before: Floats
    arrival: Floats
    after: Floats
    departure: Floats
    speed_kms: float
    reach_km: float

    @property
    def begin(self) -> float:
        return float(self.arrival.min()) if len(self.arrival) else -math.inf

    @property
    def end(self) -> float:
        return float(self.departure.max()) if len(self.departure) else math.inf

    def times(self, cells: Floats, slack_km: float) -> tuple[Floats, Floats]:
        """From when to when the subject may be in each cell."""
        slack = slack_km / self.speed_kms
        early: Floats = np.full(len(cells), -np.inf)
        late: Floats = np.full(len(cells), np.inf)
        if len(self.before):
            way = pair_distances(self.before, cells) / self.speed_kms
            early = (self.arrival[:, None] + way).min(axis=0) - slack
        if len(self.after):
            way = pair_distances(self.after, cells) / self.speed_kms
            late = (self.departure[:, None] - way).max(axis=0) + slack
        return early, late


def freedoms(account: Account, plane: Plane, all_of_it: bool) -> list[Freedom]:
    """The legs of an account, those before its first claim and after its last included.

    With ``all_of_it`` no freedom is left out: sampling errs to the wide side, and of claims whose
    windows overlap, so that their order is open, the less exact are not used. Without, each
    position and time of it is one that a path between the claims has.
    """
    limit = account.limit_kmh
    if limit is None or not account.anchors:
        return []
    if all_of_it:
        account = replace(account, anchors=in_turn(account.anchors))
        search = bounds(account, limit[1])
    else:
        search = find_path(account, limit[1], in_order=True)
    if search is None:
        return []
    arrivals = search.forward(limit[1])
    departures = search.backward(limit[1], arrivals)
    ends: list[tuple[Floats, Floats, Floats, float]] = []
    mask = 0
    for i, layer in enumerate(search.layers):
        mask |= 1 << i
        if (mask, i) not in arrivals:
            return []
        a, d = arrivals[mask, i], departures[mask, i]
        alive = a <= d + 1e-6
        xy = plane.to_xy(*account.plane.to_degrees(layer.xy[alive]))
        ends.append((xy, a[alive], d[alive], layer.reach_km))
    if not all(len(end[0]) for end in ends):
        return []
    speed = limit[1] / 3600
    found = [Freedom(_NOTHING, np.empty(0), ends[0][0], ends[0][2], speed, ends[0][3])]
    for one, other in pairwise(ends):
        reach = max(one[3], other[3])
        found.append(Freedom(one[0], one[1], other[0], other[2], speed, reach))
    return [*found, Freedom(ends[-1][0], ends[-1][1], _NOTHING, np.empty(0), speed, ends[-1][3])]


def in_turn(anchors: Sequence[Anchor]) -> tuple[Anchor, ...]:
    """Anchors none of whose windows overlap: the narrowest, and what fits beside them."""
    kept: list[Anchor] = []
    for anchor in sorted(anchors, key=lambda a: a.latest_s - a.earliest_s):
        if all(
            anchor.latest_s <= k.earliest_s or k.latest_s <= anchor.earliest_s for k in kept
        ):  # fmt: skip
            kept.append(anchor)
    return tuple(sorted(kept, key=lambda a: a.middle_s))


def could_meet(
    incident: Incident, one: Account, other: Account, claim: Claim | None = None
) -> Alibi:
    """Whether the subjects of two accounts could have met.

    Args:
        claim: a claim that they did; its time is when to look. None: while both are accounted
            for, between the first and the last claim of each.
    """
    names = [incident.subject(a.subject_id).name for a in (one, other)]
    subjects = (one.subject_id, other.subject_id)
    plane = one.plane if one.anchors else other.plane
    window = _window(one, other, claim)
    wide = [freedoms(a, plane, True) for a in (one, other)]
    told, of = " and ".join(names), claim.claim_id if claim else ""
    if not all(wide) or window[0] >= window[1]:
        why = f"Whether {told} could have met cannot be checked: no time is told of both."
        return Alibi(subjects, one.party_id, "not checkable", None, None, why)
    when = f" at {clock(claim, incident)} ({claim.claim_id})" if claim else ""
    legs = [freedoms(a, plane, False) for a in (one, other)]
    if claim is None:
        legs, wide = ([_between(own) for own in both] for both in (legs, wide))
    found = next(_meetings(legs, window, plane, False), None)
    if found:
        lat, lon = (float(v[0]) for v in plane.to_degrees(found[0]))
        sentence = (
            f"By this account {told} could have met{when}, within their published speeds: for "
            f"instance at {abs(lat):.2f}°{'NS'[lat < 0]} {abs(lon):.2f}°{'EW'[lon < 0]}."
        )
        return Alibi(
            subjects,
            one.party_id,
            "could have met",
            (lat, lon),
            moment_of(found[1]),
            sentence,
            of,
        )
    if next(_meetings(wide, window, plane, True), None):
        sentence = f"Whether {told} could have met{when} is too close to call."
        return Alibi(subjects, one.party_id, "too close to call", None, None, sentence, of)
    sentence = f"By this account, within their published speeds, {told} could not have met{when}."
    return Alibi(subjects, one.party_id, "could not have met", None, None, sentence, of)


def _between(legs: list[Freedom]) -> list[Freedom]:
    return [leg for leg in legs if len(leg.before) and len(leg.after)]


def _window(one: Account, other: Account, claim: Claim | None) -> tuple[float, float]:
    if claim is not None and claim.time is not None:
        return seconds(claim.time.earliest, -math.inf), seconds(claim.time.latest, math.inf)
    spans = [
        (a.anchors[0].earliest_s, max(x.latest_s for x in a.anchors)) if a.anchors else (0.0, 0.0)
        for a in (one, other)
    ]
    return max(s[0] for s in spans), min(s[1] for s in spans)


def _meetings(
    legs: list[list[Freedom]], window: tuple[float, float], plane: Plane, widened: bool
) -> Iterator[tuple[Floats, float]]:
    """(position, time) of meetings; ``widened`` by the sampling, so that none is left out."""
    for a in legs[0]:
        for b in legs[1]:
            begin = max(a.begin, b.begin, window[0])
            end = min(a.end, b.end, window[1])
            if begin > end or not math.isfinite(begin) or not math.isfinite(end):
                continue
            cells, size = _cells(a, b, begin, end)
            slack = size * math.sqrt(0.5) + max(a.reach_km, b.reach_km) if widened else 0.0
            slack += slack and plane.scale_error * plane.radius_km
            early_a, late_a = a.times(cells, slack)
            early_b, late_b = b.times(cells, slack)
            early = np.maximum(np.maximum(early_a, early_b), begin)
            spare = np.minimum(np.minimum(late_a, late_b), end) - early
            best = int(spare.argmax())
            if spare[best] >= 0:
                yield cells[best], float(early[best])


def _cells(a: Freedom, b: Freedom, begin: float, end: float) -> tuple[Floats, float]:
    """A grid over where both may be: about the smaller of the two legs' reaches."""
    boxes = []
    for leg in (a, b):
        spots = np.concatenate([leg.before, leg.after])
        first = leg.begin if len(leg.before) else begin
        last = leg.end if len(leg.after) else end
        spare = leg.speed_kms * (last - first) + leg.reach_km
        boxes.append((spots.min(axis=0) - spare, spots.max(axis=0) + spare))
    low = np.maximum(boxes[0][0], boxes[1][0])
    high = np.maximum(np.minimum(boxes[0][1], boxes[1][1]), low + 1e-3)
    size = float((high - low).max()) / _GRID
    x, y = (np.arange(low[k], high[k] + size, size) for k in (0, 1))
    return np.column_stack([g.ravel() for g in np.meshgrid(x, y)]), size
