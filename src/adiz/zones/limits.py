"""Floors and ceilings as people write them: ``FL195``, ``4500 ft AMSL``, ``SFC``, ``UNL``.

OpenAir, AIXM, KML and GeoJSON files all say the same few things in different spellings; this is
the one place that reads them. A height with no unit is not guessed at, except where a format
says what it means (OpenAir: feet).
"""

from __future__ import annotations

import math
import re

from adiz.errors import Fault, ZoneError
from adiz.units import FT_PER_FL, M_PER_FT
from adiz.zones.model import SFC, UNL, Limit, Reference

_WORDS = {
    **dict.fromkeys(("SFC", "GND", "GROUND", "SURFACE", "MSL", "SEA", "FLOOR"), SFC),
    **dict.fromkeys(("UNL", "UNLIM", "UNLTD", "UNLIMITED", "CEILING"), UNL),
}
_REFERENCES: dict[str, Reference] = {
    **dict.fromkeys(("", "AMSL", "MSL", "ALT", "QNH", "W84", "WGS84"), "AMSL"),
    **dict.fromkeys(("AGL", "SFC", "GND", "ASFC", "AAL"), "AGL"),
    **dict.fromkeys(("STD", "1013"), "FL"),
}
_LEVEL = r"(?:FL|F)\s*(\d{1,3}(?:\.\d+)?)"
_HEIGHT = r"([+-]?\d+(?:\.\d+)?)\s*(FEET|FT|F|'|METRES|METERS|MTS|M(?!SL))?\.?\s*([A-Z0-9]*)"
# Compiled by `re` when first needed: the catalogue's SFC and UNL never get that far.
_HIGHEST_FT = 328_084.0
"""100 km: above it the number is a slip of the pen or of the unit."""


def parse_limit(text: str, *, unit: str = "") -> Limit:
    """Read a floor or ceiling.

    Args:
        text: as written, in any case.
        unit: what a bare number means, ``FT`` or ``M``; "" refuses it.

    Raises:
        ZoneError: the text is not a height; the fault says what is missing.
    """
    plain = " ".join(str(text).upper().replace(",", "").split())
    if plain in _WORDS:
        return _WORDS[plain]
    if level := re.fullmatch(_LEVEL, plain):
        return make_limit(float(level[1]) * FT_PER_FL, "FL")
    if plain.startswith("FL"):
        raise _fault(f"{text!r} is a flight level without its number", "write FL195")
    height = re.fullmatch(_HEIGHT, plain)
    if not height or height[3] not in _REFERENCES:
        raise _fault(f"{text!r} is not a height", "write FL195, 4500 ft AMSL, SFC or UNL")
    written = (height[2] or unit)[:1]
    if float(height[1]) == 0 and not height[3]:
        return SFC
    if not written:
        raise _fault(f"{text!r} has no unit", f"write {height[1]} ft AMSL or {height[1]} m AMSL")
    value_ft = float(height[1]) / (M_PER_FT if written == "M" else 1.0)
    return make_limit(value_ft, _REFERENCES[height[3]])


def make_limit(value_ft: float, reference: Reference) -> Limit:
    """A limit with its plain form: nothing above ground is the surface.

    Raises:
        ZoneError: the height is absurd.
    """
    if not math.isfinite(value_ft) or not -2000.0 <= value_ft <= _HIGHEST_FT:
        raise _fault(f"a height of {value_ft:g} ft", "check the number and its unit")
    if reference == "SFC" or (reference == "AGL" and value_ft == 0):
        return SFC
    if reference == "UNL":
        return UNL
    return Limit(reference, value_ft)


def show_limit(limit: Limit) -> str | dict[str, object]:
    """The limit as text, or, where the text would lose digits, as its two values."""
    text = str(limit)
    try:
        if parse_limit(text) == limit:
            return text
    except ZoneError:
        pass
    return {"reference": limit.reference, "value_ft": limit.value_ft}


def above(floor: Limit, ceiling: Limit) -> bool:
    """Whether a floor is certainly above its ceiling.

    A flight level and a height differ with the day's pressure, by no more than about 3,000 ft,
    and the ground is nowhere more than 1,500 ft below the sea.
    """
    if floor.reference == "UNL" or ceiling.reference == "SFC":
        return True
    if floor.reference == "SFC" or ceiling.reference == "UNL":
        return False
    if floor.reference == ceiling.reference:
        return floor.value_ft > ceiling.value_ft
    return ceiling.reference != "AGL" and floor.value_ft > ceiling.value_ft + 4500.0


def _fault(message: str, remedy: str) -> ZoneError:
    return ZoneError(Fault(message, remedy=remedy))
