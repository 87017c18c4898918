"""What comes with the package: incidents, joint patrols and yearly counts.

The figures are data with a source each (``data/patrols.csv``, ``data/counts.csv``). Confidence of
a count: ``read`` in the source named, ``computed`` from figures read, or ``unverified`` (general
knowledge, not checked: never to be quoted). A count is an interval: "80+" has no upper bound.
Scrambles, entries and sorties are different things and are never added or compared.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from adiz.errors import AdizError


@dataclass(frozen=True, slots=True)
class Count:
    """One published count.

    Attributes:
        series: figures within one series count the same thing in the same way.
        state: ISO 3166-1 alpha-2, or ``all`` or ``other``.
        counted: what was counted.
        period_start, period_end: first and last day.
        low, high: bounds; None where the source gives none.
        stated: the figure as stated.
        confidence: ``read``, ``computed`` or ``unverified``.
    """

    series: str
    zone: str
    state: str
    counted: str
    period_start: date
    period_end: date
    low: int | None
    high: int | None
    stated: str
    source: str
    confidence: str
    note: str


@dataclass(frozen=True, slots=True)
class Patrol:
    """One joint patrol, or one state's flight with published times.

    Attributes:
        number: of the joint patrol, as China counts; None for one state's flight.
        cn_count, ru_count: aircraft; None where not published.
        times_local: as published, on the clock of ``timezone``.
        airspace_entered: territorial airspace: ``yes``, ``no`` or ``disputed``.
        stated_by: the bodies whose statements these are.
    """

    number: int | None
    kind: str
    start_date: date
    end_date: date
    cn_count: int | None
    cn_types: str
    ru_count: int | None
    ru_types: str
    zones: str
    times_local: str
    timezone: str
    airspace_entered: str
    stated_by: str
    source: str
    confidence: str
    note: str


def load_counts() -> tuple[Count, ...]:
    """The bundled counts, by series, state and time."""
    return tuple(
        Count(
            **_dates(row, "period_start", "period_end"),
            low=_whole(row.pop("low")),
            high=_whole(row.pop("high")),
            **row,
        )
        for row in _rows("counts.csv")
    )


def load_patrols() -> tuple[Patrol, ...]:
    """The bundled patrols, joint patrols first."""
    return tuple(
        Patrol(
            **_dates(row, "start_date", "end_date"),
            number=_whole(row.pop("number")),
            cn_count=_whole(row.pop("cn_count")),
            ru_count=_whole(row.pop("ru_count")),
            **row,
        )
        for row in _rows("patrols.csv")
    )


@dataclass(frozen=True, slots=True)
class TallyCheck:
    """A tally against one counted figure of the catalogue."""

    agrees: bool
    why: str
    count: Count


def check_tally(
    zone: str,
    state: str,
    start: date,
    end: date,
    low: int | None,
    high: int | None,
    counts: Iterable[Count] | None = None,
) -> list[TallyCheck]:
    """Hold a tally of entries since a date against the catalogue.

    A count over a longer period cannot be below the tally, one over a shorter period cannot be
    above it, one over the same days must overlap it. Counts that only overlap in time say nothing
    and are left out, as are unverified figures and series that count something else.

    Args:
        zone: plain name of the zone, e.g. ``KADIZ``.
        state: ISO 3166-1 alpha-2.
        start, end: first and last day of the tally.
        low, high: its bounds; None where open.

    Example:
        >>> checks = check_tally("KADIZ", "CN", date(2019, 1, 1), date(2019, 7, 22), 25, 25)
        >>> [(c.agrees, c.count.stated) for c in checks]
        [(True, '25'), (True, '50+')]
    """
    found = []
    for count in load_counts() if counts is None else counts:
        if (count.zone, count.state) != (zone, state) or not count.counted.startswith("entries"):
            continue
        if count.confidence == "unverified":
            continue
        longer = count.period_start <= start and end <= count.period_end
        shorter = start <= count.period_start and count.period_end <= end
        least, most = low or 0, high
        too_high = longer and count.high is not None and least > count.high
        too_low = shorter and most is not None and most < (count.low or 0)
        if not (longer or shorter):
            continue
        days = f"{count.period_start} to {count.period_end}"
        relation = (
            "over the same days"
            if longer and shorter
            else f"over {days}, which {'includes' if longer else 'is part of'} the days tallied"
        )
        verb = "is more than" if too_high else "is less than" if too_low else "can stand with"
        found.append(
            TallyCheck(
                not (too_high or too_low),
                f"{_span(low, high)} {verb} {count.stated} {count.counted} {relation} "
                f"({count.source})",
                count,
            )
        )
    return found


def _span(low: int | None, high: int | None) -> str:
    if low == high:
        return str(low)
    if high is None:
        return f"at least {low}"
    return f"at most {high}" if low is None else f"{low} to {high}"


def _rows(name: str) -> list[dict[str, Any]]:
    import csv

    text = (Path(__file__).parent / "data" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _dates(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: date.fromisoformat(row.pop(name)) for name in names}


def _whole(text: str) -> int | None:
    return int(text) if text else None


def select_counts(
    counts: Iterable[Count],
    *,
    series: str | None = None,
    zone: str | None = None,
    state: str | None = None,
    since: int | None = None,
    until: int | None = None,
    verified: bool = False,
) -> list[Count]:
    """The counts that match; years are those in which a period begins.

    Raises:
        AdizError: a series, zone or state that no count has.
    """
    counts = list(counts)
    for field, wanted in (("series", series), ("zone", zone), ("state", state)):
        known = sorted({getattr(c, field) for c in counts})
        if wanted is not None and wanted not in known:
            raise AdizError(f"no count has the {field} {wanted!r}; known: {', '.join(known)}")
    return [
        c
        for c in counts
        if (series is None or c.series == series)
        and (zone is None or c.zone == zone)
        and (state is None or c.state == state)
        and (since is None or c.period_start.year >= since)
        and (until is None or c.period_start.year <= until)
        and not (verified and c.confidence == "unverified")
    ]


def select_patrols(
    patrols: Iterable[Patrol],
    *,
    kind: str | None = None,
    zone: str | None = None,
    since: int | None = None,
    until: int | None = None,
) -> list[Patrol]:
    """The patrols that match; ``zone`` is looked for in the zones as described."""
    return [
        p
        for p in patrols
        if (kind is None or p.kind == kind)
        and (zone is None or zone.casefold() in p.zones.casefold())
        and (since is None or p.start_date.year >= since)
        and (until is None or p.start_date.year <= until)
    ]


def bundled_incidents() -> dict[str, Path]:
    """The incident files that come with the package, by id (the file's name)."""
    return {path.stem: path for path in sorted((Path(__file__).parent / "data").glob("*.toml"))}


def find_incident(name: str) -> Path:
    """The path of an incident file: a path, or the id of a bundled incident.

    Raises:
        AdizError: it is neither.
    """
    bundled = bundled_incidents()
    if name in bundled and not Path(name).exists():
        return bundled[name]
    if not Path(name).is_file():
        raise AdizError(
            f"no incident file is at {name}; give a path or one of: {', '.join(bundled)}"
        )
    return Path(name)
