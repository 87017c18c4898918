"""A path that can be flown through chosen stops: speed and turn bounded, zones respected.

The path is a row of positions in time. From arcs between the stops it is improved by Gauss-Newton
steps: least acceleration, and a penalty for whatever is not yet as it must be, each penalty taken
as linear about the present path: an anchor off its positions, a position on the wrong side of an
edge, a speed above the limit (or below that at which it would stall), a turn too tight.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from adiz.incidents.account import Account
from adiz.incidents.plane import Floats
from adiz.incidents.schedule import Stop

GRAVITY_KMS2 = 9.80665e-3
SLOWEST_SHARE = 0.4
"""Slowest flight, as a share of the speed limit: an aircraft cannot stand still."""

_EASY_SHARE = 0.6  # a leg slower than this is drawn with a detour instead
_MARGIN_KM = 0.1
_MOST_NODES = 300
_STEP_S = 5.0
_COARSEST_S = 30.0
_LEAD_S = 30.0
_LEAST_S = 0.4  # between two stops
_WIDTH = 5  # of the band beside the diagonal


@dataclass(frozen=True)
class Side:
    """Nodes that must lie inside (or outside) an area."""

    nodes: NDArray[np.intp]
    area: Any
    inside: bool


@dataclass
class Course:
    """A path in the making: node times, positions, and the node of each stop."""

    times: Floats
    xy: Floats
    stops: list[Stop]
    at: list[int]
    sides: list[Side]
    slowest_kms: float
    fastest_kms: float
    tightest_kms2: float


def lay_course(
    account: Account, stops: list[Stop], speed_kmh: float, bank_deg: float, plain: bool = True
) -> Course:
    """The first course: arcs between the stops, as long as an easy speed makes them.

    Where an account begins or ends on an edge, the course leads up to it and away from it.
    """
    clock, at = _lay_nodes(stops)
    sides = find_sides(account, stops, at, clock, plain)
    xy = np.empty((len(clock), 2))
    xy[at[-1]] = stops[-1].xy
    easy = _EASY_SHARE * speed_kmh / 3600.0
    for k, (one, other) in enumerate(pairwise(stops)):
        a, b = at[k], at[k + 1]
        length = easy * (other.clock_s - one.clock_s)
        xy[a:b] = _best_arc(one.xy, other.xy, length, b - a, a, sides)[:-1]
    for end, inner, nodes in ((at[0], at[0] + 1, slice(0, at[0])),
                              (at[-1], at[-1] - 1, slice(at[-1] + 1, None))):  # fmt: skip
        way = xy[end] - xy[inner]
        way = way / max(float(np.hypot(*way)), 1e-9) * easy
        xy[nodes] = xy[end] + np.abs(clock[nodes] - clock[end])[:, None] * way
    return Course(
        clock, xy, stops, at, sides, SLOWEST_SHARE * speed_kmh / 3600.0,
        speed_kmh / 3600.0, GRAVITY_KMS2 * math.tan(math.radians(bank_deg)),
    )  # fmt: skip


def _lay_nodes(stops: list[Stop]) -> tuple[Floats, list[int]]:
    """Node times, and the node of each stop."""
    step = min(max(_STEP_S, (stops[-1].clock_s - stops[0].clock_s) / _MOST_NODES), _COARSEST_S)
    lead, tail = (_LEAD_S if stop.anchor.crossing else 0.0 for stop in (stops[0], stops[-1]))
    begin = end = stops[0].clock_s
    times = [np.arange(begin - lead, begin - 1e-6, _STEP_S)]
    at = [len(times[0])]
    for stop in stops[1:]:
        begin, end = end, max(stop.clock_s, end + _LEAST_S)
        count = max(2, math.ceil((end - begin) / step))
        times.append(np.linspace(begin, end, count + 1)[:-1])
        at.append(at[-1] + count)
    times.append(np.arange(end, end + tail + 1e-6, _STEP_S))
    return np.concatenate(times), at


def find_sides(
    account: Account, stops: list[Stop], at: list[int], clock: Floats, plain: bool
) -> list[Side]:
    """Which nodes must be inside or outside what: crossings, absences, closest approaches.

    With ``plain`` also all nodes between an entry and an exit, or an exit and an entry, and those
    of the legs to and from a closest approach: the plain reading of an account, which may be wrong
    of one that leaves crossings out.
    """
    sides = []
    final = len(clock) - 1
    last: dict[str, tuple[int, bool]] = {}
    for stop, node in zip(stops, at, strict=True):
        if stop.anchor.crossing:
            zone_id, inward = stop.anchor.crossing
            area = account.areas[zone_id]
            begin = last.get(zone_id)
            if plain and begin and begin[1] != inward:
                sides.append(Side(np.arange(begin[0] + 1, node), area, begin[1]))
            sides.append(Side(np.arange(max(0, node - 2), node), area, not inward))
            sides.append(Side(np.arange(node + 1, min(node + 2, final) + 1), area, inward))
            last[zone_id] = (node, inward)
        if stop.anchor.keep_out is not None:
            during = (clock >= stop.anchor.earliest_s - 1.0) & (clock <= stop.anchor.latest_s + 1.0)
            if plain:
                during |= _legs_beside(stop, stops, at, len(clock))
            sides.append(Side(np.flatnonzero(during), stop.anchor.keep_out, False))
        if stop.anchor.hold is not None:
            same = [n for s, n in zip(stops, at, strict=True)
                    if s.anchor.claim_id == stop.anchor.claim_id]  # fmt: skip
            if node == same[0]:
                sides.append(Side(np.arange(same[0], same[-1] + 1), stop.anchor.hold, True))
    for avoid in account.avoids:
        during = (clock >= avoid.earliest_s) & (clock <= avoid.latest_s)
        sides.append(Side(np.flatnonzero(during), avoid.area, False))
    return [side for side in sides if len(side.nodes)]


def _legs_beside(stop: Stop, stops: list[Stop], at: list[int], count: int) -> NDArray[np.bool_]:
    """The nodes from the stop before a closest approach to the one after it.

    A leg whose other end lies nearer to the place is left out.
    """
    k = next(i for i, s in enumerate(stops) if s is stop)
    beside = np.zeros(count, dtype=bool)
    for other, nodes in ((k - 1, slice(at[k - 1] + 1, at[k] + 1)),
                         (k + 1, slice(at[k], at[min(k + 1, len(at) - 1)]))):  # fmt: skip
        if 0 <= other < len(stops):
            near = shapely.contains_xy(stop.anchor.keep_out, *stops[other].xy)
            beside[nodes] = not near
    return beside


def _best_arc(
    a: Floats, b: Floats, length_km: float, count: int, first: int, sides: list[Side]
) -> Floats:
    """Of arcs of a length to either side (a circle, in eight directions), the most fitting."""
    gap = b - a
    chord = float(np.hypot(*gap))
    line = a + np.linspace(0, 1, count + 1)[:, None] * gap
    if length_km <= chord * 1.01:
        return line
    if chord > 0.3 * length_km:
        directions = [math.atan2(gap[1], gap[0])]
    else:
        directions = [k * math.pi / 6 for k in range(12)]
    arcs = [_arc(a, b, length_km, count, side, d) for d in directions for side in (1.0, -1.0)]
    return min(arcs, key=lambda arc: _misplaced(arc, first, sides))


def _arc(
    a: Floats, b: Floats, length_km: float, count: int, side: float, direction: float
) -> Floats:
    """About ``length_km`` from a to b: a bow, or a loop set off in a direction."""
    chord = float(np.hypot(*(b - a)))
    t = np.linspace(0, 1, count + 1)
    low, high = 0.0, math.pi  # half the angle of an arc: chord / length = sin(half) / half
    for _ in range(50):
        half = (low + high) / 2
        low, high = (half, high) if math.sin(half) > half * chord / length_km else (low, half)
    turn = direction + side * half - side * 2 * half * t  # heading along the arc
    step = length_km / count
    move = np.column_stack([np.cos(turn), np.sin(turn)])
    path = np.concatenate([[[0.0, 0.0]], np.cumsum((move[1:] + move[:-1]) / 2 * step, axis=0)])
    return np.asarray(a + path + t[:, None] * (b - a - path[-1]))


def _misplaced(arc: Floats, first: int, sides: list[Side]) -> float:
    """How far the arc's nodes lie on the wrong side, in all (km)."""
    total = 0.0
    nodes = np.arange(first, first + len(arc))
    for side in sides:
        mine = arc[np.isin(nodes, side.nodes)]
        if len(mine):
            distance, within = _depth(side.area, mine)
            total += float(distance[within != side.inside].sum())
    return total


