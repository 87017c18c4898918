"""Stays as a watch tells them: entry, exit, cross, dwell, lost and reacquired.

Each begin and end is an event of its own, known by track, zone and the instant it was first told
with. When a late report changes a track's history, its stays are worked out anew and held against
what was told: what moved is a revision, what was not so is withdrawn, what was missed is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from adiz.events import Event, event_id, iso, spoken
from adiz.run.live.labels import Label, Labels
from adiz.units import US_PER_S

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
Row = dict[str, Any]


def micros(moment: datetime | None) -> int | None:
    """Microseconds since 1970."""
    return None if moment is None else (moment - _EPOCH) // _MICROSECOND


@dataclass(slots=True)
class Part:
    """An event of a stay as it was last told."""

    event_id: str
    kind: str
    time_us: int
    revision: int = 1


@dataclass(slots=True)
class Told:
    """A stay as it was told.

    Attributes:
        begun_us, ended_us: its ends; None where not known.
        parts: its events by role: ``begin``, ``end``, ``dwell``.
    """

    zone_id: str
    begun_us: int
    ended_us: int | None = None
    parts: dict[str, Part] = field(default_factory=dict)


@dataclass(slots=True)
class Story:
    """Turns stays into events, and remembers what it told of the tracks still in the air.

    Attributes:
        dwell_s: a stay of so long is told as ``dwell``; None: none is.
        lost: tracks told as lost while their stay is still under way.
    """

    labels: Labels
    zone_names: Mapping[str, str]
    dwell_s: float | None = None
    told: dict[str, list[Told]] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)

    # ---- as it happens --------------------------------------------------------------------------

    def opened(self, rows: Iterable[Row], finished: list[Row], detected_us: int) -> list[Event]:
        """Stays that began. Those that were over within the same leg are told as ``cross``."""
        over = {
            (r["track_id"], r["zone_id"], r["entry_time"])
            for r in finished
            if not r["report_count"] and r["exit_kind"] == r["entry_kind"] == "crossed"
        }
        regained = {
            (r["track_id"], r["zone_id"], r["exit_time"])
            for r in finished
            if r["certainty"] != "observed" and r["entry_time"] is not None
        }
        events = []
        for row in rows:
            if (row["track_id"], row["zone_id"], row["entry_time"]) in over:
                continue
            begun_us = _known(row["entry_time"])
            told = Told(row["zone_id"], begun_us)
            again = (row["track_id"], row["zone_id"], row["entry_time"]) in regained
            kind = "reacquired" if row["entry_kind"] == "reacquired" and again else "entry"
            self.told.setdefault(row["track_id"], []).append(told)
            events.append(self._event(told, "begin", kind, row, begun_us, detected_us))
        return events

    def finished(self, rows: Iterable[Row], detected_us: int) -> list[Event]:
        """Stays that are complete."""
        events = []
        for row in rows:
            if row["entry_time"] is None or row["certainty"] != "observed":
                events += self._between(row, detected_us)
                continue
            told = self._find(row)
            ended_us = _known(row["exit_time"])
            if told is None:  # in and out within one leg
                told = Told(row["zone_id"], _known(row["entry_time"]), ended_us)
                self.told.setdefault(row["track_id"], []).append(told)
                events.append(self._event(told, "begin", "cross", row, told.begun_us, detected_us))
                continue
            told.ended_us = ended_us
            self.lost.discard(row["track_id"])
            events += self._dwelt(told, row, ended_us, detected_us)
            events += self._found_again(told, row, ended_us, detected_us)
            if "end" not in told.parts:
                kind = "exit" if row["exit_kind"] in ("crossed", "deactivated") else "lost"
                events.append(self._event(told, "end", kind, row, ended_us, detected_us))
        return events

    def standing(self, rows: Iterable[Row], silent_before_us: int, detected_us: int) -> list[Event]:
        """Stays under way: those whose track has fallen silent are lost, long ones dwell."""
        events = []
        for row in rows:
            told = self._find(row)
            if told is None:
                continue
            last_us = _known(row["exit_time"])
            events += self._dwelt(told, row, last_us, detected_us)
            events += self._found_again(told, row, last_us, detected_us)
            if last_us < silent_before_us and "end" not in told.parts:
                self.lost.add(row["track_id"])
                events.append(self._event(told, "end", "lost", row, last_us, detected_us))
        return events

    def _dwelt(self, told: Told, row: Row, until_us: int, detected_us: int) -> list[Event]:
        if self.dwell_s is None or "dwell" in told.parts:
            return []
        due_us = told.begun_us + round(self.dwell_s * US_PER_S)
        if until_us < due_us:
            return []
        return [self._event(told, "dwell", "dwell", row, due_us, detected_us)]

    def _found_again(self, told: Told, row: Row, last_us: int, detected_us: int) -> list[Event]:
        """A loss that was told too early: reports came that close the gap."""
        part = told.parts.get("end")
        if part is None or last_us <= part.time_us:
            return []
        del told.parts["end"]
        self.lost.discard(row["track_id"])
        return [self._withdrawn(row["track_id"], told, part, detected_us)]

    def _between(self, row: Row, detected_us: int) -> list[Event]:
        """What a gap allows, where neither end of it was inside: it may have crossed the zone."""
        if row["entry_time"] is not None or row["exit_time"] is not None:
            return []
        told = Told(row["zone_id"], _known(row["earliest_entry"]), _known(row["latest_exit"]))
        self.told.setdefault(row["track_id"], []).append(told)
        return [self._event(told, "begin", "cross", row, told.begun_us, detected_us)]

    def _find(self, row: Row) -> Told | None:
        begun_us = _known(row["entry_time"])
        for told in reversed(self.told.get(row["track_id"], [])):
            if told.zone_id == row["zone_id"] and told.begun_us == begun_us:
                return told
        return None

    # ---- told anew ------------------------------------------------------------------------------

    def revise(
        self, track_id: str, finished: list[Row], standing: list[Row], detected_us: int
    ) -> list[Event]:
        """Hold a track's stays, worked out anew, against what was told of it.

        Args:
            finished: its stays that are complete, from its first report on.
            standing: those under way.
        """
        before = self.told.pop(track_id, [])
        fresh = Story(self.labels, self.zone_names, self.dwell_s)
        opened = [r for r in finished if r["certainty"] == "observed"] + standing
        drawn = fresh.opened(sorted(opened, key=lambda r: r["entry_time"]), finished, detected_us)
        drawn += fresh.finished(finished, detected_us) + fresh.standing(standing, -1, detected_us)
        now = fresh.told.get(track_id, [])
        self.told[track_id] = now
        by_id = {event.event_id: event for event in drawn}
        events: list[Event] = []
        for old, new in _paired(before, now):
            events += self._difference(track_id, old, new, by_id, detected_us)
        return events

    def _difference(
        self,
        track_id: str,
        old: Told | None,
        new: Told | None,
        drawn: Mapping[str, Event],
        detected_us: int,
    ) -> list[Event]:
        events = []
        old_parts = old.parts if old else {}
        new_parts = new.parts if new else {}
        for role in ("begin", "dwell", "end"):
            was, now = old_parts.get(role), new_parts.get(role)
            if was and not now and new is not None and new.ended_us is None and role == "end":
                new_parts["end"] = was  # lost, and not heard since
            elif was and now:
                event = drawn[now.event_id]
                same = (was.kind, was.time_us) == (now.kind, now.time_us)
                now.event_id, now.revision = was.event_id, was.revision + (not same)
                if not same:
                    events.append(_as(event, now))
            elif now:
                events.append(drawn[now.event_id])
            elif was:
                events.append(self._withdrawn(track_id, old, was, detected_us))
        return events

    def _withdrawn(self, track_id: str, told: Told | None, part: Part, detected_us: int) -> Event:
        label = self.labels[track_id]
        zone_id = told.zone_id if told else None
        return Event(
            event_id=part.event_id,
            revision=part.revision + 1,
            kind=part.kind,
            time_us=part.time_us,
            detected_us=detected_us,
            certainty="observed",
            text=f"Withdrawn: {part.kind} of {label.name}, {self._zone(zone_id)}, "
            f"{spoken(part.time_us)}: a late report shows otherwise.",
            withdrawn=True,
            tracks=(track_id,),
            zone_id=zone_id,
            **label.facts(),
        )

    # ---- one event ------------------------------------------------------------------------------

    def _event(
        self, told: Told, role: str, kind: str, row: Row, time_us: int, detected_us: int
    ) -> Event:
        track_id = row["track_id"]
        part = Part(event_id(kind, track_id, told.zone_id, told.begun_us, role), kind, time_us)
        told.parts[role] = part
        end = "exit" if role == "end" else "entry"
        label = self.labels[track_id]
        return Event(
            event_id=part.event_id,
            kind=kind,
            time_us=time_us,
            detected_us=detected_us,
            certainty=row["certainty"],
            text=_sentence(kind, label, self._zone(told.zone_id), row, time_us, self.dwell_s),
            tracks=(track_id,),
            zone_id=told.zone_id,
            lat_deg=row[f"{end}_lat_deg"],
            lon_deg=row[f"{end}_lon_deg"],
            alt_ft=label.alt_ft,
            **label.facts(),
            data=_figures(role, kind, row),
        )

    def _zone(self, zone_id: str | None) -> str:
        return self.zone_names.get(zone_id or "", zone_id or "")

    # ---- memory ---------------------------------------------------------------------------------

    def forget(self, track_ids: Iterable[str]) -> None:
        """Forget tracks that have ended."""
        for track_id in track_ids:
            self.told.pop(track_id, None)
            self.lost.discard(track_id)

    def trim(self, before_us: int) -> None:
        """Forget the stays that ended before."""
        for track_id, stays in list(self.told.items()):
            kept = [t for t in stays if t.ended_us is None or t.ended_us >= before_us]
            if not kept:
                del self.told[track_id]
            elif len(kept) < len(stays):
                self.told[track_id] = kept

    def save(self) -> bytes:
        """The state, for :meth:`restore`."""
        return msgspec.msgpack.encode(self.told)

    def restore(self, state: bytes) -> None:
        """Take up what was saved."""
        self.told = msgspec.msgpack.decode(state, type=dict[str, list[Told]])
        self.lost = {track for track, stays in self.told.items() if _is_lost(stays)}


def _is_lost(stays: list[Told]) -> bool:
    return any(t.ended_us is None and "end" in t.parts for t in stays)


def _known(moment: datetime | None) -> int:
    time_us = micros(moment)
    assert time_us is not None
    return time_us


def _as(event: Event, part: Part) -> Event:
    return replace(event, event_id=part.event_id, revision=part.revision)


def _paired(before: list[Told], now: list[Told]) -> Iterable[tuple[Told | None, Told | None]]:
    """Stays told with the stays that took their place: the same begin, else the next to overlap."""
    rest = list(before)
    pairs: list[tuple[Told | None, Told | None]] = []
    unpaired = []
    for new in now:
        same = [o for o in rest if (o.zone_id, o.begun_us) == (new.zone_id, new.begun_us)]
        if same:
            rest.remove(same[0])
            pairs.append((same[0], new))
        else:
            unpaired.append(new)
    for new in unpaired:
        near = [o for o in rest if o.zone_id == new.zone_id and _overlap(o, new)]
        if near:
            rest.remove(near[0])
        pairs.append((near[0] if near else None, new))
    return [*pairs, *((old, None) for old in rest)]


def _overlap(a: Told, b: Told) -> bool:
    end_a = a.ended_us if a.ended_us is not None else 1 << 62
    end_b = b.ended_us if b.ended_us is not None else 1 << 62
    return a.begun_us <= end_b and b.begun_us <= end_a


def _figures(role: str, kind: str, row: Row) -> dict[str, Any]:
    """What the stay's row says that fits the event."""
    bounds = {n: _text(row[n]) for n in ("earliest_entry", "latest_exit")}
    if role == "begin" and kind != "cross":
        return {"entry_kind": row["entry_kind"], "earliest_entry": bounds["earliest_entry"]}
    names = ("entry_kind", "exit_kind", "duration_s", "max_depth_m", "vertical", "report_count",
             "longest_inside_s")  # fmt: skip
    times = {n: _text(row[n]) for n in ("entry_time", "exit_time")}
    if role == "end" and kind == "lost":
        return {"entry_time": times["entry_time"], "last_report": times["exit_time"]}
    if role == "dwell":
        return {"entry_time": times["entry_time"]}
    return {**times, **bounds, **{n: row[n] for n in names}}


