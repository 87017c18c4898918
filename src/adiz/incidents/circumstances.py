"""What surrounded an event: clocks, sun, light in the capitals, nearest zones and places.

Sun: the NOAA solar calculator's equations (NOAA Global Monitoring Laboratory, after Meeus,
*Astronomical Algorithms*), vectorised. Without refraction, which is below 0.02 degrees above 45
degrees of elevation and 0.5 degrees at the horizon; against an independent ephemeris the error is
below 0.02 degrees from 1950 to 2050. Distances are WGS84 geodesics.

Everything here is told its times and places; nothing reads the clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from adiz.errors import AdizError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from adiz.zones.model import Zone

    Floats = NDArray[np.float64]

HORIZON_DEG = -0.833
"""Elevation of the sun's centre at sunrise and sunset: refraction and half its width."""

_STEP_M = 5_000.0
"""Longest piece of a line measured as straight: errs by less than 0.1 m at 1,000 km."""


@dataclass(frozen=True, slots=True)
class Capital:
    """A capital and its clock."""

    state: str
    name: str
    timezone: str
    lat_deg: float
    lon_deg: float


CAPITALS: tuple[Capital, ...] = (
    Capital("KR", "Seoul", "Asia/Seoul", 37.566, 126.978),
    Capital("JP", "Tokyo", "Asia/Tokyo", 35.690, 139.692),
    Capital("CN", "Beijing", "Asia/Shanghai", 39.904, 116.407),
    Capital("RU", "Moscow", "Europe/Moscow", 55.756, 37.617),
    Capital("US", "Washington", "America/New_York", 38.895, -77.037),
    Capital("KP", "Pyongyang", "Asia/Pyongyang", 39.034, 125.754),
    Capital("TW", "Taipei", "Asia/Taipei", 25.033, 121.565),
    Capital("PH", "Manila", "Asia/Manila", 14.596, 120.984),
    Capital("CA", "Ottawa", "America/Toronto", 45.421, -75.697),
)


def local_time(moment: datetime, timezone: str) -> datetime:
    """An aware moment on the clock of an IANA time zone.

    Raises:
        AdizError: the moment has no zone, or the zone is unknown.

    Example:
        >>> from datetime import UTC, datetime
        >>> shots = datetime(2019, 7, 23, 0, 9, tzinfo=UTC)
        >>> [local_time(shots, z).strftime("%H:%M") for z in ("Asia/Seoul", "Europe/Moscow")]
        ['09:09', '03:09']
    """
    from zoneinfo import ZoneInfo

    if moment.tzinfo is None:
        raise AdizError(f"{moment} has no time zone; give it one, e.g. {moment}+09:00")
    try:
        return moment.astimezone(ZoneInfo(timezone))
    except (KeyError, ValueError, OSError):
        raise AdizError(
            f"no time zone is called {timezone!r}; use an IANA name such as Asia/Seoul"
        ) from None


def sun_position(
    time_s: ArrayLike, lat_deg: ArrayLike, lon_deg: ArrayLike
) -> tuple[Floats, Floats]:
    """Azimuth (from true north) and elevation of the sun's centre, degrees.

    Args:
        time_s: seconds since 1970-01-01T00:00Z; the three arguments broadcast together.
        lat_deg, lon_deg: WGS84.
    """
    import numpy as np

    t = (np.asarray(time_s, float) / 86400.0 + 2440587.5 - 2451545.0) / 36525.0
    mean_lon = np.radians((280.46646 + t * (36000.76983 + t * 0.0003032)) % 360.0)
    anomaly = np.radians(357.52911 + t * (35999.05029 - 0.0001537 * t))
    eccentricity = 0.016708634 - t * (0.000042037 + 0.0000001267 * t)
    center = (
        np.sin(anomaly) * (1.914602 - t * (0.004817 + 0.000014 * t))
        + np.sin(2 * anomaly) * (0.019993 - 0.000101 * t)
        + np.sin(3 * anomaly) * 0.000289
    )
    node = np.radians(125.04 - 1934.136 * t)
    lon = mean_lon + np.radians(center - 0.00569 - 0.00478 * np.sin(node))
    seconds = 21.448 - t * (46.815 + t * (0.00059 - t * 0.001813))
    obliquity = np.radians(23.0 + (26.0 + seconds / 60.0) / 60.0 + 0.00256 * np.cos(node))
    declination = np.arcsin(np.sin(obliquity) * np.sin(lon))
    y = np.tan(obliquity / 2.0) ** 2
    equation_of_time_deg = np.degrees(
        y * np.sin(2 * mean_lon)
        - 2 * eccentricity * np.sin(anomaly)
        + 4 * eccentricity * y * np.sin(anomaly) * np.cos(2 * mean_lon)
        - 0.5 * y**2 * np.sin(4 * mean_lon)
        - 1.25 * eccentricity**2 * np.sin(2 * anomaly)
    )
    day_deg = np.asarray(time_s, float) % 86400.0 / 240.0
    hour_angle = np.radians(day_deg + equation_of_time_deg + np.asarray(lon_deg, float) - 180.0)
    lat = np.radians(np.asarray(lat_deg, float))
    up = np.sin(lat) * np.sin(declination) + np.cos(lat) * np.cos(declination) * np.cos(hour_angle)
    east = -np.cos(declination) * np.sin(hour_angle)
    north = np.cos(lat) * np.sin(declination) - np.sin(lat) * np.cos(declination) * np.cos(
        hour_angle
    )
    azimuth = np.degrees(np.arctan2(east, north)) % 360.0
    return azimuth, np.degrees(np.arcsin(np.clip(up, -1.0, 1.0)))


