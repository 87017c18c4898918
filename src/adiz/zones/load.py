"""``adiz.zones(...)``: zones by id or plain name from the catalogue, or from files.

The catalogue is the folder ``catalogue`` beside this module: GeoJSON files in the exact form (see
:mod:`adiz.zones.geojson`), one per state. Only the standard library is loaded for it and for
GeoJSON; the other readers load what they need.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adiz.errors import Fault, ZoneError
from adiz.zones.geojson import read_geojson, zone_of_feature
from adiz.zones.model import Zone, Zones

if TYPE_CHECKING:
    from adiz.zones.checks import Placed

CATALOGUE = Path(__file__).parent / "catalogue"
Reader = Callable[[bytes, str, str], "tuple[list[Placed], list[Fault]]"]
"""From a file's bytes, name and stem to its zones and faults."""

_LONG = 400
"""Of a message: what it quotes from a file may have no end."""

MAX_BYTES = 512 * 2**20
"""No file of zones is this big; what is, is something else."""


def zones(which: str | Path | Iterable[str | Path] | None = None) -> Zones:
    """Zones of the catalogue, or of files, or of both.

    Args:
        which: ids (``KADIZ-2013``), plain names (``KADIZ``: all its versions) or paths of files
            (GeoJSON, OpenAir, AIXM, KML, KMZ), in a list or separated by commas; None for the
            whole catalogue. An id wins over a plain name, and both win over a file of that name
            (write ``./KADIZ`` for the file).

    Raises:
        ZoneError: a name that is unknown, a file with faults (all of them are told), or two
            zones of one id.

    Example:
        >>> import adiz
        >>> [zone.zone_id for zone in adiz.zones("KADIZ,CHN-ECS-ADIZ")]
        ['KADIZ-1951', 'KADIZ-2013', 'CHN-ECS-ADIZ']
    """
    features = _catalogue_features()
    if which is None:
        return Zones(tuple(zone_of_feature(f) for f in features))
    found: dict[str, Zone] = {}
    for item in _items(which):
        hits = _hits(item, features)
        if not hits and not _like_path(item):
            zones().select([str(item)])  # raises, naming the nearest
        for zone in map(zone_of_feature, hits) if hits else read_zones(item):
            if found.setdefault(zone.zone_id, zone) != zone:
                raise ZoneError(
                    Fault(
                        f"a second, different zone has the id {zone.zone_id}",
                        str(item),
                        field="id",
                        remedy="give each zone an id of its own",
                    )
                )
    if not found:
        raise ZoneError(Fault("no zones are named", field="zones", remedy="see 'adiz zones list'"))
    return Zones(tuple(found.values()))


def _catalogue_features() -> list[dict[str, Any]]:
    """The catalogue as data: zones are made only of what was asked for."""
    return [
        feature
        for path in sorted(CATALOGUE.glob("*.geojson"))
        for feature in json.loads(path.read_bytes())["features"]
    ]


