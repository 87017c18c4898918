"""Read an incident file: TOML, every fault named with its line, field and remedy.

The fields are those of :mod:`adiz.incidents.model`; docs/reference/incident-file.md lists them.
A file is read whole before it is refused, so that all its faults are seen at once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

from adiz.errors import Fault, FaultyInputError
from adiz.incidents.edtf import EXAMPLE, TimeSpec, parse_edtf
from adiz.incidents.model import (
    PREDICATES,
    Change,
    Claim,
    Confidence,
    Evidence,
    Figure,
    Incident,
    Party,
    Place,
    Predicate,
    Quantity,
    Response,
    Source,
    Subject,
    TrackRef,
    Wording,
)
from adiz.incidents.quantities import parse_quantity, parse_sector
from adiz.incidents.references import check_references
from adiz.incidents.toml_lines import Lines, Table, nearest, parse_toml
from adiz.units import M_PER_NM

if TYPE_CHECKING:
    from adiz.zones.model import Zones

RESPONSE_KINDS = (
    "radio", "scramble", "intercept", "flares", "warning_shots", "protest", "statement", "other",
)  # fmt: skip
SECTIONS = ("incident", "parties", "sources", "subjects", "places", "responses", "claims", "log")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_KM_PER_NM = M_PER_NM / 1000.0


def read_incident(path: str | Path, zones: Zones | None = None) -> Incident:
    """Read and check an incident file.

    Args:
        path: the file.
        zones: the zones its claims may name; None means the catalogue and the file's own
            ``zone_files``.

    Raises:
        FaultyInputError: with every fault found, each with its line, field and remedy.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FaultyInputError(
            Fault(f"cannot be read: {error.strerror}", str(path), remedy="check the path")
        ) from None
    return parse_incident(data, str(path), zones)


def parse_incident(data: bytes, file: str = "", zones: Zones | None = None) -> Incident:
    """As :func:`read_incident`, from bytes; ``file`` is the name that errors give."""
    raw, lines = parse_toml(data, file)
    reader = _Reader(raw, lines, file)
    incident = reader.incident(hashlib.sha256(data).hexdigest())
    if not reader.faults:
        known = zones if zones is not None else zones_of(incident)
        check_references(incident, {z.zone_id for z in known}, file, reader.faults)
    if reader.faults:
        raise FaultyInputError(sorted(reader.faults, key=lambda f: f.line or 0))
    return incident


def zones_of(incident: Incident) -> Zones:
    """The catalogue and the incident's own zone files."""
    import adiz

    zones: Zones = adiz.zones()
    folder = Path(incident.file).parent if incident.file else Path()
    for name in incident.zone_files:
        zones = zones + adiz.zones([str(folder / name)])
    return zones


