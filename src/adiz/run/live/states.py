"""The engine's state in files, written while the watch goes on.

A state of many tracks has some hundred megabytes, nearly all of it reports that the state before
held as well. So a state is a file of its own and *parts*, one for each of the last states: the
reports that were new then. Only its own part is written with it, and that twice, in two files: a
part is needed by several states, and one that is damaged is not to take both of the kept ones
away. Why it is done so: ``docs/decisions/states-in-parts.md``.

A forked process, which sees the memory as it was at that moment, writes the files; the watch goes
on at once. When that process has ended, a thread makes the memory the watch's own again
(:mod:`adiz.run.live.pages`), forces the files to the medium and gives them their names. The
store's checkpoint names the files and is committed after that: that commit is what counts. Each
file begins with the SHA-256 of what follows. Files that no checkpoint names are removed.
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

_PREFIX, _COPY, _DRAFT = "state-", ".copy", ".part"
_NICE = 19
_DIGEST_BYTES = 32
Save = Callable[[], tuple[bytes, bytes]]


class States:
    """The folder of states.

    Where it says *names*, these are the files of a state, one a line: its own, then the parts it
    needs, the oldest first.

    Args:
        folder: made if it is not there.

    Attributes:
        parts: the parts of the last state, of which the next one may need some.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = Path(folder)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._names: list[str] = []  # of the state that is being written
        self._writing: threading.Thread | None = None
        self._error: OSError | None = None
        self._found: tuple[bytes, list[bytes]] | None = None
        self.parts: list[str] = []

    @property
    def is_writing(self) -> bool:
        """Whether a state is being written."""
        return self._writing is not None

    def write(self, number: int, save: Save, needed: int, *, wait: bool = False) -> str | None:
        """Write the state of a checkpoint as it is now.

        Args:
            save: gives the state and its part.
            needed: so many of the last parts before it belong to it.
            wait: until it is on the medium; the names are returned. Else a forked process calls
                ``save``, where threads, polars and locks must not be used, and :meth:`finish`
                returns them in the end.

        Raises:
            OSError: the disk is full or fails, or there is no room for another process; nothing
                stays.
        """
        names = self._new_names(number, needed)
        if wait:
            try:
                _draft(self._folder, names, *save())
                _settle(self._folder, names)
            except BaseException:
                _remove(self._folder, names)
                raise
            self.parts = names[1:]
            return "\n".join(names)
        with warnings.catch_warnings():  # what may hang in a child with threads is not used there
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            status = 1
            try:
                os.nice(_NICE)
                _draft(self._folder, names, *save())
                status = 0
            finally:
                os._exit(status)
        self._names, self.parts = names, names[1:]
        self._error = OSError(f"the state could not be written to {self._folder / names[0]}")
        self._writing = threading.Thread(
            target=self._await, args=(pid, names), name="state", daemon=True
        )
        self._writing.start()
        return None

    def finish(self) -> str | None:
        """The names of the state once it is on the medium; None: not yet.

        Raises:
            OSError: it could not be written; no part is to be relied on any more.
        """
        assert self._writing is not None
        if self._writing.is_alive():
            return None
        self._writing = None
        if self._error is not None:
            self.parts = []
            raise self._error
        return "\n".join(self._names)

    def wait(self) -> str | None:
        """As :meth:`finish`, waiting for it; None if nothing is being written.

        Raises:
            OSError: it could not be written.
        """
        if self._writing is None:
            return None
        self._writing.join()
        return self.finish()

    def find(self, names: str) -> bool:
        """Read a state and its parts, for :meth:`take`; False: one is not there or damaged."""
        own, *parts = names.split("\n")
        self._found = None
        if (state := self._read(own)) is None:
            return False
        octets = []
        for name in parts:
            part = self._read(name)
            if part is None and (part := self._read(name + _COPY)) is None:
                return False
            octets.append(part)
        self._found, self.parts = (state, octets), parts
        return True

    def take(self) -> tuple[bytes, list[bytes]]:
        """What :meth:`find` found; it is kept here no longer."""
        assert self._found is not None
        found, self._found = self._found, None
        return found

    def size_bytes(self, names: str) -> int:
        """The size of a state with its parts; 0 if it is not there."""
        with suppress(OSError):
            return sum((self._folder / name).stat().st_size for name in names.split("\n"))
        return 0

    def keep(self, states: Collection[str]) -> None:
        """Remove all but the files of these, and what is being written."""
        named = [name for names in states for name in names.split("\n")]
        kept = {file for name in named for file in (name, name + _COPY)}
        if self._writing is not None:
            written = _files(self._names)
            kept.update(self._names, written, (file + _DRAFT for file in written))
        for path in self._folder.glob(f"{_PREFIX}*"):
            if path.name not in kept:
                with suppress(OSError):
                    path.unlink()

    def _new_names(self, number: int, needed: int) -> list[str]:
        # Never the name of a file that a killed watch's process may still be writing.
        name = f"{_PREFIX}{number:010d}-{os.getpid()}-{time.monotonic_ns()}"
        return [name, *self.parts[len(self.parts) - needed :], f"{name}-reports"]

    def _read(self, name: str) -> bytes | None:
        with suppress(OSError), open(self._folder / name, "rb") as file:
            digest, octets = file.read(_DIGEST_BYTES), file.read()
            if hashlib.sha256(octets).digest() == digest:
                return octets
        return None

    def _await(self, pid: int, names: list[str]) -> None:
        """In a thread: what there is to do once the process has written."""
        try:
            _, status = os.waitpid(pid, 0)
            make_own()
            if not status:
                _settle(self._folder, names)
                self._error = None
        except OSError as error:
            self._error = error
        finally:
            if self._error is not None:
                _remove(self._folder, names)


def _files(names: list[str]) -> list[str]:
    """Those that are written with a state: its own, its own part, the copy of that."""
    return [names[0], names[-1], names[-1] + _COPY]


def _draft(folder: Path, names: list[str], state: bytes, part: bytes) -> None:
    own, first, copy = (folder / (name + _DRAFT) for name in _files(names))
    for octets, paths in ((state, [own]), (part, [first, copy])):
        digest = hashlib.sha256(octets).digest()
        for path in paths:
            with open(path, "wb", buffering=0) as file:
                for piece in (digest, octets):
                    rest = memoryview(piece)
                    while rest:  # once, save where the disk fills up within it
                        rest = rest[file.write(rest) :]


def _settle(folder: Path, names: list[str]) -> None:
    """Force what was drafted to the medium and give it its names."""
    for name in _files(names):
        draft = folder / (name + _DRAFT)
        _force(draft, os.O_RDWR)
        os.replace(draft, folder / name)
    _force(folder, os.O_RDONLY | os.O_DIRECTORY)


def _force(path: Path, flags: int) -> None:
    handle = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(folder: Path, names: list[str]) -> None:
    for name in _files(names):
        for path in (folder / name, folder / (name + _DRAFT)):
            with suppress(OSError):
                path.unlink()
