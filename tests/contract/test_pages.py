"""The documentation held to the code: commands run, columns agree, links lead somewhere."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from tests.conftest import ROOT
from tests.pages import run_page

from adiz.schema import STAYS

KINDS = {"time": "timestamp", "text": "text", "number": "float64", "whole": "int64"}
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("benchmarks/*.md")])


@pytest.mark.parametrize("page", ["README.md", "docs/tutorial/first-stays.md"])
def test_commands_print_what_the_page_says(page: str, tmp_path: Path) -> None:
    """To write the page anew: python -m tests.pages PAGE."""
    assert run_page(ROOT / page, tmp_path) == (ROOT / page).read_text()


def test_the_stays_page_names_the_columns() -> None:
    text = (ROOT / "docs" / "reference" / "stays.md").read_text()
    table = text.split("|---|---|---|---|---|\n", 1)[1].split("\n\n", 1)[0].splitlines()
    declared = [
        f"| `{c.name}` | {KINDS[c.kind]} | {c.unit} | {c.datum} | {c.meaning} |" for c in STAYS
    ]
    assert table == declared


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#]+)", page.read_text())
    assert not [link for link in links if not (page.parent / link).exists()]


def test_the_lock_holds_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    lock = (ROOT / "requirements.lock").read_text()
    locked = set(re.findall(r"^([a-z0-9.-]+)==", lock, re.MULTILINE))
    assert {re.split(r"[^\w.-]", w)[0].lower().replace("_", "-") for w in wanted} <= locked
    assert "://" not in lock
