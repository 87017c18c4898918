"""The watch's pages in step with its configuration."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.conftest import ROOT

from adiz.run.live.config import _QUIET, TABLES, read_config

PAGE = (ROOT / "docs" / "reference" / "watch.md").read_text()
HOW_TO = (ROOT / "docs" / "how-to" / "watch.md").read_text()
EXAMPLES = re.findall(r"```toml\n(.*?)```", HOW_TO, re.DOTALL)


@pytest.mark.parametrize(
    "name", [o.name for options in (*TABLES.values(), _QUIET) for o in options]
)
def test_every_option_is_told(name: str) -> None:
    assert re.search(rf"^\|[^|]*`{name}`[^|]*\|", PAGE, re.MULTILINE)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_the_examples_can_be_used(number: int, tmp_path: Path) -> None:
    path = tmp_path / "watch.toml"
    path.write_text(EXAMPLES[number])
    assert read_config(path).feeds


def test_every_kind_of_event_is_told() -> None:
    from adiz.events import KINDS

    assert all(re.search(rf"^\|[^|]*`{kind}`[^|]*\|", PAGE, re.MULTILINE) for kind in KINDS)


def test_every_metric_is_told() -> None:
    from prometheus_client.parser import text_string_to_metric_families
    from tests.face_samples import a_status

    from adiz.out.face.metrics import metrics

    for family in text_string_to_metric_families(metrics(a_status())):
        name = family.name + ("_total" if family.type == "counter" else "")
        assert re.search(rf"^\|[^|]*`{name}`[^|]*\|", PAGE, re.MULTILINE), name
