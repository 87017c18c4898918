"""The guide to reading, run as it stands: files written, code run, output compared."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import ROOT

BLOCK = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_guide_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flights.csv").write_text("time,id,lat,lon\n2020-01-01T00:00:00Z,a,1,2\n")
    names: dict[str, Any] = {}
    said = ""
    ran = compared = 0
    for language, file, content in BLOCK.findall(
        (ROOT / "docs" / "how-to" / "read-your-data.md").read_text()
    ):
        if file:
            Path(file).write_text(content)
        elif language == "python":
            with contextlib.redirect_stdout(io.StringIO()) as out:
                exec(content, names)
            said = out.getvalue()
            ran += 1
            Path("flights.csv").unlink(missing_ok=True)
        elif language == "text":
            assert said == content
            compared += 1
    assert (ran, compared) == (6, 4)
