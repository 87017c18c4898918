"""One watch at a time: a lock on a file, let go by the system when its process ends."""

from __future__ import annotations

import fcntl
import os
import weakref
from functools import partial
from pathlib import Path

from adiz.errors import AdizError


class LockedError(AdizError):
    """Another process works there."""


class FileLock:
    """Holds a file from construction to :meth:`release`, or to the end of the process.

    The lock is the system's (``flock``): whatever ends the process frees it, even while another
    that was forked from it lives on. The file stays.

    Raises:
        LockedError: another process holds it; its number is told.
        OSError: the file cannot be made.
    """

    def __init__(self, path: Path, what: str) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(self._file, 32).decode("ascii", "replace").strip()
            os.close(self._file)
            who = f"process {holder}" if holder else "another process"
            raise LockedError(
                f"{what} is in use by {who}; stop that watch, or give this one another folder"
            ) from None
        os.register_at_fork(after_in_child=partial(_let_go, weakref.ref(self)))
        try:  # only for the message above: a full disk is no reason to refuse
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)
        except OSError:
            pass

    def release(self) -> None:
        """Let go; more than once does no harm."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _let_go(held: weakref.ref[FileLock]) -> None:
    """In a forked process, which would share the lock and may outlive the one that took it."""
    lock = held()
    if lock is not None:
        lock.release()
