"""Whether those who enter are identified, as a watch tells it.

Each stay is held against its zone's rule soon after it began, and again when it has ended: the
answers are an event, and its next revision where they have changed. The answers are those of the
batch run (:mod:`adiz.identify.compliance`) on the plans, notices and contacts known by then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from adiz.events import Event, event_id
from adiz.identify.compliance import Inputs, check_compliance
from adiz.identify.notices import held_keys, speaks_of
from adiz.identify.plans import Plan
from adiz.run.live.labels import Label, Labels
from adiz.run.live.told import micros
from adiz.schema import STAYS, polars_schema
from adiz.zones.model import Zones

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_MINUTE_US = 60_000_000
_WORDS = {"yes": "is identified", "no": "is not identified", "unknown": "may be identified or not"}
Row = dict[str, Any]
Key = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Quiet:
    """Who is not warned of.

    Attributes:
        identified: those a plan or notice names.
        states, uses: those of these states, of these uses (``military``, ``civil``, ``state``).
    """

    identified: bool = False
    states: frozenset[str] = frozenset()
    uses: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return self.identified or bool(self.states or self.uses)


@dataclass(slots=True)
class Identifying:
    """Holds stays against the rules.

    Attributes:
        load: gives the plans, notices and contacts as they are now.
    """

    zones: Zones
    load: Callable[[], Inputs]
    _open: dict[Key, Row] = field(default_factory=dict)
    _due: set[Key] = field(default_factory=set)
    _told: dict[Key, tuple[int, str]] = field(default_factory=dict)

    def entered(self, rows: Iterable[Row]) -> None:
        """Stays that began."""
        for row in rows:
            self._open[_key(row)] = row
            self._due.add(_key(row))

    def finished(self, rows: Iterable[Row]) -> None:
        """Stays that are complete."""
        for row in rows:
            if row["entry_time"] is not None and row["certainty"] == "observed":
                self._open[_key(row)] = row
                self._due.add(_key(row))

    def check(
        self,
        mark_us: int,
        history: Callable[[Sequence[str], int], pl.DataFrame],
        labels: Labels,
        now_us: int,
    ) -> list[Event]:
        """Answer for the stays that are due."""
        if not self._due:
            return []
        due = sorted(self._due)
        self._due.clear()
        tracks = sorted({track for track, _, _ in due})
        since_us = min(labels[t].first_us for t in tracks)
        reports = history(tracks, since_us)
        heard = set(reports["track_id"])
        rows = [self._row(key, mark_us) for key in due if key[0] in heard]
        stays = pl.DataFrame(rows, schema=polars_schema(STAYS))
        found = check_compliance(stays, reports, self.zones, self.load())
        answers: dict[Key, list[Row]] = {}
        for row in found.table.iter_rows(named=True):
            answers.setdefault(_key(row), []).append(row)
        events = []
        for row in found.identified.iter_rows(named=True):
            event = self._event(row, answers.get(_key(row), []), labels[row["track_id"]], now_us)
            if event is not None:
                events.append(event)
        for key in due:
            if self._open[key]["exit_time"] is not None:
                del self._open[key]
                self._told.pop(key, None)
        return events

    def rezone(self, zones: Zones) -> None:
        """Other zones from here on."""
        self.zones = zones
        known = {zone.zone_id for zone in zones}
        for key in [key for key in self._open if key[1] not in known]:
            del self._open[key]
            self._due.discard(key)
            self._told.pop(key, None)

    def _row(self, key: Key, mark_us: int) -> Row:
        row = self._open[key]
        if row["exit_time"] is not None:
            return row
        now = max(_EPOCH + timedelta(microseconds=mark_us), row["entry_time"])
        return row | {"exit_time": now, "latest_exit": now}

    def _event(self, row: Row, answers: list[Row], label: Label, now_us: int) -> Event | None:
        key = _key(row)
        results = {a["requirement"]: a["result"] for a in answers}
        revision, before = self._told.get(key, (0, ""))
        now = f"{row['identified']} {sorted(results.items())}"
        if now == before:
            return None
        self._told[key] = (revision + 1, now)
        zone = next(z for z in self.zones if z.zone_id == row["zone_id"])
        by = f" by {row['identified_by']}" if row["identified_by"] else ""
        short = [f"{name}: {result}" for name, result in results.items() if result != "met"]
        asked = f" Of the zone's rule, {'; '.join(short)}." if short else ""
        return Event(
            event_id=event_id("identification", *key),
            revision=revision + 1,
            kind="identification",
            time_us=key[2],
            detected_us=now_us,
            certainty="observed",
            text=f"{label.name} in {zone.name} {_WORDS[row['identified']]}{by}.{asked}",
            tracks=(label.track_id,),
            zone_id=row["zone_id"],
            lat_deg=label.lat_deg,
            lon_deg=label.lon_deg,
            alt_ft=label.alt_ft,
            **label.facts(),
            data={
                "identified": row["identified"],
                "identified_by": row["identified_by"] or None,
                "requirements": [
                    {n: a[n] for n in ("requirement", "asks", "result", "reason", "status")}
                    for a in answers
                ],
            },
        )

    # ---- memory ---------------------------------------------------------------------------------

    def save(self) -> dict[str, Any]:
        """The state, for :meth:`restore`."""
        return {
            "open": [_packed(row) for row in self._open.values()],
            "due": sorted(self._due),
            "told": [[*key, *told] for key, told in self._told.items()],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up what was saved."""
        rows = [_unpacked(row) for row in state["open"]]
        self._open = {_key(row): row for row in rows}
        self._due = {(t, z, e) for t, z, e in state["due"]}
        self._told = {(t, z, e): (revision, said) for t, z, e, revision, said in state["told"]}


