"""The engine's state in files, written while the watch goes on.

A state of many tracks has some hundred megabytes. A forked process, which sees the memory as it was
at that moment, writes it; the watch goes on at once, on pages of its own
(:mod:`adiz.run.live.pages`), so its memory is there twice until the file is written. The store's
checkpoint names the file and is committed when the file is on the medium: that commit is what
counts. A file holds the SHA-256 of what follows. Files that no checkpoint names are removed.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
import warnings
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

from adiz.run.live.pages import make_own

_PREFIX = "state-"
_NICE = 19


class States:
    """The folder of states.

    Args:
        folder: made if it is not there.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = Path(folder)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._child: tuple[int, str] | None = None
        self._owning: threading.Thread | None = None

    @property
    def is_writing(self) -> bool:
        """Whether a file is being written."""
        return self._child is not None

    def write(self, number: int, state: Callable[[], bytes]) -> str:
        """Write the state of a checkpoint now; the name of its file.

        Raises:
            OSError: the disk is full or fails; nothing stays.
        """
        name = self._name(number)
        _write(self._folder / name, state())
        return name

    def start(self, number: int, state: Callable[[], bytes]) -> None:
        """Begin to write the state as it is now in a forked process; see :meth:`finish`.

        Args:
            state: called in that process, where threads, polars and locks must not be used.

        Raises:
            OSError: there is no room for another process.
        """
        name = self._name(number)
        with warnings.catch_warnings():  # what may hang in a child with threads is not used there
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            status = 1
            try:
                os.nice(_NICE)
                _write(self._folder / name, state())
                status = 0
            finally:
                os._exit(status)
        self._child = (pid, name)
        if self._owning is None or not self._owning.is_alive():
            self._owning = threading.Thread(target=make_own, name="pages", daemon=True)
            self._owning.start()

    def finish(self) -> str | None:
        """The name of the file once it is on the medium; None: not yet.

        Raises:
            OSError: it could not be written.
        """
        assert self._child is not None
        pid, name = self._child
        done, status = os.waitpid(pid, os.WNOHANG)
        if not done:
            return None
        self._child = None
        if status:
            raise OSError(f"the state could not be written to {self._folder / name}")
        return name

    def wait(self) -> str | None:
        """As :meth:`finish`, waiting for it; None if nothing is being written.

        Raises:
            OSError: it could not be written.
        """
        while self._child is not None:
            if name := self.finish():
                return name
            time.sleep(0.01)
        return None

    def read(self, name: str) -> bytes | None:
        """What a file holds; None if it is not there or damaged."""
        with suppress(OSError):
            data = (self._folder / name).read_bytes()
            if hashlib.sha256(memoryview(data)[32:]).digest() == data[:32]:
                return data[32:]
        return None

    def size_bytes(self, name: str) -> int:
        """The size of a file; 0 if it is not there."""
        with suppress(OSError):
            return (self._folder / name).stat().st_size
        return 0

    def keep(self, names: Collection[str]) -> None:
        """Remove all but these, and what is being written."""
        kept = {*names, *([self._child[1], f"{self._child[1]}.part"] if self._child else [])}
        for path in self._folder.glob(f"{_PREFIX}*"):
            if path.name not in kept:
                with suppress(OSError):
                    path.unlink()

    def _name(self, number: int) -> str:
        # Never the name of a file that a killed watch's process may still be writing.
        return f"{_PREFIX}{number:010d}-{os.getpid()}-{time.monotonic_ns()}"


def _write(path: Path, state: bytes) -> None:
    draft = path.with_name(f"{path.name}.part")
    try:
        with open(draft, "wb") as file:
            file.write(hashlib.sha256(state).digest())
            file.write(state)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
    handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
