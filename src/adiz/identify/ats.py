"""ICAO ATS messages: FPL, CHG, DLA, CNL, DEP and ARR, as in ICAO Doc 4444 appendix 3.

A file holds any number of messages, each in round brackets, bare or inside AFTN envelopes
(``ZCZC``, priority, addresses, ``DDHHMM`` and originator, the message, ``NNNN``). The filing time
of the envelope is kept: lead times are counted from it.

A message that breaks the format is set aside with a fault that names its place, and the rest are
read: a plan that a flight-plan office would have rejected is not a plan. Nothing here raises on
bad content.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from adiz.errors import Fault
from adiz.tracks.user_csv import read_text

KINDS = ("FPL", "CHG", "DLA", "CNL", "DEP", "ARR")

INDICATORS = (
    *("STS", "PBN", "NAV", "COM", "DAT", "SUR", "DEP", "DEST", "DOF", "REG", "EET", "SEL", "TYP"),
    *("CODE", "DLE", "OPR", "ORGN", "PER", "ALTN", "RALT", "TALT", "RIF", "RMK", "EUR", "IFP"),
    *("RFP", "AWR", "SRC", "RVR"),
)
"""What may begin an entry of item 18."""

_START = re.compile(r"\(([A-Z]{3})([A-Z0-9/]*)-")
_FILED = re.compile(r"(?m)^[ \t]*(\d{6})[ \t]+[A-Z]{8}\b")
_OTHER = re.compile(r"(?:^|(?<=\s))(" + "|".join(INDICATORS) + r")/")
_ITEM_19 = re.compile(r"\s*-\s*(?=[EPRSJDAC]/)")
_SPEED_LEVEL = re.compile(r"(N\d{4}|K\d{4}|M\d{3})(F\d{3}|A\d{3}|S\d{4}|M\d{4}|VFR)")
_CLOCK = r"(?:[01]\d|2[0-3])[0-5]\d"


@dataclass(slots=True)
class AtsMessage:
    """One message. Fields it does not have are "" or empty; times are ``HHMM`` as sent.

    Attributes:
        kind: one of :data:`KINDS`.
        file, line: where its bracket opens.
        filed: ``DDHHMM`` of the AFTN envelope, "" without one.
        callsign: item 7; ``squawk`` the code beside it.
        rules, flight_type: item 8; type ``M`` is a military or other state aircraft.
        count, type_code, wake: item 9.
        equipment, surveillance: item 10 a and b.
        departure, departure_time: item 13 (``AFIL`` and ``ZZZZ`` as sent).
        speed, level, route: item 15.
        destination, eet, alternates: item 16, the elapsed time as ``HHMM``.
        arrival, arrival_time, arrival_place: item 17.
        other: item 18 by indicator; a repeated indicator joins with a blank.
        changes: of a CHG, the new text of each item by its number.
    """

    kind: str
    file: str
    line: int
    filed: str = ""
    callsign: str = ""
    squawk: str = ""
    rules: str = ""
    flight_type: str = ""
    count: int = 1
    type_code: str = ""
    wake: str = ""
    equipment: str = ""
    surveillance: str = ""
    departure: str = ""
    departure_time: str = ""
    speed: str = ""
    level: str = ""
    route: str = ""
    destination: str = ""
    eet: str = ""
    alternates: tuple[str, ...] = ()
    arrival: str = ""
    arrival_time: str = ""
    arrival_place: str = ""
    other: dict[str, str] = field(default_factory=dict)
    changes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AtsFile:
    """The messages of a file in its order, and the faults of those set aside."""

    messages: tuple[AtsMessage, ...]
    faults: tuple[Fault, ...]


class _BadItemError(Exception):
    def __init__(self, item: str, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.item, self.remedy = item, remedy


def read_ats(path: str | Path) -> AtsFile:
    """Read a file of ATS messages.

    Raises:
        FaultyInputError: the file itself cannot be opened. Bad messages are in ``faults``.

    Example:
        >>> found = read_ats("plans.txt")  # doctest: +SKIP
        >>> [m.callsign for m in found.messages]  # doctest: +SKIP
        ['DAL18', 'QFA8']
    """
    return parse_ats(read_text(Path(path)), str(path))


def parse_ats(text: str, file: str = "") -> AtsFile:
    """The messages of a text; ``file`` names it in faults."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").upper()
    starts = list(_START.finditer(text))
    messages, faults = [], []
    before, line, counted = 0, 1, 0
    for start, following in zip(starts, [*starts[1:], None], strict=False):
        line += text.count("\n", counted, start.start())
        counted = start.start()
        region = text[start.end() : following.start() if following else len(text)]
        closings = [m.start() for m in re.finditer(r"\)(?=\s*(?:\n|$))", region)]
        filed = [m.group(1) for m in _FILED.finditer(text, before, start.start())]
        before = start.end()
        if start.group(1) not in KINDS:
            message = f"message type {start.group(1)} is not one of {', '.join(KINDS)}"
            faults.append(Fault(message, file, line, "3"))
            continue
        if not closings:
            faults.append(Fault("message has no closing bracket", file, line, "3"))
            continue
        found = AtsMessage(start.group(1), file, line, filed[-1] if filed else "")
        try:
            _parse_items(found, region[: closings[0]])
            messages.append(found)
        except _BadItemError as bad:
            at = line + _lines_before(region, bad.item, found.kind)
            faults.append(
                Fault(
                    f"{found.kind} {found.callsign}".rstrip() + f": {bad}",
                    file,
                    at,
                    bad.item,
                    bad.remedy,
                )
            )
    if not starts:
        faults.append(Fault("holds no ATS message", file, remedy="a message begins '(FPL-'"))
    return AtsFile(tuple(messages), tuple(faults))


