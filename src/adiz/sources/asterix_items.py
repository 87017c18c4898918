"""ASTERIX data blocks taken apart into records and items, by table.

A block is a category, a length and records; a record is a field specification (FSPEC) that says
which items of the category's user application profile (UAP) follow. Each item's length follows
from its rule alone, so an item that nobody needs is skipped as surely as one that is read.

Source: EUROCONTROL-SPEC-0149 part 1 (structure), part 2b (CAT 034), part 4 (CAT 048, editions
1.2x and 1.3x), part 9 (CAT 062, editions 1.16 and later), part 12 (CAT 021, editions 2.x). CAT 021
before edition 1.0 has another UAP and is not told apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Parts(NamedTuple):
    """Parts of so many octets; the last bit of each says whether another follows."""

    octets: int = 1


class Repeated(NamedTuple):
    """A count in one octet, and so many groups of so many octets."""

    octets: int


class Compound(NamedTuple):
    """A specification as of a record, and the subfields that it says are there."""

    rules: tuple[Rule, ...]


class Explicit(NamedTuple):
    """A length in one octet, which it counts itself."""


Rule = int | Parts | Repeated | Compound | Explicit
"""An ``int`` is a fixed length in octets; 0 marks a place that the category leaves spare."""

Items = dict[str, bytes]
"""What a record holds: item number, as in I048/010 -> its octets."""


class DamageError(ValueError):
    """Octets that are no ASTERIX; the message is the reason for the rejection."""


_FX = Parts()
_TIS = (_FX, Repeated(15))

_ADS_B = (
    ("010", 2), ("040", _FX), ("161", 2), ("015", 1), ("071", 3), ("130", 6), ("131", 8),
    ("072", 3), ("150", 2), ("151", 2), ("080", 3), ("073", 3), ("074", 4), ("075", 3),
    ("076", 4), ("140", 2), ("090", _FX), ("210", 1), ("070", 2), ("230", 2), ("145", 2),
    ("152", 2), ("200", 1), ("155", 2), ("157", 2), ("160", 4), ("165", 2), ("077", 3),
    ("170", 6), ("020", 1), ("220", Compound((2, 2, 2, 1))), ("146", 2), ("148", 2),
    ("110", Compound(_TIS)), ("016", 1),
    ("008", 1), ("271", _FX), ("132", 1), ("250", Repeated(8)), ("260", 7), ("400", 1),
    ("295", Compound((1,) * 23)),
    ("", 0), ("", 0), ("", 0), ("", 0), ("", 0), ("RE", Explicit()), ("SP", Explicit()),
)  # fmt: skip

_RADAR = (
    ("010", 2), ("140", 3), ("020", _FX), ("040", 4), ("070", 2), ("090", 2),
    ("130", Compound((1,) * 7)),
    ("220", 3), ("240", 6), ("250", Repeated(8)), ("161", 2), ("042", 4), ("200", 4), ("170", _FX),
    ("210", 4), ("030", _FX), ("080", 2), ("100", 4), ("110", 2),
    ("120", Compound((2, Repeated(6)))), ("230", 2),
    ("260", 7), ("055", 1), ("050", 2), ("065", 1), ("060", 2), ("SP", Explicit()),
    ("RE", Explicit()),
)  # fmt: skip

AIRCRAFT_DERIVED = Compound((
    3, 6, 2, 2, 2, 2, 2,
    *_TIS, 2, 2, 7, 2, 2,
    2, 2, 2, 2, 1, 8, 1,
    6, 2, 1, Repeated(8), 2, 2, 2,
))  # fmt: skip
"""I062/380."""
FLIGHT_PLAN = Compound((2, 7, 4, 1, 4, 1, 4, 4, 3, 2, 2, Repeated(4), 6, 1, 7, 7, 2, 7))
"""I062/390."""
ACCURACIES = Compound((4, 2, 4, 1, 1, 2, 2, 1))
"""I062/500."""

_TRACKER = (
    ("010", 2), ("", 0), ("015", 1), ("070", 3), ("105", 8), ("100", 6), ("185", 4),
    ("210", 2), ("060", 2), ("245", 7), ("380", AIRCRAFT_DERIVED), ("040", 2), ("080", _FX),
    ("290", Compound((1, 1, 1, 1, 2, 1, 1, 1, 1, 1))),
    ("200", 1), ("295", Compound((1,) * 31)), ("136", 2), ("130", 2), ("135", 2), ("220", 2),
    ("390", FLIGHT_PLAN),
    ("270", _FX), ("300", 1), ("110", Compound((1, 4, 6, 2, 2, 1, 1))), ("120", 2),
    ("510", Parts(3)), ("500", ACCURACIES), ("340", Compound((2, 4, 2, 2, 2, 1))),
    ("", 0), ("", 0), ("", 0), ("", 0), ("", 0), ("RE", Explicit()), ("SP", Explicit()),
)  # fmt: skip

_RADAR_SERVICE = (
    ("010", 2), ("000", 1), ("030", 3), ("020", 1), ("041", 2),
    ("050", Compound((1, 0, 0, 1, 1, 2))), ("060", Compound((1, 0, 0, 1, 1, 1))),
    ("070", Repeated(2)), ("100", 8), ("110", 1), ("120", 8), ("090", 2),
    ("RE", Explicit()), ("SP", Explicit()),
)  # fmt: skip

PROFILES: dict[int, tuple[tuple[str, Rule], ...]] = {
    21: _ADS_B,
    34: _RADAR_SERVICE,
    48: _RADAR,
    62: _TRACKER,
}
"""Category -> its UAP: item and rule in the order of the field reference numbers."""

HEADER_OCTETS = 3


def split_blocks(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The blocks of a datagram or file: category and what follows the header.

    Raises:
        DamageError: after the last good block, what is left is none.
    """
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at + 1 : at + HEADER_OCTETS], "big")
        if length < HEADER_OCTETS or at + length > len(data):
            raise DamageError("a block without its whole length")
        yield data[at], data[at + HEADER_OCTETS : at + length]
        at += length


