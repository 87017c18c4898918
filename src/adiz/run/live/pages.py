"""Pages of memory that a fork has made common, made the process's own again.

After a fork the first write to each page copies it. A second's reports of 20,000 aircraft write to
40,000 pages, most of them free memory used again, and would wait 0.1 s for the copies. Here they
are made beforehand, by a thread, while the next batch is not there yet (Linux 5.14 and later;
elsewhere nothing is done). Pages that hold nothing are left alone.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress

_POPULATE_WRITE = 23  # of madvise(2)
_NICE = 10
_MOST_BYTES = 4 << 20  # at a time: the process can map no memory meanwhile
_RESIDENT = re.compile(rb"[\x01\x03\x05\x07\x09\x0b\x0d\x0f]+")  # mincore(2): the lowest bit counts


def make_own() -> int:
    """Copy what is common; how many octets were looked after. 0 where the system cannot.

    To be called in a thread of its own, which is of low priority from then on.
    """
    if sys.platform != "linux":
        return 0
    with suppress(OSError):  # of this thread alone: a batch that has come goes first
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
    libc = ctypes.CDLL(None)
    try:
        madvise, mincore = libc.madvise, libc.mincore
    except AttributeError:
        return 0
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    mincore.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p]
    done = 0
    for begin, end in _private():
        resident = ctypes.create_string_buffer((end - begin) // mmap.PAGESIZE)
        if mincore(begin, end - begin, resident):
            continue  # gone meanwhile
        for run in _RESIDENT.finditer(resident.raw):
            first, past = (begin + at * mmap.PAGESIZE for at in run.span())
            for at in range(first, past, _MOST_BYTES):
                size = min(_MOST_BYTES, past - at)
                if not madvise(at, size, _POPULATE_WRITE):
                    done += size
    return done


def _private() -> Iterator[tuple[int, int]]:
    """Memory of this process that is of no file and can be written to: begin and end."""
    with suppress(OSError), open("/proc/self/maps") as maps:
        for line in maps:
            fields = line.split()
            if fields[1] == "rw-p" and (
                len(fields) == 5 or fields[5].startswith(("[heap]", "[anon:"))
            ):
                begin, end = (int(address, 16) for address in fields[0].split("-"))
                yield begin, end
