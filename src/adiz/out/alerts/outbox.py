"""The outbox: what has to be sent, kept in the database until it is.

The pump (:mod:`adiz.out.alerts.pump`) writes deliveries in the transaction that moves the cursor
over the log of events, so an event is turned into deliveries exactly once. Workers read them in
small batches and write back what became of them; between the two a crash only makes a delivery go
out again, with the same key.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from adiz.events import Event
from adiz.out.alerts.message import Message, dump_event, load_event, message_key
from adiz.out.alerts.tables import ACKS, CURSOR, DELIVERIES, TOLD, create_tables
from adiz.out.alerts.words import clean

PAGE = 256
_INSERT = {
    "postgresql": postgresql.insert(DELIVERIES).on_conflict_do_nothing(),
    "sqlite": sqlite.insert(DELIVERIES).on_conflict_do_nothing(),
}
_PRUNE = 1000


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that only reads, and so locks no writer out."""
    with engine.connect().execution_options(reads=True) as connection:
        yield connection


class EventLog(Protocol):
    """Where events are read from: the watch's store."""

    @property
    def engine(self) -> sa.Engine:
        """The database that the outbox is kept in."""

    def events_after(self, number: int, limit: int) -> list[tuple[int, Event]]:
        """Events with their numbers, which grow by commit: those above ``number``, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message that one sink has to get."""

    id: int
    sink: str
    message: Message
    attempts: int
    first_us: int | None
    due_us: int

    @property
    def lanes(self) -> tuple[str, ...]:
        """Within these, order is kept: all its tracks."""
        return self.message.event.tracks or (self.message.lane,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a delivery; ``status`` is ``pending`` (tried in vain), ``delivered``,
    ``dead``."""

    id: int
    status: str
    attempts: int
    first_us: int
    due_us: int
    error: str | None


class Outbox:
    """The outbox in a store's database.

    Its cursor begins at the end of the log when the tables are new: what happened before alerts
    were set up is not told.

    Raises:
        AdizError: the tables are of a later version.
    """

    def __init__(self, log: EventLog) -> None:
        self._engine = log.engine
        with self._engine.begin() as connection:
            create_tables(connection)
        if self._cursor() is None:
            last = 0
            while page := log.events_after(last, PAGE):
                last = page[-1][0]
            with self.writing() as connection:
                if self._cursor(connection) is None:
                    connection.execute(sa.insert(CURSOR).values(name="events", number=last))

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that nobody else's insertions run beside: ids then grow by commit."""
        with self._engine.begin() as connection:
            same = sa.update(CURSOR).where(CURSOR.c.name == "version")
            connection.execute(same.values(number=CURSOR.c.number))
            yield connection

    # ---- the cursor ------------------------------------------------------------------------------

    def cursor(self) -> int:
        """The number of the last event that was taken in."""
        return self._cursor() or 0

    def _cursor(self, connection: sa.Connection | None = None) -> int | None:
        query = sa.select(CURSOR.c.number).where(CURSOR.c.name == "events")
        if connection is not None:
            return connection.execute(query).scalar()
        with reading(self._engine) as own:
            return own.execute(query).scalar()

    def advance(self, connection: sa.Connection, old: int, new: int) -> bool:
        """Move the cursor; False where another process has moved it meanwhile."""
        here = (CURSOR.c.name == "events") & (CURSOR.c.number == old)
        return connection.execute(sa.update(CURSOR).where(here).values(number=new)).rowcount == 1

    # ---- deliveries ------------------------------------------------------------------------------

    def add(
        self,
        connection: sa.Connection,
        event: Event,
        rule: str,
        sinks: Iterable[str],
        now_us: int,
        *,
        escalated: bool = False,
    ) -> None:
        """Put one message for each sink in; one that is there already stays as it is."""
        key = message_key(event, rule, escalated)
        rows = [
            {
                "sink": sink,
                "rule": rule,
                "event_id": event.event_id,
                "key": key,
                "escalated": escalated,
                "body": dump_event(event),
                "status": "pending",
                "attempts": 0,
                "created_us": now_us,
                "due_us": now_us,
            }
            for sink in sinks
        ]
        connection.execute(_INSERT[connection.dialect.name], rows)

    def pending(self, sink: str, after_id: int, limit: int = PAGE) -> list[Delivery]:
        """What a sink has still to get, in order, from beyond a delivery on."""
        query = (
            sa.select(DELIVERIES)
            .where(
                DELIVERIES.c.sink == sink,
                DELIVERIES.c.status == "pending",
                DELIVERIES.c.id > after_id,
            )
            .order_by(DELIVERIES.c.id)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return [_delivery(row) for row in connection.execute(query).mappings()]

    def settle(self, outcomes: Sequence[Outcome], now_us: int) -> None:
        """Write down what became of deliveries, in one transaction."""
        names = ("status", "attempts", "first_us", "due_us", "error", "done_us")
        rows = [
            {
                "which": outcome.id,
                "new_status": outcome.status,
                "new_attempts": outcome.attempts,
                "new_first_us": outcome.first_us,
                "new_due_us": outcome.due_us,
                "new_error": outcome.error,
                "new_done_us": None if outcome.status == "pending" else now_us,
            }
            for outcome in outcomes
        ]
        kept = sa.case((sa.bindparam("new_status") == "delivered", ""), else_=DELIVERIES.c.body)
        values: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in names}
        update = sa.update(DELIVERIES).where(DELIVERIES.c.id == sa.bindparam("which"))
        with self._engine.begin() as connection:
            connection.execute(update.values({**values, "body": kept}), rows)

    def dead(self, sink: str | None = None, limit: int = 1000) -> list[dict[str, Any]]:
        """Dead letters, oldest first."""
        query = sa.select(DELIVERIES).where(DELIVERIES.c.status == "dead")
        if sink is not None:
            query = query.where(DELIVERIES.c.sink == sink)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(DELIVERIES.c.id).limit(limit)).mappings().all()
        return [{**row, "text": _delivery(row).message.text} for row in rows]

    def resend(
        self, now_us: int, *, ids: Sequence[int] | None = None, sink: str | None = None
    ) -> int:
        """Put dead letters back, behind what is waiting; all of them where none are chosen.

        They keep their keys. Returns how many there were.
        """
        query = sa.select(DELIVERIES).where(DELIVERIES.c.status == "dead")
        if ids is not None:
            query = query.where(DELIVERIES.c.id.in_(ids))
        if sink is not None:
            query = query.where(DELIVERIES.c.sink == sink)
        count = 0
        while True:
            with self.writing() as connection:
                rows = connection.execute(query.order_by(DELIVERIES.c.id).limit(PAGE)).mappings()
                page = rows.all()
                for row in page:
                    connection.execute(sa.delete(DELIVERIES).where(DELIVERIES.c.id == row["id"]))
                    again = {name: row[name] for name in row if name != "id"} | {
                        "status": "pending",
                        "attempts": 0,
                        "first_us": None,
                        "due_us": now_us,
                        "done_us": None,
                    }
                    connection.execute(sa.insert(DELIVERIES).values(again))
            count += len(page)
            if len(page) < PAGE:
                return count

    def counts(self) -> dict[tuple[str, str], tuple[int, int]]:
        """For each sink and status but delivered: how many, and when the oldest was made."""
        table = DELIVERIES
        query = (
            sa.select(
                table.c.sink, table.c.status, sa.func.count(), sa.func.min(table.c.created_us)
            )
            .where(table.c.status.in_(("pending", "dead")))
            .group_by(table.c.sink, table.c.status)
        )
        with reading(self._engine) as connection:
            return {(s, t): (n, oldest) for s, t, n, oldest in connection.execute(query)}

    # ---- people ----------------------------------------------------------------------------------

    def ack(self, event_id: str, who: str, now_us: int) -> bool:
        """Note that somebody has seen an alert; False where no such alert was made.

        Who was first stays.
        """
        told = sa.select(TOLD.c.event_id).where(TOLD.c.event_id == event_id)
        there = sa.select(ACKS.c.event_id).where(ACKS.c.event_id == event_id)
        with self.writing() as connection:
            if not connection.execute(told).first():
                return False
            if not connection.execute(there).first():
                row = {"event_id": event_id, "at_us": now_us, "who": clean(who, 200)}
                connection.execute(sa.insert(ACKS).values(row))
        return True

    def alerts(self, *, unacknowledged: bool = False, limit: int = 100) -> list[dict[str, Any]]:
        """What was told, newest first, each with who acknowledged it (``who``, ``acked_us``)."""
        joined = TOLD.outerjoin(ACKS, TOLD.c.event_id == ACKS.c.event_id)
        query = sa.select(TOLD, ACKS.c.who, ACKS.c.at_us.label("acked_us")).select_from(joined)
        if unacknowledged:
            query = query.where(
                ACKS.c.event_id.is_(None),
                TOLD.c.state.in_(("told", "held")),
                TOLD.c.withdrawn.is_(sa.false()),
            )
        query = query.order_by(TOLD.c.at_us.desc(), TOLD.c.number.desc()).limit(limit)
        with reading(self._engine) as connection:
            rows = connection.execute(query).mappings().all()
        return [{**row, "sinks": json.loads(row["sinks"])} for row in rows]

    # ---- keeping it small ------------------------------------------------------------------------

    def prune(self, now_us: int, delivered_s: float, told_s: float) -> None:
        """Remove what was delivered and decided long ago; never what waits, and no dead letter."""
        old = now_us - int(delivered_s * 1e6)
        done = (DELIVERIES.c.status == "delivered") & (DELIVERIES.c.done_us < old)
        self._remove(DELIVERIES, DELIVERIES.c.id, done)
        old = now_us - int(told_s * 1e6)
        waiting = sa.select(DELIVERIES.c.event_id).where(DELIVERIES.c.status != "delivered")
        over = (TOLD.c.at_us < old) & (TOLD.c.state != "held") & TOLD.c.event_id.not_in(waiting)
        self._remove(TOLD, TOLD.c.event_id, over)
        known = sa.select(TOLD.c.event_id)
        gone = (ACKS.c.at_us < old) & ACKS.c.event_id.not_in(known)
        self._remove(ACKS, ACKS.c.event_id, gone)

    def _remove(self, table: sa.Table, key: Any, which: sa.ColumnElement[bool]) -> None:
        removed = _PRUNE
        while removed >= _PRUNE:  # in parts: the database is never locked for long
            some = sa.select(key).where(which).limit(_PRUNE).scalar_subquery()
            with self._engine.begin() as connection:
                statement = sa.delete(table).where(key.in_(some) & which)
                removed = connection.execute(statement).rowcount


def _delivery(row: Any) -> Delivery:
    message = Message(
        key=row["key"],
        rule=row["rule"],
        escalated=bool(row["escalated"]),
        event=load_event(row["body"]),
    )
    return Delivery(
        id=row["id"],
        sink=row["sink"],
        message=message,
        attempts=row["attempts"],
        first_us=row["first_us"],
        due_us=row["due_us"],
    )
