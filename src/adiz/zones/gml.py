"""The GML geometry that aeronautical data use: surfaces of lines, arcs and circles.

After "Guidance and Profile of GML for use with Aviation Data" (OGC 12-028): ``GeodesicString`` is
joined by shortest lines; ``LineStringSegment`` and ``LinearRing`` are straight in longitude and
latitude, which is also how that profile draws a parallel. Angles of arcs count from the first
axis towards the second, so with EPSG:4326 they are bearings; an end angle below the start angle
runs the other way round. The axis order comes from ``srsName``, which must be stated somewhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from adiz.geo import direct, inverse
from adiz.units import M_PER_FT, M_PER_NM
from adiz.zones.model import Arc, Circle, Edge, Part, Ring, Vertex
from adiz.zones.xml import (
    Element,
    at_line,
    attribute,
    child,
    children,
    descendants,
    local,
    text_of,
)

Point = tuple[float, float]

_METRES = {
    "M": 1.0,
    "KM": 1000.0,
    "FT": M_PER_FT,
    "[FT_I]": M_PER_FT,
    "NM": M_PER_NM,
    "[NMI_I]": M_PER_NM,
    "MI": 1609.344,
    "[MI_I]": 1609.344,
}
_LAT_FIRST = ("4326", "4979", "4258")
_LON_FIRST = ("CRS84", "CRS84H")
_JOIN_M = 200.0
"""Members of a ring whose ends are nearer than this are joined without a word."""
_MAX_DEPTH = 8
_MAX_CURVES = 20_000
"""Of one ring: references could otherwise multiply from level to level."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A line, or an arc, from one point to another."""

    start: Point
    end: Point
    edge: Edge | None = None
    arc: Arc | None = None


class Geometry:
    """Reads surfaces of one document; knows its curves by id, for ``xlink:href``."""

    def __init__(self, root: Element) -> None:
        self.by_id: dict[str, Element] = {}
        self.visits = 0
        for element in root.iter():
            if not isinstance(element.tag, str):
                continue
            if found := attribute(element, "id"):
                self.by_id["#" + found] = element
            if local(element) == "identifier" and element.getparent() is not None:
                self.by_id["urn:uuid:" + text_of(element)] = element.getparent()

    def rings(self, surface: Element) -> tuple[Ring, ...]:
        """The rings of a ``Surface`` or ``Polygon``.

        Raises:
            ZoneError: with the line of what cannot be read.
        """
        found = []
        for boundary in descendants(surface, "exterior", "interior"):
            for ring in children(boundary, "Ring", "LinearRing"):
                found.append(self._ring(ring, hole=local(boundary) == "interior"))
        if not found:
            raise at_line(surface, "a surface without a ring", "exterior")
        return tuple(found)

    def _ring(self, ring: Element, hole: bool) -> Ring:
        self.visits = 0
        if local(ring) == "LinearRing":
            segments: list[Segment | Circle] = list(_lines(ring, "planar"))
        else:
            segments = [s for m in children(ring, "curveMember") for s in self._member(m, 0)]
        circles = [s for s in segments if isinstance(s, Circle)]
        if circles and len(segments) > 1:
            raise at_line(ring, "a circle among other parts of a ring", "Ring")
        if circles:
            return Ring((circles[0],), hole)
        lines = [s for s in segments if isinstance(s, Segment)]
        if not lines:
            raise at_line(ring, "a ring without points", "Ring")
        parts: list[Part] = []
        for here, after in zip(lines, [*lines[1:], lines[0]], strict=True):
            parts.append(here.arc or Vertex(*here.start, here.edge))
            apart_m = _apart_m(here.end, after.start)
            if apart_m > _JOIN_M:
                what = "is not closed" if after is lines[0] else "has a break"
                text = f"a ring {what}: {apart_m / 1e3:.2f} km from {_show(here.end)} to "
                raise at_line(ring, text + _show(after.start), "Ring")
            if apart_m > 0.01 and here.arc is None:
                parts.append(Vertex(*here.end))
        return Ring(tuple(parts), hole)

    def _member(self, member: Element, depth: int) -> list[Segment | Circle]:
        href = attribute(member, "href")
        if href:
            target = self.by_id.get(href)
            if target is None:
                raise at_line(member, f"{href!r} leads to no curve of this file", "href")
            found = (
                [target] if local(target) in _CURVES else list(descendants(target, *_CURVES))[:1]
            )
            if not found:
                raise at_line(member, f"{href!r} is a {local(target)}, not a curve", "href")
            return self._curve(found[0], depth + 1)
        curve = next(children(member), None)
        if curve is None:
            raise at_line(member, "an empty curveMember", "curveMember")
        return self._curve(curve, depth + 1)

    def _curve(self, curve: Element, depth: int) -> list[Segment | Circle]:
        self.visits += 1
        if depth > _MAX_DEPTH or self.visits > _MAX_CURVES:
            raise at_line(curve, "curves within curves without end", "curveMember")
        kind = local(curve)
        if kind == "LineString":
            return list(_lines(curve, "planar"))
        if kind == "OrientableCurve":
            base = child(curve, "baseCurve")
            found = self._member(base, depth) if base is not None else []
            backward = attribute(curve, "orientation") == "-"
            return [_reverse(s) for s in found[::-1]] if backward else found
        if kind == "CompositeCurve":
            return [s for m in children(curve, "curveMember") for s in self._member(m, depth)]
        if kind != "Curve":
            raise at_line(curve, f"a {kind} is not supported", "curveMember")
        segments = child(curve, "segments")
        if segments is None:
            raise at_line(curve, "a curve without segments", "segments")
        return [s for segment in children(segments) for s in _segment(segment)]


