"""The outbox's tables, in the database of the watch's store.

``alert_told`` has one row for each rule and event that the rule was about: what became of it.
``alert_deliveries`` has one row for each message to each sink. ``alert_acks`` says who has
acknowledged what. ``alert_cursor`` says how far the log of events has been read; the number and
the rows that follow from the events move in one transaction.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.schema import CreateIndex, CreateTable

from adiz.errors import AdizError

VERSION = 1
_LOCK = 0x6164697A + 1  # any number all programs agree on
_BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # SQLite counts only INTEGER up itself
METADATA = sa.MetaData()

CURSOR = sa.Table(
    "alert_cursor",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),  # 'version', 'events'
    sa.Column("number", _BIG, nullable=False),
)

TOLD = sa.Table(
    "alert_told",
    METADATA,
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("event_id", sa.Text, primary_key=True),
    sa.Column("number", _BIG, nullable=False),  # of the newest revision in the log of events
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("signature", sa.Text, nullable=False),
    sa.Column("time_us", _BIG, nullable=False),  # of the event
    sa.Column("at_us", _BIG, nullable=False),  # when it was decided
    sa.Column("state", sa.Text, nullable=False),  # told, held, repeat, dropped
    sa.Column("withdrawn", sa.Boolean, nullable=False),
    sa.Column("because", sa.Text),  # the event that this one repeats
    sa.Column("release_us", _BIG),  # when quiet ends
    sa.Column("escalate_us", _BIG),  # when it is due elsewhere
    sa.Column("sinks", sa.Text, nullable=False),  # JSON: who was told
    sa.Column("text", sa.Text, nullable=False),
    sa.Index("alert_told_signature", "rule", "signature", "time_us"),
    sa.Index("alert_told_release", "release_us"),
    sa.Index("alert_told_escalate", "escalate_us"),
    sa.Index("alert_told_because", "because"),
    sa.Index("alert_told_at", "at_us"),
)

ACKS = sa.Table(
    "alert_acks",
    METADATA,
    sa.Column("event_id", sa.Text, primary_key=True),
    sa.Column("at_us", _BIG, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
)

DELIVERIES = sa.Table(
    "alert_deliveries",
    METADATA,
    sa.Column("id", _BIG, primary_key=True, autoincrement=True),  # the order of sending
    sa.Column("sink", sa.Text, nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("event_id", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("escalated", sa.Boolean, nullable=False),
    sa.Column("body", sa.Text, nullable=False),  # the event; "" once delivered
    sa.Column("status", sa.Text, nullable=False),  # pending, delivered, dead
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("created_us", _BIG, nullable=False),
    sa.Column("first_us", _BIG),  # when it was first tried
    sa.Column("due_us", _BIG, nullable=False),  # not to be tried before
    sa.Column("done_us", _BIG),
    sa.Column("error", sa.Text),
    sa.UniqueConstraint("sink", "key", name="alert_deliveries_once"),
    sa.Index("alert_deliveries_queue", "sink", "status", "id"),
    sa.Index("alert_deliveries_done", "status", "done_us"),
    sqlite_autoincrement=True,  # an id is never given twice, even after rows were removed
)


def create_tables(connection: sa.Connection) -> None:
    """Make the tables that are not there yet.

    Raises:
        AdizError: they were made by a later version.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    for table in METADATA.sorted_tables:
        connection.execute(CreateTable(table, if_not_exists=True))
        for index in sorted(table.indexes, key=lambda i: str(i.name)):
            connection.execute(CreateIndex(index, if_not_exists=True))
    query = sa.select(CURSOR.c.number).where(CURSOR.c.name == "version")
    found = connection.execute(query).scalar()
    if found is None:
        connection.execute(sa.insert(CURSOR).values(name="version", number=VERSION))
    elif found > VERSION:
        raise AdizError(
            f"the alerts of this store were made by a later version of adiz (form {found}, "
            f"known here {VERSION}); use that version"
        )
