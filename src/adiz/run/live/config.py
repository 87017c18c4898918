"""The configuration of a watch: one TOML file, each table checked where it belongs.

Paths in it are relative to the file. Nothing is opened here but the files named for reading.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from adiz.detect.stays import (
    DEFAULT_MAX_GAP_S,
    DEFAULT_MAX_SPEED_KT,
    DEFAULT_TRACK_END_S,
    StaysParams,
)
from adiz.detect.warnings import WarningsParams
from adiz.errors import Fault, FaultyInputError
from adiz.options import Option, nearest, read_options
from adiz.out.alerts import Setup
from adiz.out.alerts import from_tables as read_alerts
from adiz.out.face.http import place_of
from adiz.run.live.company import CompanyParams
from adiz.run.live.engine import EngineParams
from adiz.run.live.gate import GateParams
from adiz.run.live.identifying import Quiet
from adiz.sources.feeds import Feed
from adiz.sources.feeds import from_table as read_feed

MAX_FILE_BYTES = 4_000_000

WATCH = (
    Option("zones", "texts", "zones watched: ids or plain names of the catalogue, or files"),
    Option("folder", "text", "where journal and archive are kept", "watch"),
    Option("store", "text", "database of events: a file, or postgresql://…", "watch/watch.db"),
    Option("registry", "text", "CSV with your own statements of identity", None),
    Option("lateness_s", "number", "reports may come so much out of order", 5.0, 0.0, 3600.0),
    Option("silent_s", "number", "a feed silent for so long holds none back", 10.0, 0.1, 3600.0),
    Option("future_s", "number", "a report this far ahead of its reception is refused",
           60.0, 1.0, 86_400.0),
    Option("max_gap_s", "number", "a longer way between two reports is a gap",
           DEFAULT_MAX_GAP_S, 1.0, 3600.0),
    Option("track_end_s", "number", "a longer one ends the track",
           DEFAULT_TRACK_END_S, 60.0, 864_000.0),
    Option("max_speed_kt", "number", "bound on speed in gaps, where the type's is not known",
           DEFAULT_MAX_SPEED_KT, 1.0, 10_000.0),
    Option("dwell_s", "number", "a stay of so long is an event; 0: none", 1800.0, 0.0, 864_000.0),
    Option("checkpoint_s", "number", "the state is saved this often", 10.0, 0.2, 3600.0),
    Option("status", "text", "HOST:PORT of metrics and health; empty: none", ""),
)  # fmt: skip
JOURNAL = (
    Option("fsync_s", "number", "what a power failure may lose at most", 1.0, 0.0, 3600.0),
    Option("max_mb", "number", "greatest size on disk", 2048.0, 1.0, 1e7),
)
ARCHIVE = (Option("days", "whole", "reports are kept for so many days", 30, 1, 36_500),)
ENCOUNTERS = (
    Option("off", "truth", "no encounters and formations are looked for", False),
    Option("within_nm", "number", "lateral limit", 5.0, 0.001, 50.0),
    Option("within_ft", "number", "vertical limit", 2000.0, 0.0, 1e6),
    Option("for_s", "number", "shortest encounter told", 300.0, 60.0, 1e6),
    Option("lateness_s", "number", "reports may come so much out of order here", 60.0, 0.0, 3600.0),
)
IDENTIFICATION = (
    Option("plans", "texts", "files of ATS messages", ()),
    Option("points", "text", "CSV of named points of routes", None),
    Option("notices", "texts", "CSV files of prior notices", ()),
    Option("contacts", "texts", "CSV files of radio contacts", ()),
    Option("complete", "truth", "these are all there are", False),
)
_QUIET = (
    Option("off", "truth", "no warnings", False),
    Option("suppress_identified", "truth", "none of aircraft a plan or notice names", False),
    Option("suppress_states", "texts", "none of aircraft of these states", ()),
    Option("suppress_uses", "texts", "none of these uses: military, civil, state", ()),
)
TABLES = {
    "watch": WATCH,
    "journal": JOURNAL,
    "archive": ARCHIVE,
    "encounters": ENCOUNTERS,
    "identification": IDENTIFICATION,
}
_ARRAYS = ("feeds", "sinks", "rules")


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration that has been checked.

    Attributes:
        path: the file.
        values: of the plain tables, by table and option.
        identification: whether that table is there.
        tables: the file as it was read.
    """

    path: Path
    values: Mapping[str, Mapping[str, Any]]
    engine: EngineParams
    quiet: Quiet
    identification: bool
    feeds: tuple[Feed, ...]
    alerts: Setup
    notes: tuple[str, ...] = field(default=())
    tables: Mapping[str, Any] = field(default_factory=dict)

    def place(self, name: str) -> Path:
        """A path of the configuration."""
        return self.path.parent / name

    @property
    def folder(self) -> Path:
        return self.place(self.values["watch"]["folder"])

    @property
    def store(self) -> str:
        url: str = self.values["watch"]["store"]
        return url if "://" in url else str(self.place(url))

    @property
    def zone_names(self) -> list[str | Path]:
        """Names of zones as given; those that are files beside the configuration as paths."""
        given: list[str] = list(self.values["watch"]["zones"])
        return [p if (p := self.place(name)).is_file() else name for name in given]


