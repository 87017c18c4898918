"""``adiz simulate``: a world of traffic with known truth."""

from __future__ import annotations

import argparse


def build_parser(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Make a world of traffic from a seed: airways, approach streams, formations that join and "
        "split, joint patrols, tanker orbits, false and doubled addresses, flight plans kept and "
        "broken. Writes reports/*.parquet, plans.txt and the truth beside them."
    )
    parser.add_argument("--out", required=True, metavar="DIR", help="a new folder")
    for option, kind, default, text in (
        ("--aircraft", int, 500, "about how many flights; the area grows with them"),
        ("--hours", float, 3.0, "how long"),
        ("--seed", int, 1, "the same seed gives the same world"),
        ("--period", float, 5.0, "seconds between two reports of an aircraft"),
        ("--noise", float, 0.0, "standard deviation of each coordinate, metres"),
        ("--dropout", float, 0.0, "share of reports lost"),
        ("--holes", float, 0.0, "share of flights not received for three to ten minutes"),
        ("--no-altitude", float, 0.0, "share of flights without altitude"),
    ):
        parser.add_argument(option, type=kind, default=default, help=f"{text} (default {default})")
    parser.add_argument(
        "--encounters", action="store_true", help="also write the true encounters (slow)"
    )


def run(args: argparse.Namespace) -> int:
    from pathlib import Path

    from adiz.simulate.world import Settings, make_world

    world = make_world(
        Settings(
            aircraft=args.aircraft,
            hours=args.hours,
            seed=args.seed,
            period_s=args.period,
            noise_m=args.noise,
            dropout=args.dropout,
            holes=args.holes,
            no_altitude=args.no_altitude,
        )
    )
    rows = world.write(args.out)
    if args.encounters:
        from adiz.simulate.truth import find_true_encounters

        find_true_encounters(world).write_parquet(Path(args.out, "truth", "encounters.parquet"))
    print(
        f"{args.out}: {rows:,} reports of {len(world.flights):,} flights, "
        f"{len(world.groups)} groups, {len(world.plans):,} flight plans"
    )
    return 0
