"""Compact position reporting (CPR): the coded positions of ADS-B back to latitude and longitude.

Two messages of opposite parity tell a position by themselves (global decoding); one message tells
it where a place near it is known (local decoding). Airborne positions repeat about every 360 NM,
surface positions every 90 NM; global decoding of surface positions leaves four candidates 90
degrees apart, of which the nearest to the known place is it.

Formulas: RTCA DO-260B, appendix A 1.7; agreement with the airborne and surface encodings there is
tested against an independent decoder.
"""

from __future__ import annotations

import math
from typing import NamedTuple

_NZ = 15
_SCALE = 1 << 17
_TURN = {False: 360.0, True: 90.0}


class Coded(NamedTuple):
    """One coded position.

    Attributes:
        lat: 17 bits.
        lon: 17 bits.
        odd: the parity of the message.
        surface: a surface position.
    """

    lat: int
    lon: int
    odd: bool
    surface: bool = False


def decode_globally(
    first: Coded, second: Coded, near: tuple[float, float] | None = None
) -> tuple[float, float] | None:
    """Latitude and longitude (degrees) of ``second``, from it and one of the other parity.

    Parameters:
        near: a known place within 45 degrees; needed for surface positions.

    Returns:
        None where the two lie in different longitude zones, or hold no position on Earth.
    """
    even, odd = (first, second) if second.odd else (second, first)
    turn = _TURN[second.surface]
    index = math.floor((59 * even.lat - 60 * odd.lat) / _SCALE + 0.5)
    lats = [
        turn / (60 - parity) * (index % (60 - parity) + coded.lat / _SCALE)
        for parity, coded in enumerate((even, odd))
    ]
    if second.surface:
        if near is None:
            return None
        # North or south: the one nearer to the known place, the same for both.
        south = abs(lats[second.odd] - 90 - near[0]) < abs(lats[second.odd] - near[0])
        lats = [lat - 90 * south for lat in lats]
    else:
        lats = [lat - 360 if lat >= 270 else lat for lat in lats]
    zones = longitude_zones(lats[0])
    if max(map(abs, lats)) > 90 or zones != longitude_zones(lats[1]):
        return None
    lat = lats[second.odd]
    count = max(zones - second.odd, 1)
    index = math.floor((even.lon * (zones - 1) - odd.lon * zones) / _SCALE + 0.5)
    lon = turn / count * (index % count + second.lon / _SCALE)
    if second.surface and near is not None:
        lon += 90 * round((near[1] - lon) / 90)
    return lat, _wrapped(lon)


def decode_locally(coded: Coded, near: tuple[float, float]) -> tuple[float, float] | None:
    """Latitude and longitude (degrees) of a position within half a zone of a known place.

    Half a zone is 180 NM for airborne positions, 45 NM on the surface. None where that is no
    position on Earth.
    """
    turn = _TURN[coded.surface]
    lat = _nearest(coded.lat, turn / (60 - coded.odd), near[0])
    if abs(lat) > 90:
        return None
    zone = turn / max(longitude_zones(lat) - coded.odd, 1)
    return lat, _wrapped(_nearest(coded.lon, zone, near[1]))


def longitude_zones(lat_deg: float) -> int:
    """The number of even longitude zones at a latitude (NL), 1 to 59."""
    lat = abs(lat_deg)
    if lat >= 87:
        return 2 if lat == 87 else 1
    across = 1 - (1 - math.cos(math.pi / (2 * _NZ))) / math.cos(math.radians(lat)) ** 2
    return math.floor(math.tau / math.acos(across))


def _nearest(coded: int, zone: float, near: float) -> float:
    """The coordinate with this place within its zone that is nearest to a known one."""
    place = coded / _SCALE
    return zone * (place + math.floor(0.5 + near / zone - place))


def _wrapped(lon: float) -> float:
    return (lon + 180) % 360 - 180
