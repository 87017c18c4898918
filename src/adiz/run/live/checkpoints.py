"""Where the watch can go on from: its state after a record, whole or known not to be."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlalchemy as sa

_PLAIN = ("number", "seq", "at_us", "positions", "sha256")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of the watch after a record.

    Attributes:
        number: greater than that of the checkpoint it went on from; from 1.
        seq: the last record of the journal it covers.
        at_us: when it was made, as the records tell the time.
        positions: feed -> where to resume it.
        state: of the engine.
    """

    number: int
    seq: int
    at_us: int
    positions: dict[str, str]
    state: bytes

    def digest(self) -> str:
        """SHA-256 of all of it."""
        head = json.dumps([self.number, self.seq, self.at_us, self.positions], sort_keys=True)
        digest = hashlib.sha256(head.encode())
        digest.update(self.state)
        return digest.hexdigest()


def heads(connection: sa.Connection) -> list[tuple[int, int]]:
    """Number and seq of the checkpoints kept, the last first."""
    import sqlalchemy as sa

    table = _table()
    query = sa.select(table.c.number, table.c.seq).order_by(table.c.number.desc())
    return [(number, seq) for number, seq in connection.execute(query)]


def read(connection: sa.Connection, number: int) -> Checkpoint | None:
    """The checkpoint of that number; None if it is damaged."""
    import sqlalchemy as sa

    table = _table()
    row = connection.execute(sa.select(table).where(table.c.number == number)).mappings().one()
    try:
        positions = json.loads(row["positions"])
        found = Checkpoint(number, row["seq"], row["at_us"], positions, row["state"])
        return found if found.digest() == row["sha256"] else None
    except (ValueError, TypeError):
        return None


def insert(connection: sa.Connection, checkpoint: Checkpoint) -> None:
    """Keep it and the one before; a damaged one of the same number gives way."""
    import sqlalchemy as sa

    table = _table()
    number = table.c.number
    before = sa.select(sa.func.max(number)).where(number < checkpoint.number)
    last = connection.execute(before).scalar() or 0
    connection.execute(sa.delete(table).where((number >= checkpoint.number) | (number < last)))
    connection.execute(
        sa.insert(table).values(
            number=checkpoint.number,
            seq=checkpoint.seq,
            at_us=checkpoint.at_us,
            positions=json.dumps(checkpoint.positions, sort_keys=True),
            sha256=checkpoint.digest(),
            state=checkpoint.state,
        )
    )


def _table() -> sa.Table:
    import sqlalchemy as sa

    plain: list[sa.Column[Any]] = [sa.Column(name) for name in _PLAIN]
    state = sa.Column("state", sa.LargeBinary)
    return sa.Table("watch_checkpoints", sa.MetaData(), *plain, state)
