"""A zone cut into rings that share edges is the zone uncut: stays, depth and gap bounds.

The cutting is done by GEOS in longitude and latitude (edges are planar), the distances come from
the uncut boundary in a PROJ chart.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
import shapely
from shapely.ops import split

import adiz
from adiz.detect.index import build_index
from adiz.errors import ZoneError
from adiz.zones.model import Ring, Vertex, Zone, Zones
from tests.oracle.exact import Oracle, along
from tests.oracle.test_stays_exact import random_zone

WORLDS = int(os.environ.get("ADIZ_WORLDS", "9"))
START = datetime(2026, 1, 1, tzinfo=UTC)


def ring_of(polygon: shapely.Polygon) -> Ring:
    corners = list(polygon.exterior.coords)[:-1]
    return Ring(tuple(Vertex(y, (x + 180) % 360 - 180) for x, y in corners))


def cut(zone: Zone, rng: np.random.Generator) -> Zone:
    """Cut at a meridian (180 degrees where it passes there), then one piece again across."""
    lat = np.array([p.lat_deg for p in zone.rings[0].parts])
    lon = np.array([p.lon_deg for p in zone.rings[0].parts])
    lon = lon[0] + (lon - lon[0] + 180) % 360 - 180
    west, east = lon.min(), lon.max()
    at = 180.0 if west < 180.0 < east else rng.uniform(0.7 * west + 0.3 * east, east)
    whole = shapely.Polygon(np.column_stack([lon, lat]))
    pieces = list(split(whole, shapely.LineString([(at, -90), (at, 90)])).geoms)
    first = pieces.pop(int(rng.integers(len(pieces))))
    x, y = first.centroid.x, first.centroid.y
    slope = rng.choice([0.0, rng.uniform(-1, 1)])
    across = shapely.LineString([(x - 50, y - 50 * slope), (x + 50, y + 50 * slope)])
    pieces += split(first, across).geoms
    rings = [ring_of(p) for p in pieces]
    if rng.random() < 0.5:  # which way a ring runs does not matter
        rings[0] = replace(rings[0], parts=rings[0].parts[::-1])
    return replace(zone, rings=tuple(rings), edge="planar")


@pytest.mark.parametrize("seed", [1, 2])
def test_a_zone_in_pieces_is_the_zone(seed: int):
    rng = np.random.default_rng(seed)
    compared = 0
    for _ in range(2 * WORLDS):
        whole = random_zone(rng, "planar")
        if max(abs(p.lat_deg) for p in whole.rings[0].parts) > 60:
            continue  # charts are true to 0.1 % below
        parts, oracle = cut(whole, rng), Oracle(whole)
        on = oracle.ring[rng.integers(len(oracle.ring), size=2)]
        lat, lon = along(on[0, 1], on[0, 0], on[1, 1], on[1, 0], np.linspace(-0.3, 1.3, 300))
        reports = pl.DataFrame(
            {
                "time": [START + timedelta(seconds=10 * k) for k in range(300)],
                "track_id": ["t"] * 300,
                "lat_deg": lat,
                "lon_deg": (lon + 180) % 360 - 180,
            }
        )
        expect, found = adiz.find_stays(reports, whole), adiz.find_stays(reports, parts)
        one, many = (build_index(Zones((z,))) for z in (whole, parts))
        assert found.height == expect.height
        deep = oracle.edge_m(lat, lon)
        for mine, theirs in zip(found.to_dicts(), expect.to_dicts(), strict=True):
            assert mine["max_depth_m"] == pytest.approx(theirs["max_depth_m"], rel=2e-3, abs=2)
            for end in ("entry", "exit"):  # the instant moves further where an edge is grazed
                place = mine[f"{end}_lat_deg"], mine[f"{end}_lon_deg"]
                assert mine[f"{end}_kind"] == theirs[f"{end}_kind"]
                if mine[f"{end}_kind"] == "crossed":
                    assert one.distance_m(0, *place) < 0.3
            begin, end = ((mine[n] - START).total_seconds() for n in ("entry_time", "exit_time"))
            within = slice(int(np.ceil(begin / 10)), int(end // 10) + 1)
            if end - begin > 100:
                assert mine["max_depth_m"] > 0.997 * deep[within].max() - 2
                compared += 1
        assert many.counts[1] <= one.counts[1] + 4 * len(parts.rings)
        for k in rng.integers(300, size=20):
            point = (lat[k], (lon[k] + 180) % 360 - 180)
            assert one.distance_m(0, *point) < 1.0 or many.at(*point) == one.at(*point)
            assert many.distance_m(0, *point) == pytest.approx(one.distance_m(0, *point), abs=0.3)
    assert compared >= WORLDS // 2


@pytest.mark.parametrize("edge", ["geodesic", "parallel", "rhumb", "planar"])
@pytest.mark.parametrize("more", [(), (51.0,), (50.5, 51.5)])
def test_a_box_cut_at_the_antimeridian(edge: str, more: tuple[float, ...]):
    def box(west: float, east: float, extra: tuple[float, ...]) -> Ring:
        corners = [(49.0, west), (49.0, east), (53.0, east), *((a, west) for a in extra[::-1])]
        corners.insert(len(corners) - len(extra), (53.0, west))
        rules = {(True, True): edge}
        return Ring(
            tuple(
                Vertex(a, o, rules.get((a == b, True), "geodesic"))  # type: ignore[arg-type]
                for (a, o), (b, _) in zip(corners, corners[1:] + corners[:1], strict=True)
            )
        )

    cut_zone = Zone("Z", "Z", (box(178.0, 180.0, ()), box(-180.0, -178.0, more)))
    whole = Zone("Z", "Z", (box(178.0, -178.0, ()),))
    lon = np.linspace(176, 184, 161)
    reports = pl.DataFrame(
        {
            "time": [START + timedelta(seconds=20 * k) for k in range(161)],
            "track_id": ["t"] * 161,
            "lat_deg": np.full(161, 51.2),
            "lon_deg": (lon + 180) % 360 - 180,
        }
    )
    (stay,) = adiz.find_stays(reports, cut_zone).iter_rows(named=True)
    (expect,) = adiz.find_stays(reports, whole).iter_rows(named=True)
    assert stay["entry_time"] == expect["entry_time"]
    if edge != "geodesic":  # whose level edges would bulge less when they are cut in two
        assert stay["max_depth_m"] == pytest.approx(expect["max_depth_m"], abs=1)
    assert 138_000 < stay["max_depth_m"] < 144_000  # from the middle, a seam's depth was 70 km


def test_a_hole_that_touches_the_rim_and_rings_that_cancel():
    rim = Ring(tuple(Vertex(a, o) for a, o in ((0, 0), (0, 2), (2, 2), (2, 0))))
    hole = Ring(tuple(Vertex(a, o) for a, o in ((0, 0.5), (1, 0.5), (1, 1.5), (0, 1.5))), hole=True)
    index = build_index(Zones((Zone("Z", "Z", (rim, hole), edge="planar"),)))
    assert (index.at(0.5, 1.0), index.at(1.5, 1.0), index.at(0.5, 0.2)) == ([], [0], [0])
    # On the side that hole and rim shared there is no boundary any more: it is 1 degree away.
    assert index.distance_m(0, 0.0, 1.0) == pytest.approx(55_660, rel=1e-3)
    with pytest.raises(ZoneError, match="cancel"):
        build_index(Zones((Zone("Z", "Z", (rim, rim)),)))
