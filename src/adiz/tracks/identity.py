"""Who a track is: a set of statements, each with its evidence.

Nothing here decides between sources. The address block says one state, a callsign another: both
are kept, the conflict is spelt out, and :attr:`Identity.state` is then None. Only a user's own
registry settles a matter, and says so.

Subjects of statements: ``state`` (ISO 3166-1 alpha-2), ``operator state``, ``use`` (military,
civil, state), ``role``, ``type``, ``registration``, ``operator``, ``callsign`` and ``squawk``. The
state of an aircraft is that of its register (Chicago Convention, article 17); a civil callsign
speaks of its operator, which may be of another state, so a difference is shown as a conflict and
leaves ``state`` as it is. A military callsign speaks of the aircraft.

Identity never means intent: nothing here says friend or foe.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from adiz.tracks.address_blocks import (
    ADDRESS_SOURCE,
    MARKS_SOURCE,
    MILITARY_SOURCE,
    SERIALS_SOURCE,
    find_block,
    find_mark,
    find_military_block,
    find_serial,
    parse_address,
    state_names,
)
from adiz.tracks.types import find_designator, find_type, read_rows

if TYPE_CHECKING:
    import polars as pl

    from adiz.tracks.registry import Registry

TYPES_SOURCE = "ICAO Doc 8643 and the type table"
CALLSIGN_SOURCE = "callsign table (general knowledge, unverified)"

_SQUAWKS = {
    "7500": "unlawful interference",
    "7600": "radio failure",
    "7700": "emergency",
    "2000": "no code assigned: entering from an area without secondary radar",
    "1200": "VFR (North America)",
    "7000": "VFR (Europe)",
    "7777": "military interception or test",
    "0000": "none set, or Mode A failed",
}


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing said of an aircraft.

    Attributes:
        subject: what it is about, see the module's head.
        value: what it says.
        evidence: what was seen that says so, in words.
        source: the table, rule or file that turns the evidence into the value.
        settles: a user's registry said it: it overrides the others about its subject.
    """

    subject: str
    value: str
    evidence: str
    source: str
    settles: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """What is known of one track.

    Attributes:
        track_id: whose.
        statements: all of them, in the order of the module's rules.
        conflicts: sentences about statements that cannot all be true, and about positions that
            one aircraft cannot have had.
        leaping: its positions leap: two aircraft, or false positions.
    """

    track_id: str
    statements: tuple[Statement, ...]
    conflicts: tuple[str, ...] = ()
    leaping: bool = False

    def about(self, subject: str) -> tuple[Statement, ...]:
        """The statements about one subject; those that settle it alone, where there are any."""
        found = tuple(s for s in self.statements if s.subject == subject)
        return tuple(s for s in found if s.settles) or found

    def values(self, subject: str) -> tuple[str, ...]:
        """The different values stated, in order of first statement."""
        return tuple(dict.fromkeys(s.value for s in self.about(subject)))

    def value(self, subject: str) -> str | None:
        """The value all statements agree on; None where there is none, or more than one."""
        values = self.values(subject)
        return values[0] if len(values) == 1 else None

    @property
    def state(self) -> str | None:
        """ISO code of the state, where the statements agree."""
        return self.value("state")

    @property
    def use(self) -> str:
        """``military``, ``civil``, ``state`` or ``unknown``."""
        return self.value("use") or "unknown"

    @property
    def role(self) -> str | None:
        """The role of the type, where the statements agree."""
        return self.value("role")

    @property
    def reason(self) -> str:
        """Why :attr:`use` is what it is."""
        found = self.about("use")
        if not found:
            return "nothing seen tells military from civil"
        return "; ".join(dict.fromkeys(s.evidence for s in found))


@dataclass(frozen=True, slots=True)
class Seen:
    """What the reports of one track say of it: the different values of each field."""

    track_id: str
    icao24: tuple[str, ...] = ()
    callsign: tuple[str, ...] = ()
    squawk: tuple[str, ...] = ()
    type_code: tuple[str, ...] = ()
    registration: tuple[str, ...] = ()


def squawk_meaning(squawk: str) -> str | None:
    """What a Mode A code means, by ICAO Doc 4444 and national practice; None for no code.

    Codes not ending in 00 are discrete: given to one aircraft.

    Example:
        >>> squawk_meaning("7600"), squawk_meaning("4321"), squawk_meaning("9999")
        ('radio failure', 'discrete: assigned to one aircraft', None)
    """
    if not re.fullmatch(r"[0-7]{4}", squawk):
        return None
    general = "conspicuity" if squawk.endswith("00") else "discrete: assigned to one aircraft"
    return _SQUAWKS.get(squawk, general)


