"""What the items of one ASTERIX record say, in the product's units.

One function a category. Numbers of items, scales and codes: EUROCONTROL-SPEC-0149 parts 4 (CAT
048), 9 (CAT 062) and 12 (CAT 021). A code or level that the sensor marks as garbled or not
validated is missing. Directions of CAT 048 are counted from the north of the radar and those of
CAT 062 from the north of the tracker's grid, as the sensors give them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from adiz import units
from adiz.sources.asterix_items import (
    ACCURACIES,
    AIRCRAFT_DERIVED,
    FLIGHT_PLAN,
    DamageError,
    Items,
    subfields,
)
from adiz.sources.readsb import NACP_ERROR_M

_CHARACTERS = {0: "", 32: " ", **{n: chr(64 + n) for n in range(1, 27)}}
_CHARACTERS |= {n: chr(n) for n in range(48, 58)}
_NM_PER_S = 3600 / 2**14
"""Knots in the unit of ground speeds of CAT 021 and 048."""
_TURN = 360 / 2**16
_WGS84 = 180 / 2**25
_BOUND_95 = math.sqrt(-2 * math.log(0.05))
"""Radius that holds 95 % of a circular normal distribution, in standard deviations."""


@dataclass(slots=True)
class Sighting:
    """One record: what goes into the report, and what says whose and when it is.

    Attributes:
        row: columns of the reports table.
        sensor: SAC and SIC.
        number: of the sensor's track.
        address: 24 bits, 0 where there is none.
        real_address: it is an ICAO address.
        day_s: seconds since midnight UTC.
        polar: slant range (m) and bearing (degrees), where the position is measured so.
        height_m: for the correction of the slant range.
        begins, ends: the sensor says that its track begins, or ends, here.
        fault: why this is no report.
    """

    sensor: tuple[int, int]
    row: dict[str, Any] = field(default_factory=dict)
    number: int | None = None
    address: int = 0
    real_address: bool = True
    day_s: float | None = None
    polar: tuple[float, float] | None = None
    height_m: float | None = None
    begins: bool = False
    ends: bool = False
    fault: str | None = None


def sighting(category: int, items: Items) -> Sighting:
    """The meaning of a record of category 21, 48 or 62.

    Raises:
        DamageError: it does not say which sensor it is from, or a compound item is no such.
    """
    if "010" not in items:
        raise DamageError("a record without its sensor")
    seen = Sighting((items["010"][0], items["010"][1]))
    _BY_CATEGORY[category](items, seen)
    return seen


def _ads_b(items: Items, seen: Sighting) -> None:
    row = seen.row
    descriptor = items.get("040", b"\x00")
    more = descriptor[1] if len(descriptor) > 1 else 0
    seen.real_address = descriptor[0] >> 5 == 0
    seen.fault = _not_an_aircraft(bool(more & 0x20), bool(more & 0x10), bool(descriptor[0] & 2))
    row["on_ground"] = bool(more & 0x40) if len(descriptor) > 1 else None
    seen.address = _unsigned(items.get("080", b""))
    seen.number = _track_number(items.get("161"))
    seen.day_s = _ads_b_time(items)
    if "131" in items:
        row["lat_deg"], row["lon_deg"] = _pair(items["131"], 180 / 2**30)
    elif "130" in items:
        row["lat_deg"], row["lon_deg"] = _pair(items["130"], 180 / 2**23)
    row["alt_geom_ft"] = _scaled(items.get("140"), 6.25)
    row["alt_baro_ft"] = _scaled(items.get("145"), units.FT_PER_FL / 4)
    for item in ("157", "155"):
        if item in items and not items[item][0] & 0x80:
            row["vrate_fpm"] = _signed(items[item], 15) * 6.25
    vector = items.get("160")
    if vector and not vector[0] & 0x80:
        row["gs_kt"] = _unsigned(vector[:2]) * _NM_PER_S
        row["track_true_deg"] = _unsigned(vector[2:]) * _TURN
    row["callsign"] = _characters(items.get("170"))
    row["squawk"] = f"{_unsigned(items['070']) & 0xFFF:04o}" if "070" in items else None
    quality = items.get("090", b"")
    if len(quality) > 1:
        row["position_error_m"] = NACP_ERROR_M.get(quality[1] >> 1 & 15)


def _ads_b_time(items: Items) -> float | None:
    """The best time that there is of the position: of validity, of reception, of transmission."""
    if "071" in items:
        return _unsigned(items["071"]) / 128
    if "073" not in items:
        return _scaled_unsigned(items.get("077"), 1 / 128)
    received = _unsigned(items["073"]) / 128
    if "074" not in items:
        return received
    precise = _unsigned(items["074"])
    carry = {1: 1, 2: -1}.get(precise >> 30, 0)
    return math.floor(received) + carry + (precise & 0x3FFFFFFF) / 2**30


def _radar(items: Items, seen: Sighting) -> None:
    row = seen.row
    descriptor = items.get("020", b"\x00")
    status = items.get("170", b"")
    more = descriptor[1] if len(descriptor) > 1 else 0
    extent = status[1] if len(status) > 1 else 0
    seen.fault = _not_an_aircraft(
        bool(descriptor[0] & 16), bool(more & 128), bool(descriptor[0] & 2)
    )
    if extent & 0x40:
        seen.fault = "a ghost, says the sensor"
    seen.ends = bool(extent & 0x80)
    seen.address = _unsigned(items.get("220", b""))
    seen.number = _track_number(items.get("161"))
    seen.day_s = _scaled_unsigned(items.get("140"), 1 / 128)
    row["squawk"] = _mode_a(items.get("070"))
    row["callsign"] = _characters(items.get("240"))
    level = items.get("090")
    if level and not level[0] & 0xC0:
        row["alt_baro_ft"] = _signed(level, 14) * units.FT_PER_FL / 4
        seen.height_m = row["alt_baro_ft"] * units.M_PER_FT
    elif "110" in items:
        seen.height_m = _signed(items["110"], 14) * 25 * units.M_PER_FT
    if "040" in items:
        seen.polar = (
            _unsigned(items["040"][:2]) * units.M_PER_NM / 256,
            _unsigned(items["040"][2:]) * _TURN,
        )
    vector = items.get("200")
    if vector:
        row["gs_kt"] = _unsigned(vector[:2]) * _NM_PER_S
        row["track_true_deg"] = _unsigned(vector[2:]) * _TURN
    if "230" in items:
        row["on_ground"] = _on_ground(items["230"])


def _tracker(items: Items, seen: Sighting) -> None:
    row = seen.row
    status = items.get("080", b"")
    extent = status[1] if len(status) > 1 else 0
    seen.fault = _not_an_aircraft(bool(extent & 0x80), False, False)
    seen.ends, seen.begins = bool(extent & 0x40), bool(extent & 0x20)
    seen.number = _track_number(items.get("040"), 0xFFFF)
    seen.day_s = _scaled_unsigned(items.get("070"), 1 / 128)
    if "105" in items:
        row["lat_deg"], row["lon_deg"] = _pair(items["105"], _WGS84)
    if "185" in items:
        east, north = _pair(items["185"], 0.25)
        row["gs_kt"] = math.hypot(east, north) * units.KT_PER_MPS
        row["track_true_deg"] = math.degrees(math.atan2(east, north)) % 360
    row["squawk"] = _mode_a(items.get("060"))
    row["alt_geom_ft"] = _scaled(items.get("130"), 6.25)
    row["alt_baro_ft"] = _scaled(items.get("136"), units.FT_PER_FL / 4)
    calculated = items.get("135")
    if row["alt_baro_ft"] is None and calculated and not calculated[0] & 0x80:
        row["alt_baro_ft"] = _signed(calculated, 15) * units.FT_PER_FL / 4
    row["vrate_fpm"] = _scaled(items.get("220"), 6.25)
    derived = subfields(AIRCRAFT_DERIVED, items["380"]) if "380" in items else {}
    seen.address = _unsigned(derived.get(1, b""))
    row["callsign"] = _characters(derived.get(2)) or _characters(items.get("245", b"")[1:])
    if 10 in derived:
        row["on_ground"] = _on_ground(derived[10])
    plan = subfields(FLIGHT_PLAN, items["390"]) if "390" in items else {}
    row["type_code"] = _word(plan.get(5, b""))
    row["callsign"] = row["callsign"] or _word(plan.get(2, b""))
    if "500" in items:
        row["position_error_m"] = _tracker_error(subfields(ACCURACIES, items["500"]))


def _tracker_error(accuracies: dict[int, bytes]) -> float | None:
    """95 % bound from the standard deviations along two axes."""
    if 1 in accuracies:
        first, second = accuracies[1][:2], accuracies[1][2:]
        deviation = math.hypot(_unsigned(first), _unsigned(second)) * 0.5
        return deviation / math.sqrt(2) * _BOUND_95
    return None


_BY_CATEGORY = {21: _ads_b, 48: _radar, 62: _tracker}
CATEGORIES = frozenset(_BY_CATEGORY)
"""Those that hold reports."""


def _not_an_aircraft(simulated: bool, test: bool, monitor: bool) -> str | None:
    if simulated:
        return "a simulated target"
    if test:
        return "a test target"
    return "a fixed transponder" if monitor else None


def _on_ground(item: bytes) -> bool | None:
    """From the flight status: codes 0 and 2 are airborne, 1 and 3 on the ground."""
    status = item[0] >> 2 & 7
    return bool(status & 1) if status < 4 else None


def _mode_a(item: bytes | None) -> str | None:
    return f"{_unsigned(item) & 0xFFF:04o}" if item and not item[0] & 0xC0 else None


def _track_number(item: bytes | None, mask: int = 0xFFF) -> int | None:
    return None if item is None else _unsigned(item) & mask


def _characters(item: bytes | None) -> str | None:
    """Characters of six bits each, as in ICAO Annex 10 volume IV; None where one is none."""
    if not item:
        return None
    bits, count = _unsigned(item), len(item) * 8 // 6
    codes = [bits >> 6 * place & 63 for place in reversed(range(count))]
    if any(code not in _CHARACTERS for code in codes):
        return None
    return "".join(_CHARACTERS[code] for code in codes).strip() or None


def _word(item: bytes) -> str | None:
    """Letters and digits of eight bits each, padded with blanks; None where one is none."""
    text = item.decode("ascii", "replace").strip()
    return text if text.isalnum() else None


def _pair(item: bytes, unit: float) -> tuple[float, float]:
    half = len(item) // 2
    return _signed(item[:half]) * unit, _signed(item[half:]) * unit


def _scaled(item: bytes | None, unit: float) -> float | None:
    return None if item is None else _signed(item) * unit


def _scaled_unsigned(item: bytes | None, unit: float) -> float | None:
    return None if item is None else _unsigned(item) * unit


def _unsigned(item: bytes) -> int:
    return int.from_bytes(item, "big")


def _signed(item: bytes, bits: int = 0) -> int:
    """Two's complement of the lowest ``bits``, by default of all."""
    bits = bits or 8 * len(item)
    value = _unsigned(item) & (1 << bits) - 1
    return value - (1 << bits) if value >> bits - 1 else value
