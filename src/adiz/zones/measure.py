"""Figures about a zone."""

from __future__ import annotations

from adiz.zones.model import Zone
from adiz.zones.rings import dense_rings


def area_km2(zone: Zone) -> float | None:
    """The area of a zone on WGS84 (square kilometres); None where its boundary is not known.

    Rings marked as holes are subtracted. Method: dense rings, then Karney's geodesic polygon area
    (GeographicLib, through pyproj).

    Raises:
        ZoneError: a boundary that cannot be drawn.
    """
    if not zone.rings:
        return None
    from pyproj import Geod

    geod = Geod(ellps="WGS84")
    total_m2 = 0.0
    for ring, points in zip(zone.rings, dense_rings(zone), strict=True):
        area_m2 = abs(geod.polygon_area_perimeter(points[1::2], points[0::2])[0])
        total_m2 += -area_m2 if ring.hole else area_m2
    return total_m2 / 1e6
