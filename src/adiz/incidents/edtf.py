"""Times as sources give them: ISO 8601-2:2019 (EDTF), level 1, with times of day.

``2019-07-23T09:09+09:00`` is a minute, not an instant: something that happened then happened at
or after 09:09:00 and before 09:10:00. That is the convention here: a time stands for the whole of
its last unit, so two times given to the minute lie one minute more or less apart than their
difference. (A source that rounds to the nearest minute instead would shift all of its times by
half a minute and change no difference.)

Read are: years, months, days, hours, minutes, seconds and decimal fractions of a second;
intervals ``A/B``; open ends ``../B`` (by B), ``A/..`` (from A on), unknown ends ``/B``, ``A/``;
approximate ``~``, uncertain ``?``, both ``%``; unspecified digits on the right (``201X``,
``2019-07-XX``); seasons (``2019-21`` to ``-24``: spring, summer, autumn and winter of the north,
from 1 March by threes of months). Not read: years before 0001 or beyond 9999.

A qualifier widens a time on both sides, because its source says no more: by
:data:`MARGIN_UNITS` of the last unit. A time of day needs a UTC offset; a date alone is a day of
the incident's own time zone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

MARGIN_UNITS = {"second": 30, "minute": 5, "hour": 1, "day": 1, "month": 1, "season": 1, "year": 1}
"""How far ``~``, ``?`` and ``%`` widen a time on each side, in its own unit. A convention."""

_UNIT = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "month": timedelta(days=31),
    "season": timedelta(days=92),
    "year": timedelta(days=366),
}

_POINT = re.compile(
    r"(?P<year>\d{4}|\d{3}X|\d{2}XX)"
    r"(?:-(?P<month>\d\d|XX)(?:-(?P<day>\d\d|XX)"
    r"(?:T(?P<hour>\d\d)(?::(?P<minute>\d\d)(?::(?P<second>\d\d(?:\.\d{1,6})?))?)?"
    r"(?P<offset>Z|[+-]\d\d(?::?\d\d)?)?)?)?)?"
    r"(?P<mark>[~?%]?)"
)

EXAMPLE = "2019-07-23T09:09+09:00"


class EdtfError(ValueError):
    """A text that is no time; ``remedy`` says what to write instead."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Span:
    """``earliest`` <= moment < ``latest``, UTC; None where there is no bound."""

    earliest: datetime | None
    latest: datetime | None

    @property
    def middle(self) -> datetime | None:
        if self.earliest is None or self.latest is None:
            return None
        return self.earliest + (self.latest - self.earliest) / 2


@dataclass(frozen=True, slots=True)
class TimeSpec:
    """A time or an interval of time.

    Attributes:
        text: as written.
        begin, end: where it begins and ends; equal for a single time.
        interval: written as ``A/B``. Of a state ("was inside") an interval says that it lasted
            from A to B; of an event ("entered") that it came at some moment of it.
        granularity: the coarsest last unit written: ``second`` … ``year``; "" if none is.
        approximate, uncertain: marked ``~`` or ``%``; marked ``?`` or ``%``.
    """

    text: str
    begin: Span
    end: Span
    interval: bool = False
    granularity: str = ""
    approximate: bool = False
    uncertain: bool = False

    @property
    def earliest(self) -> datetime | None:
        """The first moment it may stand for; None if there is none."""
        return self.begin.earliest

    @property
    def latest(self) -> datetime | None:
        """The moment before which it lies; None if there is none."""
        return self.end.latest

    def meets(self, other: TimeSpec) -> bool:
        """Whether some moment may belong to both."""
        return _before(self.earliest, other.latest) and _before(other.earliest, self.latest)

    def within(self, other: TimeSpec) -> bool:
        """Whether every moment of this one belongs to the other."""
        early = other.earliest is None or (
            self.earliest is not None and self.earliest >= other.earliest
        )
        late = other.latest is None or (self.latest is not None and self.latest <= other.latest)
        return early and late

    def __str__(self) -> str:
        return self.text


def _before(early: datetime | None, late: datetime | None) -> bool:
    return early is None or late is None or early < late