def sun_at(moment: datetime, lat_deg: float, lon_deg: float) -> tuple[float, float]:
    """Azimuth and elevation of the sun at one aware moment and place, degrees."""
    azimuth, elevation = sun_position(moment.timestamp(), lat_deg, lon_deg)
    return float(azimuth), float(elevation)


def name_light(elevation_deg: float) -> str:
    """Day, night or which twilight, by the elevation of the sun's centre."""
    for limit_deg, name in (
        (HORIZON_DEG, "day"),
        (-6.0, "civil twilight"),
        (-12.0, "nautical twilight"),
        (-18.0, "astronomical twilight"),
    ):
        if elevation_deg >= limit_deg:
            return name
    return "night"


@dataclass(frozen=True, slots=True)
class SunSeen:
    """Where the sun stands for a crew.

    Attributes:
        relative_deg: its azimuth less the heading, −180 to 180, left negative.
        off_nose_deg: the angle between straight ahead (level) and the sun.
        side: in words, e.g. ``on the left beam``.
    """

    azimuth_deg: float
    elevation_deg: float
    heading_deg: float
    relative_deg: float
    off_nose_deg: float
    side: str


def see_sun(moment: datetime, lat_deg: float, lon_deg: float, heading_deg: float) -> SunSeen:
    """The sun as seen by a crew in level flight on a true heading."""
    import math

    azimuth, elevation = sun_at(moment, lat_deg, lon_deg)
    relative = (azimuth - heading_deg + 180.0) % 360.0 - 180.0
    hand = "left" if relative < 0 else "right"
    names = (
        (22.5, "ahead"),
        (67.5, f"off the {hand} bow"),
        (112.5, f"on the {hand} beam"),
        (157.5, f"off the {hand} quarter"),
        (180.0, "astern"),
    )
    side = next(name for limit, name in names if abs(relative) <= limit)
    off_nose = math.acos(math.cos(math.radians(elevation)) * math.cos(math.radians(relative)))
    return SunSeen(azimuth, elevation, heading_deg % 360.0, relative, math.degrees(off_nose), side)


@dataclass(frozen=True, slots=True)
class Nearest:
    """The point of a zone's boundary, or of a path, nearest to a place."""

    distance_m: float
    azimuth_deg: float
    lat_deg: float
    lon_deg: float
    inside: bool = False


def nearest_point(zone: Zone, lat_deg: float, lon_deg: float) -> Nearest:
    """The point of a zone's boundary nearest to a position, and whether that lies inside.

    Distances agree with the stated boundary within 1 m.

    Raises:
        AdizError: the zone's boundary is known only in part.
    """
    if zone.incomplete:
        raise AdizError(f"zone {zone.zone_id} cannot be measured: {zone.incomplete}")
    import numpy as np

    from adiz.zones.rings import dense_rings

    best: Nearest | None = None
    inside = False
    for ring in dense_rings(zone, 0.5, planar=True):
        points = np.asarray(ring).reshape(-1, 2)
        points = np.vstack([points, points[:1]])
        lon = points[0, 1] + (lon_deg - points[0, 1] + 180.0) % 360.0 - 180.0
        inside ^= any(_is_inside(points, lat_deg, lon + turn) for turn in (0.0, 360.0, -360.0))
        found = _nearest_on(points, lat_deg, lon_deg)
        if best is None or found.distance_m < best.distance_m:
            best = found
    if best is None:
        raise AdizError(f"zone {zone.zone_id} has no boundary")
    return Nearest(best.distance_m, best.azimuth_deg, best.lat_deg, best.lon_deg, inside)


