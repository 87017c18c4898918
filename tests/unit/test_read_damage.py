"""Hostile, damaged and impossible inputs: a clear message or a counted rejection, nothing else."""

from __future__ import annotations

import gzip
import os
import random
from pathlib import Path

import polars as pl
import pytest
from tests.report_samples import GEOJSON, GPX, KML, SBS, SNAPSHOT, TRACE

from adiz.errors import AdizError, ReportsError
from adiz.sources.read import read

FUZZ_ROUNDS = int(os.environ.get("ADIZ_FUZZ_ROUNDS", "60"))
CSV = "time,id,lat,lon,alt\n" + "".join(
    f"2020-01-01T00:00:{s:02d}Z,a,{s}.5,2,{s}\n" for s in range(60)
)
RECORDS = (
    '[{"time":1600000000,"id":"a","lat":1,"lon":2},{"time":1600000001,"id":"a","lat":1,"lon":2}]'
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b" \n\n", "the file is empty"),
        (bytes(range(256)) * 9, "binary"),
        (b"\x80\x04\x95" + bytes(99), "pickle"),
        (b"PK\x03\x04", "ZIP"),
        (b"PAR1 and no more", "cannot be read"),
        (b"x" * 300_000, "no line ends within"),
        (b"hello world\n", "no column is recognised as the time"),
        (b"{", "not JSON"),
        (b"[1, 2]", "no reports of a known shape"),
        (b"[" * 100_000, "not JSON"),
        (b'{"a": 1}', "no reports of a known shape"),
        (b"<html><body>404</body></html>", "XML of the kind 'html'"),
        (b"<gpx", "there are no rows; the XML is broken"),
        (b"<kml>&", "there are no rows; the XML is broken"),
        (b"<gpx/>", "there are no rows"),
        (b"time,id,lat,lon\n", "there are no rows"),
        (gzip.compress(b"", mtime=0), "the file is empty"),
        (b"\x1f\x8b", "the file is empty"),
    ],
)
def test_what_holds_no_reports_is_refused_with_the_reason(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "input"
    path.write_bytes(content)
    with pytest.raises(ReportsError, match=message) as error:
        read(path)
    assert str(path) in str(error.value)


def test_what_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing", tmp_path / "*.csv"):
        with pytest.raises(ReportsError, match="no such file"):
            read(path)
    with pytest.raises(ReportsError, match="no file of a known kind"):
        read(tmp_path)
    with pytest.raises(ReportsError, match="no file to read"):
        read([])
    with pytest.raises(ReportsError, match="no format is called 'xls'"):
        read(tmp_path, format="xls")


def test_a_bad_file_stops_only_when_it_was_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV)
    (tmp_path / "b.csv").write_text("")
    (tmp_path / "ignored.md").write_text("about")
    for found in (tmp_path, tmp_path / "*.csv"):
        reports = read(found)
        assert reports.table.height == 60
        assert reports.rejected.select("source", "reason", "value").rows() == [
            (f"{tmp_path}/b.csv", "unreadable file", "the file is empty")
        ]
    with pytest.raises(ReportsError, match=r"b\.csv: the file is empty"):
        read([tmp_path / "a.csv", tmp_path / "b.csv"])


@pytest.mark.parametrize("content", [CSV, TRACE, RECORDS.replace("},", "},\n"), SNAPSHOT, GPX, KML])
def test_a_cut_off_gzip_gives_what_came_before(tmp_path: Path, content: str) -> None:
    noise = "".join(random.Random(1).choices("abcdefgh", k=3000))
    whole = gzip.compress((content + f"<!--{noise}-->" * content.startswith("<")).encode())
    path = tmp_path / "cut.gz"
    path.write_bytes(whole[: len(whole) - 12])
    reports = read(path)
    assert reports.table.height >= 1
    assert any("gzip" in note and "kept what came before" in note for note in reports.notes)


