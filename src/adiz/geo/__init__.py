"""Geometry on the WGS84 ellipsoid: geodesics, and edges turned into dense points.

All angles are degrees, all distances metres. Longitudes that come out are continuous with those
that went in and may leave [-180, 180].

Method: Vincenty (Survey Review 23(176), 1975), error below 0.1 mm; see ``geodesic.c``. The
sources are compiled when the package is installed; nothing here imports another library, so a
short run of the command line does not wait for one.
"""

from __future__ import annotations

from array import array

import adiz.geo._geo as _geo

_EDGE_CODE = {"geodesic": 0, "parallel": 1, "rhumb": 2, "planar": 3}


def inverse(
    lat1_deg: float, lon1_deg: float, lat2_deg: float, lon2_deg: float
) -> tuple[float, float, float]:
    """Geodesic distance (m), azimuth at the start and, continuing, at the end (degrees).

    Raises:
        ValueError: the points are nearly antipodal (within about half a degree).

    Example:
        >>> distance_m, azimuth_deg, _ = inverse(37.0, 130.0, 38.0, 130.0)
        >>> round(distance_m), azimuth_deg
        (110987, 0.0)
    """
    result: tuple[float, float, float] = _geo.inverse(lat1_deg, lon1_deg, lat2_deg, lon2_deg)
    return result


def direct(
    lat_deg: float, lon_deg: float, azimuth_deg: float, distance_m: float
) -> tuple[float, float]:
    """Latitude and longitude reached along an azimuth after a distance."""
    result: tuple[float, float] = _geo.direct(lat_deg, lon_deg, azimuth_deg, distance_m)
    return result


def densify_edge(
    edge: str,
    lat1_deg: float,
    lon1_deg: float,
    lat2_deg: float,
    lon2_deg: float,
    tolerance_m: float,
    *,
    planar: bool = False,
) -> array[float]:
    """The first point of an edge and the points within it: lat, lon, lat, lon, …; not its end.

    Joined by shortest lines (or, with ``planar``, by straight lines in longitude and latitude)
    the points stay within ``tolerance_m`` of the edge. ``lon2_deg`` must lie within 180 degrees
    of ``lon1_deg``.

    Raises:
        ValueError: a geodesic edge whose ends are nearly antipodal.
    """
    points: array[float] = _geo.densify_edge(
        _EDGE_CODE[edge], planar, lat1_deg, lon1_deg, lat2_deg, lon2_deg, tolerance_m
    )
    return points


def densify_corners(
    corners: array[float], edges: list[str], tolerance_m: float, *, planar: bool = False
) -> array[float]:
    """As :func:`densify_edge` for a whole ring: its corners (lat, lon, …) and each one's edge.

    Raises:
        ValueError: a geodesic edge whose ends are nearly antipodal.
    """
    codes = bytes(_EDGE_CODE[edge] for edge in edges)
    points: array[float] = _geo.densify_corners(corners, codes, planar, tolerance_m)
    return points


def densify_arc(
    center_lat_deg: float,
    center_lon_deg: float,
    azimuth_deg: float,
    sweep_deg: float,
    start_radius_m: float,
    end_radius_m: float,
    tolerance_m: float,
    *,
    planar: bool = False,
) -> array[float]:
    """Points of an arc about a centre, from an azimuth through a sweep (clockwise positive).

    The radius runs linearly from its start to its end value. The end of the arc is not included.
    """
    points: array[float] = _geo.densify_arc(
        planar,
        center_lat_deg,
        center_lon_deg,
        azimuth_deg,
        sweep_deg,
        start_radius_m,
        end_radius_m,
        tolerance_m,
    )
    return points


def unwrap(points: array[float]) -> tuple[array[float], float]:
    """A ring (lat, lon, …) with continuous longitudes and without repeated points.

    Returns the ring and the turn in degrees once round: 0, or ±360 about a pole.
    """
    ring, turn_deg = _geo.unwrap(points)
    return ring, turn_deg
