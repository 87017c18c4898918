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
            ".kml", ".sbs", ".bst", ".log", ".pcap", ".pcapng", ".ast", ".beast")  # fmt: skip
HEAD_BYTES = 1 << 16
_STEP_BYTES = 1 << 14
GZIP = b"\x1f\x8b"
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
        return unpack(raw, HEAD_BYTES)[0] if raw[:2] == GZIP else raw

    def content(self) -> tuple[bytes, str | None]:
        """All of the content, unpacked, and what is wrong with the packing, if anything is."""
        raw = self._bytes()
        return unpack(raw) if raw[:2] == GZIP else (raw, None)

    def _bytes(self, count: int = -1) -> bytes:
        try:
            with open(self.path, "rb") as file:
                return file.read(count)
        except OSError as error:
            reason = error.strerror or str(error)
            raise ReportsError(Fault(f"cannot be read: {reason}", self.name)) from None


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


def unpack(raw: bytes, most: int = 0) -> tuple[bytes, str | None]:
    """What a gzip file holds, as far as it can be had; several members are one content.

    ``most``: stop after so many bytes; 0: never.
    """
    parts: list[bytes] = []
    got = at = 0
    while raw[at : at + 2] == GZIP and (not most or got < most):
        unpacker = zlib.decompressobj(wbits=31)
        try:
            while at < len(raw) and not unpacker.eof and (not most or got < most):
                step = raw[at : at + _STEP_BYTES]
                parts.append(unpacker.decompress(step, most and most - got))
                got += len(parts[-1])
                at += len(step)
        except zlib.error as error:
            return b"".join(parts), f"the gzip data is damaged ({error})"
        if not unpacker.eof:
            return b"".join(parts), None if most else "the gzip file is cut off"
        at -= len(unpacker.unused_data)
    return b"".join(parts), None
