"""GPX and KML: tracks drawn for maps, with a time for each point.

Their heights are metres above mean sea level. The reports table has no such column, so they go
into ``alt_geom_ft`` with a note: the two differ by the height of the geoid, -106 to +85 m.
Entities are not resolved and nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePath
from typing import Any

import polars as pl
from lxml import etree

from adiz.errors import Fault, ReportsError
from adiz.sources.files import Input
from adiz.sources.tabular import Options, faults_frame, table_frame
from adiz.sources.values import records

Row = dict[str, Any]
_HEIGHT_NOTE = (
    "heights are above mean sea level and were taken as geometric: up to 107 m from the height "
    "above the ellipsoid"
)


def read_frame(item: Input, options: Options) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The frame of one GPX or KML file; ``row`` counts its points."""
    data, damage = item.content()
    root, broken = _parse(data, item.name)
    stem = PurePath(item.name).name.split(".")[0]
    faults: list[tuple[int, str]] = []
    if _local(root) == "gpx":
        rows = list(_gpx_rows(root, stem))
    else:
        rows, faults = _kml_rows(root, stem)
    frames, notes = (
        [faults_frame(faults)],
        [f"{item.name}: {what}; kept what came before" for what in (damage or broken,) if what],
    )
    if rows:
        frame, said = table_frame(records(rows), item.name, replace(options, columns={}))
        frames.append(
            frame.with_row_index("row", offset=1).with_columns(pl.col("row").cast(pl.Int64))
        )
        notes += said
        if frame["alt_geom_ft"].count():
            notes.append(f"{item.name}: {_HEIGHT_NOTE}")
    return pl.concat(frames, how="diagonal"), tuple(notes)


def _parse(data: bytes, name: str) -> tuple[Any, str | None]:
    """The root element, and what is wrong if only a part could be read."""
    settings = {"resolve_entities": False, "no_network": True, "load_dtd": False}
    try:
        return etree.fromstring(data, etree.XMLParser(**settings)), None
    except (etree.XMLSyntaxError, ValueError) as error:
        fault, line = str(error)[:200], getattr(error, "lineno", None)
    try:
        root = etree.fromstring(data, etree.XMLParser(recover=True, **settings))
    except (etree.XMLSyntaxError, ValueError):
        root = None
    if root is None or _local(root) not in ("gpx", "kml"):
        raise ReportsError(Fault(f"this XML cannot be read: {fault}", name, line))
    return root, f"the XML is broken ({fault})"


def _gpx_rows(root: Any, stem: str) -> Iterator[Row]:
    """Points of the tracks (``trk``), which are named by their ``name``, else by the file."""
    for number, track in enumerate(_all(root, "trk"), start=1):
        name = _text(track, "name") or (stem if number == 1 else f"{stem}-{number}")
        for point in _all(track, "trkpt"):
            yield _row(
                name, _text(point, "time"), point.get("lat"), point.get("lon"), _text(point, "ele")
            )


def _kml_rows(root: Any, stem: str) -> tuple[list[Row], list[tuple[int, str]]]:
    """Points of ``gx:Track`` and of placemarks with a time stamp; lines without times as faults."""
    rows: list[Row] = []
    faults: list[tuple[int, str]] = []
    for number, mark in enumerate(_all(root, "Placemark"), start=1):
        before = len(rows)
        for track in _all(mark, "Track"):
            name = _text(mark, "name") or f"{stem}-{number}"
            times = [e.text for e in _all(track, "when")]
            places = [(e.text or "").split() for e in _all(track, "coord")]
            for at, place in enumerate(places):
                lon, lat, height = [*place[:3], None, None, None][:3]
                rows.append(_row(name, times[at] if at < len(times) else None, lat, lon, height))
        for point in _all(mark, "Point"):
            lon, lat, height = [*(_text(point, "coordinates") or "").split(",")[:3], *[None] * 3][
                :3
            ]
            rows.append(_row(_folders(mark) or stem, _when(mark), lat, lon, height))
        if len(rows) == before and next(_all(mark, "LineString"), None) is not None:
            faults.append((number, "line without a time for each vertex"))
    return rows, faults


def _row(track: str, time: str | None, lat: Any, lon: Any, height: Any) -> Row:
    return {"time": time, "track_id": track, "lat_deg": lat, "lon_deg": lon, "alt_geom_m": height}


def _when(mark: Any) -> str | None:
    stamp = next(_all(mark, "TimeStamp"), None)
    return None if stamp is None else _text(stamp, "when")


def _folders(mark: Any) -> str:
    """The names of what a placemark lies in, outermost first."""
    names = [_text(e, "name") for e in mark.iterancestors() if isinstance(e.tag, str)]
    return " / ".join(n for n in reversed(names) if n)


def _local(element: Any) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _all(element: Any, name: str) -> Iterator[Any]:
    """Descendants of a local name, whatever the version's name space."""
    yield from element.iter(f"{{*}}{name}")


def _text(element: Any, name: str) -> str | None:
    """The text of a child."""
    child = element.find(f"{{*}}{name}")
    text = None if child is None else (child.text or "").strip()
    return text or None
