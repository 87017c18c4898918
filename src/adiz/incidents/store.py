"""Incidents as append-only revisions in SQLite (default) or PostgreSQL (by URL).

A revision holds the incident file's text as it was, who saved it when and why, the version of the
program, the SHA-256 of every input and the parameters. Its own SHA-256 covers all of that and the
SHA-256 of the revision before it, so no revision can be altered, put in or taken out unnoticed
(save from the end of the chain: keep the last one's hash elsewhere). Triggers in the database
refuse to change or remove a row; this module has no way to ask for it.

Tables are made and kept current by migrations (alembic) that come with the package.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adiz import __version__
from adiz.database import create_engine, migrate, parse_url, reason
from adiz.errors import AdizError

if TYPE_CHECKING:
    import sqlalchemy as sa


@dataclass(frozen=True, slots=True)
class Revision:
    """One saved state of one incident.

    Attributes:
        number: 1, 2, 3, … within its incident.
        saved_at: UTC, ISO 8601 with microseconds, as stored.
        version: of the program that saved it.
        inputs: name and SHA-256 of every input.
        parameters: settings the results depend on.
        content: the incident file's text.
        parent_sha256: of the revision before; "" for the first.
    """

    incident_id: str
    number: int
    saved_at: str
    author: str
    message: str
    version: str
    inputs: dict[str, str]
    parameters: dict[str, Any]
    content: str
    parent_sha256: str
    revision_sha256: str

    def digest(self) -> str:
        """The SHA-256 this revision must have."""
        fields = asdict(self)
        del fields["revision_sha256"]
        return hashlib.sha256(_canonical(fields).encode()).hexdigest()


class Store:
    """A place where revisions are kept.

    Args:
        url: a path of an SQLite file, or an SQLAlchemy URL (``postgresql://…`` needs the extra
            ``adiz[postgresql]``).
        create: make an SQLite file that is not there.

    Raises:
        AdizError: the store cannot be reached, is not there, or was made by a later version.

    Example:
        >>> import tempfile
        >>> store = Store(tempfile.mkdtemp() + "/incidents.db", create=True)
        >>> moment = datetime(2026, 1, 1, tzinfo=UTC)
        >>> store.save("demo", "[incident]", saved_at=moment).number
        1
    """

    def __init__(self, url: str = "incidents.db", *, create: bool = False) -> None:
        self._url = parse_url(url)
        if self._url.get_backend_name() == "sqlite":
            path = self._url.database or ""
            if not create and not Path(path).is_file():
                raise AdizError(f"no store is at {path}; 'adiz incident save' makes one")
        self._engine = create_engine(self._url)
        with self._connection() as connection:
            migrate(connection, Path(__file__).parent / "migrations", "alembic_version")

    def save(
        self,
        incident_id: str,
        content: str,
        *,
        saved_at: datetime,
        author: str = "",
        message: str = "",
        inputs: Mapping[str, str] | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> Revision:
        """Append a revision; the last one again where content and inputs have not changed.

        Raises:
            AdizError: someone else saved a revision at the same moment, or a text cannot be kept.
        """
        import sqlalchemy as sa

        if "\0" in content + author + message:
            raise AdizError("the text holds a NUL character; remove it")
        last = self._last(incident_id)
        kept, settings = dict(inputs or {}), dict(parameters or {})
        if last and (last.content, last.inputs, last.parameters) == (content, kept, settings):
            return last
        draft = Revision(
            incident_id,
            last.number + 1 if last else 1,
            saved_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            author,
            message,
            __version__,
            kept,
            settings,
            content,
            last.revision_sha256 if last else "",
            "",
        )
        row = asdict(draft) | {"revision_sha256": draft.digest()}
        stored = row | {name: _canonical(row[name]) for name in ("inputs", "parameters")}
        with self._connection() as connection:
            try:
                connection.execute(sa.insert(_table()).values(stored))
            except sa.exc.IntegrityError:
                raise AdizError(
                    f"a revision of {incident_id} was saved at the same moment; "
                    "look at it with 'adiz incident log' and save again"
                ) from None
        return Revision(**row)

    def log(self, incident_id: str) -> list[Revision]:
        """Every revision of an incident, oldest first.

        Raises:
            AdizError: the store has none.
        """
        import sqlalchemy as sa

        table = _table()
        query = sa.select(table).where(table.c.incident_id == incident_id).order_by("number")
        with self._connection() as connection:
            rows = connection.execute(query).mappings().all()
        if not rows:
            known = ", ".join(self.incidents()) or "none yet"
            raise AdizError(f"the store has no incident {incident_id!r}; it has: {known}")
        return [_revision(row) for row in rows]

    def get(self, incident_id: str, number: int | None = None) -> Revision:
        """One revision; the last where no number is given.

        Raises:
            AdizError: it is not there.
        """
        revisions = self.log(incident_id)
        if number is None:
            return revisions[-1]
        for revision in revisions:
            if revision.number == number:
                return revision
        raise AdizError(
            f"{incident_id} has no revision {number}; it has 1 to {revisions[-1].number}"
        )

    def incidents(self) -> list[str]:
        """The ids of all incidents, sorted."""
        import sqlalchemy as sa

        column = _table().c.incident_id
        with self._connection() as connection:
            return sorted(connection.execute(sa.select(column).distinct()).scalars())

    def verify(self, incident_id: str) -> list[str]:
        """What is wrong with the chain of an incident; empty when whole."""
        faults = []
        parent = ""
        for expected, revision in enumerate(self.log(incident_id), start=1):
            name = f"revision {revision.number} of {incident_id}"
            if revision.number != expected:
                faults.append(f"{name} follows number {expected - 1}: revisions are missing")
            if revision.parent_sha256 != parent:
                faults.append(f"{name} does not follow from the revision before it")
            if revision.digest() != revision.revision_sha256:
                faults.append(f"{name} is not what was saved: its SHA-256 differs")
            parent = revision.revision_sha256
        return faults

    def _last(self, incident_id: str) -> Revision | None:
        return self.log(incident_id)[-1] if incident_id in self.incidents() else None

    @contextmanager
    def _connection(self) -> Iterator[sa.Connection]:
        import sqlalchemy as sa

        try:
            with self._engine.begin() as connection:
                yield connection
        except sa.exc.SQLAlchemyError as error:
            raise AdizError(f"store {self._url.render_as_string()}: {reason(error)}") from None


def _canonical(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _revision(row: Mapping[Any, Any]) -> Revision:
    parsed = {name: json.loads(row[name]) for name in ("inputs", "parameters")}
    return Revision(**{**row, **parsed})


def _table() -> sa.Table:
    import sqlalchemy as sa

    columns: list[sa.Column[Any]] = [
        sa.Column(name, sa.Integer if name == "number" else sa.Text)
        for name in Revision.__dataclass_fields__
    ]
    return sa.Table("revisions", sa.MetaData(), *columns)
