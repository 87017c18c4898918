"""``adiz stays``: wiring only."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from adiz.cli._reading import add_reading, is_told, read_told

if TYPE_CHECKING:
    import polars as pl

    from adiz.sources.reports import Reports
    from adiz.zones.model import Zones

EPILOG = """examples:
  adiz stays flights.parquet --zones KADIZ,CHN-ECS-ADIZ
  adiz stays trace_full_ac671b.json --zones US-CONUS-ADIZ --map map.html
  adiz stays day.csv --zones mine.geojson --format json --out stays.jsonl
"""


def build_parser(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EPILOG
    add = parser.add_argument
    add("paths", nargs="+", metavar="PATH", help="files or folders of reports, of any known format")
    add(
        "--zones",
        required=True,
        metavar="ID|FILE[,…]",
        help="zones of the catalogue ('adiz zones list') or of files",
    )
    add("--format", choices=("table", "json", "csv", "parquet", "geojson"), help="default: table")
    add("--out", metavar="FILE", help="write there instead of to the terminal")
    add("--map", metavar="FILE.html", help="also draw a map: one file that needs no network")
    add(
        "--max-gap",
        type=float,
        default=120.0,
        metavar="S",
        help="a longer way between two reports, in seconds, is a gap (default 120)",
    )
    add(
        "--track-end",
        type=float,
        default=21_600.0,
        metavar="S",
        help="a longer one ends the track (default 21600: six hours)",
    )
    add(
        "--max-speed-kt",
        type=float,
        metavar="KT",
        help="speed bound in gaps (default: the type's published maximum, else 650)",
    )
    add("--min-depth-m", type=float, metavar="M", help="mark stays that go in less far as marginal")
    add("--min-dwell-s", type=float, metavar="S", help="mark shorter stays as marginal")
    add(
        "--show-zone",
        action="append",
        default=[],
        metavar="IANA",
        help="a time zone to show beside UTC, e.g. Asia/Seoul (may be given several times)",
    )
    add_reading(parser)
    add("--rejected", metavar="FILE.csv", help="write the rows that could not be used there")
    add("--quiet", action="store_true", help="no progress and no notes")


def run(args: argparse.Namespace) -> int:
    """Find stays, print or write them."""
    from adiz.zones.load import zones

    _check_zones(args.show_zone)
    chosen = zones(args.zones)
    stays, reports = _find(args, chosen)
    if args.min_depth_m is not None or args.min_dwell_s is not None:
        stays = _mark_marginal(stays, args.min_depth_m or 0.0, args.min_dwell_s or 0.0)
    _write(args, stays)
    if args.map:
        from adiz.out.map import write_map

        assert reports is not None  # a map is asked for: the reports were read whole
        write_map(
            args.map,
            reports.table,
            chosen,
            stays,
            time_zones=args.show_zone,
            max_gap_s=args.max_gap,
            track_end_s=args.track_end,
            max_speed_kt=args.max_speed_kt,
        )
        _say(args, f"map: {args.map}")
    return 0


def _check_zones(names: list[str]) -> None:
    from zoneinfo import ZoneInfo

    from adiz.errors import Fault, FaultyInputError

    for name in names:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise FaultyInputError(
                Fault(
                    f"no time zone is called {name!r}",
                    field="--show-zone",
                    remedy="give an IANA name such as Asia/Seoul",
                )
            ) from None


def _find(args: argparse.Namespace, zones: Zones) -> tuple[pl.DataFrame, Reports | None]:
    from adiz.run.batch import find_stays
    from adiz.run.stream import is_parquet

    options = {
        "max_gap_s": args.max_gap,
        "track_end_s": args.track_end,
        "max_speed_kt": args.max_speed_kt,
    }
    if not (is_told(args) or args.rejected or args.map) and is_parquet(args.paths):
        progress = None if args.quiet or not sys.stderr.isatty() else _progress
        rejected: dict[str, int] = {}
        stays = find_stays(args.paths, zones, progress=progress, rejected=rejected, **options)
        _say_rejected(args, rejected)
        return stays, None
    reports = read_told(args)
    for note in reports.notes:
        _say(args, note)
    _say_rejected(args, reports.rejected_counts)
    if args.rejected:
        reports.rejected.write_csv(args.rejected)
    return find_stays(reports, zones, **options), reports


def _progress(done: int, total: int) -> None:
    width = 30
    bar = "█" * (width * done // total)
    end = "\n" if done >= total else ""
    print(f"\r{bar:·<{width}} {100 * done // total:3d} %", end=end, file=sys.stderr, flush=True)


def _mark_marginal(stays: pl.DataFrame, depth_m: float, dwell_s: float) -> pl.DataFrame:
    import polars as pl

    shallow = (pl.col("max_depth_m") < depth_m) | (pl.col("duration_s") < dwell_s)
    return stays.with_columns(marginal=shallow.fill_null(False))


def _write(args: argparse.Namespace, stays: pl.DataFrame) -> None:
    from adiz.out.stays import write_stays

    suffixes = {".json": "json", ".jsonl": "json", ".ndjson": "json", ".csv": "csv"}
    suffixes |= {".parquet": "parquet", ".geojson": "geojson"}
    guess = suffixes.get(Path(args.out).suffix.lower(), "table") if args.out else "table"
    format = args.format or guess
    if args.out:
        write_stays(stays, args.out, format, args.show_zone)
        _say(args, f"{len(stays)} stays: {args.out}")
    else:
        sys.stdout.flush()
        write_stays(stays, sys.stdout.buffer, format, args.show_zone)
        sys.stdout.buffer.flush()  # before what is said on standard error


def _say_rejected(args: argparse.Namespace, rejected: dict[str, int]) -> None:
    for reason, count in rejected.items():
        _say(args, f"{count} row{'s' * (count != 1)} left out: {reason}")


def _say(args: argparse.Namespace, text: str) -> None:
    if not args.quiet:
        print(text, file=sys.stderr)
