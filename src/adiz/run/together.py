"""Encounters and formations of files and tables: drives the folds of :mod:`adiz.detect`.

A table goes through a fold in one step. Parquet files, which may be larger than memory, go slice
by slice, each read while the one before is worked on: as they lie where their rows are in order
of time, else window of time by window of time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import polars as pl

from adiz.detect.company import Rule
from adiz.detect.encounters import COLUMNS, SORT, EncountersFold, Prepared
from adiz.detect.formations import Formations, FormationsFold, StateOf

if TYPE_CHECKING:
    from adiz.sources.reports import Reports

_SLICE_ROWS = 1_000_000

Make = Callable[[pl.DataFrame], Prepared]


def find_encounters(
    reports: Reports | pl.DataFrame | Any,
    *,
    within_nm: float = 5.0,
    within_ft: float = 2000.0,
    for_s: float = 300.0,
    max_gap_s: float = 120.0,
    max_speed_kt: float = 2000.0,
) -> pl.DataFrame:
    """Which tracks were near each other, from when to when.

    Args:
        reports: what :func:`adiz.read` gives, a table of reports (polars or Arrow), or paths.
        within_nm: lateral limit, nautical miles.
        within_ft: vertical limit, feet.
        for_s: shortest encounter reported, seconds.
        max_gap_s: longest time between two reports that still make a leg, seconds.
        max_speed_kt: a leg that needs more is treated as a gap.

    Returns:
        One row an encounter with the columns of :data:`adiz.detect.encounters.ENCOUNTERS`, sorted
        by ``start_time``, ``track_a``, ``track_b``. Each pair once, wherever its reports came from.

    Raises:
        AdizError: a limit out of range, or reports without the needed columns.
        ReportsError: nothing could be read.

    Example:
        >>> import adiz
        >>> adiz.find_encounters("day.parquet", within_nm=3)  # doctest: +SKIP
    """
    fold = EncountersFold(
        within_nm=within_nm,
        within_ft=within_ft,
        for_s=for_s,
        max_gap_s=max_gap_s,
        lateness_s=0.0,
        max_speed_kt=max_speed_kt,
    )
    return encounters_through(fold, reports)


def encounters_through(fold: EncountersFold, reports: Any) -> pl.DataFrame:
    """All encounters of reports, through a fold of one's own (whose counts can then be read)."""
    before, late = fold.save(), fold.counts["late"]
    found = []
    for part in slices_of(reports, trusting=True, make=fold.prepare):
        found.append(fold.step(part))
        if fold.counts["late"] > late:
            break
    if fold.counts["late"] > late:  # the files are not in order of time
        fold.rewind(before)
        found = [fold.step(part) for part in slices_of(reports)]
    return pl.concat([*found, fold.flush()]).sort(SORT)


def find_formations(
    reports: Reports | pl.DataFrame | Any,
    *,
    state_of: StateOf | None = None,
    role_of: Mapping[str, str | None] | None = None,
    rule: Rule | None = None,
    max_gap_s: float = 120.0,
    max_speed_kt: float = 2000.0,
) -> Formations:
    """Who flew with whom: formations, their joins and splits, and joint patrols.

    Args:
        reports: as in :func:`find_encounters`.
        state_of: state of a track id, as a mapping or a function; None where it is not known.
        role_of: role of a track id (``tanker``, ``bomber``, …).
        rule: what makes company a formation; see :class:`adiz.detect.company.Rule`.
        max_gap_s: longest time between two reports that still make a leg, seconds.
        max_speed_kt: a leg that needs more is treated as a gap.

    Raises:
        AdizError: a limit out of range, or reports without the needed columns.
        ReportsError: nothing could be read.
    """
    fold = FormationsFold(
        rule,
        state_of=state_of,
        role_of=role_of,
        max_gap_s=max_gap_s,
        lateness_s=0.0,
        max_speed_kt=max_speed_kt,
    )
    return formations_through(fold, reports)


def formations_through(fold: FormationsFold, reports: Any) -> Formations:
    """All formations of reports, through a fold of one's own."""
    found = [fold.step(cast("pl.DataFrame", part)) for part in slices_of(reports)]
    return Formations.joined([*found, fold.flush()])


def slices_of(
    reports: Any, *, trusting: bool = False, make: Make | None = None
) -> Iterator[pl.DataFrame | Prepared]:
    """Reports in slices that follow each other in time.

    With ``trusting``, files are taken to be in order of time; without, they are looked through
    first. Slices of files that are trusted are given as ``make`` makes them, which is done by the
    thread that reads.
    """
    if isinstance(reports, str | os.PathLike) or (
        isinstance(reports, list | tuple) and all(isinstance(p, str | os.PathLike) for p in reports)
    ):
        from adiz.sources.files import find_inputs
        from adiz.sources.read import read, scan
        from adiz.sources.recognise import recognise

        if all(recognise(item) == "parquet" for item in find_inputs(reports)):
            lazy = scan(reports).select(COLUMNS)
            if trusting or _in_order(lazy):
                yield from _as_they_lie(lazy, make)
            else:
                yield from _read_ahead(_windows(lazy))
            return
        reports = read(reports)
    table = getattr(reports, "table", reports)
    yield table if isinstance(table, pl.DataFrame) else pl.DataFrame(table)


def _as_they_lie(lazy: pl.LazyFrame, make: Make | None = None) -> Iterator[pl.DataFrame | Prepared]:
    rows = lazy.select(pl.len()).collect().item()
    parts: list[pl.LazyFrame] = []
    first, size = 0, _SLICE_ROWS // 8  # small ones first: work begins the sooner
    while first < rows or not parts:
        parts.append(lazy.slice(first, size))
        first += size
        size = min(2 * size, _SLICE_ROWS, max(first, 1))
    return _read_ahead(parts, make)


def _read_ahead(
    parts: Iterable[pl.LazyFrame], make: Make | None = None
) -> Iterator[pl.DataFrame | Prepared]:
    """Each part, the next being read while it is worked on."""
    with ThreadPoolExecutor(1) as pool:
        ahead = None
        for part in parts:
            ready, ahead = ahead, pool.submit(_collect, part, make)
            if ready:
                yield ready.result()
        if ahead:
            yield ahead.result()


def _collect(part: pl.LazyFrame, make: Make | None) -> pl.DataFrame | Prepared:
    table = part.collect()
    return make(table) if make else table


def _in_order(lazy: pl.LazyFrame) -> bool:
    """Whether no slice begins before the one before it ends."""
    latest: datetime | None = None
    for part in _as_they_lie(lazy.select("time")):
        time = cast("pl.DataFrame", part).get_column("time")
        least, most = cast("datetime | None", time.min()), cast("datetime | None", time.max())
        if latest is not None and least is not None and least < latest:
            return False
        latest = most or latest
    return True


def _windows(lazy: pl.LazyFrame) -> Iterator[pl.LazyFrame]:
    """Windows of time; rows without a time come with the first."""
    time = pl.col("time")
    rows, first, last = lazy.select(pl.len(), time.min(), time.max().alias("last")).collect().row(0)
    count = max(1, -(-rows // (2 * _SLICE_ROWS)))
    edges = [first + (last - first) * k / count for k in range(1, count)]
    for low, high in pairwise([None, *edges, None]):
        inside = pl.lit(True)
        if low is not None:
            inside = inside & (time >= low)
        if high is not None:
            inside = inside & (time < high)
        yield lazy.filter(inside if low is not None else inside | time.is_null())
