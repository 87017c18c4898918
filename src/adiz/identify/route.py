"""Item 15 of a flight plan as a path over ground, and when the plan says it is where.

Significant points come from a user's file, coordinates from the route itself. A route names far
more points than any one file holds: those unknown are listed, and the path runs through the known
ones by geodesics. Airways are not resolved.

Bearing-and-distance points (``DUB180040``) use magnetic bearings; the variation is a column of the
points file, and where it is missing the bearing is taken as true and a note says so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from adiz.errors import Fault, FaultyInputError
from adiz.geo import direct, inverse
from adiz.identify.ats import AtsMessage
from adiz.tracks.user_csv import read_user_csv
from adiz.units import KT_PER_KMH, M_PER_NM

_COORDINATES = re.compile(r"(\d{2})([0-5]\d)?([NS])(\d{3})([0-5]\d)?([EW])")
_BEARING = re.compile(r"([A-Z]{2,5}|\d{2,4}[NS]\d{3,5}[EW])(\d{3})(\d{3})")
_AIRWAY = re.compile(r"[A-Z]{1,3}\d{1,4}[A-Z]?|NAT[A-Z]")
_WORDS = {"DCT", "VFR", "IFR", "OAT", "GAT", "T", "SID", "STAR"}
_EET = re.compile(r"([A-Z0-9]+?)(\d{2}[0-5]\d)")
_SPHERE_M = 6_371_008.8


@dataclass(frozen=True, slots=True)
class PlanPoint:
    """A point of a plan: its name as written, and where it is (degrees, WGS84)."""

    name: str
    lat_deg: float
    lon_deg: float
    variation_deg: float | None = None


Points = Mapping[str, Sequence[PlanPoint]]
"""Significant points and aerodromes by name; a name may be used in several places."""


@dataclass(frozen=True, slots=True)
class PlanPath:
    """Where a plan leads.

    Attributes:
        points: those known, in order; departure and destination too where known.
        unknown: names that no points file holds.
        notes: what was assumed.
        along_m: distance of each point from the first.
        anchors: (distance along the path in metres, minutes after take-off) the plan states.
        departure: where it departs, None where that is not known.
    """

    points: tuple[PlanPoint, ...]
    unknown: tuple[str, ...]
    notes: tuple[str, ...]
    along_m: tuple[float, ...]
    anchors: tuple[tuple[float, float], ...]
    departure: PlanPoint | None

    def nearest(self, lat_deg: float, lon_deg: float) -> tuple[float, float] | None:
        """Distance from the path and distance along it of its nearest point, in metres.

        The foot of the perpendicular is found on a sphere, the distance to it on the ellipsoid;
        the error stays below 0.5 % of the distance. None for a path of fewer than two points.
        """
        best: tuple[float, float] | None = None
        for start, end, along in zip(self.points, self.points[1:], self.along_m, strict=False):
            length, azimuth = _way(start.lat_deg, start.lon_deg, end.lat_deg, end.lon_deg)
            reach, bearing = _way(start.lat_deg, start.lon_deg, lat_deg, lon_deg)
            angle, turn = reach / _SPHERE_M, math.radians(bearing - azimuth)
            foot = math.atan2(math.sin(angle) * math.cos(turn), math.cos(angle)) * _SPHERE_M
            foot = min(max(foot, 0.0), length)
            place = direct(start.lat_deg, start.lon_deg, azimuth, foot)
            off = distance_m(*place, lat_deg, lon_deg)
            if best is None or off < best[0]:
                best = (off, along + foot)
        return best

    def minutes_at(self, along_m: float, speed_kt: float) -> float | None:
        """Minutes after take-off at a distance along the path; None where the plan gives none.

        Straight between the times the plan states (elapsed times of items 16 and 18); beyond
        them at the filed speed, in still air.
        """
        if not self.anchors:
            return None
        before = [a for a in self.anchors if a[0] <= along_m]
        after = [a for a in self.anchors if a[0] > along_m]
        if before and after:
            (d0, t0), (d1, t1) = before[-1], after[0]
            return t0 + (t1 - t0) * (along_m - d0) / (d1 - d0)
        d0, t0 = before[-1] if before else after[0]
        return t0 + (along_m - d0) / M_PER_NM / speed_kt * 60 if speed_kt > 0 else None


def read_points(path: str | Path) -> dict[str, list[PlanPoint]]:
    """Read significant points and aerodromes: CSV with name, lat_deg, lon_deg, variation_deg.

    Raises:
        FaultyInputError: with each bad row.
    """
    found: dict[str, list[PlanPoint]] = {}
    faults = []
    for row in read_user_csv(Path(path), ("name", "lat_deg", "lon_deg", "variation_deg")):
        try:
            lat, lon = float(row.cells["lat_deg"]), float(row.cells["lon_deg"])
            turn = float(row.cells["variation_deg"]) if "variation_deg" in row.cells else None
            if not (abs(lat) <= 90 and abs(lon) <= 360 and (turn is None or abs(turn) <= 180)):
                raise ValueError
            name = row.cells["name"].upper()
            found.setdefault(name, []).append(PlanPoint(name, lat, lon, turn))
        except (KeyError, ValueError):
            remedy = "give name, lat_deg and lon_deg in decimal degrees"
            faults.append(Fault("is no point", str(path), row.line, remedy=remedy))
    if faults:
        raise FaultyInputError(faults)
    return found


def parse_coordinates(text: str) -> tuple[float, float] | None:
    """Latitude and longitude of ``26N119W`` or ``2544N12000W``; None for anything else.

    Example:
        >>> parse_coordinates("2704N11630W")
        (27.066666666666666, -116.5)
    """
    match = _COORDINATES.fullmatch(text)
    if match is None:
        return None
    lat_d, lat_m, north, lon_d, lon_m, east = match.groups()
    lat, lon = int(lat_d) + int(lat_m or 0) / 60, int(lon_d) + int(lon_m or 0) / 60
    if lat > 90 or lon > 180:
        return None
    return (lat if north == "N" else -lat), (lon if east == "E" else -lon)


def speed_kt(speed: str, level: str = "") -> float | None:
    """A filed cruising speed as true airspeed in knots.

    A Mach number is taken at the filed level in the standard atmosphere (FL350 where none).

    Example:
        >>> speed_kt("N0454"), round(speed_kt("M082", "F350"))
        (454.0, 473)
    """
    if not re.fullmatch(r"[NK]\d{4}|M\d{3}", speed):
        return None
    number = float(speed[1:])
    if speed[0] == "N":
        return number
    if speed[0] == "K":
        return number * KT_PER_KMH
    height_ft = level_ft(level) or 35_000.0
    kelvin = max(288.15 - 0.0019812 * height_ft, 216.65)
    return number / 100 * 661.5 * math.sqrt(kelvin / 288.15)


def level_ft(level: str) -> float | None:
    """A filed level in feet: ``F330``, ``A045``, ``S1130`` or ``M0840`` (tens of metres)."""
    if not re.fullmatch(r"[FA]\d{3}|[SM]\d{4}", level):
        return None
    number = float(level[1:])
    return number * 100 if level[0] in "FA" else number * 10 / 0.3048


def resolve_path(plan: AtsMessage, points: Points) -> PlanPath:
    """The path of a plan through the points that are known."""
    found: list[PlanPoint] = []
    unknown: list[str] = []
    notes: list[str] = []
    departure = _end(plan, plan.departure, "DEP", points, found, notes)
    if departure:
        found.append(departure)
    for token in plan.route.split():
        name = token.removeprefix("C/").split("/")[0]
        if not name or name in _WORDS:
            continue
        point = _resolve(name, points, found, notes)
        if point:
            found.append(point)
        elif not _AIRWAY.fullmatch(name):
            unknown.append(name)
    destination = _end(plan, plan.destination, "DEST", points, found, notes)
    if destination:
        found.append(destination)
    along = [0.0]
    for a, b in pairwise(found):
        along.append(along[-1] + distance_m(a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg))
    along = along[: len(found)]
    anchors = _anchors(plan, found, along, bool(departure), bool(destination))
    return PlanPath(tuple(found), tuple(unknown), tuple(notes), tuple(along), anchors, departure)


def _end(
    plan: AtsMessage,
    name: str,
    indicator: str,
    points: Points,
    before: list[PlanPoint],
    notes: list[str],
) -> PlanPoint | None:
    """An aerodrome; for ``ZZZZ`` the place item 18 gives, by coordinates or a known name."""
    if name == "ZZZZ":
        name = next(iter(plan.other.get(indicator, "").split()), "")
        return _resolve(name, points, before, notes)
    return _find(name, points, before)


def _find(name: str, points: Points, before: list[PlanPoint]) -> PlanPoint | None:
    """The place of a name; of several, the one nearest to the point before."""
    places = points.get(name, ())
    if len(places) <= 1 or not before:
        return places[0] if len(places) == 1 else None
    last = before[-1]
    return min(places, key=lambda p: inverse(last.lat_deg, last.lon_deg, p.lat_deg, p.lon_deg)[0])


def _resolve(
    name: str, points: Points, before: list[PlanPoint], notes: list[str]
) -> PlanPoint | None:
    place = parse_coordinates(name)
    if place:
        return PlanPoint(name, *place)
    known = _find(name, points, before)
    match = _BEARING.fullmatch(name)
    if known or match is None or int(match.group(2)) > 360:
        return known
    origin = _resolve(match.group(1), points, before, notes)
    if origin is None:
        return None
    if origin.variation_deg is None:
        notes.append(f"the magnetic bearing of {name} is taken as true: no variation is known")
    bearing = int(match.group(2)) + (origin.variation_deg or 0.0)
    distance_m = int(match.group(3)) * M_PER_NM
    return PlanPoint(name, *direct(origin.lat_deg, origin.lon_deg, bearing, distance_m))


def _anchors(
    plan: AtsMessage, found: list[PlanPoint], along: list[float], departs: bool, arrives: bool
) -> tuple[tuple[float, float], ...]:
    """Times the plan states at places of its path; those that run backwards are left out."""
    stated: list[tuple[float, float]] = [(0.0, 0.0)] if departs else []
    at = {point.name: distance for point, distance in zip(found, along, strict=True)}
    for entry in plan.other.get("EET", "").split():
        match = _EET.fullmatch(entry)
        if match and match.group(1) in at:
            stated.append((at[match.group(1)], _minutes(match.group(2))))
    if arrives and plan.eet:
        stated.append((along[-1], _minutes(plan.eet)))
    kept: list[tuple[float, float]] = []
    for distance, minutes in sorted(stated):
        if not kept or (distance > kept[-1][0] and minutes > kept[-1][1]):
            kept.append((distance, minutes))
    return tuple(kept)


def distance_m(lat1_deg: float, lon1_deg: float, lat2_deg: float, lon2_deg: float) -> float:
    """Geodesic distance; half way round the earth for points nearly opposite each other."""
    return _way(lat1_deg, lon1_deg, lat2_deg, lon2_deg)[0]


def _way(lat1_deg: float, lon1_deg: float, lat2_deg: float, lon2_deg: float) -> tuple[float, float]:
    """Distance and azimuth; opposite points have no one azimuth, and north is given."""
    try:
        return inverse(lat1_deg, lon1_deg, lat2_deg, lon2_deg)[:2]
    except ValueError:
        return math.pi * _SPHERE_M, 0.0


def _minutes(hhmm: str) -> float:
    return int(hhmm[:2]) * 60.0 + int(hhmm[2:])
