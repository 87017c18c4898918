"""Every format once, by example, with what its writers do oddly."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.report_samples import GEOJSON, GPX, KML, SBS, SNAPSHOT, TRACE

from adiz.errors import ReportsError
from adiz.sources.read import read
from adiz.sources.reports import SCHEMA, Reports


def given(folder: Path, name: str, content: str | bytes, **options: Any) -> Reports:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    reports = read(path, **options)
    assert dict(reports.table.schema) == SCHEMA
    assert set(reports.table["source"]) == {str(path)}
    return reports


def values(reports: Reports, at: int = 0) -> dict[str, Any]:
    row = reports.table.row(at, named=True)
    return {k: v for k, v in row.items() if v is not None and k != "source"}


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def test_a_trace(tmp_path: Path) -> None:
    for name, content in (("t.json", TRACE.encode()), ("t.json.gz", gzip.compress(TRACE.encode()))):
        reports = given(tmp_path, name, content)
        assert values(reports) == {
            "time": utc(2020, 9, 14, 21, 47, 51, 719_000),
            "track_id": "ae0455",
            "lat_deg": 32.1,
            "lon_deg": -117.2,
            "alt_geom_ft": 150.0,
            "gs_kt": 10.5,
            "on_ground": True,
            "icao24": "ae0455",
            "callsign": "PSWRD35",
            "squawk": "1200",
            "type_code": "C2",
            "registration": "162143",
            "position_error_m": 30.0,
        }
        second, fourth = values(reports, 1), values(reports, 3)
        assert second["time"] == utc(2020, 9, 14, 21, 48, 0, 579_000)
        assert (second["alt_geom_ft"], "alt_baro_ft" in second) == (1000.0, False)  # bit 8
        assert (second["track_true_deg"], second["vrate_fpm"]) == (91.5, -64.0)
        assert second["callsign"] == "PSWRD35"
        assert "callsign" not in fourth  # a new leg: another flight
        assert reports.rejected.select("row", "reason").rows() == [
            (5, "missing position"),
            (6, "missing time"),
            (7, "not a number"),
        ]


def test_snapshots_of_all_aircraft(tmp_path: Path) -> None:
    milliseconds = SNAPSHOT.replace("1600000000.5", "1600000000500").replace("aircraft", "ac")
    lines = SNAPSHOT + "\nrubbish\n" + SNAPSHOT.replace("1600000000.5", "1600000010.5")
    for name, content, times in (("a.json", SNAPSHOT, 1), ("l.jsonl", lines, 2),
                                 ("m.json", milliseconds, 1)):  # fmt: skip
        reports = given(tmp_path, name, content)
        assert reports.table.height == 2 * times
        assert values(reports) == {
            "time": utc(2020, 9, 13, 12, 26, 39, 250_000),
            "track_id": "~abc123",  # no ICAO address
            "lat_deg": 1.0,
            "lon_deg": 2.0,
            "gs_kt": 3.0,
            "on_ground": True,
            "callsign": "X",
        }
        second = values(reports, 1)
        assert second["time"] == utc(2020, 9, 13, 12, 26, 40, 500_000)
        assert (second["alt_baro_ft"], second["alt_geom_ft"], second["on_ground"]) == (100, 200, 0)
        assert (second["squawk"], second["position_error_m"]) == ("0017", 10.0)
        assert reports.rejected_counts["missing position"] == times
    assert read(tmp_path / "l.jsonl").rejected_counts["not JSON"] == 1


def test_opensky_state_vectors_are_metric_and_dated_by_their_position(tmp_path: Path) -> None:
    text = (
        "time,icao24,lat,lon,velocity,heading,vertrate,callsign,onground,alert,spi,squawk,"
        "baroaltitude,geoaltitude,lastposupdate,lastcontact\n"
        "1600000000,AE0455,1,2,100,90,-1.5,ABC ,false,False,False,17,1000,1010,1599999999.25,0\n"
    )
    expected = {
        "time": utc(2020, 9, 13, 12, 26, 39, 250_000),
        "track_id": "ae0455",
        "lat_deg": 1.0,
        "lon_deg": 2.0,
        "alt_baro_ft": pytest.approx(1000 / 0.3048),
        "alt_geom_ft": pytest.approx(1010 / 0.3048),
        "gs_kt": pytest.approx(100 * 3600 / 1852),
        "track_true_deg": 90.0,
        "vrate_fpm": pytest.approx(-1.5 * 60 / 0.3048),
        "on_ground": False,
        "icao24": "ae0455",
        "callsign": "ABC",
        "squawk": "0017",
    }
    reports = given(tmp_path, "states.csv", text)
    assert values(reports) == expected
    assert "OpenSky" in reports.notes[0]
    pl.read_csv(text.encode()).write_parquet(tmp_path / "states.parquet")
    assert values(read(tmp_path / "states.parquet")) == expected


def test_basestation_positions_take_the_state_of_their_address(tmp_path: Path) -> None:
    reports = given(tmp_path, "a.sbs", SBS, time_zone="Europe/London")
    assert values(reports) == {
        "time": utc(2020, 9, 14, 20, 47, 51),
        "track_id": "4ca7b6",
        "lat_deg": 51.5,
        "lon_deg": -0.5,
        "alt_baro_ft": 35000.0,
        "gs_kt": 433.5,
        "track_true_deg": 120.1,
        "vrate_fpm": -64.0,
        "on_ground": False,
        "icao24": "4ca7b6",
        "callsign": "RYR1ABC",
    }
    assert values(reports, 1)["on_ground"] is True
    assert "callsign" not in values(reports, 1)
    late = values(reports, 2)
    assert late["squawk"] == "4637"
    assert "gs_kt" not in late  # more than 30 s old
    assert reports.rejected.select("row", "reason").rows() == [
        (4, "not a BaseStation message"),
        (9, "missing position"),
    ]


def test_basestation_needs_to_be_told_its_zone(tmp_path: Path) -> None:
    with pytest.raises(ReportsError, match=r"without a time zone.*time_zone="):
        given(tmp_path, "a.sbs", SBS)


@pytest.mark.parametrize("minor", [0, 1])
def test_gpx(tmp_path: Path, minor: int) -> None:
    reports = given(tmp_path, "flight.gpx", GPX.format(minor=minor))
    assert reports.table["track_id"].to_list() == ["N1", "flight-2"]
    assert reports.table["time"].to_list() == [utc(2020, 1, 1), utc(2020, 1, 1)]
    assert values(reports)["alt_geom_ft"] == pytest.approx(1000 / 0.3048)
    assert reports.rejected.select("row", "reason", "value").rows() == [(2, "not a number", "x")]
    assert "mean sea level" in reports.notes[0]


def test_kml(tmp_path: Path) -> None:
    reports = given(tmp_path, "a.kml", KML)
    assert reports.table.select("track_id", "lat_deg", "lon_deg").rows() == [
        ("T1", 50.0, 10.0),
        ("T1", 50.0, 10.1),
        ("UAL1 / Route", 51.0, 11.0),
    ]
    assert reports.table["time"][2] == utc(2020, 1, 1, 0, 0, 20)
    assert reports.rejected_counts == {"line without a time for each vertex": 1}


def test_a_kml_of_lines_alone_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(ReportsError, match="1 line without a time for each vertex"):
        given(tmp_path, "a.kml", "<kml><Placemark><LineString/></Placemark></kml>")


def test_xml_entities_are_not_resolved(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("N666")
    text = (
        GPX.format(minor=1)
        .replace("N1", "&x;")
        .replace("<gpx", f'<!DOCTYPE gpx [<!ENTITY x SYSTEM "{secret}">]><gpx')
    )
    assert "N666" not in given(tmp_path, "flight.gpx", text).table["track_id"].to_list()


def test_geojson(tmp_path: Path) -> None:
    reports = given(tmp_path, "a.geojson", GEOJSON)
    assert reports.table.select("track_id", "lat_deg", "lon_deg").rows() == [
        ("abc123", 50.0, 10.0),
        ("X", 50.0, 10.0),
        ("X", 50.0, 11.0),
        ("M", 51.0, 12.0),
    ]
    assert reports.table["time"][2] == utc(2020, 1, 1, 0, 0, 10)
    assert values(reports, 0)["alt_baro_ft"] == pytest.approx(100 / 0.3048)
    assert values(reports, 1)["alt_geom_ft"] == pytest.approx(1000 / 0.3048)
    assert sorted(reports.rejected.select("row", "reason").rows()) == [
        (3, "no position: Polygon"),
        (4, "no position: no geometry"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        '[{"timestamp":1600000000000,"icao24":"ae0455","latitude":1.5,"longitude":2}]',
        '{"timestamp":{"0":1600000000000},"icao24":{"0":"ae0455"},"latitude":{"0":1.5},"longitude":{"0":2}}',
        '{"timestamp":[1600000000000],"icao24":["ae0455"],"latitude":[1.5],"longitude":[2]}',
        '{"timestamp":"2020-09-13T12:26:40.000Z","icao24":"ae0455","latitude":1.5,"longitude":2}\n'
        '{"timestamp":NaN}\n',
    ],
)
def test_json_records_in_the_shapes_of_pandas(tmp_path: Path, text: str) -> None:
    row = values(given(tmp_path, "a.json", text))
    assert (row["time"], row["lat_deg"]) == (utc(2020, 9, 13, 12, 26, 40), 1.5)


def test_the_habits_of_spreadsheets(tmp_path: Path) -> None:
    text = (
        '\ufeffNote;"TIME";Callsign;LAT;Lng;"Altitude (ft)";Speed [km/h]\n'
        'x;"2020-01-01 00:00:00,5+01:00";ABC;1,5;2,25;100,5;100\n'
    )
    expected = (utc(2019, 12, 31, 23, 0, 0, 500_000), "ABC", 1.5, 2.25, 100.5)
    for encoding in ("utf-8", "utf-16"):
        row = values(given(tmp_path, "a.csv", text.encode(encoding)))
        assert tuple(row[n] for n in ("time", "track_id", "lat_deg", "lon_deg", "alt_baro_ft")) == (
            expected
        )
        assert row["gs_kt"] == pytest.approx(100 / 1.852)


def test_an_export_of_flightradar24(tmp_path: Path) -> None:
    text = (
        "Timestamp,UTC,Callsign,Position,Altitude,Speed,Direction\n"
        '1600000000,2020-09-13T12:26:40Z,ABC1,"32.5,-117.25",1000,200,90\n'
    )
    row = values(given(tmp_path, "a.csv", text))
    assert (row["lat_deg"], row["lon_deg"], row["track_true_deg"]) == (32.5, -117.25, 90.0)


def test_date_and_time_of_day_in_two_columns(tmp_path: Path) -> None:
    text = "Date\tTime\thex\tlat\tlon\n2020/09/14\t21:47:51.5\tabc123\t1\t2\n"
    row = values(given(tmp_path, "a.tsv", text, time_zone="UTC"))
    assert row["time"] == utc(2020, 9, 14, 21, 47, 51, 500_000)


def test_a_heading_that_begins_as_basestation_does_is_a_table(tmp_path: Path) -> None:
    text = "ID,time,lat,lon\na,2020-01-01T00:00:00Z,1,2\n"
    assert values(given(tmp_path, "a.csv", text))["track_id"] == "a"
    cut = SBS[40:]  # a log that begins within a line
    assert given(tmp_path, "b.sbs", cut, time_zone="UTC").table.height == 3


def test_a_gzip_of_several_members_is_one_file(tmp_path: Path) -> None:
    lines = ["time,id,lat,lon\n", *(f"{1600000000 + i},a,1,2\n" for i in range(9))]
    packed = b"".join(gzip.compress(line.encode()) for line in lines)
    assert given(tmp_path, "a.csv.gz", packed).table.height == 9


def test_units_of_epochs_may_be_told_by_the_name(tmp_path: Path) -> None:
    for heading, number in (
        ("time_ns", 1600000000123456789),
        ("Time [us]", 1600000000123456),
        ("timestamp_ms", "1600000000123.456"),
        ("epoch_s", "1600000000.123456"),
    ):
        text = f"{heading},id,lat,lon\n{number},a,1,2\n"
        time = values(given(tmp_path, "a.csv", text))["time"]
        assert time == utc(2020, 9, 13, 12, 26, 40, 123_456), heading
