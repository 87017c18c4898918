"""Base points, baselines and coasts from a user's file: CSV, GeoJSON, KML or KMZ."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from adiz.errors import Fault, ZoneError
from adiz.zones.belts import Baseline, Point
from adiz.zones.load import decode, read_bytes

_LAT = ("lat", "latitude", "lat_deg", "y")
_LON = ("lon", "lng", "long", "longitude", "lon_deg", "x")


def read_baseline(path: str | Path) -> Baseline:
    """What a belt can be drawn round.

    Args:
        path: a CSV file of base points with columns named ``lat`` and ``lon`` (or ``latitude`` and
            ``longitude``), or points, lines and polygons in GeoJSON, KML or KMZ. Of a polygon the
            outer ring counts.

    Raises:
        ZoneError: naming the line of what cannot be read.
    """
    file = str(path)
    data = read_bytes(Path(path))
    head = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head[:1] == b"{":
        return _of_shapes(_geojson_shapes(data, file), file)
    if head[:1] == b"<" or head[:4] == b"PK\x03\x04":
        return _of_shapes(_kml_shapes(data, file), file)
    return Baseline(points=tuple(_csv_points(decode(data, file), file)), name=Path(file).name)


def _of_shapes(shapes: Iterator[tuple[str, list[Point]]], file: str) -> Baseline:
    found: dict[str, list[tuple[Point, ...]]] = {"Point": [], "LineString": [], "Polygon": []}
    for kind, points in shapes:
        if kind not in found:
            raise ZoneError(Fault(f"a {kind!r} is not a point, line or polygon", file))
        if len(points) < {"Point": 1, "LineString": 2, "Polygon": 3}[kind]:
            raise ZoneError(Fault(f"a {kind} of {len(points)} points", file))
        found[kind].append(tuple(points))
    return Baseline(
        tuple(p for (p,) in found["Point"]),
        tuple(found["LineString"]),
        tuple(found["Polygon"]),
        Path(file).name,
    )


def _csv_points(text: str, file: str) -> Iterator[Point]:
    rows = csv.reader(text.splitlines())
    header = [name.strip().lower() for name in next(rows, [])]
    at_lat, at_lon = (
        next((header.index(n) for n in names if n in header), -1) for names in (_LAT, _LON)
    )
    if -1 in (at_lat, at_lon):
        raise ZoneError(
            Fault("no columns named lat and lon", file, 1, remedy="name the columns lat,lon")
        )
    try:
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            try:
                yield float(row[at_lat]), float(row[at_lon])
            except (ValueError, IndexError):
                fault = Fault(f"{','.join(row)[:60]!r} has no position", file, rows.line_num)
                raise ZoneError(fault) from None
    except csv.Error as error:
        raise ZoneError(Fault(f"not CSV: {error}", file, rows.line_num)) from None


def _geojson_shapes(data: bytes, file: str) -> Iterator[tuple[str, list[Point]]]:
    try:
        document = json.loads(decode(data, file))
        yield from _shapes(document)
    except json.JSONDecodeError as error:
        raise ZoneError(Fault(f"not JSON: {error.msg}", file, error.lineno)) from None
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, RecursionError):
        raise ZoneError(Fault("not GeoJSON of points, lines or polygons", file)) from None


def _shapes(value: Any) -> Iterator[tuple[str, list[Point]]]:
    kind = value["type"]
    if kind == "FeatureCollection":
        for feature in value["features"]:
            yield from _shapes(feature)
    elif kind == "Feature":
        yield from _shapes(value["geometry"])
    elif kind == "GeometryCollection":
        for geometry in value["geometries"]:
            yield from _shapes(geometry)
    else:
        single = kind.removeprefix("Multi")
        members = value["coordinates"] if single != kind else [value["coordinates"]]
        for member in members:
            line = [member] if single == "Point" else member[0] if single == "Polygon" else member
            yield single, [(float(p[1]), float(p[0])) for p in line]


def _kml_shapes(data: bytes, file: str) -> Iterator[tuple[str, list[Point]]]:
    from adiz.zones.kml import kml_of_kmz, positions
    from adiz.zones.xml import child, descendants, local, parse_xml

    root = parse_xml(kml_of_kmz(data, file) if data[:2] == b"PK" else data, file)
    try:
        for shape in descendants(root, "Point", "LineString", "Polygon"):
            line = (
                child(shape, "outerBoundaryIs", "LinearRing")
                if local(shape) == "Polygon"
                else shape
            )
            if line is not None:
                yield local(shape), [(lat, lon) for lon, lat in positions(line)]
    except ZoneError as error:
        raise ZoneError(
            [Fault(f.message, file, f.line, f.field, f.remedy) for f in error.faults]
        ) from None
