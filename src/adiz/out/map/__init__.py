"""The map: one HTML file with zones, tracks, crossings and a time slider. No network needed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from adiz.errors import Fault, FaultyInputError
from adiz.zones.model import Zones

if TYPE_CHECKING:
    import polars as pl

__all__ = ["write_map"]


def write_map(
    path: str | os.PathLike[str],
    reports: pl.DataFrame,
    zones: Zones,
    stays: pl.DataFrame,
    *,
    time_zones: Sequence[str] = (),
    title: str = "",
    max_gap_s: float = 120.0,
    track_end_s: float = 21_600.0,
    max_speed_kt: float | None = None,
) -> None:
    """Write a map of stays that opens in any browser, from a disk or a server.

    The same input gives the same bytes. Large inputs are thinned for drawing (at most 400 tracks
    and 40,000 positions), and the page says so with the tolerance used.

    Args:
        path: the HTML file to write.
        reports: the reports table (:data:`adiz.schema.REPORTS`).
        zones: what the stays were found in.
        stays: the stays table (:data:`adiz.schema.STAYS`).
        time_zones: IANA names; each time is shown in UTC and in all of these.
        title: the heading; "" for one made from the stays.
        max_gap_s, track_end_s: seconds; a longer leg is drawn as a gap, a longer one still not at
            all. As given to ``find_stays``.
        max_speed_kt: knots; the bound on what could be reached within a gap. As given to
            ``find_stays``; None likewise means the type's published maximum, else 650.

    Raises:
        FaultyInputError: a time zone that the IANA database does not have, or a file that cannot
            be written.

    Example:
        >>> import adiz
        >>> from adiz.out.map import write_map
        >>> zones = adiz.zones("US-CONUS-2")  # doctest: +SKIP
        >>> reports = adiz.read("flight.parquet")  # doctest: +SKIP
        >>> stays = adiz.find_stays(reports, zones)  # doctest: +SKIP
        >>> write_map("flight.html", reports.table, zones, stays)  # doctest: +SKIP
    """
    from adiz.out.map.page import render
    from adiz.out.map.scene import Settings, build_scene

    settings = Settings(
        tuple(time_zones),
        title,
        max_gap_s=max_gap_s,
        track_end_s=track_end_s,
        max_speed_kt=max_speed_kt,
    )
    text = render(build_scene(reports, zones, stays, settings))
    try:
        Path(path).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        fault = Fault(f"the map cannot be written: {error.strerror}", file=os.fspath(path))
        raise FaultyInputError(fault) from None