def parse_edtf(text: str, day_zone: tzinfo = UTC) -> TimeSpec:
    """Read a time.

    Args:
        text: EDTF; see the module's head.
        day_zone: in which zone a date without a time of day is a day.

    Raises:
        EdtfError: the text is no time, has a time of day without a UTC offset, names a day that
            does not exist, or ends before it starts.

    Example:
        >>> time = parse_edtf("2019-07-23T09:09+09:00")
        >>> str(time.earliest), str(time.latest)
        ('2019-07-23 00:09:00+00:00', '2019-07-23 00:10:00+00:00')
    """
    text = text.strip()
    parts = text.split("/")
    if len(parts) > 2:
        raise EdtfError(f"{_short(text)} has more than one '/'", "write an interval as START/END")
    if len(parts) == 1:
        span, unit, mark = _point(text, day_zone)
        return TimeSpec(text, span, span, False, unit, mark in ("~", "%"), _doubt(mark))
    ends = [_end(part, day_zone) for part in parts]
    if all(unit == "" for _, unit, _ in ends):
        raise EdtfError(f"{_short(text)} has neither start nor end", "give at least one of them")
    (begin, unit1, mark1), (end, unit2, mark2) = ends
    if begin.earliest is not None and end.latest is not None and begin.earliest >= end.latest:
        raise EdtfError(
            f"{_short(text)} ends before it starts", "write the earlier time first, START/END"
        )
    units = [u for u in (unit1, unit2) if u]
    coarsest = max(units, key=list(_UNIT).index)
    marks = mark1 + mark2
    return TimeSpec(text, begin, end, True, coarsest, any(m in "~%" for m in marks), _doubt(marks))


def _doubt(marks: str) -> bool:
    return any(m in "?%" for m in marks)


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "…")


def _end(part: str, day_zone: tzinfo) -> tuple[Span, str, str]:
    if part in ("", ".."):
        return Span(None, None), "", ""
    return _point(part, day_zone)


def _point(text: str, day_zone: tzinfo) -> tuple[Span, str, str]:
    found = _POINT.fullmatch(text)
    if not found:
        raise EdtfError(f"{_short(text)} is not a time", f"write it as {EXAMPLE}")
    got = found.groupdict()
    mark = got["mark"]
    if got["hour"] and not got["offset"]:
        raise EdtfError(
            f"{_short(text)} has no time zone", f"add the offset from UTC, as in {EXAMPLE}, or Z"
        )
    try:
        start, stop, unit = _bounds(got, day_zone)
        margin = _UNIT[unit] * MARGIN_UNITS[unit] if mark else timedelta()
        return Span(start - margin, stop + margin), unit, mark
    except (ValueError, OverflowError) as error:
        raise EdtfError(f"{_short(text)} does not exist: {error}", "check the digits") from None


def _bounds(got: dict[str, str | None], day_zone: tzinfo) -> tuple[datetime, datetime, str]:
    year, month, day = got["year"] or "", got["month"], got["day"]
    if got["hour"]:
        return _time_of_day(got)
    if "X" in year:
        if month and month != "XX":
            raise ValueError("a month in an unknown year")
        first, last = int(year.replace("X", "0")), int(year.replace("X", "9"))
        return _day(first, 1, day_zone), _day(last + 1, 1, day_zone), "year"
    y = int(year)
    if month in (None, "XX"):
        if day and day != "XX":
            raise ValueError("a day in an unknown month")
        return _day(y, 1, day_zone), _day(y + 1, 1, day_zone), "year"
    m = int(month or "")
    if 21 <= m <= 24:
        if day:
            raise ValueError("a day in a season")
        first_month = 3 * (m - 20)
        return _day(y, first_month, day_zone), _day(y, first_month + 3, day_zone), "season"
    if not 1 <= m <= 12:
        raise ValueError(f"month {m}")
    if day in (None, "XX"):
        return _day(y, m, day_zone), _day(y, m + 1, day_zone), "month"
    start = datetime(y, m, int(day or ""), tzinfo=day_zone)
    naive_next = start.replace(tzinfo=None) + timedelta(days=1)
    return start.astimezone(UTC), naive_next.replace(tzinfo=day_zone).astimezone(UTC), "day"


def _day(year: int, month: int, day_zone: tzinfo) -> datetime:
    """The first of a month; months run on past December."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return datetime(year, month, 1, tzinfo=day_zone).astimezone(UTC)


def _time_of_day(got: dict[str, str | None]) -> tuple[datetime, datetime, str]:
    digits = [got[k] or "" for k in ("year", "month", "day", "hour")]
    if any("X" in d for d in digits):
        raise ValueError("a time of day on an unknown day")
    year, month, day, hour = map(int, digits)
    second = got["second"] or "0"
    whole, _, fraction = second.partition(".")
    start = datetime(
        year, month, day, hour, int(got["minute"] or 0), int(whole),
        int(fraction.ljust(6, "0")) if fraction else 0, tzinfo=UTC,
    )  # fmt: skip
    unit = "second" if got["second"] else "minute" if got["minute"] else "hour"
    width = timedelta(seconds=1) / 10 ** len(fraction) if fraction else _UNIT[unit]
    start -= _offset(got["offset"] or "Z")
    return start, start + width, unit


def _offset(text: str) -> timedelta:
    if text == "Z":
        return timedelta()
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    if offset > timedelta(hours=14):
        raise ValueError(f"offset {text} is more than 14 hours")
    return -offset if text[0] == "-" else offset
