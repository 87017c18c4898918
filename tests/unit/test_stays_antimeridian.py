"""A leg over the antimeridian crosses the same edges flown either way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

import adiz
from adiz.zones.model import Ring, Vertex, Zone

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("west_deg", [179.91, 179.955, 179.99, 180.0, 180.03])
def test_westward_is_eastward_backwards(west_deg: float) -> None:
    corners = [(-39.0, west_deg), (-39.0, west_deg + 0.02), (-37.0, west_deg + 0.02)]
    corners.append((-37.0, west_deg))
    parts = tuple(Vertex(lat, (lon + 180) % 360 - 180) for lat, lon in corners)
    zone = Zone("Z", "Z", (Ring(parts),))
    ends = [(-38.0, 178.0), (-38.05, -178.1)]
    for track, places in (("east", ends), ("west", ends[::-1])):
        reports = pl.DataFrame(
            {
                "time": [START, START + timedelta(seconds=1500)],
                "track_id": [track] * 2,
                "lat_deg": [lat for lat, _ in places],
                "lon_deg": [lon for _, lon in places],
            }
        )
        (stay,) = adiz.find_stays(reports, zone, max_gap_s=2000).iter_rows(named=True)
        seconds = [(stay[n] - START).total_seconds() for n in ("entry_time", "exit_time")]
        if track == "east":
            eastward = seconds
    assert [1500 - s for s in reversed(seconds)] == pytest.approx(eastward, abs=0.01)
