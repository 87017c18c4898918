"""adiz.zones: what names and files give which zones."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

import adiz
from adiz.errors import ZoneError
from adiz.zones.load import CATALOGUE

SQUARE = (
    '{"type": "Polygon", "coordinates": [[[130, 37], [131, 37], [131, 38], [130, 38], [130, 37]]]}'
)


def ids(which: object) -> list[str]:
    return [zone.zone_id for zone in adiz.zones(which)]


def test_a_plain_name_is_all_its_versions() -> None:
    assert ids("KADIZ") == ["KADIZ-1951", "KADIZ-2013"]
    assert set(ids("US-CONUS-ADIZ")) == {"US-CONUS", "US-CONUS-2", "US-CONUS-3"}


def test_an_id_wins_over_a_plain_name_and_each_zone_comes_once() -> None:
    assert ids("US-CONUS") == ["US-CONUS"]
    assert ids(["KADIZ-2013", "KADIZ"]) == ["KADIZ-2013", "KADIZ-1951"]


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2013, 12, 14, 23, 59, 59, 999999, UTC), "KADIZ-1951"),
        (datetime(2013, 12, 15, tzinfo=UTC), "KADIZ-2013"),
    ],
)
def test_the_version_in_force_at_an_instant(moment: datetime, expected: str) -> None:
    assert [z.zone_id for z in adiz.zones("KADIZ").at(moment)] == [expected]


def test_the_east_china_sea_zone_starts_at_ten_beijing_time() -> None:
    zone = adiz.zones("CHN-ECS-ADIZ")["CHN-ECS-ADIZ"]
    assert zone.valid_from == datetime(2013, 11, 23, 2, tzinfo=UTC)


def test_names_and_files_mix(tmp_path: Path) -> None:
    path = tmp_path / "box.geojson"
    path.write_text(SQUARE)
    assert ids(f"TWN-ADIZ,{path}") == ["TWN-ADIZ", "box"]
    assert ids(path) == ["box"]
    comma = tmp_path / "a,b.geojson"
    comma.write_text(SQUARE)
    assert ids(str(comma)) == ["a,b"]


def test_an_unknown_name_is_told_its_neighbours() -> None:
    with pytest.raises(ZoneError, match=r"no zone is called 'KADZ'.*did you mean KADIZ"):
        adiz.zones("KADZ")


def test_one_id_for_two_zones_is_refused_and_one_zone_twice_is_not(tmp_path: Path) -> None:
    one, two = tmp_path / "box.geojson", tmp_path / "a" / "box.geojson"
    two.parent.mkdir()
    one.write_text(SQUARE)
    two.write_text(SQUARE)
    assert ids([one, two]) == ["box"]
    two.write_text(SQUARE.replace("38", "39"))
    with pytest.raises(ZoneError, match=r"a.box\.geojson: a second, different zone has the id box"):
        adiz.zones([one, two])


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "\0.kml", ".", "", ",", "./nothing"])
def test_impossible_names_are_told_plainly(name: str) -> None:
    with pytest.raises(ZoneError):
        adiz.zones(name)


def test_loading_zones_loads_no_heavy_library() -> None:
    code = (
        "import adiz, sys; assert adiz.zones is adiz.zones; adiz.zones('KADIZ'); adiz.zones.model;"
        "print([m for m in ('numpy', 'polars', 'pyproj', 'shapely', 'lxml') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_catalogue_files_are_in_the_form_their_tool_writes() -> None:
    path = Path(__file__).parents[2] / "tools" / "set_rings.py"
    spec = importlib.util.spec_from_file_location("set_rings", path)
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    for file in CATALOGUE.glob("*.geojson"):
        text = file.read_text("utf-8")
        assert tool.text_of(json.loads(text)) == text, file.name
