"""``adiz tally``: stays counted, as a table, CSV and chart."""

from __future__ import annotations

import argparse
from pathlib import Path

from adiz.cli._frames import add_output, write_frame
from adiz.cli._inputs import (
    add_evidence,
    add_reports,
    add_zones,
    find_stays,
    print_notes,
    read_inputs,
)
from adiz.cli._reading import read_and_say


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
    add_output(parser)


def run(args: argparse.Namespace) -> int:
    import polars as pl

    from adiz.identify.compliance import check_compliance
    from adiz.identify.tally import DEFINITIONS, company_spans, tally_stays
    from adiz.tracks.identity import identify_tracks

    by = [name.strip() for name in args.by.split(",") if name.strip()]
    if args.chart:
        from adiz.out.chart import check_chart, write_chart

        check_chart(args.chart, by)  # before hours of reading
    inputs = read_inputs(args)
    reports = read_and_say(args)
    stays, zones = find_stays(args, reports)
    identified = None
    if "identified" in by:
        identified = check_compliance(stays, reports, zones, inputs).identified
    company = None
    if "company" in by:
        from adiz.run.together import find_formations

        company = company_spans(find_formations(reports))
    names = {} if args.versions else {z.zone_id: z.version_of or z.zone_id for z in zones}
    counted = tally_stays(
        stays,
        identify_tracks(reports, inputs.registry),
        by,
        identified=identified,
        company=company,
        plain_names=names,
        time_zone=args.days_in,
    )
    last = pl.int_range(pl.len()) == pl.len() - 1
    named = pl.when(last).then(pl.lit("total")).otherwise(pl.col(by[0])).alias(by[0])
    write_frame(counted.with_columns(named) if args.format == "table" else counted, args)
    print_notes(DEFINITIONS, {}, args)
    if args.chart:
        write_chart(counted, args.chart, count=args.count, title=_title(by, args))
    return 0


def _title(by: list[str], args: argparse.Namespace) -> str:
    """What is counted and, where the bars do not tell, in which zones."""
    title = f"{args.count.capitalize()} by {' and '.join(by)}"
    if "zone" in by:
        return title
    named = ", ".join(Path(name.strip()).name for name in args.zones.split(","))
    return f"{title}: {named}" if named.isascii() and len(named) < 60 else title
