"""The reference pages say what the code does."""

from __future__ import annotations

import re

import pytest
from tests.conftest import ROOT

from adiz.schema import REPORTS, polars_schema
from adiz.sources.columns import NAMES
from adiz.sources.files import SUFFIXES
from adiz.sources.read import READERS
from adiz.sources.reports import SCHEMA
from adiz.tracks.flags import Flag, Limits

KINDS = {
    "time": "timestamp",
    "text": "text",
    "number": "float64",
    "whole": "int64",
    "truth": "boolean",
}


def page(name: str) -> str:
    return (ROOT / "docs" / "reference" / name).read_text()


def rows(text: str, heading: str) -> list[list[str]]:
    """The cells of the table under a heading row."""
    body = text.split(f"| {heading}", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in body]


def test_the_page_the_declaration_and_the_code_name_the_same_columns() -> None:
    documented = rows(page("reports.md"), "column | type")
    declared = [[f"`{c.name}`", KINDS[c.kind], c.unit, c.datum, c.meaning] for c in REPORTS]
    assert [[cell.strip() for cell in row] for row in documented] == declared
    assert list(SCHEMA) == [c.name for c in REPORTS]
    assert polars_schema(REPORTS) == SCHEMA
    assert set(NAMES) == set(SCHEMA)


def test_the_page_names_every_recognised_column() -> None:
    documented = {r[0].strip("`"): r[1] for r in rows(page("formats.md"), "our column")}
    assert documented == {
        ours: "; ".join(", ".join(line.split()) for line in lines) for ours, lines in NAMES.items()
    }


def test_the_page_names_every_flag_with_its_limits() -> None:
    documented = rows(page("reports.md"), "bit | name")
    assert [(int(r[0]), r[1].strip("`")) for r in documented] == [(f.value, f.name) for f in Flag]
    numbers = {float(n.replace(",", "")) for r in documented for n in re.findall(r"[\d,]*\d", r[2])}
    limits = {getattr(Limits(), name) for name in Limits.__dataclass_fields__}
    assert limits - {2.0} <= numbers  # twice


def test_the_page_names_every_format_and_suffix() -> None:
    text = page("formats.md")
    for name in READERS:
        assert f"`{name}`" in text
    for suffix in SUFFIXES:
        assert suffix in text


@pytest.mark.parametrize(
    "reason",
    ["missing time", "unparsable time", "missing track", "missing position", "not a number",
     "latitude out of range", "longitude out of range", "not JSON", "broken quotes",
     "unreadable file",
     "not a BaseStation message", "line without a time for each vertex"],
)  # fmt: skip
def test_the_page_explains_every_reason(reason: str) -> None:
    assert f"| `{reason}` |" in page("reports.md")
    sources = (ROOT / "src" / "adiz" / "sources").glob("*.py")
    assert any(reason in path.read_text() for path in sources)
