"""One verb for every kind of file: recognise it, read it, give one table of reports."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import polars as pl

from adiz.errors import Fault, ReportsError
from adiz.sources import convert
from adiz.sources.files import Input, PathLike, find_inputs
from adiz.sources.recognise import recognise
from adiz.sources.reports import LONGEST_VALUE, REJECTED_SCHEMA, SCHEMA, Reports, finish, join
from adiz.sources.tabular import Options

if TYPE_CHECKING:
    Frame = tuple[pl.DataFrame, tuple[str, ...]]
    Reader = Callable[[Input, Options], Frame]

READERS = {
    "parquet": "adiz.sources.parquet",
    "csv": "adiz.sources.delimited",
    "json": "adiz.sources.jsonfile",
    "basestation": "adiz.sources.basestation",
    "gpx": "adiz.sources.xmltracks",
    "kml": "adiz.sources.xmltracks",
}
"""Format -> the module whose ``read_frame(input, options)`` reads it."""

_MOST_FAULTS = 20


def read(
    paths: PathLike | Iterable[PathLike],
    *,
    format: str | None = None,
    columns: Mapping[str, str] | None = None,
    time_zone: str | None = None,
    track_id: str | None = None,
) -> Reports:
    """Read files of any known kind into one table of reports.

    Parameters:
        paths: a file, a directory (searched for files of known suffixes), a pattern with ``*``,
            or several of these.
        format: one of :data:`READERS`, where the content is not to decide.
        columns: our column name -> the input's, for tables whose columns are not recognised.
            Ours may name another unit (``alt_baro_m``), which is converted.
        time_zone: IANA zone of times written without one.
        track_id: the aircraft, for inputs of one aircraft that do not name it.

    Returns:
        Reports in the order of the files and of the rows in them; a row that cannot be used is in
        ``rejected`` with its reason.

    Raises:
        ReportsError: a named file cannot be read or recognised, or no row at all is usable.

    Example:
        >>> import adiz
        >>> adiz.read("trace_full_ac671b.json").table.height  # doctest: +SKIP
        2500
    """
    convert.check_zone(time_zone)
    if format is not None and format not in READERS:
        raise ReportsError(
            Fault(f"no format is called '{format}'", remedy="there are " + ", ".join(READERS))
        )
    options = Options(columns or {}, time_zone, track_id)
    items = find_inputs(paths)
    parts = [_read_one(item, format, options) for item in items]
    reports = join(parts)
    if reports.table.is_empty():
        raise _nothing_usable(items, parts)
    return reports


def scan(
    paths: PathLike | Iterable[PathLike],
    *,
    columns: Mapping[str, str] | None = None,
    time_zone: str | None = None,
    track_id: str | None = None,
) -> pl.LazyFrame:
    """The reports of Parquet files as a lazy table, for data larger than memory.

    Files of one layout are one scan. The rows are as the files have them, with the names, units
    and order of the reports table; longitudes are not yet wrapped and unusable rows not yet taken
    out: filter with :func:`adiz.sources.reports.valid_rows`, count with
    :func:`adiz.sources.reports.reject_reason`.

    Raises:
        ReportsError: a file is no Parquet file, or its columns are not recognised.
    """
    from adiz.sources.parquet import scan_frames

    convert.check_zone(time_zone)
    return scan_frames(find_inputs(paths), Options(columns or {}, time_zone, track_id))


def _read_one(item: Input, format: str | None, options: Options) -> Reports:
    """Reports of one file; a file that was only found, not named, may be unreadable."""
    try:
        reader: Reader = importlib.import_module(READERS[format or recognise(item)]).read_frame
        frame, notes = reader(item, options)
        return finish(frame, item.name, notes)
    except ReportsError as error:
        if not item.sought:
            raise
        message = error.faults[0].message[:LONGEST_VALUE]
        rejected = [{"source": item.name, "reason": "unreadable file", "value": message}]
        return Reports(
            pl.DataFrame(schema=SCHEMA),
            pl.DataFrame(rejected, schema=REJECTED_SCHEMA),
            (str(error),),
        )


def _nothing_usable(items: list[Input], parts: list[Reports]) -> ReportsError:
    """The error for inputs without a single usable row: what was rejected, by file."""
    faults = []
    for item, part in zip(items, parts, strict=True):
        counts = ", ".join(f"{n} {reason}" for reason, n in part.rejected_counts.items())
        notes = [note.removeprefix(f"{item.name}: ") for note in part.notes]
        message = f"no usable row ({counts})" if counts else "there are no rows"
        faults.append(Fault(message, item.name, remedy="; ".join(notes) or None))
    more = len(faults) - _MOST_FAULTS
    return ReportsError(
        faults[:_MOST_FAULTS] + ([Fault(f"and {more} files more")] if more > 0 else [])
    )
