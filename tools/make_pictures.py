"""Make the pictures of the README from the product itself, with Chromium and playwright.

python tools/make_pictures.py            # writes docs/images/
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

import adiz
from adiz.out.map import write_map

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
        browser.close()
    print(f"{target}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
