"""``adiz identity``: who each track is, with evidence."""

from __future__ import annotations

import argparse

from adiz.cli._inputs import add_reports, read_reports
from adiz.cli._rows import add_format, print_rows


def build_parser(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Who each track is: state, military or civil, role, type, by address, registration, "
        "callsign and type. Sources that disagree are shown as such."
    )
    add_reports(parser)
    parser.add_argument("--statements", action="store_true", help="every statement, one a line")
    parser.add_argument("--conflicts", action="store_true", help="only tracks with a conflict")
    add_format(parser)


def run(args: argparse.Namespace) -> int:
    from adiz.tracks.identity import identify_tracks, identities_table, statements_table
    from adiz.tracks.registry import read_registry

    registry = read_registry(args.registry) if args.registry else None
    found = identify_tracks(read_reports(args), registry)
    if args.conflicts:
        found = {track_id: one for track_id, one in found.items() if one.conflicts}
    if args.statements:
        print_rows(statements_table(found).to_dicts(), args.format)
        return 0
    columns = ("track_id", "state", "use", "role", "type", "callsign", "reason")
    last = "conflicts" if args.conflicts else "operator"
    print_rows(identities_table(found).to_dicts(), args.format, (*columns, last))
    return 0
