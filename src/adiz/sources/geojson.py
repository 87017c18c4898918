"""GeoJSON: points with a time among their properties, lines with a time for each vertex.

A line's times are its property ``coordTimes`` or ``times``, also within ``coordinateProperties``.
The third coordinate is metres above the WGS84 ellipsoid (RFC 7946 section 3.1.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

import polars as pl

from adiz.sources.columns import make_plan
from adiz.sources.tabular import Options, faults_frame, table_frame
from adiz.sources.values import records

# Names that no property has by chance.
_LAT, _LON, _HEIGHT = "geometry: latitude", "geometry: longitude", "geometry: height"
_TIME, _TRACK, _ROW = "geometry: time", "geometry: track", "geometry: row"
_PLACE = {"lat_deg": _LAT, "lon_deg": _LON, "alt_geom_m": _HEIGHT}


@dataclass(slots=True)
class _Found:
    """Rows of points, rows of vertices of lines, and features that are neither, with the reason."""

    points: list[dict[str, Any]] = field(default_factory=list)
    vertices: list[dict[str, Any]] = field(default_factory=list)
    faults: list[tuple[int, str]] = field(default_factory=list)


def features_frame(
    documents: list[dict[str, Any]], file: str, options: Options
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The frame of GeoJSON documents; ``row`` is the number of the feature."""
    found = _Found()
    for number, feature in enumerate(_features(documents), start=1):
        _take(feature, number, f"{PurePath(file).name}#{number}", found)
    frames = [faults_frame(found.faults)]
    notes: list[str] = []
    for rows, timed in ((found.points, {}), (found.vertices, {"time": _TIME})):
        if not rows:
            continue
        raw = records(rows)
        mapping = {**_PLACE, **timed}
        if timed and not options.track_id and "track_id" not in make_plan(raw.columns, file=file):
            mapping["track_id"] = _TRACK
        told = replace(options, columns={**mapping, **options.columns})
        frame, said = table_frame(raw, file, told)
        frames.append(frame.with_columns(raw[_ROW].alias("row")))
        notes += said
    return pl.concat(frames, how="diagonal"), tuple(notes)


def _features(documents: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every feature; a bare geometry is one without properties."""
    for document in documents:
        members = document.get("features")
        if isinstance(members, list):
            yield from (m if isinstance(m, dict) else {} for m in members)
        elif "coordinates" in document:
            yield {"geometry": document}
        else:
            yield document


def _take(feature: dict[str, Any], number: int, name: str, found: _Found) -> None:
    """Sort the content of one feature into what was found."""
    properties = _object(feature.get("properties"))
    geometry = _object(feature.get("geometry"))
    kind, coordinates = geometry.get("type"), _array(geometry.get("coordinates"))
    track = feature.get("id") or properties.get("name") or name
    if kind in ("Point", "MultiPoint"):
        for place in [coordinates] if kind == "Point" else coordinates:
            found.points.append({**properties, **_place(place), _ROW: number})
    elif kind in ("LineString", "MultiLineString"):
        inner = _object(properties.get("coordinateProperties"))
        times = next(
            (p[n] for p in (properties, inner) for n in ("coordTimes", "times") if p.get(n)), None
        )
        if not isinstance(times, list):
            found.faults.append((number, "line without a time for each vertex"))
            return
        lines = [(coordinates, times)]
        if kind == "MultiLineString":
            lines = [(_array(c), _array(t)) for c, t in zip(coordinates, times, strict=False)]
        plain = {k: v for k, v in properties.items() if not isinstance(v, list | dict)}
        for line, stamps in lines:
            for at, place in enumerate(line):
                stamp = stamps[at] if at < len(stamps) else None
                extra = {_TIME: stamp, _TRACK: str(track), _ROW: number}
                found.vertices.append({**plain, **_place(place), **extra})
    else:
        found.faults.append((number, f"no position: {kind or 'no geometry'}"))


def _place(place: Any) -> dict[str, Any]:
    lon, lat, height = [*_array(place)[:3], None, None, None][:3]
    return {_LAT: lat, _LON: lon, _HEIGHT: height}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _array(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
