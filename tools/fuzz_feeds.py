"""Mutated frames of the feeds against their decoders, for as long as wanted.

    python -m tools.fuzz_feeds --frames 10000000 beast asterix_048

A frame is what a feed is made of: a message of Beast, a datagram of ASTERIX, an aircraft of
``aircraft.json``, a line of BaseStation, a report of a JSON message. They are made ten thousand at
a time, from the number of the chunk alone, so that ``run_chunk(format, number)`` repeats a failure
(:mod:`tools.fuzz_frames`). A chunk fails if the decoder raises or is slow, if a report has no time
or no place on Earth, or if what is rejected is not counted. Memory is asked at the end: it may not
have grown since the first tenth.
"""

from __future__ import annotations

import argparse
import itertools
import platform
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
from tools import fuzz_frames
from tools.fuzz_frames import CHUNK

from adiz.sources.asterix import Asterix
from adiz.sources.beast import Beast
from adiz.sources.feeds.model import Batch, make_batch
from adiz.sources.jsontext import decode_document
from adiz.sources.reports import SCHEMA
from adiz.sources.site import Site

_KINDS = {b"MSG", b"SEL", b"ID", b"AIR", b"STA", b"CLK"}
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


def _check_batch(batch: Batch, frames: int) -> Counter[str]:
    """Every frame became a report or was counted, and every report is one."""
    table = batch.reports
    assert dict(table.schema) == SCHEMA
    assert not table.select(pl.col("time", "track_id").is_null().any()).row(0).count(True)
    assert table["lat_deg"].is_between(-90, 90).all(), table
    assert table["lon_deg"].is_between(-180, 180, closed="left").all(), table
    told = sum(batch.rejected.values())
    assert table.height + told == frames, (table.height, batch.rejected, frames)
    return Counter(batch.rejected) + Counter(reports=table.height)


def _sorted(
    frames: Iterable[bytes], decode: Callable[[bytes], Any]
) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """Frames of JSON: those of the expected types, other objects, and what is no object."""
    typed, objects, rest = [], [], []
    for frame in frames:
        try:
            decode(frame)
            typed.append(frame)
            continue
        except (ValueError, RecursionError):
            pass
        (objects if isinstance(_document(frame), dict) else rest).append(frame)
    return typed, objects, rest


def _document(data: bytes) -> Any:
    try:
        return decode_document(data)
    except (ValueError, RecursionError):
        return None


def _aircraft() -> Check:
    from adiz.sources.feeds import aircraft

    snapshots, now = aircraft.Snapshots(), itertools.count(1_717_156_800)
    decode = msgspec.json.Decoder(aircraft.Aircraft).decode

    def run(frames: list[bytes]) -> Counter[str]:
        document = b'{"now":%d,"aircraft":[%s]}' % (next(now), b",".join(frames))
        before, frame = snapshots.repeated, snapshots.step(document)
        rejected, snapshots.rejected = snapshots.rejected, Counter()
        if frame is None:
            assert rejected.total() == 1, (document, rejected)
            return rejected
        # Octets may close one object and open another.
        count = len(_document(document)["aircraft"]) if len(frames) == 1 else len(frames)
        repeated = snapshots.repeated - before
        made = make_batch(frame, "x", 0, rejected=rejected)
        return _check_batch(made, count - repeated) + Counter({"other messages": repeated})

    def check(number: int) -> Counter[str]:
        typed, objects, rest = _sorted(fuzz_frames.aircraft_frames(number), decode)
        counts = run(typed) + run(objects)
        for frame in rest:
            counts += run([frame])
        return counts

    return check


def _messages() -> Check:
    from adiz.sources.feeds import messages

    decoder = messages.Messages()
    decode = msgspec.json.Decoder(messages.Report).decode

    def run(frames: list[bytes], count: int) -> Counter[str]:
        frame = decoder.step(frames)
        rejected, decoder.rejected = decoder.rejected, Counter()
        return _check_batch(make_batch(frame, "x", 0, rejected=rejected), count)

    def check(number: int) -> Counter[str]:
        typed, objects, rest = _sorted(fuzz_frames.report_frames(number), decode)
        documents = [_document(frame) for frame in rest]
        counts = run(rest, sum(len(d) if isinstance(d, list) else 1 for d in documents))
        for frames in (typed, objects):  # half of them in an array
            half = len(frames) // 2
            counts += run([b"[%s]" % b",".join(frames[:half]), *frames[half:]], len(frames))
        return counts

    return check


