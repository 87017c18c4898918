"""What is written as GeoJSON comes back equal, and its geometry is the zone's."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import shapely
from hypothesis import assume, given
from hypothesis import strategies as st

import adiz
from adiz.zones.geojson import read_geojson
from adiz.zones.geojson_write import write_geojson
from adiz.zones.model import EDGES, SFC, UNL, Arc, Circle, Limit, Ring, Vertex, Zone

words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
lats = st.floats(-80, 80)
lons = st.floats(-180, 180)
heights = st.floats(1, 60_000)
limits = st.one_of(
    st.just(SFC),
    st.just(UNL),
    st.builds(Limit, st.sampled_from(["AMSL", "FL", "AGL"]), heights),
)
moments = st.none() | st.datetimes(datetime(1900, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
edges = st.none() | st.sampled_from([edge for edge in EDGES if edge != "parallel"])


@st.composite
def rings(draw: st.DrawFn) -> Ring:
    lat, lon = draw(st.floats(-70, 70)), draw(lons)
    if draw(st.booleans()):
        return Ring((Circle(lat, lon, draw(st.floats(1000, 400_000))),))
    size = draw(st.floats(0.5, 5))
    arc = Arc(lat, lon, lat + size, lon, lat, lon + size, draw(st.booleans()), draw(edges))
    return Ring((arc, Vertex(lat - size, lon, draw(edges)), Vertex(lat, lon - size, "rhumb")))


@st.composite
def zones(draw: st.DrawFn) -> Zone:
    valid_from, valid_to = draw(moments), draw(moments)
    assume(not (valid_from and valid_to) or valid_from < valid_to)
    return Zone(
        zone_id=draw(words),
        name=draw(words),
        rings=tuple(draw(st.lists(rings(), max_size=2))),
        kind=draw(st.sampled_from(["adiz", "territorial", "fir", "other"])),
        edge=draw(st.sampled_from([edge for edge in EDGES if edge != "parallel"])),
        floor=draw(limits),
        ceiling=draw(limits),
        valid_from=valid_from,
        valid_to=valid_to,
        version_of=draw(st.just("") | words),
        claimants=tuple(draw(st.lists(st.sampled_from(["KR", "JP", "CN"]), unique=True))),
        rule=draw(st.just("") | words),
        note=draw(st.just("") | words),
        incomplete=draw(st.just("") | words),
    )


@given(zones())
def test_zones_come_back_equal(zone: Zone) -> None:
    text = write_geojson([zone], 100.0)
    placed, faults = read_geojson(text, "file", "file")
    assert faults == []
    assert [found for found, _ in placed] == [zone]
    geometry = json.loads(text)["features"][0]["geometry"]
    if geometry:
        west, _, east, _ = shapely.from_geojson(json.dumps(geometry)).bounds
        assert -180 <= west <= east <= 180


def test_the_catalogue_comes_back_equal_and_valid() -> None:
    text = write_geojson(adiz.zones(), 100.0)
    placed, faults = read_geojson(text, "file", "file")
    assert faults == []
    assert [zone for zone, _ in placed] == list(adiz.zones())
    for feature in json.loads(text)["features"]:
        if feature["geometry"]:
            shape = shapely.from_geojson(json.dumps(feature["geometry"]))
            assert shape.is_valid
            assert all(ring.is_ccw for ring in [p.exterior for p in shapely.get_parts(shape)])


def test_a_zone_across_the_antimeridian_is_cut_and_keeps_its_hole() -> None:
    outer = Ring(tuple(Vertex(*p) for p in [(50, 170), (50, -170), (60, -170), (60, 170)]))
    hole = Ring(tuple(Vertex(*p) for p in [(54, 178), (54, -178), (56, -178), (56, 178)]), True)
    zone = Zone("x", "x", (outer, hole), edge="planar")
    (feature,) = json.loads(write_geojson([zone]))["features"]
    shape = shapely.from_geojson(json.dumps(feature["geometry"]))
    assert feature["geometry"]["type"] == "MultiPolygon"
    assert shape.is_valid
    assert shape.bounds == (-180, 50, 180, 60)
    assert abs(shape.area - (200 - 8)) < 1e-9
    assert not shape.covers(shapely.Point(179, 55))
    assert shape.covers(shapely.Point(-171, 55))
