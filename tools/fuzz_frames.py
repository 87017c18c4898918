"""Frames of each feed, sound at first and then spoilt in one way or another.

Half of the mutations keep what a decoder looks at first (checksum, length, JSON syntax), since
otherwise hardly any would reach what comes after it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache

from tests.feed_samples import beast, block, day_time, plot, position, record, squitter

CHUNK = 1000
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
def _parities() -> list[int]:
    """The parity of Mode S of each octet (ICAO Annex 10 volume IV, 3.1.2.3.3)."""
    table = []
    for octet in range(256):
        rest = octet << 16
        for _ in range(8):
            rest = rest << 1 ^ (0x1FFF409 if rest & 0x800000 else 0)
        table.append(rest & 0xFFFFFF)
    return table


def _with_parity(head: bytes) -> bytes:
    table, rest = _parities(), 0
    for octet in head:
        rest = (rest << 8 & 0xFFFFFF) ^ table[rest >> 16 ^ octet]
    return head + rest.to_bytes(3, "big")


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
            message = _with_parity(bytes(head))
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