def test_swapped_coordinates_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = "".join(f"2020-01-01T00:00:{s:02d}Z,a,{88.5 + s / 10},37.0\n" for s in range(60))
    path.write_text("time,id,lat,lon\n" + rows)
    reports = read(path)
    assert reports.rejected_counts == {"latitude out of range": 44}
    assert "seem swapped" in reports.notes[0]
    path.write_text("time,id,lat,lon\n2020-01-01T00:00:00Z,a,131.5,37.0\n")
    with pytest.raises(ReportsError, match=r"1 latitude out of range.*seem swapped"):
        read(path)


def test_one_line_of_many_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(CSV + "x" * 20_000_000 + "\n2020-01-01T00:00:00Z,a,1,2,3\n")
    reports = read(path)
    assert reports.table.height == 61
    assert reports.rejected["value"].to_list() == ["x" * 80]


@pytest.mark.parametrize("bad", ['"x', 'x"x,a,1,2,3', '2020-01-01T00:00:00Z,"a"b,1,2,3'])
@pytest.mark.parametrize("again", ["", '"y'])
def test_a_broken_quote_costs_only_its_line(tmp_path: Path, bad: str, again: str) -> None:
    path = tmp_path / "t.csv"
    quoted = '2020-01-01T00:01:00Z,"a ""A"", b",1,2,3\n'
    path.write_text(f"{CSV}{bad}\n{quoted * 5}{again}\n{quoted}")
    reports = read(path)
    assert reports.table.height == 66
    assert reports.table["track_id"][-1] == 'a "A", b'
    assert reports.rejected.filter(reason="broken quotes")["row"].to_list() == (
        [61, 67] if again else [61]
    )


def test_a_broken_line_of_json_lines_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    line = '{"time":1600000000,"id":"a","lat":1,"lon":2}\n'
    path.write_text(line * 3 + '{"time":16000\n' + line + "[]\n")
    reports = read(path)
    assert reports.table.height == 4
    assert reports.rejected.select("row", "reason").rows() == [(6, "missing time"), (4, "not JSON")]


def _parquet(folder: Path) -> bytes:
    path = folder / "seed.parquet"
    pl.read_csv(CSV.encode()).write_parquet(path)
    return path.read_bytes()


@pytest.mark.parametrize("kind", ["csv", "trace", "snapshot", "records", "sbs", "gpx", "kml",
                                  "geojson", "parquet", "gzip"])  # fmt: skip
def test_mutated_files_never_raise_anything_else(tmp_path: Path, kind: str) -> None:
    seeds = {
        "csv": CSV.encode(),
        "trace": TRACE.encode(),
        "snapshot": SNAPSHOT.encode(),
        "records": RECORDS.encode(),
        "sbs": SBS.encode(),
        "gpx": GPX.encode(),
        "kml": KML.encode(),
        "geojson": GEOJSON.encode(),
        "parquet": _parquet(tmp_path),
        "gzip": gzip.compress(TRACE.encode()),
    }
    chance = random.Random(kind)
    path = tmp_path / "mutated"
    bits = [b'"', b",", b"{", b"]", b"null", b"-1e999", b"NaN", b"\x00", b"\xff", b"\n", b"1" * 400]
    # About one in some thousand damaged Parquet pages makes polars abort the process (it asks for
    # absurd amounts of memory): no more rounds of these than are known to pass.
    for _ in range(60 if kind == "parquet" else FUZZ_ROUNDS):
        data = bytearray(seeds[kind])
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(data))
            match chance.randrange(4):
                case 0:
                    data[at] = chance.randrange(256)
                case 1:
                    del data[at : at + chance.randint(1, 30)]
                case 2:
                    data[at:at] = chance.choice(bits)
                case _:
                    data[at : at + chance.randint(1, 8)] = chance.choice(bits)
            data = data or bytearray(b" ")
        path.write_bytes(data)
        try:
            table = read(path, time_zone="UTC").table
        except AdizError:
            continue
        assert table["lat_deg"].is_between(-90, 90).all()
        assert table["lon_deg"].is_between(-180, 180, closed="left").all()
