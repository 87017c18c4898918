"""Tables: names, units, times, and what is turned away."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest

from adiz.errors import ReportsError
from adiz.sources.read import read, scan
from adiz.sources.reports import SCHEMA, count_rejected

DEMO = str(files("adiz") / "data" / "c2a-san-diego-2020-09.parquet")


def write(folder: Path, text: str, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_the_bundled_capture_passes_through_as_it_is() -> None:
    reports = read(DEMO)
    assert reports.table.height == 7335
    assert dict(reports.table.schema) == SCHEMA
    assert reports.rejected.height == 0
    assert reports.table.equals(pl.read_parquet(DEMO))
    assert scan(DEMO).collect().equals(reports.table)


def test_bad_rows_are_counted_by_reason_and_never_stop_the_good(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "time,icao24,lat,lon,altitude_m\n"
        "2020-01-01T00:00:00Z,AE0455,32,-117,1000\n"
        ",ae0455,32,-117,\n"
        "yesterday,ae0455,32,-117,\n"
        "2020-01-01T00:00:00Z,,32,-117,\n"
        "2020-01-01T00:00:00Z,ae0455,,-117,\n"
        "2020-01-01T00:00:00Z,ae0455,north,-117,\n"
        "2020-01-01T00:00:00Z,ae0455,91,-117,\n"
        "2020-01-01T00:00:00Z,ae0455,32,inf,\n"
        "2020-01-01T00:00:00Z,ae0455,32,-541,\n"
        "2020-01-01T00:00:01Z,ae0455,32,243,\n",
    )
    reports = read(path)
    assert reports.table["lon_deg"].to_list() == [-117.0, -117.0]
    assert reports.table["track_id"].to_list() == ["ae0455", "ae0455"]
    assert reports.table["alt_baro_ft"][0] == pytest.approx(1000 / 0.3048, rel=1e-15)
    assert reports.rejected.select("row", "reason", "field", "value").rows() == [
        (2, "missing time", "time", None),
        (3, "unparsable time", "time", "yesterday"),
        (4, "missing track", "track_id", None),
        (5, "missing position", "lat_deg", None),
        (6, "not a number", "lat_deg", "north"),
        (7, "latitude out of range", "lat_deg", "91"),
        (8, "not a number", "lon_deg", "inf"),
        (9, "longitude out of range", "lon_deg", "-541"),
    ]
    assert sum(reports.rejected_counts.values()) == 8


def test_no_usable_row_is_an_error_with_the_counts(tmp_path: Path) -> None:
    path = write(
        tmp_path, "time,id,lat,lon\n2020-01-01T00:00Z,a,95,10\n2020-01-01T00:00Z,a,96,10\n"
    )
    with pytest.raises(ReportsError, match=r"2 latitude out of range.*swapped"):
        read(path)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("2020-09-13T12:26:40Z", "2020-09-13T12:26:40"),
        ("2020-09-13 12:26:40.123456789+00:00", "2020-09-13T12:26:40.123456"),
        ("2020/09/13 21:26:40,5 +0900", "2020-09-13T12:26:40.500"),
        ("20200913T122640Z", "2020-09-13T12:26:40"),
        ("2020-09-13T12:26+00", "2020-09-13T12:26:00"),
        ("2020-09-13T07:26:40-05", "2020-09-13T12:26:40"),
        ("2020-09-13 12:26:40 UTC", "2020-09-13T12:26:40"),
        ("1600000000", "2020-09-13T12:26:40"),
        ("1600000000.25", "2020-09-13T12:26:40.250"),
        ("1600000000250", "2020-09-13T12:26:40.250"),
        ("1600000000250001", "2020-09-13T12:26:40.250001"),
        ("1600000000250001999", "2020-09-13T12:26:40.250001"),
        ("1.6e9", "2020-09-13T12:26:40"),
        ("2020-02-30T00:00:00Z", None),
        ("20200913122640", None),  # digits of a date, not an epoch
        ("12.5", None),  # seconds since some start
        ("-1", None),
        ("nan", None),
        ("99999999999999999999999", None),
    ],
)
def test_times_as_they_are_written(tmp_path: Path, said: str, expected: str | None) -> None:
    lines = [f'"{said}",a,1,2', "2020-01-01T00:00:00Z,a,1,2"]
    for rows in (lines, lines[::-1]):
        reports = read(write(tmp_path, "time,id,lat,lon\n" + "\n".join(rows) + "\n"))
        wanted = [] if expected is None else [expected]
        found = reports.table.filter(pl.col("time").dt.year() == 2020)["time"]
        texts = {t.isoformat().removesuffix("+00:00").rstrip("0").rstrip(".") for t in found}
        assert {w.rstrip("0").rstrip(".") for w in wanted} <= texts
        assert reports.table.height == 1 + len(wanted)
        assert list(reports.rejected_counts) == ([] if expected else ["unparsable time"])


def test_times_without_zone_need_one_told(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "time,id,lat,lon\n2020-07-01 02:00:00,a,1,2\n2020-10-25 02:30:00,a,1,2\n"
        "2020-03-29 02:30:00,a,1,2\n2020-01-01T00:00:00Z,a,1,2\n",
    )
    with pytest.raises(ReportsError, match=r"without a time zone.*time_zone='UTC'"):
        read(path)
    with pytest.raises(ReportsError, match="'Moon/Apollo' is no time zone"):
        read(path, time_zone="Moon/Apollo")
    reports = read(path, time_zone="Europe/Berlin")
    assert reports.table["time"].dt.hour().to_list() == [0, 0]  # 02:00 summer time; as written
    named = write(tmp_path, "Time (UTC),id,lat,lon\n2020-07-01 02:00:00,a,1,2\n")
    assert read(named, time_zone="Europe/Berlin").table["time"].dt.hour().to_list() == [2]
    # Written twice, or never, by a clock in Berlin:
    assert reports.rejected["value"].to_list() == ["2020-10-25 02:30:00", "2020-03-29 02:30:00"]


def test_parquet_times_keep_their_instant(tmp_path: Path) -> None:
    place = {"id": ["a"], "lat": [1.0], "lon": [2.0]}
    seconds = pl.Series([1_600_000_000])
    for column in (
        seconds,
        seconds.cast(pl.Int32),
        seconds * 1000,
        seconds.cast(pl.Float64),
        (seconds * 1000).cast(pl.Datetime("ms")).dt.replace_time_zone("UTC"),
        (seconds * 10**9)
        .cast(pl.Datetime("ns"))
        .dt.replace_time_zone("UTC")
        .dt.convert_time_zone("Asia/Seoul"),
    ):
        path = tmp_path / "t.parquet"
        pl.DataFrame({"time": column, **place}).write_parquet(path)
        for table in (read(path).table, scan(path).collect()):
            assert table["time"].dt.timestamp("ms").to_list() == [1_600_000_000_000]
    pl.DataFrame({"time": (seconds * 1000).cast(pl.Datetime("ms")), **place}).write_parquet(path)
    for reader in (read, scan):
        with pytest.raises(ReportsError, match="without a time zone"):
            reader(path)
    assert read(path, time_zone="Asia/Seoul").table["time"].dt.hour().to_list() == [3]


@pytest.mark.parametrize(
    ("heading", "column", "expected"),
    [
        ("altitude", "alt_baro_ft", 100.0),
        ("Altitude (m)", "alt_baro_ft", 100 / 0.3048),
        ("ALT_BARO_M", "alt_baro_ft", 100 / 0.3048),
        ("fl", "alt_baro_ft", 10_000.0),
        ("geoaltitude", "alt_geom_ft", 100.0),
        ("alt_geom_km", "alt_geom_ft", 100_000 / 0.3048),
        ("groundspeed", "gs_kt", 100.0),
        ("speed_mps", "gs_kt", 100 * 3600 / 1852),
        ("velocity_kt", None, None),
        ("Speed [m/s]", "gs_kt", 100 * 3600 / 1852),
        ("gs_kmh", "gs_kt", 100 / 1.852),
        ("vertical_rate", "vrate_fpm", 100.0),
        ("vertical_rate_mps", "vrate_fpm", 100 * 60 / 0.3048),
        ("course", "track_true_deg", 100.0),
        ("heading", None, None),
    ],
)
def test_units_by_name(
    tmp_path: Path, heading: str, column: str | None, expected: float | None
) -> None:
    text = f"time,id,lat,lon,{heading}\n2020-01-01T00:00:00Z,a,1,2,100\n"
    row = read(write(tmp_path, text)).table.row(0, named=True)
    numbers = {k: v for k, v in row.items() if isinstance(v, float) and k[:3] not in ("lat", "lon")}
    if column is None:
        assert numbers == {}
    else:
        assert numbers == {column: pytest.approx(expected, rel=1e-12)}


def test_a_column_called_track_is_a_name_or_a_direction(tmp_path: Path) -> None:
    def ids_and_directions(heading: str, value: str) -> tuple[str, float | None]:
        text = f"time,lat,lon,{heading}\n2020-01-01T00:00:00Z,1,2,{value}\n"
        row = read(write(tmp_path, text)).table.row(0, named=True)
        return row["track_id"], row["track_true_deg"]

    assert ids_and_directions("track", "T1") == ("T1", None)
    assert ids_and_directions("track", "17") == ("17", None)
    assert ids_and_directions("icao24,track", "ae0455,17") == ("ae0455", 17.0)
    assert ids_and_directions("icao24,track", "ae0455,17.5") == ("ae0455", 17.5)
    with pytest.raises(ReportsError, match="track_id"):
        ids_and_directions("track", "17.5")


def test_a_mapping_settles_what_names_do_not(tmp_path: Path) -> None:
    text = "when,time,timestamp,who,y,x,h\n2020-01-01T00:00:00Z,1,2,a,1,2,100\n"
    path = write(tmp_path, text)
    mapping = {"time": "when", "track_id": "who", "lat_deg": "y", "lon_deg": "x", "alt_geom_m": "h"}
    row = read(path, columns=mapping).table.row(0, named=True)
    assert (row["track_id"], row["lat_deg"], row["lon_deg"]) == ("a", 1.0, 2.0)
    assert row["alt_geom_ft"] == pytest.approx(100 / 0.3048)
    ambiguous = {k: v for k, v in mapping.items() if k != "time"}
    with pytest.raises(ReportsError, match="'time' and 'timestamp' could each be time"):
        read(path, columns=ambiguous)
    with pytest.raises(ReportsError, match="no column is called 'nowhere'"):
        read(path, columns={**mapping, "time": "nowhere"})
    with pytest.raises(ReportsError, match="no column of the reports table is called 'speedy'"):
        read(path, columns={**mapping, "speedy": "h"})


def test_a_file_of_one_aircraft_may_leave_it_to_the_caller(tmp_path: Path) -> None:
    path = write(tmp_path, "time,lat,lon\n2020-01-01T00:00:00Z,1,2\n")
    with pytest.raises(ReportsError, match="track_id="):
        read(path)
    assert read(path, track_id="A-50").table["track_id"].to_list() == ["A-50"]


def test_optional_values_that_are_no_numbers_are_missing_and_said_so(tmp_path: Path) -> None:
    path = write(tmp_path, "time,id,lat,lon,alt\n2020-01-01T00:00:00Z,a,1,2,high\n")
    reports = read(path)
    assert reports.table["alt_baro_ft"].to_list() == [None]
    assert "1 values of alt_baro_ft are not numbers" in reports.notes[0]


def test_scan_gives_what_read_gives(tmp_path: Path) -> None:
    names = {
        "track_id": "icao24",
        "lat_deg": "latitude",
        "lon_deg": "longitude",
        "alt_baro_ft": "altitude",
    }
    table = pl.read_parquet(DEMO).head(50)
    table.select(["time", *names]).rename(names).write_parquet(tmp_path / "b.parquet")
    table.write_csv(tmp_path / "c.csv")
    table.write_parquet(tmp_path / "a.parquet")
    lazy = scan(tmp_path).drop("source").collect()
    assert lazy.height == 150
    assert lazy.sort(pl.all()).equals(read(tmp_path).table.drop("source").sort(pl.all()))


def test_rows_of_a_scan_are_counted_as_reading_counts_them(tmp_path: Path) -> None:
    good = pl.read_parquet(DEMO).head(6).with_row_index()
    spoiled = {"time": (0, None), "track_id": (1, None), "lat_deg": (2, float("nan"))}
    bad = good.with_columns(
        pl.when(pl.col("index") == at).then(value).otherwise(name).alias(name)
        for name, (at, value) in spoiled.items()
    ).with_columns(lon_deg=pl.when(pl.col("index") == 3).then(999.0).otherwise("lon_deg"))
    bad.drop("index").write_parquet(tmp_path / "t.parquet")
    counts = count_rejected(scan(tmp_path).collect())
    assert counts == read(tmp_path).rejected_counts
    assert sorted(counts) == [
        "longitude out of range",
        "missing time",
        "missing track",
        "not a number",
    ]
    assert count_rejected(good) == {}


def test_parquet_columns_of_every_type(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    coded = pl.Enum(["AE0455", "0017", "1.5"])
    pl.DataFrame(
        {
            "time": pl.Series([1_600_000_000], dtype=pl.UInt64),
            "icao24": pl.Series(["AE0455"], dtype=pl.Categorical),
            "lat": pl.Series(["1.5"], dtype=coded),
            "lon": pl.Series([2], dtype=pl.Int8),
            "squawk": pl.Series(["0017"], dtype=coded),
            "altitude": pl.Series([[1.0]]),
            "onground": pl.Series([1], dtype=pl.Int8),
        }
    ).write_parquet(path)
    reports = read(path)
    row = reports.table.row(0, named=True)
    assert (row["track_id"], row["icao24"], row["squawk"]) == ("ae0455", "ae0455", "0017")
    assert (row["lat_deg"], row["lon_deg"], row["on_ground"]) == (1.5, 2.0, True)
    assert "'altitude' is left out: it holds List" in reports.notes[0]
    assert scan(path).collect().equals(reports.table)
    pl.DataFrame({"time": [1], "id": [17.0], "lat": [[1.0]], "lon": [1.0]}).write_parquet(path)
    with pytest.raises(ReportsError, match=r"as the latitude.*'lat' is left out: it holds List"):
        read(path)
