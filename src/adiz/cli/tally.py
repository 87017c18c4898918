"""``adiz tally``: stays counted, as a table, CSV and chart."""

from __future__ import annotations

import argparse

from adiz.cli._inputs import (
    add_evidence,
    add_reports,
    add_zones,
    find_stays,
    print_notes,
    read_inputs,
    read_reports,
)
from adiz.cli._rows import add_format, print_rows


def build_parser(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Stays counted by sortie and by entry. The definitions are printed with the counts, "
        "because official counts differ in them."
    )
    add_reports(parser)
    add_zones(parser)
    add_evidence(parser)
    parser.add_argument(
        "--by",
        default="zone,state",
        help="state, zone, month, year, day, role, use, identified or company, with commas; "
        "default: zone,state",
    )
    parser.add_argument("--versions", action="store_true", help="versions of a zone apart")
    parser.add_argument("--days-in", default="UTC", metavar="ZONE", help="IANA zone of months")
    parser.add_argument("--chart", metavar="FILE", help="write a chart, .svg or .png")
    parser.add_argument(
        "--count", choices=("entries", "sorties"), default="entries", help="what the chart shows"
    )
    add_format(parser)


def run(args: argparse.Namespace) -> int:
    from adiz.identify.compliance import check_compliance
    from adiz.identify.tally import DEFINITIONS, tally_stays
    from adiz.tracks.identity import identify_tracks

    by = [name.strip() for name in args.by.split(",") if name.strip()]
    inputs = read_inputs(args)
    reports = read_reports(args)
    stays, zones = find_stays(args, reports)
    identified = None
    if "identified" in by:
        identified = check_compliance(stays, reports, zones, inputs).identified
    names = {} if args.versions else {z.zone_id: z.version_of or z.zone_id for z in zones}
    counted = tally_stays(
        stays,
        identify_tracks(reports, inputs.registry),
        by,
        identified=identified,
        plain_names=names,
        time_zone=args.days_in,
    )
    rows = counted.to_dicts()
    if args.format == "table":
        rows[-1][by[0]] = "total"
    print_rows(rows, args.format)
    print_notes(DEFINITIONS, {}, args.format)
    if args.chart:
        from adiz.out.chart import write_chart

        write_chart(counted, args.chart, count=args.count)
    return 0
