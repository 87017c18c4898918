"""What a watch says: one event, its kinds, and the identity that survives restarts.

An event's id depends on what it is about alone (kind, track, zone, and the moment that began it),
so that whatever is worked out twice is the same event. What is learnt later of the same thing is a
further revision under the same id; nothing is taken back silently.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

KINDS: tuple[str, ...] = (
    "warning",
    "entry",
    "exit",
    "cross",
    "dwell",
    "lost",
    "reacquired",
    "encounter",
    "formation",
    "joint_patrol",
    "identification",
    "squawk_7500",
    "squawk_7600",
    "squawk_7700",
    "feed_down",
    "feed_up",
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened, as it is known.

    Attributes:
        event_id: 16 hex digits, see :func:`event_id`.
        revision: from 1; the highest holds.
        kind: one of :data:`KINDS`.
        time_us: when it happened (event time), microseconds since 1970 UTC.
        detected_us: when the report that told it was received, or the replay had come so far.
        certainty: ``observed``, ``possible``, ``definite`` or ``predicted``.
        text: one sentence for a person.
        withdrawn: a later report showed that it did not happen.
        tracks: the track it is about; several for encounters and formations.
        zone_id, feed: where that applies.
        lat_deg, lon_deg, alt_ft: where it happened, as far as known.
        icao24, callsign, type_code, state, role, squawk: of the (first) track, as far as known.
        data: figures of its kind; JSON values only.
    """

    event_id: str
    revision: int = 1
    kind: str
    time_us: int
    detected_us: int
    certainty: str
    text: str
    withdrawn: bool = False
    tracks: tuple[str, ...] = ()
    zone_id: str | None = None
    feed: str | None = None
    lat_deg: float | None = None
    lon_deg: float | None = None
    alt_ft: float | None = None
    icao24: str | None = None
    callsign: str | None = None
    type_code: str | None = None
    state: str | None = None
    role: str | None = None
    squawk: str | None = None
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The idempotency key: the same for every copy of one revision."""
        return f"{self.event_id}-{self.revision}"


def event_id(kind: str, *about: object) -> str:
    """The id of an event: 16 hex digits of SHA-256 over its kind and what it is about."""
    text = "\x1f".join([kind, *map(str, about)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def iso(time_us: int) -> str:
    """Microseconds since 1970 as ISO 8601 with Z; microseconds only where there are any."""
    return (_EPOCH + timedelta(microseconds=time_us)).isoformat().replace("+00:00", "Z")


def spoken(time_us: int) -> str:
    """The same for a sentence, to the nearest second."""
    moment = _EPOCH + timedelta(seconds=round(time_us / 1e6))
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
