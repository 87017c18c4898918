"""Small tables of reports for tests of what carries them."""

from __future__ import annotations

from typing import Any

import polars as pl

from adiz.schema import REPORTS, polars_schema

SCHEMA = polars_schema(REPORTS)
START_US = 1_790_000_000_000_000


def reports(count: int, *, start: int = 0, step_us: int = 1_000_000, **given: Any) -> pl.DataFrame:
    """So many reports of a few tracks, a step apart; each different from every other."""
    row = range(start, start + count)
    values: dict[str, Any] = {
        "time": [START_US + i * step_us for i in row],
        "track_id": [f"track-{i % 7}" for i in row],
        "lat_deg": [10 + i * 1e-4 for i in row],
        "lon_deg": [120 - i * 1e-4 for i in row],
        "alt_baro_ft": [None if i % 3 else 30_000.0 for i in row],
        "on_ground": [None if i % 5 else False for i in row],
        "callsign": ["가\0\ud7ff" if i % 11 == 0 else "KAL1" for i in row],
        "source": ["feed"] * count,
    }
    frame = pl.DataFrame(values | given, strict=False)
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in SCHEMA.items()
    )
