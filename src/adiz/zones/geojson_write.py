"""Zones to GeoJSON (RFC 7946), and back without loss.

Any reader of GeoJSON gets a dense geometry, cut at the antimeridian, true to the boundary within
a stated tolerance when its points are joined by straight lines in longitude and latitude. Our own
reader gets the boundary as stated, from the member ``boundary`` beside it.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from adiz.zones.limits import show_limit
from adiz.zones.model import Arc, Circle, Part, Zone
from adiz.zones.moments import show_moment
from adiz.zones.rings import dense_rings

TOLERANCE_M = 10.0
_DIGITS = 7
"""Decimals of a degree in the dense geometry: about 1 cm."""
_TEXTS = ("authority", "rule", "source", "confidence", "note", "approximate", "incomplete")


def write_geojson(zones: Iterable[Zone], tolerance_m: float = TOLERANCE_M) -> str:
    """Zones as the text of a GeoJSON FeatureCollection, one feature a line.

    Args:
        zones: any zones; one whose boundary is not known gets ``geometry: null``.
        tolerance_m: how far the dense geometry may stray from the stated boundary.

    Raises:
        ZoneError: a boundary that cannot be drawn.
    """
    lines = [
        json.dumps(_feature(zone, tolerance_m), ensure_ascii=False, allow_nan=False)
        for zone in zones
    ]
    return '{"type": "FeatureCollection", "features": [\n' + ",\n".join(lines) + "\n]}\n"


def properties_of_zone(zone: Zone) -> dict[str, Any]:
    """Everything about a zone but its id and boundary, as plain data; empty values left out."""
    properties: dict[str, Any] = {
        "name": zone.name,
        "kind": zone.kind,
        "edge": zone.edge,
        "lower": show_limit(zone.floor),
        "upper": show_limit(zone.ceiling),
        "valid_from": show_moment(zone.valid_from),
        "valid_to": show_moment(zone.valid_to),
        "version_of": zone.version_of,
        "claimants": list(zone.claimants),
        **{key: getattr(zone, key) for key in _TEXTS},
    }
    return {key: value for key, value in properties.items() if value}


def _feature(zone: Zone, tolerance_m: float) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": zone.zone_id,
        "properties": properties_of_zone(zone),
        "geometry": _geometry(dense_rings(zone, tolerance_m, planar=True)),
        "boundary": [
            {"hole": ring.hole, "parts": [_part(part) for part in ring.parts]}
            for ring in zone.rings
        ],
    }


def _part(part: Part) -> Any:
    if isinstance(part, Circle):
        center = [part.center_lon_deg, part.center_lat_deg]
        return {"circle": {"center": center, "radius_m": part.radius_m}}
    if isinstance(part, Arc):
        arc = {
            "center": [part.center_lon_deg, part.center_lat_deg],
            "start": [part.start_lon_deg, part.start_lat_deg],
            "end": [part.end_lon_deg, part.end_lat_deg],
            "clockwise": part.clockwise,
        }
        return {"arc": {**arc, "edge": part.edge} if part.edge else arc}
    position = [part.lon_deg, part.lat_deg]
    return [*position, part.edge] if part.edge else position


def _geometry(rings: list[array[float]]) -> dict[str, Any] | None:
    """The points inside an odd number of rings, longitudes from -180 to 180; None: no point is."""
    if not rings:
        return None
    import shapely
    from shapely.geometry.polygon import orient

    area = shapely.Polygon()
    world = shapely.box(-180, -90, 180, 90)
    for ring in rings:
        polygon = shapely.make_valid(shapely.Polygon(zip(ring[1::2], ring[0::2], strict=True)))
        west, _, east, _ = polygon.bounds
        for turn in range(round((west - 180) // 360) + 1, round((east + 180) // 360) + 1):
            moved = shapely.transform(polygon, lambda xy, turn=turn: xy - [360.0 * turn, 0.0])
            area = area ^ (moved & world)
    parts = [p for p in shapely.get_parts(area) if p.geom_type == "Polygon" and p.area > 0]
    coordinates = [
        [
            [
                point
                for point, _ in groupby(
                    [round(x, _DIGITS), round(y, _DIGITS)] for x, y in line.coords
                )
            ]
            for line in (polygon.exterior, *polygon.interiors)
        ]
        for polygon in map(orient, parts)
    ]
    if not coordinates:
        return None
    if len(coordinates) == 1:
        return {"type": "Polygon", "coordinates": coordinates[0]}
    return {"type": "MultiPolygon", "coordinates": coordinates}
