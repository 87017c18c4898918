"""Mutated frames of the feeds against their decoders, for as long as wanted.

    python -m tools.fuzz_feeds --frames 10000000 beast asterix_048

A frame is what a feed is made of: a message of Beast, a datagram of ASTERIX, an aircraft of
``aircraft.json``, a line of BaseStation, a report of a JSON message. They are made a thousand at a
time, from the number of the thousand alone, so that ``run_chunk(format, number)`` repeats a failure
(:mod:`tools.fuzz_frames`). A chunk fails if the decoder raises or is slow, if a report has no time
or no place on Earth, or if what is rejected is not counted. Memory is asked at the end: it may not
have grown since the first tenth.
"""

from __future__ import annotations

import argparse
import platform
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tools import fuzz_frames
from tools.fuzz_frames import CHUNK

from adiz.sources.asterix import Asterix
from adiz.sources.beast import Beast
from adiz.sources.site import Site

_SITE = Site(37.5, 129.0, 100.0)
_SLOWEST_S = 30.0
_GROWTH_MB = 64.0
Check = Callable[[int], Counter[str]]
"""Runs the chunk of a number; what it counted."""


def _check_rows(rows: Iterable[dict[str, Any]], rejected: int) -> None:
    faults = 0
    for row in rows:
        if "fault" in row:
            faults += 1
        else:
            assert isinstance(row["time"], int), row
            assert -90 <= row["lat_deg"] <= 90, row
            assert -180 <= row["lon_deg"] <= 180, row
    assert faults == rejected, (faults, rejected)


def _beast() -> Check:
    decoder = Beast({None: _SITE}, 0)

    def run(number: int) -> Counter[str]:
        source = random.Random(number)
        data = b"".join(fuzz_frames.beast_frames(number))
        before, at, got = decoder.rejected.copy(), 0, 0
        while at < len(data):
            size = source.choice((1, 7, 100, 5_000))
            known = decoder.rejected.total()
            rows = decoder.step(data[at : at + size], number * 1_000_000 + at)
            _check_rows(rows, decoder.rejected.total() - known)
            got += sum("fault" not in row for row in rows)
            at += size
        return (decoder.rejected - before) + Counter(reports=got)

    return run


def _asterix(category: int) -> Callable[[], Check]:
    def make() -> Check:
        decoder = Asterix({None: _SITE}, 0)

        def run(number: int) -> Counter[str]:
            before, got = decoder.rejected.copy(), 0
            for at, frame in enumerate(fuzz_frames.asterix_frames(category, number)):
                known = decoder.rejected.total()
                rows = decoder.step(frame, number * 1_000_000 + at)
                _check_rows(rows, decoder.rejected.total() - known)
                got += sum("fault" not in row for row in rows)
            return (decoder.rejected - before) + Counter(reports=got)

        return run

    return make


FORMATS: dict[str, Callable[[], Check]] = {
    "beast": _beast,
    "asterix_021": _asterix(21),
    "asterix_048": _asterix(48),
    "asterix_062": _asterix(62),
}


def run_chunk(name: str, number: int, check: Check | None = None) -> Counter[str]:
    """Decode one chunk of a format and check what comes of it."""
    try:
        return (check or FORMATS[name]())(number)
    except BaseException:
        print(f"chunk {number} of {name} failed")
        raise


def _memory_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def run_format(name: str, frames: int, first: int) -> str:
    """Run so many frames of a format; one line of a table about it."""
    check, counts = FORMATS[name](), Counter[str]()
    chunks = -(-frames // CHUNK)
    begin, memory_mb, slowest_s = time.monotonic(), 0.0, 0.0
    for number in range(first, first + chunks):
        started = time.monotonic()
        counts += run_chunk(name, number, check)
        slowest_s = max(slowest_s, time.monotonic() - started)
        assert slowest_s < _SLOWEST_S, (name, number)
        if number == first + chunks // 10:
            memory_mb = _memory_mb()
    seconds, grown_mb = time.monotonic() - begin, _memory_mb() - memory_mb
    assert grown_mb < _GROWTH_MB, (name, memory_mb, grown_mb)
    got = counts.pop("reports", 0)
    kept = counts.pop("other messages", 0)
    reasons = "; ".join(f"{reason} {count:,}" for reason, count in counts.most_common())
    return (
        f"| {name} | {chunks * CHUNK:,} | {seconds:,.0f} s | {slowest_s:.1f} s | "
        f"{memory_mb:.0f} MB, {grown_mb:+.0f} MB | {got:,} | {kept:,} | {counts.total():,} | "
        f"{reasons} |"
    )


def main() -> None:
    """Run so many frames of each format; a table of what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("formats", nargs="*", help=", ".join(FORMATS))
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first chunk")
    args = parser.parse_args()
    print(f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}\n", flush=True)
    print(
        "| format | frames | took | slowest chunk | memory, growth | reports | other messages | "
        "rejected | by reason |\n|---|---|---|---|---|---|---|---|---|",
        flush=True,
    )
    for name in args.formats or FORMATS:
        print(run_format(name, args.frames, args.first), flush=True)


if __name__ == "__main__":
    main()
