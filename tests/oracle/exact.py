"""An independent answer to "inside or not": PROJ and GEOS on rings of one point every 600 m.

Shares no code with the product: geodesic edges by pyproj (GeographicLib), rhumb lines as straight
lines on PROJ's ellipsoidal Mercator chart, containment by shapely in an azimuthal equidistant
chart about the zone's middle.
"""

from __future__ import annotations

import math

import numpy as np
import shapely
from pyproj import Geod, Transformer

from adiz.zones.model import Zone

GEOD = Geod(ellps="WGS84")
MERCATOR = Transformer.from_crs("EPSG:4326", "+proj=merc +ellps=WGS84 +lon_0=0", always_xy=True)


def edge_points(edge: str, lat1, lon1, lat2, lon2, step_m: float = 600.0) -> np.ndarray:
    """(lon, lat) along an edge, both ends included."""
    _, _, length = GEOD.inv(lon1, lat1, lon2, lat2)
    n = max(2, math.ceil(length / step_m))
    t = np.linspace(0, 1, n + 1)
    if edge == "geodesic":
        inner = GEOD.npts(lon1, lat1, lon2, lat2, n - 1)
        return np.array([(lon1, lat1), *inner, (lon2, lat2)])
    dlon = (lon2 - lon1 + 180) % 360 - 180
    if edge == "rhumb":
        (x1, y1), (x2, y2) = (MERCATOR.transform(0.0, lat1), MERCATOR.transform(dlon, lat2))
        lon, lat = MERCATOR.transform(x1 + t * (x2 - x1), y1 + t * (y2 - y1), direction="INVERSE")
        return np.column_stack([lon1 + np.asarray(lon), lat])
    return np.column_stack([lon1 + t * dlon, lat1 + t * (lat2 - lat1)])


class Oracle:
    """One zone of vertices."""

    def __init__(self, zone: Zone) -> None:
        rings = []
        for ring in zone.rings:
            parts = ring.parts
            pieces = [
                edge_points(a.edge or zone.edge, a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg)[:-1]
                for a, b in zip(parts, parts[1:] + parts[:1], strict=True)
            ]
            rings.append(np.vstack(pieces))
        lat0 = float(rings[0][:, 1].mean())
        rad = np.radians(rings[0][:, 0])
        lon0 = math.degrees(math.atan2(np.sin(rad).mean(), np.cos(rad).mean()))
        self.chart = Transformer.from_crs(
            "EPSG:4326", f"+proj=aeqd +lat_0={lat0} +lon_0={lon0} +ellps=WGS84", always_xy=True
        )
        self.polygon = shapely.Polygon()
        for ring in rings:
            x, y = self.chart.transform(ring[:, 0], ring[:, 1])
            self.polygon = self.polygon.symmetric_difference(
                shapely.make_valid(shapely.Polygon(np.column_stack([x, y])))
            )
        shapely.prepare(self.polygon)
        self.boundary = self.polygon.boundary
        self.ring = np.vstack(rings)

    def inside(self, lat, lon) -> np.ndarray:
        x, y = self.chart.transform(np.asarray(lon, float), np.asarray(lat, float))
        return shapely.contains_xy(self.polygon, x, y)

    def edge_m(self, lat, lon) -> np.ndarray:
        """Distance to the boundary, within a few per mille."""
        x, y = self.chart.transform(np.asarray(lon, float), np.asarray(lat, float))
        return shapely.distance(self.boundary, shapely.points(x, y))


def along(lat1, lon1, lat2, lon2, t) -> tuple[np.ndarray, np.ndarray]:
    """Points of the geodesic at fractions t: (lat, lon)."""
    azimuth, _, length = GEOD.inv(lon1, lat1, lon2, lat2)
    t = np.atleast_1d(np.asarray(t, float))
    n = len(t)
    lon, lat, _ = GEOD.fwd(np.full(n, lon1), np.full(n, lat1), np.full(n, azimuth), length * t)
    return np.asarray(lat), np.asarray(lon)
