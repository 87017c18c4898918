"""The map in a real browser, opened from the disk: works, keeps to itself, shows text as text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.map_data import box, box_case, crossing, make_reports, make_stays, straight

import adiz
from adiz.out.map import write_map
from adiz.out.map.codec import pack
from adiz.out.map.page import render
from adiz.out.map.scene import ground_layers, view_of
from adiz.zones.model import Zones

EVIL = "</script><img src=x onerror=window.hit=1><script>window.hit=1</script>"


@pytest.fixture
def open_map(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Opens the map of given arguments; afterwards: no error, no request, nothing ran."""
    complaints: list[str] = []
    pages = []

    def opened(*args: Any, width: int = 1280, height: int = 800, **settings: Any) -> Any:
        path = tmp_path / f"map-{len(pages)}.html"
        write_map(path, *args, **settings)
        page = browser.new_page(viewport={"width": width, "height": height})
        pages.append(page)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request", lambda r: r.url.startswith("file:") or complaints.append(f"asked {r.url}")
        )
        page.goto(path.as_uri())
        page.wait_for_timeout(250)
        page.evaluate(
            "() => new Promise(d => requestAnimationFrame(() => requestAnimationFrame(d)))"
        )
        return page

    yield opened
    for page in pages:
        assert page.evaluate("window.hit") is None
        page.close()
    assert complaints == []


def colors(page: Any, canvas: str = "base") -> int:
    """How many different colours a canvas shows, looked at on a grid."""
    return int(
        page.evaluate(
            """(id) => {
              const c = document.getElementById(id);
              const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
              const seen = new Set();
              for (let i = 0; i < d.length; i += 4 * 7)
                seen.add((d[i] << 16) | (d[i+1] << 8) | d[i+2]);
              return seen.size;
            }""",
            canvas,
        )
    )


def pixels(page: Any, canvas: str) -> str:
    return str(page.evaluate(f"document.getElementById('{canvas}').toDataURL()"))


def drawn(page: Any, canvas: str, before: str) -> str:
    """What a canvas shows once that is something else than before."""
    page.wait_for_function(
        "([id, before]) => document.getElementById(id).toDataURL() !== before",
        arg=[canvas, before],
        timeout=10_000,
    )
    return pixels(page, canvas)


def test_the_demo_shows_its_crossings_and_clocks(open_map: Any) -> None:
    reports = adiz.read(adiz.demo_capture())
    zones = adiz.zones("US-CONUS-2")
    stays = adiz.find_stays(reports, zones)
    page = open_map(reports.table, zones, stays, time_zones=["America/Los_Angeles"])
    assert "US-CONUS-2" in page.inner_text("h1")
    table = page.inner_text("#stays")
    for moment in ("21:59:07.8", "22:02:06.2", "00:34:55.1", "00:45:52.6"):
        assert moment in table
    assert "14:59:07.8 PDT" in table
    assert "21:59:08" in page.inner_text("#clocks")
    assert "14:59:08" in page.inner_text("#clocks")
    assert colors(page) > 50


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_runs_over_the_side(open_map: Any, width: int) -> None:
    reports, zones, stays = box_case()
    page = open_map(reports, zones, stays, width=width, time_zones=["Asia/Seoul", "Asia/Kolkata"])
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    assert "UTC+5:30" in page.inner_text("#clocks")


def test_slider_steps_and_plays(open_map: Any) -> None:
    page = open_map(*box_case())
    before = pixels(page, "top")
    page.locator("#slider").focus()
    page.keyboard.press("End")
    assert "10:00:00" in page.inner_text("#clocks")
    page.keyboard.press("ArrowLeft")
    assert "10:00:00" not in page.inner_text("#clocks")
    assert drawn(page, "top", before) != before
    page.keyboard.press("Home")
    page.click("#play")
    page.wait_for_timeout(400)
    page.click("#play")
    value = float(page.input_value("#slider"))
    assert 0 < value < 3_600_000
    page.wait_for_timeout(150)
    assert float(page.input_value("#slider")) == value


def test_keys_move_zoom_and_fit(open_map: Any) -> None:
    page = open_map(*box_case())
    home = pixels(page, "base")
    page.locator("#top").focus()
    seen = [home]
    for key in ("ArrowLeft", "+", "ArrowDown", "-"):
        page.keyboard.press(key)
        seen.append(drawn(page, "base", seen[-1]))
    assert len(set(seen)) == 5
    page.keyboard.press("0")
    assert drawn(page, "base", seen[-1]) == home


