"""Stays written out: a table for people, JSON lines, CSV, Parquet and GeoJSON for programs.

Times are ISO 8601 in UTC with microseconds and a Z; what is not known is null (JSON, Parquet,
GeoJSON) or empty (CSV).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from zoneinfo import ZoneInfo

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMATS = ("table", "json", "csv", "parquet", "geojson")
_ISO = "%Y-%m-%dT%H:%M:%S%.6fZ"


def write_stays(
    stays: pl.DataFrame, out: str | Path | BinaryIO, format: str, zones: Sequence[str] = ()
) -> None:
    """Write a stays table.

    Args:
        stays: as :func:`adiz.find_stays` gives it.
        out: a path or an open binary file.
        format: one of :data:`FORMATS`.
        zones: IANA time zones shown beside UTC in the table for people.
    """
    if format == "parquet":
        stays.write_parquet(out)
        return
    if format == "csv":
        _with_iso_times(stays).write_csv(out)
        return
    if format == "json":
        _with_iso_times(stays).write_ndjson(out)
        return
    if format == "geojson":
        data = json.dumps(_geojson(stays), ensure_ascii=False, indent=1).encode() + b"\n"
    else:
        data = format_table(stays, zones).encode()
    if isinstance(out, str | Path):
        Path(out).write_bytes(data)
    else:
        out.write(data)


def _with_iso_times(stays: pl.DataFrame) -> pl.DataFrame:
    return stays.with_columns(pl.col(pl.Datetime).dt.strftime(_ISO))


def _geojson(stays: pl.DataFrame) -> dict[str, object]:
    """One feature a stay: its entry and exit points, as far as they are known."""
    features = []
    for row in _with_iso_times(stays).iter_rows(named=True):
        points = [
            [row[f"{end}_lon_deg"], row[f"{end}_lat_deg"]]
            for end in ("entry", "exit")
            if row[f"{end}_lat_deg"] is not None
        ]
        geometry = {"type": "MultiPoint", "coordinates": points} if points else None
        features.append({"type": "Feature", "geometry": geometry, "properties": row})
    return {"type": "FeatureCollection", "features": features}


def format_table(stays: pl.DataFrame, zones: Sequence[str] = ()) -> str:
    """The stays as aligned text, ending with a line that counts them.

    Example:
        >>> import adiz
        >>> table = format_table(adiz.find_stays(adiz.demo_capture(), "US-CONUS-2"))
        >>> print(" ".join(table.splitlines()[1].split()))
        ae0455 US-CONUS-2 2020-09-14 21:59:07.8 crossed 22:02:06.2 crossed 2 min 58 s 7.8 km
    """
    if stays.is_empty():
        return "No stays: no track was, or may have been, in these zones.\n"
    rows = [["track", "zone", "entry (UTC)", "exit (UTC)", "inside", "depth", ""]]
    rows += [_cells(row, zones) for row in stays.iter_rows(named=True)]
    right = {4, 5}
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join(
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([*lines, "", _summary(stays)]) + "\n"


def _cells(row: dict[str, object], zones: Sequence[str]) -> list[str]:
    entry, exit_ = row["entry_time"], row["exit_time"]
    assert entry is None or isinstance(entry, datetime)
    assert exit_ is None or isinstance(exit_, datetime)
    cells = [_text(row["track_id"]), str(row["zone_id"])]
    depth = row["max_depth_m"]
    if row["certainty"] == "possible":
        first, last = row["earliest_entry"], row["latest_exit"]
        assert isinstance(first, datetime)
        assert isinstance(last, datetime)
        cells += [f"{_day(first)} {_clock(first)} or later", f"{_moment(last, first)} or before"]
        cells += [f"≤ {_span(row['longest_inside_s'])}", "", "possible: in a gap"]
        return cells
    assert entry is not None
    assert exit_ is not None
    cells.append(f"{_day(entry)} {_clock(entry)} {row['entry_kind']}")
    cells.append(f"{_moment(exit_, entry)} {row['exit_kind']}")
    cells += [_span(row["duration_s"]), "" if depth is None else _length(depth)]
    cells.append("; ".join(_remarks(row, entry, zones)))
    return cells


def _remarks(row: dict[str, object], entry: datetime, zones: Sequence[str]) -> Iterator[str]:
    if row["certainty"] == "definite":
        yield "certain, though in a gap"
    if row["report_count"] == 0 and row["certainty"] == "observed":
        yield "between two reports"
    if row["vertical"] in ("unknown", "partly"):
        yield f"height {'unknown' if row['vertical'] == 'unknown' else 'partly unknown'}"
    for zone in zones:
        local = entry.astimezone(ZoneInfo(zone))
        yield f"{local:%H:%M:%S} {zone.rsplit('/', 1)[-1].replace('_', ' ')}"


def _text(value: object) -> str:
    """A name from a file, with nothing in it that moves a terminal's cursor."""
    return "".join(c if c.isprintable() else "?" for c in str(value))


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _clock(moment: datetime) -> str:
    """Time of day to the nearest tenth of a second."""
    moment += timedelta(milliseconds=50)
    return f"{moment:%H:%M:%S}.{moment.microsecond // 100_000}"


def _moment(moment: datetime, after: datetime) -> str:
    return _clock(moment) if _day(moment) == _day(after) else f"{_day(moment)} {_clock(moment)}"


def _span(seconds: object) -> str:
    assert isinstance(seconds, float)
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def _length(metres: object) -> str:
    assert isinstance(metres, float)
    return f"{metres:.0f} m" if metres < 1000 else f"{metres / 1000:.1f} km"


def _summary(stays: pl.DataFrame) -> str:
    possible = int((stays["certainty"] == "possible").sum())
    tracks = stays["track_id"].n_unique()
    zones = stays["zone_id"].n_unique()
    seen = len(stays) - possible
    parts = [f"{seen} stay{'s' * (seen != 1)} seen"]
    if possible:
        parts.append(f"{possible} possible in gaps")
    return (
        f"{', '.join(parts)}; {tracks} track{'s' * (tracks != 1)}, {zones} zone{'s' * (zones != 1)}"
    )
