"""A log of events over a database, as the alerts need one, and events to put in it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import sqlalchemy as sa

from adiz.database import create_engine, parse_url
from adiz.events import Event, event_id
from adiz.out.alerts.message import Message, message_key
from adiz.out.alerts.model import Retry

START_US = 1_700_000_000_000_000  # 2023-11-14T22:13:20Z
_META = sa.MetaData()
_BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_EVENTS = sa.Table(
    "test_events",
    _META,
    sa.Column("number", _BIG, primary_key=True, autoincrement=True),
    sa.Column("body", sa.Text, nullable=False),
)


class Log:
    """Implements ``EventLog``."""

    def __init__(self, url: str) -> None:
        self.engine = create_engine(parse_url(url), ahead=True)
        _META.create_all(self.engine)

    def add(self, *events: Event) -> None:
        with self.engine.begin() as connection:
            for event in events:
                row = {"body": json.dumps(asdict(event))}
                connection.execute(sa.insert(_EVENTS).values(row))

    def events_after(self, number: int, limit: int) -> list[tuple[int, Event]]:
        query = sa.select(_EVENTS).where(_EVENTS.c.number > number)
        query = query.order_by(_EVENTS.c.number).limit(limit)
        with self.engine.connect().execution_options(reads=True) as connection:
            return [(row.number, _event(row.body)) for row in connection.execute(query)]


def _event(body: str) -> Event:
    fields = json.loads(body)
    return Event(**{**fields, "tracks": tuple(fields["tracks"])})


def make_event(kind: str = "entry", track: str = "T1", at_s: float = 0.0, **more: Any) -> Event:
    """An event of one track, ``at_s`` seconds after :data:`START_US`."""
    time_us = START_US + int(at_s * 1e6)
    zone = more.get("zone_id", "KR-KADIZ")
    fields: dict[str, Any] = {
        "event_id": event_id(kind, track, zone, time_us),
        "kind": kind,
        "time_us": time_us,
        "detected_us": time_us + 1_000_000,
        "certainty": "observed",
        "text": f"{track} {kind} {zone} at {at_s:g} s",
        "tracks": (track,),
        "zone_id": zone,
    }
    return Event(**{**fields, **more})


def make_message(event: Event | None = None, rule: str = "all", escalated: bool = False) -> Message:
    event = event or make_event()
    key = message_key(event, rule, escalated)
    return Message(key=key, rule=rule, escalated=escalated, event=event)


@dataclass
class Clock:
    """A clock that only tests move."""

    us: int = START_US

    def now_us(self) -> int:
        return self.us

    def pass_s(self, seconds: float) -> None:
        self.us += int(seconds * 1e6)


@dataclass
class ListSink:
    """Keeps what it gets; fails as ``fails`` says."""

    name: str = "list"
    kind: str = "list"
    retry: Retry = field(default_factory=Retry)
    settle_s: float = 0.0
    got: list[Message] = field(default_factory=list)
    fails: Any = None
    checks: Any = None
    closed: bool = False

    def deliver(self, message: Message) -> None:
        if self.fails is not None:
            self.fails(message)
        self.got.append(message)

    def check(self) -> bool:
        return self.checks() if self.checks is not None else False

    def close(self) -> None:
        self.closed = True


def orders(messages: Iterable[Message]) -> dict[str, list[str]]:
    """Keys by track, the first of each only."""
    found: dict[str, list[str]] = {}
    for message in messages:
        for track in message.event.tracks or (message.lane,):
            keys = found.setdefault(track, [])
            if message.key not in keys:
                keys.append(message.key)
    return found
