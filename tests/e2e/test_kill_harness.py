"""The watch itself, ended with ``kill -9`` a few times; ``make kills`` does it a thousand times."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import ROOT


def test_a_killed_watch_tells_what_one_left_in_peace_tells() -> None:
    done = subprocess.run(
        [sys.executable, "tools/kill_watch.py", "--kills", "8"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| tcp | 2 |" in done.stdout
