"""Reports in a message that is an Arrow IPC stream.

It is read by pyarrow and validated in full, since the reader of polars ends the whole process on
some damaged octets. What could make much of little is refused: compression, dictionaries, very many
rows, and types that no column of a report has. The metadata of a message are a flatbuffer (Apache
Arrow, format/Message.fbs); of a record batch its length and whether it is compressed are looked at.
"""

from __future__ import annotations

import importlib.util
import struct
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    import pyarrow as pa

MARK = b"\xff\xff\xff\xff"
"""A message in JSON cannot begin so."""
MOST_ROWS = 200_000
MOST_TEXT_OCTETS = 16_000_000
NO_ARROW = "a message that is no Arrow stream"
NOT_TAKEN = "an Arrow stream that is compressed, has dictionaries or is too long"
NOT_INSTALLED = "an Arrow stream, and pyarrow is not installed"
_EARLIEST_US, _LATEST_US = 10**14, 4_102_444_800_000_000
_COMPRESSION = 3


class RefusedError(ValueError):
    """A message that is not taken; its text is the reason for the rejection."""


def read_stream(message: bytes, names: tuple[str, ...]) -> pl.DataFrame:
    """The columns of these names, as far as their types can be those of a report; any order.

    Raises:
        RefusedError: it is no Arrow stream, or one that is not taken.
    """
    if importlib.util.find_spec("pyarrow") is None:
        raise RefusedError(NOT_INSTALLED)
    import pyarrow as pa

    try:
        _look_over(message)
        with pa.ipc.open_stream(message) as reader:
            table = reader.read_all()
        table.validate(full=True)
        frame = _frame(table, names)
    except RefusedError:
        raise
    except (pa.ArrowException, OSError, ValueError, MemoryError, struct.error, IndexError, KeyError,
            TypeError, pl.exceptions.PolarsError) as error:  # fmt: skip
        raise RefusedError(NO_ARROW) from error
    return frame


def _look_over(message: bytes) -> None:
    """Refuse what could need much more memory than the message has."""
    import pyarrow as pa

    rows = 0
    reader = pa.ipc.MessageReader.open_stream(message)
    for part in reader:
        if part.type not in ("schema", "record batch"):
            raise RefusedError(NOT_TAKEN)
        if part.type == "record batch":
            metadata = part.metadata.to_pybytes()
            batch = _offset(metadata, struct.unpack_from("<I", metadata)[0], 2)
            if batch is None or _offset(metadata, batch, _COMPRESSION) is not None:
                raise RefusedError(NOT_TAKEN)
            at = _field(metadata, batch, 0)
            count = struct.unpack_from("<q", metadata, at)[0] if at else 0
            rows += count
            if count < 0 or rows > MOST_ROWS:
                raise RefusedError(NOT_TAKEN)


def _field(data: bytes, table: int, slot: int) -> int | None:
    """Where a field of a flatbuffer's table is."""
    if table < 0 or table > len(data):
        raise IndexError
    entries = table - struct.unpack_from("<i", data, table)[0]
    if entries < 0:
        raise IndexError
    size = struct.unpack_from("<H", data, entries)[0]
    place = 4 + 2 * slot
    offset = struct.unpack_from("<H", data, entries + place)[0] if place < size else 0
    return table + offset if offset else None


def _offset(data: bytes, table: int, slot: int) -> int | None:
    """Where the table is that a field refers to."""
    at = _field(data, table, slot)
    return None if at is None else at + int(struct.unpack_from("<I", data, at)[0])


def _frame(table: pa.Table, names: tuple[str, ...]) -> pl.DataFrame:
    import pyarrow as pa

    chosen = []
    for name in names:
        if table.schema.names.count(name) != 1:
            continue
        kind = table.schema.field(name).type
        text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
        number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
        when = name == "time" and pa.types.is_timestamp(kind)
        if pa.types.is_string_view(kind):
            text = True
            _look_over_views(table[name])
        if text or number or when or pa.types.is_boolean(kind):
            chosen.append(name)
    frame = pl.DataFrame(pl.from_arrow(table.select(chosen)))
    if "time" in chosen and isinstance(frame.schema["time"], pl.Datetime):
        moment = pl.col("time").dt.cast_time_unit("us")
        plausible = moment.to_physical().is_between(_EARLIEST_US, _LATEST_US)
        frame = frame.with_columns(pl.when(plausible).then(moment).alias("time"))
    return frame


def _look_over_views(column: pa.ChunkedArray) -> None:
    """Refuse views of text that refer to the same octets again and again."""
    import numpy as np

    total = 0
    for chunk in column.chunks:
        views = np.frombuffer(chunk.buffers()[1] or b"", "<i4").reshape(-1, 4)
        total += int(views[chunk.offset : chunk.offset + len(chunk), 0].sum(dtype=np.int64))
    if total > MOST_TEXT_OCTETS:
        raise RefusedError(NOT_TAKEN)
