"""One verb for every kind of file: recognise it, read it, give one table of reports."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl

from adiz.errors import Fault, ReportsError
from adiz.sources import convert
from adiz.sources.files import Input, PathLike, find_inputs
from adiz.sources.recognise import recognise
from adiz.sources.reports import (
    LONGEST_VALUE,
    REJECTED_SCHEMA,
    SCHEMA,
    Reports,
    as_declared,
    finish,
    join,
)
from adiz.sources.site import SiteLike, read_sites
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
    "beast": "adiz.sources.beast",
    "asterix": "adiz.sources.asterix",
    "pcap": "adiz.sources.asterix",
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
    site: SiteLike | Mapping[str, SiteLike] | None = None,
    start: str | datetime | None = None,
) -> Reports:
    """Read files of any known kind into one table of reports.

    Parameters and errors are those of :func:`adiz.read`, which calls this and then works out the
    plausibility flags; here ``flags`` stay as the input has them, which is mostly null.
    """
    convert.check_zone(time_zone)
    if format is not None and format not in READERS:
        raise ReportsError(
            Fault(f"no format is called '{format}'", remedy="there are " + ", ".join(READERS))
        )
    options = Options(
        columns or {}, time_zone, track_id, read_sites(site), convert.moment(start, time_zone)
    )
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
    """Reports as a lazy table, for data larger than memory.

    Parquet files are only scanned, all of one layout together; other formats are read when this is
    called. The rows are as the files have them, with the names, units and order of the reports
    table; longitudes are not yet wrapped and unusable rows not yet taken out: filter with
    :func:`adiz.sources.reports.valid_rows`, count with
    :func:`adiz.sources.reports.count_rejected`, wrap with
    :func:`adiz.sources.reports.wrapped_lon`.

    Raises:
        ReportsError: a file cannot be read, or its columns are not recognised.
    """
    from adiz.sources.parquet import scan_frames

    convert.check_zone(time_zone)
    options = Options(columns or {}, time_zone, track_id)
    kinds = [(item, recognise(item)) for item in find_inputs(paths)]
    scanned = [item for item, kind in kinds if kind == "parquet"]
    lazy = [scan_frames(scanned, options)] if scanned else []
    for item, kind in kinds:
        if kind != "parquet":
            frame, _ = _reader(kind)(item, options)
            lazy.append(as_declared(frame, item.name).lazy())
    return pl.concat(lazy)


def _reader(format: str) -> Reader:
    reader: Reader = importlib.import_module(READERS[format]).read_frame
    return reader


def _read_one(item: Input, format: str | None, options: Options) -> Reports:
    """Reports of one file; a file that was only found, not named, may be unreadable."""
    try:
        frame, notes = _reader(format or recognise(item))(item, options)
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