def split_records(category: int, body: bytes) -> Iterator[Items]:
    """The records of one block of a category in :data:`PROFILES`.

    Raises:
        DamageError: after the last good record; nothing tells where a next one would begin.
    """
    profile = PROFILES[category]
    at = 0
    while at < len(body):
        present, at = _specified(body, at, len(profile))
        items = {}
        for number in present:
            name, rule = profile[number]
            end = _skip(rule, body, at)
            items[name] = body[at:end]
            at = end
        yield items


def subfields(rule: Compound, data: bytes) -> dict[int, bytes]:
    """The subfields of a compound item, by their number counted from 1."""
    present, at = _specified(data, 0, len(rule.rules))
    found = {}
    for number in present:
        end = _skip(rule.rules[number], data, at)
        found[number + 1] = data[at:end]
        at = end
    return found


def _specified(data: bytes, at: int, most: int) -> tuple[list[int], int]:
    """Which of ``most`` fields a specification names, counted from 0, and where it ends."""
    present: list[int] = []
    first = 0
    while at < len(data):
        octet = data[at]
        present += [first + bit for bit in range(7) if octet & 0x80 >> bit]
        at += 1
        if not octet & 1:
            break
        first += 7
    else:
        raise DamageError("a record is cut off")
    if not present or present[-1] >= most:
        raise DamageError("a record with a field that its category does not have")
    return present, at


def _skip(rule: Rule, data: bytes, at: int) -> int:
    """Where the field that begins at ``at`` ends."""
    if isinstance(rule, int):
        if rule == 0:
            raise DamageError("a record with a field that its category does not have")
        end = at + rule
    elif at >= len(data):
        raise DamageError("a record is cut off")
    elif isinstance(rule, Parts):
        end = at + rule.octets
        while end <= len(data) and data[end - 1] & 1:
            end += rule.octets
    elif isinstance(rule, Repeated):
        end = at + 1 + data[at] * rule.octets
    elif isinstance(rule, Explicit):
        end = at + max(data[at], 1)
    else:
        present, end = _specified(data, at, len(rule.rules))
        for number in present:
            end = _skip(rule.rules[number], data, end)
    if end > len(data):
        raise DamageError("a record is cut off")
    return end
