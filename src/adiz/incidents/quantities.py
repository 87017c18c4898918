"""Numbers and directions as sources give them, read into intervals.

A measure is as good as its last digit: ``12`` km is 11.5 to 12.5 km, ``12.0`` is 11.95 to 12.05.
A count is exact. ``~`` (about) widens either by a tenth, and by at least one of its last digit.
``12..13`` is from 12 to 13; ``>25`` more than 25, ``<25`` less.

A direction in words is wide, because its source says no more: ``E`` is the quarter about east,
``NE`` the eighth about north-east, ``ENE`` a sixteenth. ``SE..S`` runs clockwise over both;
``055..100`` is in degrees; ``180`` alone is the degree itself.
"""

from __future__ import annotations

import math
import re

from adiz.incidents.model import Quantity, Sector

_NUMBER = r"\d{1,12}(?:\.\d{1,9})?"
_QUANTITY = re.compile(rf"(?P<mark>[~<>]?)\s*(?P<low>{_NUMBER})(?:\s*\.\.\s*(?P<high>{_NUMBER}))?")
_POINTS = [
    *("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE"),
    *("S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW"),
]
_HALF_WIDTH_DEG = {1: 45.0, 2: 22.5, 3: 11.25}


def parse_quantity(
    raw: str | int | float, unit: str = "", *, count: bool = False, factor: float = 1.0
) -> Quantity:
    """Read a quantity.

    Args:
        raw: the text, or a bare number.
        unit: of the result.
        count: a count is exact; a measure is good to its last digit.
        factor: multiplies the numbers, to bring them to ``unit``.

    Raises:
        ValueError: it is no quantity, or its bounds are the wrong way round.

    Example:
        >>> parse_quantity("12", "km").low, parse_quantity("~80", count=True).high
        (11.5, 88.0)
    """
    text = f"{raw}" if not isinstance(raw, str) else raw.strip()
    found = _QUANTITY.fullmatch(text)
    if not found:
        raise ValueError(f"{text[:40]!r} is not a quantity")
    mark, first, second = found["mark"], found["low"], found["high"]
    low, high = float(first), float(second or first)
    digit = 10.0 ** -len(first.partition(".")[2])
    if second and mark in ("<", ">"):
        raise ValueError(f"{text[:40]!r} is both a bound and a range")
    if high < low:
        raise ValueError(f"{text[:40]!r} has its greater number first")
    if mark == "~":
        low, high = low - max(low * 0.1, digit), high + max(high * 0.1, digit)
    elif mark == ">":
        low, high = low + (digit if count else 0.0), math.inf
    elif mark == "<":
        low, high = 0.0, high - (digit if count else 0.0)
    elif not count and not second:
        low, high = low - digit / 2, high + digit / 2
    return Quantity(max(low, 0.0) * factor, high * factor, unit, text, mark == "~")


def parse_sector(raw: str | int | float) -> Sector:
    """Read a direction; see the module's head.

    Raises:
        ValueError: it is neither a point of the compass nor degrees.

    Example:
        >>> parse_sector("SE..S").from_deg, parse_sector("SE..S").to_deg
        (112.5, 225.0)
    """
    text = f"{raw}" if not isinstance(raw, str) else raw.strip()
    first, dots, second = text.partition("..")
    low, width1 = _direction(first.strip())
    high, width2 = _direction(second.strip()) if dots else (low, width1)
    return Sector((low - width1) % 360.0, (high + width2) % 360.0, text)


def _direction(text: str) -> tuple[float, float]:
    if text.upper() in _POINTS:
        return _POINTS.index(text.upper()) * 22.5, _HALF_WIDTH_DEG[len(text)]
    if re.fullmatch(r"\d{1,3}(?:\.\d{1,6})?", text) and float(text) <= 360.0:
        return float(text), 0.0
    raise ValueError(f"{text[:40]!r} is not a direction")
