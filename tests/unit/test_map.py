"""What the map is made of, without a browser."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import strategies as st
from tests.map_data import after, box, box_case, crossing, make_reports, make_stays, straight

from adiz.errors import FaultyInputError
from adiz.out.map import write_map
from adiz.out.map.clocks import clocks
from adiz.out.map.codec import LETTERS, pack
from adiz.out.map.land import LIANCOURT_ROCKS, UNITS_PER_DEG, land_near
from adiz.out.map.page import render
from adiz.out.map.scene import Settings, build_scene
from adiz.out.map.thin import EARTH_RADIUS_M, significance, unit_vectors
from adiz.zones.model import Zones


def unpack(text: str) -> list[int]:
    out, value, rest, shift = [], 0, 0, 0
    for letter in text:
        digit = LETTERS.index(letter)
        rest |= (digit & 31) << shift
        shift += 5
        if digit < 32:
            value += -(rest + 1) // 2 if rest & 1 else rest // 2
            out.append(value)
            rest = shift = 0
    return out


def layer(scene: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [item for one in scene["layers"] if one["kind"] == kind for item in one["items"]]


@given(st.lists(st.integers(-(2**40), 2**40)))
def test_packed_numbers_come_back(values: list[int]) -> None:
    assert unpack(pack(values)) == values


def test_classes_of_legs_follow_the_stays() -> None:
    reports, zones, stays = box_case()
    [path] = layer(build_scene(reports, zones, stays, Settings()), "paths")
    times = unpack(path["t"])
    starts = [(times[leg] / 1000, kind) for leg, kind in path["runs"]]
    assert starts == [(0, "outside"), (1200, "inside"), (2400, "outside")]


def test_nothing_solid_is_drawn_across_a_gap() -> None:
    rows = straight("one", 30.0, 130.0)
    reports = make_reports(rows[:15] + rows[45:])
    possible = crossing(900, 2600) | {
        "entry_time": None,
        "exit_time": None,
        "entry_kind": "lost",
        "exit_kind": "reacquired",
        "certainty": "possible",
    }
    scene = build_scene(
        reports, Zones((box(),)), make_stays([possible]), Settings(max_speed_kt=600)
    )
    [path] = layer(scene, "paths")
    kinds = {kind for _, kind in path["runs"]}
    assert kinds == {"outside", "possible"}
    marks = [mark for mark in layer(scene, "marks") if mark["form"] == "stay"]
    assert [(mark["kind"], mark["quiet"]) for mark in marks] == [
        ("lost", True),
        ("reacquired", True),
    ]
    [reach] = layer(scene, "reach")
    assert (reach["from"]["t"], reach["to"]["t"]) == (14 * 60e3, 45 * 60e3)
    assert reach["speed_mps"] == pytest.approx(600 * 1852 / 3600, abs=0.001)
    without = build_scene(reports, Zones((box(),)), make_stays([]), Settings())
    assert {kind for _, kind in layer(without, "paths")[0]["runs"]} == {"outside", "gap"}
    ended = build_scene(reports, Zones((box(),)), make_stays([]), Settings(track_end_s=1000))
    assert {kind for _, kind in layer(ended, "paths")[0]["runs"]} == {"outside", "apart"}


def test_thinned_track_holds_its_tolerance_at_every_report() -> None:
    rng = np.random.default_rng(1)
    count = 4000
    rows = straight("one", 30.0, 130.0, steps=count, every_s=10.0)
    turn = np.cumsum(rng.normal(0, 0.02, count))
    for i, row in enumerate(rows):
        row["lat_deg"] = 30 + 0.3 * float(np.sin(i / 300)) + 0.002 * float(turn[i])
    stays = make_stays([crossing(12000, 12345.678)])
    scene = build_scene(make_reports(rows), Zones((box(),)), stays, Settings(max_points=300))
    [path] = layer(scene, "paths")
    time = np.array(unpack(path["t"])) / 1000
    assert len(time) <= 300
    assert 12345.678 in time
    tolerance_m = next(
        float(m[1].replace(",", ""))
        for note in scene["notes"]
        if (m := re.search(r"within ([\d,]+) m", note))
    )
    lat, lon = (np.array(unpack(path[name])) / 1e5 for name in ("lat", "lon"))
    drawn = unit_vectors(lat, lon)
    reported = unit_vectors([r["lat_deg"] for r in rows], [r["lon_deg"] for r in rows])
    seconds = np.arange(count) * 10.0
    at = np.stack([np.interp(seconds, time, drawn[:, i]) for i in range(3)], axis=1)
    strays = np.linalg.norm(at - reported, axis=1) * EARTH_RADIUS_M
    assert strays.max() <= tolerance_m + 1.5  # the packed positions have steps of about a metre


def test_significance_bounds_the_stray_of_any_choice() -> None:
    rng = np.random.default_rng(2)
    line = np.cumsum(rng.normal(size=(500, 2)), axis=0)
    stray = significance(line, 0.0)
    for threshold in (0.5, 2.0, 8.0):
        kept = np.flatnonzero(stray >= threshold)
        for one, two in pairwise(kept):
            way = line[two] - line[one]
            share = np.clip((line[one:two] - line[one]) @ way / (way @ way), 0, 1)
            away = line[one:two] - line[one] - share[:, None] * way
            assert np.linalg.norm(away, axis=1).max(initial=0) < threshold


def test_too_many_tracks_keep_those_with_stays_and_say_so() -> None:
    rows = [row for n in range(12) for row in straight(f"t{n:02}", 20.0 + n, 130.0, steps=5 + n)]
    stays = make_stays([crossing(60, 120, track_id="t00", lat=20.0)])
    scene = build_scene(make_reports(rows), Zones((box(),)), stays, Settings(max_tracks=3))
    assert {path["id"] for path in layer(scene, "paths")} == {"t00", "t11", "t10"}
    assert any(note.startswith("3 of 12 tracks are drawn") for note in scene["notes"])


def test_zones_out_of_force_and_incomplete_are_named_not_drawn() -> None:
    reports, _, stays = box_case()
    old = box("OLD", valid_to=datetime(2013, 12, 15, tzinfo=UTC))
    partial = box("PART", incomplete="points 8 to 30 are not known")
    away = box("AWAY", west=-60.0, east=-50.0)
    scene = build_scene(reports, Zones((box(), old, partial, away)), stays, Settings())
    assert [area["id"] for area in layer(scene, "areas")] == ["BOX"]
    notes = " ".join(scene["notes"])
    assert "OLD is not drawn: in force until 2013-12-15" in notes
    assert "PART is not drawn: points 8 to 30 are not known" in notes
    assert "AWAY" in notes


def test_antimeridian_is_no_edge_of_the_map() -> None:
    reports = make_reports(straight("one", 60.0, 178.5))
    zone = box(south=58, north=62, west=179.0, east=181.0)
    scene = build_scene(reports, Zones((zone,)), make_stays([]), Settings())
    assert abs(abs(scene["view"]["lon"]) - 180) < 0.1
    assert scene["view"]["radius_deg"] < 2
    assert [area["id"] for area in layer(scene, "areas")] == ["BOX"]


def test_empty_and_single_inputs() -> None:
    reports, zones, stays = box_case()
    for some_reports in (reports, reports[:1], reports[:0]):
        for some_stays in (stays, stays[:0]):
            for some_zones in (zones, Zones(())):
                scene = build_scene(some_reports, some_zones, some_stays, Settings())
                assert render(scene).startswith("<!doctype html>")


def test_offsets_change_at_the_second_the_law_says() -> None:
    start = datetime(2024, 3, 10, 9, 0, 0, 500_000, tzinfo=UTC)
    [clock] = clocks(["America/Los_Angeles", "UTC"], start, start + timedelta(days=300))
    moments = [(start + timedelta(milliseconds=ms)).isoformat() for ms, _, _ in clock["changes"]]
    assert moments == [
        "2024-03-10T09:00:00.500000+00:00",
        "2024-03-10T10:00:00+00:00",
        "2024-11-03T09:00:00+00:00",
    ]
    assert [change[1:] for change in clock["changes"]] == [
        [-28800, "PST"],
        [-25200, "PDT"],
        [-28800, "PST"],
    ]


@pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd", "", "Asia"])
def test_unknown_time_zone_is_told(name: str, tmp_path: Path) -> None:
    reports, zones, stays = box_case()
    with pytest.raises(FaultyInputError, match="no time zone is called"):
        write_map(tmp_path / "m.html", reports, zones, stays, time_zones=[name])


def test_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    reports, zones, stays = box_case()
    pages = []
    for name, some in (("a", reports), ("b", reports.sample(fraction=1.0, shuffle=True, seed=3))):
        write_map(tmp_path / name, some, zones, stays, time_zones=["Asia/Seoul"])
        pages.append((tmp_path / name).read_bytes())
    assert pages[0] == pages[1]
    assert len(pages[0]) < 300_000


def test_the_bytes_do_not_depend_on_the_order_of_hashes(tmp_path: Path) -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from tests.map_data import *; from adiz.out.map import write_map\n"
        "zones = Zones(tuple(box(n, west=w) for n, w in (('A', 131), ('B', 124), ('C', 128))))\n"
        "stays = make_stays([crossing(60, 120, zone_id=n) for n in 'ABC'])\n"
        "write_map(sys.argv[2], make_reports(straight('one', 30.0, 130.0)), zones, stays)"
    )
    pages = set()
    for seed in ("1", "2", "3"):
        path = tmp_path / seed
        subprocess.run(
            [sys.executable, "-c", program, str(Path(__file__).parent.parent.parent), str(path)],
            env=os.environ | {"PYTHONHASHSEED": seed},
            check=True,
        )
        pages.add(path.read_bytes())
    assert len(pages) == 1


def test_a_path_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(FaultyInputError, match="cannot be written"):
        write_map(tmp_path / "no" / "map.html", *box_case())


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    evil = '</script><script>alert(1)</script>&\u2028\u202e"\ud800'
    reports, _, stays = box_case()
    zones = Zones((box(name=evil, note="x " * 5000),))
    text = render(build_scene(reports, zones, stays, Settings(title=evil)))
    assert text.count("<script") == 2
    assert text.count("alert(1)") >= 2
    assert not re.search("[\u2028\u202e\ud800]", text)
    data = re.search(r'<script type="application/json" id="scene">(.*?)</script>', text)
    assert data
    scene = json.loads(data[1])
    facts = dict(layer(scene, "areas")[0]["facts"])
    assert facts["Name"].startswith("</script><script>alert(1)")
    assert len(facts["Note"]) < 700


@pytest.mark.parametrize(("radius_deg"), [0.3, 2.0, 30.0])
def test_both_islets_of_the_liancourt_rocks_are_there(radius_deg: float) -> None:
    near = []
    for lats, lons in land_near(*LIANCOURT_ROCKS, radius_deg):
        lat, lon = np.mean(lats) / UNITS_PER_DEG, np.mean(lons) / UNITS_PER_DEG
        if Geodesic.WGS84.Inverse(*LIANCOURT_ROCKS, lat, lon)["s12"] < 1000 and len(lats) > 5:
            near.append((lat, lon))
    surveyed = [(37.24078, 131.86956), (37.24183, 131.86517)]
    assert len(near) == 2
    for place in surveyed:
        assert min(Geodesic.WGS84.Inverse(*place, *islet)["s12"] for islet in near) < 60


def test_land_is_finer_near_the_map() -> None:
    fine = sum(len(lats) for lats, _ in land_near(35.0, 129.0, 1.0))
    wide = sum(len(lats) for lats, _ in land_near(35.0, 129.0, 10.0))
    assert 500 < fine < 20_000
    assert wide < 80_000


def test_span_covers_bounds_of_stays() -> None:
    reports, zones, stays = box_case()
    late = make_stays([crossing(1200, 2400) | {"latest_exit": after(9000)}])
    scene = build_scene(reports, zones, late, Settings())
    assert scene["time"]["span_ms"] == 9_000_000
    assert build_scene(reports, zones, stays, Settings())["time"]["span_ms"] == 3_600_000
