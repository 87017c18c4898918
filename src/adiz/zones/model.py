"""What a zone is: law, not only a shape.

A :class:`Zone` keeps its boundary as its source states it (vertices, circles, arcs, and the rule
that joins them) and everything a reader needs to judge it: who claims it, from when to when,
between which heights, on what source and with what confidence. Turning the boundary into a dense
ring happens in :mod:`adiz.zones.rings`, at a stated tolerance.

This module does no I/O and imports nothing but the standard library.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from adiz.errors import Fault, ZoneError

Edge = Literal["geodesic", "parallel", "rhumb", "planar"]
"""How two vertices are joined.

``geodesic``: shortest line on WGS84. ``parallel``: along the parallel (the two vertices must share
their latitude). ``rhumb``: constant bearing. ``planar``: straight in longitude and latitude, as
RFC 7946 says of GeoJSON.
"""

EDGES: tuple[Edge, ...] = ("geodesic", "parallel", "rhumb", "planar")

Reference = Literal["SFC", "AMSL", "FL", "AGL", "UNL"]


@dataclass(frozen=True, slots=True)
class Limit:
    """A floor or ceiling.

    Attributes:
        reference: ``SFC`` (surface) and ``UNL`` (unlimited) bound nothing; ``AMSL`` is feet above
            mean sea level, ``FL`` a flight level (``value_ft`` is 100 times its number, on 1013.25
            hPa), ``AGL`` feet above ground, which cannot be checked without terrain.
        value_ft: feet; 0 for ``SFC`` and ``UNL``.
    """

    reference: Reference
    value_ft: float = 0.0

    def __str__(self) -> str:
        if self.reference in ("SFC", "UNL"):
            return self.reference
        if self.reference == "FL":
            return f"FL{self.value_ft / 100:03.0f}"
        return f"{self.value_ft:g} ft {self.reference}"


SFC = Limit("SFC")
UNL = Limit("UNL")


@dataclass(frozen=True, slots=True)
class Vertex:
    """A corner. ``edge`` joins it to the next part of the ring; None means the zone's rule."""

    lat_deg: float
    lon_deg: float
    edge: Edge | None = None


@dataclass(frozen=True, slots=True)
class Arc:
    """Part of a circle, from one point to another about a centre.

    The start and end lie at their own distances from the centre; where these differ (published
    arcs rarely close exactly) the radius runs linearly from one to the other along the arc.
    """

    center_lat_deg: float
    center_lon_deg: float
    start_lat_deg: float
    start_lon_deg: float
    end_lat_deg: float
    end_lon_deg: float
    clockwise: bool
    edge: Edge | None = None


@dataclass(frozen=True, slots=True)
class Circle:
    """A whole circle: all points at one geodesic distance from a centre. Alone in its ring."""

    center_lat_deg: float
    center_lon_deg: float
    radius_m: float


Part = Vertex | Arc | Circle


@dataclass(frozen=True, slots=True)
class Ring:
    """A closed line: its last part joins its first (the first vertex is not repeated).

    A point is in a zone when it is inside an odd number of the zone's rings, so a ring within a
    ring is a hole and two rings side by side are two areas. ``hole`` records what the source says
    and decides how the ring is written out.
    """

    parts: tuple[Part, ...]
    hole: bool = False


