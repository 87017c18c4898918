"""Aircraft types: role, use, and the performance others have published for them.

Type codes are designators of ICAO Doc 8643 (at most four letters and digits). Where Doc 8643 has
none, or puts several aircraft under one (``TU16`` is the Tu-16 and every H-6), the tables add a
name of their own with a hyphen, ``H-6K``, which no designator can be. ``data/types.csv`` tells
which: its column ``doc8643`` holds the designator Doc 8643 gives that aircraft, or nothing.

Performance is what a source says, one row a statement, in ``data/envelopes.csv``. Sources
disagree (the Tu-95MS: 830 to 925 km/h), so an envelope is an interval over the statements and
keeps each of them. ``status`` is ``read`` where the source was read, ``unverified`` where not.

``data/designators.csv`` holds every designator of Doc 8643 with what it says of it (land plane or
helicopter, engines, wake category); it gives no roles, so a type that is only there has none.

Reads small files on first use and imports nothing heavy.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from adiz.units import KT_PER_KMH

DATA = Path(__file__).parent / "data"

SOUND_SEA_LEVEL_KT = 661.5
"""Speed of sound in the standard atmosphere at sea level (ICAO Doc 7488: 340.294 m/s)."""

MEASURES = ("max_speed_kmh", "max_mach", "cruise_kmh", "ceiling_m", "range_km", "radius_km")


@dataclass(frozen=True, slots=True)
class AircraftType:
    """One type.

    Attributes:
        type_code: designator, or the product's own hyphenated name.
        role: bomber, aew&c, fighter, tanker, isr, maritime patrol or transport.
        use: ``military``, ``civil`` or ``mixed`` (flown by both).
        doc8643: the designator Doc 8643 gives it; "" where it gives none.
        only_operator: ISO 3166-1 alpha-2 code of the one state known to fly it today; "" where
            several do or that is not known. General knowledge, not read in a source.
    """

    type_code: str
    name: str
    role: str
    use: str
    doc8643: str
    only_operator: str


@dataclass(frozen=True, slots=True)
class Designator:
    """What ICAO Doc 8643 says of one designator; where it covers several models, one is named.

    Attributes:
        kind: land plane, seaplane, amphibian, helicopter, gyrocopter or tilt-rotor.
        engine: jet, turboprop (turboshaft too), piston, electric or rocket.
        engines: how many; ``C`` for two that drive one propeller.
        wake: category, L, M, H or J.
    """

    designator: str
    name: str
    kind: str
    engine: str
    engines: str
    wake: str

    def __str__(self) -> str:
        return f"{self.name}: {self.kind}, {self.engine}, wake {self.wake}"


@dataclass(frozen=True, slots=True)
class Published:
    """One statement about performance: the unit is in the measure's name."""

    type_code: str
    measure: str
    value: float
    status: str
    source: str


def read_rows(name: str) -> Iterator[dict[str, str]]:
    """The rows of one of the package's own tables."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


@cache
def aircraft_types() -> dict[str, AircraftType]:
    """All types by code."""
    return {row["type_code"]: AircraftType(**row) for row in read_rows("types.csv")}


@cache
def designators() -> dict[str, Designator]:
    """Every designator of ICAO Doc 8643."""
    return {row["designator"]: Designator(**row) for row in read_rows("designators.csv")}


@cache
def _published() -> dict[str, tuple[Published, ...]]:
    found: dict[str, list[Published]] = {}
    for row in read_rows("envelopes.csv"):
        statement = Published(
            row["type_code"], row["measure"], float(row["value"]), row["status"], row["source"]
        )
        found.setdefault(row["type_code"], []).append(statement)
    return {code: tuple(statements) for code, statements in found.items()}


def _code(type_code: str) -> str:
    """The table's spelling: ``Tu-95`` and ``A-50`` are TU95 and A50, ``H-6K`` has a row."""
    code = type_code.strip().upper()
    return code if code in aircraft_types() else code.replace("-", "")


def find_type(type_code: str) -> AircraftType | None:
    """The type of a code or common name, whatever its case; None where the table has none."""
    return aircraft_types().get(_code(type_code))


def find_designator(type_code: str) -> Designator | None:
    """What Doc 8643 says of a designator, whatever its case; None where it has no such one.

    Example:
        >>> str(find_designator("C172"))
        'Cessna 172: land plane, piston, wake L'
    """
    return designators().get(type_code.strip().upper())


def published(type_code: str, measure: str) -> tuple[Published, ...]:
    """What sources say of a type, of one measure (one of :data:`MEASURES`).

    A designator that covers several aircraft answers with the statements about all of them.

    Example:
        >>> sorted({s.value for s in published("TU-95MS", "max_speed_kmh")})
        [830.0, 920.0, 925.0]
    """
    code = _code(type_code)
    if not code:
        return ()
    covered = [t.type_code for t in aircraft_types().values() if code in (t.type_code, t.doc8643)]
    return tuple(s for c in covered for s in _published().get(c, ()) if s.measure == measure)


def max_speed_kt(type_code: str) -> float | None:
    """The highest speed any source gives for a type: true airspeed in knots, no wind added.

    Where only a limiting Mach number is known, that number times the speed of sound at sea level,
    which the type cannot exceed in standard air at any height. None where nothing is published.

    Example:
        >>> round(max_speed_kt("A50"))
        486
    """
    speeds = [s.value * KT_PER_KMH for s in published(type_code, "max_speed_kmh")]
    if not speeds:
        speeds = [s.value * SOUND_SEA_LEVEL_KT for s in published(type_code, "max_mach")]
    return max(speeds, default=None)
