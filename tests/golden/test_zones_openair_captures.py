"""Public OpenAir files, valid and deliberately broken, with what others make of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import shapely
from pyproj import Geod

from adiz.errors import ZoneError
from adiz.zones.load import read_zones
from adiz.zones.rings import dense_rings

GEOD = Geod(ellps="WGS84")


@pytest.mark.parametrize("name", ["arc-cw", "circular", "polygon"])
def test_same_geometry_as_the_published_result(captures: Path, name: str) -> None:
    folder = captures / "openair"
    (zone,) = read_zones(folder / f"{name}.txt")
    (feature,) = json.loads((folder / f"{name}-result.json").read_text())["features"]
    theirs = shapely.from_geojson(json.dumps(feature["geometry"]))
    (ring,) = dense_rings(zone, 1.0, planar=True)
    ours = shapely.Polygon(zip(ring[1::2], ring[0::2], strict=True))
    # Their circles are on a sphere (up to 0.3 % off) of 50 chords, their corners rounded to 1e-5.
    area = abs(GEOD.geometry_area_perimeter(ours)[0])
    assert area == pytest.approx(abs(GEOD.geometry_area_perimeter(theirs)[0]), rel=0.01)
    assert shapely.hausdorff_distance(ours, theirs) * 111_000 < 25
    properties = feature["properties"]
    assert zone.name == properties["name"]
    assert zone.ceiling.value_ft == properties["upperCeiling"]["value"]
    assert str(zone.floor) == "SFC"


@pytest.mark.parametrize(
    ("name", "line", "cause"),
    [
        ("ceiling-definitions-al-greater-ah", 10, "floor (FL999) is above its ceiling (FL240)"),
        ("coordinate-seconds-60", 6, "60 seconds"),
        ("flight-level-missing-number", 6, "a flight level without its number"),
        ("insufficient-coordinates", 5, "2 different points"),
        ("invalid-coordinates", 14, "is not a position"),
        ("self-intersecting", 151, "crosses itself near 42.8596, -0.6502"),
        ("start-end-coordinates-not-equal", 9, "ends 7.64 km from where it starts (line 6)"),
        ("without-ac", 3, "AN before any AC"),
    ],
)
def test_a_broken_file_names_line_and_cause(
    captures: Path, name: str, line: int, cause: str
) -> None:
    path = captures / "openair" / f"{name}.txt"
    with pytest.raises(ZoneError) as caught:
        read_zones(path)
    (fault,) = caught.value.faults
    assert (fault.file, fault.line) == (str(path), line)
    assert cause in fault.message


@pytest.mark.parametrize(
    ("name", "floor", "ceiling", "corners"),
    [
        ("inline-comments", "SFC", "FL240", 5),
        ("meter-altitude-unit", "9842.52 ft AMSL", "FL150", 4),
        ("missing-AY", "3500 ft AMSL", "FL310", 5),
    ],
)
def test_odd_but_valid_files(
    captures: Path, name: str, floor: str, ceiling: str, corners: int
) -> None:
    (zone,) = read_zones(captures / "openair" / f"{name}.txt")
    assert (str(zone.floor), str(zone.ceiling)) == (floor, ceiling)
    assert len(zone.rings[0].parts) == corners
    assert "*" not in zone.name
