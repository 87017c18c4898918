"""AIXM 5.1 and 5.1.1 to zones.

Each Airspace gives a zone for each of its BASELINE time slices (of corrected slices, the last
correction) and each of its volumes; where there are several, they share the designator as plain
name. Times without a zone are UTC, as the AIXM temporality model has it. Temporary deltas, volumes
built by subtraction or intersection, and volumes that borrow another airspace's geometry are
faults, not guesses; a permanent delta is passed over, because a baseline follows it.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from adiz.errors import Fault, ZoneError
from adiz.zones.geojson import numbered_id
from adiz.zones.gml import Geometry
from adiz.zones.limits import parse_limit
from adiz.zones.model import SFC, UNL, Limit, Zone
from adiz.zones.moments import parse_moment
from adiz.zones.xml import (
    Element,
    at_line,
    attribute,
    child,
    children,
    descendants,
    local,
    text_of,
)

if TYPE_CHECKING:
    from adiz.zones.checks import Placed

_SCHEMAS = ("http://www.aixm.aero/schema/5.1", "http://www.aixm.aero/schema/5.1.1")
_KINDS = {"D": "danger", "R": "restricted", "P": "prohibited", "A": "alert", "W": "warning"}
_REFERENCES = {"SFC": "AGL", "MSL": "AMSL", "W84": "AMSL", "STD": "STD", "": ""}


def is_aixm(root: Element) -> bool:
    """Whether a document holds AIXM 5.1 or 5.1.1 features."""
    elements = (root, *root.iter("{*}Airspace"))
    return any(uri.rstrip("/") in _SCHEMAS for e in elements for uri in e.nsmap.values())


def read_aixm(root: Element, file: str) -> tuple[list[Placed], list[Fault]]:
    """Zones of an AIXM document, and its faults."""
    placed: list[Placed] = []
    faults: list[Fault] = []
    taken: set[str] = set()
    geometry = Geometry(root)
    for airspace in descendants(root, "Airspace"):
        try:
            for slice_, label in _slices(airspace):
                found, wrong = _zones(airspace, slice_, label, geometry, taken)
                placed += found
                faults += wrong
        except ZoneError as error:
            faults += error.faults
    faults = [Fault(f.message, file, f.line, f.field, f.remedy) for f in faults]
    if not (placed or faults):
        faults.append(Fault("no Airspace in it", file))
    return placed, faults


def _slices(airspace: Element) -> list[tuple[Element, str]]:
    """The baseline time slices, each with what tells it from the others in an id."""
    kinds: dict[str, dict[str, tuple[int, Element]]] = {}
    for slice_ in descendants(airspace, "AirspaceTimeSlice"):
        kind = text_of(child(slice_, "interpretation")) or "BASELINE"
        sequence = text_of(child(slice_, "sequenceNumber"))
        correction = text_of(child(slice_, "correctionNumber"))
        number = int(correction) if correction.isdecimal() and len(correction) < 9 else 0
        known = kinds.setdefault(kind, {})
        if sequence not in known or known[sequence][0] <= number:
            known[sequence] = (number, slice_)
        if kind == "TEMPDELTA":
            raise at_line(
                slice_,
                f"airspace {_name(airspace, slice_)}: a temporary change (TEMPDELTA)",
                "interpretation",
                "apply it to the baseline first",
            )
    slices = [
        slice_ for _, slice_ in (kinds.get("BASELINE") or kinds.get("SNAPSHOT") or {}).values()
    ]
    if not slices:
        name = attribute(airspace, "id") or text_of(child(airspace, "identifier"))
        raise at_line(airspace, f"airspace {name}: no BASELINE time slice", "interpretation")
    if len(slices) == 1:
        return [(slices[0], "")]
    begins = [text_of(next(descendants(s, "beginPosition"), None))[:10] for s in slices]
    return [(s, f"-{begin}") for s, begin in zip(slices, begins, strict=True)]


def _name(airspace: Element, slice_: Element) -> str:
    return (
        text_of(child(slice_, "designator"))
        or text_of(child(slice_, "name"))
        or text_of(child(airspace, "identifier"))
        or attribute(airspace, "id")
        or "airspace"
    )


def _zones(
    airspace: Element, slice_: Element, label: str, geometry: Geometry, taken: set[str]
) -> tuple[list[Placed], list[Fault]]:
    placed: list[Placed] = []
    faults: list[Fault] = []
    name = _name(airspace, slice_)
    components = list(descendants(slice_, "AirspaceGeometryComponent"))
    if not components:
        fault = at_line(slice_, f"airspace {name}: no geometry", "geometryComponent").faults[0]
        return [], [fault]
    several = len(components) > 1
    for n, component in enumerate(components, 1):
        volume = next(descendants(component, "AirspaceVolume"), component)
        zone_id = f"{name}{label}{f'/{n}' if several else ''}"
        try:
            zone = Zone(
                zone_id=numbered_id(zone_id, taken),
                name=text_of(child(slice_, "name")) or name,
                rings=geometry.rings(_surface(component, volume)),
                kind=_kind(text_of(child(slice_, "type"))),
                floor=_limit(volume, "lowerLimit", SFC),
                ceiling=_limit(volume, "upperLimit", UNL),
                valid_from=_moment(slice_, "beginPosition"),
                valid_to=_moment(slice_, "endPosition"),
                version_of=name if several or label else "",
                source="AIXM " + text_of(child(airspace, "identifier")),
                note=_note(slice_),
            )
        except ZoneError as error:
            faults += [
                Fault(f"airspace {name}: {f.message}", None, f.line, f.field, f.remedy)
                for f in error.faults
            ]
        else:
            placed.append((zone, partial(_line, volume.sourceline)))
    return placed, faults


def _line(line: int | None, ring: int | None, part: int | None) -> int | None:
    return line


def _surface(component: Element, volume: Element) -> Element:
    operation = text_of(child(component, "operation")) or "BASE"
    if operation not in ("BASE", "UNION"):
        raise at_line(component, f"operation {operation} is not supported", "operation")
    if child(volume, "contributorAirspace") is not None:
        raise at_line(volume, "its shape is that of another airspace", "contributorAirspace")
    projection = child(volume, "horizontalProjection")
    surface = next(children(projection), None) if projection is not None else None
    if surface is None:
        raise at_line(volume, "a volume without a horizontal projection", "horizontalProjection")
    return surface


def _kind(text: str) -> str:
    return _KINDS.get(text, text.lower() or "other")


def _limit(volume: Element, name: str, spare: Limit) -> Limit:
    element = child(volume, name)
    text = text_of(element).upper()
    if not text:
        return spare
    unit = attribute(element, "uom").upper()
    reference = text_of(child(volume, name + "Reference")).upper()
    if unit == "FL":
        text = text if text.startswith("FL") else f"FL{text}"
    elif not text.isalpha():
        text = f"{text} {unit} {_REFERENCES.get(reference, reference)}"
    try:
        return parse_limit(text)
    except ZoneError as error:
        fault = error.faults[0]
        raise at_line(element, fault.message, name, fault.remedy) from None


def _moment(slice_: Element, name: str) -> datetime | None:
    valid = child(slice_, "validTime")
    element = next(descendants(valid, name), None) if valid is not None else None
    text = text_of(element)
    if not text:
        return None
    has_zone = text.endswith("Z") or "+" in text or text.count("-") > 2
    try:
        return parse_moment(text if has_zone or len(text) <= 10 else text + "Z")
    except ZoneError as error:
        raise at_line(element, error.faults[0].message, name) from None


def _note(slice_: Element) -> str:
    if any(local(e) == "activation" for e in slice_.iter()):
        return "The file gives hours of activation, which are not applied."
    return ""
