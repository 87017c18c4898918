"""Belts: all points within a distance of base points, baselines or coasts.

Method: the lines are cut into short pieces; each piece is widened in an azimuthal equidistant
projection of the ellipsoid centred on it (geodesic distance and azimuth from the centre), and the
pieces are united. Stated error: the belt's outer line lies within 2 m of the true distance from
the line given, of which up to 1 m is the chord of its arcs and up to 0.5 m the projection. What
the line given is worth as a baseline in law is another matter: every belt is flagged approximate.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from adiz.errors import Fault, ZoneError
from adiz.units import M_PER_NM
from adiz.zones.model import Ring, Vertex, Zone

Point = tuple[float, float]
"""Latitude and longitude, degrees."""

CHORD_M = 1.0
_PIECE_M = 50_000.0
_STRAIGHT_M = 2_000.0
"""Straight sides are cut this short before they leave the projection (0.15 m at 60 degrees)."""
_MOST_NM = 200.0


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a belt is drawn round.

    Attributes:
        points: base points.
        lines: baselines or coasts, joined by shortest lines.
        areas: land, each its outer ring; the belt takes it in.
        name: where it is from.
    """

    points: tuple[Point, ...] = ()
    lines: tuple[tuple[Point, ...], ...] = ()
    areas: tuple[tuple[Point, ...], ...] = ()
    name: str = ""


def territorial_belt(
    baseline: Baseline | Iterable[Point],
    distance_nm: float = 12.0,
    *,
    zone_id: str = "BELT",
    name: str = "",
    kind: str = "territorial",
    claimants: Sequence[str] = (),
) -> Zone:
    """The zone of all points within a distance of a baseline.

    Args:
        baseline: base points as (latitude, longitude) in degrees, or a :class:`Baseline`.
        distance_nm: nautical miles, above 0 and at most 200.
        zone_id, name, kind, claimants: of the zone.

    Returns:
        A zone of many corners joined by straight lines in longitude and latitude, flagged
        approximate.

    Raises:
        ZoneError: nothing to draw round, a latitude beyond 85 degrees, or a wrong distance.

    Example:
        >>> zone = territorial_belt([(37.2408, 131.8696), (37.2418, 131.8652)])
        >>> len(zone.rings), zone.approximate[:27]
        (1, '12 NM from 2 base points, w')
    """
    import shapely

    if not isinstance(baseline, Baseline):
        baseline = Baseline(points=tuple(baseline))
    if not 0 < distance_nm <= _MOST_NM:
        raise _fault(f"a belt of {distance_nm:g} NM", "distance", f"above 0, at most {_MOST_NM:g}")
    _check(baseline)
    lines = (
        *((p,) for p in baseline.points),
        *baseline.lines,
        *(_closed(a) for a in baseline.areas),
    )
    start_lon = lines[0][0][1]
    shapes: list[Any] = [
        _widen(piece, distance_nm * M_PER_NM, start_lon)
        for line in lines
        for piece in _pieces(line)
    ]
    shapes += [
        shapely.make_valid(shapely.Polygon(_unwrapped(a, start_lon))) for a in baseline.areas
    ]
    return Zone(
        zone_id=zone_id,
        name=name or zone_id,
        rings=tuple(_rings(shapely.union_all(shapes))),
        kind=kind,
        edge="planar",
        claimants=tuple(claimants),
        source=baseline.name,
        approximate=f"{distance_nm:g} NM from {_what(baseline)}, within 2 m; that these are the "
        "baseline in law is the user's assumption.",
    )


def _rings(belt: Any) -> Iterator[Ring]:
    import shapely

    for polygon in shapely.get_parts(belt):
        if polygon.geom_type == "Polygon":
            for n, line in enumerate((polygon.exterior, *polygon.interiors)):
                corners = [(lat, (lon + 180.0) % 360.0 - 180.0) for lon, lat in line.coords[:-1]]
                yield Ring(tuple(Vertex(*corner) for corner in corners), hole=n > 0)


def _what(baseline: Baseline) -> str:
    counts = (
        (len(baseline.points), "base point"),
        (len(baseline.lines), "line"),
        (len(baseline.areas), "area"),
    )
    return ", ".join(f"{n} {word}{'s' if n > 1 else ''}" for n, word in counts if n)


