"""ASTERIX records to reports: time, place, track, and what is turned away."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.feed_samples import block, day_time, pcap, pcapng, plot, record, udp

import adiz
from adiz.errors import ReportsError
from adiz.sources.asterix import Asterix
from adiz.sources.site import Site, place, read_sites

SITE = Site(43.5, 16.4, 700.0)
DAY_US = 86_400_000_000
NOON_US = 1_462_406_400_000_000 + DAY_US // 2  # 2016-05-05


def _decoder() -> Asterix:
    return Asterix({None: SITE})


def test_a_plot_lies_at_its_bearing_and_corrected_range() -> None:
    (row,) = _decoder().step(block(48, plot(43_200, address=0x3C660C)), NOON_US)
    metres, _, _ = _inverse(SITE, row)
    slant_m = 60 * 1852.0
    rise_m = 33_000 * 0.3048 - 700
    flat_m = (slant_m**2 - rise_m**2) ** 0.5 * (1 - rise_m / 2 / 6_371_000)
    assert metres == pytest.approx(flat_m, abs=20)
    assert slant_m - metres > 400
    assert row["track_id"] == row["icao24"] == "3c660c"
    assert row["time"] == NOON_US


def _inverse(site: Site, row: dict[str, float]) -> tuple[float, float, float]:
    from adiz.geo import inverse

    return inverse(site.lat_deg, site.lon_deg, row["lat_deg"], row["lon_deg"])


def test_an_unknown_height_gives_an_error_bound_that_holds_for_every_height() -> None:
    (row,) = _decoder().step(block(48, plot(43_200, level=None, number=7)), NOON_US)
    low_m, _, _ = _inverse(SITE, row)
    lat, lon = place(SITE, 60 * 1852.0, 90.0, 15_000.0)
    high_m, _, _ = _inverse(SITE, {"lat_deg": lat, "lon_deg": lon})
    assert low_m - high_m == pytest.approx(row["position_error_m"], rel=0.15)
    assert "alt_baro_ft" not in row


def test_impossible_ranges_and_heights_are_placed_finitely() -> None:
    for range_m in (0.0, 100.0, 470_000.0):
        for height_m in (-3000.0, 0.0, 60_000.0):
            lat, lon = place(SITE, range_m, 10.0, height_m)
            assert -90 <= lat <= 90
            assert -180 <= lon <= 180


def test_midnight_passes_with_and_without_a_clock_of_the_capture() -> None:
    late, early = block(48, plot(86_399.5, number=7)), block(48, plot(0.5, number=7))
    midnight_us = NOON_US + DAY_US // 2
    with_clock = _decoder()
    rows = with_clock.step(late, midnight_us + 100_000) + with_clock.step(early, midnight_us)
    assert [r["time"] - midnight_us for r in rows] == [-500_000, 500_000]
    without = Asterix({None: SITE}, midnight_us - DAY_US)
    rows = without.step(late + early)
    assert [r["time"] - midnight_us for r in rows] == [-500_000, 500_000]


def test_tracks_without_address_are_kept_apart_by_sensor_and_number() -> None:
    first, second = (25, 12), (25, 13)
    rows = _decoder().step(
        block(
            48,
            plot(43_200, number=7, sensor=first),
            plot(43_200, number=8, sensor=first),
            plot(43_200, number=7, sensor=second),
        ),
        NOON_US,
    )
    assert [r["track_id"] for r in rows] == ["25-12-7", "25-12-8", "25-13-7"]


def test_a_number_that_comes_back_after_a_silence_is_another_track() -> None:
    decoder = _decoder()
    names = [
        decoder.step(block(48, plot(43_200 + s, number=7)), NOON_US + s * 1_000_000)[0]["track_id"]
        for s in (0, 200, 400, 800, 810)
    ]
    assert names == ["25-12-7"] * 3 + ["25-12-7-2"] * 2


def test_a_number_after_the_end_of_its_track_is_another_track() -> None:
    decoder = _decoder()
    polar = struct.pack(">HH", 60 * 256, 0)
    ending = record(
        (1, b"\x19\x0c"), (2, day_time(43_204)), (4, polar), (11, b"\x00\x07"), (14, b"\x01\x80")
    )
    # The last record comes twice, as over two networks.
    rows = decoder.step(block(48, plot(43_200, number=7), ending, ending), NOON_US)
    rows += decoder.step(block(48, plot(43_208, number=7)), NOON_US + 8_000_000)
    assert [r["track_id"] for r in rows] == ["25-12-7"] * 3 + ["25-12-7-2"]


def test_a_primary_plot_belongs_to_the_address_its_track_has_shown() -> None:
    rows = _decoder().step(
        block(48, plot(43_200, number=7, address=0x3C660C), plot(43_204, number=7)), NOON_US
    )
    assert [r["track_id"] for r in rows] == ["3c660c", "3c660c"]


@pytest.mark.parametrize(
    ("descriptor", "reason"),
    [
        (b"\xb0", "a simulated target"),
        (b"\xa1\x80", "a test target"),
        (b"\xa2", "a fixed transponder"),
    ],
)
def test_what_is_no_aircraft_is_told(descriptor: bytes, reason: str) -> None:
    decoder = _decoder()
    (row,) = decoder.step(block(48, plot(43_200, number=7, descriptor=descriptor)), NOON_US)
    assert row == {"row": 1, "fault": reason}
    assert decoder.rejected == {reason: 1}


def test_ads_b_reports_with_precise_time_and_both_positions() -> None:
    position = struct.pack(">ii", round(37.5 / 180 * 2**30), round(131.8 / 180 * 2**30))
    fields = [
        (1, b"\x19\x01"), (2, b"\x01\x40"), (7, position), (11, b"\x71\xbe\x01"),
        (12, day_time(43_200.9921875)), (13, struct.pack(">I", 1 << 30 | 2**29)),
        (16, struct.pack(">h", 5600)), (17, b"\x01\x12"), (19, b"\x0f\xc0"),
        (21, struct.pack(">h", 1400)), (24, b"\x7f\x9c"),
        (26, struct.pack(">HH", 2048, 16384)), (29, bytes.fromhex("2c1331cb3820")),
    ]  # fmt: skip
    (row,) = Asterix().step(block(21, record(*fields)), NOON_US)
    assert row["time"] == NOON_US + 1_500_000
    assert row["lat_deg"] == pytest.approx(37.5, abs=1e-7)
    assert row["lon_deg"] == pytest.approx(131.8, abs=1e-7)
    assert (row["alt_geom_ft"], row["alt_baro_ft"]) == (35_000, 35_000)
    assert (row["gs_kt"], row["track_true_deg"]) == (450, 90)
    assert row["vrate_fpm"] == -100 * 6.25
    assert row["on_ground"] is True
    assert row["squawk"] == "7700"
    assert row["callsign"] == "KAL123"
    assert row["position_error_m"] == 30.0


def test_an_address_that_is_no_icao_address_names_the_track_only() -> None:
    fields = [
        (1, b"\x19\x01"),
        (2, b"\x60"),
        (6, bytes(6)),
        (11, b"\x71\xbe\x01"),
        (12, day_time(43_200)),
    ]
    (row,) = Asterix().step(block(21, record(*fields)), NOON_US)
    assert (row["track_id"], row["icao24"]) == ("~71be01", None)


def test_needed_items_survive_every_kind_of_item_before_them() -> None:
    polar = struct.pack(">HH", 60 * 256, 0)
    odd = record(
        (1, b"\x19\x0c"), (2, day_time(43_200)), (3, b"\xa1\x01\x00"), (4, polar),
        (7, b"\xc1\x00\x05\x06"), (10, b"\x02" + bytes(16)),
        (11, b"\x00\x09"), (16, b"\x03\x05\x04"), (20, b"\xc0" + bytes(2) + b"\x01" + bytes(6)),
        (27, b"\x04abc"), (28, b"\x02z"),
    )  # fmt: skip
    rows = _decoder().step(block(48, odd, plot(43_200, number=8)), NOON_US)
    assert [r.get("track_id") for r in rows] == ["25-12-9", "25-12-8"]


def test_a_damaged_record_costs_the_rest_of_its_block_only() -> None:
    decoder = _decoder()
    good = plot(43_200, number=7)
    rows = decoder.step(block(48, good, b"\xff") + block(48, good), NOON_US)
    assert [r.get("fault") for r in rows] == [None, "a record is cut off", None]
    assert decoder.step(b"\x30\x00", NOON_US)[0]["fault"] == "a block without its whole length"


def test_state_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adiz.sources.asterix._MOST_TRACKS", 10)
    decoder = _decoder()
    decoder.step(block(48, *(plot(43_200, number=n) for n in range(60))), NOON_US)
    assert len(decoder._tracks) == 10


def _write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_captures_of_every_kind_read_alike(tmp_path: Path) -> None:
    when = datetime(2016, 5, 5, 12, tzinfo=UTC)
    frames = [
        (when.timestamp() + s, udp(block(48, plot(43_200 + s, number=7)), vlan=s == 4))
        for s in (0, 4, 8)
    ]
    files = {
        "a": pcap(frames), "b": pcap(frames, order=">"), "c": pcap(frames, nano=True),
        "d": pcapng(frames), "e": pcapng(frames, ticks_exponent=6),
    }  # fmt: skip
    for name, data in files.items():
        reports = adiz.read(_write(tmp_path / name, data), site=SITE)
        assert reports.table["time"].to_list() == [
            when.replace(second=second) for second in (0, 4, 8)
        ]
        assert reports.rejected_counts == {}


def test_packets_without_datagrams_and_a_cut_capture_are_counted(tmp_path: Path) -> None:
    good = udp(block(48, plot(43_200, number=7)))
    arp = bytes(12) + b"\x08\x06" + bytes(28)
    tcp = bytearray(good)
    tcp[23] = 6
    fragment = bytearray(good)
    fragment[20] = 0x20
    whole = pcap([(1_462_449_600.0, f) for f in (good, arp, bytes(tcp), bytes(fragment), good)])
    reports = adiz.read(_write(tmp_path / "x.pcap", whole[:-5]), site="43.5,16.4,700")
    assert reports.table.height == 1
    assert reports.rejected_counts == {
        "not UDP": 2,
        "a fragment of a datagram": 1,
        "the capture is damaged from here on": 1,
    }


def test_a_clock_far_from_the_capture_is_remarked(tmp_path: Path) -> None:
    path = _write(tmp_path / "x", pcap([(1_462_449_600.0, udp(block(48, plot(3600, number=7))))]))
    assert "11.0 h" in " ".join(adiz.read(path, site=SITE).notes)


def test_raw_files_need_a_date_and_radars_a_site(tmp_path: Path) -> None:
    path = _write(tmp_path / "x.raw", block(48, plot(43_200, number=7)))
    with pytest.raises(ReportsError, match="--start 2024-05-31"):
        adiz.read(path, site=SITE)
    with pytest.raises(ReportsError, match="--site 25/12=LAT,LON,HEIGHT_M"):
        adiz.read(path, start="2016-05-05")
    reports = adiz.read(path, start="2016-05-05", site={"25/12": SITE})
    assert reports.table["time"][0] == datetime(2016, 5, 5, 12, tzinfo=UTC)
    assert adiz.read(path, start=datetime(2016, 5, 5, tzinfo=UTC), site=SITE).table.height == 1


def test_one_site_for_several_radars_is_an_error(tmp_path: Path) -> None:
    both = block(48, plot(43_200, number=7), plot(43_200, number=7, sensor=(25, 13)))
    path = _write(tmp_path / "x.raw", both)
    with pytest.raises(ReportsError, match=r"25/12, 25/13 all need one"):
        adiz.read(path, start="2016-05-05", site=SITE)
    places = {"25/12": SITE, "25/13": (44.0, 15.0, 0)}
    assert adiz.read(path, start="2016-05-05", site=places).table.height == 2


@pytest.mark.parametrize("given", ["1,2", "a,b,c", "91,0,0", (1, 2), {"25": "1,2,3"}, "1,2,99999"])
def test_wrong_sites_are_told(given: object) -> None:
    with pytest.raises(ReportsError, match="write"):
        read_sites(given)  # type: ignore[arg-type]


@pytest.mark.parametrize("given", ["yesterday", "2016-05-05T12:00"])
def test_wrong_starts_are_told(tmp_path: Path, given: str) -> None:
    with pytest.raises(ReportsError, match="start"):
        adiz.read(_write(tmp_path / "x", block(48, plot(1, number=1))), start=given)


def test_stays_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from adiz.cli import main

    frames = [
        (
            1_462_449_600.0 + s,
            udp(block(48, plot(43_200 + s, address=0x71BE01, range_nm=60 + s / 8))),
        )
        for s in range(0, 400, 4)
    ]
    path = _write(tmp_path / "radar.pcap", pcap(frames))
    code = main(["stays", str(path), "--zones", "KADIZ", "--site", "25/12=37.5,129.0,300"])
    assert code == 0
    assert "71be01" in capsys.readouterr().out
