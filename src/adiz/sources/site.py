"""Where a sensor stands, and where its range and bearing put an aircraft.

A radar measures the slant range. Method: the point at that range and true bearing whose height
above the WGS84 ellipsoid is the aircraft's is found on the straight line of sight by Newton's
method, exactly on the ellipsoid (to below 1 m); the bending of the ray lengthens it by less than
that matters here (some 10 m at 200 NM). The aircraft's height is its pressure altitude, the only
one a secondary radar has: 500 ft of difference to the true one move the position by 15 m at 100 km.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from adiz.errors import Fault, ReportsError

_A_M = 6_378_137.0
_F = 1 / 298.257223563
_E2 = _F * (2 - _F)

Sensor = tuple[int, int]
"""System area code and system identification code (SAC, SIC)."""


class Site(NamedTuple):
    """A sensor's place: WGS84, height above the ellipsoid."""

    lat_deg: float
    lon_deg: float
    height_m: float


SiteLike = str | Sequence[float]
Sites = Mapping[Sensor | None, Site]
"""Sensor -> where it stands; ``None`` stands for any other sensor."""


def read_sites(given: SiteLike | Mapping[str, SiteLike] | None) -> dict[Sensor | None, Site]:
    """Sites as a user gives them: one, or by sensor ``SAC/SIC``.

    Raises:
        ReportsError: no three numbers, or no such place or sensor.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        return {None: _read_site(given)}
    return {_read_sensor(name): _read_site(site) for name, site in given.items()}


def _read_site(given: SiteLike) -> Site:
    try:
        site = Site(*map(float, given.split(",") if isinstance(given, str) else given))
    except (TypeError, ValueError):
        raise _wrong_site(given) from None
    if not (abs(site.lat_deg) <= 90 and abs(site.lon_deg) <= 180 and -500 <= site.height_m < 9000):
        raise _wrong_site(given)
    return site


def _wrong_site(given: SiteLike) -> ReportsError:
    remedy = "write LAT,LON,HEIGHT_M: degrees and metres above the ellipsoid, e.g. 43.57,16.41,780"
    return ReportsError(Fault(f"{given!r} is no site of a sensor", field="site", remedy=remedy))


def _read_sensor(name: str) -> Sensor | None:
    if not name:
        return None
    parts = name.split("/")
    if len(parts) == 2 and all(p.isascii() and p.isdigit() and int(p) < 256 for p in parts):
        return int(parts[0]), int(parts[1])
    remedy = "write SAC/SIC, two numbers below 256"
    raise ReportsError(Fault(f"{name!r} is no sensor", field="site", remedy=remedy))


def place(site: Site, range_m: float, azimuth_deg: float, height_m: float) -> tuple[float, float]:
    """Latitude and longitude (degrees) of a target at a slant range and true bearing.

    A height that cannot be at that range is taken as straight above or below the site.
    """
    elevation = _first_elevation(site, range_m, height_m)
    step = 1e-6
    for _ in range(4):
        _, _, height = _point(site, range_m, azimuth_deg, elevation)
        if abs(height - height_m) < 0.1:
            break
        slope = (_point(site, range_m, azimuth_deg, elevation + step)[2] - height) / step
        if slope <= 0:
            break
        change = (height_m - height) / slope
        elevation = max(-math.pi / 2, min(math.pi / 2, elevation + change))
    lat, lon, _ = _point(site, range_m, azimuth_deg, elevation)
    return lat, lon


def _first_elevation(site: Site, range_m: float, height_m: float) -> float:
    """The elevation above a sphere, radians: the cosine rule in the triangle with its centre."""
    here, there = _A_M + site.height_m, _A_M + height_m
    if range_m == 0:
        return 0.0
    sine = (there**2 - here**2 - range_m**2) / (2 * here * range_m)
    return math.asin(max(-1.0, min(1.0, sine)))


def _point(
    site: Site, range_m: float, azimuth_deg: float, elevation: float
) -> tuple[float, float, float]:
    """Latitude, longitude (degrees) and height (m) of the end of a line of sight."""
    lat, lon, azimuth = map(math.radians, (site.lat_deg, site.lon_deg, azimuth_deg))
    flat = range_m * math.cos(elevation)
    east, north, up = (
        flat * math.sin(azimuth),
        flat * math.cos(azimuth),
        range_m * math.sin(elevation),
    )
    normal = _A_M / math.sqrt(1 - _E2 * math.sin(lat) ** 2)
    # In the meridian of the site: x away from the axis, y east, z along the axis.
    x = (normal + site.height_m) * math.cos(lat) + up * math.cos(lat) - north * math.sin(lat)
    z = (normal * (1 - _E2) + site.height_m) * math.sin(lat) + (
        up * math.sin(lat) + north * math.cos(lat)
    )
    lat_out, height = _geodetic(math.hypot(x, east), z)
    lon_out = (math.degrees(lon + math.atan2(east, x)) + 180) % 360 - 180
    return math.degrees(lat_out), lon_out, height


def _geodetic(axis_m: float, z_m: float) -> tuple[float, float]:
    """Latitude (radians) and height above the ellipsoid, from distances to axis and equator.

    Method: B. R. Bowring, Survey Review 23(181), 1976; below 1e-8 m at these heights.
    """
    b = _A_M * (1 - _F)
    beta = math.atan2(z_m * _A_M, axis_m * b)
    lat = math.atan2(
        z_m + _E2 / (1 - _E2) * b * math.sin(beta) ** 3, axis_m - _E2 * _A_M * math.cos(beta) ** 3
    )
    normal = _A_M / math.sqrt(1 - _E2 * math.sin(lat) ** 2)
    height = axis_m * math.cos(lat) + z_m * math.sin(lat) - normal * (1 - _E2 * math.sin(lat) ** 2)
    return lat, height
