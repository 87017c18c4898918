"""``adiz zones``: list, show, check and convert zones; draw belts."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import textwrap
from collections import Counter
from pathlib import Path
from typing import Any

from adiz.errors import Fault, ZoneError
from adiz.zones.load import read_zones, zones
from adiz.zones.model import Arc, Circle, Vertex, Zone, Zones
from adiz.zones.moments import parse_moment, show_moment

_EXAMPLES = """\
examples:
  adiz zones list
  adiz zones list KADIZ,my.geojson --at 2012-01-01
  adiz zones show KADIZ-2013
  adiz zones check airspace.txt
  adiz zones convert airspace.txt airspace.geojson
  adiz zones belt islets.csv --distance-nm 12 --out belt.geojson
"""
_MOST_POINTS = 40
"""Corners that 'show' lists; a longer boundary is for --json."""


def build_parser(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands."""
    parser.epilog = _EXAMPLES
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    names = "ids, plain names or files, separated by commas"

    def command(name: str, summary: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            allow_abbrev=False,
        )

    listing = command("list", "list the zones of the catalogue, or of files")
    listing.add_argument("zones", nargs="*", metavar="ZONES", help=f"{names}; default: catalogue")
    listing.add_argument("--at", metavar="TIME", help="only those in force at this time (ISO 8601)")
    listing.add_argument("--json", action="store_true", help="a JSON array instead of a table")

    show = command("show", "show all that is known of zones")
    show.add_argument("zones", nargs="+", metavar="ID", help=names)
    show.add_argument("--json", action="store_true", help="GeoJSON instead of text")

    check = command("check", "check files of zones; tells every fault, status 1 if there is any")
    check.add_argument(
        "files", nargs="+", metavar="FILE", help="GeoJSON, OpenAir, AIXM, KML or KMZ"
    )

    convert = command("convert", "convert zones of any format to GeoJSON")
    convert.add_argument("input", metavar="IN", help=names)
    convert.add_argument(
        "output", metavar="OUT", help="the GeoJSON file to write; - for the screen"
    )
    convert.add_argument(
        "--tolerance-m",
        type=float,
        default=10.0,
        metavar="M",
        help="how far the dense geometry may stray from the boundary (default 10)",
    )
    convert.add_argument(
        "--keep-going", action="store_true", help="leave out faulty zones, telling each fault"
    )

    belt = command("belt", "draw a belt round base points, baselines or a coast")
    belt.add_argument("file", metavar="FILE", help="CSV with lat and lon, GeoJSON, KML or KMZ")
    belt.add_argument(
        "--distance-nm", type=float, default=12.0, metavar="NM", help="its width (default 12)"
    )
    belt.add_argument("--id", metavar="ID", help="the zone's id (default: the file's name)")
    belt.add_argument("--name", default="", help="the zone's name")
    belt.add_argument("--kind", default="territorial", help="its kind (default territorial)")
    belt.add_argument(
        "--claimant", action="append", default=[], metavar="CODE", help="who claims it; repeatable"
    )
    belt.add_argument("--out", default="-", metavar="FILE", help="default: the screen")


def run(args: argparse.Namespace) -> int:
    """Run one subcommand."""
    actions = {"list": _list, "show": _show, "check": _check, "convert": _convert, "belt": _belt}
    return actions[args.action](args)


