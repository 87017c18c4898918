"""From a zone's boundary as stated to dense rings, at a stated tolerance.

The result is what containment is computed on and what maps draw. Longitudes are unwrapped: each
point lies within 180 degrees of the one before, so a ring that crosses the antimeridian runs past
180 instead of jumping.
"""

from __future__ import annotations

from array import array

from adiz.errors import Fault, ZoneError
from adiz.geo import densify_arc, densify_corners, densify_edge, inverse, unwrap
from adiz.zones.model import Arc, Circle, Ring, Vertex, Zone

TOLERANCE_M = 0.1
"""Default: containment then agrees with the exact boundary beyond 1 m of it, with room to spare."""


def dense_rings(
    zone: Zone, tolerance_m: float = TOLERANCE_M, *, planar: bool = False
) -> list[array[float]]:
    """The zone's rings as dense points.

    Args:
        zone: any complete zone.
        tolerance_m: how far the dense ring may stray from the stated boundary.
        planar: the points are to be joined by straight lines in longitude and latitude (maps,
            GeoJSON) instead of by shortest lines.

    Returns:
        One array per ring: lat, lon, lat, lon, … in degrees; the first point is not repeated.

    Raises:
        ZoneError: a ring encloses a pole, has fewer than three corners, or an edge has no single
            shortest line.
    """
    return [_dense_ring(zone, ring, tolerance_m, planar) for ring in zone.rings]


def _start(part: Vertex | Arc) -> tuple[float, float]:
    if isinstance(part, Vertex):
        return part.lat_deg, part.lon_deg
    return part.start_lat_deg, part.start_lon_deg


def _dense_ring(zone: Zone, ring: Ring, tolerance_m: float, planar: bool) -> array[float]:
    points = _dense_corners(zone, ring, tolerance_m, planar)
    if points is None:
        points = array("d")
        for piece in dense_parts(zone, ring, tolerance_m, planar=planar):
            points.extend(piece)
    return _unwrap(zone, points)


def _dense_corners(zone: Zone, ring: Ring, tolerance_m: float, planar: bool) -> array[float] | None:
    """The quick way for a ring of corners only; None where it cannot be taken."""
    corners: array[float] = array("d")
    edges: list[str] = []
    for part in ring.parts:
        if not isinstance(part, Vertex):
            return None
        corners.append(part.lat_deg)
        corners.append(part.lon_deg)
        edges.append(part.edge or zone.edge)
    if "parallel" in edges:
        lats = corners[::2]
        for i, edge in enumerate(edges):
            if edge == "parallel" and lats[i] != lats[(i + 1) % len(lats)]:
                return None  # the slow way says what is wrong
    try:
        return densify_corners(corners, edges, tolerance_m, planar=planar)
    except ValueError:
        return None


def dense_parts(
    zone: Zone, ring: Ring, tolerance_m: float, *, planar: bool = False
) -> list[array[float]]:
    """The dense points of each part of a ring and of the edge that follows it.

    As in :func:`dense_rings`, but longitudes are not unwrapped and each piece ends before the
    first point of the next.

    Raises:
        ZoneError: an edge cannot be drawn, or a circle is not alone.
    """
    circles = [part for part in ring.parts if isinstance(part, Circle)]
    if circles and len(ring.parts) > 1:
        raise _fault(zone, "a circle stands among other parts of a ring", "give it its own ring")
    if circles:
        return [_circle(zone, circles[0], tolerance_m, planar)]
    parts = [part for part in ring.parts if not isinstance(part, Circle)]
    pieces = []
    for i, part in enumerate(parts):
        points: array[float] = array("d")
        if isinstance(part, Arc):
            points.extend(_arc(part, tolerance_m, planar))
            here = (part.end_lat_deg, part.end_lon_deg)
        else:
            here = (part.lat_deg, part.lon_deg)
        points.extend(
            _edge(zone, part, here, _start(parts[(i + 1) % len(parts)]), tolerance_m, planar)
        )
        pieces.append(points)
    return pieces


def _edge(
    zone: Zone,
    part: Vertex | Arc,
    here: tuple[float, float],
    there: tuple[float, float],
    tolerance_m: float,
    planar: bool,
) -> array[float]:
    if _same(here, there):
        return array("d")
    edge = part.edge or zone.edge
    if edge == "parallel" and here[0] != there[0]:
        raise _fault(
            zone,
            f"an edge along a parallel joins latitudes {here[0]:g} and {there[0]:g}",
            "give both ends one latitude, or another edge rule",
        )
    lon2 = here[1] + _turn(there[1] - here[1])
    try:
        return densify_edge(edge, *here, there[0], lon2, tolerance_m, planar=planar)
    except ValueError as error:
        raise _fault(zone, str(error), "add a vertex between them") from None


def _circle(zone: Zone, circle: Circle, tolerance_m: float, planar: bool) -> array[float]:
    if not 0 < circle.radius_m < 5e6:
        raise _fault(zone, f"a circle has a radius of {circle.radius_m:g} m", "check its unit")
    center = (circle.center_lat_deg, circle.center_lon_deg)
    radii = (circle.radius_m, circle.radius_m)
    return densify_arc(*center, 0.0, 360.0, *radii, tolerance_m, planar=planar)


def _arc(arc: Arc, tolerance_m: float, planar: bool) -> array[float]:
    center = (arc.center_lat_deg, arc.center_lon_deg)
    start_m, start_az, _ = inverse(*center, arc.start_lat_deg, arc.start_lon_deg)
    end_m, end_az, _ = inverse(*center, arc.end_lat_deg, arc.end_lon_deg)
    sweep = (end_az - start_az) % 360.0 if arc.clockwise else -((start_az - end_az) % 360.0)
    points = densify_arc(*center, start_az, sweep, start_m, end_m, tolerance_m, planar=planar)
    points.extend((arc.end_lat_deg, arc.end_lon_deg))
    return points


def _same(a: tuple[float, float], b: tuple[float, float]) -> bool:
    return a[0] == b[0] and _turn(a[1] - b[1]) == 0.0


def _turn(degrees: float) -> float:
    """A difference of longitudes, the shorter way round."""
    return (degrees + 180.0) % 360.0 - 180.0


def _unwrap(zone: Zone, points: array[float]) -> array[float]:
    out, turn_deg = unwrap(points)
    if len(out) < 6:
        raise _fault(zone, "a ring has fewer than three different corners", "a zone needs three")
    if abs(turn_deg) > 1.0:
        raise _fault(
            zone, "a ring goes round a pole, which is not supported", "cut it along a meridian"
        )
    return out


def _fault(zone: Zone, message: str, remedy: str) -> ZoneError:
    return ZoneError(Fault(f"zone {zone.zone_id}: {message}", field="rings", remedy=remedy))
