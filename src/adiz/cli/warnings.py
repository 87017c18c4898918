"""``adiz warnings``: predicted entries of recorded data."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from adiz.cli._frames import add_output, write_frame
from adiz.errors import Fault, FaultyInputError

if TYPE_CHECKING:
    from adiz.detect.warnings import WarningsParams

_COLUMNS = (
    "time",
    "track_id",
    "zone_id",
    "change",
    "predicted_entry_time",
    "lead_s",
    "course",
    "reason",
    "vertical",
)


def build_parser(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("paths", nargs="+", metavar="PATH", help="files or folders of reports")
    add("--zones", required=True, metavar="ID|FILE[,…]", help="zones of the catalogue or of files")
    add(
        "--horizon",
        action="append",
        default=[],
        metavar="KIND=S",
        help="warning time of a kind of zone, seconds (adiz=600; may be given several times)",
    )
    add("--agree", metavar="N/M", help="updates that must agree, of how many (3/5)")
    add("--cone-deg", type=float, metavar="DEG", help="half-angle of the cone looked into (3)")
    add("--config", metavar="FILE.toml", help="take the settings from its table [warnings]")
    add("--suppress", metavar="ID[,…]", default="", help="tracks that are not warned of")
    add("--time-zone", metavar="IANA", help="the zone of times that name none")
    add_output(parser)


def run(args: argparse.Namespace) -> int:
    from adiz.run.ahead import find_warnings
    from adiz.sources.read import read
    from adiz.zones.load import zones

    params, chosen = _params(args), zones(args.zones)
    reports = read(args.paths, time_zone=args.time_zone)
    for reason, count in reports.rejected_counts.items():
        print(f"adiz: {count} rows rejected: {reason}", file=sys.stderr)
    suppressed = [name for name in args.suppress.split(",") if name]
    write_frame(find_warnings(reports, chosen, params, suppressed), args, _COLUMNS)
    return 0


def _params(args: argparse.Namespace) -> WarningsParams:
    from adiz.detect.warnings import WarningsParams

    table: dict[str, Any] = _configured(args.config) if args.config else {}
    if args.horizon:
        given = table.get("horizon_s", {})
        table["horizon_s"] = dict(given) if isinstance(given, dict) else {}
    for pair in args.horizon:
        kind, _, seconds = pair.partition("=")
        form = "KIND=SECONDS, e.g. adiz=900"
        table["horizon_s"][kind] = _number(seconds if kind else "", "--horizon", pair, form)
    if args.agree is not None:
        agree, _, of = args.agree.partition("/")
        table["agree"] = int(_number(agree, "--agree", args.agree, "N/M, e.g. 3/5"))
        table["of"] = int(_number(of, "--agree", args.agree, "N/M, e.g. 3/5"))
    if args.cone_deg is not None:
        table["cone_deg"] = args.cone_deg
    return WarningsParams.from_table(table, args.config)


def _configured(path: str) -> dict[str, Any]:
    import tomllib

    try:
        with open(path, "rb") as file:
            table = tomllib.load(file).get("warnings", {})
    except tomllib.TOMLDecodeError as error:
        raise FaultyInputError(Fault(f"not TOML: {error}", path)) from None
    if not isinstance(table, dict):
        raise FaultyInputError(Fault("warnings is not a table", path, None, "warnings"))
    return dict(table)


def _number(text: str, option: str, given: str, form: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise FaultyInputError(
            Fault(f"{option} {given}", field=option, remedy=f"write {form}")
        ) from None
