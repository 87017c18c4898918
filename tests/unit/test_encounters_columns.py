"""The columns that the encounters sweep is given: those with values, a single source as one row."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from adiz.detect.encounters import CHUNK_ROWS, EncountersFold, sweep_columns

START_US = 1_700_000_000_000_000
TRACKS = 8
ROWS = TRACKS * (2 * CHUNK_ROWS // TRACKS)


def world() -> pl.DataFrame:
    """Aircraft two by two beside each other, the pairs far apart, each reporting every 5 s."""
    rows = pl.int_range(ROWS, eager=True)
    number, period = rows % TRACKS, rows // TRACKS
    return pl.DataFrame(
        {
            "time": (START_US + period * 5_000_000).cast(pl.Datetime("us", "UTC")),
            "track_id": "T" + number.cast(pl.String),
            "lat_deg": 10.0 * (number // 2) + 0.01 * (number % 2),
            "lon_deg": 0.001 * (period % 1000),
            "alt_baro_ft": pl.Series([30_000.0]).extend_constant(30_000.0, ROWS - 1),
        }
    )


def found(reports: pl.DataFrame) -> pl.DataFrame:
    fold = EncountersFold(lateness_s=0.0, for_s=60.0)
    return pl.concat([fold.step(reports), fold.flush()]).sort("start_time", "track_a")


@pytest.mark.parametrize("written_out", [False, True])
def test_a_single_source_is_one_row(written_out: bool) -> None:
    one = pl.Series("source", ["a receiver"] * ROWS) if written_out else pl.lit("a receiver")
    reports = world().with_columns(one.alias("source"))
    columns = sweep_columns(reports)
    assert {c.name: len(c) for c in columns} == {
        **dict.fromkeys(["time", "track_id", "lat_deg", "lon_deg", "alt_baro_ft"], ROWS),
        "source": 1,
    }
    table = found(reports)
    assert table.height >= TRACKS // 2
    assert set(table["source_a"]) == set(table["source_b"]) == {"a receiver"}


def test_several_sources_stay_with_their_rows() -> None:
    reports = world().with_columns(source=pl.concat_str(pl.lit("of "), pl.col("track_id")))
    table = found(reports)
    assert (table["source_a"] == "of " + table["track_a"]).all()
    assert (table["source_b"] == "of " + table["track_b"]).all()


def test_a_source_missing_here_and_there_is_not_taken_for_a_single_one() -> None:
    known = pl.when(pl.col("track_id") == "T1").then(pl.lit("a receiver"))
    reports = world().with_columns(source=known)
    assert {len(c) for c in sweep_columns(reports)} == {ROWS}
    assert set(found(reports)["source_a"]) == {""}


def test_columns_without_values_are_left_out() -> None:
    empty = [pl.lit(None, pl.Float64).alias("alt_geom_ft"), pl.lit(None, pl.String).alias("icao24")]
    bare, reports = world(), world().with_columns(empty)
    assert [c.name for c in sweep_columns(reports)] == bare.columns
    assert_frame_equal(found(reports), found(bare))
