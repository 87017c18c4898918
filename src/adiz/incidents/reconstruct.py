"""Reconstructions: a path that satisfies an account, and where else the subject may have been.

A reconstruction is one of many paths that fit what a party says. It is not a recorded track, and
nothing but the account speaks for it. It is offered only if it is found to satisfy every claim it
names, by a check that knows nothing of how it was made: to 0.3 km and half a second.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache, partial
from itertools import islice, pairwise, product
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from adiz.incidents.account import Account, Anchor, Avoid, moment_of
from adiz.incidents.plane import GEOD, Floats, pair_distances
from adiz.incidents.reachability import Search, find_path
from adiz.incidents.schedule import WAYS, Stop, choose_stops, split_stops
from adiz.incidents.smooth import GRAVITY_KMS2, Course, improve, lay_course
from adiz.incidents.verdicts import Band, PathPoint, Reconstruction

TOLERANCE_KM = 0.3
_BANKS_DEG = (25.0, 35.0, 50.0)
_MOST_ORDERS = 4
_GRID = 64
_SUB = 10  # checks between two nodes
_SLACK_S = 0.5
_GRAZE_KM = 0.05


def reconstruct(
    account: Account, speed_kmh: float, left_out: tuple[str, ...] = ()
) -> list[Reconstruction]:
    """Paths for an account, one for each stretch without a gap of more than an hour.

    A path follows stated headings and keeps out of territorial airspace of which the account does
    not speak, as far as it can.

    Empty where the account has fewer than two timed positions, or where no path within the speed
    and a bank of 50° was found.
    """
    best: list[Reconstruction] = []
    for told in islice(_orders(account), _MOST_ORDERS):
        found = _draw(told, speed_kmh, left_out)
        if found is not None and all(found):
            return [path for path in found if path]
        some = [path for path in found or [] if path]
        best = max(best, some, key=len)
    return best


def _orders(account: Account) -> Iterator[Account]:
    """The account with its anchors by the middle of their windows, then with two exchanged."""
    yield account
    for i, (one, other) in enumerate(pairwise(account.anchors)):
        if one.claim_id != other.claim_id and other.earliest_s < one.latest_s:
            a = account.anchors
            yield replace(account, anchors=(*a[:i], other, one, *a[i + 2 :]))


def _draw(
    account: Account, speed_kmh: float, left_out: tuple[str, ...]
) -> list[Reconstruction | None] | None:
    """For each stretch its path, or None where none was found; None if no order is in time."""
    if len(account.anchors) < 2:
        return None
    search = find_path(account, speed_kmh, in_order=True) or find_path(account, speed_kmh)
    if search is None:
        return None
    found: list[Reconstruction | None] = []

    @cache
    def choice(way: int) -> list[list[Stop]]:
        return split_stops(choose_stops(search, speed_kmh, *WAYS[way]))

    accounts = [_wary(account), account] if account.unspoken else [account]
    for part in range(len(choice(0))):
        course = fly(accounts, partial(_stops, choice, part), speed_kmh)
        if course is None:
            found.append(None)
            continue
        bands = possible_positions(account, search, course.stops, speed_kmh)
        found.append(_describe(account, course, bands, left_out))
    return found


def _stops(choice: Callable[[int], list[list[Stop]]], part: int, way: int) -> list[Stop]:
    """The stops of a part; those of the first way where this one splits the account otherwise."""
    return choice(way if len(choice(way)) == len(choice(0)) else 0)[part]


def _wary(account: Account) -> Account:
    avoids = tuple(Avoid("", area, -math.inf, math.inf) for area in account.unspoken)
    return replace(account, avoids=account.avoids + avoids)


def fly(
    accounts: list[Account], stops_of: Callable[[int], list[Stop]], speed_kmh: float
) -> Course | None:
    """A course that satisfies the claims of its stops, if one is found; ``stops_of`` a way.

    Gentle turns first; then also such as read the account less plainly (see ``find_sides``). Of
    each, the most wary account is tried first.
    """
    ways = range(len(WAYS))
    for plain, bank, way, account in product((True, False), _BANKS_DEG, ways, accounts):
        stops = stops_of(way)
        course = lay_course(account, stops, speed_kmh, bank, plain)
        improve(course)
        checked = satisfied(account, [s.anchor for s in stops], course.times, course.xy)
        fastest, _, bank_deg = limits_reached(course)
        if all(t is not None for t in checked.values()) and (
            fastest <= speed_kmh * 1.005 and bank_deg <= bank + 5.0
        ):
            return course
    return None


def satisfied(
    account: Account, anchors: Iterable[Anchor], times: Floats, xy: Floats
) -> dict[str, float | None]:
    """For each claim the clock time at which the path satisfies it; None if it does not."""
    at = np.linspace(0, len(times) - 1, (len(times) - 1) * _SUB + 1)
    clock = np.interp(at, np.arange(len(times)), times)
    dense = np.column_stack([np.interp(at, np.arange(len(times)), xy[:, i]) for i in (0, 1)])
    found: dict[str, float | None] = {}
    for anchor in anchors:
        when = _crosses(account, anchor, clock, dense) if anchor.crossing else (
            _visits(anchor, clock, dense)
        )  # fmt: skip
        if found.get(anchor.claim_id, when) is not None or anchor.claim_id not in found:
            found[anchor.claim_id] = when
    for avoid in account.avoids:
        during = (clock >= avoid.earliest_s) & (clock <= avoid.latest_s)
        core = avoid.area.buffer(-TOLERANCE_KM)
        within = shapely.contains_xy(core, dense[during, 0], dense[during, 1])
        found[avoid.claim_id] = None if within.any() else float(clock[0])
    return found


def _crosses(account: Account, anchor: Anchor, clock: Floats, dense: Floats) -> float | None:
    zone_id, inward = anchor.crossing or ("", True)
    area = account.areas[zone_id]
    within = shapely.contains_xy(area, dense[:, 0], dense[:, 1])
    turns = np.flatnonzero(within[1:] != within[:-1])
    runs = np.split(_clear_of_edge(area, dense), turns + 1)  # from one crossing to the next
    candidates = [
        (int(i), int(i) + 1)
        for k, i in enumerate(turns)
        if within[i + 1] == inward and runs[k].any() and runs[k + 1].any()
    ]
    for i, j in candidates:
        in_window = anchor.earliest_s - _SLACK_S <= clock[i] and (
            clock[j] <= anchor.latest_s + _SLACK_S
        )
        near = np.hypot(*(anchor.pool.xy - dense[j]).T).min()
        if in_window and near <= anchor.pool.reach_km + TOLERANCE_KM:
            return float(clock[j])
    return None


def _clear_of_edge(area: Any, xy: Floats) -> NDArray[np.bool_]:
    """Which positions lie farther from the edge than a path that only grazes it."""
    inner, outer = area.buffer(-_GRAZE_KM), area.buffer(_GRAZE_KM)
    x, y = xy.T
    return np.asarray(shapely.contains_xy(inner, x, y) | ~shapely.contains_xy(outer, x, y))


def _visits(anchor: Anchor, clock: Floats, dense: Floats) -> float | None:
    during = np.flatnonzero(
        (clock >= anchor.earliest_s - _SLACK_S) & (clock <= anchor.latest_s + _SLACK_S)
    )
    if not len(during):
        return None
    apart = pair_distances(dense[during], anchor.pool.xy).min(axis=1)
    i = int(apart.argmin())
    if apart[i] > TOLERANCE_KM:
        return None
    if anchor.keep_out is not None:
        core = anchor.keep_out.buffer(-TOLERANCE_KM)
        if shapely.contains_xy(core, dense[during, 0], dense[during, 1]).any():
            return None
    return float(clock[during[i]])


def limits_reached(course: Course) -> tuple[float, float, float]:
    """Greatest speed (km/h), turn rate (degrees a second) and bank (degrees)."""
    h = np.diff(course.times)
    velocity = np.diff(course.xy, axis=0) / h[:, None]
    speed = np.hypot(*velocity.T)
    heading = np.unwrap(np.arctan2(velocity[:, 0], velocity[:, 1]))
    rate = np.abs(np.diff(heading)) / ((h[1:] + h[:-1]) / 2)
    lateral = rate * (speed[1:] + speed[:-1]) / 2
    bank = math.degrees(math.atan(float(lateral.max(initial=0.0)) / GRAVITY_KMS2))
    return float(speed.max()) * 3600, math.degrees(float(rate.max(initial=0.0))), bank


def possible_positions(
    account: Account, search: Search, stops: list[Stop], speed_kmh: float
) -> list[Band]:
    """Leg by leg, all positions that some path within the speed limit passes.

    A position belongs to a leg if it can be reached from the claim before it no later than it
    must be left for the claim after it; a grid's cell is taken whole if any of it may belong.
    """
    arrivals = search.forward(speed_kmh)
    departures = search.backward(speed_kmh, arrivals)
    index = {id(layer.anchor): i for i, layer in enumerate(search.layers)}
    mask, before = 0, -1
    bands = []
    order = [index[id(stop.anchor)] for stop in stops]
    for state in sorted(arrivals, key=lambda s: s[0].bit_count()):
        if state[1] == order[0] and not any(state[0] >> i & 1 for i in order[1:]):
            mask = state[0] & ~(1 << order[0])
    for i in order:
        mask |= 1 << i
        if before >= 0 and (mask & ~(1 << i), before) in arrivals and (mask, i) in arrivals:
            a, b = search.layers[before], search.layers[i]
            area = _band(
                a.xy, arrivals[mask & ~(1 << i), before], b.xy, departures[mask, i],
                speed_kmh, max(a.reach_km, b.reach_km),
            )  # fmt: skip
            bands.append(_to_band(account, a.anchor, b.anchor, area))
        before = i
    return bands


def _band(
    a: Floats, arrival: Floats, b: Floats, departure: Floats, speed_kmh: float, reach_km: float
) -> Any:
    a, arrival = a[np.isfinite(arrival)], arrival[np.isfinite(arrival)]
    b, departure = b[np.isfinite(departure)], departure[np.isfinite(departure)]
    if not len(a) or not len(b):
        return shapely.Polygon()
    per_km = 3600.0 / speed_kmh
    ends = np.concatenate([a, b])
    spare = max(1.0, (float(departure.max()) - float(arrival.min())) / per_km / 2)
    low, high = ends.min(axis=0) - spare, ends.max(axis=0) + spare
    size = float((high - low).max()) / _GRID
    x, y = (np.arange(low[k], high[k] + size, size) + size / 2 for k in (0, 1))
    centres = np.column_stack([g.ravel() for g in np.meshgrid(x, y)])
    slack = (size * math.sqrt(0.5) + reach_km) * per_km
    earliest = (arrival[:, None] + pair_distances(a, centres) * per_km).min(axis=0)
    latest = (departure[:, None] - pair_distances(b, centres) * per_km).max(axis=0)
    kept = centres[earliest <= latest + 2 * slack]
    half = size / 2 * 1.0001
    cells = shapely.box(*(kept - half).T, *(kept + half).T)
    return shapely.union_all(cells).buffer(size).buffer(-size).simplify(size / 2)


def _to_band(account: Account, one: Anchor, other: Anchor, area: Any) -> Band:
    rings = []
    for part in getattr(area, "geoms", [area]):
        for ring in [part.exterior, *part.interiors] if not part.is_empty else []:
            lat, lon = account.plane.to_degrees(shapely.get_coordinates(ring)[:-1])
            rings.append(tuple((float(a), float(b)) for a, b in zip(lat, lon, strict=True)))
    return Band(
        one.claim_id, other.claim_id, moment_of(one.earliest_s), moment_of(other.latest_s),
        tuple(rings),
    )  # fmt: skip


def _describe(
    account: Account, course: Course, bands: list[Band], left_out: tuple[str, ...]
) -> Reconstruction:
    lat, lon = account.plane.to_degrees(course.xy)
    heading, _, metres = GEOD.inv(lon[:-1], lat[:-1], lon[1:], lat[1:])
    speed = metres * 3.6 / np.diff(course.times)
    columns = (course.times, lat, lon, np.append(heading, heading[-1]), np.append(speed, speed[-1]))
    points = tuple(
        PathPoint(moment_of(t), float(a), float(b), float(h) % 360.0, float(v))
        for t, a, b, h, v in zip(*columns, strict=True)
    )
    anchors = [s.anchor for s in course.stops]
    when = satisfied(account, anchors, course.times, course.xy)
    fastest, turn, bank = float(speed.max()), *limits_reached(course)[1:]
    sentence = (
        f"A reconstruction, not a recorded track: one of many paths that satisfy "
        f"{len(when)} claims of this account; it flies {speed.min():.0f} to {fastest:.0f} km/h and "
        f"banks {bank:.0f}° at most."
    )
    if left_out:
        sentence += f" It leaves out {', '.join(left_out)}, with which no path fits."
    return Reconstruction(
        account.party_id, account.subject_id, tuple(when), left_out, points,
        tuple((c, moment_of(t)) for c, t in when.items() if t is not None),
        fastest, turn, bank, tuple(bands), sentence,
    )  # fmt: skip