_ORDER = {"FPL": ("7", "8", "9", "10", "13", "15", "16", "18")}


def _lines_before(region: str, item: str, kind: str) -> int:
    """Lines between the opening of a message and one of its items, which hyphens separate."""
    order = _ORDER.get(kind, ("7", "13", "16", "18"))
    offset = 0
    for _ in range(order.index(item) if item in order else 0):
        offset = region.find("-", offset) + 1
    return region.count("\n", 0, offset)


def _parse_items(message: AtsMessage, body: str) -> None:
    if message.kind == "FPL":
        items = [" ".join(item.split()) for item in body.split("-", 7)]
        if len(items) == 7:
            items.append("0")  # item 18 left out: some offices accept it
        if len(items) < 7:
            named = re.match(r"[A-Z0-9]{1,7}(?=/|$)", items[0])
            message.callsign = named.group() if named else ""
            names = _ORDER["FPL"][len(items) :]
            raise _BadItemError(names[0], f"items {', '.join(names)} are missing")
        _item_7(message, items[0])
        _item_8(message, items[1])
        _item_9(message, items[2])
        _item_10(message, items[3])
        _item_13(message, items[4])
        _item_15(message, items[5])
        _item_16(message, items[6])
        _item_18(message, _ITEM_19.split(items[7])[0])
        return
    items = [" ".join(item.split()) for item in body.split("-")]
    if len(items) < 3:
        raise _BadItemError("13", f"has {len(items)} items, needs departure and destination")
    _item_7(message, items[0])
    _item_13(message, items[1], time_needed=message.kind in ("DLA", "DEP"))
    if message.kind == "ARR":
        _item_17(message, items[-1])
        if len(items) > 3:
            _item_16(message, items[2])
        return
    _item_16(message, items[2])
    _item_18(message, items[3] if len(items) > 3 else "0")
    if message.kind == "CHG":
        _item_22(message, items[4:])


def _need(pattern: str, text: str, item: str, message: str, remedy: str = "") -> re.Match[str]:
    match = re.fullmatch(pattern, text)
    if match is None:
        shown = text if len(text) <= 40 else text[:37] + "…"
        raise _BadItemError(item, message.format(repr(shown)), remedy)
    return match


def _item_7(message: AtsMessage, text: str) -> None:
    match = _need(
        r"([A-Z0-9]{1,7})(?:/[AC]([0-7]{4}))?", text, "7", "{} is no aircraft identification",
        "at most seven letters and digits, then perhaps /A and a code",
    )  # fmt: skip
    message.callsign, message.squawk = match.group(1), match.group(2) or ""


def _item_8(message: AtsMessage, text: str) -> None:
    match = _need(r"([IVYZ])([SNGMX]?)", text, "8", "{} is no flight rules and type")
    message.rules, message.flight_type = match.groups()


def _item_9(message: AtsMessage, text: str) -> None:
    match = _need(
        r"(\d{1,2})?([A-Z][A-Z0-9]{1,3})/([LMHJ])", text, "9", "{} is no type of aircraft",
        "write number, type and wake category, as in 2F15/M",
    )  # fmt: skip
    message.count = int(match.group(1) or 1)
    message.type_code, message.wake = match.group(2), match.group(3)


