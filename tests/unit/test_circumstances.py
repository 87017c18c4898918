from datetime import UTC, datetime

import pytest

from adiz.errors import AdizError
from adiz.geo import direct, inverse
from adiz.incidents.circumstances import (
    light_in_capitals,
    local_time,
    name_light,
    nearest_on_path,
    nearest_point,
    places_near,
    range_ring,
)
from adiz.zones.model import Circle, Ring, Vertex, Zone

KADIZ = Zone(
    "KADIZ-2013",
    "KADIZ",
    (
        Ring(
            tuple(
                Vertex(lat, lon, "parallel" if i in (0, 7, 9) else None)
                for i, (lat, lon) in enumerate(
                    [
                        (39.0, 123.5),
                        (39.0, 133.0),
                        (37 + 17 / 60, 133.0),
                        (36.0, 130.5),
                        (35 + 13 / 60, 129.8),
                        (34 + 43 / 60, 129.15),
                        (34 + 17 / 60, 128 + 52 / 60),
                        (32.5, 127.5),
                        (32.5, 126 + 50 / 60),
                        (30.0, 125 + 25 / 60),
                        (30.0, 124.0),
                        (37.0, 124.0),
                    ]
                )
            )
        ),
    ),
)


def test_one_moment_on_several_clocks() -> None:
    shots = datetime(2019, 7, 23, 0, 9, tzinfo=UTC)
    clocks = {z: local_time(shots, z).strftime("%H:%M") for z in ("Asia/Seoul", "Europe/Moscow")}
    assert clocks == {"Asia/Seoul": "09:09", "Europe/Moscow": "03:09"}


def test_clock_errors_name_the_remedy() -> None:
    with pytest.raises(AdizError, match="Asia/Seoul"):
        local_time(datetime(2019, 7, 23, tzinfo=UTC), "Seoul/Asia")
    with pytest.raises(AdizError, match="no time zone"):
        local_time(datetime(2019, 7, 23), "Asia/Seoul")  # noqa: DTZ001
    with pytest.raises(AdizError):
        local_time(datetime(2019, 7, 23, tzinfo=UTC), "../../etc/passwd")


def test_capitals_day_and_night() -> None:
    shots = datetime(2019, 7, 23, 0, 9, tzinfo=UTC)
    light = {row["capital"]: row["light"] for row in light_in_capitals(shots, ["KR", "RU", "XX"])}
    assert light == {"Seoul": "day", "Moscow": "nautical twilight"}
    assert [name_light(e) for e in (0, -1, -7, -13, -19)] == [
        "day",
        "civil twilight",
        "nautical twilight",
        "astronomical twilight",
        "night",
    ]


def test_nearest_edge_of_kadiz_to_the_liancourt_rocks() -> None:
    near = nearest_point(KADIZ, 37.2413, 131.8670)
    assert near.inside
    assert near.distance_m == pytest.approx(49_300, abs=400)
    assert near.azimuth_deg == pytest.approx(147.5, abs=1.5)
    assert (near.lat_deg, near.lon_deg) == pytest.approx((36.865, 132.165), abs=0.01)


def test_76_miles_north_of_ulleungdo_is_inside_kadiz() -> None:
    lat, lon = direct(37.5, 130.866, 0, 76 * 1852)
    near = nearest_point(KADIZ, lat, lon)
    assert near.inside
    assert near.distance_m == pytest.approx(26_000, abs=1_000)


def test_nearest_point_of_a_circle_is_exact() -> None:
    belt = Zone("belt", "belt", (Ring((Circle(37.24, 131.87, 22_224.0),)),))
    for azimuth in range(0, 360, 37):
        lat, lon = direct(37.24, 131.87, azimuth, 100_000)
        near = nearest_point(belt, lat, lon)
        assert not near.inside
        assert near.distance_m == pytest.approx(77_776, abs=1)
        assert inverse(near.lat_deg, near.lon_deg, 37.24, 131.87)[0] == pytest.approx(22_224, abs=1)


def test_nearest_point_over_the_antimeridian() -> None:
    zone = Zone(
        "alaska",
        "alaska",
        (Ring((Vertex(50, 175), Vertex(60, 175), Vertex(60, -175), Vertex(50, -175))),),
        edge="planar",
    )
    assert nearest_point(zone, 55, -179).inside
    assert nearest_point(zone, 55, 179).inside
    assert not nearest_point(zone, 55, -174).inside


def test_partly_known_zone_is_not_measured() -> None:
    with pytest.raises(AdizError, match="points 8 to 30"):
        nearest_point(Zone("JADIZ", "JADIZ", (), incomplete="points 8 to 30 unknown"), 37, 131)


def test_places_near_a_path() -> None:
    path = [(36.0, 131.0), (38.0, 131.0)]
    assert nearest_on_path(path, 37.0, 131.0).distance_m < 1
    places = [("near", 37.0, 131.1), ("beyond the end", 38.1, 131.0), ("far", 37.0, 135.0)]
    found = places_near(path, places, 20_000)
    assert [place.name for place in found] == ["near", "beyond the end"]
    assert found[1].nearest.distance_m == pytest.approx(11_100, abs=100)
    assert nearest_on_path(path[:1], 37.0, 131.0).distance_m == pytest.approx(110_950, abs=100)


def test_range_rings_keep_the_disagreement() -> None:
    places = [("a", 0.0, 1.0), ("b", 0.0, 5.0), ("c", 0.0, 9.0)]
    ring = range_ring("A-50", (0.0, 0.0), [(4e5, "one"), (6e5, "two"), (5e5, "one")], places)
    assert (ring.least_m, ring.greatest_m, ring.sources) == (4e5, 6e5, ("one", "two"))
    assert (ring.inside, ring.disputed) == (("a",), ("b",))
    with pytest.raises(AdizError, match="no published range"):
        range_ring("A-50", (0.0, 0.0), [], places)
