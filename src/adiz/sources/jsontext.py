"""JSON text to plain objects: whole documents, JSON lines, and what is left of a broken file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from adiz.errors import Fault, ReportsError

_BROKEN = (ValueError, RecursionError)
_SMALL_BYTES = 2_000_000
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_MARKS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Text:
    """What a JSON text holds.

    Attributes:
        document: the document; for JSON lines, the list of the documents.
        lines: for JSON lines, the line of each document.
        bad_lines: lines that are no JSON.
        damage: what is wrong, where only the part before the fault was kept.
    """

    document: Any
    lines: list[int] | None = None
    bad_lines: list[int] = field(default_factory=list)
    damage: str | None = None


def decode(data: bytes, name: str) -> Text:
    """The objects of a JSON text.

    Raises:
        ReportsError: it is no JSON, or nothing of it is whole.
    """
    try:
        return Text(_decoder(len(data))(data))
    except _BROKEN as error:
        fault = error
    lines = _decode_lines(data)
    if lines:
        return lines
    at = getattr(fault, "pos", len(data))
    try:
        return Text(_loads(_closed(data[:at])), damage=f"the JSON is broken at character {at}")
    except _BROKEN:
        raise ReportsError(Fault(f"this is not JSON: {str(fault)[:200]}", name)) from None


def decode_document(data: bytes) -> Any:
    """The object of one JSON document, also as Python writes it (NaN, Infinity).

    Raises:
        ValueError, RecursionError: it is none.
    """
    import msgspec  # three times as fast, but its import costs as much as a small file

    with suppress(msgspec.DecodeError):
        return msgspec.json.decode(data)
    return _loads(data)


def holds_more(data: bytes, objects: int, values: int) -> bool:
    """Whether a JSON text may hold more objects or values than that; never says no wrongly."""
    opened = data.count(b"{")
    return opened > objects or opened + data.count(b"[") + data.count(b",") > values


def _decoder(size: int) -> Callable[[bytes], Any]:
    return _loads if size < _SMALL_BYTES else decode_document


def _loads(data: bytes) -> Any:
    text = data.decode()
    document = json.loads(text)
    return _sound(document) if _SURROGATE.search(text) else document


def _sound(value: Any) -> Any:
    """The same with every half of a surrogate pair replaced: it is no character by itself."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_sound(one) for one in value]
    if isinstance(value, dict):
        return {_sound(name): _sound(one) for name, one in value.items()}
    return value


def _decode_lines(data: bytes) -> Text | None:
    """The documents of JSON lines; None unless most lines are objects."""
    decode = _decoder(len(data))
    objects: list[Any] = []
    numbers: list[int] = []
    bad: list[int] = []
    for number, line in enumerate(data.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            objects.append(decode(line))
            numbers.append(number)
        except _BROKEN:
            bad.append(number)
            if len(bad) > 10 + len(objects):
                return None
    documents = sum(isinstance(o, dict) for o in objects)
    if documents < 2 or documents < len(bad) or 2 * documents < len(objects):
        return None
    return Text(objects, numbers, bad)


def _closed(data: bytes) -> bytes:
    """A broken text up to its last whole array or object, with the open ones closed."""
    opened: list[bytes] = []
    end, closers = 0, b""
    for mark in _MARKS.finditer(data):
        token = mark.group()
        if token in (b"{", b"["):
            opened.append(b"}" if token == b"{" else b"]")
        elif token in (b"}", b"]"):
            if not opened or opened.pop() != token:
                break
            end, closers = mark.end(), b"".join(reversed(opened))
    return data[:end] + closers
