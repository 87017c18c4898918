"""Databases by URL, SQLite or PostgreSQL, and their tables kept current by migrations (alembic).

SQLite runs with its log written ahead (WAL), so that readers and the one writer do not wait for
each other. Every transaction takes the right to write when it begins, unless it was opened with
the execution option ``reads=True``: two that both read before they wrote could else not go on.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adiz.errors import AdizError

if TYPE_CHECKING:
    import sqlalchemy as sa

_LOCK = 0x6164697A  # any number all programs agree on; here "adiz"
_MIGRATING = threading.Lock()  # alembic keeps its context in a module
BUSY_S = 30.0
ANSWER_S = 60.0
_KEEPALIVES = {"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5",
               "tcp_keepalives_count": "3"}  # fmt: skip


def parse_url(url: str) -> sa.URL:
    """A path of an SQLite file, or an SQLAlchemy URL.

    Raises:
        AdizError: it cannot be read, or names another kind of database.
    """
    import sqlalchemy as sa

    if "://" not in url:
        return sa.URL.create("sqlite", database=url)
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise AdizError("the store's URL cannot be read; give a path or postgresql://…") from None
    if parsed.drivername in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+pg8000")
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise AdizError(
            f"a store in {parsed.get_backend_name()} is not supported; use SQLite or PostgreSQL"
        )
    return parsed


def create_engine(url: sa.URL, *, ahead: bool = False) -> sa.Engine:
    """An engine whose transactions hold what they should; nothing is opened yet.

    A PostgreSQL server that does not answer within ``ANSWER_S`` is given up; the server looks after
    25 s whether its client is still there, so that a session cut off does not keep its locks.

    Args:
        ahead: SQLite writes its log ahead, and a transaction may write from its beginning.

    Raises:
        AdizError: the driver is not installed.
    """
    import sqlalchemy as sa

    options = {}
    if url.get_backend_name() == "postgresql" and url.get_driver_name() == "pg8000":
        options = {"connect_args": {"timeout": ANSWER_S, "startup_params": _KEEPALIVES}}
    try:
        engine = sa.create_engine(url, **options)
    except ModuleNotFoundError as error:
        raise AdizError(f"the store needs {error.name}: pip install 'adiz[postgresql]'") from None
    if url.get_backend_name() == "sqlite":
        _use_transactions(engine, ahead)
    return engine


def migrate(connection: sa.Connection, folder: Path, version_table: str) -> None:
    """Bring the tables up to date, one program at a time.

    Args:
        folder: of the migrations, with an ``env.py`` that calls :func:`run_migrations`.
        version_table: where the state of these tables is noted; several kinds of tables can be in
            one database.

    Raises:
        AdizError: the tables were made by a later version of the program.
    """
    import sqlalchemy as sa

    if connection.dialect.name == "postgresql":
        connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    if _is_up_to_date(connection, folder, version_table):  # alembic takes long to import
        return
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["version_table"] = version_table
    try:
        with _MIGRATING:
            command.upgrade(config, "head")
    except CommandError as error:
        raise AdizError(f"the store was made by a later version of adiz: {error}") from None


def _is_up_to_date(connection: sa.Connection, folder: Path, version_table: str) -> bool:
    """Whether the last migration, whose file begins with its number, has been applied."""
    import sqlalchemy as sa

    if not sa.inspect(connection).has_table(version_table):
        return False
    newest = max(path.name for path in (folder / "versions").glob("[0-9]*.py")).split("_")[0]
    query = sa.select(sa.table(version_table, sa.column("version_num", sa.String)))
    return [row[0] for row in connection.execute(query)] == [newest]


def run_migrations() -> None:
    """What the ``env.py`` of a folder of migrations does."""
    from alembic import context

    context.configure(
        connection=context.config.attributes["connection"],
        version_table=context.config.attributes["version_table"],
    )
    with context.begin_transaction():
        context.run_migrations()


def reason(error: Exception) -> str:
    """What the driver said, in one line and without the statement."""
    said = getattr(error, "orig", None) or error
    if said.args and isinstance(said.args[0], dict):  # pg8000 gives the fields of the message
        return str(said.args[0].get("M", said))
    return str(said).splitlines()[0]


def _use_transactions(engine: sa.Engine, ahead: bool) -> None:
    """Make SQLite's driver keep statements that make tables within the transaction."""
    import sqlalchemy as sa

    @sa.event.listens_for(engine, "connect")
    def _connect(driver: Any, _: Any) -> None:
        driver.isolation_level = None
        if ahead:
            driver.execute(f"PRAGMA busy_timeout = {BUSY_S * 1000:.0f}")
            driver.execute("PRAGMA page_size = 16384")  # of a new file: states are large
            driver.execute("PRAGMA journal_mode = WAL")
            driver.execute("PRAGMA synchronous = NORMAL")
            driver.execute("PRAGMA journal_size_limit = 67108864")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        reads = not ahead or connection.get_execution_options().get("reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
