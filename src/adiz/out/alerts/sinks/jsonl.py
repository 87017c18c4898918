"""JSON lines in a file: one alert a line, on the disk before it counts as delivered.

A line cut short by a crash is taken away when the file is opened again (its alert is written anew,
whole), and what the last lines hold already is not written twice. A full disk leaves no part of a
line behind.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from adiz.options import Option
from adiz.out.alerts.message import Message
from adiz.out.alerts.model import FailedError, Retry, SinkBase
from adiz.out.alerts.setting import Setting

OPTIONS = (
    Option("path", "text", "the file; made where it is not there"),
    Option("max_bytes", "whole", "a file is put aside before it is larger", 100_000_000, 1000),
    Option("keep", "whole", "files put aside (.1 is the newest); the oldest goes", 10, 1, 1000),
    Option("fsync", "truth", "wait until the disk has each line", default=True),
)
_TAIL = 262_144  # bytes of the end that are looked at when a file is opened


def make(setting: Setting) -> JsonLinesSink:
    """The sink that a table describes."""
    path = setting.path("path")
    assert path is not None
    return JsonLinesSink(
        setting.name,
        path,
        max_bytes=setting["max_bytes"],
        keep=setting["keep"],
        fsync=setting["fsync"],
        retry=setting.retry,
    )


class JsonLinesSink(SinkBase):
    """Appends to a file, which may be moved away by others while it is open."""

    kind = "jsonl"

    def __init__(
        self,
        name: str,
        path: Path,
        *,
        max_bytes: int = 100_000_000,
        keep: int = 10,
        fsync: bool = True,
        retry: Retry | None = None,
    ) -> None:
        super().__init__(name, retry)
        self._path = path
        self._max_bytes = max_bytes
        self._keep = keep
        self._fsync = fsync
        self._file: int | None = None
        self._size = 0
        self._there: set[str] = set()

    def deliver(self, message: Message) -> None:
        """Append the line.

        Raises:
            FailedError: the file cannot be written: the disk is full, or it is not allowed.
        """
        line = message.json().encode() + b"\n"
        try:
            self._open()
            if message.key in self._there:
                self._there.discard(message.key)
                return
            if self._size and self._size + len(line) > self._max_bytes:
                self._rotate()
            self._append(line)
        except OSError as error:
            self.close()
            raise FailedError(f"{self._path}: {error.strerror or error}", down=True) from None

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            file, self._file = self._file, None
            os.close(file)

    def _open(self) -> None:
        if self._file is not None:
            here, there = os.fstat(self._file), None
            if self._path.exists():
                there = self._path.stat()
            if there and (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino):
                self._size = here.st_size
                return
            self.close()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        self._mend(self._file)

    def _mend(self, file: int) -> None:
        """Cut off what a crash left of a last line; remember what the last lines hold."""
        self._size = os.fstat(file).st_size
        start = max(0, self._size - _TAIL)
        tail = os.pread(file, _TAIL, start)
        *lines, last = tail.split(b"\n")
        if last and _key(last) is None and (lines or start == 0):
            self._size -= len(last)
            os.ftruncate(file, self._size)
        elif last:  # whole, only its end is missing
            lines.append(last)
            self._size += os.write(file, b"\n")
        self._there = {key for line in lines if (key := _key(line))}

    def _append(self, line: bytes) -> None:
        assert self._file is not None
        try:
            written = os.write(self._file, line)
            if written < len(line):
                raise OSError(28, os.strerror(28))
            if self._fsync:
                os.fsync(self._file)
        except OSError:
            os.ftruncate(self._file, self._size)
            raise
        self._size += len(line)

    def _rotate(self) -> None:
        self.close()
        for number in range(self._keep - 1, 0, -1):
            older = self._aside(number)
            if older.exists():
                older.replace(self._aside(number + 1))
        self._path.replace(self._aside(1))
        self._open()

    def _aside(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


def _key(line: bytes) -> str | None:
    """The key of a whole line; None where it is none of ours, or cut short."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    key = found.get("key") if isinstance(found, dict) else None
    return key if isinstance(key, str) else None
