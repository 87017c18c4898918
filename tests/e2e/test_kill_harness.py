"""The watch itself, ended with ``kill -9`` a few times; ``make kills`` does it a thousand times."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.conftest import ROOT


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_a_killed_watch_tells_what_one_left_in_peace_tells(store: str) -> None:
    if store == "postgresql" and not _has_postgresql():
        pytest.skip("PostgreSQL's server programs, or pg8000, are not installed")
    done = subprocess.run(
        [sys.executable, "tools/kill_watch.py", "--kills", "8", "--store", store],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| tcp | 2 |" in done.stdout


def _has_postgresql() -> bool:
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        import kill_stores

        return bool(kill_stores.installed())
    finally:
        sys.path.remove(str(ROOT / "tools"))
