"""Zones as areas of a map: dense rings, and in words what a reader needs to judge them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

from adiz.errors import ZoneError
from adiz.out.map.codec import pack
from adiz.zones.model import Circle, Zone
from adiz.zones.rings import dense_rings

DRAWN_TO_M = 25.0
"""How far a drawn edge may stray from the zone's."""
UNITS_PER_DEG = 100_000


def area(zone: Zone, after_start_ms: Callable[[datetime], int]) -> dict[str, Any]:
    """One zone for the page: packed rings, name, validity, facts.

    Raises:
        ZoneError: its rings cannot be made dense.
    """
    rings = []
    for ring in dense_rings(zone, DRAWN_TO_M, planar=True):
        units = [round(value * UNITS_PER_DEG) for value in ring]
        rings.append([pack(units[0::2]), pack(units[1::2])])
    return {
        "id": zone.zone_id,
        "label": zone.zone_id,
        "kind": zone.kind,
        "rings": rings,
        "from": None if zone.valid_from is None else after_start_ms(zone.valid_from),
        "to": None if zone.valid_to is None else after_start_ms(zone.valid_to),
        "facts": facts(zone),
    }


def why_not_drawn(zone: Zone, start: datetime, end: datetime) -> str:
    """A sentence, or "" for a zone that is drawn."""
    if zone.incomplete:
        return f"{zone.zone_id} is not drawn: {zone.incomplete}"
    if (zone.valid_from and zone.valid_from > end) or (zone.valid_to and zone.valid_to <= start):
        return f"{zone.zone_id} is not drawn: in force {validity(zone)}, not in the time shown."
    try:
        dense_rings(zone, 10_000.0)
    except ZoneError as error:
        return f"{zone.zone_id} is not drawn: {error}"
    return ""


def facts(zone: Zone) -> list[list[str]]:
    """Pairs of name and value; what is not known is left out."""
    pairs = [
        ("Name", zone.name),
        ("Kind", zone.kind),
        ("Claimed by", ", ".join(zone.claimants)),
        ("Authority", zone.authority),
        ("Limits", f"{zone.floor} to {zone.ceiling}"),
        ("Edges", edges(zone)),
        ("In force", validity(zone)),
        ("Rule", zone.rule),
        ("Approximate", zone.approximate),
        ("Note", zone.note),
        ("Source", zone.source),
        ("Confidence", zone.confidence),
    ]
    return [[name, value] for name, value in pairs if value]


def edges(zone: Zone) -> str:
    """The rule that joins the vertices, with the edges that follow another: "geodesic, …"."""
    parts = [part for ring in zone.rings for part in ring.parts]
    others = Counter(
        part.edge
        for part in parts
        if not isinstance(part, Circle) and part.edge and part.edge != zone.edge
    )
    words = [f"{count} by {rule}" for rule, count in sorted(others.items())]
    circles = sum(isinstance(part, Circle) for part in parts)
    if circles == len(parts):
        return "circle" if circles == 1 else f"{circles} circles"
    return ", ".join([zone.edge, *words])


def validity(zone: Zone) -> str:
    """ "since 2013-12-15", "until …", "… to …", or "" where nothing is known."""
    start = f"{zone.valid_from:%Y-%m-%d}" if zone.valid_from else ""
    end = f"{zone.valid_to:%Y-%m-%d}" if zone.valid_to else ""
    if start and end:
        return f"{start} to {end}"
    return f"since {start}" if start else f"until {end}" if end else ""
