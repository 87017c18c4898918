"""Can one aircraft have been everywhere an account says, in time?

Layered reachability. Each anchor of the account is a layer of sampled positions; a speed v joins
a position of one layer to one of the next if the way between them can be flown in the time
between. The earliest arrival at each position is carried forward, the latest departure backward;
a path exists if and only if they meet. Anchors whose windows overlap are tried in every order
their windows allow.

Sampling errs on a known side. A pair of samples stands for all positions within their cells, so
with its distance shortened by the cells' reach "no path" is certain; without shortening a path
that is found is one. Where the two disagree, cells that cannot be part of any path are dropped and
the rest is sampled finer.

There is no least speed: an aircraft can circle. Nothing is assumed about the zone's inside
between an entry and an exit, because an account need not tell every crossing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from adiz.incidents.account import Account, Anchor
from adiz.incidents.detours import barred_positions, leg_distances
from adiz.incidents.plane import Floats

_LAYER = 140  # positions a layer, at most
_ROUNDS = 5  # of sampling finer
_STATES = 600  # orders are tried up to so many partial ones

State = tuple[int, int]
"""(bits of the anchors visited, the last of them)."""


@dataclass
class Layer:
    """Sampled positions of one anchor: ``member`` tells of which cell each pool point is."""

    anchor: Anchor
    xy: Floats
    reach_km: float
    member: NDArray[np.intp]
    pool_xy: Floats


@dataclass
class Search:
    """Reachability at one speed over given layers.

    ``shorten`` makes "no path" certain; ``in_order`` takes the anchors in the order of their
    windows' middles only.
    """

    account: Account
    layers: list[Layer]
    shorten: bool
    in_order: bool = False
    before: list[int] = field(default_factory=list)
    barred: list[NDArray[np.bool_]] = field(default_factory=list)
    distances: dict[tuple[int, int], Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        anchors = [layer.anchor for layer in self.layers]
        chain = [(1 << j) - 1 for j in range(len(anchors))]
        self.before = chain if self.in_order else orders(anchors)
        for one in self.layers:
            slack = one.reach_km if self.shorten else 0.0
            self.barred.append(barred_positions(self.account, one.anchor, one.xy, slack))

    def distance(self, one: int, other: int) -> Floats:
        if (one, other) not in self.distances:
            a, b = self.layers[one], self.layers[other]
            slack = a.reach_km + b.reach_km if self.shorten else 0.0
            scale = 1.0 / (1.0 + self.account.plane.scale_error) if self.shorten else 1.0
            self.distances[one, other] = scale * leg_distances(self.account, a.anchor, b.anchor,
                                                       a.xy, b.xy, slack)  # fmt: skip
        return self.distances[one, other]

    def forward(self, speed_kmh: float) -> dict[State, Floats]:
        """Earliest arrivals (seconds) at each position, for each partial order; inf: never."""
        per_km = 3600.0 / speed_kmh
        count = len(self.layers)
        arrivals: dict[State, Floats] = {}
        for i in range(count):
            if not self.before[i]:
                start = max(self.layers[i].anchor.earliest_s, -1e12)
                arrivals[1 << i, i] = np.where(self.barred[i], math.inf, start)
        todo = list(arrivals)
        while todo:
            following: dict[State, None] = {}
            for state in todo:
                mask, last = state
                for j in range(count):
                    if mask >> j & 1 or self.before[j] & ~mask:
                        continue
                    window = self.layers[j].anchor
                    reach = (arrivals[state][:, None] + self.distance(last, j) * per_km).min(0)
                    reach = np.maximum(reach, window.earliest_s)
                    reach[(reach > window.latest_s) | self.barred[j]] = math.inf
                    after = (mask | 1 << j, j)
                    if not np.isfinite(reach).any():
                        continue
                    known = arrivals.get(after)
                    arrivals[after] = reach if known is None else np.minimum(known, reach)
                    following[after] = None
            todo = list(following)
        return arrivals

    def backward(self, speed_kmh: float, arrivals: dict[State, Floats]) -> dict[State, Floats]:
        """Latest departures from each position that still reach the end; -inf: none."""
        per_km = 3600.0 / speed_kmh
        full = (1 << len(self.layers)) - 1
        departures: dict[State, Floats] = {}
        for state in sorted(arrivals, key=lambda s: -s[0].bit_count()):
            mask, last = state
            latest = np.full(len(self.layers[last].xy), -math.inf)
            if mask == full:
                latest[:] = self.layers[last].anchor.latest_s
            for j in range(len(self.layers)):
                after = (mask | 1 << j, j)
                if mask >> j & 1 or after not in departures:
                    continue
                onward = (departures[after][None, :] - self.distance(last, j) * per_km).max(1)
                latest = np.maximum(latest, onward)
            departures[state] = np.minimum(latest, self.layers[last].anchor.latest_s)
        return departures

    def reaches(self, arrivals: dict[State, Floats]) -> bool:
        full = (1 << len(self.layers)) - 1
        return any(mask == full and np.isfinite(t).any() for (mask, _), t in arrivals.items())

    def trace(self, speed_kmh: float) -> list[tuple[int, int]]:
        """One path: (layer, position) in order; empty if there is none."""
        per_km = 3600.0 / speed_kmh
        arrivals = self.forward(speed_kmh)
        full = (1 << len(self.layers)) - 1
        ends = [(t.min(), s) for s, t in arrivals.items() if s[0] == full]
        if not ends or not math.isfinite(min(ends)[0]):
            return []
        _, (mask, last) = min(ends)
        at = int(np.argmin(arrivals[mask, last]))
        path = [(last, at)]
        while mask != 1 << last:
            rest = mask & ~(1 << last)
            best = min(
                (float(reach.min()), i, int(reach.argmin()))
                for i in range(len(self.layers))
                if (rest, i) in arrivals
                for reach in [arrivals[rest, i] + self.distance(i, last)[:, at] * per_km]
            )
            mask, last, at = rest, best[1], best[2]
            path.append((last, at))
        return path[::-1]


def orders(anchors: list[Anchor]) -> list[int]:
    """For each anchor, the bits of those that must come before it.

    Those whose windows end before its own begins; and, of one zone, its crossings in the order of
    their windows. Where that leaves too many orders, the order of the windows' middles.
    """
    count = len(anchors)
    before = [0] * count
    for j, b in enumerate(anchors):
        for i, a in enumerate(anchors):
            same = a.crossing and b.crossing and a.crossing[0] == b.crossing[0]
            if (
                a.latest_s <= b.earliest_s
                or (same and i < j)
                or (a.claim_id == b.claim_id and i < j)
            ):
                before[j] |= 1 << i if i != j else 0
    if _partial_orders(before) <= _STATES:
        return before
    return [(1 << j) - 1 for j in range(count)]


def _partial_orders(before: list[int]) -> int:
    seen = {0}
    todo = [0]
    while todo and len(seen) <= _STATES:
        mask = todo.pop()
        for j, needed in enumerate(before):
            after = mask | 1 << j
            if not mask >> j & 1 and not needed & ~mask and after not in seen:
                seen.add(after)
                todo.append(after)
    return len(seen)


def coarse_layer(anchor: Anchor, pool_xy: Floats, limit: int = _LAYER) -> Layer:
    """A layer of at most ``limit`` positions, one for each cell of a square grid."""
    size = 0.0
    cells = np.arange(len(pool_xy))
    first = member = cells
    if len(pool_xy) > limit:
        low = pool_xy.min(axis=0)
        size = max(2 * anchor.pool.reach_km, float(np.ptp(pool_xy, axis=0).max()) / limit, 1e-3)
        while True:
            column, row = np.floor((pool_xy - low) / size).astype(np.int64).T
            _, first, member = np.unique(
                column * 2**31 + row, return_index=True, return_inverse=True
            )
            if len(first) <= limit:
                break
            size *= 1.3
    reach = size * math.sqrt(2) + anchor.pool.reach_km
    return Layer(anchor, pool_xy[first], reach, member.reshape(-1), pool_xy)


def narrow(search: Search, speed_kmh: float) -> list[Floats] | None:
    """For each layer the pool positions that may be part of a path; None if there is no path."""
    arrivals = search.forward(speed_kmh)
    if not search.reaches(arrivals):
        return None
    departures = search.backward(speed_kmh, arrivals)
    kept = []
    for i, layer in enumerate(search.layers):
        alive = np.zeros(len(layer.xy), dtype=bool)
        for state, arrival in arrivals.items():
            if state[1] == i:
                alive |= arrival <= departures[state] + 1e-6
        kept.append(layer.pool_xy[alive[layer.member]])
    return kept if all(len(k) for k in kept) else None


def find_path(account: Account, speed_kmh: float, in_order: bool = False) -> Search | None:
    """A search that holds a path at this speed; None if there certainly, or nearly so, is none.

    "Nearly": after the last round of sampling a path was neither found nor excluded; the speed is
    then within the sampling (a few tenths of a per cent) of the least that would do, and None.
    """
    pools = [anchor.pool.xy for anchor in account.anchors]
    for _ in range(_ROUNDS):
        layers = [coarse_layer(a, p) for a, p in zip(account.anchors, pools, strict=True)]
        exact = Search(account, layers, False, in_order)
        if exact.reaches(exact.forward(speed_kmh)):
            return exact
        kept = narrow(Search(account, layers, True, in_order), speed_kmh)
        if kept is None:
            return None
        pools = kept
    return None


def impossible(account: Account, speed_kmh: float) -> bool:
    """Whether no path within this speed exists, for certain: the sampling leaves no room."""
    if any(not len(anchor.pool.xy) for anchor in account.anchors):
        return True
    pools = [anchor.pool.xy for anchor in account.anchors]
    for _ in range(_ROUNDS):
        layers = [coarse_layer(a, p) for a, p in zip(account.anchors, pools, strict=True)]
        kept = narrow(Search(account, layers, shorten=True), speed_kmh)
        if kept is None:
            return True
        exact = Search(account, layers, shorten=False)
        if exact.reaches(exact.forward(speed_kmh)):
            return False
        pools = kept
    return False


def least_speed(account: Account, most_kmh: float = 20_000.0) -> tuple[float, Search | None]:
    """The least speed limit under which a path exists, to 1 %, and a search that holds it.

    ``inf`` and None if there is none even at ``most_kmh``.
    """
    found = find_path(account, most_kmh)
    if found is None:
        return math.inf, None
    low, high = 1.0, most_kmh
    while high / low > 1.01:
        middle = math.sqrt(low * high)
        better = find_path(account, middle)
        if better is None:
            low = middle
        else:
            high, found = middle, better
    return high, found


def smallest_conflict(account: Account, speed_kmh: float) -> tuple[str, ...]:
    """A minimal set of claims that cannot all hold: without any one of them, the rest can.

    Deletion filter (Chinneck & Dravnieks 1991): leave out one claim at a time and keep it out if
    the rest still cannot hold. Claims of high confidence are tried first, so that doubtful ones
    are the ones that remain.
    """
    if not impossible(account, speed_kmh):
        return ()
    kept = account
    for claim_id in account.claims:
        fewer = kept.without(claim_id)
        if impossible(fewer, speed_kmh):
            kept = fewer
    return kept.claims
