"""Generated worlds: the same seed gives the same world, and its files can be read back."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import adiz
from adiz.cli import main
from adiz.errors import AdizError
from adiz.identify.plans import read_plans
from adiz.schema import REPORTS, polars_schema
from adiz.simulate.world import Settings, make_world

SMALL = Settings(aircraft=40, hours=0.5, noise_m=100.0, dropout=0.05, no_altitude=0.2)


def test_a_seed_is_a_world() -> None:
    one = make_world(SMALL).reports()
    assert dict(one.schema) == polars_schema(REPORTS)
    assert_frame_equal(one, make_world(SMALL).reports(), check_exact=True)
    assert 0 < one["alt_baro_ft"].null_count() < one.height


def test_written_files_are_read_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "world"
    small = ["--aircraft", "40", "--hours", "0.5"]
    assert main(["simulate", "--out", str(out), *small, "--encounters"]) == 0
    reports = adiz.read(out / "reports").table
    assert f"{reports.height:,} reports" in capsys.readouterr().out
    flights = pl.read_parquet(out / "truth" / "flights.parquet")
    assert set(reports["track_id"]) <= set(flights["icao24"])
    plans = read_plans([out / "plans.txt"])
    assert not plans.faults
    truth = pl.read_parquet(out / "truth" / "plans.parquet")
    assert sorted(p.message.callsign for p in plans.plans) == sorted(truth["callsign"])
    met = adiz.find_encounters(out / "reports")
    assert_frame_equal(met, adiz.find_encounters(reports.sample(fraction=1.0, shuffle=True)))
    assert main(["simulate", "--out", str(out)]) == 2


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(AdizError, match="dropout is"):
        Settings(dropout=1.5)
