"""What the watch has found out and where it has come to, in one database.

::

    store = Store("sqlite:////var/lib/adiz/watch.db")     # or postgresql://…; one watch at a time
    last = store.checkpoint()                             # where to go on, or None
    store.commit(events, stays, encounters)               # one transaction; repeated: no change
    store.commit(events, checkpoint=Checkpoint(number, seq, at_us, positions, state))
    store.events_after(number, limit)                     # for those who pass events on

Events are kept by ``(event_id, revision)`` and numbered in the order they come: what is worked out
again after a restart is recognised, counted in ``repeated`` and not numbered again. Should it
differ from what is kept, which it never should, the kept one stays and ``differing`` counts it.
There is one writer, which holds a lock, so a smaller number never appears after a greater one.

The last two checkpoints are kept, each with a SHA-256. With a damaged last one the one before is
used; the journal and the archive therefore keep what came after that: :meth:`Store.covered`.

SQLite: its log is written ahead (WAL). A commit with a checkpoint is forced to the medium
(``synchronous=FULL``); one without is not (``NORMAL``): a power failure may undo the last of those,
in order, and the journal brings them back. PostgreSQL: as its ``synchronous_commit`` says.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from adiz.database import create_engine, migrate, parse_url, reason
from adiz.errors import AdizError
from adiz.events import Event
from adiz.run.live import checkpoints, rows
from adiz.run.live.checkpoints import Checkpoint
from adiz.run.live.lock import FileLock, LockedError

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["Checkpoint", "LockedError", "Store", "StoreError"]

_WATCH = 0x61647761  # PostgreSQL's number of the lock; here "adwa"
_LOCK_WAIT_S = 5.0  # PostgreSQL ends the session of a watch that was killed a moment later


class StoreError(AdizError):
    """The database failed; the transaction was undone and can be tried again."""


class Store:
    """The database of one watch.

    Args:
        url: a path of an SQLite file, or an SQLAlchemy URL.
        writer: False to look only, beside the watch that runs.

    Attributes:
        engine: for others who keep tables in the same database. A transaction of theirs must be
            short: in SQLite it keeps the watch from committing. One that only reads is opened
            with ``execution_options(reads=True)``.
        repeated, differing: events that were already there; those that were not the same.
        damaged: checkpoints found damaged.

    Raises:
        LockedError: another watch has it open.
        StoreError: it cannot be reached.
        AdizError: it was made by a later version, or the URL is wrong.
    """

    def __init__(self, url: str, *, writer: bool = True) -> None:
        self._url = parse_url(url)
        self._sqlite = self._url.get_backend_name() == "sqlite"
        self.engine = create_engine(self._url, ahead=True)
        self.repeated = self.differing = self.damaged = 0
        self._committing = threading.Lock()
        self._connection: sa.Connection | None = None
        self._lock: FileLock | None = None
        self._driver: Any = None  # the connection beneath
        self._held = False
        self._writer = writer
        self._tidying: threading.Thread | None = None
        if not writer:
            path = Path(self._url.database or "")
            if self._sqlite and not path.is_file():
                raise StoreError(f"no store of a watch is at {path}")
            return
        try:
            self._lock_file()
            with self._telling():
                self._prepare()
        except BaseException:
            self.close()
            raise

    def commit(
        self,
        events: Sequence[Event] = (),
        stays: pl.DataFrame | None = None,
        encounters: pl.DataFrame | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> None:
        """Keep all of this in one transaction, or nothing of it.

        Args:
            stays: the columns of :data:`adiz.schema.STAYS`; and, where the caller tells them,
                ``stay_id``, ``revision``, ``withdrawn``. Else the identity is that of track, zone
                and beginning, the revision 1.
            encounters: those of :data:`adiz.detect.encounters.ENCOUNTERS`, likewise.

        Raises:
            StoreError: it could not be kept; nothing changed, try again.
        """
        kept = [
            (kind, kind.rows(found))
            for kind, found in ((rows.STAYS_KEPT, stays), (rows.ENCOUNTERS_KEPT, encounters))
            if found is not None and len(found)
        ]
        if not (events or kept or checkpoint):
            return
        if checkpoint is not None and self._tidying is not None:
            self._tidying.join()  # so that the log starts again, and does not grow by states
        with self._committing, self._writing(lasting=checkpoint is not None) as connection:
            repeated, differing = rows.insert_events(connection, events)
            for kind, found in kept:
                rows.insert_kept(connection, kind, found)
            if checkpoint is not None:
                checkpoints.insert(connection, checkpoint)
        self.repeated += repeated
        self.differing += differing
        if checkpoint is not None and self._sqlite:
            self._tidy()

    def checkpoint(
        self, is_whole: Callable[[Checkpoint], bool] = lambda _: True
    ) -> Checkpoint | None:
        """The last checkpoint that is whole; None if there never was one.

        Args:
            is_whole: whether what a checkpoint refers to is whole.

        Raises:
            StoreError: none of those kept is whole.
        """
        with self._reading() as connection:
            numbers = [number for number, _ in checkpoints.heads(connection)]
        for number in numbers:
            with contextlib.suppress(StoreError), self._reading() as connection:
                found = checkpoints.read(connection, number)
                if found and is_whole(found):
                    return found
            self.damaged += 1
        if numbers:
            raise StoreError(
                f"{self} holds {len(numbers)} checkpoints and all are damaged; put back a copy of "
                "the database, or start anew with another one"
            )
        return None

    def covered(self) -> tuple[int, int] | None:
        """Number and seq of the older of the two checkpoints kept; None before there are two.

        What came before it is needed no more, not even if the last one turns out damaged.
        """
        with self._reading() as connection:
            heads = checkpoints.heads(connection)
        return heads[-1] if len(heads) > 1 else None

    def events_after(self, number: int, limit: int) -> list[tuple[int, Event]]:
        """Events with greater numbers, in the order of their numbers, at most so many."""
        import sqlalchemy as sa

        table = rows.events_table()
        query = sa.select(table).where(table.c.number > number).order_by("number").limit(limit)
        with self._reading() as connection:
            found = connection.execute(query).mappings().all()
        return [(row["number"], rows.row_event(row)) for row in found]

    def events(
        self,
        *,
        kinds: Collection[str] = (),
        zones: Collection[str] = (),
        track: str | None = None,
        from_us: int | None = None,
        to_us: int | None = None,
        latest: bool = True,
        limit: int | None = None,
    ) -> pl.DataFrame:
        """Events by number: the fields of an event, ``data`` as JSON text.

        Args:
            kinds, zones: only these; empty: all.
            track: only those about it.
            from_us, to_us: event time, the first included, the second not.
            latest: of each event the last revision alone, and no withdrawn ones.
            limit: only the last so many.
        """
        import sqlalchemy as sa

        table = rows.events_table()
        query = sa.select(table).order_by(table.c.number.desc()).limit(limit)
        if kinds:
            query = query.where(table.c.kind.in_(list(kinds)))
        if zones:
            query = query.where(table.c.zone_id.in_(list(zones)))
        if track is not None:
            query = query.where(table.c.tracks.contains(json.dumps(track), autoescape=True))
        if from_us is not None:
            query = query.where(table.c.time_us >= from_us)
        if to_us is not None:
            query = query.where(table.c.time_us < to_us)
        if latest:
            query = query.where(rows.is_latest(table, "event_id"))
        with self._reading() as connection:
            found = connection.execute(query).mappings().all()
        return rows.events_frame(found[::-1])

    def stays(self, *, latest: bool = True) -> pl.DataFrame:
        """Stays as :func:`adiz.find_stays` gives them.

        Args:
            latest: False for all revisions, with ``stay_id``, ``revision`` and ``withdrawn``.
        """
        return self._kept(rows.STAYS_KEPT, latest)

    def encounters(self, *, latest: bool = True) -> pl.DataFrame:
        """Encounters as :func:`adiz.find_encounters` gives them.

        Args:
            latest: False for all revisions, with ``encounter_id``, ``revision``, ``withdrawn``.
        """
        return self._kept(rows.ENCOUNTERS_KEPT, latest)

    def close(self) -> None:
        """Let go; more than once does no harm."""
        if self._tidying is not None:
            self._tidying.join()
        self._drop_connection()
        self.engine.dispose()
        if self._lock is not None:
            self._lock.release()

    def __str__(self) -> str:
        return f"the store {self._url.render_as_string()}"

    # ---- within ---------------------------------------------------------------------------------

    def _lock_file(self) -> None:
        path = self._url.database if self._sqlite else None
        if path:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(Path(f"{path}.lock"), str(self))

    def _prepare(self) -> None:
        connection = self._connected()
        with connection.begin():
            migrate(connection, Path(__file__).parent / "migrations", "watch_version")

    def _connected(self) -> sa.Connection:
        """The one connection that writes; in PostgreSQL it is what holds the lock."""

        if self._connection is None:
            connection = self.engine.connect()
            connection.detach()  # closing it then ends the session, and with it the lock
            self._connection = connection
            self._driver = connection.connection.dbapi_connection
            if not self._sqlite:
                try:
                    self._lock_session(connection)
                except BaseException:  # without the lock it must not write
                    self._drop_connection()
                    raise
        return self._connection

    def _lock_session(self, connection: sa.Connection) -> None:
        import sqlalchemy as sa

        query = sa.text(f"SELECT pg_try_advisory_lock({_WATCH})")
        until_s = time.monotonic() + _LOCK_WAIT_S
        while True:
            with connection.begin():
                if connection.execute(query).scalar():
                    self._held = True
                    return
            if time.monotonic() >= until_s:
                if self._held:  # by the session that was cut off, for as long as the server waits
                    raise StoreError(f"{self}: its lock is still held by a session that was lost")
                raise LockedError(f"{self} is in use by another watch; stop that one first")
            time.sleep(0.1)

    def _drop_connection(self) -> None:
        connection, driver = self._connection, self._driver
        self._connection = self._driver = None
        for one in (connection, driver):  # the one beneath stays open if it was detached and failed
            with contextlib.suppress(Exception):  # it may be broken already
                if one is not None:
                    one.close()

    @contextmanager
    def _writing(self, *, lasting: bool) -> Iterator[sa.Connection]:
        if not self._writer:
            raise StoreError(f"{self} was opened for reading")
        with self._telling():
            try:
                connection = self._connected()
                if self._sqlite:
                    driver = self._driver
                    driver.execute(f"PRAGMA synchronous = {'FULL' if lasting else 'NORMAL'}")
                    driver.execute(f"PRAGMA wal_autocheckpoint = {0 if lasting else 1000}")
                with connection.begin():
                    yield connection
            except BaseException:
                if not self._is_alive():
                    self._drop_connection()
                raise

    def _is_alive(self) -> bool:
        """Whether the connection that writes, and with it the lock, is still there."""
        connection = self._connection
        if connection is None or connection.invalidated:  # used again, it would be a new session
            return False
        try:
            with connection.begin():
                connection.exec_driver_sql("SELECT 1")
        except Exception:
            return False
        return True

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with (
            self._telling(),
            self.engine.connect().execution_options(reads=True) as connection,
            connection.begin(),
        ):
            yield connection

    def _kept(self, kind: rows.Kept, latest: bool) -> pl.DataFrame:
        import sqlalchemy as sa

        table = kind.table()
        query = sa.select(table)
        if latest:
            query = query.where(rows.is_latest(table, kind.key))
        with self._reading() as connection:
            found = kind.frame(connection.execute(query).mappings().all())
        return found.drop(kind.key, "revision", "withdrawn") if latest else found

    def _tidy(self) -> None:
        """Move what was written ahead into the database, without holding up the watch."""
        self._tidying = threading.Thread(target=self._move_log, name="store", daemon=True)
        self._tidying.start()

    def _move_log(self) -> None:
        with contextlib.suppress(Exception):  # a full disk: done by the next one
            connection = self.engine.raw_connection()
            try:
                before = None
                for _ in range(10):  # a pass does not see what is committed while it runs
                    cursor = connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")
                    after = cursor.fetchone()  # busy, frames in the log, frames moved
                    if after == before:  # nothing came: the next commit begins the log anew
                        break
                    before = after
            finally:
                connection.close()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        import sqlalchemy as sa

        try:
            yield
        except (sa.exc.SQLAlchemyError, OSError) as error:
            raise StoreError(f"{self}: {reason(error)}") from None
