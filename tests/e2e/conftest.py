"""One browser for all tests of pages; they skip, saying so, where there is none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = os.environ.get("ADIZ_CHROMIUM") or shutil.which("chromium") or shutil.which("chrome")
    if not found:
        pytest.skip("no Chromium here (set ADIZ_CHROMIUM to its path)")
    with sync_api.sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=found, args=flags)
        yield browser
        browser.close()
