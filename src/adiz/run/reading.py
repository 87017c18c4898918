"""``adiz.read``: files to reports, with their plausibility flags worked out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from adiz.sources import read as sources
from adiz.sources.files import PathLike
from adiz.sources.reports import Reports
from adiz.sources.site import SiteLike
from adiz.tracks.flags import Limits, flag_reports


def read(
    paths: PathLike | Iterable[PathLike],
    *,
    format: str | None = None,
    columns: Mapping[str, str] | None = None,
    time_zone: str | None = None,
    track_id: str | None = None,
    site: SiteLike | Mapping[str, SiteLike] | None = None,
    start: str | datetime | None = None,
    limits: Limits | None = None,
) -> Reports:
    """Read files of any known kind into one table of reports, and flag what is hard to believe.

    Parameters:
        paths: a file, a directory (searched for files of known suffixes), a pattern with ``*``,
            or several of these.
        format: one of ``parquet``, ``csv``, ``json``, ``basestation``, ``gpx``, ``kml``,
            ``beast``, ``asterix``, ``pcap``, where the content is not to decide.
        columns: our column name -> the input's, for tables whose columns are not recognised.
            Ours may name another unit (``alt_baro_m``), which is converted.
        time_zone: IANA zone of times written without one.
        track_id: the aircraft, for inputs of one aircraft that do not name it.
        site: where a radar or receiver stands: latitude and longitude (WGS84 degrees) and height
            above the ellipsoid (metres), or text ``LAT,LON,HEIGHT_M``; several by ``SAC/SIC``.
        start: when a recording without dates begins (Beast: its first message; raw ASTERIX: the
            date), ISO 8601.
        limits: what is still believed; see :class:`adiz.tracks.flags.Limits`.

    Returns:
        Reports in the order of the files and of the rows in them, with ``flags`` worked out
        (:class:`adiz.tracks.flags.Flag`). Rows that cannot be used are in ``rejected``.

    Raises:
        ReportsError: a named file cannot be read or recognised, or no row at all is usable.

    Example:
        >>> import adiz
        >>> adiz.read("trace_full_ac671b.json").table.height  # doctest: +SKIP
        2500
    """
    reports = sources.read(
        paths,
        format=format,
        columns=columns,
        time_zone=time_zone,
        track_id=track_id,
        site=site,
        start=start,
    )
    return replace(reports, table=flag_reports(reports.table, limits))