def _list(args: argparse.Namespace) -> int:
    found = zones(args.zones or None)
    if args.at:
        found = found.at(parse_moment(args.at))
    if args.json:
        print(json.dumps([_summary(zone) for zone in found], ensure_ascii=False, indent=1))
        return 0
    head = ("ID", "PLAIN NAME", "KIND", "BY", "IN FORCE", "CONFIDENCE", "REMARKS")
    rows = [head, *(_row(zone) for zone in found)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    for row in rows:
        print("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip())
    return 0


def _row(zone: Zone) -> tuple[str, ...]:
    remarks = [word for word in ("incomplete", "approximate") if getattr(zone, word)]
    return (
        zone.zone_id,
        zone.version_of or "-",
        zone.kind,
        ",".join(zone.claimants) or "-",
        _force(zone),
        _first_words(zone.confidence) or "-",
        ", ".join(remarks),
    )


def _first_words(text: str) -> str:
    for end in (" (", ":", ";", " for ", " at "):
        text = text.partition(end)[0]
    return text


def _force(zone: Zone) -> str:
    def short(text: str | None) -> str:
        return (text or "").removesuffix("T00:00:00Z").replace(":00Z", "Z")

    start, end = short(show_moment(zone.valid_from)), short(show_moment(zone.valid_to))
    if start and end:
        return f"{start} to {end}"
    return f"from {start}" if start else f"until {end}" if end else "not stated"


def _summary(zone: Zone) -> dict[str, Any]:
    from adiz.zones.geojson_write import properties_of_zone

    return {"id": zone.zone_id, **properties_of_zone(zone)}


def _show(args: argparse.Namespace) -> int:
    found = zones(args.zones)
    if args.json:
        from adiz.zones.geojson_write import write_geojson

        print(write_geojson(found), end="")
        return 0
    for n, zone in enumerate(found):
        print("" if n == 0 else "\n", end="")
        print(f"{zone.zone_id}  {zone.name}")
        for label, value in _facts(zone):
            _print_fact(label, value)
    return 0


def _facts(zone: Zone) -> list[tuple[str, str]]:
    from adiz.zones.measure import area_km2

    area = area_km2(zone)
    facts = [
        ("kind", zone.kind),
        ("plain name", zone.version_of),
        ("claimed by", ", ".join(zone.claimants)),
        ("authority", zone.authority),
        ("in force", _force(zone)),
        ("limits", f"{zone.floor} to {zone.ceiling}"),
        ("edges", _edges(zone)),
        ("area", "" if area is None else f"{area:,.0f} km²"),
        ("confidence", zone.confidence),
        ("source", zone.source),
        ("rule", zone.rule),
        ("note", zone.note),
        ("approximate", zone.approximate),
        ("incomplete", zone.incomplete),
        *((f"ring {n}", _corners(zone, n - 1)) for n in range(1, len(zone.rings) + 1)),
    ]
    return [(label, value) for label, value in facts if value]


def _print_fact(label: str, value: str) -> None:
    width = max(40, min(shutil.get_terminal_size().columns, 100))
    lines = [w for line in value.splitlines() for w in textwrap.wrap(line, width - 15)]
    for n, line in enumerate(lines):
        print(f"  {label if n == 0 else '':<12} {line}")


def _edges(zone: Zone) -> str:
    words = {
        "geodesic": "by the shortest line",
        "parallel": "along a parallel",
        "rhumb": "along a rhumb line",
        "planar": "straight in longitude and latitude",
    }
    counts: Counter[str] = Counter()
    for part in (part for ring in zone.rings for part in ring.parts):
        if isinstance(part, Circle):
            counts["as a circle"] += 1
        elif isinstance(part, Arc):
            counts["along an arc"] += 1
        else:
            counts[words[part.edge or zone.edge]] += 1
    return ", ".join(f"{n} {what}" for what, n in counts.most_common())


def _corners(zone: Zone, ring: int) -> str:
    parts = zone.rings[ring].parts
    hole = "a hole; " if zone.rings[ring].hole else ""
    if len(parts) > _MOST_POINTS:
        return f"{hole}{len(parts)} corners: see --json"
    return "\n".join([*filter(None, [hole.rstrip("; ")]), *map(_part, parts)])


def _part(part: Vertex | Arc | Circle) -> str:
    if isinstance(part, Vertex):
        edge = f"  {part.edge}" if part.edge else ""
        return f"{_degrees(part.lat_deg, part.lon_deg)}{edge}"
    center = _degrees(part.center_lat_deg, part.center_lon_deg)
    if isinstance(part, Circle):
        return f"circle of {part.radius_m:,.0f} m round {center}"
    turn = "clockwise" if part.clockwise else "anticlockwise"
    start = _degrees(part.start_lat_deg, part.start_lon_deg)
    end = _degrees(part.end_lat_deg, part.end_lon_deg)
    return f"arc {turn} round {center} from {start} to {end}"


def _degrees(lat: float, lon: float) -> str:
    return f"{_sexagesimal(lat, 'NS', 2)} {_sexagesimal(lon, 'EW', 3)}"


def _sexagesimal(value: float, letters: str, width: int) -> str:
    hundredths = round(abs(value) * 360_000)
    minutes, seconds = divmod(hundredths, 6_000)
    degrees, minutes = divmod(minutes, 60)
    letter = letters[value < 0]
    return f"{degrees:0{width}d}-{minutes:02d}-{seconds / 100:05.2f}{letter}"


def _check(args: argparse.Namespace) -> int:
    status = 0
    for file in args.files:
        try:
            found = read_zones(file)
        except ZoneError as error:
            status = 1
            print(error)
        else:
            print(f"{file}: {len(found)} zone{'s' if len(found) > 1 else ''}, no fault")
    return status


def _convert(args: argparse.Namespace) -> int:
    from adiz.zones.geojson_write import write_geojson

    if not 0.01 <= args.tolerance_m <= 10_000:
        raise ZoneError(Fault(f"a tolerance of {args.tolerance_m:g} m", remedy="0.01 to 10000"))
    if args.keep_going and Path(args.input).is_file():
        found = read_zones(args.input, strict=False)
    else:
        found = zones(args.input)
    _write(write_geojson(found, args.tolerance_m), args.output, found)
    for fault in found.faults:
        print(fault, file=sys.stderr)
    return 1 if found.faults else 0


def _belt(args: argparse.Namespace) -> int:
    from adiz.zones.baselines import read_baseline
    from adiz.zones.belts import territorial_belt
    from adiz.zones.geojson_write import write_geojson

    zone = territorial_belt(
        read_baseline(args.file),
        args.distance_nm,
        zone_id=args.id or Path(args.file).stem,
        name=args.name,
        kind=args.kind,
        claimants=args.claimant,
    )
    _write(write_geojson([zone]), args.out, Zones((zone,)))
    return 0


def _write(text: str, output: str, found: Zones) -> None:
    if output == "-":
        print(text, end="")
        return
    try:
        Path(output).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ZoneError(Fault(f"cannot be written: {error.strerror}", output)) from None
    print(f"{output}: {len(found)} zone{'s' if len(found) != 1 else ''}", file=sys.stderr)
