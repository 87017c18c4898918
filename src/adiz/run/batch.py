"""Batch: files or tables in, all stays out.

A table is one step and a flush. Files of Parquet are streamed, so a dataset may be larger than
memory. The stays do not depend on how the reports are split over files and row groups, nor on
their order: where a track's reports turn out not to be in order, they are sorted first (in
memory, or by parts on disk when streamed, see :mod:`adiz.run.stream`).
"""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import polars as pl

from adiz.detect.stays import (
    DEFAULT_MAX_GAP_S,
    DEFAULT_MAX_SPEED_KT,
    DEFAULT_TRACK_END_S,
    DisorderError,
    StaysFold,
    StaysParams,
    sort_stays,
)
from adiz.errors import Fault, ReportsError
from adiz.zones.model import Zone, Zones

if TYPE_CHECKING:
    from adiz.run.stream import Progress
    from adiz.sources.reports import Reports

Files = str | PathLike[str] | Iterable[str | PathLike[str]]


def find_stays(
    reports: Reports | pl.DataFrame | Files | Any,
    zones: Zones | Zone | str | Iterable[str],
    *,
    max_gap_s: float = DEFAULT_MAX_GAP_S,
    track_end_s: float = DEFAULT_TRACK_END_S,
    max_speed_kt: float | None = None,
    progress: Progress | None = None,
    rejected: dict[str, int] | None = None,
) -> pl.DataFrame:
    """Who was in which zone, from when to when.

    Args:
        reports: a :class:`~adiz.Reports`, a table with the columns of the reports table (polars,
            or anything that speaks the Arrow PyCapsule interface), or the paths of files.
        zones: zones, or their names as in :func:`adiz.zones`.
        max_gap_s: a longer way between two reports is a gap; nothing is interpolated across it.
        track_end_s: a longer one ends the track; nothing is said of what lay between.
        max_speed_kt: bound on ground speed in gaps, knots. None: the type's published maximum,
            else 650.
        progress: called with (rows done, rows in all) while files are streamed.
        rejected: filled with how many rows of files could not be used, by reason.

    Returns:
        The stays table (:data:`adiz.schema.STAYS`), by track, time and zone.

    Raises:
        ReportsError: nothing could be read, or a column is missing.
        ZoneError: a zone is unknown or cannot be used.

    Example:
        >>> import adiz
        >>> stays = adiz.find_stays(adiz.demo_capture(), "US-CONUS-2")
        >>> stays["entry_time"].dt.strftime("%H:%M:%S").to_list()[0]
        '21:59:07'
    """
    params = StaysParams(
        max_gap_s=max_gap_s,
        track_end_s=track_end_s,
        max_speed_kt=DEFAULT_MAX_SPEED_KT if max_speed_kt is None else max_speed_kt,
        use_type_speed=max_speed_kt is None,
    )
    chosen = _zones(zones)
    if _are_paths(reports):
        from adiz.run.stream import is_parquet, stream_stays

        if is_parquet(reports):
            return stream_stays(reports, chosen, params, progress, rejected)
        from adiz.sources.read import read

        found = read(reports)
        if rejected is not None:
            rejected.update(found.rejected_counts)
        return sort_stays(stays_of_table(found.table, chosen, params))
    return sort_stays(stays_of_table(_table(reports), chosen, params))


def stays_of_table(reports: pl.DataFrame, zones: Zones, params: StaysParams) -> pl.DataFrame:
    """One step and a flush; sorted first only if the reports are out of order."""
    fold = StaysFold(zones, params, lateness_s=None)
    try:
        return pl.concat([fold.step(reports), fold.flush()])
    except DisorderError:
        fold = StaysFold(zones, params, lateness_s=0.0)
        return pl.concat([fold.step(reports), fold.flush()])


def _are_paths(reports: Any) -> TypeGuard[Files]:
    if isinstance(reports, str | PathLike):
        return True
    return isinstance(reports, list | tuple) and all(
        isinstance(item, str | PathLike) for item in reports
    )


def _zones(zones: Zones | Zone | str | Iterable[str]) -> Zones:
    if isinstance(zones, Zone):
        return Zones((zones,))
    if isinstance(zones, Zones):
        return zones
    from adiz.zones.load import zones as load

    return load(zones)


def _table(reports: Any) -> pl.DataFrame:
    table = getattr(reports, "table", reports)
    if not isinstance(table, pl.DataFrame):
        try:
            table = pl.DataFrame(table)
        except (TypeError, ValueError) as error:
            raise ReportsError(
                Fault(
                    f"reports cannot be a {type(reports).__name__}: {error}",
                    remedy="give a table, the result of adiz.read, or paths",
                )
            ) from None
    missing = [c for c in ("time", "track_id", "lat_deg", "lon_deg") if c not in table.columns]
    if missing:
        raise ReportsError(
            Fault(
                f"the table has no column {', '.join(missing)}",
                field=missing[0],
                remedy="read files with adiz.read, which knows the usual names, or rename",
            )
        )
    time = table.schema["time"]
    if not isinstance(time, pl.Datetime) or time.time_zone is None:
        raise ReportsError(
            Fault(
                f"the column time is {time}, without a time zone",
                field="time",
                remedy="make it a Datetime with time zone, UTC",
            )
        )
    return table


def demo_capture() -> Path:
    """The bundled capture: a US Navy C-2A off San Diego, 14-15 September 2020."""
    return Path(__file__).parent.parent / "data" / "c2a-san-diego-2020-09.parquet"