def test_pointing_at_a_crossing_tells_it(open_map: Any) -> None:
    page = open_map(*box_case(), time_zones=["Asia/Seoul"])
    page.click("#stays .link")
    page.wait_for_function("document.getElementById('clocks').innerText.includes('09:20:00')")
    box_ = page.locator("#top").bounding_box()
    found = False
    for x in range(0, int(box_["width"]), 8):
        page.mouse.move(box_["x"] + x, box_["y"] + box_["height"] / 2)
        tip = page.locator("#tip")
        if tip.is_visible() and "entry, edge crossed" in tip.inner_text():
            assert "ABC123" in tip.inner_text()
            assert "18:20:00.0 KST" in tip.inner_text()
            found = True
            break
    assert found
    assert "30°00" in page.inner_text("#readout")


def test_hostile_texts_are_inert(open_map: Any) -> None:
    rows = straight(EVIL, 30.0, 130.0, callsign=EVIL, type_code=EVIL, registration=EVIL)
    zone = box(EVIL, name=EVIL, authority=EVIL, note=EVIL, claimants=(EVIL,), kind=EVIL)
    stays = make_stays([crossing(1200, 2400, track_id=EVIL, zone_id=EVIL)])
    page = open_map(make_reports(rows), Zones((zone,)), stays, title=EVIL)
    assert page.inner_text("h1") == EVIL
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 2
    for summary in page.locator("summary").all():
        summary.click()
    assert EVIL in page.inner_text("#legend")
    page.click("#stays .link")


def test_few_and_odd_inputs_still_draw(open_map: Any) -> None:
    reports, zones, stays = box_case()
    east = make_reports(straight("one", 60.0, 178.5))
    across = Zones((box(south=58, north=62, west=179.0, east=181.0),))
    for args in (
        (reports, zones, stays[:0]),
        (reports[:1], zones, stays[:0]),
        (reports[:0], zones, stays[:0]),
        (reports[:0], Zones(()), stays[:0]),
        (east, across, stays[:0]),
    ):
        assert colors(open_map(*args)) > 3


def test_two_hundred_tracks_stay_smooth(open_map: Any) -> None:
    rows = [
        row for n in range(200) for row in straight(f"t{n}", 25 + n / 20, 125 + n / 50, steps=200)
    ]
    page = open_map(make_reports(rows), Zones((box(),)), make_stays([]))
    page.click("#play")
    page.wait_for_timeout(100)
    frames = page.evaluate(
        """() => new Promise((done) => {
          let n = 0; const start = performance.now();
          const tick = () => { n += 1;
            if (performance.now() - start > 1000) done(n); else requestAnimationFrame(tick); };
          requestAnimationFrame(tick);
        })"""
    )
    assert frames > 2  # far more on a machine that has nothing else to do


def test_print_redraws_sharper(open_map: Any) -> None:
    page = open_map(*box_case())
    width = page.evaluate("document.getElementById('base').width")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.getElementById('base').width") == 3 * width
    assert page.pdf(format="A4", landscape=True).startswith(b"%PDF")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.getElementById('base').width") == width


def test_a_scene_of_other_layers(browser: Any, tmp_path: Path) -> None:
    """What a dossier needs: a path with a band, places with facts, no table, no time."""
    view = view_of(np.array([36.5, 38.0]), np.array([131.0, 133.0]))
    degrees = [36.5, 37.2, 38.0], [131.0, 131.9, 133.0]
    lat, lon = (pack(round(value * 100_000) for value in values) for values in degrees)
    path = {"id": "p", "label": "As told", "facts": [], "t": pack([0, 600_000, 1_200_000])}
    path |= {"lat": lat, "lon": lon, "alt": None, "gs": None, "runs": [[0, "reconstructed"]]}
    path["band"] = pack([5000, 20_000, 5000])
    place = {
        "form": "place",
        "lat": 37.2,
        "lon": 131.9,
        "label": "09:09, JCS",
        "facts": [["By", EVIL]],
    }
    scene = {
        "title": "One account",
        "summary": "What it says",
        "view": view,
        "layers": [
            *ground_layers(view),
            {"kind": "paths", "items": [path]},
            {"kind": "marks", "items": [place]},
        ],
        "notes": ["Reconstructed, not observed."],
        "credits": [],
    }
    (tmp_path / "scene.html").write_text(render(scene), encoding="utf-8")
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((tmp_path / "scene.html").as_uri())
    page.wait_for_timeout(250)
    assert page.inner_text("#summary") == "What it says"
    assert "reconstructed" in page.inner_text("#legend")
    assert not page.locator("#timebar").is_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(100)
    assert colors(page) > 20
    assert errors == []
    page.close()
