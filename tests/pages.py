"""Pages whose commands are run: ``$ command`` lines in ``console`` blocks, each with its output.

python -m tests.pages docs/tutorial/first-stays.md   # write what the commands print into the page
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)


def run_page(page: Path, folder: Path) -> str:
    """The page with the output of its commands put anew; they run in ``folder``."""
    for name in ("src", "docs", "benchmarks"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "examples", folder / "examples")  # what it writes is beside it
    (folder / ".venv").symlink_to(sys.prefix)
    environment = {**os.environ, "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}", "COLUMNS": "100"}

    def run_block(block: re.Match[str]) -> str:
        said = []
        for line in block[0].splitlines():
            if line.startswith("$ "):
                done = subprocess.run(
                    ["sh", "-c", line[2:]],
                    cwd=folder,
                    env=environment,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
                said += [line + "\n", done.stdout]
        return "".join(said)

    return BLOCK.sub(run_block, page.read_text())


if __name__ == "__main__":
    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as folder:
            Path(name).write_text(run_page(Path(name), Path(folder)))