def read_config(path: str | Path) -> Config:
    """Read and check a configuration.

    Raises:
        FaultyInputError: with every fault found: file, table, option, remedy.
    """
    path = Path(path)
    tables = _parse(path)
    where = str(path)
    faults: list[Fault] = [*_strange(tables, where)]

    def part(name: str) -> Mapping[str, Any]:
        found = tables.get(name, {})
        return found if isinstance(found, dict) else {}

    values: dict[str, Mapping[str, Any]] = {}
    for name, options in TABLES.items():
        try:
            values[name] = read_options(part(name), options, name, where)
        except FaultyInputError as error:
            faults += error.faults
    params, quiet = None, Quiet()
    try:
        params, quiet = _warnings(part("warnings"), where)
    except FaultyInputError as error:
        faults += error.faults
    feeds: list[Feed] = []
    for table in _list(tables, "feeds"):
        try:
            feeds.append(read_feed(_rooted(table, path.parent), where))
        except FaultyInputError as error:
            faults += error.faults
    setup = None
    try:
        setup = read_alerts(_list(tables, "sinks"), _list(tables, "rules"), where)
    except FaultyInputError as error:
        faults += error.faults
    faults += _feed_faults(feeds, tables, where)
    try:
        if status := values.get("watch", {}).get("status"):
            place_of(status, where)
    except FaultyInputError as error:
        faults += error.faults
    if faults or setup is None:
        raise FaultyInputError(faults)
    engine = _engine(values, params)
    identified = "identification" in tables
    return Config(path, values, engine, quiet, identified, tuple(feeds), setup, tables=tables)


def _parse(path: Path) -> dict[str, Any]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FaultyInputError(Fault(f"cannot be read: {error.strerror}", str(path))) from None
    if len(data) > MAX_FILE_BYTES:
        raise FaultyInputError(Fault(f"{len(data):,} bytes is too large", str(path)))
    try:
        return tomllib.loads(data.decode())
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FaultyInputError(
            Fault("not UTF-8 text", str(path), line, remedy="save it as UTF-8")
        ) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        remedy = "see docs/reference/watch.md"
        raise FaultyInputError(Fault(f"not TOML: {error}", str(path), remedy=remedy)) from None


def _strange(tables: Mapping[str, Any], where: str) -> Iterator[Fault]:
    known = (*TABLES, "warnings", *_ARRAYS)
    for name, found in tables.items():
        if name not in known:
            yield Fault(
                f"there is no table {name!r}", where, field=name, remedy=nearest(name, known)
            )
        elif name in _ARRAYS and not (
            isinstance(found, list) and all(isinstance(one, dict) for one in found)
        ):
            yield Fault(
                f"{name} is no array of tables", where, field=name, remedy=f"write [[{name}]]"
            )
        elif name not in _ARRAYS and not isinstance(found, dict):
            yield Fault(f"{name} is no table", where, field=name, remedy=f"write [{name}]")
    if not _list(tables, "feeds"):
        yield Fault("no feed is given", where, field="feeds", remedy="write a table [[feeds]]")


def _list(tables: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = tables.get(name, [])
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _rooted(table: dict[str, Any], root: Path) -> dict[str, Any]:
    """The paths of a feed, relative to the configuration."""
    table = dict(table)
    for key in ("path", "paths", "file"):
        given = table.get(key)
        if isinstance(given, str):
            table[key] = str(root / given)
        elif isinstance(given, list):
            table[key] = [str(root / one) if isinstance(one, str) else one for one in given]
    return table


def _feed_faults(feeds: list[Feed], tables: Mapping[str, Any], where: str) -> Iterator[Fault]:
    names = [feed.name for feed in feeds]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Fault(f"two feeds are called {name!r}", where, field="feeds.name",
                    remedy="give each a name of its own")  # fmt: skip
    if len({feed.replayable for feed in feeds}) > 1:
        yield Fault("replays and live feeds cannot be watched together: their clocks differ", where,
                    field="feeds", remedy="take one or the other")  # fmt: skip


def _warnings(table: Mapping[str, Any], where: str) -> tuple[WarningsParams | None, Quiet]:
    mine = {option.name for option in _QUIET}
    given = {key: value for key, value in table.items() if key in mine}
    values = read_options(given, _QUIET, "warnings", where)
    quiet = Quiet(
        values["suppress_identified"],
        frozenset(state.upper() for state in values["suppress_states"]),
        frozenset(values["suppress_uses"]),
    )
    rest = {key: value for key, value in table.items() if key not in mine}
    params = WarningsParams.from_table(rest, where)
    return (None if values["off"] else params), quiet


def _engine(
    values: Mapping[str, Mapping[str, Any]], warnings: WarningsParams | None
) -> EngineParams:
    watch, near = values["watch"], values["encounters"]
    company = CompanyParams(
        near["within_nm"], near["within_ft"], near["for_s"], near["lateness_s"], watch["max_gap_s"]
    )
    if warnings is not None:
        warnings = replace(warnings, max_gap_s=watch["max_gap_s"])
    return EngineParams(
        gate=GateParams(watch["lateness_s"], watch["silent_s"], watch["future_s"]),
        stays=StaysParams(watch["max_gap_s"], watch["track_end_s"], watch["max_speed_kt"]),
        company=None if near["off"] else company,
        warnings=warnings,
        dwell_s=watch["dwell_s"] or None,
        history_s=values["archive"]["days"] * 86_400.0,
    )
