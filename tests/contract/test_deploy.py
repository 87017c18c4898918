"""What is in deploy/, held to the product."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.conftest import ROOT

from adiz.run.live.config import read_config

DEPLOY = ROOT / "deploy"


def test_the_example_can_be_used() -> None:
    assert len(read_config(DEPLOY / "watch.toml").feeds) == 2


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not here")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    text = (DEPLOY / "adiz-watch.service").read_text()
    unit = tmp_path / "adiz-watch.service"
    unit.write_text(text.replace("/opt/adiz/bin/adiz", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
    ours = [line for line in done.stderr.splitlines() if "adiz-watch" in line]
    assert not ours


def test_unit_container_and_example_agree() -> None:
    unit, container = ((DEPLOY / n).read_text() for n in ("adiz-watch.service", "Containerfile"))
    example = (DEPLOY / "watch.toml").read_text()
    assert "--view" in unit
    assert re.search(r'status = "127.0.0.1:9180"', example)
    assert "127.0.0.1:9180/health" in container
    assert all("/var/lib/adiz" in text for text in (container, example))
    assert "StateDirectory=adiz" in unit
    copied = re.search(r"^COPY (pyproject[^\n]*) \./$", container, re.MULTILINE)
    assert copied
    assert all((ROOT / name).exists() for name in copied[1].split())
