"""The pump: takes events from the log, applies the rules, and puts deliveries in the outbox."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from adiz.events import Event
from adiz.out.alerts.outbox import PAGE, EventLog, Outbox, reading
from adiz.out.alerts.rules import Rule, signature
from adiz.out.alerts.tables import ACKS, TOLD
from adiz.out.alerts.words import clean

DELIVERED_KEPT_S = 7 * 86400.0
TOLD_KEPT_S = 30 * 86400.0
_PRUNE_EVERY_US = 3600_000_000
Row = Any  # a row of alert_told
# Made once: to put a statement together takes longer than to carry it out.
_INSERT = sa.insert(TOLD)
_REPEATS = (
    sa.select(TOLD.c.event_id)
    .where(
        TOLD.c.rule == sa.bindparam("rule"),
        TOLD.c.signature == sa.bindparam("signature"),
        TOLD.c.time_us > sa.bindparam("from_us"),
        TOLD.c.time_us < sa.bindparam("to_us"),
        TOLD.c.state.in_(("told", "held")),
        TOLD.c.withdrawn.is_(sa.false()),
        TOLD.c.event_id != sa.bindparam("event_id"),
    )
    .order_by(TOLD.c.number)
    .limit(1)
)


class Pump:
    """Turns events into deliveries. One step does all there is to do; steps may be cut anywhere.

    Args:
        log: the store.
        outbox: in the same database.
        rules: in the order of the configuration.
        now_us: the clock.
    """

    def __init__(
        self, log: EventLog, outbox: Outbox, rules: Sequence[Rule], now_us: Callable[[], int]
    ) -> None:
        self._log = log
        self._outbox = outbox
        self._rules = {rule.name: rule for rule in rules}
        self._now_us = now_us
        self._kept_s = max([TOLD_KEPT_S, *(2 * rule.repeat_s for rule in rules)])
        self._pruned_us = 0

    def step(self) -> bool:
        """Take in what is new, release and escalate what is due; True where rows were written."""
        wrote = False
        while self._take():
            wrote = True
        wrote |= self._due(TOLD.c.release_us, self._release)
        wrote |= self._due(TOLD.c.escalate_us, self._escalate)
        now = self._now_us()
        if now - self._pruned_us > _PRUNE_EVERY_US:
            self._outbox.prune(now, DELIVERED_KEPT_S, self._kept_s)
            self._pruned_us = now
        return wrote

    def _take(self) -> bool:
        """One page of new events; the cursor and what follows from them in one transaction."""
        at = self._outbox.cursor()
        page = self._log.events_after(at, PAGE)
        if not page:
            return False
        with self._outbox.writing() as connection:
            if self._outbox.advance(connection, at, page[-1][0]):
                known = {event.event_id for _, event in page}
                found = sa.select(TOLD.c.event_id).where(TOLD.c.event_id.in_(known)).distinct()
                told = set(connection.execute(found).scalars())
                for number, event in page:
                    for rule in self._rules.values():
                        again = event.event_id in told
                        self._apply(connection, rule, number, event, again=again)
                    told.add(event.event_id)
        return True

    def _apply(
        self, connection: sa.Connection, rule: Rule, number: int, event: Event, *, again: bool
    ) -> None:
        """What one rule makes of one event; ``again``: there may be a row of it already."""
        row = None
        if again:
            where = (TOLD.c.rule == rule.name) & (TOLD.c.event_id == event.event_id)
            row = connection.execute(sa.select(TOLD).where(where)).mappings().first()
        if row is not None:
            self._follow(connection, rule, row, number, event)
        elif not event.withdrawn and rule.matches(event):
            values = self._first(connection, rule, event)
            values |= _said(number, event)
            connection.execute(_INSERT, values)

    def _first(self, connection: sa.Connection, rule: Rule, event: Event) -> dict[str, Any]:
        """What is done with an event that the rule has not told; makes its deliveries."""
        now = self._now_us()
        values: dict[str, Any] = {
            "rule": rule.name,
            "event_id": event.event_id,
            "signature": signature(event),
            "at_us": now,
            "because": None,
            "release_us": None,
            "escalate_us": None,
            "sinks": "[]",
        }
        because = self._repeats(connection, rule, event)
        if because is not None:
            return values | {"state": "repeat", "because": because}
        quiet = rule.quiet_until_us(event.kind, now)
        if quiet:
            end, hold = quiet
            return values | ({"state": "held", "release_us": end} if hold else {"state": "dropped"})
        return values | self._tell(connection, rule, event, now)

    def _tell(
        self, connection: sa.Connection, rule: Rule, event: Event, now: int
    ) -> dict[str, Any]:
        self._outbox.add(connection, event, rule.name, rule.sinks, now)
        later = now + int(rule.escalate_after_s * 1e6)
        return {
            "state": "told",
            "release_us": None,
            "sinks": json.dumps(rule.sinks),
            "escalate_us": later if rule.escalate_after_s and rule.escalate_to else None,
        }

    def _repeats(self, connection: sa.Connection, rule: Rule, event: Event) -> str | None:
        """The event told before that this one would repeat."""
        if not rule.repeat_s:
            return None
        span = int(rule.repeat_s * 1e6)
        about = {
            "rule": rule.name,
            "signature": signature(event),
            "from_us": event.time_us - span,
            "to_us": event.time_us + span,
            "event_id": event.event_id,
        }
        found: str | None = connection.execute(_REPEATS, about).scalar()
        return found

    def _follow(
        self, connection: sa.Connection, rule: Rule, row: Row, number: int, event: Event
    ) -> None:
        """A further revision of an event goes to whoever got the first."""
        if event.revision <= row["revision"]:
            return
        if row["state"] == "told" and (rule.revisions or event.withdrawn != row["withdrawn"]):
            self._outbox.add(connection, event, rule.name, json.loads(row["sinks"]), self._now_us())
        _update(connection, row, _said(number, event))
        if event.withdrawn and row["state"] in ("told", "held"):
            self._revive(connection, rule, event.event_id)

    def _revive(self, connection: sa.Connection, rule: Rule, event_id: str) -> None:
        """What was kept back as a repeat of an event that is withdrawn is looked at anew."""
        query = sa.select(TOLD).where(
            TOLD.c.rule == rule.name,
            TOLD.c.because == event_id,
            TOLD.c.state == "repeat",
            TOLD.c.withdrawn.is_(sa.false()),
        )
        for row in connection.execute(query.order_by(TOLD.c.number)).mappings().all():
            event = self._event(row)
            if event is not None:
                _update(connection, row, self._first(connection, rule, event))

    def _due(self, column: sa.Column[Any], act: Callable[[sa.Connection, Row], None]) -> bool:
        """Act on a page of what is due by a column of times."""
        query = sa.select(TOLD).where(column <= self._now_us()).order_by(column).limit(PAGE)
        with reading(self._log.engine) as connection:  # mostly nothing is: lock nobody out
            if connection.execute(query.limit(1)).first() is None:
                return False
        with self._outbox.writing() as connection:
            for row in connection.execute(query).mappings().all():
                act(connection, row)
        return True

    def _release(self, connection: sa.Connection, row: Row) -> None:
        """Quiet is over: what is still so is told, in its newest revision."""
        rule, event = self._rules.get(row["rule"]), self._event(row)
        if rule is None or event is None or row["withdrawn"]:
            _update(connection, row, {"state": "dropped", "release_us": None})
            return
        now = self._now_us()
        quiet = rule.quiet_until_us(event.kind, now)
        if quiet:
            _update(connection, row, {"release_us": quiet[0]})
        else:
            _update(connection, row, self._tell(connection, rule, event, now))

    def _escalate(self, connection: sa.Connection, row: Row) -> None:
        """Nobody has acknowledged it in time: others are told."""
        rule, event, now = self._rules.get(row["rule"]), self._event(row), self._now_us()
        acked = sa.select(ACKS.c.who).where(ACKS.c.event_id == row["event_id"])
        over = rule is None or event is None or row["withdrawn"]
        if rule is None or event is None or over or connection.execute(acked).first():
            _update(connection, row, {"escalate_us": None})
            return
        quiet = rule.quiet_until_us(event.kind, now)
        if quiet:
            _update(connection, row, {"escalate_us": quiet[0]})
            return
        self._outbox.add(connection, event, rule.name, rule.escalate_to, now, escalated=True)
        told = list(dict.fromkeys([*json.loads(row["sinks"]), *rule.escalate_to]))
        _update(connection, row, {"escalate_us": None, "sinks": json.dumps(told)})

    def _event(self, row: Row) -> Event | None:
        """The event of a row in its newest revision, from the log."""
        for _, event in self._log.events_after(row["number"] - 1, 1):
            if event.event_id == row["event_id"]:
                return event
        return None


def _said(number: int, event: Event) -> dict[str, Any]:
    """The columns that follow the newest revision."""
    return {
        "number": number,
        "revision": event.revision,
        "kind": event.kind,
        "time_us": event.time_us,
        "withdrawn": event.withdrawn,
        "text": clean(event.text),
    }


def _update(connection: sa.Connection, row: Row, values: dict[str, Any]) -> None:
    where = (TOLD.c.rule == row["rule"]) & (TOLD.c.event_id == row["event_id"])
    connection.execute(sa.update(TOLD).where(where).values(values))
