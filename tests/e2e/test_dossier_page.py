"""The dossier in a real browser: nothing runs but its own script, nothing is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.test_dossier import _material

from adiz.out.dossier import write_dossier


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_opens_and_its_slider_moves(browser: Any, tmp_path: Path, width: int) -> None:
    write_dossier(_material(), tmp_path, pdf=False)
    page = browser.new_page(viewport={"width": width, "height": 800})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.on("request", lambda r: r.url.startswith("file:") or complaints.append(r.url))
    page.goto((tmp_path / "index.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    places = []
    for share in (0.1, 0.9):
        page.evaluate(
            """share => {
              const input = document.querySelector("#slider input");
              input.value = Number(input.min) + share * (input.max - input.min);
              input.dispatchEvent(new Event("input"));
            }""",
            share,
        )
        places.append(page.evaluate("document.querySelector('.craft circle').outerHTML"))
        bands = "[...document.querySelectorAll('#map-whole .band')]"
        shown = page.evaluate(f"{bands}.filter(b => b.style.display == 'inline').length")
        assert shown == (1 if share < 0.3 else 0)
    assert places[0] != places[1]
    assert "reconstruction" in page.evaluate("document.querySelector('.here').textContent")
    page.close()
    assert complaints == []