def _depth(area: Any, xy: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    points = shapely.points(xy)
    return shapely.distance(area.boundary, points), shapely.contains_xy(area, xy[:, 0], xy[:, 1])


def improve(course: Course, steps: int = 60) -> None:
    """Gauss-Newton steps, the penalties growing; the course is changed in place."""
    count = len(course.times)
    bend = _bending(course.times)
    weights: Floats = np.ones(count - 2)
    for k in range(steps):
        grip = 10.0 ** min(5.0, 2.0 + 3.5 * k / steps)
        held = k % 6 > 0 or k > 0.8 * steps
        tight = np.hypot(*_acceleration(bend, course.xy).T) / course.tightest_kms2
        factor = np.where(tight > 0.95, 1.4, 0.97)
        weights = np.asarray(np.clip(weights * factor, 1.0, 1e5))
        ease = 0.05 + 1.0 / (1 + k)
        band = _bending_band(bend, weights / course.tightest_kms2**2, ease)
        right = ease * course.xy.ravel()
        for node, other, normal, target in _penalties(course, held):
            _add(band, right, node, other, normal, target, grip)
        course.xy = np.array(solve_banded(band, right.tolist())).reshape(count, 2)


def _acceleration(bend: Floats, xy: Floats) -> Floats:
    """(n - 2, 2) km/s² at the inner nodes."""
    return np.asarray(bend[:, :1] * xy[:-2] + bend[:, 1:2] * xy[1:-1] + bend[:, 2:] * xy[2:])


def _bending(times: Floats) -> Floats:
    """(n - 2, 3): what three positions in a row contribute to the acceleration at the middle."""
    h = np.diff(times)
    mean = (h[1:] + h[:-1]) / 2
    return np.column_stack([1 / h[:-1], -1 / h[:-1] - 1 / h[1:], 1 / h[1:]]) / mean[:, None]


def _bending_band(bend: Floats, weights: Floats, ease: float) -> list[list[float]]:
    """The normal matrix of the accelerations, as rows of (diagonal, first, … fifth) above it.

    Unknowns are x and y in turn, so that nodes two apart are four columns apart.
    """
    count = len(bend) + 2
    band = np.zeros((2 * count, _WIDTH + 1))
    band[:, 0] = ease
    for i in range(3):
        for j in range(i, 3):
            product = bend[:, i] * bend[:, j] * weights
            for axis in (0, 1):
                band[2 * i + axis : 2 * (i + len(bend)) + axis : 2, 2 * (j - i)] += product
    rows: list[list[float]] = band.tolist()
    return rows


def solve_banded(band: list[list[float]], right: list[float]) -> list[float]:
    """The solution of a symmetric, positive definite system; ``band`` is used up.

    Cholesky without roots; row i of ``band`` holds the diagonal and the :data:`_WIDTH` entries to
    its right. Plain lists: at this width they are faster than arrays.
    """
    count = len(right)
    for i in range(count):
        row = band[i]
        pivot = row[0]
        for k in range(1, min(_WIDTH, count - 1 - i) + 1):
            factor = row[k] / pivot
            if factor:
                below = band[i + k]
                for m in range(k, _WIDTH + 1):
                    below[m - k] -= factor * row[m]
                right[i + k] -= factor * right[i]
    for i in range(count - 1, -1, -1):
        row = band[i]
        total = right[i]
        for k in range(1, min(_WIDTH, count - 1 - i) + 1):
            total -= row[k] * right[i + k]
        right[i] = total / row[0]
    return right


Penalty = tuple[int, int, Floats, float]
"""normal · (position of a node, less that of another unless -1) = target."""


def _penalties(course: Course, held: bool) -> list[Penalty]:
    """What is wrong with the course; with ``held`` also what sits where a penalty has put it.

    Without it a position put right would be let go at the next step, and be wrong again after.
    """
    found: list[Penalty] = []

    def pull(node: int, normal: Floats, target: float, other: int = -1) -> None:
        found.append((node, other, normal, target))

    xy = course.xy
    for stop, node in zip(course.stops, course.at, strict=True):
        for normal, target in _to_anchor(stop, xy[node]):
            pull(node, normal, target)
    for side in course.sides:
        distance, within = _depth(side.area, xy[side.nodes])
        wrong = (within != side.inside) | (distance < _MARGIN_KM * (2.0 if held else 1.0))
        for node in side.nodes[wrong]:
            line = shapely.shortest_line(side.area.boundary, shapely.Point(xy[node]))
            edge, here = shapely.get_coordinates(line)
            inside = bool(shapely.contains_xy(side.area, *here))
            away = here - edge
            size = float(np.hypot(*away))
            if size < 1e-9:
                continue
            good = away / size * (1.0 if inside == side.inside else -1.0)
            pull(int(node), good, float(good @ edge) + 1.5 * _MARGIN_KM)
    step = np.diff(xy, axis=0)
    length = np.hypot(*step.T)
    h = np.diff(course.times)
    for i in np.flatnonzero(length > (0.95 if held else 0.97) * course.fastest_kms * h):
        pull(int(i) + 1, step[i] / length[i], 0.955 * course.fastest_kms * h[i], int(i))
    slow = (1.03 if held else 1.0) * course.slowest_kms * h
    for i in np.flatnonzero((length < slow) & (length > 1e-9)):
        pull(int(i) + 1, step[i] / length[i], 1.02 * course.slowest_kms * h[i], int(i))
    return found


def _to_anchor(stop: Stop, here: Floats) -> list[tuple[Floats, float]]:
    """What draws a node to its anchor: across an edge, or to the nearest position of an area."""
    pool = stop.anchor.pool
    apart = np.hypot(*(pool.xy - here).T)
    i = int(apart.argmin())
    near = pool.xy[i]
    if stop.anchor.crossing is None:
        if apart[i] <= min(pool.reach_km, _MARGIN_KM):
            return []
        return [(np.array([1.0, 0.0]), float(near[0])), (np.array([0.0, 1.0]), float(near[1]))]
    others = np.argsort(apart)[:2]
    along = pool.xy[others[-1]] - near
    size = float(np.hypot(*along))
    if apart[i] > 4 * pool.reach_km and abs(float((here - near) @ along)) > size * pool.reach_km:
        return [(np.array([1.0, 0.0]), float(near[0])), (np.array([0.0, 1.0]), float(near[1]))]
    across = np.array([-along[1], along[0]]) / max(size, 1e-9)
    return [(across, float(across @ near))]


def _add(
    band: list[list[float]], right: Floats, node: int, other: int, normal: Floats, target: float,
    grip: float,
) -> None:  # fmt: skip
    vector = {2 * node: float(normal[0]), 2 * node + 1: float(normal[1])}
    if other >= 0:
        vector |= {2 * other: -float(normal[0]), 2 * other + 1: -float(normal[1])}
    for i, a in vector.items():
        right[i] += grip * target * a
        for j, b in vector.items():
            if j >= i:
                band[i][j - i] += grip * a * b
