"""``adiz patrols``: joint patrols and single-state flights, with sources."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from adiz.cli._rows import add_format, print_rows

_COLUMNS = (
    "number",
    "start_date",
    "end_date",
    "cn_count",
    "cn_types",
    "ru_count",
    "ru_types",
    "airspace_entered",
    "confidence",
)


def build_parser(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Joint patrols of Chinese and Russian aircraft since 2019, and single-state flights with "
        "published times. CSV and JSON also hold zones, times, statements, sources and notes."
    )
    parser.add_argument("--kind", choices=("joint_patrol", "single_state"))
    parser.add_argument("--zone", help="part of a zone's or place's name, e.g. JADIZ")
    parser.add_argument("--since", type=int, metavar="YEAR", help="flights in or after")
    parser.add_argument("--until", type=int, metavar="YEAR", help="flights in or before")
    add_format(parser)


def run(args: argparse.Namespace) -> int:
    from adiz.incidents.catalogue import load_patrols, select_patrols

    patrols = select_patrols(
        load_patrols(), kind=args.kind, zone=args.zone, since=args.since, until=args.until
    )
    print_rows([asdict(p) for p in patrols], args.format, _COLUMNS)
    return 0
