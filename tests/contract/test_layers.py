"""The layout held to its rules: who may import whom, one clock, short modules."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import ROOT

SOURCE = ROOT / "src" / "adiz"
LEAVES = {"errors", "units", "schema", "clock", "events", "options"}
# A part may import the leaves, itself, and what stands here.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "units": set(),
    "schema": set(),
    "clock": set(),
    "events": set(),
    "database": set(),
    "options": set(),
    "geo": set(),
    "sources": set(),
    "zones": {"geo"},
    "tracks": {"geo"},
    "detect": {"geo", "zones", "tracks"},
    "identify": {"geo", "zones", "tracks", "detect"},
    "incidents": {"geo", "zones", "tracks", "detect", "database"},
    "out": {"geo", "zones", "tracks", "detect", "identify", "incidents", "database"},
    "simulate": {"geo", "zones", "tracks", "detect"},
}
PLAIN = "adiz.tracks.cpr"  # arithmetic that imports nothing: docs/decisions/radar.md
FREE = {"run", "cli", "__main__", "__init__"}  # they drive and wire
MODULES = sorted(SOURCE.rglob("*.py"))
MAX_LINES = {".py": 400, ".js": 400, ".pyx": 500, ".c": 500}


def part_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> set[str]:
    """The parts of adiz that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            pytest.fail(f"{path}: relative import")
        else:
            continue
        found |= {
            name.split(".")[1] for name in names if name.startswith("adiz.") and PLAIN not in name
        }
    return found - {"__version__"}


def test_dependencies_run_one_way() -> None:
    parts = {part_of(path) for path in MODULES}
    assert parts == MAY_IMPORT.keys() | FREE
    wrong = {
        str(path.relative_to(ROOT)): sorted(beyond)
        for path in MODULES
        if part_of(path) not in FREE
        and (beyond := imports_of(path) - LEAVES - {part_of(path)} - MAY_IMPORT[part_of(path)])
    }
    assert not wrong
    assert not [p for p in MODULES if part_of(p) in LEAVES and imports_of(p) - LEAVES]


def test_only_the_clock_asks_for_the_time() -> None:
    asks = {"now", "utcnow", "today", "time_ns"}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = ast.unparse(node.func.value)
                told = node.func.attr in asks and owner != "clock"
                told |= (owner, node.func.attr) == ("time", "time")
                assert not told or path == SOURCE / "clock.py", (path, node.lineno)


def test_modules_are_short() -> None:
    made = {path.with_suffix(".c") for path in SOURCE.rglob("*.pyx")}
    long = {
        str(path.relative_to(ROOT)): lines
        for path in SOURCE.rglob("*")
        if path.suffix in MAX_LINES and path not in made
        if (lines := len(path.read_text().splitlines())) > MAX_LINES[path.suffix]
    }
    assert not long


def test_importing_loads_and_opens_nothing() -> None:
    """Only the package's own file is opened, and no other library is loaded."""
    script = """
import __future__, importlib, json, sys, typing
before, opened = set(sys.modules), []
sys.addaudithook(lambda event, args: event == "open" and opened.append(str(args[0])))
import adiz
new = sorted(name for name in set(sys.modules) - before if not name.startswith("_"))
print(json.dumps([new, [name for name in opened if "adiz" not in name]]))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert json.loads(done.stdout) == [["adiz"], []]
