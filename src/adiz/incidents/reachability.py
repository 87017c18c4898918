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
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from adiz.incidents.account import Account, Anchor
from adiz.incidents.detours import barred_positions, leg_distances
from adiz.incidents.plane import Floats, pair_distances

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


def orders(anchors: Sequence[Anchor]) -> list[int]:
    """For each anchor, the bits of those that must come before it.

    Those whose windows end before its own begins, and of one claim the begin before the end.
    """
    return [
        sum(
            1 << i
            for i, a in enumerate(anchors)
            if i != j
            and (a.latest_s <= b.earliest_s or (a.claim_id == b.claim_id and i < j))
        )
        for j, b in enumerate(anchors)
    ]  # fmt: skip


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


Pair = tuple[Search, Search]
"""Over the same layers, one in which a path found is one, and one that makes "no path" certain."""


def first_pair(account: Account, in_order: bool = False) -> Pair:
    """The coarsest sampling. It does not depend on the speed: of use to try several."""
    return _pair(account, [anchor.pool.xy for anchor in account.anchors], in_order)


def _pair(account: Account, pools: list[Floats], in_order: bool) -> Pair:
    layers = [coarse_layer(a, p) for a, p in zip(account.anchors, pools, strict=True)]
    return Search(account, layers, False, in_order), Search(account, layers, True, in_order)


def _decide(
    account: Account, speed_kmh: float, in_order: bool, first: Pair | None
) -> tuple[Search | None, bool]:
    """A search that holds a path, if one was found; and whether it is certain that there is none.

    Neither: after the last round of sampling a path was neither found nor excluded; the speed is
    then within the sampling (a few tenths of a per cent) of the least that would do.
    """
    if not account.anchors:
        return None, False  # whoever is said to have been nowhere can have kept away
    if any(not len(anchor.pool.xy) for anchor in account.anchors):
        return None, True
    if not in_order and _too_many(account.anchors):
        return _decide_some(account, speed_kmh)
    exact, shortened = first or first_pair(account, in_order)
    for _ in range(_ROUNDS):
        if exact.reaches(exact.forward(speed_kmh)):
            return exact, False
        kept = narrow(shortened, speed_kmh)
        if kept is None:
            return None, True
        exact, shortened = _pair(account, kept, in_order)
    return None, False


def _too_many(anchors: Sequence[Anchor]) -> bool:
    return _partial_orders(orders(anchors)) > _STATES


def _decide_some(account: Account, speed_kmh: float) -> tuple[Search | None, bool]:
    """As :func:`_decide` where windows overlap in more ways than can be tried.

    There is certainly no path if there is none for fewer anchors; the widest windows, which bind
    least, are left out. A path is looked for in a few likely orders.
    """
    narrowest = sorted(account.anchors, key=lambda a: a.latest_s - a.earliest_s)
    while _too_many(narrowest):
        narrowest.pop()
    kept = {id(anchor) for anchor in narrowest}
    fewer = replace(account, anchors=tuple(a for a in account.anchors if id(a) in kept))
    if _decide(fewer, speed_kmh, False, None)[1]:
        return None, True
    keys: tuple[Callable[[Anchor], float], ...] = (
        lambda a: a.middle_s, lambda a: a.latest_s, lambda a: a.earliest_s,
    )  # fmt: skip
    for key in keys:
        told = replace(account, anchors=tuple(sorted(account.anchors, key=key)))
        found = _decide(told, speed_kmh, True, None)[0]
        if found:
            return found, False
    return None, False


def find_path(
    account: Account, speed_kmh: float, in_order: bool = False, first: Pair | None = None
) -> Search | None:
    """A search that holds a path at this speed; None if there is none, or nearly so."""
    return _decide(account, speed_kmh, in_order, first)[0]


def impossible(account: Account, speed_kmh: float) -> bool:
    """Whether no path within this speed exists, for certain: the sampling leaves no room."""
    return _decide(account, speed_kmh, False, None)[1]


def bounds(account: Account, speed_kmh: float) -> Search | None:
    """A search in the anchors' order that leaves no path out; None if there certainly is none."""
    shortened = first_pair(account, in_order=True)[1]
    for _ in range(_ROUNDS - 2):
        kept = narrow(shortened, speed_kmh)
        if kept is None:
            return None
        shortened = _pair(account, kept, True)[1]
    return shortened


def least_speed(account: Account, most_kmh: float = 20_000.0) -> tuple[float, Search | None]:
    """The least speed limit under which a path exists, to 1 %, and a search that holds it.

    ``inf`` and None if there is none even at ``most_kmh``.
    """
    first = first_pair(account)
    found = find_path(account, most_kmh, first=first)
    if found is None:
        return math.inf, None
    low, high = 1.0, most_kmh
    while high / low > 1.01:
        middle = math.sqrt(low * high)
        better = find_path(account, middle, first=first)
        if better is None:
            low = middle
        else:
            high, found = middle, better
    return high, found


def smallest_conflict(account: Account, speed_kmh: float) -> tuple[str, ...]:
    """A minimal set of claims that cannot all hold: without any one of them, the rest can.

    One or two claims if so few are enough, the most doubtful such; else by a deletion filter
    (Chinneck & Dravnieks 1991): leave out one claim at a time and keep it out if the rest still
    cannot hold. Claims of high confidence are left out first, so that doubtful ones remain.
    """
    by_doubt = sorted(account.claims, key=lambda c: account.doubt.get(c, 0))
    for few in (1, 2):
        for claims in combinations(by_doubt[::-1], few):
            told = account.only(*claims)
            if not _surely_possible(told, speed_kmh) and impossible(told, speed_kmh):
                return told.claims
    if not impossible(account, speed_kmh):
        return ()
    kept = account
    for claim_id in by_doubt:
        fewer = kept.without(claim_id)
        if impossible(fewer, speed_kmh):
            kept = fewer
    return kept.claims


def _surely_possible(account: Account, speed_kmh: float) -> bool:
    """Of one or two anchors: some positions of theirs that nothing bars are near enough."""
    if not account.anchors:
        return True
    if len(account.anchors) > 2 or (account.avoids and len(account.anchors) > 1):
        return False
    one, other = account.anchors[0], account.anchors[-1]
    if account.avoids:
        return not bool(barred_positions(account, one, one.pool.xy, 0.0).all())
    most_s = max(other.latest_s - one.earliest_s, one.latest_s - other.earliest_s)
    a, b = (x.pool.xy[:: max(1, len(x.pool.xy) // 60)] for x in (one, other))
    return bool(pair_distances(a, b).min() <= speed_kmh * most_s / 3600.0)
