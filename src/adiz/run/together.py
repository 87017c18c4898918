"""Encounters and formations of files and tables: drives the folds of :mod:`adiz.detect`.

Reports go through in slices that follow each other in time, so that a fold holds only the
aircraft in the air. A table in order of time is cut as it lies; Parquet files, which may be
larger than memory, are read window by window (fastest where they are in order of time, since
whole row groups are then skipped). Anything else goes through in one slice.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import polars as pl

from adiz.detect.encounters import COLUMNS, SORT, EncountersFold
from adiz.detect.formations import Formations, FormationsFold, Rule, StateOf

if TYPE_CHECKING:
    from adiz.sources.reports import Reports

_WINDOW_ROWS = 2_000_000
_SLICE_ROWS = 32_768


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
        rule: what makes company a formation; see :class:`adiz.detect.formations.Rule`.
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
    found = [fold.step(part) for part in slices_of(reports)]
    return Formations.joined([*found, fold.flush()])


def slices_of(reports: Any) -> Iterator[pl.DataFrame]:
    """Reports in slices that follow each other in time."""
    if isinstance(reports, str | os.PathLike) or (
        isinstance(reports, list | tuple) and all(isinstance(p, str | os.PathLike) for p in reports)
    ):
        from adiz.sources.files import find_inputs
        from adiz.sources.read import read, scan
        from adiz.sources.recognise import recognise

        if all(recognise(item) == "parquet" for item in find_inputs(reports)):
            for window in _windows(scan(reports)):
                yield from _cut(window)
            return
        reports = read(reports)
    table = getattr(reports, "table", reports)
    yield from _cut(table if isinstance(table, pl.DataFrame) else pl.DataFrame(table))


def _cut(table: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Small slices where the order of time allows: they stay in the processor's cache."""
    long = table.height > _SLICE_ROWS and "time" in table.columns
    if long and table["time"].is_sorted():
        yield from table.iter_slices(_SLICE_ROWS)
    else:
        yield table


def _windows(lazy: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """Windows of time, each read while the one before is worked on.

    Rows without a time come with the first.
    """
    time = pl.col("time")
    lazy = lazy.select(COLUMNS)
    rows, first, last = lazy.select(pl.len(), time.min(), time.max().alias("last")).collect().row(0)
    count = max(1, -(-rows // _WINDOW_ROWS))
    edges = [first + (last - first) * k / count for k in range(1, count)]

    def read(low: datetime | None, high: datetime | None) -> pl.DataFrame:
        parts = [time < high] if high else []
        parts += [time >= low] if low else []
        inside = pl.all_horizontal(parts) if parts else pl.lit(True)
        return lazy.filter(inside if low else inside | time.is_null()).collect()

    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(read, None, edges[0] if edges else None)
        for low, high in zip_longest(edges, edges[1:]):
            window, ahead = ahead.result(), pool.submit(read, low, high)
            yield window
        yield ahead.result()