class _Reader:
    def __init__(self, raw: dict[str, Any], lines: Lines, file: str) -> None:
        self.raw, self.lines, self.file = raw, lines, file
        self.faults: list[Fault] = []
        self.day_zone = ZoneInfo("UTC")
        for name in raw:
            if name not in SECTIONS:
                line = lines.get((name, 0), lines[("", 0)]).get("")
                self.faults.append(
                    Fault(f"no section is called {name[:40]!r}", file, line or 1, name,
                          nearest(name, SECTIONS))
                )  # fmt: skip

    def table(self, raw: dict[str, Any], name: str, index: int = 0) -> Table:
        return Table(raw, name, self.lines.get((name, index), {}), self.file, self.faults)

    def tables(self, name: str) -> Iterable[Table]:
        got = self.raw.get(name, [])
        if not isinstance(got, list) or not all(isinstance(one, dict) for one in got):
            self.table({}, name).fault("", f"{name} is not a list of tables", f"write [[{name}]]")
            return
        for i, one in enumerate(got):
            table = self.table(one, name, i)
            yield table
            table.done()

    def incident(self, sha256: str) -> Incident:
        head = self.raw.get("incident")
        if not isinstance(head, dict):
            self.table({}, "incident").fault("", "there is no [incident] section", "add [incident]")
            return Incident("", "", "UTC")
        table = self.table(head, "incident")
        time_zone = self.time_zones(table, "time_zone", True)
        if time_zone:
            self.day_zone = ZoneInfo(time_zone[0])
        incident = Incident(
            incident_id=_id(table),
            title=table.text("title", True),
            time_zone=time_zone[0] if time_zone else "UTC",
            summary=table.text("summary"),
            display_time_zones=self.time_zones(table, "display_time_zones", False),
            zones=table.texts("zones"),
            zone_files=table.texts("zone_files"),
            wind_kmh=float(table.value("wind_kmh", (int, float), "50", False) or 0.0),
            parties=tuple(map(self.party, self.tables("parties"))),
            sources=tuple(map(self.source, self.tables("sources"))),
            subjects=tuple(map(self.subject, self.tables("subjects"))),
            places=tuple(map(self.place, self.tables("places"))),
            responses=tuple(map(self.response, self.tables("responses"))),
            claims=tuple(map(self.claim, self.tables("claims"))),
            changes=tuple(map(self.change, self.tables("log"))),
            file=self.file,
            sha256=sha256,
        )
        table.done()
        return incident

    def time_zones(self, table: Table, key: str, need: bool) -> tuple[str, ...]:
        names = (table.text(key, True, '"Asia/Seoul"'),) if need else table.texts(key)
        for name in filter(None, names):
            try:
                ZoneInfo(name)
            except (KeyError, ValueError, OSError):
                table.fault(key, f"no time zone is called {name[:40]!r}", 'as in "Asia/Seoul"')
                return ()
        return tuple(filter(None, names))

    def time(self, table: Table, key: str = "time", need: bool = False) -> TimeSpec | None:
        if key in table.raw and not isinstance(table.raw[key], str):
            table.asked.add(key)
            table.fault(key, f"{key} is not text", f'write it in quotes, "{EXAMPLE}"')
            return None
        return table.read(key, lambda t: parse_edtf(t, self.day_zone), f'"{EXAMPLE}"', need)

    def party(self, table: Table) -> Party:
        return Party(
            _id(table), table.text("name", True), table.text("kind") or "other",
            table.text("state"), table.text("part_of"), table.text("note"), table.line,
        )  # fmt: skip

    def source(self, table: Table) -> Source:
        evidence = table.value("evidence", list, "[[sources.evidence]]", False) or []
        return Source(
            source_id=_id(table),
            publisher=table.text("publisher", True),
            title=table.text("title"),
            date=self.time(table, "date"),
            address=table.text("address"),
            language=table.text("language"),
            relays=table.text("relays"),
            note=table.text("note"),
            evidence=tuple(self.evidence(table, e) for e in evidence if isinstance(e, dict)),
            line=table.line,
        )

    def evidence(self, source: Table, raw: dict[str, Any]) -> Evidence:
        lines = {key: source.lines.get("evidence", source.line) for key in raw} | {"": source.line}
        table = Table(raw, "sources.evidence", lines, self.file, self.faults)
        sha256 = table.text("sha256", True).lower()
        if sha256 and not re.fullmatch(r"[0-9a-f]{64}", sha256):
            table.fault(
                "sha256", "sha256 is not 64 hexadecimal digits", "run sha256sum on the file"
            )
        when = self.time(table, "collected_at", True)
        evidence = Evidence(
            file=table.text("file", True),
            sha256=sha256,
            collected_at=(when and when.earliest) or datetime.min.replace(tzinfo=ZoneInfo("UTC")),
            collected_how=table.text("collected_how", True),
            collected_by=table.text("collected_by"),
            working_copy=table.text("working_copy"),
            line=table.line,
        )
        table.done()
        return evidence

    def figures(self, table: Table, key: str) -> tuple[Figure, ...]:
        unit = {"kmh": "km/h", "km": "km", "m": "m"}[key.rpartition("_")[2]]
        says = '[{ value = "900", source = "ID" }]'
        found = []
        for raw in table.value(key, list, says, False) or []:
            if not isinstance(raw, dict) or set(raw) != {"value", "source"}:
                table.fault(
                    key, f"{key} holds something that is no figure", f"write {key} = {says}"
                )
                continue
            try:
                value = parse_quantity(raw["value"], unit, count=True)
            except ValueError as error:
                table.fault(key, str(error), f"write {key} = {says}")
                continue
            found.append(Figure(value, str(raw["source"])))
        return tuple(found)

    def subject(self, table: Table) -> Subject:
        track = table.value("track", dict, '{ file = "a.csv", track_id = "x" }', False)
        if track is not None and set(track) != {"file", "track_id"}:
            table.fault("track", "track needs file and track_id", None)
            track = None
        return Subject(
            subject_id=_id(table),
            name=table.text("name", True),
            state=table.text("state"),
            type_code=table.text("type"),
            count=_count(table, "count"),
            members=table.texts("members"),
            max_speed_kmh=self.figures(table, "max_speed_kmh"),
            cruise_speed_kmh=self.figures(table, "cruise_speed_kmh"),
            ceiling_m=self.figures(table, "ceiling_m"),
            range_km=self.figures(table, "range_km"),
            track=TrackRef(str(track["file"]), str(track["track_id"])) if track else None,
            note=table.text("note"),
            line=table.line,
        )

    def place(self, table: Table) -> Place:
        points = table.value("points", list, "[[37.24, 131.87]]", True) or []
        good = [
            (float(p[0]), float(p[1]))
            for p in points
            if isinstance(p, list)
            and len(p) == 2
            and all(isinstance(x, (int, float)) for x in p)
            and abs(p[0]) <= 90
            and abs(p[1]) <= 180
        ]
        if points and len(good) != len(points):
            table.fault("points", "points are not all latitude and longitude in degrees",
                        "write points = [[37.24, 131.87]]")  # fmt: skip
        return Place(
            _id(table), table.text("name", True), tuple(good),
            float(table.value("position_error_m", (int, float), "100", False) or 0.0),
            table.text("source"), table.text("note"), table.line,
        )  # fmt: skip

    def response(self, table: Table) -> Response:
        return Response(
            response_id=_id(table),
            actor=table.text("actor", True),
            kind=table.choice("kind", RESPONSE_KINDS),
            source=table.text("source", True),
            time=self.time(table),
            amount=_count(table, "amount", table.text("unit")),
            target=table.text("target"),
            claim=table.text("claim"),
            note=table.text("note"),
            line=table.line,
        )

    def claim(self, table: Table) -> Claim:
        predicate = table.choice("predicate", tuple(PREDICATES))
        derived_from = table.texts("derived_from")
        quote = table.text("quote", need=not derived_from)
        if quote and not table.raw.get("source"):
            table.fault("quote", "a quote without a source", 'add source = "the source\'s id"')
        sector = 'a direction, as in "NE" or "055..100"'
        distance = table.read("distance_km", lambda t: parse_quantity(t, "km"), '"12"')
        if "distance_nm" in table.raw:
            distance = table.read(
                "distance_nm", lambda t: parse_quantity(t, "km", factor=_KM_PER_NM), '"76"'
            )
            distance = distance and replace(distance, text=f"{distance.text} NM")
        return Claim(
            claim_id=_id(table),
            party=table.text("party", True),
            subject=table.text("subject", True),
            predicate=cast(Predicate, predicate),
            source=table.text("source", need=not quote),
            quote=quote,
            wording=cast(
                Wording,
                table.choice("wording", ("verbatim", "translation", "summary"), "verbatim"),
            ),
            time=self.time(table),
            zones=table.texts("zones"),
            place=table.text("place"),
            distance_km=distance,
            bearing=table.read("bearing", parse_sector, sector),
            between=table.texts("between"),
            heading=table.read("heading", parse_sector, sector),
            duration_min=table.read("duration_min", lambda t: parse_quantity(t, "min"), '"3"'),
            total=bool(table.value("total", bool, "true", False)),
            value=_count(table, "value", table.text("unit")),
            counting=table.text("counting"),
            target=table.text("target"),
            denies=table.texts("denies"),
            event=table.text("event"),
            negated=bool(table.value("negated", bool, "true", False)),
            relays=table.text("relays"),
            derived_from=derived_from,
            derivation=table.text("derivation", need=bool(derived_from)),
            confidence=cast(
                Confidence, table.choice("confidence", ("high", "medium", "low"), "high")
            ),
            note=table.text("note"),
            line=table.line,
        )

    def change(self, table: Table) -> Change:
        nothing = parse_edtf("0001")
        return Change(
            self.time(table, "date", True) or nothing,
            table.text("who", True), table.text("what", True), table.line,
        )  # fmt: skip


def _id(table: Table) -> str:
    found = table.text("id", True, '"a-short-name"')
    if found and not _ID.fullmatch(found):
        table.fault("id", f"id {found[:40]!r} is not a short name",
                    "use letters, digits, '.', '_' and '-', 64 at most")  # fmt: skip
    return found


def _count(table: Table, key: str, unit: str = "") -> Quantity | None:
    return table.read(key, lambda t: parse_quantity(t, unit, count=True), '"80"')
