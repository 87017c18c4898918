"""What holds for any table: what is written is read back; the order of files does not matter."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

import adiz
from adiz.sources.read import read, scan
from adiz.sources.reports import SCHEMA, valid_rows, wrapped_lon

words = st.text("ABCXYZ0189 ñ,;\"'|", min_size=1, max_size=8).map(str.strip)
numbers = st.none() | st.floats(-1e6, 1e6)
rows = st.fixed_dictionaries(
    {
        "time": st.integers(10**14, 4 * 10**15).map(
            lambda us: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
        ),
        "track_id": words.filter(lambda w: w not in ("", "-")),
        "lat_deg": st.floats(-90, 90),
        "lon_deg": st.floats(-540, 540, exclude_max=True),
        **{
            name: numbers
            for name, dtype in SCHEMA.items()
            if dtype == pl.Float64 and name not in ("lat_deg", "lon_deg")
        },
        "on_ground": st.none() | st.booleans(),
        "icao24": st.none() | st.from_regex("[0-9a-f]{6}", fullmatch=True),
        "squawk": st.none() | st.from_regex("[0-7]{4}", fullmatch=True),
        "flags": st.none() | st.integers(0, 63),
        "source": st.sampled_from(["x", "y"]),
    }
)
tables = st.lists(rows, min_size=1, max_size=8).map(lambda r: pl.DataFrame(r, schema=SCHEMA))


@given(tables)
def test_csv_and_parquet_give_back_what_was_written(table: pl.DataFrame) -> None:
    expected = table.with_columns(wrapped_lon())
    with TemporaryDirectory() as folder:
        path = Path(folder, "t")
        table.write_parquet(path)
        assert read(path).table.equals(expected)
        assert (
            scan(path).filter(valid_rows()).with_columns(wrapped_lon()).collect().equals(expected)
        )
        table.write_csv(path)
        assert read(path).table.equals(expected)
        table.write_csv(path, separator=";")
        assert read(path).table.equals(expected)


def _sorted(table: pl.DataFrame) -> list[tuple[Any, ...]]:
    return sorted(table.rows(), key=str)


@given(st.lists(tables, min_size=2, max_size=3))
def test_the_order_of_files_only_orders_the_rows(parts: list[pl.DataFrame]) -> None:
    with TemporaryDirectory() as folder:
        paths = [Path(folder, f"{n}.csv") for n in range(len(parts))]
        for path, part in zip(paths, parts, strict=True):
            part.drop("source").write_csv(path)
        results = [adiz.read(order) for order in itertools.permutations(paths)]
    for result in results[1:]:
        assert _sorted(result.table) == _sorted(results[0].table)
        assert _sorted(result.rejected) == _sorted(results[0].rejected)
