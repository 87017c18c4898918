"""``adiz identity``: who each track is, with evidence."""

from __future__ import annotations

import argparse

from adiz.cli._frames import add_output, write_frame
from adiz.cli._inputs import add_reports
from adiz.cli._reading import read_and_say


def build_parser(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Who each track is: state, military or civil, role, type, by address, registration, "
        "callsign and type. Sources that disagree are shown as such."
    )
    add_reports(parser)
    parser.add_argument("--statements", action="store_true", help="every statement, one a line")
    parser.add_argument("--conflicts", action="store_true", help="only tracks with a conflict")
    add_output(parser)


def run(args: argparse.Namespace) -> int:
    from adiz.tracks.identity import identify_tracks, identities_table, statements_table
    from adiz.tracks.registry import read_registry

    registry = read_registry(args.registry) if args.registry else None
    found = identify_tracks(read_and_say(args), registry)
    if args.conflicts:
        found = {track_id: one for track_id, one in found.items() if one.conflicts}
    if args.statements:
        write_frame(statements_table(found), args)
        return 0
    columns = ("track_id", "state", "use", "role", "type", "callsign", "reason")
    last = "conflicts" if args.conflicts else "operator"
    write_frame(identities_table(found), args, (*columns, last))
    return 0