def _item_10(message: AtsMessage, text: str) -> None:
    match = _need(r"([A-Z0-9]+) ?/ ?([A-Z0-9]+)", text, "10", "{} is no equipment")
    message.equipment, message.surveillance = match.groups()


def _item_13(message: AtsMessage, text: str, time_needed: bool = True) -> None:
    clock = f"({_CLOCK})" + ("" if time_needed else "?")
    match = _need(
        rf"([A-Z]{{4}}){clock}", text, "13", "{} is no departure and time",
        "write a location indicator and a time from 0000 to 2359, as in KDTW0314",
    )  # fmt: skip
    message.departure, message.departure_time = match.group(1), match.group(2) or ""


def _item_15(message: AtsMessage, text: str) -> None:
    group, _, route = text.partition(" ")
    match = _SPEED_LEVEL.fullmatch(group)
    if match is None:
        if re.fullmatch(r"\d{4}[FASMV].*", group):
            problem = f"cruising speed {group[:4]} of {group!r} lacks its unit"
        else:
            problem = f"{group[:40]!r} is no cruising speed and level"
        raise _BadItemError("15", problem, "write N (knots), K (km/h) or M (Mach), as in N0454F330")
    message.speed, message.level = match.groups()
    message.route = route


def _item_16(message: AtsMessage, text: str) -> None:
    eet = r"(\d{2}[0-5]\d)" if message.kind == "FPL" else r"(\d{2}[0-5]\d)?"
    match = _need(
        rf"([A-Z]{{4}}){eet}((?: [A-Z]{{4}}){{0,2}})", text, "16",
        "{} is no destination and elapsed time",
        "write a location indicator, hours and minutes, and up to two alternates",
    )  # fmt: skip
    message.destination, message.eet = match.group(1), match.group(2) or ""
    message.alternates = tuple(match.group(3).split())


def _item_17(message: AtsMessage, text: str) -> None:
    match = _need(rf"([A-Z]{{4}})({_CLOCK})(?: (.*))?", text, "17", "{} is no arrival and time")
    message.arrival, message.arrival_time = match.group(1), match.group(2)
    message.arrival_place = match.group(3) or ""


def _item_18(message: AtsMessage, text: str) -> None:
    marks = list(_OTHER.finditer(text))
    if text not in ("0", "") and (not marks or marks[0].start() > 0):
        raise _BadItemError(
            "18", f"{text[:40]!r} begins with no known indicator", "write 0 where there is nothing"
        )
    for mark, following in zip(marks, [*marks[1:], None], strict=False):
        value = text[mark.end() : following.start() if following else len(text)].strip()
        known = message.other.get(mark.group(1))
        message.other[mark.group(1)] = f"{known} {value}" if known else value
    if "DOF" in message.other and day_of_flight(message) is None:
        dof = message.other["DOF"][:20]
        raise _BadItemError("18", f"DOF/{dof} is no date", "write YYMMDD")
    if "CODE" in message.other:
        _need("[0-9A-F]{6}", message.other["CODE"], "18", "CODE/{} is no 24-bit address")


def day_of_flight(message: AtsMessage) -> datetime | None:
    """Midnight UTC that begins the day of DOF; years 70 to 99 are of the last century."""
    dof = message.other.get("DOF", "")
    if not re.fullmatch("[0-9]{6}", dof):
        return None
    century = 2000 if int(dof[:2]) < 70 else 1900
    try:
        return datetime(century + int(dof[:2]), int(dof[2:4]), int(dof[4:]), tzinfo=UTC)
    except ValueError:
        return None


_ITEMS = {"7": _item_7, "8": _item_8, "9": _item_9, "10": _item_10, "13": _item_13, "15": _item_15,
          "16": _item_16, "18": _item_18}  # fmt: skip


def _item_22(message: AtsMessage, texts: list[str]) -> None:
    for text in texts:
        match = _need(r"(\d{1,2})/(.*)", text, "22", "{} is no amendment", "write as in 8/IM")
        number = match.group(1)
        if number not in _ITEMS:
            raise _BadItemError("22", f"item {number} cannot be amended")
        message.changes[number] = match.group(2)
        amended = AtsMessage("FPL", message.file, message.line, callsign=message.callsign)
        _ITEMS[number](amended, match.group(2))


def amend(plan: AtsMessage, change: AtsMessage) -> None:
    """Apply a CHG, which was found good when it was read, to the FPL it amends."""
    for number, text in change.changes.items():
        if number == "18":
            plan.other = {}
        _ITEMS[number](plan, text)