def _text(moment: datetime | None) -> str | None:
    time_us = micros(moment)
    return None if time_us is None else iso(time_us)


def _sentence(
    kind: str, label: Label, zone: str, row: Row, time_us: int, dwell_s: float | None
) -> str:
    """The event in words that go no further than what was seen."""
    who, when = label.name, spoken(time_us)
    if kind == "entry":
        how = {
            "crossed": f"{who} entered {zone} at {when}.",
            "appeared": f"{who} was first seen at {when}, inside {zone}.",
            "activated": f"{zone} came into force at {when} with {who} inside.",
        }
        return how.get(
            row["entry_kind"],
            f"{who} was seen inside {zone} at {when}, after a gap in which it entered.",
        )
    if kind == "reacquired":
        return f"{who} is seen again inside {zone} since {when}."
    if kind == "lost":
        return f"{who} was last seen inside {zone} at {when}; where it is now is not known."
    if kind == "dwell":
        return f"{who} has been in {zone} for {(dwell_s or 0) / 60:g} minutes at {when}."
    if kind == "cross" and row["certainty"] == "observed":
        seconds = row["duration_s"]
        return f"{who} crossed {zone} in {seconds:.1f} s from {when}, between two reports."
    if kind == "cross":
        word = "must" if row["certainty"] == "definite" else "may"
        until, minutes = spoken(_known(row["latest_exit"])), row["longest_inside_s"] / 60
        return (
            f"{who} {word} have been in {zone} unseen, between {when} and {until}, "
            f"for at most {minutes:.1f} minutes."
        )
    if row["exit_kind"] == "deactivated":
        return f"{zone} ceased to be in force at {when} with {who} inside."
    minutes = (row["duration_s"] or 0.0) / 60
    return f"{who} left {zone} at {when} after {minutes:.1f} minutes."