_CURVES = ("Curve", "LineString", "OrientableCurve", "CompositeCurve")


def _segment(segment: Element) -> Iterator[Segment | Circle]:
    kind = local(segment)
    if kind in ("GeodesicString", "Geodesic"):
        yield from _lines(segment, "geodesic")
    elif kind == "LineStringSegment":
        yield from _lines(segment, "planar")
    elif kind == "CircleByCenterPoint":
        (center,) = _positions(segment, 1)
        yield Circle(*center, _radius_m(segment))
    elif kind == "ArcByCenterPoint":
        yield _arc(segment)
    else:
        raise at_line(segment, f"a {kind} is not supported", "segments", "use ArcByCenterPoint")


def _lines(element: Element, edge: Edge) -> Iterator[Segment]:
    points = _positions(element)
    if len(points) < 2:
        raise at_line(element, "a line of fewer than two points", local(element))
    for here, there in pairwise(points):
        if here != there:
            yield Segment(here, there, edge)


def _arc(segment: Element) -> Segment | Circle:
    (center,) = _positions(segment, 1)
    radius_m = _radius_m(segment)
    start_deg, end_deg = (_number(segment, name) for name in ("startAngle", "endAngle"))
    if abs(end_deg - start_deg) > 720 or max(abs(start_deg), abs(end_deg)) > 1080:
        raise at_line(segment, f"angles {start_deg:g} and {end_deg:g}", "startAngle", "in degrees")
    if abs(abs(end_deg - start_deg) - 360.0) < 1e-9:
        return Circle(*center, radius_m)
    clockwise = end_deg > start_deg
    if not _lat_first(segment):  # angles from east, turning north
        start_deg, end_deg, clockwise = 90.0 - start_deg, 90.0 - end_deg, not clockwise
    start, end = direct(*center, start_deg, radius_m), direct(*center, end_deg, radius_m)
    return Segment(start, end, arc=Arc(*center, *start, *end, clockwise))


def _reverse(segment: Segment | Circle) -> Segment | Circle:
    if isinstance(segment, Circle):
        return segment
    arc = segment.arc
    if arc is not None:
        center = (arc.center_lat_deg, arc.center_lon_deg)
        arc = Arc(*center, *segment.end, *segment.start, not arc.clockwise)
    return Segment(segment.end, segment.start, segment.edge, arc)


def _number(segment: Element, name: str) -> float:
    text = text_of(child(segment, name))
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise at_line(segment, f"{name} {text!r} is not a number", name)
    return value


def _radius_m(segment: Element) -> float:
    element = child(segment, "radius")
    radius = _number(segment, "radius")
    unit = attribute(element, "uom").upper()
    if unit not in _METRES:
        raise at_line(element, f"radius in {unit!r}", "uom", "use [nmi_i], NM, KM, M or FT")
    if not 0 < radius * _METRES[unit] < 5e6:
        raise at_line(element, f"a radius of {radius:g} {unit}", "radius", "check its unit")
    return radius * _METRES[unit]


def _positions(element: Element, count: int | None = None) -> list[Point]:
    """Latitude and longitude of each ``pos``, ``posList`` and point within an element."""
    points: list[Point] = []
    for found in descendants(element, "pos", "posList"):
        words = text_of(found).split()
        try:
            numbers = [float(word) for word in words]
        except ValueError:
            numbers = []
        size = 3 if _inherited(found, "srsDimension") == "3" else 2
        if not numbers or len(numbers) % size or not all(map(math.isfinite, numbers)):
            text = " ".join(words)[:60]
            raise at_line(found, f"{text!r} is not a list of positions", local(found))
        pairs = zip(numbers[0::size], numbers[1::size], strict=True)
        lat_first = _lat_first(found)
        points += [(a, b) if lat_first else (b, a) for a, b in pairs]
    if count is not None and len(points) != count:
        raise at_line(element, f"{len(points)} positions where one belongs", "pos")
    return points


def _lat_first(element: Element) -> bool:
    name = _inherited(element, "srsName")
    code = name.replace("/", ":").replace("#", ":").rpartition(":")[2].upper()
    if code in _LAT_FIRST:
        return True
    if code in _LON_FIRST:
        return False
    if not name:
        remedy = 'add srsName="urn:ogc:def:crs:EPSG::4326"'
        raise at_line(element, "no srsName, so the order of axes is not known", "srsName", remedy)
    raise at_line(
        element, f"srsName {name!r} is not supported", "srsName", "use EPSG:4326 or CRS84"
    )


def _inherited(element: Element, name: str) -> str:
    while element is not None:
        if value := attribute(element, name):
            return value
        element = element.getparent()
    return ""


def _apart_m(a: Point, b: Point) -> float:
    try:
        return inverse(*a, *b)[0]
    except ValueError:
        return 2e7


def _show(point: Point) -> str:
    return f"{point[0]:.5f}, {point[1]:.5f}"
