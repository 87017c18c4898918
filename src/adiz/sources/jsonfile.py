"""JSON of any known shape: the document says by its members what it is.

- readsb and tar1090: one aircraft's ``trace``, or the aircraft of a moment (``aircraft``, ``ac``);
- GeoJSON;
- records: an array of objects, columns of values (as pandas writes both), or an object a line.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from adiz.errors import Fault, ReportsError
from adiz.sources import geojson, jsontext, readsb
from adiz.sources.files import Input, as_utf8
from adiz.sources.jsontext import Text
from adiz.sources.tabular import Options, faults_frame, table_frame
from adiz.sources.values import records, series

_GEOJSON = {
    "FeatureCollection", "Feature", "GeometryCollection", "Point", "MultiPoint", "LineString",
    "MultiLineString", "Polygon", "MultiPolygon",
}  # fmt: skip
_GEOJSON_MEMBERS = {"features", "geometry", "geometries", "coordinates"}


def read_frame(item: Input, options: Options) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The frame of one JSON file."""
    data, damage = item.content()
    text = jsontext.decode(as_utf8(data), item.name)
    frame, notes = _frame(text, item, options)
    if text.bad_lines:
        bad = faults_frame([(line, "not JSON") for line in text.bad_lines])
        frame = pl.concat([frame, bad], how="diagonal")
    damages = [f"{item.name}: {d}; kept what came before" for d in (damage, text.damage) if d]
    return frame, (*notes, *damages)


def _frame(text: Text, item: Input, options: Options) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Dispatch on the members of the first object."""
    whole = text.document
    documents = [d for d in whole if isinstance(d, dict)] if isinstance(whole, list) else [whole]
    first = documents[0] if documents else None
    if not isinstance(first, dict):
        raise _unknown(item)
    if "trace" in first:
        return readsb.trace_frame(documents), ()
    if "aircraft" in first or ("ac" in first and "now" in first):
        return _once(readsb.aircraft_frame(documents), item)
    if first.get("type") in _GEOJSON and first.keys() & _GEOJSON_MEMBERS:
        return geojson.features_frame(documents, item.name, options)
    if isinstance(whole, list):
        raw = records([d if isinstance(d, dict) else {} for d in whole])
        frame, notes = table_frame(raw, item.name, options)
        if text.lines:
            frame = frame.with_columns(pl.Series("row", text.lines, dtype=pl.Int64))
        return frame, notes
    columns = [_as_list(v) for v in first.values()]
    lengths = {len(c) for c in columns}
    if len(lengths) != 1 or 0 in lengths:
        raise _unknown(item)
    raw = pl.DataFrame([series(k, v) for k, v in zip(first, columns, strict=True)])
    return table_frame(raw, item.name, options)


def _once(frame: pl.DataFrame, item: Input) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Snapshots without the positions that an earlier one told already."""
    again = readsb.repeats(frame)
    if not (count := int(again.sum())):
        return frame, ()
    note = f"{item.name}: {count} positions stand in several snapshots and were read once"
    numbered = frame.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("row"))
    return numbered.filter(~again), (note,)


def _as_list(values: Any) -> list[Any]:
    if isinstance(values, dict):
        return list(values.values())
    return values if isinstance(values, list) else []


def _unknown(item: Input) -> ReportsError:
    return ReportsError(
        Fault(
            "this JSON holds no reports of a known shape",
            item.name,
            remedy="known are readsb traces and aircraft.json, GeoJSON, and arrays or lines of "
            "objects with time, aircraft, latitude and longitude",
        )
    )
