"""The command line: wiring only.

Built on argparse: a richer library costs more time at start than a small job takes. Only the
module of the command that was asked for is imported.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from adiz import __version__
from adiz.errors import AdizError

COMMANDS: dict[str, tuple[str, str]] = {
    "alerts": ("adiz.cli.alerts", "alerts of a watch: acknowledge, find and send dead letters"),
    "counts": ("adiz.cli.counts", "published counts of entries, scrambles and sorties"),
    "encounters": ("adiz.cli.encounters", "which tracks were near each other"),
    "events": ("adiz.cli.events", "what a watch has told, from its store"),
    "formations": ("adiz.cli.formations", "who flew with whom, joins and splits, joint patrols"),
    "identify": ("adiz.cli.identify", "whether each stay met the rule of its zone"),
    "identity": ("adiz.cli.identity", "who each track is, with evidence"),
    "incident": ("adiz.cli.incident", "accounts of an incident, held against each other"),
    "patrols": ("adiz.cli.patrols", "joint patrols and their sources"),
    "simulate": ("adiz.cli.simulate", "make a world of traffic with known truth"),
    "stays": ("adiz.cli.stays", "who was in which zone, from when to when"),
    "tally": ("adiz.cli.tally", "stays counted by state, zone, month, role and more"),
    "warnings": ("adiz.cli.warnings", "who was about to enter which zone, as a watch would say"),
    "watch": ("adiz.cli.watch", "watch live feeds: who is about to enter, who has entered"),
    "zones": ("adiz.cli.zones", "list, show, check and convert zones"),
}


def parser_for(name: str) -> argparse.ArgumentParser:
    """The parser of one command."""
    module, summary = COMMANDS[name]
    parser = argparse.ArgumentParser(
        prog=f"adiz {name}",
        description=summary[0].upper() + summary[1:] + ".",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    importlib.import_module(module).build_parser(parser)
    return parser


def _overview() -> str:
    width = max(map(len, COMMANDS)) + 2
    lines = [f"  {name:<{width}}{summary}" for name, (_, summary) in COMMANDS.items()]
    return "\n".join(
        [
            "usage: adiz COMMAND …",
            "",
            "Watch air defence identification zones, and find out afterwards what happened.",
            "",
            *lines,
            "",
            "'adiz COMMAND --help' explains a command; 'adiz --version' tells the version.",
        ]
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status (2: wrong use or unusable input)."""
    args = list(sys.argv[1:] if argv is None else argv)
    if not args or args[0] in ("-h", "--help", "help"):
        print(_overview())
        return 0
    if args[0] in ("-V", "--version"):
        print(f"adiz {__version__}")
        return 0
    name = args[0]
    if name not in COMMANDS:
        import difflib

        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"did you mean '{near[0]}'?" if near else "see 'adiz --help'"
        print(f"adiz: no command is called {name!r}; {hint}", file=sys.stderr)
        return 2
    parser = parser_for(name)
    parsed = parser.parse_args(args[1:])
    try:
        status: int = importlib.import_module(COMMANDS[name][0]).run(parsed)
        sys.stdout.flush()
        return status
    except AdizError as error:
        print(f"adiz {name}: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        if isinstance(error, BrokenPipeError):  # the reader (head, less) has gone: nothing to say
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        print(f"adiz {name}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
