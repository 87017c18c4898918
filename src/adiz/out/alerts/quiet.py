"""Quiet times: a part of each day by the clock of a place, across midnight too."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Quiet:
    """A time of day in which a rule is quiet.

    Attributes:
        zone: IANA name.
        start_min, end_min: minutes after local midnight, 0 to 1440; an end not after the start
            is on the next day.
        days: on which it begins, of :data:`DAYS`.
        hold: alerts are kept until its end; else they are dropped.
        urgent: kinds of events that are told all the same.
    """

    zone: str
    start_min: int
    end_min: int
    days: tuple[str, ...] = DAYS
    hold: bool = True
    urgent: tuple[str, ...] = ()

    def ends_us(self, now_us: int) -> int | None:
        """When the quiet time that holds now is over (microseconds, UTC); None: it is not quiet.

        The two ends are instants: an hour that the clocks skip or repeat is quiet once, as long
        as it really lasts.
        """
        zone = ZoneInfo(self.zone)
        today = (_EPOCH + now_us * _MICRO).astimezone(zone).date()
        ends = None
        for first in (today - timedelta(days=1), today):
            if DAYS[first.weekday()] not in self.days:
                continue
            last = first if self.end_min > self.start_min else first + timedelta(days=1)
            start, end = _instant(first, self.start_min, zone), _instant(last, self.end_min, zone)
            if start <= now_us < end:
                ends = max(end, ends or 0)
        return ends


def minutes_of(text: str) -> int | None:
    """Minutes after midnight of a text such as 22:00 (24:00 is 1440); None: it is no time."""
    match = re.fullmatch(r"(\d{2}):(\d{2})", text)
    if not match:
        return None
    minutes = int(match[1]) * 60 + int(match[2])
    return minutes if int(match[2]) < 60 and minutes <= 1440 else None


def _instant(day: date, minutes: int, zone: ZoneInfo) -> int:
    if minutes == 1440:
        day, minutes = day + timedelta(days=1), 0
    local = datetime(day.year, day.month, day.day, minutes // 60, minutes % 60, tzinfo=zone)
    return (local - _EPOCH) // _MICRO
