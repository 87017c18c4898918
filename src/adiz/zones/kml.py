"""KML and KMZ to zones.

A Placemark with polygons is a zone; its ``ExtendedData`` holds the same properties as those of a
GeoJSON feature, and is read by the same rules. ``TimeSpan``, its own or that of a folder around
it, is its validity. Altitudes within coordinates are not read as limits.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from functools import partial
from typing import TYPE_CHECKING, Any

from adiz.errors import Fault, ZoneError
from adiz.zones.geojson import zone_of_feature
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

MAX_BYTES = 256 * 2**20
_SHAPES = ("Polygon", "Point", "LineString", "LinearRing", "Model", "Track", "MultiTrack")


def read_kml(root: Element, file: str, stem: str) -> tuple[list[Placed], list[Fault]]:
    """Zones of a KML document, and its faults."""
    placed: list[Placed] = []
    faults: list[Fault] = []
    taken: set[str] = set()
    for n, placemark in enumerate(descendants(root, "Placemark"), 1):
        try:
            zone = zone_of_feature(_feature(placemark), f"{stem}-{n}", taken)
            placed.append((zone, partial(_line, placemark.sourceline)))
        except ZoneError as error:
            faults += [
                Fault(f.message, file, f.line or placemark.sourceline, f.field, f.remedy)
                for f in error.faults
            ]
    if not (placed or faults):
        faults.append(Fault("no Placemark in it", file))
    return placed, faults


def kml_of_kmz(data: bytes, file: str) -> bytes:
    """The KML document within a KMZ archive.

    Raises:
        ZoneError: the archive is damaged, holds no KML, or one that is absurdly large.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [i for i in archive.infolist() if i.filename.lower().endswith(".kml")]
            names.sort(key=lambda info: (info.filename != "doc.kml", info.filename.count("/")))
            if not names:
                raise ZoneError(Fault("no KML in the archive", file))
            with archive.open(names[0]) as member:
                document = member.read(MAX_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError) as error:
        raise ZoneError(Fault(f"a damaged archive: {error}", file)) from None
    if len(document) > MAX_BYTES:
        raise ZoneError(Fault(f"the KML within is larger than {MAX_BYTES >> 20} MB", file))
    return document


def _line(line: int | None, ring: int | None, part: int | None) -> int | None:
    return line


def _feature(placemark: Element) -> dict[str, Any]:
    properties: dict[str, Any] = {"name": text_of(child(placemark, "name"))}
    for data in descendants(placemark, "Data"):
        properties[attribute(data, "name")] = text_of(child(data, "value"))
    for data in descendants(placemark, "SimpleData"):
        properties[attribute(data, "name")] = text_of(data)
    properties.update(_span(placemark))
    properties = {key: value for key, value in properties.items() if value}
    shapes = list(descendants(placemark, *_SHAPES))
    polygons = [shape for shape in shapes if local(shape) == "Polygon"]
    others = {local(s) for s in shapes} - {"Polygon", "LinearRing"}
    if others or not polygons:
        what = ", ".join(sorted(others)) or "Placemark without a shape"
        name = properties.get("name", "")
        raise at_line(placemark, f"Placemark {name!r}: a {what} has no inside", "Polygon")
    coordinates = [_polygon(polygon) for polygon in polygons]
    geometry = {"type": "MultiPolygon", "coordinates": coordinates}
    return {"id": attribute(placemark, "id"), "properties": properties, "geometry": geometry}


def _span(element: Element) -> dict[str, str]:
    while element is not None:
        span = child(element, "TimeSpan")
        if span is not None:
            keys = (("begin", "valid_from"), ("end", "valid_to"))
            return {key: _moment(text_of(child(span, name))) for name, key in keys}
        element = element.getparent()
    return {}


def _moment(text: str) -> str:
    """KML also allows a year or a month alone."""
    if re.fullmatch(r"\d{4}", text):
        return f"{text}-01-01"
    return f"{text}-01" if re.fullmatch(r"\d{4}-\d\d", text) else text


def _polygon(polygon: Element) -> list[list[list[float]]]:
    rings = []
    for name in ("outerBoundaryIs", "innerBoundaryIs"):
        for boundary in children(polygon, name):
            rings += [positions(ring) for ring in children(boundary, "LinearRing")]
    if not rings or child(polygon, "outerBoundaryIs", "LinearRing") is None:
        raise at_line(polygon, "a Polygon without an outer ring", "outerBoundaryIs")
    return rings


def positions(ring: Element) -> list[list[float]]:
    """Longitude and latitude of each position of a ring, line or point.

    Raises:
        ZoneError: with the line of what is not a position.
    """
    element = child(ring, "coordinates")
    points = []
    for word in text_of(element).split():
        try:
            numbers = [float(n) for n in word.split(",")]
        except ValueError:
            numbers = []
        if len(numbers) not in (2, 3):
            raise at_line(
                ring,
                f"{word[:60]!r} is not a position",
                "coordinates",
                "write lon,lat or lon,lat,0",
            )
        points.append(numbers[:2])
    if not points:
        raise at_line(ring, f"a {local(ring)} without coordinates", "coordinates")
    return points
