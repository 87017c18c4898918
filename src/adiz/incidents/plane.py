"""A flat map about an incident, on which its accounts are checked.

Azimuthal equidistant on WGS84 (pyproj): distances and directions from the centre are exact; a
distance across, at r from the centre, is too long by at most (r/R)²/6, which is 0.04 % at 300 km
and 0.4 % at 1,000 km. :attr:`Plane.scale_error` states it for the area used, and every "cannot
be" in this folder allows for it. Coordinates are kilometres, x east and y north.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Geod, Transformer

from adiz.zones.rings import dense_rings

if TYPE_CHECKING:
    from adiz.incidents.model import Place, Sector
    from adiz.zones.model import Zone

Floats = NDArray[np.float64]
GEOD = Geod(ellps="WGS84")
EARTH_KM = 6371.0
_MOST_POOL = 5000
_FINEST_KM = 0.25


@dataclass(frozen=True)
class Pool:
    """Points that stand for a set of positions.

    Attributes:
        xy: (n, 2) kilometres.
        reach_km: every position of the set is within this of one of the points.
    """

    xy: Floats
    reach_km: float


@dataclass
class Plane:
    """The map. ``center``: latitude and longitude, degrees; ``radius_km``: of the area used."""

    center: tuple[float, float]
    radius_km: float = 500.0
    _areas: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def scale_error(self) -> float:
        return (self.radius_km / EARTH_KM) ** 2 / 6

    @cached_property
    def _transformers(self) -> tuple[Transformer, Transformer]:
        lat, lon = self.center
        there = f"+proj=aeqd +lat_0={lat!r} +lon_0={lon!r} +ellps=WGS84 +units=km"
        here = "+proj=longlat +ellps=WGS84"
        return (
            Transformer.from_crs(here, there, always_xy=True),
            Transformer.from_crs(there, here, always_xy=True),
        )

    def to_xy(self, lat_deg: Any, lon_deg: Any) -> Floats:
        """(n, 2) kilometres from degrees."""
        x, y = self._transformers[0].transform(np.atleast_1d(lon_deg), np.atleast_1d(lat_deg))
        return np.column_stack([x, y])

    def to_degrees(self, xy: Floats) -> tuple[Floats, Floats]:
        """Latitudes and longitudes."""
        xy = np.atleast_2d(xy)
        lon, lat = self._transformers[1].transform(xy[:, 0], xy[:, 1])
        return np.asarray(lat), np.asarray(lon)

    def area(self, zone: Zone) -> Any:
        """The zone as a shapely area; even-odd over its rings, ring to within 10 m."""
        if zone.zone_id not in self._areas:
            area = shapely.Polygon()
            for ring in dense_rings(zone, 10.0):
                lat, lon = np.array(ring[0::2]), np.array(ring[1::2])
                part = shapely.make_valid(shapely.Polygon(self.to_xy(lat, lon)))
                area = area.symmetric_difference(part)
            shapely.prepare(area)
            self._areas[zone.zone_id] = area
        return self._areas[zone.zone_id]

    def place_xy(self, place: Place) -> Floats:
        points = np.array(place.points)
        return self.to_xy(points[:, 0], points[:, 1])

    def disc(self, place: Place, radius_km: float) -> Any:
        """All that lies nearer to the place than a distance."""
        return shapely.MultiPoint(self.place_xy(place)).buffer(radius_km, quad_segs=32)

    def azimuths(self, place: Place, xy: Floats) -> Floats:
        """Geodesic directions (degrees) from the place's middle to points."""
        lat, lon = self.to_degrees(xy)
        middle = np.array(place.points).mean(axis=0)
        azimuth, _, _ = GEOD.inv(np.full(len(xy), middle[1]), np.full(len(xy), middle[0]), lon, lat)
        return np.asarray(azimuth) % 360.0

    def in_sector(self, place: Place, sector: Sector, xy: Floats) -> NDArray[np.bool_]:
        offset = (self.azimuths(place, xy) - sector.from_deg) % 360.0
        slack = 0.5  # degrees: a direction in words is no better
        return (offset <= sector.width_deg + slack) | (offset >= 360.0 - slack)

    def nominal(self, place: Place, azimuth_deg: float, distance_km: float) -> Floats:
        """The point at a distance and direction, from the place's outermost point that way."""
        angle = np.radians(azimuth_deg)
        xy = self.place_xy(place)
        start = place.points[int(np.argmax(xy @ [np.sin(angle), np.cos(angle)]))]
        lon, lat, _ = GEOD.fwd(start[1], start[0], azimuth_deg, distance_km * 1000.0)
        return np.asarray(self.to_xy(lat, lon)[0])


def line_pool(line: Any) -> Pool:
    """Points along a line or lines (shapely), evenly."""
    step = max(_FINEST_KM, line.length / _MOST_POOL)
    pieces = []
    for part in getattr(line, "geoms", [line]):
        count = max(2, int(np.ceil(part.length / step)) + 1)
        pieces.append(shapely.get_coordinates(
            shapely.line_interpolate_point(part, np.linspace(0.0, part.length, count))
        ))  # fmt: skip
    return Pool(np.concatenate(pieces), step / 2)


def area_pool(area: Any) -> Pool:
    """Points over an area: its edge and a grid within."""
    step = max(_FINEST_KM, float(np.sqrt(area.area / _MOST_POOL)))
    left, bottom, right, top = area.bounds
    x, y = np.meshgrid(np.arange(left, right + step, step), np.arange(bottom, top + step, step))
    grid = np.column_stack([x.ravel(), y.ravel()])
    grid = grid[shapely.contains_xy(area, grid[:, 0], grid[:, 1])]
    edge = line_pool(area.boundary)
    return Pool(np.concatenate([grid, edge.xy]), max(step * 0.75, edge.reach_km))


def ray_length(area: Any, start: Floats, azimuth_deg: float, far_km: float) -> float:
    """How far from ``start`` (in the area) a straight line first leaves it; ``nan`` if never."""
    angle = np.radians(azimuth_deg)
    end = start + far_km * np.array([np.sin(angle), np.cos(angle)])
    hits = shapely.get_coordinates(shapely.LineString([start, end]).intersection(area.boundary))
    lengths = np.hypot(*(hits - start).T) if len(hits) else np.array([])
    lengths = lengths[lengths > 1e-3]
    return float(lengths.min()) if len(lengths) else float("nan")


def pair_distances(a: Floats, b: Floats) -> Floats:
    """(len(a), len(b)) straight distances."""
    return np.asarray(np.hypot(a[:, None, 0] - b[None, :, 0], a[:, None, 1] - b[None, :, 1]))


def plane_about(points: Sequence[tuple[float, float]]) -> Plane:
    """A map centred on points (latitude, longitude), sized to hold them."""
    angles = np.radians(np.array(points, dtype=float))
    lat, lon = angles[:, 0], angles[:, 1]
    unit = np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    x, y, z = unit.mean(axis=0)
    center = (float(np.degrees(np.arctan2(z, np.hypot(x, y)))), float(np.degrees(np.arctan2(y, x))))
    plane = Plane(center)
    spread = np.hypot(*plane.to_xy(np.degrees(lat), np.degrees(lon)).T)
    plane.radius_km = float(max(100.0, spread.max()))
    return plane
