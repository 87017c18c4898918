"""Options and inputs that identify, tally and identity share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from adiz.cli._reading import add_reading
from adiz.errors import Fault

if TYPE_CHECKING:
    import polars as pl

    from adiz.identify.compliance import Inputs
    from adiz.sources.reports import Reports
    from adiz.zones.model import Zones

SHOWN_FAULTS = 10


def add_reports(parser: argparse.ArgumentParser) -> None:
    """Where the reports are, how they are read, and whose aircraft they tell of."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="files or folders of reports")
    add_reading(parser)
    parser.add_argument("--registry", metavar="FILE", help="CSV of aircraft that settles identity")


def add_zones(parser: argparse.ArgumentParser) -> None:
    """Which zones."""
    parser.add_argument(
        "--zones", required=True, metavar="ID|FILE[,…]", help="zones of the catalogue or of files"
    )
    parser.add_argument(
        "--max-gap", type=float, metavar="S", help="a longer way between reports is a gap (120)"
    )


def add_evidence(parser: argparse.ArgumentParser) -> None:
    """Plans, notices and contacts."""
    for name, what in (
        ("plans", "files of ICAO ATS messages"),
        ("points", "CSV of significant points and aerodromes"),
        ("notices", "CSV of prior notices"),
        ("contacts", "CSV of radio contacts"),
    ):
        parser.add_argument(f"--{name}", nargs="+", default=None, metavar="FILE", help=what)
    parser.add_argument(
        "--partial", action="store_true", help="the files given may not hold everything there was"
    )


def read_inputs(args: argparse.Namespace) -> Inputs:
    """What identification may draw on; what was set aside is said on standard error."""
    from adiz.identify.compliance import Inputs
    from adiz.identify.notices import read_contacts, read_notices
    from adiz.identify.plans import read_plans
    from adiz.identify.route import PlanPoint, read_points
    from adiz.tracks.registry import read_registry

    points: dict[str, list[PlanPoint]] = {}
    for path in args.points or ():
        for name, places in read_points(path).items():
            points.setdefault(name, []).extend(places)
    inputs = Inputs(
        read_plans(args.plans, points) if args.plans else None,
        read_notices(args.notices) if args.notices else None,
        read_contacts(args.contacts) if args.contacts else None,
        read_registry(args.registry) if args.registry else None,
        not args.partial,
    )
    for part in (inputs.plans, inputs.notices, inputs.contacts):
        print_faults(part.faults if part is not None else ())
    return inputs


def print_faults(faults: Iterable[Fault]) -> None:
    """The first faults in full and the number of the others, on standard error."""
    listed = list(faults)
    for fault in listed[:SHOWN_FAULTS]:
        print(f"adiz: set aside: {fault}", file=sys.stderr)
    if len(listed) > SHOWN_FAULTS:
        print(f"adiz: set aside: {len(listed) - SHOWN_FAULTS} more", file=sys.stderr)


def print_notes(notes: Iterable[str], counts: Mapping[str, int], args: argparse.Namespace) -> None:
    """Counts and notes after a printed table; on standard error after any other output."""
    file = sys.stdout if args.format == "table" and not args.out else sys.stderr
    print(file=file)
    for what, count in counts.items():
        print(f"{what}: {count}", file=file)
    for note in notes:
        print(note, file=file)


def find_stays(args: argparse.Namespace, reports: Reports) -> tuple[pl.DataFrame, Zones]:
    """The stays, and the zones they were sought in."""
    from adiz.run.batch import find_stays
    from adiz.zones.load import zones as load

    zones = load(args.zones)
    options = {} if args.max_gap is None else {"max_gap_s": args.max_gap}
    return find_stays(reports, zones, **options), zones
