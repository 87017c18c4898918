"""The ``[[sinks]]`` and ``[[rules]]`` tables of a configuration, checked."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from adiz.errors import Fault, FaultyInputError
from adiz.events import KINDS as EVENT_KINDS
from adiz.options import Option, OptionError, nearest, read_options
from adiz.out.alerts.model import Retry, Sink
from adiz.out.alerts.quiet import DAYS, Quiet, minutes_of
from adiz.out.alerts.rules import Rule
from adiz.out.alerts.setting import Setting

KINDS: dict[str, str] = {
    "webhook": "adiz.out.alerts.sinks.webhook",
    "cot": "adiz.out.alerts.sinks.cot",
    "mqtt": "adiz.out.alerts.sinks.mqtt",
    "nats": "adiz.out.alerts.sinks.jetstream",
    "kafka": "adiz.out.alerts.sinks.kafka",
    "jsonl": "adiz.out.alerts.sinks.jsonl",
    "terminal": "adiz.out.alerts.sinks.terminal",
}
"""Kind -> the module that has its ``OPTIONS`` and ``make(setting)``."""

COMMON = (
    Option("name", "text", "what rules call it"),
    Option("kind", "text", "one of the kinds below"),
    Option(
        "retry_first_s", "number", "wait before the second try", default=1.0, least=0.05, most=3600
    ),
    Option(
        "retry_most_s",
        "number",
        "the wait doubles with every failure up to this",
        default=300.0,
        least=0.05,
        most=86400,
    ),
    Option(
        "give_up_s",
        "number",
        "tried for so long, a delivery becomes a dead letter",
        default=86400.0,
        least=0,
    ),
)
RULE = (
    Option("name", "text", "part of each alert's key: do not rename lightly"),
    Option("sinks", "texts", "who is told"),
    Option("events", "texts", "kinds of events; all where absent", default=()),
    Option("zones", "texts", "zones, as names or patterns (KR-*)", default=()),
    Option("feeds", "texts", "feeds, as names or patterns", default=()),
    Option("states", "texts", "states of registration", default=()),
    Option("roles", "texts", "roles of aircraft", default=()),
    Option("certainties", "texts", "observed, definite, possible, predicted", default=()),
    Option("icao24", "texts", "24-bit addresses, hexadecimal", default=()),
    Option("repeat_s", "number", "the same is not told again within this", default=0.0, least=0),
    Option("revisions", "truth", "later revisions are told too", default=True),
    Option("escalate_after_s", "number", "unacknowledged so long: tell", default=0.0, least=0),
    Option("escalate_to", "texts", "these sinks too", default=()),
)
QUIET = (
    Option("zone", "text", "the IANA time zone of the two times"),
    Option("from", "text", "when it begins, HH:MM"),
    Option("to", "text", "when it ends, HH:MM; on the next day where it is not later"),
    Option("days", "texts", "days on which it begins", default=DAYS),
    Option("then", "text", "what becomes of alerts", default="hold", choices=("hold", "drop")),
    Option("urgent", "texts", "kinds of events told all the same", default=()),
)
CERTAINTIES = ("observed", "definite", "possible", "predicted")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class Setup(NamedTuple):
    """What :class:`adiz.out.alerts.service.Alerts` takes."""

    sinks: tuple[Sink, ...]
    rules: tuple[Rule, ...]


def from_tables(
    sinks: Sequence[Mapping[str, Any]],
    rules: Sequence[Mapping[str, Any]],
    where: str | None = None,
) -> Setup:
    """The sinks and rules that the tables describe; nothing is connected yet.

    Parameters:
        sinks, rules: as the TOML file has them.
        where: the file, for messages; relative paths begin at its folder.

    Raises:
        FaultyInputError: with every fault, each with its field and remedy.
    """
    faults: list[Fault] = []
    made: list[Sink] = []
    known: list[str] = []
    for number, table in enumerate(sinks, start=1):
        label = _label("sinks", table, number, known, where, faults)
        try:
            made.append(_sink(table, label, where))
        except FaultyInputError as error:
            faults += error.faults
    found: list[Rule] = []
    names: list[str] = []
    for number, table in enumerate(rules, start=1):
        label = _label("rules", table, number, names, where, faults)
        try:
            found.append(_rule(table, known, label, where))
        except FaultyInputError as error:
            faults += error.faults
    if faults:
        raise FaultyInputError(faults)
    return Setup(tuple(made), tuple(found))


def options_of(kind: str) -> tuple[Option, ...]:
    """The options of a kind of sink, beside those that all have."""
    options: tuple[Option, ...] = importlib.import_module(KINDS[kind]).OPTIONS
    return options


def _label(
    part: str,
    table: Mapping[str, Any],
    number: int,
    known: list[str],
    where: str | None,
    faults: list[Fault],
) -> str:
    """What to call a table in messages; notes names that cannot be, or are there twice."""
    name = table.get("name")
    if not isinstance(name, str):
        return f"{part}[{number}]"
    if not _NAME.fullmatch(name):
        remedy = "at most 64 letters, digits and any of _ . -"
        message = f"{name!r} cannot be a name"
        faults.append(Fault(message, where, field=f"{part}[{number}].name", remedy=remedy))
    elif name in known:
        message = f"there are two {part} called {name!r}"
        faults.append(Fault(message, where, field=f"{part}[{number}].name", remedy="rename one"))
    known.append(name)
    return f"{part}.{name}"


def _sink(table: Mapping[str, Any], label: str, where: str | None) -> Sink:
    kind = table.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        said = "no kind is given" if kind is None else f"there is no kind of sink {kind!r}"
        raise FaultyInputError(
            Fault(said, where, field=f"{label}.kind", remedy=nearest(str(kind), KINDS))
        )
    module = importlib.import_module(KINDS[kind])
    values = read_options(table, (*COMMON, *module.OPTIONS), label, where)
    retry = Retry(values["retry_first_s"], values["retry_most_s"], values["give_up_s"])
    base = Path(where).parent if where else Path()
    try:
        sink: Sink = module.make(Setting(values["name"], retry, values, base))
    except OptionError as error:
        field = f"{label}.{error.field}" if error.field else label
        raise FaultyInputError(Fault(str(error), where, field=field, remedy=error.remedy)) from None
    return sink


def _rule(table: Mapping[str, Any], sinks: Sequence[str], label: str, where: str | None) -> Rule:
    rest = {key: value for key, value in table.items() if key != "quiet"}
    values = read_options(rest, RULE, label, where)
    faults = [
        *_unknown(values, "sinks", sinks, label, where),
        *_unknown(values, "escalate_to", sinks, label, where),
        *_unknown(values, "events", EVENT_KINDS, label, where),
        *_unknown(values, "certainties", CERTAINTIES, label, where),
    ]
    if bool(values["escalate_after_s"]) != bool(values["escalate_to"]):
        missing = "escalate_to" if values["escalate_after_s"] else "escalate_after_s"
        remedy = "give both, or neither"
        faults.append(
            Fault(f"{missing} is missing", where, field=f"{label}.{missing}", remedy=remedy)
        )
    given = table.get("quiet", [])
    quiet = []
    for one in given if isinstance(given, list) else [given]:
        try:
            quiet.append(_quiet(one, f"{label}.quiet", where))
        except FaultyInputError as error:
            faults += error.faults
    if faults:
        raise FaultyInputError(faults)
    values["icao24"] = [address.lower() for address in values["icao24"]]
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    return Rule(**values, quiet=tuple(quiet))


def _quiet(table: Any, label: str, where: str | None) -> Quiet:
    if not isinstance(table, Mapping):
        remedy = 'write quiet = {zone = "…", from = "22:00", to = "07:00"}'
        raise FaultyInputError(Fault("this is no table", where, field=label, remedy=remedy))
    values = read_options(table, QUIET, label, where)
    faults = [
        *_unknown(values, "days", DAYS, label, where),
        *_unknown(values, "urgent", EVENT_KINDS, label, where),
    ]
    start, end = minutes_of(values["from"]), minutes_of(values["to"])
    for field, minutes in (("from", start), ("to", end)):
        if minutes is None or (field, minutes) == ("from", 1440):
            said, remedy = f"{values[field]!r} is no time of day", "write HH:MM, as in 22:00"
            faults.append(Fault(said, where, field=f"{label}.{field}", remedy=remedy))
    if start is not None and start == end:
        remedy = 'a whole day is from "00:00" to "24:00"'
        faults.append(Fault("it ends when it begins", where, field=f"{label}.to", remedy=remedy))
    try:
        ZoneInfo(values["zone"])
    except (OSError, ValueError, KeyError):
        said = f"there is no time zone {_quoted(values['zone'])}"
        remedy = "give an IANA name, as in Asia/Seoul"
        faults.append(Fault(said, where, field=f"{label}.zone", remedy=remedy))
    if faults or start is None or end is None:
        raise FaultyInputError(faults)
    return Quiet(
        zone=values["zone"],
        start_min=start,
        end_min=end,
        days=tuple(values["days"]),
        hold=values["then"] == "hold",
        urgent=tuple(values["urgent"]),
    )


def _quoted(name: str) -> str:
    """A name as a message shows it."""
    return repr(name[:80])


def _unknown(
    values: Mapping[str, Any], field: str, known: Sequence[str], label: str, where: str | None
) -> list[Fault]:
    return [
        Fault(
            f"there is no {_quoted(value)}",
            where,
            field=f"{label}.{field}",
            remedy=nearest(value, known) if known else "define it",
        )
        for value in values[field]
        if value not in known
    ]
