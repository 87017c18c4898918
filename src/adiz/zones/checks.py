"""Whether a zone read from a file can be one: corners, limits, self-crossings, poles.

The checks work on the boundary as it is really joined (dense edges), and on the standard library
alone, because the command line waits for them. What they let through, containment can be
computed on; a ring that only touches itself is let through.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise

from adiz.errors import Fault, ZoneError
from adiz.geo import inverse
from adiz.zones.limits import above
from adiz.zones.model import Arc, Circle, Part, Ring, Vertex, Zone
from adiz.zones.rings import dense_parts, dense_rings

TOLERANCE_M = 10.0
"""Density of the boundary for the checks. Pieces of at most 20 km are then taken as straight in
longitude and latitude, which moves them by at most 8 m times the tangent of the latitude."""

_APART_DEG = 1e-6
"""Edges that meet within about 10 cm touch; they do not cross."""

_LEAST_AREA_DEG2 = 1e-10
"""About one square metre."""

_NUDGE_DEG = (0.9e-7, 1.3e-7)
"""Moves one of two edges by about 1 cm, so that corners do not fall exactly on the other."""

Point = tuple[float, float]
"""Latitude and unwrapped longitude."""

Problem = tuple[Fault, int | None, int | None]
"""A fault, and the ring and part it is in, where it is in one (counted from 0)."""


Locate = Callable[[int | None, int | None], int | None]
"""From a zone's ring and part (or None) to the line of its file, where that is known."""

Placed = tuple[Zone, Locate]
"""A zone as read, and where it stands in its file."""


def check_zone(zone: Zone) -> list[Problem]:
    """Everything wrong with a zone.

    Method: each stated edge is compared with those that overlap it in longitude, as dense lines;
    two edges cross if they properly cut each other and neither ends on the other.
    """
    found: list[Problem] = []

    def add(message: str, ring: int | None, part: int | None, field: str, remedy: str) -> None:
        fault = Fault(f"zone {zone.zone_id}: {message}", field=field, remedy=remedy)
        found.append((fault, ring, part))

    if not zone.rings and not zone.incomplete:
        add("it has no boundary", None, None, "rings", "give it at least three points")
    if above(zone.floor, zone.ceiling):
        text = f"its floor ({zone.floor}) is above its ceiling ({zone.ceiling})"
        add(text, None, None, "lower", "swap them or correct one")
    for r, ring in enumerate(zone.rings):
        wrong = [*_wrong_positions(ring), *_wrong_shape(ring)]
        for part, message, remedy in wrong:
            add(message, r, part, "rings", remedy)
        if wrong:
            continue
        try:
            (dense,) = dense_rings(replace(zone, rings=(ring,)), TOLERANCE_M)
        except ZoneError as error:
            found += [(fault, r, None) for fault in error.faults]
            continue
        if crossing := _crossing(zone, ring):
            part, message = crossing
            add(message, r, part, "rings", "check the order of the points")
        elif _area(dense) < _LEAST_AREA_DEG2:
            add("a ring encloses no area", r, 0, "rings", "check its points")
    return found


def _points(part: Part) -> list[Point]:
    if isinstance(part, Vertex):
        return [(part.lat_deg, part.lon_deg)]
    center = (part.center_lat_deg, part.center_lon_deg)
    if isinstance(part, Circle):
        return [center]
    return [
        center,
        (part.start_lat_deg, part.start_lon_deg),
        (part.end_lat_deg, part.end_lon_deg),
    ]


def _wrong_positions(ring: Ring) -> Iterator[tuple[int, str, str]]:
    for i, part in enumerate(ring.parts):
        for lat, lon in _points(part):
            if abs(lat) > 90.0:
                swapped = abs(lat) <= 360.0 and abs(lon) <= 90.0
                remedy = (
                    "latitude and longitude look swapped" if swapped else "it must be in -90 to 90"
                )
                yield i, f"point {i + 1}: latitude {lat:g} is out of range", remedy
                return
            if abs(lon) > 360.0:
                yield i, f"point {i + 1}: longitude {lon:g} is out of range", "use -180 to 180"
                return


def _wrong_shape(ring: Ring) -> Iterator[tuple[int, str, str]]:
    corners = {(lat, lon % 360.0) for part in ring.parts for lat, lon in _points(part)}
    if all(isinstance(part, Vertex) for part in ring.parts) and len(corners) < 3:
        few = f"a ring has {len(corners)} different point{'s' if len(corners) != 1 else ''}"
        yield 0, few, "a zone needs at least three"
        return
    for i, part in enumerate(ring.parts):
        if isinstance(part, Arc):
            center, start, end = _points(part)
            try:
                radii = inverse(*center, *start)[0], inverse(*center, *end)[0]
            except ValueError:
                radii = (math.inf, math.inf)
            if not 1.0 <= min(radii) <= max(radii) < 5e6:
                yield i, f"an arc has radii of {radii[0]:g} and {radii[1]:g} m", "check its centre"
            elif max(radii) > 1.1 * min(radii) and max(radii) - min(radii) > 500.0:
                text = f"an arc starts {radii[0]:.0f} m and ends {radii[1]:.0f} m from its centre"
                yield i, text, "check its centre and its ends"


