"""The kinds of feeds, and one table of the configuration made into a feed."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from typing import Any

from adiz.errors import Fault, FaultyInputError, ReportsError
from adiz.options import Option, OptionError, nearest, read_options
from adiz.sources.feeds.model import Feed

KINDS: dict[str, str] = {
    "replay": "adiz.sources.feeds.replay",
    "aircraft": "adiz.sources.feeds.aircraft",
    "basestation": "adiz.sources.feeds.basestation",
    "beast": "adiz.sources.feeds.beast",
    "asterix": "adiz.sources.feeds.asterix",
    "nats": "adiz.sources.feeds.nats",
    "kafka": "adiz.sources.feeds.kafka",
}
"""Kind -> the module that has its ``OPTIONS`` and ``make(name, values)``."""

COMMON = (
    Option("name", "text", "what to call it; the `source` of its reports"),
    Option("kind", "text", "one of the kinds below"),
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def options_of(kind: str) -> tuple[Option, ...]:
    """The options of a kind, beside those that all have."""
    options: tuple[Option, ...] = importlib.import_module(KINDS[kind]).OPTIONS
    return options


def from_table(table: Mapping[str, Any], where: str | None = None) -> Feed:
    """The feed that one ``[[feeds]]`` table describes; nothing is opened yet.

    Parameters:
        table: as the TOML file has it.
        where: the file, for messages.

    Raises:
        FaultyInputError: each fault with its field and remedy.
    """
    name, kind = table.get("name"), table.get("kind")
    label = f"feeds.{name}" if isinstance(name, str) else "feeds"
    faults = []
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        said = "no name is given" if name is None else f"{name!r} cannot be a name"
        remedy = 'write name = "…": at most 64 letters, digits and any of _ . -'
        faults.append(Fault(said, where, field=f"{label}.name", remedy=remedy))
    if not isinstance(kind, str) or kind not in KINDS:
        said = "no kind is given" if kind is None else f"there is no kind of feed {kind!r}"
        remedy = nearest(str(kind), KINDS)
        faults.append(Fault(said, where, field=f"{label}.kind", remedy=remedy))
        raise FaultyInputError(faults)
    try:
        module = importlib.import_module(KINDS[kind])
        values = read_options(table, (*COMMON, *module.OPTIONS), label, where)
    except FaultyInputError as error:
        # What is wrong with the name is said already, better.
        more = [f for f in error.faults if not faults or f.field != f"{label}.name"]
        raise FaultyInputError(faults + more) from None
    if faults:
        raise FaultyInputError(faults)
    try:
        del values["name"], values["kind"]
        feed: Feed = module.make(name, values)
    except OptionError as error:
        field = label if error.field is None else f"{label}.{error.field}"
        fault = Fault(str(error), where, field=field, remedy=error.remedy)
        raise FaultyInputError(fault) from None
    except ReportsError as error:
        # From the readers of files, whose names of fields are those of the options.
        faults = [Fault(f.message, where, field=f"{label}.{f.field}", remedy=f.remedy)
                  for f in error.faults]  # fmt: skip
        raise FaultyInputError(faults) from None
    return feed
