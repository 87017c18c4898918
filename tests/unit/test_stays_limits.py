"""Reports that lie exactly on a floor, a ceiling or the instant a zone comes into force."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

import adiz
from adiz.zones.model import Limit, Ring, Vertex, Zone, Zones

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def stays(alt_ft: list[float | None], **limits: object) -> list[tuple]:
    """Stays of a track that flies about within a zone's rings, a report a minute."""
    corners = (Vertex(37, 130), Vertex(38, 130), Vertex(38, 131), Vertex(37, 131))
    zone = Zone("BOX", "Box", (Ring(corners),), **limits)
    n = len(alt_ft)
    reports = pl.DataFrame(
        {
            "time": [START + timedelta(minutes=i) for i in range(n)],
            "track_id": ["a"] * n,
            "lat_deg": [37.5 + i / 1000 for i in range(n)],
            "lon_deg": [130.5] * n,
            "alt_baro_ft": pl.Series(alt_ft, dtype=pl.Float64),
        }
    ).with_columns(pl.col("time").cast(pl.Datetime("us", "UTC")))
    found = adiz.find_stays(reports, Zones((zone,)))
    minute = (pl.col("entry_time", "exit_time") - START).dt.total_seconds() / 60
    return found.select(minute, "entry_kind", "exit_kind").rows()


FLOOR = {"floor": Limit("FL", 20_000.0), "ceiling": Limit("FL", 30_000.0)}


def test_in_by_the_floor_and_out_by_the_ceiling_at_reports() -> None:
    climb = [19_000.0 + 1000 * i for i in range(14)]
    assert stays(climb, **FLOOR) == [(1.0, 11.0, "crossed", "crossed")]
    assert stays(climb[::-1], **FLOOR) == [(2.0, 12.0, "crossed", "crossed")]


def test_up_to_the_floor_and_level_there() -> None:
    assert stays([19_000.0, 20_000.0, 20_000.0, 20_000.0], **FLOOR) == [
        (1.0, 3.0, "crossed", "vanished")
    ]


@pytest.mark.parametrize("turn", [20_000.0, 30_000.0])
def test_a_touch_is_no_stay(turn: float) -> None:
    away = 1000.0 if turn == 30_000.0 else -1000.0
    assert stays([turn + away, turn, turn + away, turn + 2 * away], **FLOOR) == []


@pytest.mark.parametrize("alt", [None, 10_000.0])
def test_a_report_at_the_instant_a_zone_comes_into_force_and_ends(alt: float | None) -> None:
    times = {"valid_from": START + timedelta(minutes=2), "valid_to": START + timedelta(minutes=5)}
    assert stays([alt] * 8, **times) == [(2.0, 5.0, "activated", "deactivated")]
