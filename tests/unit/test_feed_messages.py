"""Messages of brokers: what a report in one looks like, and what is no report."""

from __future__ import annotations

import io
import json
import struct
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from adiz.sources.feeds import arrow
from adiz.sources.feeds.messages import (
    MOST_OCTETS,
    NO_JSON,
    NO_REPORT,
    TOO_LONG,
    ZONELESS,
    Messages,
)
from adiz.sources.feeds.model import Batch, make_batch
from adiz.sources.reports import SCHEMA

AT = datetime(2024, 5, 31, 12, 0, 0, 250_000, tzinfo=UTC)
FULL = {
    "time": "2024-05-31T12:00:00.25Z", "track_id": "t1", "lat_deg": 37.5, "lon_deg": 129,
    "alt_baro_ft": 31000, "alt_geom_ft": 31500.5, "gs_kt": 450, "track_true_deg": 90.25,
    "vrate_fpm": -64, "on_ground": False, "icao24": "71be01", "callsign": "KAL1", "squawk": "2101",
    "type_code": "B738", "registration": "HL1", "position_error_m": 10,
}  # fmt: skip


def _read(*messages: Any, time_zone: str | None = None) -> Batch:
    decoder = Messages(time_zone)
    coded = [m if isinstance(m, bytes) else json.dumps(m).encode() for m in messages]
    return make_batch(decoder.step(coded), "feed", 1, rejected=decoder.rejected)


def test_every_column_is_taken_as_it_is_named() -> None:
    assert set(FULL) == set(SCHEMA) - {"source", "flags"}
    expected = {**FULL, "time": AT, "source": "feed", "flags": None}
    # Whatever the types, and however the reports are divided over the messages.
    words = {k: str(v) for k, v in FULL.items()}
    for messages in ([FULL, FULL], [[FULL, FULL]], [words, words], [[FULL], words]):
        batch = _read(*messages)
        assert batch.rejected == {}
        assert [dict(row) for row in batch.reports.iter_rows(named=True)] == [expected] * 2


@pytest.mark.parametrize(
    "time",
    [1717156800250000, 1717156800250, 1717156800.25, "1717156800.25",
     "2024-05-31T21:00:00.25+09:00", "2024-05-31 12:00:00.250UTC", "20240531T120000.25Z"],
)  # fmt: skip
def test_times_are_numbers_since_1970_or_iso_8601(time: Any) -> None:
    assert _read({**FULL, "time": time}).reports["time"].to_list() == [AT]
    # beside others of another kind, too
    assert _read(FULL, {**FULL, "time": time}).reports["time"].to_list() == [AT, AT]


def test_a_time_without_a_zone_is_rejected_unless_the_zone_is_told() -> None:
    bare = {**FULL, "time": "2024-05-31T21:00:00.25"}
    assert _read(bare, FULL, bare).rejected == {ZONELESS: 2}
    batch = _read(bare, FULL, time_zone="Asia/Seoul")
    assert (batch.reports["time"].to_list(), batch.rejected) == ([AT, AT], {})


def test_without_a_track_the_address_is_it() -> None:
    batch = _read({**FULL, "track_id": None, "icao24": "71BE01"}, {**FULL, "track_id": " "})
    assert batch.reports["track_id"].to_list() == ["71be01", "71be01"]
    assert batch.reports["icao24"].to_list() == ["71be01", "71be01"]


def test_what_is_no_report_is_counted_and_the_rest_is_read() -> None:
    batch = _read(
        b"", b"{", b"\xff", b"[" * 100_000, [FULL, 5, None], "text", {}, {"else": 1},
        {**FULL, "time": None}, {**FULL, "time": True}, {**FULL, "time": "soon"},
        {**FULL, "lat_deg": 91}, {**FULL, "lon_deg": "x"}, {**FULL, "lat_deg": [1]},
        {**FULL, "track_id": None, "icao24": None}, b'{"time":"\\ud800"}', [],
    )  # fmt: skip
    assert batch.reports.height == 1
    assert batch.rejected == {
        NO_JSON: 4, NO_REPORT: 3, "missing time": 3, "unparsable time": 3,
        "latitude out of range": 1, "not a number": 1, "missing position": 1, "missing track": 1,
    }  # fmt: skip


def test_long_messages_are_not_decoded() -> None:
    many = b"[" + b"{}," * 1_200_000 + b"{}]"
    assert _read(b" " * (MOST_OCTETS + 1), many).rejected == {TOO_LONG: 2}


# ---- Arrow ---------------------------------------------------------------------------------------


def _stream(table: Any, compression: str | None = None) -> bytes:
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    sink = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return sink.getvalue()


def test_an_arrow_stream_is_read_as_the_same_in_json() -> None:
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    row = {**FULL, "time": AT}
    expected = _read(FULL, FULL).reports
    table = pl.DataFrame([row, row], schema={n: SCHEMA[n] for n in FULL})
    assert_frame_equal(_read(_stream(table.to_arrow())).reports, expected)
    buffer = io.BytesIO()
    table.write_ipc_stream(buffer)  # as polars writes it, with views of text
    assert_frame_equal(_read(buffer.getvalue(), FULL).reports, pl.concat([expected, expected])[1:])
    words = pa.Table.from_pylist([{k: str(v) for k, v in FULL.items()}] * 2)
    assert_frame_equal(_read(_stream(words)).reports, expected)
    numbers = table.with_columns(pl.col("time").to_physical(), extra=pl.lit(1))
    assert_frame_equal(_read(_stream(numbers.to_arrow())).reports, expected)


def test_an_arrow_stream_that_is_not_taken_is_counted() -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    table = pl.DataFrame([{**FULL, "time": AT}], schema={n: SCHEMA[n] for n in FULL})
    plain = table.to_arrow()
    bare = table.with_columns(pl.col("time").dt.replace_time_zone(None))
    coded = table.with_columns(pl.col("callsign").cast(pl.Categorical))
    many = pl.DataFrame({"on_ground": [True]}).select(pl.all().repeat_by(300_000).explode())
    batch = _read(
        _stream(plain, "zstd"), _stream(coded.to_arrow()), _stream(many.to_arrow()),
        _stream(bare.to_arrow()), _stream(plain)[:-100], arrow.MARK, arrow.MARK + b"\0" * 64,
        _stream(table.drop("lat_deg").to_arrow()), _stream(pl.DataFrame({"x": [1]}).to_arrow()),
        _stream(table.with_columns(time=pl.lit([1])).to_arrow()), _stream(plain),
    )  # fmt: skip
    assert batch.reports.height == 1
    assert batch.rejected.pop(arrow.NO_ARROW) >= 2
    assert batch.rejected == {
        arrow.NOT_TAKEN: 3, ZONELESS: 1, "missing position": 1, "missing time": 2,
    }  # fmt: skip
    assert _read(_stream(bare.to_arrow()), time_zone="UTC").reports["time"].to_list() == [AT]


def test_views_of_the_same_text_are_no_way_to_fill_the_memory() -> None:
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    text = b"x" * 1_000_000
    view = struct.pack("<i4sii", len(text), text[:4], 0, 0)
    array = pa.Array.from_buffers(
        pa.string_view(), 1000, [None, pa.py_buffer(view * 1000), pa.py_buffer(text)]
    )
    assert _read(_stream(pa.table({"callsign": array}))).rejected == {arrow.NOT_TAKEN: 1}


def test_nothing_is_nothing() -> None:
    assert _read().reports.is_empty()
    assert Messages().step([]) is None
