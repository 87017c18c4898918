"""Reports as each format of a feed sends them: the way back of the decoders, made on their own."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import polars as pl

from adiz.geo import inverse
from adiz.units import KT_PER_MPS, M_PER_FT, M_PER_NM
from tests.feed_samples import block, day_time, record

RADAR = (37.0, 131.0)
"""Where the radar of CAT 048 stands."""


def as_sent(reports: pl.DataFrame) -> pl.DataFrame:
    """Reports in the precision that every format has: milliseconds, 25 ft, whole knots."""
    return reports.with_columns(
        pl.col("time").dt.round("1ms"),
        (pl.col("alt_baro_ft") / 25).round() * 25,
        pl.col("gs_kt").round(),
        pl.lit(0.0).alias("vrate_fpm"),
    )


def _seconds(reports: pl.DataFrame) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """What is sent in each second, in the order of the reports."""
    second = reports["time"].dt.epoch("s")
    for _, part in reports.with_columns(second.alias("s")).group_by("s", maintain_order=True):
        yield part["s"][0], list(part.iter_rows(named=True))


def aircraft_documents(reports: pl.DataFrame) -> Iterator[bytes]:
    """aircraft.json, one a second; an aircraft heard twice in it is there twice."""
    for number, (second, rows) in enumerate(_seconds(reports)):
        now = second + 1 + number / 1e6  # no two documents have one `now`
        aircraft = [
            {"hex": r["track_id"], "lat": r["lat_deg"], "lon": r["lon_deg"], "gs": r["gs_kt"],
             "alt_baro": r["alt_baro_ft"], "track": r["track_true_deg"], "flight": r["callsign"],
             "squawk": r["squawk"], "t": r["type_code"], "baro_rate": 0,
             "seen_pos": round(now - r["time"].timestamp(), 6)}
            for r in rows
        ]  # fmt: skip
        yield json.dumps({"now": now, "aircraft": aircraft}).encode()


def basestation_lines(reports: pl.DataFrame) -> Iterator[bytes]:
    """Callsign, squawk, velocity and position, each in its own message of the same moment."""
    for r in reports.iter_rows(named=True):
        stamp = r["time"].strftime("%Y/%m/%d,%H:%M:%S.%f")[:-3]
        head = f"1,1,{r['track_id'].upper()},1,{stamp},{stamp},"
        yield (
            f"MSG,1,{head}{r['callsign']},,,,,,,,,,,\r\n"
            f"MSG,6,{head},,,,,,,{r['squawk']},0,0,0,0\r\n"
            f"MSG,4,{head},,{r['gs_kt']},{r['track_true_deg']},,,0,,,,,\r\n"
            f"MSG,3,{head},{r['alt_baro_ft']},,,{r['lat_deg']!r},{r['lon_deg']!r},,,0,0,0,0\r\n"
        ).encode()


def json_messages(reports: pl.DataFrame, most: int = 50) -> Iterator[bytes]:
    """Arrays of reports, each now and then alone."""
    rows = [
        {k: v for k, v in r.items() if v is not None and k not in ("source", "flags")}
        | {"time": r["time"].isoformat()}
        for r in reports.iter_rows(named=True)
    ]
    for at in range(0, len(rows), most):
        part = rows[at : at + most]
        yield json.dumps(part[0] if len(part) == 1 else part).encode()


def _angle(degrees: float) -> bytes:
    return round(degrees * 2**30 / 180).to_bytes(4, "big", signed=True)


def _six_bits(text: str) -> bytes:
    bits = 0
    for letter in text.ljust(8)[:8]:
        bits = bits << 6 | ord(letter) & 63
    return bits.to_bytes(6, "big")


def asterix_datagrams(reports: pl.DataFrame, category: int = 21, most: int = 20) -> Iterator[bytes]:
    """Records of one category, some in a datagram, as they come."""
    made = {21: _ads_b, 48: _plot, 62: _system_track}[category]
    rows = list(reports.iter_rows(named=True))
    for at in range(0, len(rows), most):
        yield block(category, *(made(r) for r in rows[at : at + most]))


def _of_day_s(r: dict[str, Any]) -> float:
    time: datetime = r["time"].astimezone(UTC)
    return time.hour * 3600 + time.minute * 60 + time.second + time.microsecond / 1e6


def _velocity(r: dict[str, Any]) -> bytes:
    """Ground speed and direction, as CAT 021 and 048 have them."""
    turn = round(r["track_true_deg"] / 360 * 65536) % 65536
    return struct.pack(">HH", round(r["gs_kt"] / 3600 * 2**14), turn)


def _ads_b(r: dict[str, Any]) -> bytes:
    """CAT 021 edition 2."""
    day_s = _of_day_s(r)
    whole = math.floor(day_s)
    return record(
        (1, b"\x19\x01"),
        (2, b"\x00"),
        (7, _angle(r["lat_deg"]) + _angle(r["lon_deg"])),
        (11, bytes.fromhex(r["track_id"])),
        (12, (whole * 128).to_bytes(3, "big")),
        (13, round((day_s - whole) * 2**30).to_bytes(4, "big")),
        (19, int(r["squawk"], 8).to_bytes(2, "big")),
        (21, struct.pack(">h", round(r["alt_baro_ft"] / 25))),
        (26, _velocity(r)),
        (29, _six_bits(r["callsign"])),
    )


def _plot(r: dict[str, Any]) -> bytes:
    """CAT 048: what the radar at RADAR measures, its height left out of account."""
    ground_m, bearing_deg, _ = inverse(*RADAR, r["lat_deg"], r["lon_deg"])
    # A circle is higher above its chord's middle the longer it is: a flat right angle will not do.
    height_m, radius_m = r["alt_baro_ft"] * M_PER_FT, 6_371_000.0
    across_m = 2 * radius_m * math.sin(ground_m / 2 / radius_m)
    range_m = math.hypot(across_m * math.sqrt(1 + height_m / radius_m), height_m)
    polar = (round(range_m / M_PER_NM * 256), round(bearing_deg % 360 / 360 * 65536) % 65536)
    return record(
        (1, b"\x19\x0c"),
        (2, day_time(_of_day_s(r))),
        (3, b"\xa0"),
        (4, struct.pack(">HH", *polar)),
        (5, int(r["squawk"], 8).to_bytes(2, "big")),
        (6, struct.pack(">H", round(r["alt_baro_ft"] / 25) & 0x3FFF)),
        (8, bytes.fromhex(r["track_id"])),
        (9, _six_bits(r["callsign"])),
        (13, _velocity(r)),
    )


def _system_track(r: dict[str, Any]) -> bytes:
    """CAT 062: a system track with what the aircraft itself says."""
    lat, lon = (round(r[n] * 2**25 / 180) for n in ("lat_deg", "lon_deg"))
    direction = math.radians(r["track_true_deg"])
    quarters = r["gs_kt"] / KT_PER_MPS * 4
    number = int(r["track_id"], 16) & 0xFFF
    derived = b"\xc0" + bytes.fromhex(r["track_id"]) + _six_bits(r["callsign"])
    return record(
        (1, b"\x19\x02"),
        (4, day_time(_of_day_s(r))),
        (5, struct.pack(">ii", lat, lon)),
        (7, struct.pack(">hh", *(round(quarters * f(direction)) for f in (math.sin, math.cos)))),
        (9, int(r["squawk"], 8).to_bytes(2, "big")),
        (11, derived),
        (12, number.to_bytes(2, "big")),
        (13, b"\x00"),
        (17, struct.pack(">h", round(r["alt_baro_ft"] / 25))),
    )
