"""Rings of one zone that share part of an edge: both get the same corners there.

A zone cut in two (at the antimeridian, say) has an edge twice, once in each ring. What both rings
have from corner to corner cancels when the zone is indexed. A corner that only one of them has on
the shared line would hide that, so it is put into the other's edge as well.

Imports nothing heavy: the command line waits for it.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import replace

from adiz.geo import inverse
from adiz.zones.model import Arc, Circle, Edge, Part, Ring, Vertex, Zone

_ON_DEG = 1e-8
"""About 1 mm."""

_ON_M = 0.005

_WGS84_E = 0.0818191908426215

Place = tuple[float, float]


def share_corners(zone: Zone) -> Zone:
    """The same zone, with every corner of a ring that lies on another ring's edge in both.

    The boundary moves by 5 mm at most. A zone of one ring is returned as it is.
    """
    if len(zone.rings) < 2:
        return zone
    places = (place for ring in zone.rings for part in ring.parts for place in _ends(part))
    corners = sorted({(lat, _turn(lon)) for lat, lon in places})
    return replace(zone, rings=tuple(_ring(zone, ring, corners) for ring in zone.rings))


def _ring(zone: Zone, ring: Ring, corners: list[Place]) -> Ring:
    parts: list[Part] = []
    for part, following in zip(ring.parts, ring.parts[1:] + ring.parts[:1], strict=True):
        ends, there = _ends(part), _ends(following)
        if isinstance(part, Circle) or not there:  # a circle stands alone
            return ring
        here, rule = ends[-1], part.edge or zone.edge
        if _turn(there[0][1] - here[1]) == 0.0:
            rule = "geodesic"  # along a meridian all rules are one line
        parts.append(replace(part, edge=rule))
        parts += [Vertex(*place, rule) for place in _between(rule, here, there[0], corners)]
    return replace(ring, parts=tuple(parts))


def _ends(part: Part) -> list[Place]:
    if isinstance(part, Vertex):
        return [(part.lat_deg, part.lon_deg)]
    if isinstance(part, Arc):
        return [
            (part.start_lat_deg, part.start_lon_deg),
            (part.end_lat_deg, part.end_lon_deg),
        ]
    return []


def _between(rule: Edge, a: Place, b: Place, corners: list[Place]) -> Iterator[Place]:
    """The corners within an edge, in its order."""
    dlon = _turn(b[1] - a[1])
    south, north = min(a[0], b[0]), max(a[0], b[0])
    if rule == "geodesic":
        high = math.radians(min(89.0, max(abs(south), abs(north)) + 1.0))
        bulge = math.degrees(math.radians(dlon) ** 2 * math.tan(high) / 8) + _ON_DEG
        south, north = south - bulge, north + bulge
    low = bisect_left(corners, (south - _ON_DEG, -math.inf))
    found = []
    for place in corners[low : bisect_right(corners, (north + _ON_DEG, math.inf))]:
        turn = _turn(place[1] - a[1])
        if not min(0.0, dlon) - _ON_DEG <= turn <= max(0.0, dlon) + _ON_DEG:
            continue
        at = turn / dlon if abs(dlon) > abs(b[0] - a[0]) else (place[0] - a[0]) / (b[0] - a[0] or 1)
        apart = 0 < at < 1 and not _same(place, a) and not _same(place, b)
        if apart and _is_on(rule, a, b, place):
            found.append((at, place))
    return (place for _, place in sorted(found))


def _is_on(rule: Edge, a: Place, b: Place, place: Place) -> bool:
    dlon, turn = _turn(b[1] - a[1]), _turn(place[1] - a[1])
    if dlon == 0.0:
        return abs(turn) < _ON_DEG
    if rule == "parallel":
        return place[0] == a[0]
    if rule == "geodesic":
        length, azimuth, _ = inverse(*a, *b)
        way, towards, _ = inverse(*a, *place)
        return way < length and abs(way * math.sin(math.radians(towards - azimuth))) < _ON_M
    height = _isometric_deg if rule == "rhumb" else float
    dy, y = height(b[0]) - height(a[0]), height(place[0]) - height(a[0])
    return abs(dlon * y - turn * dy) < _ON_DEG * math.hypot(dlon, dy)


def _isometric_deg(lat_deg: float) -> float:
    phi = math.radians(lat_deg)
    return math.degrees(math.asinh(math.tan(phi)) - _WGS84_E * math.atanh(_WGS84_E * math.sin(phi)))


def _same(a: Place, b: Place) -> bool:
    return abs(a[0] - b[0]) < _ON_DEG and abs(_turn(a[1] - b[1])) < _ON_DEG


def _turn(degrees: float) -> float:
    """A difference of longitudes, the shorter way round."""
    return (degrees + 180.0) % 360.0 - 180.0
