"""The arithmetic of the page's script against independent libraries, run in a real browser."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from geographiclib.geodesic import Geodesic

from adiz.out.map.clocks import clocks
from adiz.out.map.codec import pack

SPHERE = Geodesic(6371008.8, 0.0)


@pytest.fixture(scope="module")
def script(browser: Any) -> Iterator[Any]:
    """Evaluates an expression with the page's functions in reach."""
    page = browser.new_page()
    folder = resources.files("adiz.out.map").joinpath("page")
    for name in ("codec.js", "sphere.js", "clock.js"):
        page.add_script_tag(content=folder.joinpath(name).read_text("utf-8"))
    yield page.evaluate
    page.close()


def somewhere(rng: random.Random) -> tuple[float, float]:
    return rng.uniform(-85, 85), rng.uniform(-180, 180)


def test_packed_numbers_come_back(script: Any) -> None:
    rng = random.Random(1)
    values = [rng.randrange(-(2**44), 2**44) for _ in range(500)] + [0, -1, 1, 31, -16, 2**45]
    assert script("(text) => Array.from(unpack(text))", pack(values)) == values


@pytest.mark.parametrize("radius_deg", [5, 70])
def test_projection_and_back(script: Any, radius_deg: float) -> None:
    rng = random.Random(2)
    for _ in range(40):
        lat0, lon0 = somewhere(rng)
        azimuth, away_deg = rng.uniform(0, 360), rng.uniform(0.01, 120)
        there = SPHERE.Direct(lat0, lon0, azimuth, away_deg * 111195.08)
        x, y, lat, lon = script(
            """([lat0, lon0, radius, lat, lon]) => {
              const p = makeProjection(lat0, lon0, radius);
              const [x, y] = p.forward(lat, lon);
              return [x, y, ...p.inverse(x, y)];
            }""",
            [lat0, lon0, radius_deg, there["lat2"], there["lon2"]],
        )
        assert SPHERE.Inverse(lat, lon, there["lat2"], there["lon2"])["s12"] < 0.01
        bearing = SPHERE.Inverse(0, 0, -y / 1e6, x / 1e6)["azi1"]
        assert (bearing - azimuth + 180) % 360 - 180 == pytest.approx(0, abs=0.01)


def test_ways_and_distances_on_the_sphere(script: Any) -> None:
    rng = random.Random(3)
    for _ in range(40):
        one, two, share = somewhere(rng), somewhere(rng), rng.random()
        line = SPHERE.Inverse(*one, *two)
        km, lat, lon = script(
            "(a) => [distanceKm(...a.slice(0, 4)), ...between(...a)]", [*one, *two, share]
        )
        assert km == pytest.approx(line["s12"] / 1000, abs=1e-3)
        middle = SPHERE.Direct(*one, line["azi1"], share * line["s12"])
        assert SPHERE.Inverse(lat, lon, middle["lat2"], middle["lon2"])["s12"] < 1


def test_reach_in_a_gap_has_its_sum_of_distances(script: Any) -> None:
    rng = random.Random(4)
    for _ in range(20):
        one = somewhere(rng)
        two = SPHERE.Direct(*one, rng.uniform(0, 360), rng.uniform(0, 2e6))
        two = (two["lat2"], two["lon2"])
        length_km = SPHERE.Inverse(*one, *two)["s12"] / 1000 + rng.uniform(1, 3000)
        ellipse = script("(a) => ellipse(...a)", [*one, *two, length_km])
        for point in ellipse:
            ways = [SPHERE.Inverse(*focus, *point)["s12"] / 1000 for focus in (one, two)]
            assert sum(ways) == pytest.approx(length_km, abs=0.01)
        first_km = rng.uniform(0.1, 0.9) * length_km
        lens = script("(a) => lens(...a)", [*one, first_km, *two, length_km - first_km])
        for point in lens:
            assert SPHERE.Inverse(*one, *point)["s12"] / 1000 < first_km + 0.01
            assert SPHERE.Inverse(*two, *point)["s12"] / 1000 < length_km - first_km + 0.01
    assert script("() => ellipse(0, 0, 0, 10, 1000)") is None


@pytest.mark.parametrize("name", ["America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"])
def test_local_times_agree_with_zoneinfo(script: Any, name: str) -> None:
    start = datetime(2024, 2, 1, tzinfo=UTC)
    span = timedelta(days=400)
    epoch_ms = int(start.timestamp() * 1000)
    time = {
        "start_ms": epoch_ms,
        "span_ms": span // timedelta(milliseconds=1),
        "zones": clocks([name], start, start + span),
    }
    rng = random.Random(5)
    for _ in range(60):
        ms = rng.randrange(time["span_ms"])
        local = (start + timedelta(milliseconds=ms)).astimezone(ZoneInfo(name))
        shown = script(
            f"""(ms) => {{
              const clock = makeClock({json.dumps(time)});
              return clock.text(ms, clock.zones[1], {{ digits: 3, date: "full" }});
            }}""",
            ms,
        )
        milli = local.microsecond // 1000
        assert shown == f"{local:%a} {local.day} {local:%b %Y %H:%M:%S}.{milli:03}"
