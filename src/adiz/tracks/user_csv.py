"""Small tables that users write: CSV with a comma, semicolon or tab, with or without a BOM.

Spreadsheets write all of these. Column names are compared without case and blanks. Every row
keeps its line number, so that a fault can name its place.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from adiz.errors import Fault, FaultyInputError


@dataclass(frozen=True, slots=True)
class UserRow:
    """One row: its line in the file and its filled cells, stripped."""

    line: int
    cells: dict[str, str]


def read_text(path: Path) -> str:
    """A text file as UTF-8 (a BOM is dropped), UTF-16 with a BOM, or Latin-1 where neither fits.

    Raises:
        FaultyInputError: the file cannot be opened.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FaultyInputError(
            Fault(f"cannot be read: {error.strerror or error}", str(path))
        ) from error
    encodings = ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "latin-1")
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FaultyInputError(Fault("is not text", str(path), remedy="save it as UTF-8"))


def read_user_csv(path: Path, columns: Iterable[str]) -> list[UserRow]:
    """Rows of a user's CSV; blank rows are left out.

    Args:
        columns: the columns known. Others are an error, so that a misspelt one is not ignored.

    Raises:
        FaultyInputError: no header, an unknown or repeated column, or an unreadable file.
    """
    known = set(columns)
    lines = read_text(path).splitlines()
    start = next((i for i, line in enumerate(lines) if line.strip()), None)
    if start is None:
        raise FaultyInputError(Fault("is empty", str(path), remedy="give a header row"))
    delimiter = max(",;\t", key=lines[start].count)
    reader = csv.reader(lines[start:], delimiter=delimiter)
    try:
        header = [name.strip().lower().replace(" ", "_") for name in next(reader)]
        for name in header:
            if name not in known or header.count(name) > 1:
                problem = "unknown" if name not in known else "repeated"
                raise FaultyInputError(
                    Fault(
                        f"{problem} column {name!r}",
                        str(path),
                        start + 1,
                        remedy=f"columns are {', '.join(sorted(known))}",
                    )
                )
        rows = []
        for values in reader:
            pairs = zip(header, values, strict=False)
            cells = {name: value.strip() for name, value in pairs if value.strip()}
            if cells:
                rows.append(UserRow(start + reader.line_num, cells))
        return rows
    except csv.Error as error:
        raise FaultyInputError(Fault(f"bad CSV: {error}", str(path), start + 1)) from error