def _area(ring: array[float]) -> float:
    """Of a dense ring, in square degrees, without sign; from its first point to lose no digits."""
    lats = [lat - ring[0] for lat in ring[0::2]]
    lons = [lon - ring[1] for lon in ring[1::2]]
    return abs(
        math.fsum(
            lons[i - 1] * lats[i] - lons[i] * lats[i - 1]  # i = 0 closes the ring
            for i in range(len(lats))
        )
        / 2
    )


def _crossing(zone: Zone, ring: Ring) -> tuple[int, str] | None:
    """The first crossing found: its part, and what to say."""
    lines = _lines(dense_parts(zone, ring, TOLERANCE_M))
    boxes = [
        (min(q[1] for q in p), max(q[1] for q in p), min(q[0] for q in p), max(q[0] for q in p))
        for p in lines
    ]
    active: list[int] = []
    for i in sorted(range(len(lines)), key=lambda k: boxes[k][0]):
        west, _, south, north = boxes[i]
        active = [j for j in active if boxes[j][1] >= west]
        for j in active:
            beside = abs(i - j) in (1, len(lines) - 1)
            if not beside and boxes[j][2] <= north and boxes[j][3] >= south:
                place = _cut(lines[min(i, j)], lines[max(i, j)])
                if place:
                    a, b = min(i, j) + 1, max(i, j) + 1
                    lon = (place[1] + 180.0) % 360.0 - 180.0
                    return b - 1, (
                        f"the ring crosses itself near {place[0]:.4f}, {lon:.4f}: the edge after "
                        f"point {a} cuts the edge after point {b}"
                    )
        active.append(i)
    return None


def _lines(pieces: list[array[float]]) -> list[list[Point]]:
    """Each piece with the first point of the next, longitudes unwrapped along the ring."""
    lines: list[list[Point]] = []
    lon0 = next(piece[1] for piece in pieces if piece)
    for piece in pieces:
        line = []
        for k in range(0, len(piece), 2):
            lon0 += (piece[k + 1] - lon0 + 180.0) % 360.0 - 180.0
            line.append((piece[k], lon0))
        lines.append(line)
    ends = [line[0] for line in lines if line]
    for line, end in zip((x for x in lines if x), [*ends[1:], ends[0]], strict=True):
        line.append(end)
    return [line or [ends[0]] for line in lines]


def _cut(one: list[Point], two: list[Point]) -> Point | None:
    """Where two dense lines properly cut each other, if neither ends on the other."""
    ends = ((one[0], two), (one[-1], two), (two[0], one), (two[-1], one))
    if any(_distance(point, line) < _APART_DEG for point, line in ends):
        return None
    return _first_meeting(one, two)


def _first_meeting(one: list[Point], two: list[Point]) -> Point | None:
    """By halving the longer line as long as the boxes of both overlap."""
    if any(
        max(p[k] for p in one) < min(p[k] for p in two) - _APART_DEG
        or max(p[k] for p in two) < min(p[k] for p in one) - _APART_DEG
        for k in (0, 1)
    ):
        return None
    if len(one) < len(two):
        one, two = two, one
    if len(one) == 2:
        return _meet(*one, *two)
    half = len(one) // 2
    return _first_meeting(one[: half + 1], two) or _first_meeting(one[half:], two)


def _meet(a: Point, b: Point, c: Point, d: Point) -> Point | None:
    c = (c[0] + _NUDGE_DEG[0], c[1] + _NUDGE_DEG[1])
    d = (d[0] + _NUDGE_DEG[0], d[1] + _NUDGE_DEG[1])
    from_a, from_b = _side(c, d, a), _side(c, d, b)
    if (from_a > 0) == (from_b > 0) or (_side(a, b, c) > 0) == (_side(a, b, d) > 0):
        return None
    t = from_a / (from_a - from_b)
    return a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])


def _side(a: Point, b: Point, p: Point) -> float:
    return (b[1] - a[1]) * (p[0] - a[0]) - (b[0] - a[0]) * (p[1] - a[1])


def _distance(p: Point, line: list[Point]) -> float:
    """From a point to a line, in degrees of latitude and longitude alike."""
    best = math.inf
    for a, b in pairwise(line):
        dy, dx = b[0] - a[0], b[1] - a[1]
        length2 = dx * dx + dy * dy
        t = ((p[0] - a[0]) * dy + (p[1] - a[1]) * dx) / length2 if length2 else 0.0
        t = min(1.0, max(0.0, t))
        best = min(best, math.hypot(p[0] - a[0] - t * dy, p[1] - a[1] - t * dx))
    return best
