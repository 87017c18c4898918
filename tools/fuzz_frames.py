"""Frames of each feed, sound at first and then spoilt in one way or another.

Half of the mutations keep what a decoder looks at first (checksum, length, JSON syntax), since
otherwise hardly any would reach what comes after it.
"""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterator
from functools import cache
from typing import Any

from tests.feed_samples import beast, block, day_time, plot, position, record, squitter

from adiz.sources.modes import parity

CHUNK = 10_000
_POOL = 512


def mutate(data: bytes, source: random.Random) -> bytes:
    """A few octets changed, taken out, put in or doubled."""
    out = bytearray(data)
    for _ in range(1 + int(source.random() * source.random() * 7)):
        at = int(source.random() * (len(out) + 1))
        kind = int(source.random() * 5)
        if kind == 0 and at < len(out):
            out[at] ^= 1 << int(source.random() * 8)
        elif kind == 1:
            del out[at : at + 1 + int(source.random() * 9)]
        elif kind == 2:
            out[at:at] = source.randbytes(1 + int(source.random() * 9))
        elif kind == 3:
            out[at:at] = out[at : at + 1 + int(source.random() * 20)]
        elif at < len(out):
            out[at] = source.choice(b"\x00\x01\x1a\x7f\x80\xff")
    return bytes(out)


# ---- Beast ---------------------------------------------------------------------------------------