def _arrow() -> Check:
    """All are read; of one in a hundred the reports are made, which takes far longer."""
    from adiz.sources.feeds import arrow, messages

    def check(number: int) -> Counter[str]:
        counts = Counter[str]()
        for at, frame in enumerate(fuzz_frames.stream_frames(number)):
            if frame[:4] != arrow.MARK:
                counts["other messages"] += 1
                continue
            try:
                counts["reports"] += arrow.read_stream(frame, tuple(SCHEMA)).height
            except arrow.RefusedError as error:
                counts[str(error)] += 1
            if at % 100 == 0:
                decoder = messages.Messages()
                made = make_batch(decoder.step([frame]), "x", 0, rejected=decoder.rejected)
                _check_batch(made, made.reports.height + sum(made.rejected.values()))
        return counts

    return check


def _basestation() -> Check:
    from adiz.sources.feeds.basestation import MOST_LINE_OCTETS, BaseStation

    decoder = BaseStation("UTC")

    def run(number: int) -> Counter[str]:
        source = random.Random(number)
        data = b"".join(fuzz_frames.line_frames(number)) + b"\n"
        lines = [line for line in data.split(b"\n") if line.strip()]
        others = 0
        for line in lines:
            kind, *rest = (field.removesuffix(b"\r") for field in line.split(b",", 2))
            if len(line) <= MOST_LINE_OCTETS and kind in _KINDS:
                others += kind != b"MSG" or not rest or rest[0] not in (b"2", b"3")
        pieces, at = [], 0
        while at < len(data):
            size = source.choice((1, 7, 100, 5_000))
            pieces.append((data[at : at + size], 0))
            at += size
        frame = decoder.step(pieces)
        rejected, decoder.rejected = decoder.rejected, Counter()
        counts = _check_batch(make_batch(frame, "x", 0, rejected=rejected), len(lines) - others)
        return counts + Counter({"other messages": others})

    return run


FORMATS: dict[str, Callable[[], Check]] = {
    "beast": _beast,
    "asterix_021": _asterix(21),
    "asterix_048": _asterix(48),
    "asterix_062": _asterix(62),
    "aircraft.json": _aircraft,
    "basestation": _basestation,
    "messages": _messages,
    "messages_arrow": _arrow,
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


def run_format(name: str, frames: int, first: int, stop: threading.Event) -> str:
    """Run so many frames of a format, or until asked to stop; one line of a table about it."""
    check, counts = FORMATS[name](), Counter[str]()
    chunks, done = -(-frames // CHUNK), 0
    memory_mb, slowest_s, begin_s = 0.0, 0.0, time.process_time()
    while done < chunks and not stop.is_set():
        # Time of the processor: a busy machine, or one that sleeps, is no hang.
        started_s = time.process_time()
        counts += run_chunk(name, first + done, check)
        slowest_s = max(slowest_s, time.process_time() - started_s)
        assert slowest_s < _SLOWEST_S, (name, first + done)
        if done == chunks // 10:
            memory_mb = _memory_mb()
        done += 1
    seconds, grown_mb = time.process_time() - begin_s, _memory_mb() - memory_mb
    assert grown_mb < _GROWTH_MB or stop.is_set(), (name, memory_mb, grown_mb)
    got = counts.pop("reports", 0)
    kept = counts.pop("other messages", 0)
    reasons = "; ".join(f"{reason} {count:,}" for reason, count in counts.most_common())
    return (
        f"| {name} | {done * CHUNK:,} | {seconds:,.0f} s | {slowest_s:.1f} s | "
        f"{memory_mb:.0f} MB, {grown_mb:+.0f} MB | {got:,} | {kept:,} | {counts.total():,} | "
        f"{reasons} |"
    )


def main() -> None:
    """Run so many frames of each format; a table of what came of them. SIGTERM ends it early."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("formats", nargs="*", help=", ".join(FORMATS))
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first chunk")
    args = parser.parse_args()
    print(f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}\n", flush=True)
    print(
        "| format | frames | processor | slowest chunk | memory, growth | reports | "
        "other messages | rejected | by reason |\n|---|---|---|---|---|---|---|---|---|",
        flush=True,
    )
    for name in args.formats or FORMATS:
        print(run_format(name, args.frames, args.first, stop), flush=True)


if __name__ == "__main__":
    main()
