"""Stays of tables whose columns are cut into chunks of their own, as CSV readers leave them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import adiz
from adiz.zones.model import Limit, Zones

START = datetime(2026, 6, 27, tzinfo=UTC)


@pytest.mark.parametrize("typed", [False, True])
@pytest.mark.parametrize("heights", [False, True])
def test_chunks_of_columns_do_not_matter(typed: bool, heights: bool) -> None:
    n = 120
    columns = {
        "time": [START + timedelta(minutes=m) for m in range(n)],
        "track_id": ["t"] * n,
        "lat_deg": [36.0] * n,
        "lon_deg": [134.0 - 0.12 * m for m in range(n)],
        "alt_baro_ft": [30_000.0] * n,
        "type_code": ["H-6K"] * n,
    }
    if not typed:
        del columns["type_code"]
    whole = pl.DataFrame(columns)
    cut = pl.DataFrame(
        [
            pl.concat([series[: 7 * k + 3], series[7 * k + 3 :]], rechunk=False)
            for k, series in enumerate(whole.get_columns())
        ]
    )
    assert len({tuple(map(len, c.get_chunks())) for c in cut.get_columns()}) > 1
    zones = adiz.zones("KADIZ")
    if heights:
        zones = Zones(tuple(replace(zone, floor=Limit("FL", 24_500.0)) for zone in zones))
    assert_frame_equal(adiz.find_stays(cut, zones), adiz.find_stays(whole, zones))
    assert adiz.find_stays(cut, zones).height == 1
