"""What a watch tells of its feeds."""

from __future__ import annotations

from adiz.events import Event, event_id, spoken
from adiz.run.live.record import Record


def feed_event(record: Record) -> Event:
    """The event of a feed that went up or down."""
    up = record.kind == "feed_up"
    why = record.data.get("reason")
    text = f"The feed {record.feed} is {'up' if up else 'down'} since {spoken(record.received_us)}"
    return Event(
        event_id=event_id(record.kind, record.feed, record.received_us),
        kind=record.kind,
        time_us=record.received_us,
        detected_us=record.received_us,
        certainty="observed",
        text=f"{text}: {why}." if why else f"{text}.",
        feed=record.feed,
        data=record.data,
    )
