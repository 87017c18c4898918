"""Whose address and whose registration: ICAO 24-bit blocks and nationality marks, as data.

``data/states.csv`` holds the allocation table of ICAO Annex 10 Volume III, table 9-1 (second
edition, amendments to 88-A), in the form the table itself has: the leading bits that all
addresses of a state share; and the nationality marks of ICAO Annex 7. States are ISO 3166-1
alpha-2 codes (``UN`` and ``XK`` besides). Some states have marks but no block in that edition.
The block 899000-8993ff is listed there as special use; aircraft registered in Taiwan use it.

``data/military_blocks.csv`` is not of ICAO: parts of national blocks in which receiver networks
see military aircraft. It is practice, unverified, and said to be so wherever it is used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from adiz.tracks.types import read_rows

ADDRESS_SOURCE = "ICAO Annex 10 Vol III table 9-1"
SERIALS_SOURCE = "serial table (general knowledge, unverified)"
MARKS_SOURCE = "ICAO Annex 7 nationality marks"
MILITARY_SOURCE = "practice seen by receiver networks, not an ICAO allocation"


@dataclass(frozen=True, slots=True)
class Block:
    """A range of 24-bit addresses, both ends included."""

    state: str
    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.first:06x}-{self.last:06x}"


@cache
def state_names() -> dict[str, str]:
    """Names of states by ISO code."""
    return {row["state"]: row["name"] for row in read_rows("states.csv")}


@cache
def _blocks() -> dict[int, dict[int, Block]]:
    found: dict[int, dict[int, Block]] = {}
    for row in read_rows("states.csv"):
        if row["block"]:
            bits, first = int(row["prefix_bits"]), int(row["block"], 16)
            block = Block(row["state"], first, first + (1 << (24 - bits)) - 1)
            found.setdefault(bits, {})[first >> (24 - bits)] = block
    return found


@cache
def _military() -> tuple[Block, ...]:
    return tuple(
        Block(row["state"], int(row["first"], 16), int(row["last"], 16))
        for row in read_rows("military_blocks.csv")
    )


def parse_address(icao24: str) -> int | None:
    """The number of an address of six hex digits; None for anything else."""
    return int(icao24, 16) if re.fullmatch(r"[0-9a-fA-F]{6}", icao24) else None


def find_block(icao24: str) -> Block | None:
    """The state block an address is in; None where it is in none or is no address.

    Example:
        >>> find_block("7b0123").state, str(find_block("7b0123"))
        ('CN', '780000-7bffff')
    """
    number = parse_address(icao24)
    if number is None:
        return None
    hits = (by_prefix.get(number >> (24 - bits)) for bits, by_prefix in _blocks().items())
    return next((block for block in hits if block), None)


def find_military_block(icao24: str) -> Block | None:
    """The part of a national block used by military aircraft that an address is in, if any."""
    number = parse_address(icao24)
    if number is None:
        return None
    return next((block for block in _military() if block.first <= number <= block.last), None)


@dataclass(frozen=True, slots=True)
class Serial:
    """A form of military or state serials; ``#`` a digit, ``@`` a letter."""

    pattern: str
    state: str
    use: str
    of: str


@cache
def _serials() -> tuple[tuple[re.Pattern[str], Serial], ...]:
    forms = [Serial(**row) for row in read_rows("serials.csv")]
    return tuple(
        (re.compile(re.escape(f.pattern).replace(r"\#", r"\d").replace("@", "[A-Z]")), f)
        for f in forms
    )


def find_serial(registration: str) -> Serial | None:
    """The form of military or state serials a registration has, if any.

    Example:
        >>> find_serial("RF-94203").state
        'RU'
    """
    text = registration.strip().upper()
    return next((form for pattern, form in _serials() if pattern.fullmatch(text)), None)


@cache
def _marks() -> tuple[tuple[str, str], ...]:
    """(mark, state), the longest first, so that B-##### is tried before B-."""
    pairs = [(m, row["state"]) for row in read_rows("states.csv") for m in row["marks"].split()]
    return tuple(sorted(pairs, key=lambda pair: -len(pair[0])))


def find_mark(registration: str) -> tuple[str, str] | None:
    """The nationality mark a registration begins with, and its state; the longest that fits.

    ``#`` in a mark stands for a digit. A registration written without its hyphen (as in flight
    plans) is compared without hyphens.

    Example:
        >>> find_mark("B-18901"), find_mark("VHOEG")
        (('B-#####', 'TW'), ('VH-', 'AU'))
    """
    text = registration.strip().upper()
    bare = "-" not in text
    if (bare and find_serial(text)) or re.fullmatch(r"([A-Z0-9])\1+", text):
        return None  # a serial is no mark, and ZZZZ or 0000 stands for none
    for mark, state in _marks():
        pattern = re.escape(mark.replace("-", "") if bare else mark).replace(r"\#", r"\d")
        # a letter or digit must follow, unless the mark spells the whole registration
        if re.match(pattern + (r"$" if mark.endswith("#") else r"\w"), text):
            return mark, state
    return None