def _check(baseline: Baseline) -> None:
    points = [p for line in (baseline.points, *baseline.lines, *baseline.areas) for p in line]
    if not points:
        raise _fault("no base point, line or area to draw a belt round", "baseline")
    start_lon = points[0][1]
    for lat, lon in points:
        if not (math.isfinite(lat) and math.isfinite(lon) and abs(lon) <= 360.0):
            raise _fault(f"{lat}, {lon} is not a position", "baseline")
        if abs(lat) > 85.0:
            swapped = abs(lat) <= 180.0 and abs(lon) <= 90.0 and abs(lat) > 90.0
            remedy = "latitude and longitude look swapped" if swapped else "between -85 and 85"
            raise _fault(f"latitude {lat:g} of a belt", "baseline", remedy)
        if abs((lon - start_lon + 180.0) % 360.0 - 180.0) > 150.0:
            raise _fault("a baseline more than 150 degrees wide", "baseline", "give it in parts")


def _closed(area: tuple[Point, ...]) -> tuple[Point, ...]:
    return area if area[0] == area[-1] else (*area, area[0])


def _unwrapped(points: Iterable[Point], start_lon: float) -> list[tuple[float, float]]:
    """(lon, lat), each longitude within 180 degrees of the one before."""
    out = []
    for lat, lon in points:
        start_lon += (lon - start_lon + 180.0) % 360.0 - 180.0
        out.append((start_lon, lat))
    return out


def _pieces(line: Sequence[Point]) -> Iterator[list[Point]]:
    """A line in pieces of at most _PIECE_M, with points at most _STRAIGHT_M apart on long edges."""
    from adiz.geo import densify_edge, inverse

    piece, length_m = [line[0]], 0.0
    for (lat1, lon1), (lat2, lon2) in pairwise(line):
        lon2 = lon1 + (lon2 - lon1 + 180.0) % 360.0 - 180.0
        whole_m = inverse(lat1, lon1, lat2, lon2)[0]
        if whole_m > _PIECE_M:  # at most 20 km a step
            dense = densify_edge("geodesic", lat1, lon1, lat2, lon2, 0.01)
            stops = [*zip(dense[2::2], dense[3::2], strict=True), (lat2, lon2)]
        else:
            stops = [(lat2, lon2)]
        for stop in stops:
            length_m += inverse(*piece[-1], *stop)[0]
            piece.append(stop)
            if length_m > _PIECE_M / 2:
                yield piece
                piece, length_m = [stop], 0.0
    if len(piece) > 1 or len(line) == 1:
        yield piece


def _widen(piece: Sequence[Point], distance_m: float, start_lon: float) -> Any:
    """A polygon in (longitude, latitude): all points within a distance of a short line."""
    import numpy as np
    import shapely
    from pyproj import Geod

    geod = Geod(ellps="WGS84")
    lats, lons = np.array(piece).T
    lat0, lon0 = piece[len(piece) // 2]
    azimuth_deg, _, reach_m = geod.inv(
        np.full_like(lons, lon0), np.full_like(lats, lat0), lons, lats
    )
    azimuth = np.radians(azimuth_deg)
    flat = np.column_stack((reach_m * np.sin(azimuth), reach_m * np.cos(azimuth)))
    line = shapely.LineString(flat) if len(flat) > 1 else shapely.Point(flat[0])
    turns = math.ceil(math.pi / 4 / math.acos(1.0 - CHORD_M / distance_m))
    wide = shapely.segmentize(line.buffer(distance_m, quad_segs=turns), _STRAIGHT_M)

    def to_lon_lat(xy: Any) -> Any:
        azimuth_deg = np.degrees(np.arctan2(xy[:, 0], xy[:, 1]))
        base = np.full(len(xy), lon0), np.full(len(xy), lat0)
        lon, lat, _ = geod.fwd(*base, azimuth_deg, np.hypot(xy[:, 0], xy[:, 1]))
        return np.column_stack((start_lon + (lon - start_lon + 180.0) % 360.0 - 180.0, lat))

    return shapely.transform(wide, to_lon_lat)


def _fault(message: str, field: str, remedy: str | None = None) -> ZoneError:
    return ZoneError(Fault(message, field=field, remedy=remedy))