@cache
def _callsigns() -> tuple[tuple[re.Pattern[str], dict[str, str]], ...]:
    rows = read_rows("callsigns.csv")
    return tuple((re.compile(r["pattern"].replace("#", r"\d")), r) for r in rows)


def _say_address(icao24: str) -> Iterable[Statement]:
    block, military = find_block(icao24), find_military_block(icao24)
    if block:
        name = state_names()[block.state]
        evidence = f"address {icao24} is in the block {block} of {name}"
        yield Statement("state", block.state, evidence, ADDRESS_SOURCE)
    if military:
        evidence = f"address {icao24} is in {military}, where military aircraft are seen"
        yield Statement("use", "military", evidence, MILITARY_SOURCE)


def _say_registration(registration: str) -> Iterable[Statement]:
    yield Statement("registration", registration, f"reports give {registration}", "reports")
    serial = find_serial(registration)
    if serial:
        evidence = f"{registration} has the form of a serial of {serial.of}"
        yield Statement("use", serial.use, evidence, SERIALS_SOURCE)
        if serial.state:
            yield Statement("state", serial.state, evidence, SERIALS_SOURCE)
    mark = find_mark(registration)
    if mark:
        evidence = f"registration {registration} has the mark {mark[0]} of {state_names()[mark[1]]}"
        yield Statement("state", mark[1], evidence, MARKS_SOURCE)


def _say_type(type_code: str) -> Iterable[Statement]:
    kind, listed = find_type(type_code), find_designator(type_code)
    evidence = f"reports give type {type_code}"
    if listed:
        evidence += f" ({listed}; ICAO Doc 8643)"
    elif kind is None:
        evidence += ", which neither ICAO Doc 8643 nor the type table has"
    yield Statement("type", type_code, evidence, "reports")
    if kind is None:
        return
    evidence = f"type {type_code} ({kind.name})"
    yield Statement("role", kind.role, f"{evidence} is a {kind.role} aircraft", TYPES_SOURCE)
    if kind.use != "mixed":
        yield Statement("use", kind.use, f"{evidence} is {kind.use}", TYPES_SOURCE)
    if kind.only_operator:
        name = state_names()[kind.only_operator]
        evidence += f" is flown only by {name}"
        yield Statement("state", kind.only_operator, evidence, f"{TYPES_SOURCE} (unverified)")


def _say_callsigns(callsigns: Iterable[str]) -> Iterable[Statement]:
    """Callsigns one by one, then what those of one operator say together."""
    by_operator: dict[str, tuple[dict[str, str], list[str]]] = {}
    for callsign in callsigns:
        yield Statement("callsign", callsign, f"reports give callsign {callsign}", "reports")
        row = next((row for pattern, row in _callsigns() if pattern.match(callsign)), None)
        if row:
            by_operator.setdefault(row["operator"], (row, []))[1].append(callsign)
    for operator, (row, named) in by_operator.items():
        verb = "callsigns {} are" if len(named) > 1 else "callsign {} is"
        evidence = f"{verb.format(', '.join(named))} of {operator}"
        yield Statement("operator", operator, evidence, CALLSIGN_SOURCE)
        yield Statement("use", row["use"], evidence, CALLSIGN_SOURCE)
        if row["state"]:
            subject = "operator state" if row["use"] == "civil" else "state"
            yield Statement(subject, row["state"], evidence, CALLSIGN_SOURCE)


def _say_squawk(squawk: str) -> Iterable[Statement]:
    meaning = squawk_meaning(squawk)
    if meaning:
        yield Statement("squawk", f"{squawk} {meaning}", f"squawk {squawk}", "ICAO Doc 4444")


def identify(seen: Seen, registry: Registry | None = None, leaps: Sequence[str] = ()) -> Identity:
    """The identity of one track from what its reports say, and the leaps it takes part in."""
    statements: list[Statement] = []
    if registry:
        statements += registry.statements(seen)
    for values, say in (
        (seen.icao24, _say_address),
        (seen.registration, _say_registration),
        (seen.type_code, _say_type),
        (seen.squawk, _say_squawk),
    ):
        for value in values:
            statements += say(value)
    statements += _say_callsigns(seen.callsign)
    identity = Identity(seen.track_id, tuple(statements))
    return replace(identity, conflicts=(*_conflicts(identity, seen), *leaps), leaping=bool(leaps))


