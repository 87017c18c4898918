"""A virtual environment for each peer, so that none bends the versions of another."""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Collection
from pathlib import Path

HOME = Path(__file__).parent / ".envs"
PACKAGES = {
    "scan": ["polars"],
    "shapely": ["polars", "numpy", "shapely"],
    "duckdb": ["polars", "duckdb-extension-spatial"],  # brings the duckdb it was built for
    "meos": ["polars", "numpy", "pymeos"],
    "movingpandas": ["polars", "pyarrow", "movingpandas"],
    "traffic": ["polars", "pyarrow", "pandas<3", "traffic"],  # does not import with pandas 3
    "scipy": ["polars", "numpy", "scipy"],
    "plot": ["matplotlib"],
}


def python_of(name: str) -> Path | None:
    """The interpreter of an environment, None where it was not made."""
    if name == "adiz":
        return Path(sys.executable)
    path = HOME / name / "bin" / "python"
    return path if (HOME / name / "complete").exists() else None


def make_all(names: Collection[str] = PACKAGES.keys()) -> None:
    """Make what is missing; for all about five minutes and 1.5 GB the first time."""
    for name, packages in PACKAGES.items():
        if name in names and python_of(name) is None:
            print(f"environment {name}: {' '.join(packages)}", file=sys.stderr, flush=True)
            venv.create(HOME / name, with_pip=True, clear=True)
            install = [HOME / name / "bin" / "python", "-m", "pip", "install", "-q", *packages]
            subprocess.run(install, check=True)
            (HOME / name / "complete").touch()