class Silencer:
    """Which tracks are not warned of, by plans, notices, states and uses."""

    def __init__(self, quiet: Quiet, load: Callable[[], Inputs]) -> None:
        self._quiet, self._load = quiet, load
        self._known: dict[str, tuple[tuple[tuple[str, ...], ...], bool]] = {}
        self._minute: int | None = None
        self._inputs: Inputs | None = None
        self._plans: list[Plan] = []
        self._who: list[Mapping[str, str]] = []

    def silenced(self, labels: Labels, track_ids: Iterable[str], mark_us: int) -> set[str]:
        """Those of the tracks that are not to be warned of now."""
        if not self._quiet:
            return set()
        self._look(mark_us // _MINUTE_US)
        found = set()
        for track_id in track_ids:
            label = labels[track_id]
            known = self._known.get(track_id)
            if known is None or known[0] is not label.seen:
                known = self._known[track_id] = (label.seen, self._is_silenced(label))
            if known[1]:
                found.add(track_id)
        return found

    def _look(self, minute: int) -> None:
        """What is known now. It depends on the minute alone, not on when it was last asked for."""
        inputs = self._load() if self._quiet.identified else None
        if minute == self._minute and inputs is self._inputs:
            return
        self._minute, self._inputs = minute, inputs
        self._plans = list(inputs.plans.plans) if inputs and inputs.plans else []
        self._who = [n.who for n in inputs.notices.rows] if inputs and inputs.notices else []
        self._known.clear()

    def _is_silenced(self, label: Label) -> bool:
        if label.state in self._quiet.states or label.use in self._quiet.uses:
            return True
        if not self._quiet.identified:
            return False
        held = held_keys(label.identified_as())
        callsigns = held["callsign"]
        at = _EPOCH + timedelta(minutes=self._minute or 0)
        planned = any(
            p.message.callsign in callsigns
            and p.status != "cancelled"
            and abs(p.off_block(at) - at) < _DAY
            for p in self._plans
        )
        return planned or any(speaks_of(who, held) for who in self._who)


def _key(row: Row) -> Key:
    begun_us = micros(row["entry_time"])
    assert begun_us is not None
    return row["track_id"], row["zone_id"], begun_us


_MOMENTS = ("entry_time", "exit_time", "earliest_entry", "latest_exit")


def _packed(row: Row) -> Row:
    return row | {name: micros(row[name]) for name in _MOMENTS}


def _unpacked(row: Row) -> Row:
    moments = {
        name: None if row[name] is None else _EPOCH + timedelta(microseconds=row[name])
        for name in _MOMENTS
    }
    return row | moments