def _same(subject: str, value: str) -> str:
    """What a value is compared as: a type as its designator, so that an H-6K may be a TU16."""
    kind = find_type(value) if subject == "type" else None
    return (kind.doc8643 or kind.type_code) if kind else value


def _conflicts(identity: Identity, seen: Seen) -> tuple[str, ...]:
    found = []
    for subject in ("state", "use", "role", "type", "registration"):
        said = [s for s in identity.statements if s.subject == subject]
        if len({_same(subject, s.value) for s in said}) > 1:
            parts = "; ".join(f"{s.value}: {s.evidence}" for s in said)
            settled = identity.value(subject)
            end = f" (the registry settles it: {settled})" if settled else ""
            found.append(f"{subject} is stated differently: {parts}{end}")
    registered, operated = identity.values("state"), identity.values("operator state")
    if registered and operated and not set(registered) & set(operated):
        parts = "; ".join(s.evidence for s in identity.about("operator state"))
        found.append(
            f"the aircraft is of {' or '.join(registered)}, its operator of "
            f"{' or '.join(operated)} ({parts}): leased, or one of them is false"
        )
    real = [a for a in seen.icao24 if parse_address(a) is not None]
    if len(real) > 1:
        found.append(f"one track carries {len(real)} addresses: {', '.join(real)}")
    return tuple(found)


def identify_tracks(reports: Any, registry: Registry | None = None) -> dict[str, Identity]:
    """The identities of all tracks of some reports, by track id, sorted.

    Two aircraft that send one address, or one id for two aircraft, show as positions no aircraft
    could fly between: see :func:`adiz.tracks.sightings.find_leaps`.

    Args:
        reports: the reports table, or a ``Reports``.
        registry: a user's registry, whose statements settle what they speak of.

    Example:
        >>> import adiz
        >>> reports = adiz.read("flights.csv")  # doctest: +SKIP
        >>> adiz.identify_tracks(reports)["7b0123"].state  # doctest: +SKIP
        'CN'
    """
    from adiz.tracks.sightings import find_leaps

    table: pl.DataFrame = getattr(reports, "table", reports)
    leaps: dict[str, list[str]] = {}
    for leap in find_leaps(table):
        for track_id in leap.track_ids:
            leaps.setdefault(track_id, []).append(str(leap))
    return {
        seen.track_id: identify(seen, registry, leaps.get(seen.track_id, ()))
        for seen in seen_by_track(table)
    }


def seen_by_track(table: pl.DataFrame) -> list[Seen]:
    """What the reports of each track say of it, by track id."""
    import polars as pl

    fields = ("icao24", "callsign", "squawk", "type_code", "registration")
    grouped = (
        table.lazy()
        .select("track_id", *fields)
        .unique()
        .group_by("track_id")
        .agg(pl.col(n).filter((pl.col(n) != "").fill_null(False)).unique().sort() for n in fields)
        .sort("track_id")
        .collect()
    )
    return [Seen(track_id, *map(tuple, values)) for track_id, *values in grouped.iter_rows()]


def identities_table(identities: Mapping[str, Identity]) -> pl.DataFrame:
    """One row a track: what is agreed, why, and what is in conflict."""
    import polars as pl

    def joined(identity: Identity, subject: str) -> str | None:
        return " or ".join(identity.values(subject)) or None

    rows = [
        {
            "track_id": one.track_id,
            "state": joined(one, "state"),
            "use": one.use,
            "reason": one.reason,
            "role": joined(one, "role"),
            "type": joined(one, "type"),
            "registration": joined(one, "registration"),
            "callsign": joined(one, "callsign"),
            "operator": joined(one, "operator"),
            "squawk": joined(one, "squawk"),
            "conflicts": " | ".join(one.conflicts) or None,
        }
        for one in identities.values()
    ]
    columns = "track_id state use reason role type registration callsign operator squawk conflicts"
    return pl.DataFrame(rows, schema=dict.fromkeys(columns.split(), pl.String()))


def statements_table(identities: Mapping[str, Identity]) -> pl.DataFrame:
    """One row a statement, with its evidence and source."""
    import polars as pl

    rows = [
        (one.track_id, s.subject, s.value, s.evidence, s.source, s.settles)
        for one in identities.values()
        for s in one.statements
    ]
    columns = ("track_id", "subject", "value", "evidence", "source")
    schema: dict[str, Any] = {**dict.fromkeys(columns, pl.String()), "settles": pl.Boolean()}
    return pl.DataFrame(rows, schema=schema, orient="row")
