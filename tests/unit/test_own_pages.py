"""Memory after a fork: copied beforehand, so that writing to it does not wait."""

from __future__ import annotations

import mmap
import os
import resource
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from adiz.run.live import pages

PAGES = 8192


def make_own() -> int:
    """In a thread of its own: it lowers its priority."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(pages.make_own).result()


@contextmanager
def a_fork() -> Iterator[None]:
    pid = os.fork()
    if pid == 0:
        signal.pause()
        os._exit(0)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def write(memory: mmap.mmap) -> int:
    """How many page faults it takes to write to all of it."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for at in range(0, PAGES * mmap.PAGESIZE, mmap.PAGESIZE):
        memory[at] = 1
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_writing_after_a_fork_copies_nothing_any_more() -> None:
    if not make_own():
        pytest.skip("this system cannot copy pages beforehand (Linux before 5.14)")
    memory = mmap.mmap(-1, PAGES * mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_NOHUGEPAGE"):
        memory.madvise(mmap.MADV_NOHUGEPAGE)
    assert make_own() < 1e9
    assert write(memory) >= PAGES  # pages that held nothing were not touched
    with a_fork():
        assert write(memory) >= PAGES
    with a_fork():
        make_own()
        assert write(memory) < PAGES / 10
