"""``adiz incident dossier``: an incident rendered for a reader."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from adiz.errors import AdizError


def add_actions(actions: Any) -> None:
    """Add the action to the parser of ``adiz incident``."""
    dossier = actions.add_parser(
        "dossier", help="write a page, a PDF and data files for readers and programs"
    )
    dossier.add_argument("file", metavar="FILE", help="incident file, or id of a bundled incident")
    dossier.add_argument("--out", required=True, metavar="FOLDER", help="where to; made if needed")
    dossier.add_argument(
        "--ring",
        action="append",
        default=[],
        metavar="SUBJECT@PLACE",
        help="tell which places lie within a subject's published range of a place; repeatable",
    )
    dossier.add_argument(
        "--near", type=float, default=100.0, metavar="KM", help="list places this near a path (100)"
    )
    dossier.add_argument("--no-pdf", action="store_true", help="leave the PDF out")
    dossier.set_defaults(act=_dossier)


def _dossier(args: argparse.Namespace) -> int:
    from pathlib import Path

    from adiz.incidents.catalogue import find_incident
    from adiz.run.dossier import make_dossier

    rings = []
    for ring in args.ring:
        subject, at, place = ring.partition("@")
        if not at:
            raise AdizError(f"--ring {ring!r} is not SUBJECT@PLACE; give the ids of both")
        rings.append((subject, place))
    written = make_dossier(
        find_incident(args.file),
        Path(args.out),
        rings=rings,
        near_km=args.near,
        pdf=not args.no_pdf,
        warn=lambda text: print(f"adiz incident: {text}", file=sys.stderr),
    )
    for path in written:
        print(path)
    return 0
