"""``adiz formations``: who flew with whom, joins and splits, joint patrols."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from adiz.cli._frames import add_output, write_frame
from adiz.cli._reading import add_reading, read_and_say
from adiz.cli.encounters import add_limits, say_counts

if TYPE_CHECKING:
    import polars as pl

    from adiz.detect.formations import Formations

_COLUMNS = (
    "formation_id",
    "kind",
    "start_time",
    "end_time",
    "members",
    "states",
    "joint_patrol",
    "joint_start",
    "joint_end",
    "coordination",
    "mean_lateral_m",
    "vertical",
)


def build_parser(parser: argparse.ArgumentParser) -> None:
    add_limits(parser)
    parser.add_argument(
        "--show",
        choices=("formations", "parts", "events", "company", "zones"),
        default="formations",
        help="formations (default); parts: times of unchanged membership; events: joins, leaves, "
        "merges, splits; company: every pair near each other and its kind; zones: who was in "
        "which zone together (with --zones)",
    )
    parser.add_argument("--joint", action="store_true", help="joint patrols only")
    parser.add_argument("--zones", metavar="ID|FILE[,…]", help="zones for --show zones")
    parser.add_argument(
        "--registry", metavar="FILE", help="CSV of known aircraft, for states and roles"
    )
    add_reading(parser)
    add_output(parser)


def run(args: argparse.Namespace) -> int:
    from adiz.detect.formations import FormationsFold
    from adiz.errors import AdizError
    from adiz.run.together import formations_through
    from adiz.tracks.identity import identify_tracks
    from adiz.tracks.registry import read_registry

    if (args.show == "zones") != bool(args.zones):
        raise AdizError("--show zones and --zones go together")
    table = read_and_say(args).table
    registry = read_registry(args.registry) if args.registry else None
    identities = identify_tracks(table, registry)
    fold = FormationsFold(
        state_of={name: one.state for name, one in identities.items()},
        role_of={name: one.role for name, one in identities.items()},
        max_gap_s=args.max_gap,
        lateness_s=0.0,
        max_speed_kt=args.max_speed,
    )
    found = formations_through(fold, table)
    shown = _chosen(found, args, table)
    write_frame(shown, args, _COLUMNS if args.show == "formations" else None)
    say_counts(fold.encounters)
    return 0


def _chosen(found: Formations, args: argparse.Namespace, table: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    if args.show == "company":
        return found.company
    if args.show == "zones":
        import adiz
        from adiz.detect.groups import find_zone_company

        shown = find_zone_company(found.parts, adiz.find_stays(table, args.zones))
    else:
        shown = {
            "formations": found.formations,
            "parts": found.parts,
            "events": found.events,
        }[args.show]
    if args.joint:
        joint = found.formations.filter(pl.col("joint_patrol"))
        shown = shown.join(joint.select("formation_id"), on="formation_id", how="semi")
    return shown
