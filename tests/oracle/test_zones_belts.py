"""Belts against distances from an independent geodesic library."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from pyproj import Geod

import adiz
from adiz.errors import ZoneError
from adiz.zones.baselines import read_baseline
from adiz.zones.belts import Baseline, territorial_belt
from adiz.zones.checks import check_zone
from adiz.zones.measure import area_km2
from adiz.zones.model import Vertex, Zone

GEOD = Geod(ellps="WGS84")
ISLETS = [(37.240777778, 131.869555556), (37.241833333, 131.865166667)]


def distances_m(zone: Zone, base: list[tuple[float, float]]) -> np.ndarray:
    """From each corner of a zone to the nearest of the base points."""
    lats, lons = np.array(base).T
    return np.array(
        [
            GEOD.inv(np.full_like(lons, v.lon_deg), np.full_like(lats, v.lat_deg), lons, lats)[
                2
            ].min()
            for ring in zone.rings
            for v in ring.parts[::15]
            if isinstance(v, Vertex)
        ]
    )


def test_belt_of_islets_is_the_catalogue_s() -> None:
    belt = territorial_belt(ISLETS, claimants=["KR"])
    assert np.abs(distances_m(belt, ISLETS) - 22_224).max() < 2
    exact = area_km2(adiz.zones("LIANCOURT-12NM-KR")["LIANCOURT-12NM-KR"])
    assert area_km2(belt) == pytest.approx(exact, rel=1e-4)
    assert belt.approximate.startswith("12 NM from 2 base points, within 2 m")


@pytest.mark.parametrize("lat", [-60, 0, 37, 75])
@pytest.mark.parametrize("lon", [10, 179.6])
def test_belt_of_a_winding_line(lat: float, lon: float) -> None:
    line = [(lat + (0.05 if k % 3 else -0.1) + (k == 5), lon + 0.12 * k) for k in range(9)]
    dense = [line[-1]]
    for (lat1, lon1), (lat2, lon2) in pairwise(line):
        steps = int(GEOD.inv(lon1, lat1, lon2, lat2)[2] / 200) + 1
        dense += [(lat1, lon1), *((y, x) for x, y in GEOD.npts(lon1, lat1, lon2, lat2, steps))]
    belt = territorial_belt(Baseline(lines=(tuple(line),)))
    assert np.abs(distances_m(belt, dense) - 22_224).max() < 2
    assert check_zone(belt) == []


def test_a_belt_takes_in_the_land_and_keeps_far_water_out() -> None:
    land = ((10.0, 20.0), (10.0, 21.0), (11.0, 21.0), (11.0, 20.0))
    belt = territorial_belt(Baseline(areas=(land,)))
    assert len(belt.rings) == 1
    shore = territorial_belt(Baseline(lines=((*land, land[0]),)))
    assert [ring.hole for ring in shore.rings] == [False, True]


@pytest.mark.parametrize(
    ("name", "text", "counts"),
    [
        ("a.csv", "latitude,longitude\n1,2\n\n3,4\n", (2, 0, 0)),
        ("a.geojson", '{"type":"MultiPoint","coordinates":[[2,1],[4,3]]}', (2, 0, 0)),
        ("b.geojson", '{"type":"LineString","coordinates":[[2,1],[4,3]]}', (0, 1, 0)),
        (
            "a.kml",
            "<kml><Placemark><LineString><coordinates>2,1 3,1</coordinates></LineString>"
            "</Placemark></kml>",
            (0, 1, 0),
        ),
    ],
)
def test_baselines_from_files(
    tmp_path: Path, name: str, text: str, counts: tuple[int, int, int]
) -> None:
    path = tmp_path / name
    path.write_text(text)
    baseline = read_baseline(path)
    assert (len(baseline.points), len(baseline.lines), len(baseline.areas)) == counts
    assert territorial_belt(baseline).rings


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("a,b\n1,2\n", r":1: no columns named lat and lon"),
        ("lat,lon\n1,2\n1,x\n", r":3: '1,x' has no position"),
        ('{"type":"Feature","geometry":null}', "not GeoJSON of points"),
        ('{"type":"Polygon","coordinates":[[[1,2]]]}', "a Polygon of 1 points"),
        ('{"type":"Topology","coordinates":[]}', "not a point, line or polygon|no base point"),
        ("lat,lon\n131,37\n", "look swapped"),
        ("lat,lon\n89,37\n", "latitude 89"),
        ("lat,lon\nnan,37\n", "not a position"),
        ("lat,lon\n", "no base point"),
    ],
)
def test_faults_of_baselines(tmp_path: Path, text: str, cause: str) -> None:
    path = tmp_path / "base.txt"
    path.write_text(text)
    with pytest.raises(ZoneError, match=cause):
        territorial_belt(read_baseline(path))
