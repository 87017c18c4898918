"""Feeds of hostile octets: no crash, no hang, nothing unbounded, every rejection counted.

``tools/fuzz_feeds.py`` is the long form.
"""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.feed_samples import block, pcap, pcapng, plot, udp
from tools.fuzz_feeds import FORMATS, run_chunk
from tools.fuzz_frames import mutate

from adiz.sources.asterix import Asterix
from adiz.sources.beast import Beast
from adiz.sources.pcap import packets


@settings(max_examples=8)
@given(st.sampled_from(sorted(FORMATS)), st.integers(0, 2**32))
def test_mutated_frames_are_read_or_counted(name: str, number: int) -> None:
    run_chunk(name, number)


@given(st.binary(max_size=300))
def test_any_octets_are_read_or_counted(data: bytes) -> None:
    for category in (0, 21, 34, 48, 62, 65):
        decoder = Asterix(start_us=0)
        rows = decoder.step(block(category, data))
        assert sum("fault" in row for row in rows) == decoder.rejected.total()
    stream = Beast(start_us=0)
    rows = stream.step(data) + stream.flush()
    assert sum("fault" in row for row in rows) == stream.rejected.total()


@given(st.integers(0, 2**32))
def test_mutated_captures_end(seed: int) -> None:
    frames = [(1.0, udp(block(48, plot(1.0, number=1)))) for _ in range(4)]
    for make in (pcap, pcapng):
        data = make(frames)
        mutated = data[:4] + mutate(data[4:], random.Random(seed))
        assert len(list(packets(mutated))) <= len(mutated)
