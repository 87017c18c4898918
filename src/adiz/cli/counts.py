"""``adiz counts``: published yearly counts, with source and confidence."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from adiz.cli._rows import add_format, print_rows

_COLUMNS = (
    "series",
    "zone",
    "state",
    "period_start",
    "period_end",
    "stated",
    "counted",
    "confidence",
)


def build_parser(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Published counts of scrambles, entries and sorties. CSV and JSON also hold bounds, "
        "source and notes. A series counts one thing in one way: series are not comparable."
    )
    parser.add_argument("--series", help="e.g. kadiz-entries, jasdf-scrambles, taiwan-adiz")
    parser.add_argument("--zone", help="e.g. KADIZ")
    parser.add_argument("--state", help="ISO 3166-1 alpha-2, or 'all'")
    parser.add_argument("--since", type=int, metavar="YEAR", help="periods that begin in or after")
    parser.add_argument("--until", type=int, metavar="YEAR", help="periods that begin in or before")
    parser.add_argument("--verified", action="store_true", help="leave out unverified figures")
    add_format(parser)


def run(args: argparse.Namespace) -> int:
    from adiz.incidents.catalogue import load_counts, select_counts

    counts = select_counts(
        load_counts(),
        series=args.series,
        zone=args.zone,
        state=args.state,
        since=args.since,
        until=args.until,
        verified=args.verified,
    )
    print_rows([asdict(c) for c in counts], args.format, _COLUMNS)
    return 0
