"""The catalogue against an independent geodesic library and published figures."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pyproj import Geod

import adiz
from adiz.geo import densify_edge
from adiz.zones.model import Arc, Vertex, Zone
from adiz.zones.rings import dense_rings

GEOD = Geod(ellps="WGS84")
CATALOGUE = adiz.zones()


def area_km2(zone: Zone) -> float:
    lats, lons = [], []
    for ring in dense_rings(zone):
        lats += ring[0::2]
        lons += ring[1::2]
    return abs(GEOD.polygon_area_perimeter(lons, lats)[0]) / 1e6


def great_circles(zone: Zone) -> Zone:
    rings = tuple(
        replace(ring, parts=tuple(replace(part, edge="geodesic") for part in ring.parts))
        for ring in zone.rings
    )
    return replace(zone, rings=rings)


def test_area_of_the_korean_zone_by_edge_rule() -> None:
    kadiz = CATALOGUE["KADIZ-2013"]
    assert area_km2(kadiz) == pytest.approx(484_518, abs=1)
    assert area_km2(great_circles(kadiz)) == pytest.approx(490_392, abs=1)


def test_area_of_the_taiwan_rectangle() -> None:
    assert area_km2(CATALOGUE["TWN-ADIZ"]) == pytest.approx(491_635, abs=1)


def test_bulge_of_a_great_circle_edge_at_39_north() -> None:
    edge = densify_edge("geodesic", 39.0, 123.5, 39.0, 133.0, 1e-5)
    points = list(zip(edge[0::2], edge[1::2], strict=True))

    def bulge_km(lon: float) -> float:
        lat = min(points, key=lambda p: abs(p[1] - lon))[0]
        return GEOD.inv(lon, 39.0, lon, lat)[2] / 1e3

    assert bulge_km(132.0) == pytest.approx(4.05, abs=0.02)
    assert bulge_km(128.25) == pytest.approx(10.75, abs=0.02)


def test_nearest_edge_of_the_korean_zone_to_the_liancourt_rocks() -> None:
    (ring,) = dense_rings(CATALOGUE["KADIZ-2013"], 1e-5)
    islets = [(37.240777778, 131.869555556), (37.241833333, 131.865166667)]
    nearest = min(
        (GEOD.inv(lon, lat, ring[i + 1], ring[i])[2], lat, lon, ring[i], ring[i + 1])
        for lat, lon in islets
        for i in range(0, len(ring), 2)
    )
    distance_m, lat, lon, to_lat, to_lon = nearest
    assert distance_m / 1e3 == pytest.approx(49.3, abs=0.1)
    assert GEOD.inv(lon, lat, to_lon, to_lat)[0] == pytest.approx(147.5, abs=0.5)


def test_the_liancourt_belt_is_the_union_of_two_true_circles() -> None:
    for zone_id in ("LIANCOURT-12NM-KR", "LIANCOURT-12NM-JP"):
        zone = CATALOGUE[zone_id]
        arcs = zone.rings[0].parts
        assert all(isinstance(part, Arc) for part in arcs)
        centers = [(a.center_lat_deg, a.center_lon_deg) for a in arcs]
        (ring,) = dense_rings(zone, 0.1)
        for i in range(0, len(ring), 2):
            reach = min(GEOD.inv(lon, lat, ring[i + 1], ring[i])[2] for lat, lon in centers)
            assert reach == pytest.approx(22_224.0, abs=0.2)


def test_every_complete_zone_can_be_drawn_and_says_where_it_is_from() -> None:
    for zone in CATALOGUE:
        assert zone.source, zone.zone_id
        assert zone.confidence, zone.zone_id
        assert zone.claimants, zone.zone_id
        assert zone.incomplete or len(dense_rings(zone)) == len(zone.rings) > 0


def test_the_partly_known_zone_has_no_boundary_to_misuse() -> None:
    jadiz = CATALOGUE["JADIZ-OUTER-PARTIAL"]
    assert jadiz.rings == ()
    assert "points 8 to 30" in jadiz.incomplete


def test_us_edges_follow_the_law() -> None:
    for zone in adiz.zones("US-CONUS-ADIZ,US-ALASKA-ADIZ,US-HAWAII,US-GUAM"):
        parts = [p for ring in zone.rings for p in ring.parts]
        for part, after in zip(parts, [*parts[1:], parts[0]], strict=True):
            assert isinstance(part, Vertex)
            assert isinstance(after, Vertex)
            difference = abs(part.lat_deg - after.lat_deg)
            expected = "parallel" if not difference else "rhumb" if difference < 1.5e-5 else None
            assert part.edge == expected
