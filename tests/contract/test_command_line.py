"""The command line: every command and option is documented, and help comes at once."""

from __future__ import annotations

import argparse
import re
import resource
import subprocess
import sys
from collections.abc import Iterator

import pytest
from tests.conftest import ROOT

from adiz.cli import COMMANDS, parser_for

PAGE = (ROOT / "docs" / "reference" / "cli.md").read_text()
SECTIONS = dict(re.findall(r"^## `adiz (\w+)[^\n]*`$(.*?)(?=^## |\Z)", PAGE, re.M | re.S))


def options_of(parser: argparse.ArgumentParser) -> Iterator[str]:
    """The options and actions of a parser and of those below it."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, below in action.choices.items():
                yield name
                yield from options_of(below)
        yield from (name for name in action.option_strings if name not in ("-h", "--help"))


def test_every_command_has_its_section_in_order() -> None:
    assert list(SECTIONS) == sorted(COMMANDS) == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_documented_and_no_other(name: str) -> None:
    declared = set(options_of(parser_for(name)))
    missing = [
        o for o in declared if not re.search(rf"(?<![\w-]){re.escape(o)}(?![\w-])", SECTIONS[name])
    ]
    assert not missing
    listed = set(
        re.findall(r"`(--[a-z-]+)", "".join(re.findall(r"^\| `--[^|]*", SECTIONS[name], re.M)))
    )
    assert listed <= declared


def test_help_answers_at_once() -> None:
    """Processor time, the least of five: what a loaded machine adds is not ours."""
    spent = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "adiz", "--help"], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(spent) < 0.3
