"""``adiz identify``: each stay against the rule of its zone."""

from __future__ import annotations

import argparse

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

NOTE = (
    "An entry into an air defence identification zone is no violation of airspace. "
    "Unknown means that nothing given can tell."
)


def build_parser(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Whether each stay met the rule of its zone: met, not met, unknown or exempt for each "
        "requirement, with the reason. Plans, notices and contacts given are taken as all there "
        "were, unless --partial says otherwise."
    )
    add_reports(parser)
    add_zones(parser)
    add_evidence(parser)
    parser.add_argument("--rules", metavar="FILE", help="TOML of rules, instead of the built-in")
    parser.add_argument(
        "--result", choices=("met", "not met", "unknown", "exempt"), help="only these answers"
    )
    add_output(parser)


def run(args: argparse.Namespace) -> int:
    import polars as pl

    from adiz.identify.compliance import check_compliance
    from adiz.identify.rules import read_rules

    rules = read_rules(args.rules) if args.rules else None
    inputs = read_inputs(args)
    reports = read_and_say(args)
    stays, zones = find_stays(args, reports)
    answer = check_compliance(stays, reports, zones, inputs, rules)
    table = answer.table
    if args.result:
        table = table.filter(pl.col("result") == args.result)
    columns = ("track_id", "zone_id", "entry_time", "requirement", "result", "reason")
    write_frame(table, args, columns)
    results = dict(answer.table["result"].value_counts(sort=True).iter_rows())
    counts = {f"answers {name}": count for name, count in results.items()}
    stances = [f"{rule.title}: {rule.stance}" for rule in answer.rules if rule.stance]
    print_notes([*stances, NOTE], {"stays": stays.height, **counts, **answer.counts}, args)
    return 0
