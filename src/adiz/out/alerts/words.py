"""Text for people and machines, made of values that came over the air.

Callsigns and the like are whatever somebody transmitted. Characters that steer a terminal, turn
the direction of writing, or cannot stand in XML or UTF-8 are replaced by U+FFFD, so that they
neither act nor go unseen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

MAX_TEXT = 2000
_MAX_DEPTH = 8
_MAX_ITEMS = 1000


def clean(text: object, most: int = MAX_TEXT) -> str:
    r"""One line of printable text, at most ``most`` characters.

    Example:
        >>> clean("KAL\x1b[2J 1\n2")
        'KAL\ufffd[2J 1 2'
    """
    line = str(text)
    if len(line) > most:
        line = line[: most - 1] + "…"
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in line)


def plain(value: Any, depth: int = 0) -> Any:
    """A value as JSON can carry it: texts cleaned, figures that are none as null, depth bounded."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping) and depth < _MAX_DEPTH:
        items = list(value.items())[:_MAX_ITEMS]
        return {clean(key, 200): plain(item, depth + 1) for key, item in items}
    if isinstance(value, list | tuple) and depth < _MAX_DEPTH:
        return [plain(item, depth + 1) for item in value[:_MAX_ITEMS]]
    return clean(value)
