"""Dense edges against the edges themselves, by an independent geodesic library."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pyproj import Geod

from adiz.geo import densify_edge
from adiz.zones.model import Arc, Circle, Ring, Vertex, Zone
from adiz.zones.rings import dense_rings

GEOD = Geod(ellps="WGS84")
E = math.sqrt(GEOD.es)

lats = st.floats(-80, 80)
lons = st.floats(-180, 180)
spans = st.floats(-40, 40)
tolerances = st.sampled_from([0.1, 5.0, 200.0])


def isometric(lat_deg: float) -> float:
    phi = math.radians(lat_deg)
    return math.asinh(math.tan(phi)) - E * math.atanh(E * math.sin(phi))


def middles(points: list[tuple[float, float]], planar: bool) -> list[tuple[float, float]]:
    """The middle of each piece, as the dense points are meant to be joined."""
    if planar:
        return [((a[0] + b[0]) / 2, (a[1] + b[1]) / 2) for a, b in pairwise(points)]
    return [GEOD.npts(a[1], a[0], b[1], b[0], 1)[0][::-1] for a, b in pairwise(points)]


def off_geodesic_m(
    lat: float, lon: float, start: tuple[float, float], end: tuple[float, float]
) -> float:
    """Cross-track distance, by the angle at the nearest of the points 100 m apart."""
    azimuth, _, length = GEOD.inv(start[1], start[0], end[1], end[0])
    near = GEOD.inv(start[1], start[0], lon, lat)[2]
    for _ in range(4):  # towards the foot of the perpendicular
        x, y, back = GEOD.fwd(start[1], start[0], azimuth, min(max(near, 0.0), length))
        to, _, apart = GEOD.inv(x, y, lon, lat)
        angle = math.radians(to - (back + 180.0))
        near += apart * math.cos(angle)
    return abs(apart * math.sin(angle))


@given(lats, lons, spans, spans, tolerances, st.booleans())
def test_geodesic_edges(
    lat: float, lon: float, dlat: float, dlon: float, tolerance_m: float, planar: bool
) -> None:
    end = (max(-80.0, min(80.0, lat + dlat)), lon + dlon)
    assume(GEOD.inv(lon, lat, end[1], end[0])[2] > 1000)
    flat = densify_edge("geodesic", lat, lon, *end, tolerance_m, planar=planar)
    points = [*zip(flat[0::2], flat[1::2], strict=True), end]
    assert all(abs(a[1] - b[1]) < 180 for a, b in pairwise(points))
    chosen = middles(points, planar)
    for middle in chosen[:: max(1, len(chosen) // 20)]:
        assert off_geodesic_m(*middle, (lat, lon), end) <= tolerance_m * 1.01


@given(lats, lons, spans, tolerances, st.booleans())
def test_parallels(lat: float, lon: float, dlon: float, tolerance_m: float, planar: bool) -> None:
    assume(abs(dlon) > 0.01)
    flat = densify_edge("parallel", lat, lon, lat, lon + dlon, tolerance_m, planar=planar)
    points = [*zip(flat[0::2], flat[1::2], strict=True), (lat, lon + dlon)]
    for middle_lat, _ in middles(points, planar):
        assert abs(middle_lat - lat) * 111_700 <= tolerance_m * 1.01


@given(lats, lons, spans, spans, tolerances, st.sampled_from(["rhumb", "planar"]))
def test_lines_straight_on_a_chart(
    lat: float, lon: float, dlat: float, dlon: float, tolerance_m: float, edge: str
) -> None:
    """A rhumb line is straight in longitude and isometric latitude, a planar edge in latitude."""
    end_lat = max(-80.0, min(80.0, lat + dlat))
    assume(abs(dlon) > 0.1 and abs(end_lat - lat) > 0.1)
    height = isometric if edge == "rhumb" else float
    flat = densify_edge(edge, lat, lon, end_lat, lon + dlon, tolerance_m)
    points = [*zip(flat[0::2], flat[1::2], strict=True), (end_lat, lon + dlon)]
    slope = dlon / (height(end_lat) - height(lat))
    chosen = middles(points, planar=False)
    for middle_lat, middle_lon in chosen[:: max(1, len(chosen) // 20)]:
        middle_lon = lon + (middle_lon - lon + 180.0) % 360.0 - 180.0
        lon_there = lon + slope * (height(middle_lat) - height(lat))
        sideways_m = GEOD.inv(middle_lon, middle_lat, lon_there, middle_lat)[2]
        course = math.atan2(
            dlon * math.cos(math.radians(middle_lat)),
            (end_lat - lat)
            * (
                1
                if edge == "planar"
                else math.cos(math.radians(middle_lat))
                * math.degrees(isometric(end_lat) - isometric(lat))
                / (end_lat - lat)
            ),
        )
        assert sideways_m * abs(math.cos(course)) <= tolerance_m * 1.05 + 0.001


@given(lats, lons, st.floats(500, 900_000), tolerances)
def test_circles(lat: float, lon: float, radius_m: float, tolerance_m: float) -> None:
    assume(abs(lat) + radius_m / 111_000 < 88)
    zone = Zone("x", "x", (Ring((Circle(lat, lon, radius_m),)),))
    (flat,) = dense_rings(zone, tolerance_m)
    points = list(zip(flat[0::2], flat[1::2], strict=True))
    for y, x in [*points, *middles([*points, points[0]], planar=False)]:
        assert abs(GEOD.inv(lon, lat, x, y)[2] - radius_m) <= tolerance_m * 1.05


def test_an_arc_whose_radii_differ_runs_from_one_to_the_other() -> None:
    arc = Arc(50, 10, 50.2, 10, 50, 10.3, clockwise=True)
    zone = Zone("x", "x", (Ring((arc, Vertex(50, 10))),))
    (flat,) = dense_rings(zone, 1.0)
    radii = [GEOD.inv(10, 50, x, y)[2] for y, x in zip(flat[0::2], flat[1::2], strict=True)]
    start_m, end_m = GEOD.inv(10, 50, 10, 50.2)[2], GEOD.inv(10, 50, 10.3, 50)[2]
    on_arc = np.array([r for r in radii if r > 20_000])
    assert on_arc[0] == pytest.approx(start_m, abs=0.01)
    assert on_arc.min() == pytest.approx(end_m, abs=2)
    assert np.all(np.diff(on_arc[1:-1]) < 0)