@dataclass(frozen=True, slots=True)
class Zone:
    """An airspace volume and the law behind it. See the module's head.

    Attributes:
        zone_id: unique in a :class:`Zones`, e.g. ``KADIZ-2013``.
        name: what people call it.
        rings: the lateral boundary.
        kind: ``adiz``, ``territorial``, ``fir``, ``restricted``, ``danger``, ``prohibited``, …
        edge: the rule for edges that state none of their own.
        floor, ceiling: vertical limits.
        valid_from, valid_to: UTC, aware; in force from the first instant up to, not including, the
            second. None: no bound known.
        version_of: the plain name whose versions replace each other in time (``KADIZ``), or the
            plain name of which this is one part (``US-CONUS-ADIZ``).
        authority: who runs it.
        claimants: ISO 3166-1 alpha-2 codes of the states that claim it.
        rule: the identification rule in words.
        source, confidence: where the geometry is from, how far it can be trusted.
        note: what else a user should know (edge rule, datum, validity).
        approximate: why the boundary is only approximate, or "".
        incomplete: why the zone must not be used for containment, or "".
    """

    zone_id: str
    name: str
    rings: tuple[Ring, ...]
    kind: str = "adiz"
    edge: Edge = "geodesic"
    floor: Limit = SFC
    ceiling: Limit = UNL
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    version_of: str = ""
    authority: str = ""
    claimants: tuple[str, ...] = ()
    rule: str = ""
    source: str = ""
    confidence: str = ""
    note: str = ""
    approximate: str = ""
    incomplete: str = ""

    def __post_init__(self) -> None:
        for field, moment in (("valid_from", self.valid_from), ("valid_to", self.valid_to)):
            if moment is not None and moment.tzinfo is None:
                raise ZoneError(
                    Fault(
                        f"zone {self.zone_id}: {field} {moment} has no time zone",
                        field=field,
                        remedy="give it as UTC, e.g. 2013-12-15T00:00Z",
                    )
                )
        if self.valid_from and self.valid_to and self.valid_to <= self.valid_from:
            raise ZoneError(
                Fault(
                    f"zone {self.zone_id}: validity ends at {self.valid_to}, not after its start "
                    f"{self.valid_from}",
                    field="valid_to",
                )
            )

    def in_force(self, moment: datetime) -> bool:
        """Whether the zone is valid at an aware moment."""
        return (self.valid_from is None or self.valid_from <= moment) and (
            self.valid_to is None or moment < self.valid_to
        )


@dataclass(frozen=True, slots=True)
class Zones:
    """An ordered collection of zones with unique ids.

    Attributes:
        zones: the zones.
        faults: what the reader had to leave out (only when asked to go on past faults).
    """

    zones: tuple[Zone, ...]
    faults: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for zone in self.zones:
            if zone.zone_id in seen:
                raise ZoneError(
                    Fault(
                        f"two zones have the id {zone.zone_id}",
                        field="id",
                        remedy="give each zone an id of its own",
                    )
                )
            seen.add(zone.zone_id)

    def __iter__(self) -> Iterator[Zone]:
        return iter(self.zones)

    def __len__(self) -> int:
        return len(self.zones)

    def __getitem__(self, zone_id: str) -> Zone:
        for zone in self.zones:
            if zone.zone_id == zone_id:
                return zone
        raise KeyError(zone_id)

    def at(self, moment: datetime) -> Zones:
        """The zones in force at an aware moment.

        Example:
            >>> from datetime import UTC, datetime
            >>> import adiz
            >>> zones = adiz.zones("KADIZ").at(datetime(2012, 1, 1, tzinfo=UTC))
            >>> [zone.zone_id for zone in zones]
            ['KADIZ-1951']
        """
        if moment.tzinfo is None:
            raise ZoneError(Fault(f"{moment} has no time zone", remedy="give an aware datetime"))
        return Zones(tuple(z for z in self.zones if z.in_force(moment)), self.faults)

    def select(self, names: Iterable[str]) -> Zones:
        """The zones of the given ids or plain names, in the order given, each once.

        An id that matches exactly is one zone; a plain name is every zone whose ``version_of``
        it is.

        Raises:
            ZoneError: for a name that is neither, with the nearest known names.
        """
        found: dict[str, Zone] = {}
        for name in names:
            hits = [z for z in self.zones if z.zone_id == name]
            hits = hits or [z for z in self.zones if z.version_of == name]
            if not hits:
                raise ZoneError(_unknown(name, self.zones))
            found.update((z.zone_id, z) for z in hits)
        return Zones(tuple(found.values()), self.faults)

    def __add__(self, other: Zones) -> Zones:
        return Zones(self.zones + other.zones, self.faults + other.faults)


def _unknown(name: str, zones: Iterable[Zone]) -> Fault:
    import difflib

    known = sorted({z.zone_id for z in zones} | {z.version_of for z in zones if z.version_of})
    folded = {k.upper(): k for k in known}
    near = [folded[n] for n in difflib.get_close_matches(name.upper(), folded, n=3, cutoff=0.5)]
    hint = f"did you mean {' or '.join(near)}?" if near else "see 'adiz zones list'"
    return Fault(f"no zone is called {name!r}", field="zones", remedy=hint)
