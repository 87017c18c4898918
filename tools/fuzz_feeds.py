"""Mutated frames of the binary feeds against their decoders, for as long as wanted.

    python -m tools.fuzz_feeds --frames 10000000 beast asterix_048

Each frame is made from its number alone, so that ``run_one(format, number)`` repeats a failure.
A frame fails if the decoder raises or is slow, if a report has no place on Earth, or if what is
rejected is not counted. The memory printed at the end has to stay that of the start.
"""

from __future__ import annotations

import argparse
import random
import resource
import time

from tests.feed_samples import beast, block, day_time, plot, position, record, squitter

from adiz.sources.asterix import Asterix
from adiz.sources.beast import Beast
from adiz.sources.site import Site

_SITE = Site(37.5, 129.0, 100.0)
_SLOWEST_S = 5.0


def _beast(source: random.Random) -> bytes:
    lat, lon = source.uniform(-90, 90), source.uniform(-180, 180)
    messages = [
        position(
            source.randrange(100), lat / 90, lon / 180, source.random() < 0.5, surface=lon > 90
        ),
        squitter(source.getrandbits(24), source.getrandbits(56), first=0x88 | source.randrange(24)),
        source.randbytes(7),
        source.randbytes(2),
    ]
    return b"".join(beast(m, source.getrandbits(48)) for m in messages)


def _near(source: random.Random, octets: int) -> bytes:
    """A latitude and a longitude not far from zero."""
    return b"".join(b"\x00" + source.randbytes(octets - 1) for _ in range(2))


def _ads_b(source: random.Random) -> bytes:
    fields = [(1, b"\x19\x01"), (2, b"\x01\x00"), (7, _near(source, 4)), (11, b"\x71\xbe\x01"),
              (12, day_time(source.uniform(0, 86_400))), (13, source.randbytes(4)),
              (29, source.randbytes(6)), (34, b"\x40\x01" + bytes(15)), (42, b"\x80\x00"),
              (48, b"\x03ab")]  # fmt: skip
    return block(21, record(*fields), record(*fields[:5]))


def _radar(source: random.Random) -> bytes:
    records = [
        plot(
            source.uniform(0, 86_400), range_nm=source.uniform(0, 255), number=n, address=n * 7 % 3
        )
        for n in range(3)
    ]
    return block(48, *records)


def _tracker(source: random.Random) -> bytes:
    fields = [(1, b"\x19\x64"), (4, day_time(source.uniform(0, 86_400))), (5, _near(source, 4)),
              (7, source.randbytes(4)), (11, b"\xc1\x01\x20" + source.randbytes(11)),
              (12, source.randbytes(2)), (13, b"\x01\x01\x00"), (21, b"\x08" + b"B738"),
              (26, bytes(3)), (27, b"\x80" + source.randbytes(4)), (34, b"\x02a")]  # fmt: skip
    return block(62, record(*fields), record(*fields[:5]))


FORMATS = {
    "beast": _beast,
    "asterix_021": _ads_b,
    "asterix_048": _radar,
    "asterix_062": _tracker,
}


def mutate(data: bytes, seed: int) -> bytes:
    """A few octets changed, taken out, put in or doubled."""
    source, out = random.Random(seed), bytearray(data)
    for _ in range(source.randint(1, 6)):
        at = source.randrange(len(out) + 1)
        kind = source.randrange(4)
        if kind == 0 and at < len(out):
            out[at] ^= 1 << source.randrange(8)
        elif kind == 1:
            del out[at : at + source.randint(1, 9)]
        elif kind == 2:
            out[at:at] = source.randbytes(source.randint(1, 9))
        elif at < len(out):
            out[at] = source.choice((0, 1, 0x1A, 0x7F, 0x80, 0xFF))
    return bytes(out)


def make_frame(name: str, seed: int) -> bytes:
    """A mutated frame of a format; of ASTERIX, three in four keep a header that fits."""
    frame = FORMATS[name](random.Random(seed))
    if name == "beast" or seed % 4 == 0:
        return mutate(frame, seed)
    return block(frame[0], mutate(frame[3:], seed))


def make_decoder(name: str) -> Asterix | Beast:
    """A decoder of a format."""
    kind = Beast if name == "beast" else Asterix
    return kind({None: _SITE}, 0)


def run_one(name: str, seed: int, decoder: Asterix | Beast | None = None) -> None:
    """Decode one frame and check what comes of it."""
    decoder = decoder or make_decoder(name)
    before = decoder.rejected.total()
    rows = decoder.step(make_frame(name, seed), seed)
    faults = sum("fault" in row for row in rows)
    assert faults == decoder.rejected.total() - before, (name, seed)
    for row in rows:
        if "fault" not in row:
            assert -90 <= row["lat_deg"] <= 90, (name, seed)
            assert -180 <= row["lon_deg"] <= 180, (name, seed)


def main() -> None:
    """Run so many frames of each format; print rate and memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("formats", nargs="*", default=sorted(FORMATS))
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first frame")
    args = parser.parse_args()
    for name in args.formats:
        decoder, begin = make_decoder(name), time.monotonic()
        for seed in range(args.first, args.first + args.frames):
            started = time.monotonic()
            run_one(name, seed, decoder)
            assert time.monotonic() - started < _SLOWEST_S, (name, seed)
        seconds = time.monotonic() - begin
        memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{name}: {args.frames} frames in {seconds:.0f} s, at most {memory_mb:.0f} MB, "
            f"{dict(decoder.rejected.most_common())}"
        )


if __name__ == "__main__":
    main()
