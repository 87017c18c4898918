"""The rows of the store: events, stays and encounters as the database keeps them.

Moments are whole microseconds since 1970 UTC (columns ``…_us``), lists and objects JSON text.
Stays and encounters are kept as events are: by an identity and a revision, nothing taken back
silently.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import polars as pl

from adiz.detect.encounters import ENCOUNTERS, SORT
from adiz.detect.stays import sort_stays
from adiz.events import Event, event_id
from adiz.schema import STAYS, Column, polars_schema

if TYPE_CHECKING:
    import sqlalchemy as sa

EVENT_FIELDS = tuple(field.name for field in fields(Event))
EVENT_SCHEMA: dict[str, pl.DataType] = {
    "number": pl.Int64(),
    **{name: pl.String() for name in EVENT_FIELDS},
    **{name: pl.Int64() for name in ("revision", "time_us", "detected_us")},
    **{name: pl.Float64() for name in ("lat_deg", "lon_deg", "alt_ft")},
    "withdrawn": pl.Boolean(),
    "tracks": pl.List(pl.String()),
}
_MANY = 500  # rows or keys in one statement
_NOTED = {"revision": pl.Int64(), "withdrawn": pl.Boolean()}


def events_table() -> sa.Table:
    """The table of events: ``number`` and the fields of an event."""
    return _table("watch_events", ("number", *EVENT_FIELDS))


def event_row(event: Event) -> dict[str, Any]:
    """The row of an event, without its number."""
    row = {name: _text(getattr(event, name)) for name in EVENT_FIELDS}
    return row | {"tracks": _json(event.tracks), "data": _json(event.data)}


def row_event(row: Mapping[Any, Any]) -> Event:
    """The event of a row."""
    values = {name: row[name] for name in EVENT_FIELDS}
    values |= {"tracks": tuple(json.loads(row["tracks"])), "data": json.loads(row["data"])}
    return Event(**values | {"withdrawn": bool(row["withdrawn"])})


def events_frame(found: Sequence[Mapping[Any, Any]]) -> pl.DataFrame:
    """Rows of events as a table; ``data`` stays JSON text."""
    data: dict[str, list[Any]] = {name: [row[name] for row in found] for name in EVENT_SCHEMA}
    data["tracks"] = [json.loads(text) for text in data["tracks"]]
    return pl.DataFrame(data, schema=EVENT_SCHEMA)


def insert_events(connection: sa.Connection, events: Sequence[Event]) -> tuple[int, int]:
    """Keep those not yet kept, numbered on; how many were there, and how many differed."""
    import sqlalchemy as sa

    table = events_table()
    known: dict[tuple[str, int], Event] = {}
    for some in _portions(sorted({event.event_id for event in events})):
        query = sa.select(table).where(table.c.event_id.in_(some))
        for kept_row in connection.execute(query).mappings():
            known[kept_row["event_id"], kept_row["revision"]] = row_event(kept_row)
    number = connection.execute(sa.select(sa.func.max(table.c.number))).scalar() or 0
    repeated = differing = 0
    fresh = []
    for event in events:
        row = event_row(event)
        key = (event.event_id, event.revision)
        if key in known:
            repeated += 1
            differing += event_row(known[key]) != row
        else:
            number += 1
            known[key] = event
            fresh.append(row | {"number": number})
    _insert(connection, table, fresh)
    return repeated, differing


def insert_kept(connection: sa.Connection, kind: Kept, found: list[dict[str, Any]]) -> None:
    """Keep the stays or encounters not yet kept."""
    import sqlalchemy as sa

    table = kind.table()
    key = table.c[kind.key]
    known: set[tuple[str, int]] = set()
    for some in _portions(sorted({row[kind.key] for row in found})):
        query = sa.select(key, table.c.revision).where(key.in_(some))
        known |= {(identity, revision) for identity, revision in connection.execute(query)}
    fresh = {(row[kind.key], row["revision"]): row for row in reversed(found)}
    _insert(connection, table, [row for key, row in fresh.items() if key not in known])


def is_latest(table: sa.Table, key: str) -> sa.ColumnElement[bool]:
    """The last revision of its identity, and not withdrawn."""
    import sqlalchemy as sa

    later = table.alias()
    same = (later.c[key] == table.c[key]) & (later.c.revision > table.c.revision)
    return ~table.c.withdrawn & ~sa.exists().where(same)


@dataclass(frozen=True, slots=True)
class Kept:
    """How one kind of result is kept.

    Attributes:
        name: the table.
        key: the column of its identity.
        columns: of the result, as declared.
        about: columns that, with the first known of ``began``, are its identity.
        order: puts the result in its order.
    """

    name: str
    key: str
    columns: tuple[Column, ...]
    about: tuple[str, ...]
    began: tuple[str, ...]
    order: Callable[[pl.DataFrame], pl.DataFrame]

    def table(self) -> sa.Table:
        """The table in the database."""
        names = [_stored(column) for column in self.columns]
        return _table(self.name, (self.key, *_NOTED, *names))

    def rows(self, found: pl.DataFrame) -> list[dict[str, Any]]:
        """Rows to be kept; without key, revision or withdrawal of their own they get them.

        Raises:
            polars.exceptions.ColumnNotFoundError: a declared column is missing.
        """
        given = [name for name in (self.key, *_NOTED) if name in found.columns]
        plain = found.select(
            *given,
            *(
                (pl.col(c.name).dt.epoch("us") if c.kind == "time" else pl.col(c.name)).alias(
                    _stored(c)
                )
                for c in self.columns
            ),
        )
        rows = []
        for row in plain.iter_rows(named=True):
            filled: dict[str, Any] = {"revision": 1, "withdrawn": False} | {
                k: _text(v) for k, v in row.items()
            }
            if self.key not in row:
                moment = next((row[n] for n in self.began if row[n] is not None), None)
                about = [row[name] for name in self.about]
                filled[self.key] = event_id(self.key.removesuffix("_id"), *about, moment)
            rows.append(filled)
        return rows

    def frame(self, rows: Sequence[Mapping[Any, Any]]) -> pl.DataFrame:
        """Rows read back: key, revision, withdrawn and the declared columns."""
        stored = {self.key: pl.String(), **_NOTED}
        stored |= {
            _stored(c): pl.Int64() if c.kind == "time" else t
            for c, t in zip(self.columns, polars_schema(self.columns).values(), strict=True)
        }
        data = {name: [row[name] for row in rows] for name in stored}
        table = pl.DataFrame(data, schema=stored, strict=False)
        return self.order(
            table.select(
                self.key,
                *_NOTED,
                *(
                    pl.from_epoch(_stored(c), "us").dt.replace_time_zone("UTC").alias(c.name)
                    if c.kind == "time"
                    else c.name
                    for c in self.columns
                ),
            )
        )


def _stored(column: Column) -> str:
    return f"{column.name}_us" if column.kind == "time" else column.name


STAYS_KEPT = Kept(
    "watch_stays",
    "stay_id",
    STAYS,
    ("track_id", "zone_id"),
    ("entry_time_us", "earliest_entry_us"),
    sort_stays,
)
ENCOUNTERS_KEPT = Kept(
    "watch_encounters",
    "encounter_id",
    ENCOUNTERS,
    ("track_a", "track_b"),
    ("start_time_us",),
    lambda found: found.sort(SORT),
)


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _text(value: Any) -> Any:
    """PostgreSQL's text cannot hold NUL."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


@functools.cache  # SQLAlchemy keeps what it has compiled by table: a new one each time fills memory
def _table(name: str, columns: tuple[str, ...]) -> sa.Table:
    import sqlalchemy as sa

    made = [sa.Column(c, sa.Boolean if c == "withdrawn" else None) for c in columns]
    return sa.Table(name, sa.MetaData(), *made)


def _insert(connection: sa.Connection, table: sa.Table, fresh: list[dict[str, Any]]) -> None:
    import sqlalchemy as sa

    if connection.dialect.name == "sqlite":
        if fresh:
            connection.execute(sa.insert(table), fresh)
        return
    for some in _portions(fresh):  # a row at a time would be a journey each
        connection.execute(sa.insert(table).values(some))


def _portions(items: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(items), _MANY):
        yield items[start : start + _MANY]
