"""``adiz encounters``: which tracks were near each other."""

from __future__ import annotations

import argparse
import sys

from adiz.cli._frames import add_output, write_frame
from adiz.cli._reading import add_reading, is_told, read_and_say

_COLUMNS = (
    "track_a",
    "track_b",
    "start_time",
    "end_time",
    "duration_s",
    "min_lateral_m",
    "min_vertical_ft",
    "vertical",
    "speed_difference_kt",
    "heading_difference_deg",
)


def add_limits(parser: argparse.ArgumentParser) -> None:
    """The options shared with ``adiz formations``."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="files or folders of reports")
    parser.add_argument(
        "--max-gap",
        type=float,
        default=120.0,
        metavar="S",
        help="longest time between two reports that still make a leg, seconds (default 120)",
    )
    parser.add_argument(
        "--max-speed",
        type=float,
        default=2000.0,
        metavar="KT",
        help="a leg that needs more is treated as a gap, knots (default 2000)",
    )


def build_parser(parser: argparse.ArgumentParser) -> None:
    add_limits(parser)
    parser.add_argument(
        "--within-nm", type=float, default=5.0, metavar="NM", help="lateral limit (default 5)"
    )
    parser.add_argument(
        "--within-ft",
        type=float,
        default=2000.0,
        metavar="FT",
        help="vertical limit (default 2000)",
    )
    parser.add_argument(
        "--for",
        dest="for_s",
        type=float,
        default=300.0,
        metavar="S",
        help="shortest encounter, seconds (default 300)",
    )
    add_reading(parser)
    add_output(parser)


def run(args: argparse.Namespace) -> int:
    from adiz.detect.encounters import EncountersFold
    from adiz.run.stream import is_parquet
    from adiz.run.together import encounters_through

    fold = EncountersFold(
        within_nm=args.within_nm,
        within_ft=args.within_ft,
        for_s=args.for_s,
        max_gap_s=args.max_gap,
        lateness_s=0.0,
        max_speed_kt=args.max_speed,
    )
    streamed = not is_told(args) and is_parquet(args.paths)
    found = encounters_through(fold, args.paths if streamed else read_and_say(args))
    write_frame(found, args, _COLUMNS)
    say_counts(fold)
    return 0


def say_counts(fold: object) -> None:
    """Say on standard error what was left out."""
    words = {
        "unusable": "reports without time, track or position",
        "same_time": "reports of a track at a time it had already reported",
        "too_fast": "legs too fast to be flown (two aircraft with one id, or bad positions)",
    }
    counts: dict[str, int] = getattr(fold, "counts", {})
    for name, text in words.items():
        if counts.get(name):
            print(f"left out: {counts[name]:,} {text}", file=sys.stderr)
