"""Small made-up reports and stays for the tests of the map."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from adiz.schema import REPORTS, STAYS, polars_schema
from adiz.zones.model import Ring, Vertex, Zone, Zones

START = datetime(2024, 3, 10, 9, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def make_reports(rows: list[dict[str, Any]]) -> pl.DataFrame:
    empty = {column.name: None for column in REPORTS} | {"source": "made up"}
    return pl.DataFrame([empty | row for row in rows], schema=polars_schema(REPORTS))


def straight(
    track_id: str, lat: float, lon: float, *, steps: int = 61, every_s: float = 60.0, **more: Any
) -> list[dict[str, Any]]:
    """Eastwards, 0.05 degree a step."""
    return [
        {
            "time": after(i * every_s),
            "track_id": track_id,
            "lat_deg": lat,
            "lon_deg": (lon + 0.05 * i + 180) % 360 - 180,
            "alt_baro_ft": 30000.0,
            "gs_kt": 250.0,
        }
        | more
        for i in range(steps)
    ]


def make_stays(rows: list[dict[str, Any]]) -> pl.DataFrame:
    usual = {
        "track_id": "one",
        "zone_id": "BOX",
        "entry_kind": "crossed",
        "exit_kind": "crossed",
        "max_depth_m": 9000.0,
        "certainty": "observed",
        "vertical": "unlimited",
        "report_count": 10,
    }
    empty = {column.name: None for column in STAYS} | usual
    return pl.DataFrame([empty | row for row in rows], schema=polars_schema(STAYS))


def crossing(
    entry_s: float, exit_s: float, lat: float = 30.0, lon: float = 130.0, **more: Any
) -> dict[str, Any]:
    """A stay of a track made by ``straight`` with a step a minute."""
    return {
        "entry_time": after(entry_s),
        "exit_time": after(exit_s),
        "entry_lat_deg": lat,
        "entry_lon_deg": lon + 0.05 * entry_s / 60,
        "exit_lat_deg": lat,
        "exit_lon_deg": lon + 0.05 * exit_s / 60,
        "duration_s": exit_s - entry_s,
        "earliest_entry": after(entry_s),
        "latest_exit": after(exit_s),
        "longest_inside_s": exit_s - entry_s,
    } | more


def box(
    zone_id: str = "BOX",
    south: float = 29.0,
    west: float = 131.0,
    north: float = 31.0,
    east: float = 132.0,
    **more: Any,
) -> Zone:
    corners = [(south, west), (south, east), (north, east), (north, west)]
    ring = Ring(tuple(Vertex(lat, lon) for lat, lon in corners))
    return Zone(zone_id, more.pop("name", "A box"), (ring,), edge="planar", **more)


def box_case() -> tuple[pl.DataFrame, Zones, pl.DataFrame]:
    """One track of an hour through one zone from 20 to 40 minutes."""
    reports = make_reports(straight("one", 30.0, 130.0, callsign="ABC123"))
    return reports, Zones((box(claimants=("KR",)),)), make_stays([crossing(1200, 2400)])
