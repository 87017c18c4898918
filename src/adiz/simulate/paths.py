"""Where something is at a time: routes, racetracks, and stations kept on a leader.

A path answers ``at(times)`` for an array of seconds since its own beginning. Positions are on
WGS84, by pyproj's geodesics; nothing of the product's own geometry is used, so that worlds can
test it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from pyproj import Geod

from adiz.units import KT_PER_MPS

GEOD = Geod(ellps="WGS84")
Array = NDArray[np.float64]
LatLon = tuple[float, float]


class Motion(NamedTuple):
    """Arrays over the times asked for."""

    lat_deg: Array
    lon_deg: Array
    course_deg: Array
    speed_kt: Array


class Path(Protocol):
    def at(self, times: Array) -> Motion:
        """Where it is, seconds after its beginning."""
        ...


def move(lat: Any, lon: Any, azimuth: Any, distance_m: Any) -> tuple[Array, Array, Array]:
    """Latitude, longitude and course after a way along geodesics."""
    lat, lon, azimuth, distance_m = np.broadcast_arrays(lat, lon, azimuth, distance_m)
    to_lon, to_lat, back = GEOD.fwd(lon, lat, azimuth, distance_m)
    return np.asarray(to_lat), np.asarray(to_lon), np.asarray(back) + 180.0


class Route:
    """Geodesics between points at speeds given along the way.

    Args:
        points: at least two, (lat, lon).
        speeds: (distance in metres from the start, knots), in order; held before the first and
            after the last, and changed evenly over the distance between. One number holds.
    """

    def __init__(
        self, points: Sequence[LatLon], speeds: float | Sequence[tuple[float, float]]
    ) -> None:
        self._lat, self._lon = np.array(points, dtype=float).T
        az, _, length = GEOD.inv(self._lon[:-1], self._lat[:-1], self._lon[1:], self._lat[1:])
        self._azimuth = np.asarray(az)
        self._start_m = np.concatenate([[0.0], np.cumsum(length)])
        self.length_m = float(self._start_m[-1])
        nodes = [(0.0, speeds)] if isinstance(speeds, int | float) else list(speeds)
        at_m, knots = np.array(nodes, dtype=float).T
        self._node_m = np.unique(np.concatenate([np.linspace(0, self.length_m, 200), at_m]))
        speed = np.interp(self._node_m, at_m, knots) / KT_PER_MPS
        step_s = np.diff(self._node_m) * 2.0 / (speed[1:] + speed[:-1])
        self._node_s = np.concatenate([[0.0], np.cumsum(step_s)])
        self.duration_s = float(self._node_s[-1])

    def way_m(self, times: Array) -> Array:
        """Distance gone."""
        return np.asarray(np.interp(times, self._node_s, self._node_m))

    def at(self, times: Array) -> Motion:
        way = self.way_m(times)
        node = np.clip(np.searchsorted(self._node_s, times) - 1, 0, len(self._node_s) - 2)
        speed = np.diff(self._node_m)[node] / np.diff(self._node_s)[node]
        leg = np.clip(np.searchsorted(self._start_m, way, "right") - 1, 0, len(self._azimuth) - 1)
        lat, lon, course = move(
            self._lat[leg], self._lon[leg], self._azimuth[leg], way - self._start_m[leg]
        )
        return Motion(lat, lon, course, speed * KT_PER_MPS)


class Racetrack:
    """Two straight legs joined by half circles, clockwise, round and round."""

    def __init__(
        self, center: LatLon, heading_deg: float, leg_m: float, radius_m: float, speed_kt: float
    ) -> None:
        self._center, self._heading, self._speed = center, heading_deg, speed_kt
        self._leg, self._radius = leg_m, radius_m

    def at(self, times: Array) -> Motion:
        leg, radius = self._leg, self._radius
        half = np.pi * radius
        way = (np.asarray(times) * self._speed / KT_PER_MPS) % (2 * (leg + half))
        back = way >= leg + half
        part = np.where(back, way - leg - half, way)
        straight = part < leg
        turn = np.where(straight, 0.0, (part - leg) / radius)
        along = np.where(straight, part - leg / 2, leg / 2 + radius * np.sin(turn))
        right = np.where(straight, -radius, -radius * np.cos(turn))
        along, right = np.where(back, -along, along), np.where(back, -right, right)
        course = self._heading + np.degrees(turn) + np.where(back, 180.0, 0.0)
        lat, lon, _ = move(
            *self._center,
            self._heading + np.degrees(np.arctan2(right, along)),
            np.hypot(along, right),
        )
        return Motion(lat, lon, course % 360.0, np.full_like(lat, self._speed))


class Station:
    """A place relative to a leader's path that changes over time.

    Args:
        leader: whom it keeps station on.
        stations: (seconds, metres to the right, metres behind), in order of time; between them
            it moves evenly, before the first and after the last it stays.
        delay_s: the leader's clock is this much ahead.
    """

    _SPREAD_S = (-60.0, -40.0, -20.0, 0.0, 20.0, 40.0, 60.0)

    def __init__(
        self, leader: Path, stations: Sequence[tuple[float, float, float]], delay_s: float = 0.0
    ) -> None:
        self._leader, self._delay = leader, delay_s
        self._times, self._right, self._behind = np.array(stations, dtype=float).T

    def at(self, times: Array) -> Motion:
        times = np.asarray(times)
        lead = self._leader.at(times + self._delay)
        # The course a wingman goes by is smoothed: he does not swing round at a corner.
        courses = np.radians([self._leader.at(times + self._delay + d)[2] for d in self._SPREAD_S])
        course = np.degrees(np.arctan2(np.sin(courses).mean(0), np.cos(courses).mean(0)))
        right = np.interp(times, self._times, self._right)
        behind = np.interp(times, self._times, self._behind)
        lat, lon, _ = move(
            lead.lat_deg,
            lead.lon_deg,
            course + np.degrees(np.arctan2(right, -behind)),
            np.hypot(right, behind),
        )
        return Motion(lat, lon, lead.course_deg, lead.speed_kt)
