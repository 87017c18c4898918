"""Shared fixtures.

Some tests check against real captures that are not part of the project. They look in the folder
named by ADIZ_CAPTURES, else in ``../shared/data`` beside the repository, and skip where neither
is there.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.databases import postgresql, url  # noqa: F401  fixtures

ROOT = Path(__file__).parent.parent

settings.register_profile("default", deadline=None, derandomize=True, max_examples=60)
settings.register_profile("long", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("ADIZ_HYPOTHESIS", "default"))


def _captures() -> Path:
    return Path(os.environ.get("ADIZ_CAPTURES", ROOT.parent / "shared" / "data"))


@pytest.fixture
def captures() -> Path:
    """The folder of real captures; skips the test where it is absent."""
    folder = _captures()
    if not folder.is_dir():
        pytest.skip("real captures are not here (set ADIZ_CAPTURES to their folder)")
    return folder
