"""``adiz incident`` new, check and verdicts: write an incident, mend it, see what holds."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from adiz.cli._rows import printable
from adiz.errors import AdizError

if TYPE_CHECKING:
    from adiz.incidents.verdicts import Assessment

SKELETON = """\
# An incident: who says what. Fields: docs/reference/incident-file.md

[incident]
id = "short-name"
title = "What it is about, with its date"
time_zone = "UTC"                 # dates without a time of day are days of this zone
display_time_zones = ["UTC"]      # clocks a reader wants to see side by side
zones = []                        # ids from 'adiz zones list'
# wind_kmh = 0                    # added to published speeds, if you know of a wind

[[parties]]                       # who makes claims
id = "ministry"
name = "Ministry of Defence of Somewhere"
kind = "military"                 # military, government, press, other: the press is no witness

[[sources]]                       # where a claim is published
id = "statement"
publisher = "Ministry of Defence of Somewhere"
title = "Statement of …"
date = "2024-01-31"
address = ""
language = "en"

[[subjects]]                      # whom claims are about
id = "jet"
name = "Unknown jet"
type = ""                         # ICAO designator; published speeds are used if none is given
max_speed_kmh = [{ value = "900", source = "statement" }]

[[places]]
id = "island"
name = "Some Island"
points = [[37.24, 131.87]]        # latitude, longitude; several for several islets

[[claims]]                        # one thing that one party says
id = "1"
party = "ministry"
source = "statement"
subject = "jet"
predicate = "passes"              # enters leaves inside never_inside at passes joins …
place = "island"
distance_km = "12"                # 12 is 11.5 to 12.5; ">25" more than 25; "~12" about 12
bearing = "E"                     # E of the place
time = "2024-01-31T09:09+09:00"   # this minute; "…/…" an interval; "~" about
quote = "The source's own words."
wording = "verbatim"              # or "translation", or "summary" if these are not its words
"""


def add_actions(actions: Any) -> None:
    """Add the actions to the parser of ``adiz incident``."""
    new = actions.add_parser("new", help="write a commented skeleton to start from")
    new.add_argument("file", metavar="FILE", help="where to; an existing file is left alone")
    new.set_defaults(act=_new)
    check = actions.add_parser("check", help="read a file and name all its faults")
    check.add_argument("file", metavar="FILE", help="incident file, or id of a bundled incident")
    check.set_defaults(act=_check)
    verdicts = actions.add_parser(
        "verdicts", help="who agrees, who contradicts, what physics and tracks allow"
    )
    verdicts.add_argument("file", metavar="FILE", help="incident file, or id of a bundled incident")
    verdicts.add_argument("--legs", action="store_true", help="add the table of legs with speeds")
    verdicts.add_argument("--json", action="store_true", help="everything, for programs")
    verdicts.set_defaults(act=_verdicts)


def _new(args: argparse.Namespace) -> int:
    try:
        with open(args.file, "x", encoding="utf-8") as file:
            file.write(SKELETON)
    except FileExistsError:
        raise AdizError(f"{args.file} exists; give another name") from None
    except OSError as error:
        raise AdizError(f"{args.file} cannot be written: {error.strerror}") from None
    print(f"wrote {args.file}; fill it in, then run: adiz incident check {args.file}")
    return 0


def _check(args: argparse.Namespace) -> int:
    from adiz.incidents.catalogue import find_incident
    from adiz.incidents.file import read_incident

    incident = read_incident(find_incident(args.file))
    print(
        f"{printable(incident.title)}: {len(incident.claims)} claims of "
        f"{len({c.party for c in incident.claims})} parties about "
        f"{len({c.subject for c in incident.claims})} subjects; no faults"
    )
    return 0


def _verdicts(args: argparse.Namespace) -> int:
    from adiz.incidents.catalogue import find_incident
    from adiz.run.incidents import assess_file

    _, _, found = assess_file(find_incident(args.file))
    if args.json:
        _write_json(found)
        return 0
    sections: list[tuple[str, list[str]]] = [
        ("Verdicts", [f"{v.claim_id}: {v.among}, {v.physics}, {v.tracks}. {v.reason}"
                      for v in found.verdicts]),
        ("Contradictions", [c.sentence for c in found.contradictions]),
        ("Not contradictions", [n.sentence for n in found.scope_notes]),
        ("Accounts", [f.sentence for f in found.feasibilities]),
        ("Stays as told", [
            f"{s.zone_id}, {s.entry_claim} to {s.exit_claim}: {s.minutes.stated:.0f} min "
            f"({s.minutes.low:.0f} to {s.minutes.high:.0f})" for s in found.stays]),
        ("Directions", [s.sentence for s in found.sectors]),
        ("Meetings", [a.sentence for a in found.alibis]),
        ("Reconstructions", [f"{r.party_id}, {r.subject_id}: {r.sentence}"
                             for r in found.reconstructions]),
        ("Limits", list(found.notes)),
    ]  # fmt: skip
    if args.legs:
        sections.insert(5, ("Legs", [
            f"{g.step}; {g.assumption}: {g.distance_km:.1f} km in {g.minutes.stated:.0f} min, "
            f"{g.speed_kmh.stated:.0f} km/h ({g.speed_kmh.low:.0f} to {g.speed_kmh.high:.0f}), "
            f"{g.outcome}" for g in found.legs]))  # fmt: skip
    for title, lines in sections:
        if lines:
            print(title)
            for line in lines:
                print(f"  {printable(line)}")
    return 0


def _write_json(found: Assessment) -> None:
    import json
    from dataclasses import asdict
    from datetime import datetime
    from math import isfinite

    def plain(value: Any) -> Any:
        if isinstance(value, datetime):
            return value.isoformat()
        if isinstance(value, float) and not isfinite(value):
            return None  # no bound
        if isinstance(value, dict):
            return {k: plain(v) for k, v in value.items()}
        return [plain(v) for v in value] if isinstance(value, (list, tuple)) else value

    json.dump(plain(asdict(found)), sys.stdout, ensure_ascii=False, indent=1)
    print()