def _hits(item: str | Path, features: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if isinstance(item, Path):
        return []
    exact = [f for f in features if f["id"] == item]
    return exact or [f for f in features if f["properties"].get("version_of") == item]


def read_zones(path: str | Path, *, strict: bool = True) -> Zones:
    """The zones of one file, its format recognised by its content.

    Args:
        path: a GeoJSON, OpenAir, AIXM 5.1 or 5.1.1, KML or KMZ file.
        strict: any fault refuses the whole file; else good zones are kept and the faults are in
            ``Zones.faults``.

    Raises:
        ZoneError: with each fault of the file, its line and its cause.
    """
    from adiz.zones.checks import check_zone

    name = str(path)
    data = read_bytes(Path(path))
    placed, faults = _reader(data, name)(data, name, Path(path).stem)
    found: dict[str, Zone] = {}
    for zone, locate in placed:
        problems = check_zone(zone)
        if zone.zone_id in found:
            twice = Fault(f"a second zone has the id {zone.zone_id}", field="id")
            problems.append((replace(twice, remedy="give each zone an id of its own"), None, None))
        faults += [replace(f, file=name, line=locate(ring, part)) for f, ring, part in problems]
        if not problems:
            found[zone.zone_id] = zone
    if not (placed or faults):
        faults = [Fault("no zone in it", name)]
    faults = [
        f if len(f.message) < _LONG else replace(f, message=f.message[:_LONG] + "…") for f in faults
    ]
    if faults and (strict or not found):
        raise ZoneError(sorted(faults, key=lambda fault: fault.line or 0))
    return Zones(tuple(found.values()), tuple(faults))


def _items(which: str | Path | Iterable[str | Path]) -> list[str | Path]:
    if isinstance(which, Path):
        return [which]
    if not isinstance(which, str):
        return [part for item in which for part in _items(item)]
    if "," in which and os.path.isfile(which):
        return [Path(which)]
    return [item.strip() for item in which.split(",") if item.strip()]


def _like_path(item: str | Path) -> bool:
    suffixes = (".geojson", ".json", ".txt", ".openair", ".air", ".xml", ".aixm", ".kml", ".kmz")
    return (
        isinstance(item, Path)
        or "/" in item
        or item.lower().endswith(suffixes)
        or os.path.exists(item)
    )


def read_bytes(path: Path) -> bytes:
    """A whole file.

    Raises:
        ZoneError: it cannot be read, is empty, or is too large to be zones.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or error
        raise ZoneError(Fault(f"cannot be read: {cause}", str(path))) from None
    if len(data) > MAX_BYTES:
        raise ZoneError(Fault(f"larger than {MAX_BYTES >> 20} MB", str(path)))
    if not data or data.isspace():
        raise ZoneError(Fault("the file is empty", str(path), 1))
    return data


def _reader(data: bytes, file: str) -> Reader:
    head = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head[:1] in (b"{", b"["):
        return _read_geojson
    if head[:1] == b"<" or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _read_xml
    if head[:4] == b"PK\x03\x04":
        return _read_kmz
    from adiz.zones.openair import looks_like_openair

    if looks_like_openair(data):
        return _read_openair
    raise ZoneError(
        Fault(
            "the format is not recognised",
            file,
            remedy="give GeoJSON, OpenAir, AIXM 5.1, KML or KMZ",
        )
    )


def _read_geojson(data: bytes, file: str, stem: str) -> tuple[list[Placed], list[Fault]]:
    return read_geojson(decode(data, file), file, stem)


def _read_openair(data: bytes, file: str, stem: str) -> tuple[list[Placed], list[Fault]]:
    from adiz.zones.openair import read_openair

    return read_openair(decode(data, file, spare="cp1252"), file)


def _read_kmz(data: bytes, file: str, stem: str) -> tuple[list[Placed], list[Fault]]:
    from adiz.zones.kml import kml_of_kmz

    return _read_xml(kml_of_kmz(data, file), file, stem)


def _read_xml(data: bytes, file: str, stem: str) -> tuple[list[Placed], list[Fault]]:
    from adiz.zones.xml import local, parse_xml

    root = parse_xml(data, file)
    if local(root) == "kml":
        from adiz.zones.kml import read_kml

        return read_kml(root, file, stem)
    from adiz.zones.aixm import is_aixm, read_aixm

    if is_aixm(root):
        return read_aixm(root, file)
    raise ZoneError(
        Fault(f"XML of <{local(root)}>: neither AIXM 5.1 nor 5.1.1 nor KML", file, root.sourceline)
    )


def decode(data: bytes, file: str, spare: str = "utf-8") -> str:
    """The text of a file: UTF-8, with or without a byte order mark, else the spare encoding.

    Raises:
        ZoneError: naming the line of the first byte that is neither.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        return data.decode(spare)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ZoneError(
            Fault("not UTF-8 text", file, line, remedy="save the file as UTF-8")
        ) from None