def nearest_on_path(path: Sequence[tuple[float, float]], lat_deg: float, lon_deg: float) -> Nearest:
    """The point of a path (latitude, longitude pairs joined by geodesics) nearest to a position."""
    import numpy as np
    from pyproj import Geod

    geod = Geod(ellps="WGS84")
    points: list[tuple[float, float]] = [path[0]]
    for (lat1, lon1), (lat2, lon2) in pairwise(path):
        count = int(geod.inv(lon1, lat1, lon2, lat2)[2] // _STEP_M)
        between = geod.npts(lon1, lat1, lon2, lat2, count) if count else []
        points += [(lat, lon) for lon, lat in between] + [(lat2, lon2)]
    return _nearest_on(np.asarray(points, float), lat_deg, lon_deg)


@dataclass(frozen=True, slots=True)
class PlaceNear:
    """A named place and how close a path comes to it."""

    name: str
    nearest: Nearest


def places_near(
    path: Sequence[tuple[float, float]],
    places: Iterable[tuple[str, float, float]],
    within_m: float,
) -> list[PlaceNear]:
    """The places (name, latitude, longitude) within a distance of a path, nearest first."""
    found = [PlaceNear(name, nearest_on_path(path, lat, lon)) for name, lat, lon in places]
    found = [place for place in found if place.nearest.distance_m <= within_m]
    return sorted(found, key=lambda place: (place.nearest.distance_m, place.name))


@dataclass(frozen=True, slots=True)
class RangeRing:
    """How far published figures say a type reaches, with their disagreement.

    Attributes:
        inside: places within the least figure.
        disputed: places within the greatest figure only: the sources disagree on them.
    """

    what: str
    lat_deg: float
    lon_deg: float
    least_m: float
    greatest_m: float
    sources: tuple[str, ...]
    inside: tuple[str, ...]
    disputed: tuple[str, ...]


def range_ring(
    what: str,
    center: tuple[float, float],
    figures: Sequence[tuple[float, str]],
    places: Iterable[tuple[str, float, float]],
) -> RangeRing:
    """A ring from published figures (metres, source) about a centre, and the places it holds.

    Raises:
        AdizError: no figure is given.
    """
    if not figures:
        raise AdizError(f"no published range is known for {what}; give at least one with a source")
    from pyproj import Geod

    geod = Geod(ellps="WGS84")
    least, greatest = min(f[0] for f in figures), max(f[0] for f in figures)
    inside: list[str] = []
    disputed: list[str] = []
    for name, lat, lon in places:
        distance = geod.inv(center[1], center[0], lon, lat)[2]
        if distance <= greatest:
            (inside if distance <= least else disputed).append(name)
    sources = tuple(dict.fromkeys(source for _, source in figures))
    return RangeRing(what, *center, least, greatest, sources, tuple(inside), tuple(disputed))


def light_in_capitals(moment: datetime, states: Iterable[str]) -> list[dict[str, Any]]:
    """The clock, the sun's elevation and the light in the capital of each state that is known."""
    wanted = set(states)
    rows = []
    for capital in CAPITALS:
        if capital.state in wanted:
            elevation = sun_at(moment, capital.lat_deg, capital.lon_deg)[1]
            rows.append(
                {
                    "state": capital.state,
                    "capital": capital.name,
                    "local_time": local_time(moment, capital.timezone),
                    "elevation_deg": elevation,
                    "light": name_light(elevation),
                }
            )
    return rows


def _is_inside(points: Floats, lat: float, lon: float) -> bool:
    """Even-odd rule in longitude and latitude; the line is closed and dense."""
    import numpy as np

    lat1, lon1, lat2, lon2 = points[:-1, 0], points[:-1, 1], points[1:, 0], points[1:, 1]
    cut = (lat1 > lat) != (lat2 > lat)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = lon1 + (lat - lat1) / (lat2 - lat1) * (lon2 - lon1)
    return bool(np.count_nonzero(cut & (at > lon)) % 2)


def _nearest_on(points: Floats, lat: float, lon: float) -> Nearest:
    """Nearest point of a line straight in longitude and latitude.

    Measured in the azimuthal equidistant plane about the position, where distances and bearings
    from it are exact; pieces are short enough that they are straight there.
    """
    import numpy as np
    from pyproj import Geod

    geod = Geod(ellps="WGS84")
    points = _cut(points)
    ones = np.ones(len(points))
    azimuth, _, distance = geod.inv(lon * ones, lat * ones, points[:, 1], points[:, 0])
    x, y = distance * np.sin(np.radians(azimuth)), distance * np.cos(np.radians(azimuth))
    dx, dy = np.diff(x), np.diff(y)
    length = dx * dx + dy * dy
    part = np.clip(-(x[:-1] * dx + y[:-1] * dy) / np.where(length > 0, length, 1.0), 0.0, 1.0)
    px, py = x[:-1] + part * dx, y[:-1] + part * dy
    i = int(np.argmin(np.hypot(px, py)))
    bearing = float(np.degrees(np.arctan2(px[i], py[i])) % 360.0)
    gap_m = float(np.hypot(px[i], py[i]))
    at_lon, at_lat, _ = geod.fwd(lon, lat, bearing, gap_m)
    return Nearest(gap_m, bearing, float(at_lat), float(at_lon))


def _cut(points: Floats) -> Floats:
    """The line with no piece longer than about ``_STEP_M``."""
    import numpy as np

    if len(points) == 1:
        return np.repeat(points, 2, axis=0)
    steps = np.diff(points, axis=0)
    metres = np.hypot(steps[:, 0], steps[:, 1] * np.cos(np.radians(points[:-1, 0]))) * 111_320.0
    counts = np.maximum(1, np.ceil(metres / _STEP_M)).astype(int)
    index = np.repeat(np.arange(len(counts)), counts)
    part = (np.arange(len(index)) - np.repeat(np.cumsum(counts) - counts, counts)) / counts[index]
    return np.vstack([points[index] + part[:, None] * steps[index], points[-1:]])
