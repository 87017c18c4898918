"""One alert on its way to one sink: what it says, and the key that makes copies recognisable."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from adiz.events import Event, iso
from adiz.out.alerts.words import plain

SCHEMA = "adiz-alert-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a sink is handed.

    Attributes:
        key: the idempotency key: the same however often this alert is sent.
        rule: the rule that asked for it.
        escalated: sent because nobody acknowledged the first.
        event: with every text cleaned (:func:`adiz.out.alerts.words.clean`).
    """

    key: str
    rule: str
    escalated: bool
    event: Event

    @property
    def lane(self) -> str:
        """What order is kept within: the (first) track, else the feed, else the event itself."""
        event = self.event
        return event.tracks[0] if event.tracks else event.feed or event.event_id

    @property
    def text(self) -> str:
        """The event's sentence, with what has changed said before it."""
        event = self.event
        words = ["Not acknowledged"] if self.escalated else []
        if event.withdrawn:
            words.append("Withdrawn")
        elif event.revision > 1:
            words.append("Revised")
        said = event.text.lower()
        return "".join(f"{word}: " for word in words if not said.startswith(word.lower())) + (
            event.text
        )

    def body(self) -> dict[str, Any]:
        """The JSON object that webhooks, brokers and files get (docs/reference/watch.md)."""
        event = asdict(self.event)
        event["tracks"] = list(self.event.tracks)
        event["time"], event["detected"] = iso(self.event.time_us), iso(self.event.detected_us)
        return {
            "schema": SCHEMA,
            "key": self.key,
            "rule": self.rule,
            "escalated": self.escalated,
            "text": self.text,
            "event": event,
        }

    def json(self) -> str:
        """The body as one line of JSON, ASCII alone."""
        return json.dumps(self.body(), separators=(",", ":"), allow_nan=False)


def message_key(event: Event, rule: str, escalated: bool) -> str:
    """The idempotency key of an alert: event and revision, rule, and whether it is escalated."""
    return f"{event.key}-{rule}" + ("-escalated" if escalated else "")


def dump_event(event: Event) -> str:
    """An event as JSON text for the outbox, cleaned."""
    return json.dumps(plain(asdict(event)), separators=(",", ":"), allow_nan=False)


def load_event(text: str) -> Event:
    """The event that :func:`dump_event` wrote, in whichever version."""
    known = Event.__dataclass_fields__
    fields = {name: value for name, value in json.loads(text).items() if name in known}
    return Event(**{**fields, "tracks": tuple(fields["tracks"])})
