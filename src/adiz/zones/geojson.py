"""GeoJSON (RFC 7946) to zones, and the exact form in which this product keeps them.

A file by anyone: Polygon and MultiPolygon, alone, as Feature or in a FeatureCollection; the
properties most people use are understood (see ``docs/reference/zones.md``). Edges are straight in
longitude and latitude, as RFC 7946 says, unless a feature's ``edge`` says otherwise.

A file of our own carries, beside that geometry, a member ``boundary`` with the boundary as its
source states it (corners, arcs, circles, rules of edges), and is read from that: what is written
comes back equal. The catalogue is such files, with ``geometry: null``.

This module loads nothing but the standard library: the command line waits for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from adiz.errors import Fault, ZoneError
from adiz.zones.limits import make_limit, parse_limit
from adiz.zones.model import (
    EDGES,
    SFC,
    UNL,
    Arc,
    Circle,
    Edge,
    Limit,
    Part,
    Reference,
    Ring,
    Vertex,
    Zone,
)
from adiz.zones.moments import parse_moment

if TYPE_CHECKING:
    from adiz.zones.checks import Placed

_FLOOR = ("lower", "floor", "lower_limit", "lowerLimit", "lowerCeiling", "floor_ft", "floor_m")
_CEILING = (
    *("upper", "ceiling", "upper_limit", "upperLimit", "upperCeiling"),
    *("ceiling_ft", "ceiling_m"),
)
_TEXTS = ("version_of", "authority", "source", "confidence", "note", "approximate", "incomplete")
_CLAIMANTS = ("claimants", "claimed_by", "claimant")


def read_geojson(text: str, file: str, stem: str) -> tuple[list[Placed], list[Fault]]:
    """Zones of a GeoJSON text, and its faults.

    Args:
        text: the whole text.
        file: its name, for the faults.
        stem: what ids of nameless features begin with.
    """
    try:
        document = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        cut = " (the file ends too early)" if error.pos >= len(text.rstrip()) else ""
        return [], [Fault(f"not JSON: {error.msg}{cut}", file, error.lineno)]
    except (ValueError, RecursionError) as error:
        return [], [Fault(f"not JSON: {error}", file)]
    zones: list[Placed] = []
    faults: list[Fault] = []
    taken: set[str] = set()
    try:
        features = list(_features(document))
    except ZoneError as error:
        return [], [_placed(fault, file, 1, fault.field) for fault in error.faults]
    for i, feature in enumerate(features):
        try:
            zone = zone_of_feature(feature, f"{stem}-{i + 1}" if len(features) > 1 else stem, taken)
            zones.append((zone, partial(_line_of_feature, text, i)))
        except ZoneError as error:
            line = _line_of_feature(text, i)
            where = f"features[{i}]" if len(features) > 1 else None
            faults += [
                _placed(f, file, line, ".".join(filter(None, (where, f.field))) or None)
                for f in error.faults
            ]
    return zones, faults


def _placed(fault: Fault, file: str, line: int | None, field: str | None) -> Fault:
    return Fault(fault.message, file, line, field, fault.remedy)


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")


def _fault(message: str, field: str | None = None, remedy: str | None = None) -> ZoneError:
    return ZoneError(Fault(message, field=field, remedy=remedy))


def _features(document: object) -> Iterator[dict[str, Any]]:
    kind = document.get("type") if isinstance(document, dict) else None
    if kind == "FeatureCollection":
        assert isinstance(document, dict)
        features = document.get("features")
        if not isinstance(features, list):
            raise _fault("a FeatureCollection without a list of features", "features")
        for i, feature in enumerate(features):
            if not isinstance(feature, dict) or feature.get("type") != "Feature":
                raise _fault("not a GeoJSON Feature", f"features[{i}]")
            yield feature
        if not features:
            raise _fault("no feature in it", "features")
    elif kind == "Feature":
        yield cast(dict[str, Any], document)
    elif kind in ("Polygon", "MultiPolygon", "GeometryCollection"):
        yield {"geometry": document}
    elif kind is None:
        raise _fault('JSON, but not GeoJSON: it has no "type"', "type")
    else:
        raise _fault(f"a GeoJSON {kind!r} has no inside", "type", "give polygons")


def _line_of_feature(
    text: str, index: int, ring: int | None = None, part: int | None = None
) -> int | None:
    """The line on which a feature starts: found again only when there is a fault to place."""
    decoder = json.JSONDecoder()
    blank = " \t\r\n,:"

    def skip(at: int) -> int:
        while at < len(text) and text[at] in blank:
            at += 1
        return at

    at = skip(text.index("{") + 1)
    while text[at] != "}":
        key, at = decoder.raw_decode(text, at)
        at = skip(at)
        if key == "features":
            at = skip(at + 1)
            for _ in range(index):
                at = skip(decoder.raw_decode(text, at)[1])
            return text.count("\n", 0, at) + 1
        at = skip(decoder.raw_decode(text, at)[1])
    return 1


def numbered_id(name: str, taken: set[str]) -> str:
    """An id made of a name: numbered where an earlier zone of the file has that name."""
    zone_id, n = name, 1
    while zone_id in taken:
        n += 1
        zone_id = f"{name} #{n}"
    taken.add(zone_id)
    return zone_id


def zone_of_feature(
    feature: dict[str, Any], spare_id: str = "", taken: set[str] | None = None
) -> Zone:
    """The zone of one feature.

    Args:
        feature: a GeoJSON Feature.
        spare_id: its id where it has neither ``id``, ``properties.id`` nor a name.
        taken: ids made of names so far.

    Raises:
        ZoneError: with each fault; the fault's field is within the feature.
    """
    properties = feature.get("properties") or {}
    if not isinstance(properties, dict):
        raise _fault("properties are not an object", "properties")
    faults: list[Fault] = []

    def attempt(field: str, read: Callable[..., Any], *args: Any) -> Any:
        try:
            return read(*args)
        except ZoneError as error:
            faults.extend(Fault(f.message, field=field, remedy=f.remedy) for f in error.faults)
            return None

    given = [str(v) for v in (feature.get("id"), properties.get("id")) if v not in (None, "")]
    named = _text(properties, "name") or spare_id
    zone_id = given[0] if given else numbered_id(named, set() if taken is None else taken)
    edge = attempt("edge", _edge, properties.get("edge"))
    if "boundary" in feature:
        rings = attempt("boundary", _boundary, feature["boundary"])
    else:
        rings = attempt("geometry", _geometry, feature.get("geometry"), edge)
        edge = "geodesic" if edge == "parallel" else edge  # parallels are marked: see _polygon
    fields: dict[str, Any] = {
        "floor": attempt("lower", _limit, properties, _FLOOR, SFC),
        "ceiling": attempt("upper", _limit, properties, _CEILING, UNL),
        **{key: attempt(key, _moment, properties.get(key)) for key in ("valid_from", "valid_to")},
        **{key: _text(properties, key) for key in _TEXTS},
    }
    if faults:
        raise ZoneError(
            [Fault(f"zone {zone_id}: {f.message}", field=f.field, remedy=f.remedy) for f in faults]
        )
    return Zone(
        zone_id=zone_id,
        name=_text(properties, "name", "title") or zone_id,
        rings=rings,
        kind=_text(properties, "kind", "class", "type").lower() or "other",
        edge=edge,
        claimants=_claimants(properties),
        rule=_text(properties, "rule", "rule_summary"),
        **fields,
    )


def _text(properties: dict[str, Any], *keys: str) -> str:
    return next((str(properties[k]) for k in keys if properties.get(k) not in (None, "")), "")


def _edge(value: object) -> Edge:
    if value in (None, "", "unknown"):
        return "planar"
    for edge in EDGES:
        if edge == value:
            return edge
    raise _fault(f"edge {value!r} is not a rule", remedy=f"one of {', '.join(EDGES)}")


def _moment(value: object) -> Any:
    return None if value in (None, "") else parse_moment(str(value))


def _claimants(properties: dict[str, Any]) -> tuple[str, ...]:
    value = next((properties[k] for k in _CLAIMANTS if properties.get(k)), ())
    if isinstance(value, str):
        value = value.replace(",", " ").split()
    return tuple(str(v) for v in value) if isinstance(value, (list, tuple)) else ()


def _limit(properties: dict[str, Any], keys: tuple[str, ...], spare: Limit) -> Limit:
    key = next((k for k in keys if properties.get(k) is not None), None)
    if key is None:
        return spare
    value = properties[key]
    if isinstance(value, dict):
        return _limit_of_object(value)
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise _fault(f"{value!r} is not a height", remedy="write FL195, 4500 ft AMSL, SFC or UNL")
    unit = key.rpartition("_")[2].upper()
    return parse_limit(str(value), unit=unit if unit in ("FT", "M") else "")


def _limit_of_object(value: dict[str, Any]) -> Limit:
    """``{reference, value_ft}`` as we write it, or ``{value, unit, referenceDatum}``."""
    number = value.get("value_ft", value.get("value", 0))
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        raise _fault(f"{number!r} is not a number")
    reference = str(value.get("reference", value.get("referenceDatum", "MSL"))).upper()
    if "value_ft" in value:
        if reference not in ("SFC", "AMSL", "FL", "AGL", "UNL"):
            raise _fault(f"{reference!r} is not a reference", remedy="AMSL, FL, AGL, SFC or UNL")
        return make_limit(float(number), cast(Reference, reference))
    unit = str(value.get("unit", "FT")).upper()
    return parse_limit(f"FL{number}" if unit == "FL" else f"{number} {unit} {reference}")


def _position(value: object) -> tuple[float, float]:
    """Latitude and longitude of a GeoJSON position."""
    if (
        not isinstance(value, list)
        or len(value) < 2
        or not all(type(v) in (int, float) for v in value[:2])
        or not all(abs(v) < 1e6 for v in value[:2])
    ):
        raise _fault(f"{json.dumps(value)[:60]} is not a position", remedy="write [lon, lat]")
    return float(value[1]), float(value[0])


def _geometry(value: object, edge: Edge) -> tuple[Ring, ...]:
    if not isinstance(value, dict):
        raise _fault("no geometry", remedy="give a Polygon or MultiPolygon")
    kind, coordinates = value.get("type"), value.get("coordinates")
    if kind == "GeometryCollection" and isinstance(value.get("geometries"), list):
        return tuple(ring for member in value["geometries"] for ring in _geometry(member, edge))
    if kind not in ("Polygon", "MultiPolygon"):
        raise _fault(f"a {kind} has no inside", remedy="give a Polygon or MultiPolygon")
    polygons = [coordinates] if kind == "Polygon" else coordinates
    if not isinstance(polygons, list) or not polygons:
        raise _fault(f"a {kind} without coordinates")
    return tuple(ring for polygon in polygons for ring in _polygon(polygon, edge))


def _polygon(value: object, edge: Edge) -> Iterator[Ring]:
    if not isinstance(value, list) or not value:
        raise _fault("a polygon without rings")
    for i, line in enumerate(value):
        if not isinstance(line, list) or not line:
            raise _fault("a ring without positions")
        points = [_position(p) for p in line]
        if points[0] != points[-1]:
            raise _fault(
                f"a ring ends at {points[-1][0]:g}, {points[-1][1]:g}, not where it starts "
                f"({points[0][0]:g}, {points[0][1]:g})",
                remedy="repeat the first position at the end",
            )
        points = points[:-1] or points
        parts = []
        for n, (lat, lon) in enumerate(points):
            level = edge == "parallel" and lat == points[(n + 1) % len(points)][0]
            parts.append(Vertex(lat, lon, "parallel" if level else None))
        yield Ring(tuple(parts), hole=i > 0)


def _boundary(value: object) -> tuple[Ring, ...]:
    """The exact boundary: a list of rings, each ``{"hole": bool, "parts": [...]}``."""
    if not isinstance(value, list):
        raise _fault("a boundary is a list of rings")
    rings = []
    for ring in value:
        if not isinstance(ring, dict) or not isinstance(ring.get("parts"), list):
            raise _fault("a ring of a boundary is an object with a list of parts")
        rings.append(Ring(tuple(map(_part, ring["parts"])), bool(ring.get("hole"))))
    return tuple(rings)


def _part(value: object) -> Part:
    """``[lon, lat]``, ``[lon, lat, edge]``, ``{"arc": …}`` or ``{"circle": …}``."""
    if isinstance(value, list):
        lat, lon = _position(value)
        return Vertex(lat, lon, _edge(value[2]) if len(value) > 2 else None)
    if isinstance(value, dict) and isinstance(circle := value.get("circle"), dict):
        return Circle(*_position(circle.get("center")), _radius(circle.get("radius_m")))
    if isinstance(value, dict) and isinstance(arc := value.get("arc"), dict):
        center, start, end = (_position(arc.get(k)) for k in ("center", "start", "end"))
        edge = _edge(arc["edge"]) if arc.get("edge") else None
        return Arc(*center, *start, *end, bool(arc.get("clockwise")), edge)
    raise _fault(f"{json.dumps(value)[:60]} is not part of a boundary")


def _radius(value: object) -> float:
    if not isinstance(value, (int, float)) or not 0 < value < 1e9:
        raise _fault(f"{json.dumps(value)[:60]} is not a radius", remedy="give metres")
    return float(value)
