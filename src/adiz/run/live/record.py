"""One step of the watch's input, and its bytes in the journal.

A record on disk is a head of 40 octets, little-endian, then text, then reports::

    magic   4   b"AJ1\\n"
    crc32   4   of everything after this field
    length  4   octets after the head
    text    4   of those, octets of text
    seq     8   1, 2, 3, … never used twice
    received_us 8
    synced  8   so much of this file was on the medium when the record was written

The text is JSON: ``[kind, feed, position, data]``. The reports are an Arrow IPC stream as polars
writes it: 64 rows and more with zstd inside, fewer deflated whole, for there the schema weighs
more than the rows. A record without reports has about 60 octets.
"""

from __future__ import annotations

import io
import json
import struct
import zlib
from typing import Any, NamedTuple

import polars as pl

from adiz.schema import REPORTS, polars_schema

MAGIC = b"AJ1\n"
HEAD = struct.Struct("<4sIIIQqQ")
_UNCHECKED = 8  # magic and crc32
_FEW_ROWS = 64
_DEFLATED = b"\x78"
_SCHEMA = polars_schema(REPORTS)

KINDS = ("reports", "tick", "feed_up", "feed_down", "zones", "inputs", "end")


class Record(NamedTuple):
    """One step of the input.

    Attributes:
        seq: its number in the journal.
        kind: one of :data:`KINDS`.
        feed: of which feed; "" for those of none.
        received_us: when it was received, microseconds since 1970 UTC.
        reports: exactly the columns of the reports table; for ``reports`` records.
        position: where the feed can resume after it; opaque text.
        data: anything else; JSON values only.
    """

    seq: int
    kind: str
    feed: str
    received_us: int
    reports: pl.DataFrame | None = None
    position: str | None = None
    data: dict[str, Any] = {}  # noqa: RUF012  never changed


def encode(record: Record, synced: int) -> bytes:
    """The octets of a record.

    Raises:
        ValueError: the reports do not have the columns and types of the reports table, or the
            data are no JSON.
    """
    text = json.dumps(
        [record.kind, record.feed, record.position, record.data],
        separators=(",", ":"),
        allow_nan=False,
    ).encode("ascii")
    body = text + _pack(record.reports)
    rest = HEAD.pack(MAGIC, 0, len(body), len(text), record.seq, record.received_us, synced)
    crc = zlib.crc32(body, zlib.crc32(rest[_UNCHECKED:]))
    return MAGIC + struct.pack("<I", crc) + rest[_UNCHECKED:] + body


class Sound(NamedTuple):
    """Where a sound record lies in a segment."""

    start: int
    end: int
    text_end: int
    seq: int
    received_us: int
    synced: int


def find(data: bytes | memoryview, start: int) -> Sound | None:
    """The record that begins at ``start``, if a sound one does; its reports are not decoded."""
    if len(data) - start < HEAD.size:
        return None
    magic, crc, length, text, seq, received_us, synced = HEAD.unpack_from(data, start)
    body = start + HEAD.size
    if magic != MAGIC or text > length or length > len(data) - body:
        return None
    if zlib.crc32(data[start + _UNCHECKED : body + length]) != crc:
        return None
    return Sound(start, body + length, body + text, seq, received_us, synced)


def decode(data: bytes | memoryview, sound: Sound) -> Record:
    """The record that :func:`find` found."""
    text = bytes(data[sound.start + HEAD.size : sound.text_end])
    kind, feed, position, values = json.loads(text)
    packed = bytes(data[sound.text_end : sound.end])
    return Record(sound.seq, kind, feed, sound.received_us, _unpack(packed), position, values)


def _pack(reports: pl.DataFrame | None) -> bytes:
    if reports is None:
        return b""
    if reports.schema != _SCHEMA:
        raise ValueError("a record's reports must have exactly the columns of the reports table")
    stream = io.BytesIO()
    few = len(reports) < _FEW_ROWS
    reports.write_ipc_stream(stream, compression="uncompressed" if few else "zstd")
    return zlib.compress(stream.getvalue(), 1) if few else stream.getvalue()


def _unpack(packed: bytes) -> pl.DataFrame | None:
    if not packed:
        return None
    if packed[:1] == _DEFLATED:
        packed = zlib.decompress(packed)
    return pl.read_ipc_stream(io.BytesIO(packed))
