"""Who the tracks of a watch are, as far as their reports have said, and their squawks.

What a report leaves open is kept from earlier ones. Texts that came by radio are made harmless
here, once: letters that could steer a terminal are left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from adiz.events import Event, event_id, spoken
from adiz.tracks.identity import Seen, identify, squawk_meaning
from adiz.tracks.registry import Registry

_FIELDS = ("icao24", "callsign", "squawk", "type_code", "registration")
_EMERGENCIES = ("7500", "7600", "7700")
_MOST_VALUES = 8
Place = tuple[int, float | None, float | None, float | None]
_NOWHERE: Place = (0, None, None, None)


@dataclass(slots=True)
class Label:
    """What is known of a track.

    Attributes:
        first_us: time of its first report.
        place: time, latitude, longitude and altitude of the newest report.
        last: the last report's values of address, callsign, squawk, type and registration.
        seen: all different values of each.
        said: the last report's values as they came, with nothing more to learn from them.
    """

    track_id: str
    first_us: int
    place: Place
    last: tuple[str | None, ...] = (None,) * 5
    seen: tuple[tuple[str, ...], ...] = ((),) * 5
    state: str | None = None
    role: str | None = None
    use: str = "unknown"
    said: tuple[str | None, ...] = ()

    @property
    def last_us(self) -> int:
        return self.place[0]

    @property
    def lat_deg(self) -> float | None:
        return self.place[1]

    @property
    def lon_deg(self) -> float | None:
        return self.place[2]

    @property
    def alt_ft(self) -> float | None:
        return self.place[3]

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

    def __getitem__(self, track_id: str) -> Label:
        return self.by_track.get(track_id) or Label(track_id, 0, _NOWHERE)

    def step(self, reports: pl.DataFrame, detected_us: int) -> list[Event]:
        """Learn from reports in order of time; the emergency squawks that are new."""
        events: list[Event] = []
        known = self.by_track
        # Most rows say what the last one of their track said: that has to be quick.
        names = reports["track_id"].to_list()
        texts = zip(*(reports[name].to_list() for name in _FIELDS), strict=True)
        for track_id, said, place in zip(names, texts, _places(reports), strict=True):
            label = known.get(track_id)
            if label is None:
                label = known[track_id] = Label(track_id, place[0], place)
            elif place[0] >= label.place[0]:
                label.place = place
            elif place[0] < label.first_us:
                label.first_us = place[0]
            if said == label.said:
                continue
            if any(new and new != old for new, old in zip(said, label.last, strict=True)):
                squawk = label.value("squawk")
                self._learn(label, said)
                now = label.value("squawk")
                if now != squawk and now in _EMERGENCIES:
                    events.append(_emergency(label, now, place, detected_us))
            label.said = said
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
        gone = [name for name, label in self.by_track.items() if label.last_us < before_us]
        for name in gone:
            del self.by_track[name]
        return gone

    def save(self) -> list[Any]:
        """The state, for :meth:`restore`."""
        return [
            [x.track_id, x.first_us, x.place, x.last, x.seen, x.state, x.role, x.use]
            for x in self.by_track.values()
        ]

    @classmethod
    def restore(cls, registry: Registry | None, state: Iterable[Any]) -> Labels:
        """The labels that were saved."""
        labels = cls(registry)
        for track_id, first_us, place, last, seen, *rest in state:
            labels.by_track[track_id] = Label(
                track_id, first_us, tuple(place), tuple(last), tuple(map(tuple, seen)), *rest
            )
        return labels


def _places(reports: pl.DataFrame) -> Iterable[Place]:
    height = pl.coalesce("alt_baro_ft", "alt_geom_ft")
    found = reports.select(pl.col("time").to_physical(), "lat_deg", "lon_deg", height)
    return zip(*(column.to_list() for column in found), strict=True)


def _plain(value: str | None) -> str | None:
    if value is None or (value.isascii() and value.isprintable()):
        return value or None
    return "".join(c for c in value if c.isprintable())[:40] or None


def _emergency(label: Label, squawk: str, place: Place, detected_us: int) -> Event:
    time_us = place[0]
    meaning = squawk_meaning(squawk)
    return Event(
        event_id=event_id(f"squawk_{squawk}", label.track_id, time_us),
        kind=f"squawk_{squawk}",
        time_us=time_us,
        detected_us=detected_us,
        certainty="observed",
        text=f"{label.name} sends squawk {squawk} ({meaning}) since {spoken(time_us)}.",
        tracks=(label.track_id,),
        lat_deg=label.lat_deg,
        lon_deg=label.lon_deg,
        alt_ft=label.alt_ft,
        **label.facts(),
        data={"meaning": meaning},
    )
