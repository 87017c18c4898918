"""``adiz incident``: what parties say of an incident, what holds, and what is kept of it."""

from __future__ import annotations

import argparse

from adiz.cli import _incident_assess, _incident_dossier, _incident_record


def build_parser(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="the incidents that come with the package")
    listing.set_defaults(act=_list)
    _incident_assess.add_actions(actions)
    _incident_dossier.add_actions(actions)
    _incident_record.add_actions(actions)


def run(args: argparse.Namespace) -> int:
    status: int = args.act(args)
    return status


def _list(args: argparse.Namespace) -> int:
    from adiz.incidents.catalogue import bundled_incidents
    from adiz.incidents.file import read_incident

    for name, path in bundled_incidents().items():
        incident = read_incident(path)
        print(f"{name}  {incident.title} ({len(incident.claims)} claims)")
    return 0
