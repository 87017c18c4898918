"""What changed between two revisions of an incident, part by part.

Works on the file's own structure, so it shows everything that changed, whatever it means; parts
that have an ``id`` (claims, sources, …) are matched by it, wherever they stand in the file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from adiz.errors import AdizError


@dataclass(frozen=True, slots=True)
class Difference:
    """One part that differs. ``path`` reads like ``claims[C012].time``; the absent side is None."""

    kind: Literal["added", "removed", "changed"]
    path: str
    old: Any
    new: Any

    def __str__(self) -> str:
        mark = {"added": "+", "removed": "-", "changed": "~"}[self.kind]
        if self.kind == "changed":
            return f"{mark} {self.path}: {_show(self.old)} → {_show(self.new)}"
        return f"{mark} {self.path}: {_show(self.new if self.kind == 'added' else self.old)}"


def diff_texts(old: str, new: str) -> list[Difference]:
    """The differences between two incident files' texts, in the order of the newer.

    Raises:
        AdizError: a text is not TOML.

    Example:
        >>> old = '[[claims]]\\nid = "C1"\\nquote = "12 km"'
        >>> for difference in diff_texts(old, old.replace("12", "13")):
        ...     print(difference)
        ~ claims[C1].quote: "12 km" → "13 km"
    """
    try:
        before, after = tomllib.loads(old), tomllib.loads(new)
    except tomllib.TOMLDecodeError as error:
        raise AdizError(f"a revision cannot be compared, it is not TOML: {error}") from None
    return list(_diff("", before, after))


def _diff(path: str, old: Any, new: Any) -> Iterator[Difference]:
    if isinstance(old, list) and isinstance(new, list):
        old_parts, new_parts = _keyed(old), _keyed(new)
        if old_parts is None or new_parts is None:
            if old != new:
                yield Difference("changed", path, old, new)
            return
        yield from _diff_parts(old_parts, new_parts, lambda key: f"{path}[{key}]")
    elif isinstance(old, dict) and isinstance(new, dict):
        yield from _diff_parts(old, new, lambda key: f"{path}.{key}" if path else key)
    elif old != new or type(old) is not type(new):
        yield Difference("changed", path, old, new)


def _diff_parts(old: dict[str, Any], new: dict[str, Any], name: Any) -> Iterator[Difference]:
    for key in new:
        if key not in old:
            yield Difference("added", name(key), None, new[key])
        else:
            yield from _diff(name(key), old[key], new[key])
    for key in old:
        if key not in new:
            yield Difference("removed", name(key), old[key], None)


def _keyed(parts: list[Any]) -> dict[str, Any] | None:
    """Parts by id; None where they have none, or share one."""
    keyed = {p["id"]: p for p in parts if isinstance(p, dict) and isinstance(p.get("id"), str)}
    return keyed if len(keyed) == len(parts) else None


def _show(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False, default=str)