@cache
def _messages() -> list[bytes]:
    source = random.Random(0)
    found = []
    for n in range(_POOL // 4):
        lat, lon = source.uniform(-90, 90) / 90, source.uniform(-180, 180) / 180
        found += [
            position(n % 40, lat + n % 40, lon, n % 2 == 0, surface=lon > 0.5),
            squitter(n % 40, source.getrandbits(56), first=0x88 | n % 24),
            source.randbytes(7),
            source.randbytes(2),
        ]
    return found


def beast_frames(number: int) -> Iterator[bytes]:
    """A chunk of frames; half of the long messages have their checksum right after all."""
    source, pool = random.Random(number), _messages()
    for _ in range(CHUNK):
        message = pool[int(source.random() * len(pool))]
        kind = source.random()
        if kind < 0.5 and len(message) == 14:
            head = bytearray(message[:11])
            for _ in range(1 + int(source.random() * 4)):
                head[int(source.random() * 11)] ^= 1 << int(source.random() * 8)
            message = bytes(head) + parity(head).to_bytes(3, "big")
        frame = beast(message, source.getrandbits(48))
        yield frame if kind < 0.5 else mutate(frame, source)


# ---- ASTERIX -------------------------------------------------------------------------------------


def _near(source: random.Random, octets: int) -> bytes:
    """A latitude and a longitude not far from zero."""
    return b"".join(b"\x00" + source.randbytes(octets - 1) for _ in range(2))


def _ads_b(source: random.Random) -> list[bytes]:
    fields = [(1, b"\x19\x01"), (2, b"\x01\x00"), (7, _near(source, 4)), (11, b"\x71\xbe\x01"),
              (12, day_time(source.uniform(0, 86_400))), (13, source.randbytes(4)),
              (29, source.randbytes(6)), (34, b"\x40\x01" + bytes(15)), (42, b"\x80\x00"),
              (48, b"\x03ab")]  # fmt: skip
    return [record(*fields), record(*fields[:5])]


def _radar(source: random.Random) -> list[bytes]:
    return [
        plot(
            source.uniform(0, 86_400), range_nm=source.uniform(0, 255), number=n, address=n * 7 % 3
        )
        for n in range(3)
    ]


def _tracker(source: random.Random) -> list[bytes]:
    fields = [(1, b"\x19\x64"), (4, day_time(source.uniform(0, 86_400))), (5, _near(source, 4)),
              (7, source.randbytes(4)), (11, b"\xc1\x01\x20" + source.randbytes(11)),
              (12, source.randbytes(2)), (13, b"\x01\x01\x00"), (21, b"\x08" + b"B738"),
              (26, bytes(3)), (27, b"\x80" + source.randbytes(4)), (34, b"\x02a")]  # fmt: skip
    return [record(*fields), record(*fields[:5])]


@cache
def _blocks(category: int) -> list[bytes]:
    make = {21: _ads_b, 48: _radar, 62: _tracker}[category]
    return [block(category, *make(random.Random(n))) for n in range(_POOL)]


def asterix_frames(category: int, number: int) -> Iterator[bytes]:
    """A chunk of datagrams; three in four have a header that fits."""
    source, pool = random.Random(number), _blocks(category)
    for _ in range(CHUNK):
        frame = pool[int(source.random() * len(pool))]
        kind = source.random()
        if kind < 0.25:
            yield mutate(frame, source)
        elif kind < 0.5:  # values alone, most of them
            body = bytearray(frame[3:])
            body[int(source.random() * len(body))] ^= 1 << int(source.random() * 8)
            yield block(category, bytes(body))
        else:
            yield block(category, mutate(frame[3:], source))


# ---- text ----------------------------------------------------------------------------------------

_ODD = [
    b"null", b"true", b"false", b"0", b"-0.0", b"1", b"-1", b"90.0000001", b"-180", b"539.9",
    b"1e308", b"-1e-320", b"99999999999999999999", b"123456789012", b'""', b'" "', b'"ground"',
    b'"37.5"', b'"NaN"', b'"-inf"', b'"1e999"', b'"0x10"', b'"7700"', b'"~71be01"', b'"\\u0000"',
    b'"\\ud800"', '"ü٣"'.encode(), b'"' + b"9" * 400 + b'"', b"[]", b"{}", b"[[1]]", b'{"a":[{}]}',
    b"NaN", b"-Infinity", b'"2024-05-31T12:00:00"', b'"2024-02-30T12:00:00Z"',
    b'"2024-05-31T25:61:61Z"',
    b'"0000-01-01T00:00:00+99:99"', b"1717156800", b"1717156800000000000", b"-1717156800",
]  # fmt: skip


def _object(members: dict[str, bytes]) -> bytes:
    return b"{" + b",".join(b'"%s":%s' % (k.encode(), v) for k, v in members.items()) + b"}"


def _json_frames(pool: list[dict[str, Any]], source: random.Random, place: str) -> Iterator[bytes]:
    """Objects: one in ten sound; others with odd values, or with any octets changed."""
    coded = [{k: json.dumps(v).encode() for k, v in one.items()} for one in pool]
    for _ in range(CHUNK):
        members = coded[int(source.random() * len(coded))]
        kind = source.random()
        members = {**members, place: b"%.6f" % (source.random() * 180 - 90)}
        if 0.1 < kind < 0.55:
            for _ in range(1 + int(source.random() * 3)):
                members[source.choice(list(members))] = source.choice(_ODD)
        frame = _object(members)
        yield mutate(frame, source) if kind >= 0.55 else frame


@cache
def _aircraft() -> list[dict[str, Any]]:
    source = random.Random(0)
    return [
        {"hex": f"71be{n:02x}", "flight": f"KAL{n} ", "alt_baro": source.choice((31000, "ground")),
         "alt_geom": 31500, "gs": 450.5, "track": 90.2, "baro_rate": -64, "squawk": "2101",
         "lat": source.uniform(-90, 90), "lon": source.uniform(-180, 180), "nac_p": n % 12,
         "seen_pos": source.uniform(0, 60), "r": "HL1", "t": "B738"}
        for n in range(64)
    ]  # fmt: skip


def aircraft_frames(number: int) -> Iterator[bytes]:
    """A chunk of the aircraft of aircraft.json."""
    return _json_frames(_aircraft(), random.Random(number), "lat")


@cache
def _reports() -> list[dict[str, Any]]:
    source = random.Random(0)
    return [
        {"time": source.choice((1717156800 * 10**6 + n, "2024-05-31T12:00:00.5Z")),
         "track_id": f"t{n}", "lat_deg": source.uniform(-90, 90), "on_ground": n % 2 == 0,
         "lon_deg": source.uniform(-180, 180), "alt_baro_ft": 31000, "gs_kt": 400.5,
         "icao24": f"71be{n:02x}", "callsign": "KAL1", "squawk": "7700", "type_code": "B738"}
        for n in range(64)
    ]  # fmt: skip


def report_frames(number: int) -> Iterator[bytes]:
    """A chunk of the reports in messages of a broker."""
    return _json_frames(_reports(), random.Random(number), "lat_deg")


@cache
def _lines() -> list[bytes]:
    source, lines = random.Random(0), []
    for n in range(128):
        stamp = f"2024/05/31,12:{n % 60:02}:00.{n:03}"
        rest = [""] * 12
        kind = source.choice((1, 2, 3, 3, 3, 4, 6, 8))
        rest[0] = "KAL1  " if kind == 1 else ""
        if kind in (2, 3):
            rest[1:2], rest[4:6] = ["31000"], [f"{source.uniform(-90, 90):.5f}", f"{n}.5"]
        if kind == 4:
            rest[2:4], rest[6] = ["450.5", "90.2"], "-64"
        rest[7], rest[11] = ("7700" if kind == 6 else ""), source.choice(("0", "-1", ""))
        head = f"MSG,{kind},1,1,71BE{n % 40:02X},1,{stamp},{stamp},"
        lines.append((head + ",".join(rest) + "\r\n").encode())
    return lines


def line_frames(number: int) -> Iterator[bytes]:
    """A chunk of lines of BaseStation; the first part keeps to its fields."""
    source, pool = random.Random(number), _lines()
    for _ in range(CHUNK):
        line, kind = pool[int(source.random() * len(pool))], source.random()
        if 0.1 < kind < 0.5:
            fields = line.rstrip().split(b",")
            for _ in range(1 + int(source.random() * 3)):
                fields[int(source.random() * len(fields))] = source.choice(_ODD).strip(b'"')
            line = b",".join(fields) + b"\n"
        yield line if kind < 0.5 else mutate(line, source)


@cache
def _streams() -> list[bytes]:
    import polars as pl

    made = []
    for rows in (1, 3, 20):
        table = pl.DataFrame(_reports()[:rows], strict=False)
        for level in (pl.CompatLevel.oldest(), pl.CompatLevel.newest()):
            sink = io.BytesIO()
            table.write_ipc_stream(sink, compat_level=level)
            made.append(sink.getvalue())
    return made


def stream_frames(number: int) -> Iterator[bytes]:
    """A chunk of messages that are Arrow streams."""
    source, pool = random.Random(number), _streams()
    for _ in range(CHUNK):
        yield mutate(pool[int(source.random() * len(pool))], source)
