"""Who the tracks of a watch are, as far as their reports have said, and their squawks.

What a report leaves open is kept from earlier ones. Texts that came by radio are made harmless
here, once: letters that could steer a terminal are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from adiz.detect._latest import Kernel
from adiz.events import Event, event_id, spoken
from adiz.tracks.identity import Seen, identify, squawk_meaning
from adiz.tracks.registry import Registry

_FIELDS = ("icao24", "callsign", "squawk", "type_code", "registration")
_EMERGENCIES = ("7500", "7600", "7700")
_MOST_VALUES = 8
_HEIGHT = pl.coalesce("alt_baro_ft", "alt_geom_ft")
Place = tuple[int, int, float | None, float | None, float | None]
"""First and last time, latitude, longitude, altitude."""

_NOWHERE: Place = (0, 0, None, None, None)


def _nowhere(_: str) -> Place:
    return _NOWHERE


@dataclass(slots=True)
class Label:
    """What is known of a track.

    Attributes:
        last: the last report's values of address, callsign, squawk, type and registration.
        seen: all different values of each.
        place: of the kernel that knows when and where it was seen.
    """

    track_id: str
    place: Callable[[str], Place | None] = _nowhere
    last: tuple[str | None, ...] = (None,) * 5
    seen: tuple[tuple[str, ...], ...] = ((),) * 5
    state: str | None = None
    role: str | None = None
    use: str = "unknown"

    @property
    def first_us(self) -> int:
        """Time of its first report."""
        return self.at[0]

    @property
    def last_us(self) -> int:
        """Time of its newest report, as the following are of that."""
        return self.at[1]

    @property
    def lat_deg(self) -> float | None:
        return self.at[2]

    @property
    def lon_deg(self) -> float | None:
        return self.at[3]

    @property
    def alt_ft(self) -> float | None:
        return self.at[4]

    @property
    def at(self) -> Place:
        """All of these at once."""
        return self.place(self.track_id) or _NOWHERE

    def value(self, name: str) -> str | None:
        """The latest known value of a field."""
        values = self.seen[_FIELDS.index(name)]
        return self.last[_FIELDS.index(name)] or (values[-1] if values else None)

    @property
    def name(self) -> str:
        """For a sentence: the callsign or registration, with the track's own name."""
        spoken = self.value("callsign") or self.value("registration")
        kind = self.value("type_code")
        about = ", ".join(x for x in (self.track_id if spoken else None, kind) if x)
        return f"{spoken or self.track_id} ({about})" if about else self.track_id

    def facts(self) -> dict[str, Any]:
        """The fields of an event that tell who it is about."""
        return {
            "icao24": self.value("icao24"),
            "callsign": self.value("callsign"),
            "type_code": self.value("type_code"),
            "squawk": self.value("squawk"),
            "state": self.state,
            "role": self.role,
        }

    def identified_as(self) -> Seen:
        """As the rules of identity take it."""
        return Seen(self.track_id, *self.seen)


@dataclass(slots=True)
class Labels:
    """The labels of all tracks that are not forgotten."""

    registry: Registry | None = None
    by_track: dict[str, Label] = field(default_factory=dict)
    _latest: Kernel = field(default_factory=Kernel)

    def __getitem__(self, track_id: str) -> Label:
        return self.by_track.get(track_id) or Label(track_id)

    def step(self, reports: pl.DataFrame, detected_us: int) -> list[Event]:
        """Learn from reports in order of time; the emergency squawks that are new."""
        new = self._latest.step(
            reports["time"].rechunk(),
            reports["track_id"].rechunk(),
            [_values(column) for column in reports.select("lat_deg", "lon_deg", _HEIGHT)],
            [_values(reports[name]) for name in _FIELDS],
        )
        if not new:
            return []
        events: list[Event] = []
        time_us = pl.col("time").to_physical()
        rows = reports[new].select("track_id", *_FIELDS, time_us, "lat_deg", "lon_deg", _HEIGHT)
        for track_id, *values, at_us, lat_deg, lon_deg, alt_ft in rows.iter_rows():
            label = self.by_track.get(track_id)
            if label is None:
                label = self.by_track[track_id] = Label(track_id, self._latest.get)
            said = tuple(values)
            if not any(new and new != old for new, old in zip(said, label.last, strict=True)):
                continue
            squawk = label.value("squawk")
            self._learn(label, said)
            now = label.value("squawk")
            if now != squawk and now in _EMERGENCIES:
                event = _emergency(label, now, at_us, detected_us)
                events.append(replace(event, lat_deg=lat_deg, lon_deg=lon_deg, alt_ft=alt_ft))
        return events

    def _learn(self, label: Label, said: tuple[str | None, ...]) -> None:
        clean = tuple(_plain(value) for value in said)
        seen = tuple(
            values if value is None or value in values else (*values, value)[-_MOST_VALUES:]
            for values, value in zip(label.seen, clean, strict=True)
        )
        kept = tuple(value or old for value, old in zip(clean, label.last, strict=True))
        changed = seen != label.seen
        label.last, label.seen = kept, seen
        if changed:
            identity = identify(label.identified_as(), self.registry)
            label.state, label.role, label.use = identity.state, identity.role, identity.use

    def forget(self, before_us: int) -> list[str]:
        """Forget the tracks not heard since; their names."""
        gone = self._latest.forget(before_us)
        for name in gone:
            del self.by_track[name]
        return gone

    def save(self) -> list[Any]:
        """The state, for :meth:`restore`."""
        return [
            [x.track_id, x.at, x.last, x.seen, x.state, x.role, x.use]
            for x in self.by_track.values()
        ]

    def restore(self, state: Iterable[Any]) -> None:
        """Take up what was saved."""
        self.by_track.clear()
        self._latest = Kernel()
        for track_id, place, last, seen, *rest in state:
            self._latest.put(track_id, *place)
            self.by_track[track_id] = Label(
                track_id, self._latest.get, tuple(last), tuple(map(tuple, seen)), *rest
            )


def _values(column: pl.Series) -> pl.Series | None:
    """A column as the kernel takes it; None where it has no value: it may be nowhere then."""
    return None if column.null_count() == len(column) else column.rechunk()


def _plain(value: str | None) -> str | None:
    if value is None or (value.isascii() and value.isprintable()):
        return value or None
    return "".join(c for c in value if c.isprintable())[:40] or None


def _emergency(label: Label, squawk: str, time_us: int, detected_us: int) -> Event:
    meaning = squawk_meaning(squawk)
    return Event(
        event_id=event_id(f"squawk_{squawk}", label.track_id, time_us),
        kind=f"squawk_{squawk}",
        time_us=time_us,
        detected_us=detected_us,
        certainty="observed",
        text=f"{label.name} sends squawk {squawk} ({meaning}) since {spoken(time_us)}.",
        tracks=(label.track_id,),
        **label.facts(),
        data={"meaning": meaning},
    )
