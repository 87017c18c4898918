"""The rules of zones, as data: what is asked, of whom, with which tolerance, on what source.

The data are in ``data/rules.toml``. What was not read in a source stays marked; a zone whose rule
is not held has none here, and its stays are answered with *unknown*, not with another's rule.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adiz.errors import Fault, FaultyInputError
from adiz.zones.model import Zone

STATUSES = ("read", "press", "unverified")


@dataclass(frozen=True, slots=True)
class Clause:
    """One requirement or exemption.

    Attributes:
        clause_id: its name within the rule.
        check: the name of its check, ``none`` where nothing this package reads can tell.
        text: what is asked, or who is exempt.
        source, status: where it was found, and how: one of :data:`STATUSES`.
        applies_to: uses (military, civil, state) it is for; empty: all.
        foreign: only for aircraft of other states.
        covers: of an exemption, the requirements it lifts; empty: all.
        zones: plain names of zones it is limited to; empty: all of the rule.
        params: numbers of the check.
    """

    clause_id: str
    check: str
    text: str
    source: str
    status: str
    applies_to: tuple[str, ...] = ()
    foreign: bool = False
    covers: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    params: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule of some zones: ``home`` is the state (ISO code) that made it."""

    rule_id: str
    title: str
    zones: tuple[str, ...]
    home: str
    stance: str
    requirements: tuple[Clause, ...]
    exemptions: tuple[Clause, ...]


def read_rules(path: str | Path | None = None) -> tuple[Rule, ...]:
    """The package's rules, or those of a TOML file of the same form.

    Raises:
        FaultyInputError: the file is no TOML, or a clause lacks something or names no check.

    Example:
        >>> [rule.rule_id for rule in read_rules()]
        ['us-part-99', 'australia', 'korea', 'japan', 'china-2013']
    """
    from adiz.identify.checks import CHECKS
    from adiz.identify.exemptions import EXEMPTIONS

    path = Path(path) if path else Path(__file__).parent / "data" / "rules.toml"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        return tuple(_rule(entry, set(CHECKS), set(EXEMPTIONS)) for entry in data["rule"])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FaultyInputError(Fault(f"cannot be read: {error}", str(path))) from error
    except (KeyError, TypeError, ValueError) as error:
        remedy = "see the rules reference for the form"
        raise FaultyInputError(Fault(f"bad rule: {error}", str(path), remedy=remedy)) from error


def _rule(entry: dict[str, Any], checks: set[str], exemptions: set[str]) -> Rule:
    return Rule(
        entry["id"],
        entry["title"],
        tuple(entry["zones"]),
        entry["home"],
        entry.get("stance", ""),
        tuple(_clause(c, checks) for c in entry.get("requirement", [])),
        tuple(_clause(c, exemptions) for c in entry.get("exemption", [])),
    )


def _clause(entry: dict[str, Any], checks: set[str]) -> Clause:
    check = entry["check"]
    if check not in checks:
        raise ValueError(f"{entry['id']!r} names no check: {check!r}")
    if entry["status"] not in STATUSES:
        raise ValueError(f"{entry['id']!r} has no status: {entry['status']!r}")
    known = ("text", "source", "status", "applies_to", "foreign", "covers", "zones")
    return Clause(
        entry["id"],
        check,
        entry["text"],
        entry["source"],
        entry["status"],
        tuple(entry.get("applies_to", ())),
        bool(entry.get("foreign", False)),
        tuple(entry.get("covers", ())),
        tuple(entry.get("zones", ())),
        {key: value for key, value in entry.items() if key not in (*known, "id", "check")},
    )


def rule_of(zone: Zone, rules: tuple[Rule, ...]) -> Rule | None:
    """The rule of a zone, by its id or plain name."""
    names = {zone.zone_id, zone.version_of}
    return next((rule for rule in rules if names & set(rule.zones)), None)
