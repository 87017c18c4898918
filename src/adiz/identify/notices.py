"""Prior notices and radio contacts, from a user's CSV files.

A notice says that an aircraft will enter: when it was given (``notified_at``), for whom
(``icao24``, ``callsign``, ``registration`` or ``track_id``; or only a ``state``, which then names
no aircraft), for which ``zone`` (id or plain name; empty: any), the announced ``entry_time``, the
``channel`` (hotline, MFA, …) and its ``source``.

A contact is a radio call: its ``time``, with whom (as above), the ``kind`` (``call`` or
``position``), whether it was ``answered`` (yes or no; empty: yes), ``frequency`` and ``source``.

Times need a zone: ``2019-07-23T09:09+09:00`` or ``…Z``. A time without one is refused, not
guessed. Rows that cannot be used are set aside as faults; the rest are used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from adiz.errors import Fault
from adiz.tracks.identity import Identity, Seen
from adiz.tracks.user_csv import UserRow, read_user_csv

WHO = ("icao24", "callsign", "registration", "track_id")
NEAR_ENTRY = timedelta(hours=2)
"""A notice that announces an entry is for a stay that begins within this of it."""
BEFORE_ENTRY = timedelta(hours=48)
AFTER_EXIT = timedelta(hours=24)
"""A notice that announces no time is for a stay this long after it, or this long before."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A prior notice; see the module's head. ``who`` holds the keys given."""

    place: str
    notified_at: datetime
    who: Mapping[str, str]
    zone: str = ""
    state: str = ""
    entry_time: datetime | None = None
    channel: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """A radio contact; see the module's head."""

    place: str
    time: datetime
    who: Mapping[str, str]
    kind: str = "call"
    answered: bool = True
    frequency: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Notices:
    """Notices, and what could not be used."""

    rows: tuple[Notice, ...]
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Contacts:
    """Radio contacts, and what could not be used."""

    rows: tuple[Contact, ...]
    faults: tuple[Fault, ...] = ()


def read_notices(paths: Iterable[str | Path]) -> Notices:
    """Read files of prior notices.

    Raises:
        FaultyInputError: a file or its header cannot be used.
    """
    rows, faults = [], []
    for path, row in _rows(paths, (*WHO, "state", "notified_at", "zone", "entry_time", "channel")):
        told, entry = _time(path, row, "notified_at"), _time(path, row, "entry_time", needed=False)
        who = _who(path, row, also_state=True)
        bad = [x for x in (told, entry, who) if isinstance(x, Fault)]
        faults += bad
        if isinstance(told, datetime) and isinstance(who, dict) and not bad:
            cells = {key: row.cells.get(key, "") for key in ("zone", "channel", "source")}
            when = entry if isinstance(entry, datetime) else None
            state = row.cells.get("state", "").upper()
            rows.append(Notice(f"{path.name}:{row.line}", told, who, state=state,
                               entry_time=when, **cells))  # fmt: skip
    return Notices(tuple(rows), tuple(faults))


def read_contacts(paths: Iterable[str | Path]) -> Contacts:
    """Read files of radio contacts.

    Raises:
        FaultyInputError: a file or its header cannot be used.
    """
    rows, faults = [], []
    for path, row in _rows(paths, (*WHO, "time", "kind", "answered", "frequency")):
        told, who = _time(path, row, "time"), _who(path, row)
        kind = row.cells.get("kind", "call").lower()
        answered = row.cells.get("answered", "yes").lower()
        if kind not in ("call", "position"):
            told = Fault(f"{kind!r} is no kind of contact", str(path), row.line, "kind",
                         "give call or position")  # fmt: skip
        elif answered not in ("yes", "no"):
            told = Fault(f"{answered!r} is neither yes nor no", str(path), row.line, "answered")
        faults += [x for x in (told, who) if isinstance(x, Fault)]
        if isinstance(told, datetime) and isinstance(who, dict):
            rows.append(
                Contact(f"{path.name}:{row.line}", told, who, kind, answered == "yes",
                        row.cells.get("frequency", ""), row.cells.get("source", ""))
            )  # fmt: skip
    return Contacts(tuple(rows), tuple(faults))


def _rows(paths: Iterable[str | Path], columns: tuple[str, ...]) -> Iterable[tuple[Path, UserRow]]:
    for path in map(Path, paths):
        for row in read_user_csv(path, (*columns, "source")):
            yield path, row


def _time(path: Path, row: UserRow, field: str, needed: bool = True) -> datetime | Fault | None:
    text = row.cells.get(field)
    if text is None and not needed:
        return None
    place = (str(path), row.line, field)
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return Fault(f"{text or ''!r} is no time", *place, "write 2019-07-23T09:09+09:00")
    if moment.tzinfo is None:
        remedy = "add its offset, as in +09:00, or Z for UTC"
        return Fault(f"time {text!r} has no time zone", *place, remedy)
    return moment.astimezone(UTC)


def _who(path: Path, row: UserRow, also_state: bool = False) -> dict[str, str] | Fault:
    who = {key: _plain(row.cells[key]) for key in WHO if key in row.cells}
    if who or (also_state and "state" in row.cells):
        return who
    return Fault("names no aircraft", str(path), row.line, None, f"fill one of {', '.join(WHO)}")


def _plain(value: str) -> str:
    return value.replace("-", "").upper()


def held_keys(seen: Seen) -> dict[str, set[str]]:
    """The keys a track has, as :func:`speaks_of` compares them."""
    held = {key: set(map(_plain, getattr(seen, key))) for key in WHO[:3]}
    return {**held, "track_id": {_plain(seen.track_id)}}


def speaks_of(who: Mapping[str, str], held: Mapping[str, set[str]]) -> bool:
    """Whether every key given is one the track has."""
    return bool(who) and all(value in held[key] for key, value in who.items())


def notices_for(
    notices: Notices,
    held: Mapping[str, set[str]],
    identity: Identity,
    zone: tuple[str, ...],
    stay: tuple[datetime, datetime],
) -> tuple[list[Notice], list[Notice]]:
    """Notices for a stay: those that name the aircraft, and those that name only its state.

    Args:
        held: the keys of the aircraft.
        zone: the id and plain name of the zone.
        stay: its earliest and latest instant.
    """
    named, by_state = [], []
    for notice in notices.rows:
        if notice.zone and notice.zone not in zone:
            continue
        entry, leave = stay
        if notice.entry_time:
            fits = entry - NEAR_ENTRY <= notice.entry_time <= leave + NEAR_ENTRY
        else:
            fits = entry - BEFORE_ENTRY <= notice.notified_at <= leave + AFTER_EXIT
        if not fits:
            continue
        if speaks_of(notice.who, held):
            named.append(notice)
        elif not notice.who and notice.state in identity.values("state"):
            by_state.append(notice)
    return named, by_state
