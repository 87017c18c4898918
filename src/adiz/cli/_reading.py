"""How reports are read: the options every command that takes them shares.

Imports nothing heavy: ``adiz stays`` waits for it.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from adiz.errors import Fault, FaultyInputError

if TYPE_CHECKING:
    from adiz.sources.reports import Reports

TOLD = ("input_format", "column", "time_zone", "track_id", "site", "start")


def add_reading(parser: argparse.ArgumentParser) -> None:
    """The options that say how the input is to be understood."""
    add = parser.add_argument
    add(
        "--time-zone",
        metavar="IANA",
        help="the zone of times in the input that name none; without it they are an error",
    )
    add(
        "--input-format",
        metavar="NAME",
        help="do not recognise the format of the input: it is this",
    )
    add(
        "--column",
        action="append",
        default=[],
        metavar="OURS=THEIRS",
        help="a column of the input by our name, e.g. time=zeit (may be given several times)",
    )
    add("--track-id", metavar="NAME", help="the one aircraft of an input that does not name it")
    add(
        "--site",
        action="append",
        default=[],
        metavar="[SAC/SIC=]LAT,LON,HEIGHT_M",
        help="where a radar (one of several: by SAC/SIC) or Beast receiver stands",
    )
    add(
        "--start",
        metavar="TIME",
        help="when a recording without dates begins, e.g. 2024-05-31T21:47:51Z",
    )


def is_told(args: argparse.Namespace) -> bool:
    """Whether any of these options was given."""
    return any(getattr(args, name) for name in TOLD)


def read_told(args: argparse.Namespace) -> Reports:
    """The reports, read as the options say."""
    from adiz.sources.read import read

    return read(
        args.paths,
        format=args.input_format,
        columns=_columns(args.column),
        time_zone=args.time_zone,
        track_id=args.track_id,
        site=_sites(args.site),
        start=args.start,
    )


def read_and_say(args: argparse.Namespace) -> Reports:
    """The same; notes and counts of what was left out go to standard error."""
    reports = read_told(args)
    for note in reports.notes:
        print(note, file=sys.stderr)
    for reason, count in reports.rejected_counts.items():
        print(f"{count:,} row{'s' * (count != 1)} left out: {reason}", file=sys.stderr)
    return reports


def _columns(pairs: list[str]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise FaultyInputError(
                Fault(
                    f"--column {pair}: no '='",
                    field="--column",
                    remedy="write OURS=THEIRS, e.g. time=zeit",
                )
            )
    return dict(pair.split("=", 1) for pair in pairs)


def _sites(given: list[str]) -> dict[str, str]:
    """Sites by sensor; the one that names no sensor is for any."""
    pairs = [site.rpartition("=") for site in given]
    return {sensor: place for sensor, _, place in pairs}
