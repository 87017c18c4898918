"""Finding input files and getting at their bytes, packed or not, damaged or not."""

from __future__ import annotations

import glob
import os
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from adiz.errors import Fault, ReportsError

SUFFIXES = (".parquet", ".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".geojson", ".gpx",
            ".kml", ".sbs", ".bst", ".log")  # fmt: skip
HEAD_BYTES = 1 << 16
_STEP_BYTES = 1 << 14
PathLike = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Input:
    """One file to read.

    Attributes:
        name: as the user gave it; goes into ``source`` and messages.
        path: where it is.
        sought: found in a directory or by a pattern, not named.
    """

    name: str
    path: Path
    sought: bool = False

    def head(self) -> bytes:
        """The first bytes of the content, unpacked."""
        raw = self._bytes(HEAD_BYTES)
        return _unpack(raw, self.name, HEAD_BYTES)[0] if raw[:2] == b"\x1f\x8b" else raw

    def content(self) -> tuple[bytes, str | None]:
        """All of the content, unpacked, and what is wrong with the packing, if anything is."""
        raw = self._bytes()
        return _unpack(raw, self.name) if raw[:2] == b"\x1f\x8b" else (raw, None)

    def _bytes(self, count: int = -1) -> bytes:
        try:
            with open(self.path, "rb") as file:
                return file.read(count)
        except OSError as error:
            raise _unreadable(self.name, error) from None


def find_inputs(paths: PathLike | Iterable[PathLike]) -> list[Input]:
    """The files that paths, directories (searched for known suffixes) and patterns stand for.

    Raises:
        ReportsError: nothing is there.
    """
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    found: dict[str, Input] = {}
    for path in given:
        for item in _expand(os.fspath(path)):
            found.setdefault(os.path.realpath(item.path), item)
    if not found:
        raise ReportsError(Fault("no file to read was given", remedy="name files or directories"))
    return list(found.values())


def _expand(path: str) -> list[Input]:
    if os.path.isdir(path):
        inside = [
            Input(Path(folder, file).as_posix(), Path(folder, file), sought=True)
            for folder, _, files in os.walk(path)
            for file in files
            if file.lower().removesuffix(".gz").endswith(SUFFIXES) and not file.startswith(".")
        ]
        if not inside:
            wanted = " ".join(SUFFIXES)
            raise ReportsError(
                Fault(
                    "no file of a known kind is in this directory", path, remedy=f"known: {wanted}"
                )
            )
        return sorted(inside, key=lambda i: i.name)
    if os.path.exists(path):
        return [Input(path, Path(path))]
    matches = sorted(glob.glob(path, recursive=True)) if glob.has_magic(path) else []
    if not matches:
        raise ReportsError(Fault("no such file", path, remedy="check the path"))
    return [Input(m, Path(m), sought=True) for m in matches if not os.path.isdir(m)]


def as_utf8(data: bytes) -> bytes:
    """Text in UTF-8 without a byte order mark, from UTF-8 or from UTF-16 with one."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace").encode()
    return data.removeprefix(b"\xef\xbb\xbf")


def _unpack(raw: bytes, name: str, most: int | None = None) -> tuple[bytes, str | None]:
    """What a gzip file holds, as far as it can be had; several members are one content."""
    parts: list[bytes] = []
    got, rest = 0, raw
    while rest[:2] == b"\x1f\x8b" and (most is None or got < most):
        unpacker = zlib.decompressobj(wbits=31)
        try:
            for at in range(0, len(rest), _STEP_BYTES):
                if most is None:
                    parts.append(unpacker.decompress(rest[at : at + _STEP_BYTES]))
                else:
                    parts.append(unpacker.decompress(rest[at : at + _STEP_BYTES], most - got))
                got += len(parts[-1])
                if unpacker.eof or (most is not None and got >= most):
                    break
        except zlib.error as error:
            return b"".join(parts), f"the gzip data is damaged ({error})"
        if most is None and not unpacker.eof:
            return b"".join(parts), "the gzip file is cut off"
        rest = unpacker.unused_data + rest[at + _STEP_BYTES :] if unpacker.eof else b""
    return b"".join(parts), None


def _unreadable(name: str, error: OSError) -> ReportsError:
    return ReportsError(Fault(f"cannot be read: {error.strerror or error}", name))
