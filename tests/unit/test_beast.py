"""Beast streams: frames in pieces, positions from pairs, jumps, the ground, the clock."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.feed_samples import beast, position, squitter

import adiz
from adiz.errors import ReportsError
from adiz.sources.beast import Beast
from adiz.sources.site import Site
from adiz.tracks.flags import Flag

START = "2019-07-23T00:00:00Z"
START_US = int(datetime(2019, 7, 23, tzinfo=UTC).timestamp()) * 1_000_000
TICKS_PER_S = 12_000_000
ADDRESS = 0x71BE01


def _flight(count: int = 20, *, lat: float = 37.0, lon: float = 131.0) -> list[bytes]:
    """A position a second, eastward."""
    return [
        beast(position(ADDRESS, lat, lon + second * 0.002, second % 2 == 1), second * TICKS_PER_S)
        for second in range(count)
    ]


def _rows(frames: list[bytes], **options: object) -> list[dict[str, object]]:
    decoder = Beast(start_us=START_US, **options)  # type: ignore[arg-type]
    return decoder.step(b"".join(frames)) + decoder.flush()


def test_every_position_becomes_a_report_at_its_time_and_place() -> None:
    rows = _rows(_flight())
    assert len(rows) == 20
    for second, row in enumerate(rows):
        # The first clock is zero, which says that there is no time.
        assert row["time"] == START_US + max(second - 1, 0) * 1_000_000
        assert row["lat_deg"] == pytest.approx(37.0, abs=1e-4)
        assert row["lon_deg"] == pytest.approx(131.0 + second * 0.002, abs=1e-4)
        assert (row["track_id"], row["alt_baro_ft"]) == ("71be01", 38_000)


def test_pieces_of_any_size_give_the_same() -> None:
    frames = _flight()
    noise = [b"\x1a\x1a\x33", b"\x00\x1a", b"\x1a\x35abc", frames[3][:9]]
    stream = b"".join(f + noise[i % 4] if i % 5 == 0 else f for i, f in enumerate(frames))
    whole = Beast(start_us=START_US)
    expected = whole.step(stream) + whole.flush()
    source = random.Random(3)
    for most in (1, 2, 7, 60):
        decoder, rows, at = Beast(start_us=START_US), [], 0
        while at < len(stream):
            size = source.randint(1, most)
            rows += decoder.step(stream[at : at + size])
            at += size
        rows += decoder.flush()
        reports = [r for r in rows if "fault" not in r]
        assert [{**r, "row": 0} for r in reports] == [
            {**r, "row": 0} for r in expected if "fault" not in r
        ]
    assert whole.rejected["octets that are no whole frame"] >= 3


def test_a_jump_is_followed_flagged_and_no_report_is_lost(tmp_path: Path) -> None:
    before, after = _flight(10), _flight(20, lat=52.0, lon=20.0)[10:]
    path = tmp_path / "x"
    path.write_bytes(b"".join(before + after))
    reports = adiz.read(path, start=START)
    assert reports.table.height == 20
    assert reports.rejected_counts == {}
    lats = reports.table["lat_deg"].to_list()
    assert lats == pytest.approx([37.0] * 10 + [52.0] * 10, abs=1e-4)
    flagged = [i for i, bits in enumerate(reports.table["flags"]) if bits & Flag.IMPOSSIBLE_SPEED]
    assert flagged == [10]


def test_two_aircraft_with_one_address_keep_their_places() -> None:
    here, there = _flight(40), _flight(40, lat=52.0, lon=20.0)
    rows = _rows([f for pair in zip(here, there, strict=True) for f in pair])
    places = {(round(float(str(r["lat_deg"])))) for r in rows if "fault" not in r}
    assert places == {37, 52}
    assert sum("fault" not in r for r in rows) >= 70


def test_a_lone_position_is_counted_not_guessed() -> None:
    decoder = Beast(start_us=START_US)
    rows = decoder.step(_flight(1)[0]) + decoder.flush()
    assert rows == [{"row": 1, "fault": "a position without its partner"}]
    assert decoder.rejected == {"a position without its partner": 1}


def test_surface_positions_need_a_place_near() -> None:
    frames = [
        beast(position(ADDRESS, 37.46, 126.44 + s * 1e-4, s % 2 == 1, surface=True), 1 + s * 10**7)
        for s in range(6)
    ]
    assert all("fault" in row for row in _rows(frames))
    rows = _rows(frames, sites={None: Site(37.5, 126.5, 20.0)})
    assert len(rows) == 6
    assert all(
        row["on_ground"] and row["lat_deg"] == pytest.approx(37.46, abs=1e-4) for row in rows
    )


def test_state_is_that_of_the_address() -> None:
    callsign = int.from_bytes(bytes.fromhex("202cc371c32ce0"), "big")
    emergency = int.from_bytes(bytes.fromhex("e118a700000000"), "big")
    frames = [beast(squitter(ADDRESS, p), 1) for p in (callsign, emergency)] + _flight(4)
    rows = _rows(frames)
    # Both messages are examples of which the decoded text is published.
    assert {(row["callsign"], row["squawk"]) for row in rows} == {("KLM1023", "5516")}


def test_a_wrong_checksum_is_counted() -> None:
    message = bytearray(position(ADDRESS, 37.0, 131.0, False))
    message[5] ^= 1
    decoder = Beast(start_us=START_US)
    decoder.step(beast(bytes(message)))
    assert decoder.rejected == {"wrong checksum, or no Mode S": 1}


def test_other_addresses_and_formats_of_df_18() -> None:
    def pair(first: int) -> list[bytes]:
        return [beast(position(ADDRESS, 37.0, 131.0, odd, df=first), 1) for odd in (False, True)]

    assert [r["track_id"] for r in _rows(pair(0x90))] == ["71be01"] * 2
    rows = _rows(pair(0x91))
    assert [(r["track_id"], r["icao24"]) for r in rows] == [("~71be01", None)] * 2
    assert _rows(pair(0x93)) == []


def test_the_clock_passes_its_turn_and_odd_stamps() -> None:
    end = (1 << 48) - TICKS_PER_S // 2
    stamps = [end, 0, 0xFF004D4C4154, TICKS_PER_S // 2, 500 * TICKS_PER_S * 3600]
    frames = [
        beast(position(ADDRESS, 37.0, 131.0, i % 2 == 1), stamp) for i, stamp in enumerate(stamps)
    ]
    times = [int(str(row["time"])) - START_US for row in _rows(frames)]
    assert times == [0, 0, 0, 1_000_000, 1_000_000]


def test_the_clock_does_not_drift_over_many_frames() -> None:
    short = bytes.fromhex("02e197b00179c3")
    frames = [beast(short, 1 + frame * 1001) for frame in range(20_000)]
    frames += [
        beast(position(ADDRESS, 37.0, 131.0, odd), 1 + 60 * TICKS_PER_S) for odd in (False, True)
    ]
    rows = [row for row in _rows(frames) if "fault" not in row]
    assert [row["time"] for row in rows] == [START_US + 60_000_000] * 2


def test_arrival_times_rule_where_they_are_told() -> None:
    decoder = Beast()
    rows = [r for i, f in enumerate(_flight(4)) for r in decoder.step(f, START_US + i * 10)]
    assert [row["time"] for row in rows] == [START_US + i * 10 for i in range(4)]


def test_a_recording_needs_its_start(tmp_path: Path) -> None:
    path = tmp_path / "capture.bin"
    path.write_bytes(b"".join(_flight())[5:])
    with pytest.raises(ReportsError, match="--start"):
        adiz.read(path)
    assert adiz.read(path, start=START).table.height == 19
    assert adiz.read(path, start="2019-07-23T09:00", time_zone="Asia/Seoul").table.height == 19


def test_state_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adiz.sources.beast._MOST_AIRCRAFT", 10)
    decoder = Beast(start_us=START_US)
    for address in range(1, 60):
        decoder.step(beast(position(address, 37.0, 131.0, False)))
    assert len(decoder._aircraft) == 10
    assert decoder.rejected["a position without its partner"] == 49
