"""The public names: pinned, documented by examples that run."""

from __future__ import annotations

import doctest
import importlib

import pytest
from tests.conftest import ROOT

import adiz

SOURCE = ROOT / "src"
WITH_EXAMPLES = sorted(
    ".".join(path.relative_to(SOURCE).with_suffix("").parts)
    for path in SOURCE.rglob("*.py")
    if ">>> " in path.read_text()
)


def test_the_public_names_are_these() -> None:
    assert adiz.__all__ == [
        "AdizError",
        "EncountersFold",
        "FormationsFold",
        "Reports",
        "StaysFold",
        "Zone",
        "Zones",
        "demo_capture",
        "find_encounters",
        "find_formations",
        "find_stays",
        "identify_tracks",
        "read",
        "zones",
    ]
    assert len(adiz.__all__) <= 15
    for name in adiz.__all__:
        assert getattr(adiz, name).__doc__, name


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples_in_docstrings_run(module: str) -> None:
    assert not doctest.testmod(importlib.import_module(module)).failed
