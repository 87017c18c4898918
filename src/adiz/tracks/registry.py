"""A user's own registry of aircraft: a CSV whose statements settle identity.

Keys: ``icao24``, ``registration``, ``callsign``, ``track_id`` (a row applies to a track that
matches every key it gives). Statements: ``state`` (ISO 3166-1 alpha-2), ``type``, ``use``,
``role``, ``operator``, ``name``. ``source`` says where the row is from. A registration beside an
``icao24`` is a statement, not a key: that is what registers hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from adiz.errors import Fault, FaultyInputError
from adiz.tracks.address_blocks import parse_address, state_names
from adiz.tracks.types import find_type
from adiz.tracks.user_csv import UserRow, read_user_csv

if TYPE_CHECKING:
    from adiz.tracks.identity import Seen, Statement

KEYS = ("icao24", "track_id", "registration", "callsign")
SUBJECTS = ("state", "type", "use", "role", "operator", "name")
USES = ("military", "civil", "state")


@dataclass(frozen=True, slots=True)
class Registry:
    """Rows of a user's registry. Later rows do not replace earlier ones: both are stated.

    Attributes:
        file: its name, for evidence.
        rows_by_key: the rows under the first key each gives, e.g. ``("icao24", "7B0123")``.
    """

    file: str
    rows_by_key: dict[tuple[str, str], list[UserRow]]

    def statements(self, seen: Seen) -> list[Statement]:
        """What the registry says of a track."""
        from adiz.tracks.identity import Statement

        found = []
        held = {key: _values(seen, key) for key in KEYS}
        for row in (
            row
            for key, values in held.items()
            for value in sorted(values)
            for row in self.rows_by_key.get((key, value), ())
        ):
            keys = _keys(row)
            if not all(_plain(row.cells[key]) in held[key] for key in keys):
                continue
            evidence = f"{self.file}:{row.line}, by " + " and ".join(
                f"{key} {row.cells[key]}" for key in keys
            )
            source = row.cells.get("source", "user's registry")
            said = {s: row.cells[s] for s in (*SUBJECTS, "registration") if s in row.cells}
            kind = find_type(said.get("type", ""))
            if kind and "role" not in said:
                said["role"] = kind.role
            found += [
                Statement(subject, value, evidence, source, settles=True)
                for subject, value in said.items()
                if subject not in keys
            ]
        return found


def _keys(row: UserRow) -> list[str]:
    keys = [key for key in KEYS if key in row.cells]
    return [k for k in keys if k != "registration"] if "icao24" in keys else keys


def _plain(value: str) -> str:
    return value.replace("-", "").upper()


def _values(seen: Seen, key: str) -> set[str]:
    values: tuple[str, ...] = (seen.track_id,) if key == "track_id" else getattr(seen, key)
    return {_plain(value) for value in values}


def read_registry(path: str | Path) -> Registry:
    """Read a user's registry.

    Raises:
        FaultyInputError: with each bad row: no key, no statement, a bad address, state or use.

    Example:
        >>> registry = read_registry("fleet.csv")  # doctest: +SKIP
    """
    path = Path(path)
    rows = read_user_csv(path, (*KEYS, *SUBJECTS, "source"))
    faults = []
    for row in rows:
        cells = row.cells
        for name, upper in (("state", True), ("type", True), ("use", False), ("role", False)):
            if name in cells:
                cells[name] = cells[name].upper() if upper else cells[name].lower()
        for field, message, remedy in _row_faults(row):
            faults.append(Fault(message, str(path), row.line, field, remedy))
    if faults:
        raise FaultyInputError(faults)
    by_key: dict[tuple[str, str], list[UserRow]] = {}
    for row in rows:
        key = _keys(row)[0]
        by_key.setdefault((key, _plain(row.cells[key])), []).append(row)
    return Registry(path.name, by_key)


def _row_faults(row: UserRow) -> list[tuple[str | None, str, str]]:
    cells = row.cells
    found: list[tuple[str | None, str, str]] = []
    if not _keys(row):
        found.append((None, "names no aircraft", f"fill one of {', '.join(KEYS)}"))
    if not set(cells) - set(_keys(row)) - {"source"}:
        found.append((None, "says nothing", f"fill one of {', '.join(SUBJECTS)}"))
    if "icao24" in cells and parse_address(cells["icao24"]) is None:
        found.append(("icao24", f"{cells['icao24']!r} is no address", "give six hex digits"))
    if "state" in cells and cells["state"] not in state_names():
        found.append(("state", f"{cells['state']!r} is no state", "give an ISO code such as RU"))
    if "use" in cells and cells["use"] not in USES:
        found.append(("use", f"{cells['use']!r} is no use", f"give {', '.join(USES)}"))
    return found
