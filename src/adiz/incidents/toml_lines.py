"""TOML tables that know the line of each of their fields, so that an error can name it.

The standard library's reader gives values without places; a scan of the same text finds, for each
table and key at the top level of a line, the line it stands on.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

from adiz.errors import Fault, FaultyInputError

MAX_FILE_BYTES = 64_000_000
MAX_TEXT_CHARS = 20_000

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|[\[\]{}\n]',
    re.DOTALL,
)
_HEADER = re.compile(r"[ \t]*\[{1,2}[ \t]*([\w.-]+)[ \t]*\]{1,2}")
_KEY = re.compile(r'[ \t]*"?([\w-]+)"?[ \t]*=')
_T = TypeVar("_T")

Lines = dict[tuple[str, int], dict[str, int]]
"""(table name, how manieth of that name) -> key -> line; the key "" is the table's header."""


def parse_toml(data: bytes, file: str) -> tuple[dict[str, Any], Lines]:
    """The tables of a TOML file and the lines of their fields.

    Raises:
        FaultyInputError: not UTF-8, not TOML, empty, or larger than 64 MB.
    """
    if len(data) > MAX_FILE_BYTES:
        raise FaultyInputError(
            Fault(f"{len(data):,} bytes is too large for an incident", file,
                  remedy="keep the sources' copies as evidence files beside it")
        )  # fmt: skip
    try:
        text = data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FaultyInputError(
            Fault("not UTF-8 text", file, line, remedy="save it as UTF-8")
        ) from None
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+), column \d+\)", str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        message = re.sub(r" \(at .*\)$", "", str(error))
        raise FaultyInputError(
            Fault(f"not TOML: {message[:200]}", file, line,
                  remedy="see docs/reference/incident-file.md")
        ) from None  # fmt: skip
    except RecursionError:
        raise FaultyInputError(Fault("nested too deeply", file)) from None
    if not tables:
        raise FaultyInputError(
            Fault("the file is empty", file, 1, remedy="'adiz incident new' writes a skeleton")
        )
    return tables, find_lines(text)


def find_lines(text: str) -> Lines:
    """Where each table and each of its keys stands."""
    lines: Lines = {}
    seen: dict[str, int] = defaultdict(int)
    keys: dict[str, int] = lines.setdefault(("", 0), {})
    line, depth, position = 1, 0, 0
    while position < len(text):
        if depth == 0:  # at the start of a line
            header, key = _HEADER.match(text, position), _KEY.match(text, position)
            if header:
                name = header[1]
                keys = lines.setdefault((name, seen[name]), {"": line})
                seen[name] += 1
                position = header.end()
            elif key:
                keys.setdefault(key[1], line)
                position = key.end()
        for token in _TOKEN.finditer(text, position):
            position = token.end()
            found = token[0]
            line += found.count("\n")
            depth += (found in "[{") - (found in "]}") if len(found) == 1 else 0
            if found == "\n" and depth == 0:
                break
        else:
            break
    return lines


class Table:
    """One table of the file: reads its fields, each fault noted with its line, and goes on.

    Attributes:
        faults: shared by all tables of a file.
    """

    def __init__(
        self, raw: dict[str, Any], name: str, lines: dict[str, int], file: str, faults: list[Fault]
    ) -> None:
        self.raw, self.name, self.lines, self.file, self.faults = raw, name, lines, file, faults
        self.asked: set[str] = set()

    @property
    def line(self) -> int:
        return self.lines.get("", 0)

    def fault(self, key: str, message: str, remedy: str | None = None) -> None:
        line = self.lines.get(key) or self.line or None
        field = f"{self.name}.{key}" if key else self.name
        self.faults.append(Fault(message, self.file, line, field, remedy))

    def value(self, key: str, kind: type | tuple[type, ...], says: str, need: bool) -> Any:
        self.asked.add(key)
        got = self.raw.get(key)
        if got is None:
            if need:
                self.fault(key, f"{key} is missing", f"add {key} = {says}")
        elif not isinstance(got, kind) or (isinstance(got, bool) and kind is not bool):
            self.fault(key, f"{key} is a {type(got).__name__}", f"write {key} = {says}")
        else:
            return got
        return None

    def text(self, key: str, need: bool = False, says: str = '"text"') -> str:
        got: str = self.value(key, str, says, need) or ""
        if need and key in self.raw and isinstance(self.raw[key], str) and not got.strip():
            self.fault(key, f"{key} is empty", f"add {key} = {says}")
        return self.checked(key, got).strip()

    def checked(self, key: str, got: str) -> str:
        if len(got) > MAX_TEXT_CHARS:
            self.fault(
                key,
                f"{key} has {len(got):,} characters; the limit is {MAX_TEXT_CHARS:,}",
                "give the passage that matters and keep the rest as evidence",
            )
            return ""
        if any(ord(c) < 32 and c not in "\n\t" for c in got):
            self.fault(key, f"{key} holds a control character", "remove it")
            return ""
        return got

    def texts(self, key: str) -> tuple[str, ...]:
        got = self.value(key, (str, list), '["…"]', False)
        if got is None:
            return ()
        items = [got] if isinstance(got, str) else got
        if not all(isinstance(item, str) for item in items):
            self.fault(key, f"{key} holds something that is no text", f'write {key} = ["…"]')
            return ()
        return tuple(self.checked(key, item).strip() for item in items)

    def choice(self, key: str, choices: tuple[str, ...], default: str = "") -> str:
        got = self.text(key, need=not default, says=f'"{choices[0]}"') or default
        if got and got not in choices:
            self.fault(key, f"{key} is {got[:40]!r}", nearest(got, choices))
            return default or choices[0]
        return got

    def read(
        self, key: str, parse: Callable[[Any], _T], remedy: str, need: bool = False
    ) -> _T | None:
        """A field through its own reader, whose ValueError becomes a fault."""
        got = self.value(key, (str, int, float), remedy, need)
        if got is None:
            return None
        try:
            return parse(got)
        except ValueError as error:
            self.fault(key, str(error), getattr(error, "remedy", f"write {key} = {remedy}"))
            return None

    def done(self) -> None:
        """Name the fields that nobody asked for."""
        for key in self.raw:
            if key not in self.asked:
                self.fault(key, f"no field is called {key[:40]!r} here", nearest(key, self.asked))


def nearest(name: str, known: tuple[str, ...] | set[str]) -> str:
    """A remedy that names what was probably meant."""
    import difflib

    near = difflib.get_close_matches(name[:80], sorted(known), n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    return "known are " + ", ".join(sorted(known)[:20]) if known else "none are defined"
