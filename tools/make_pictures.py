"""Make the pictures of the README from the product itself, with Chromium and playwright.

python tools/make_pictures.py            # writes docs/images/
"""

from __future__ import annotations

import io
import os
import re
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright
from rich.console import Console

import adiz
from adiz.out.face.screen import Painter
from adiz.out.map import write_map
from adiz.run.live.config import read_config
from adiz.run.live.loop import Watch
from adiz.run.live.status import make_scene, read_status
from adiz.simulate.world import Settings, make_world

IMAGES = Path(__file__).parent.parent / "docs/images"


def write_demo_map(path: Path) -> None:
    """The map that `make demo` writes: the C-2A off San Diego."""
    reports = adiz.read(adiz.demo_capture())
    zones = adiz.zones("US-CONUS-2")
    stays = adiz.find_stays(reports, zones)
    write_map(
        path,
        reports.table,
        zones,
        stays,
        time_zones=["America/Los_Angeles"],
        title="A C-2A off San Diego, 14 September 2020",
    )


SCREEN = """
[watch]
zones = ["KADIZ", "LIANCOURT-12NM-KR"]
[[feeds]]
name = "exercise"
kind = "replay"
paths = "world/reports"
speed = 0
slice_s = 5
"""
SCREEN_SIZE = (150, 42)
SCREEN_AT_S, SCREEN_BEFORE_S = 2700, 40


def write_screen(folder: Path, path: Path) -> None:
    """The terminal view of a watch of a simulated world, 45 minutes in, as SVG."""
    config = folder / "watch.toml"
    config.write_text(SCREEN)
    make_world(Settings(aircraft=90, hours=2, seed=7)).write(folder / "world")
    watch, painter = Watch(read_config(config)), Painter()
    columns, rows = SCREEN_SIZE
    console = Console(
        record=True,
        width=columns,
        height=rows,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
    )
    began_us: list[int] = []

    def look() -> None:
        if watch.engine.watermark_us is None:
            return
        began_us[:] = began_us or [watch.time_us]
        past_s = (watch.time_us - began_us[0]) / 1e6
        if past_s < SCREEN_AT_S - SCREEN_BEFORE_S:
            return
        status = read_status(watch)
        painter.learn(status)
        frame = painter.frame(make_scene(watch, painter.box), status, SCREEN_SIZE)
        if past_s >= SCREEN_AT_S:
            console.print(frame)
            watch.on_turn.clear()
            watch.stop()

    watch.on_turn.append(look)
    watch.run()
    svg = console.export_svg(title="adiz watch watch.toml")
    svg = re.sub(r"@font-face {.*?}", "", svg, flags=re.DOTALL)  # they are elsewhere
    path.write_text(svg.replace("Fira Code", "DejaVu Sans Mono"))


def main() -> None:
    chromium = os.environ.get("ADIZ_CHROMIUM") or shutil.which("chromium")
    if not chromium:
        raise SystemExit("no Chromium here (set ADIZ_CHROMIUM to its path)")
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_path = Path(folder) / "map.html"
        write_demo_map(page_path)
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page(viewport={"width": 1280, "height": 800}, device_scale_factor=1.25)
        page.goto(page_path.as_uri())
        page.wait_for_timeout(500)
        target = IMAGES / "c2a-map.png"
        below = page.locator("#stays").bounding_box()
        assert below
        page.screenshot(path=target, clip={"x": 0, "y": 0, "width": 1280, "height": below["y"] + 4})
        screen = Path(folder) / "screen.svg"
        write_screen(Path(folder), screen)
        page.goto(screen.as_uri())
        size = page.evaluate(
            "[document.documentElement.viewBox.baseVal].map(v=>[v.width,v.height])"
        )
        width, height = map(round, size[0])
        page.set_viewport_size({"width": width, "height": height})
        shot = IMAGES / "watch-screen.png"
        page.screenshot(path=shot)
        with Image.open(shot) as image:
            image.convert("RGB").quantize(256).save(shot, optimize=True)
        browser.close()
    for made in (target, shot):
        print(f"{made}: {made.stat().st_size} bytes")


if __name__ == "__main__":
    main()
