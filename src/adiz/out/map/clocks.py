"""Local time for a page: the offsets of time zones over a span, worked out here.

The reader's browser is not asked: its zone data may differ, and the page must show the same times
everywhere. Offsets come from the IANA database through ``zoneinfo``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from adiz.errors import Fault, FaultyInputError

DAY = timedelta(days=1)


def clocks(names: Sequence[str], start: datetime, end: datetime) -> list[dict[str, Any]]:
    """Each zone's offsets from ``start`` to ``end`` (aware), ready for the page.

    Returns:
        For each name: ``name`` and ``changes``, a list of [milliseconds after ``start``, offset in
        seconds, abbreviation], the first at 0.

    Raises:
        FaultyInputError: a name that the IANA database does not have.
    """
    return [
        {"name": name, "changes": _changes(_zone(name), start, end)}
        for name in dict.fromkeys(names)
        if name.upper() != "UTC"
    ]


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        raise FaultyInputError(
            Fault(
                f"no time zone is called {name!r}",
                field="time_zones",
                remedy="use an IANA name, e.g. Asia/Seoul (if all are refused: pip install tzdata)",
            )
        ) from None


def _changes(zone: ZoneInfo, start: datetime, end: datetime) -> list[list[Any]]:
    def local(moment: datetime) -> tuple[timedelta, str]:
        there = moment.astimezone(zone)
        return there.utcoffset() or timedelta(0), there.tzname() or ""

    changes: list[list[Any]] = []

    def note(moment: datetime) -> None:
        offset, name = local(moment)
        after_ms = (moment - start) // timedelta(milliseconds=1)
        changes.append([after_ms, int(offset.total_seconds()), name])

    note(start)
    day = start
    while day < end:
        before, after = day, min(day + DAY, end)
        day = after
        if local(before) == local(after):
            continue
        while after - before > timedelta(seconds=1):  # the second in which the offset changes
            middle = before + (after - before) / 2
            if local(middle) == local(before):
                before = middle
            else:
                after = middle
        note(after.astimezone(UTC).replace(microsecond=0))
    return changes
