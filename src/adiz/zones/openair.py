"""OpenAir to zones, each fault with its line.

Format: the Winpilot description and Naviter's extension of it (``AI``, ``AY``, ``AA``). Edges are
shortest lines; arcs and circles are kept as such. A height with no unit is in feet above the sea.
``V D=`` turns clockwise again at each new airspace. An airway (``DY``) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from adiz.errors import Fault, ZoneError
from adiz.geo import direct, inverse
from adiz.units import M_PER_NM
from adiz.zones.checks import Placed
from adiz.zones.geojson import numbered_id
from adiz.zones.limits import parse_limit
from adiz.zones.model import SFC, Arc, Circle, Limit, Part, Ring, Vertex, Zone
from adiz.zones.moments import parse_moment

MAX_LINE = 10_000
_CLOSED_M = 200.0
"""Ends nearer than this are one point: coordinates in tenths of a minute say no more."""

_RECORD = re.compile(r"([A-Z]{1,2})(?:\s+(.*))?")
_POSITION = re.compile(r"([\d:.\s]+?)\s*([NS])[\s,]*([\d:.\s]+?)\s*([EW])")
_IGNORED = frozenset(("AF", "AG", "AX", "AT", "AO", "AR", "SP", "SB", "TO", "TC"))
_KINDS = {
    "R": "restricted",
    "Q": "danger",
    "P": "prohibited",
    "W": "wave",
    "GP": "gliding prohibited",
    **{letter: f"class {letter.lower()}" for letter in "ABCDEFG"},
}


def looks_like_openair(data: bytes) -> bool:
    """Whether a record of an airspace begins a line near the start of a file."""
    return re.search(rb"(?m)^\s*(?:AC|AN|AI|AY|AH|AL|DP|DC|V\s+X=)\s*\S", data[:65536]) is not None


def read_openair(text: str, file: str) -> tuple[list[Placed], list[Fault]]:
    """Zones of an OpenAir text, and its faults.

    A ring whose last point is not its first is closed and its zone given, with a fault.
    """
    reader = _Reader(file)
    for number, line in enumerate(text.splitlines(), 1):
        reader.take(number, line)
    reader.finish()
    return reader.placed, reader.faults


def read_position(text: str) -> tuple[float, float]:
    """Latitude and longitude of ``52:07:36 N 013:23:34 E``, ``265644.00N 0500434.00E``, ….

    Raises:
        ZoneError: saying what is wrong with it.
    """
    match = _POSITION.fullmatch(text.strip().upper())
    if not match:
        raise _fault(f"{text.strip()!r} is not a position", "write 52:07:36 N 013:23:34 E")
    lat = _angle(match[1], 2, 90)
    lon = _angle(match[3], 3, 180)
    return (-lat if match[2] == "S" else lat), (-lon if match[4] == "W" else lon)


def _angle(text: str, degrees_width: int, most: int) -> float:
    fields = [f.strip() for f in text.split(":")]
    if len(fields) == 1 and len(fields[0].partition(".")[0]) >= degrees_width + 4:
        whole = fields[0]
        at = len(whole.partition(".")[0]) - 4
        fields = [whole[:at], whole[at : at + 2], whole[at + 2 :]]
    try:
        numbers = [float(f) for f in fields]
    except ValueError:
        raise _fault(f"{text!r} is not an angle", "write degrees:minutes:seconds") from None
    if len(numbers) > 3 or not all(f.isdigit() for f in fields[:-1]):
        raise _fault(f"{text!r} is not an angle", "write degrees:minutes:seconds")
    for name, value in zip(("minutes", "seconds"), numbers[1:], strict=False):
        if value >= 60:
            raise _fault(f"{text!r} has {value:g} {name}", "they must be below 60")
    value = sum(n / unit for n, unit in zip(numbers, (1.0, 60.0, 3600.0), strict=False))
    if value > most:
        raise _fault(f"{text!r} is more than {most} degrees", "check the position")
    return value


@dataclass
class _Airspace:
    """One airspace while its records come in."""

    line: int
    kind: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    limits: dict[str, Limit] = field(default_factory=dict)
    limits_line: int = 0
    parts: list[Part] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    center: tuple[float, float] | None = None
    clockwise: bool = True
    broken: bool = False


class _Reader:
    def __init__(self, file: str) -> None:
        self.file = file
        self.placed: list[Placed] = []
        self.faults: list[Fault] = []
        self.space: _Airspace | None = None
        self.taken: set[str] = set()
        self.records: dict[str, Callable[[_Airspace, str], None]] = {
            "AH": self._limit("AH"),
            "AL": self._limit("AL"),
            "V": self._variable,
            "DP": self._point,
            "DA": self._arc_by_angles,
            "DB": self._arc_by_points,
            "DC": self._circle,
        }
        self.number = 0

    def fault(self, message: str, field: str | None = None, remedy: str | None = None) -> None:
        self.faults.append(Fault(message, self.file, self.number, field, remedy))
        if self.space:
            self.space.broken = True

    def take(self, number: int, line: str) -> None:
        self.number = number
        if len(line) > MAX_LINE:
            self.fault(f"a line of {len(line)} characters", remedy="this is not OpenAir")
            return
        line = line.partition("*")[0].strip()
        if not line:
            return
        match = _RECORD.fullmatch(line)
        key, rest = (match[1], match[2] or "") if match else (line.split()[0][:20], "")
        if key == "AC":
            self.finish()
            self.number = number
            self.space = _Airspace(number, kind=rest.upper())
            if not rest:
                self.fault("AC without a class", "AC", "write for instance AC R")
        elif self.space is None:
            self.space = _Airspace(number)
            self.fault(f"{key} before any AC", key, "begin each airspace with AC and its class")
        else:
            self._record(self.space, key, rest)

    def _record(self, space: _Airspace, key: str, rest: str) -> None:
        if key in self.records:
            try:
                self.records[key](space, rest)
            except ZoneError as error:
                for f in error.faults:
                    self.fault(f"{key}: {f.message}", key, f.remedy)
        elif key in ("AN", "AI", "AY", "AA"):
            if key in space.texts:
                self.fault(f"a second {key} in one airspace", key, "begin a new airspace with AC")
            space.texts[key] = rest
        elif key == "DY":
            self.fault("an airway (DY) has no inside", key, "leave it out")
        elif key not in _IGNORED:
            self.fault(f"{key!r} is not an OpenAir record", remedy="begin comments with *")

    def _limit(self, key: str) -> Callable[[_Airspace, str], None]:
        def take(space: _Airspace, rest: str) -> None:
            if key in space.limits:
                raise _fault(f"a second {key} in one airspace", "begin a new airspace with AC")
            space.limits[key] = SFC  # stands in if the text is faulty
            space.limits_line = self.number
            space.limits[key] = parse_limit(rest, unit="FT")

        return take

    def _variable(self, space: _Airspace, rest: str) -> None:
        name, equals, value = (part.strip() for part in rest.partition("="))
        if name == "X" and equals:
            space.center = read_position(value)
        elif name == "D" and value in ("+", "-"):
            space.clockwise = value == "+"
        elif name not in ("W", "Z", "T"):
            raise _fault(f"{rest!r} sets nothing that is known", "write V X=position or V D=+ or -")

    def _point(self, space: _Airspace, rest: str) -> None:
        lat, lon = read_position(rest)
        if space.parts and _end(space.parts[-1]) == (lat, lon):
            return
        self._add(space, Vertex(lat, lon))

    def _add(self, space: _Airspace, part: Part) -> None:
        if isinstance(part, Arc) and space.parts:
            before, start = space.parts[-1], (part.start_lat_deg, part.start_lon_deg)
            if isinstance(before, Vertex) and _end(before) == start:
                space.parts.pop()
                space.lines.pop()
        space.parts.append(part)
        space.lines.append(self.number)

    def _center(self, space: _Airspace) -> tuple[float, float]:
        if space.center is None:
            raise _fault("no centre is set", "write V X=position before it")
        return space.center

    def _arc_by_angles(self, space: _Airspace, rest: str) -> None:
        radius_nm, start_deg, end_deg = _numbers(rest, 3, "radius, start angle, end angle")
        center, radius_m = self._center(space), _radius_m(radius_nm)
        start, end = (direct(*center, az, radius_m) for az in (start_deg, end_deg))
        self._add(space, Arc(*center, *start, *end, space.clockwise))

    def _arc_by_points(self, space: _Airspace, rest: str) -> None:
        start, comma, end = rest.partition(",")
        if not comma:
            raise _fault(f"{rest!r} is not two positions", "separate them by a comma")
        points = read_position(start), read_position(end)
        self._add(space, Arc(*self._center(space), *points[0], *points[1], space.clockwise))

    def _circle(self, space: _Airspace, rest: str) -> None:
        (radius_nm,) = _numbers(rest, 1, "a radius in nautical miles")
        if space.parts:
            raise _fault("a circle after other points", "begin a new airspace with AC")
        self._add(space, Circle(*self._center(space), _radius_m(radius_nm)))

    def finish(self) -> None:
        """Close the airspace whose records have come in."""
        space, self.space = self.space, None
        if space is None:
            return
        self.number = space.line
        name = space.texts.get("AN", "")
        if not space.broken:
            missing = [k for k in ("AN", "AL", "AH") if not (space.texts | space.limits).get(k)]
            for key in missing:
                self.fault(f"an airspace without {key}", key)
            if missing:
                return
        if not space.broken:
            self._close(space, name)

    def _close(self, space: _Airspace, name: str) -> None:
        if len(space.parts) > 1:
            first, last = _begin(space.parts[0]), _end(space.parts[-1])
            if first == last and isinstance(space.parts[-1], Vertex):
                space.parts.pop()
            elif len(space.parts) > 2 and (apart_m := _apart_m(first, last)) > _CLOSED_M:
                self.number = space.lines[-1]
                self.fault(
                    f"airspace {name!r} ends {apart_m / 1e3:.2f} km from where it starts (line "
                    f"{space.lines[0]})",
                    "DP",
                    "repeat the first point at the end",
                )
        try:
            valid_from, valid_to = _active(space.texts.get("AA", ""))
            zone = Zone(
                zone_id=space.texts.get("AI") or numbered_id(name, self.taken),
                name=name,
                rings=(Ring(tuple(space.parts)),) if space.parts else (),
                kind=_kind(space),
                floor=space.limits["AL"],
                ceiling=space.limits["AH"],
                valid_from=valid_from,
                valid_to=valid_to,
                source=f"OpenAir file {Path(self.file).name}",
            )
        except ZoneError as error:
            for f in error.faults:
                self.fault(f.message, f.field, f.remedy)
            return
        lines = space.lines

        def locate(ring: int | None, part: int | None) -> int | None:
            if part is not None:
                return lines[part]
            return space.limits_line if ring is None and lines else space.line

        self.placed.append((zone, locate))


def _kind(space: _Airspace) -> str:
    told = space.texts.get("AY", "").upper()
    told = space.kind if told in ("", "NONE", "UNC") else told
    return _KINDS.get(told, told.lower() or "other")


def _active(text: str) -> tuple[datetime | None, datetime | None]:
    """``AA``: one interval of validity, ``start/end``, either of them NONE."""
    if text.upper() in ("", "NONE"):
        return None, None
    start, slash, end = (part.strip() for part in text.partition("/"))
    if "," in text or not slash:
        raise ZoneError(
            Fault(
                f"AA {text!r} is not one interval",
                field="AA",
                remedy="write start/end in UTC, and one airspace for each interval",
            )
        )
    return (
        None if start.upper() == "NONE" else parse_moment(start),
        None if end.upper() == "NONE" else parse_moment(end),
    )


def _numbers(text: str, count: int, what: str) -> list[float]:
    fields = text.replace(",", " ").split()
    try:
        numbers = [float(f) for f in fields]
    except ValueError:
        numbers = []
    if len(numbers) != count:
        raise _fault(f"{text!r} is not {what}", f"write {what}")
    return numbers


def _radius_m(radius_nm: float) -> float:
    if not 0 < radius_nm < 2000:
        raise _fault(f"a radius of {radius_nm:g} NM", "check the number")
    return radius_nm * M_PER_NM


def _begin(part: Part) -> tuple[float, float]:
    if isinstance(part, Arc):
        return part.start_lat_deg, part.start_lon_deg
    return _end(part)


def _end(part: Part) -> tuple[float, float]:
    if isinstance(part, Arc):
        return part.end_lat_deg, part.end_lon_deg
    if isinstance(part, Circle):
        return part.center_lat_deg, part.center_lon_deg
    return part.lat_deg, part.lon_deg


def _apart_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    try:
        return inverse(*a, *b)[0]
    except ValueError:
        return 2e7


def _fault(message: str, remedy: str) -> ZoneError:
    return ZoneError(Fault(message, remedy=remedy))
