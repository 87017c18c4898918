"""Predicted entries of recorded data: drives the fold of :mod:`adiz.detect.warnings`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import polars as pl

from adiz.detect.warnings import WarningsFold, WarningsParams
from adiz.zones.model import Zones

_NEEDED = ["time", "track_id", "lat_deg", "lon_deg"]


def find_warnings(
    reports: Any,
    zones: Zones | str | list[str],
    params: WarningsParams | None = None,
    suppressed: Collection[str] = (),
) -> pl.DataFrame:
    """The warnings a watch would have given on recorded reports.

    Args:
        reports: what :func:`adiz.read` gives, or a table of reports.
        zones: zones, or their names as :func:`adiz.zones` takes them.
        params: settings.
        suppressed: tracks that are not warned of.

    Returns:
        The changes with the columns of :data:`adiz.detect.warnings.WARNINGS`, in the order of
        time, track and zone.

    Example:
        >>> import adiz
        >>> from adiz.run.ahead import find_warnings
        >>> found = find_warnings(adiz.read(adiz.demo_capture()), "US-CONUS-2")
        >>> found.filter(reason="entered").height
        2
    """
    if not isinstance(zones, Zones):
        from adiz.zones.load import zones as load

        zones = load(zones)
    table: pl.DataFrame = getattr(reports, "table", reports)
    fold = WarningsFold(zones, params)
    found = [fold.step(table.drop_nulls(_NEEDED).sort("time"), suppressed), fold.flush()]
    return pl.concat(found).sort("time", "track_id", "zone_id", maintain_order=True)
