"""The journal: what feeds that cannot be asked again have said, kept before it is used.

::

    journal = Journal(folder, least_seq=checkpoint.seq + 1)   # one process at a time
    for record in journal.read(checkpoint.seq): step(record)  # what came after the checkpoint
    record = journal.append("reports", "beast", received_us, reports)
    journal.sync(); store.commit(…, checkpoint); journal.drop(older_checkpoint.seq)

The folder holds segments named after their first record's number, ``00000000000000000001.journal``,
in the form :mod:`adiz.run.live.record` tells. A record is handed to the system in one write before
:meth:`Journal.append` returns: a killed process loses nothing. It is forced to the medium at most
``fsync_s`` later by a thread of the journal's own (0: before ``append`` returns); a power failure
loses at most that.

A write cut short by a full disk is taken back, so that the next one can succeed. One cut short by
a kill or a power failure is a torn tail: it is cut off when the journal is opened, and counted.
Every record says how much of its file was on the medium when it was written; what is unreadable
although it was there is damage, and an error that names file, octet and remedy.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl

from adiz.errors import AdizError, Fault, FaultyInputError
from adiz.run.live.lock import FileLock
from adiz.run.live.record import KINDS, MAGIC, Record, decode, encode, find

__all__ = ["KINDS", "Journal", "JournalDamagedError", "JournalFullError", "Record", "read_segment"]

SEGMENT_BYTES = 16 << 20
MAX_BYTES = 2 << 30
_SUFFIX = ".journal"


class JournalFullError(AdizError):
    """The journal has reached its greatest size: commit a checkpoint and drop what it covers."""


class JournalDamagedError(FaultyInputError):
    """Records that were safely written cannot be read, or are missing."""


class Journal:
    """Records in a folder, appended by one process.

    Args:
        folder: made if it is not there.
        segment_bytes: a segment is closed when it has reached this size.
        max_bytes: greatest size of all segments; never exceeded.
        fsync_s: a record is on the medium at most so many seconds after it was appended; 0: when
            ``append`` returns.
        least_seq: the next record gets at least this number: one more than the checkpoint's,
            which may be ahead after a power failure or when the folder was emptied.
        keep: a folder on the same disk to which dropped segments are moved instead of removed.

    Attributes:
        last_seq: the number of the last record ever appended; 0 if none.
        torn_bytes: octets of a torn tail that were cut off when it was opened.
        size_bytes: of all segments.

    Raises:
        LockedError: another process has it open.
        JournalDamagedError: records that were on the medium are unreadable.
        OSError: the folder or a file cannot be made or read.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        segment_bytes: int = SEGMENT_BYTES,
        max_bytes: int = MAX_BYTES,
        fsync_s: float = 1.0,
        least_seq: int = 1,
        keep: str | os.PathLike[str] | None = None,
    ) -> None:
        self.folder = Path(folder)
        self._max_bytes, self._fsync_s = max_bytes, fsync_s
        self._keep = Path(keep) if keep is not None else None
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._keep is not None:
            self._keep.mkdir(parents=True, exist_ok=True)
        self._segment_bytes = min(segment_bytes, max(max_bytes // 8, 1))
        self._lock = FileLock(self.folder / "lock", f"the journal {self.folder}")
        self._changing = threading.Condition()
        self._closed = self._leave = False
        self._failed: OSError | None = None
        self._file = -1
        self._first = self._end = self._synced = 0
        self.last_seq = max(least_seq - 1, 0)
        self.size_bytes = self.torn_bytes = 0
        try:
            self._open_last()
        except BaseException:
            self._let_go()
            raise
        self._syncer: threading.Thread | None = None
        if fsync_s > 0:
            self._syncer = threading.Thread(target=self._sync_later, name="journal", daemon=True)
            self._syncer.start()

    def append(
        self,
        kind: str,
        feed: str,
        received_us: int,
        reports: pl.DataFrame | None = None,
        position: str | None = None,
        data: dict[str, Any] | None = None,
    ) -> Record:
        """Number a record and hand it to the system.

        Raises:
            JournalFullError: it would exceed ``max_bytes``; nothing was written.
            OSError: the disk is full or fails; nothing of the record stays. It may be tried again.
            ValueError: the reports do not have the columns of the reports table.
        """
        with self._changing:
            self._raise_failed()
            if self._leave:
                self._start_segment()
            record = Record(
                self.last_seq + 1, kind, feed, received_us, reports, position, data or {}
            )
            octets = encode(record, self._synced)
            if self.size_bytes + len(octets) > self._max_bytes:
                raise JournalFullError(
                    f"the journal {self.folder} has reached its limit of {self._max_bytes} octets"
                )
            if self._end and self._end + len(octets) > self._segment_bytes:
                self._sync()
                self._start_segment()
                octets = encode(record, 0)
            self._write(octets)
            self.last_seq = record.seq
            self._changing.notify()
            return record

    def read(self, after_seq: int) -> Iterator[Record]:
        """The records after a number, in order; those appended meanwhile need not be among them.

        Raises:
            JournalDamagedError: one of them is unreadable or missing.
        """
        last_seq = self.last_seq
        expected = after_seq + 1
        segments = _segments(self.folder)
        begin = max((i for i, (first, _) in enumerate(segments) if first <= expected), default=0)
        for i, (first, path) in enumerate(segments[begin:], start=begin):
            if first > expected:
                raise _missing(self.folder, expected, first - 1)
            for record in read_segment(path, after_seq, last=i == len(segments) - 1):
                if record.seq != expected:
                    raise _missing(path, expected, record.seq - 1)
                yield record
                expected += 1
        if expected <= last_seq:
            raise _missing(self.folder, expected, last_seq)

    def drop(self, upto_seq: int) -> None:
        """Remove the segments that hold nothing after a number; the numbers go on."""
        with self._changing:
            if self._end and self.last_seq <= upto_seq:
                with suppress(OSError):  # no room: the last segment goes another time
                    self._sync()
                    self._start_segment()
            segments = _segments(self.folder)
            for (_, path), (following, _) in pairwise(segments):
                if following > upto_seq + 1:
                    break
                size = path.stat().st_size
                if self._keep is not None:
                    os.replace(path, self._keep / path.name)
                else:
                    path.unlink()
                self.size_bytes -= size

    def sync(self) -> None:
        """Force everything to the medium.

        Raises:
            OSError: that failed, now or in the journal's own thread since the last call.
        """
        with self._changing:
            self._raise_failed()
            self._sync()

    def close(self) -> None:
        """Force everything to the medium and let go; more than once does no harm."""
        with self._changing:
            if self._closed:
                return
            self._closed = True
            self._changing.notify()
        if self._syncer is not None:
            self._syncer.join()
        try:
            os.fdatasync(self._file)
        finally:
            self._let_go()

    # ---- within ---------------------------------------------------------------------------------

    def _open_last(self) -> None:
        segments = _segments(self.folder)
        self.size_bytes = sum(path.stat().st_size for _, path in segments)
        if not segments:
            self._start_segment()
            return
        self._first, path = segments[-1]
        data = path.read_bytes()
        last, end = self._first - 1, 0
        while (sound := find(memoryview(data), end)) is not None:
            last, end = sound.seq, sound.end
        if end < len(data):
            _refuse_damage(path, data, end)
            self.torn_bytes = len(data) - end
            self.size_bytes -= self.torn_bytes
        self._file = _open(path)
        os.ftruncate(self._file, end)
        self._end, self._synced = end, -1
        self._sync()
        if last < self.last_seq:
            self._start_segment()
        self.last_seq = max(last, self.last_seq)

    def _start_segment(self) -> None:
        """Begin the segment of the next record, what came before being on the medium or lost."""
        self._leave = True  # until it is done: the new name fits the next record alone
        if self._file >= 0 and os.fstat(self._file).st_size != self._end:
            os.ftruncate(self._file, self._end)
        fresh = _open(self.folder / f"{self.last_seq + 1:020d}{_SUFFIX}")
        try:
            folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except BaseException:
            os.close(fresh)
            raise
        if self._file >= 0:
            os.close(self._file)
        self._file, self._first = fresh, self.last_seq + 1
        self._end = self._synced = 0
        self._leave = False

    def _write(self, octets: bytes) -> None:
        """Write all of it, on the medium where that is asked for, or nothing."""
        before, self._end = self._end, self._end + len(octets)
        try:
            if os.fstat(self._file).st_size != before:  # an earlier failure was not taken back
                os.ftruncate(self._file, before)
            view = memoryview(octets)
            while view:  # once, save where the disk fills up within it
                view = view[os.write(self._file, view) :]
            if self._fsync_s <= 0:
                os.fdatasync(self._file)
                self._synced = self._end
        except BaseException:
            self._end = before
            with suppress(OSError):  # else before the next write, or when it is opened again
                os.ftruncate(self._file, before)
            raise
        self.size_bytes += len(octets)

    def _sync(self) -> None:
        if self._synced >= self._end:
            return
        try:
            os.fdatasync(self._file)
        except OSError:
            self._leave = True  # the system may have let go of what it could not write
            raise
        self._synced = self._end

    def _raise_failed(self) -> None:
        if self._failed is not None:
            failed, self._failed = self._failed, None
            raise failed

    def _sync_later(self) -> None:
        """In a thread: ``fsync_s`` after the first new record, without holding up the next ones."""
        while True:
            with self._changing:
                self._changing.wait_for(
                    lambda: self._closed or (self._synced < self._end and not self._leave)
                )
                self._changing.wait_for(lambda: self._closed, timeout=self._fsync_s)
                if self._closed:
                    return
                file, first, end = os.dup(self._file), self._first, self._end
            failed = None
            try:
                os.fdatasync(file)
            except OSError as error:
                failed = error
            finally:
                os.close(file)
            with self._changing:
                if failed is not None:
                    self._failed, self._leave = failed, True
                elif first == self._first:
                    self._synced = max(self._synced, end)

    def _let_go(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        self._lock.release()


def read_segment(path: Path, after_seq: int = 0, *, last: bool = True) -> Iterator[Record]:
    """The records of one segment after a number.

    Args:
        last: it is the last one, which may end in a torn record; that is left out.

    Raises:
        JournalDamagedError: a record is unreadable.
    """
    data = path.read_bytes()
    view, at = memoryview(data), 0
    while (sound := find(view, at)) is not None:
        if sound.seq > after_seq:
            try:
                record = decode(view, sound)
            except (Exception, pl.exceptions.PanicException) as error:
                raise _damaged(path, at, f"a record cannot be understood: {error}") from None
            yield record
        at = sound.end
    if at < len(data):
        if not last:
            raise _damaged(path, at, "a record is damaged")
        _refuse_damage(path, data, at)


def _open(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)


def _segments(folder: Path) -> list[tuple[int, Path]]:
    """First number and path of every segment, in order."""
    return sorted(
        (int(path.stem), path) for path in folder.glob(f"*{_SUFFIX}") if path.stem.isdecimal()
    )


def _refuse_damage(path: Path, data: bytes, start: int) -> None:
    """Tell what is unreadable although it was on the medium from a tail that never got there."""
    view, at = memoryview(data), start
    while (at := data.find(MAGIC, at + 1)) >= 0:
        sound = find(view, at)
        if sound is not None and sound.synced > start:
            raise _damaged(path, start, "a record is damaged")


def _damaged(path: Path, octet: int, message: str) -> JournalDamagedError:
    return JournalDamagedError(
        Fault(
            f"{message} at octet {octet}",
            str(path),
            remedy="look at the disk, put back a copy of this file, or give up what is after the "
            "checkpoint: move the journal's folder away and start again",
        )
    )


def _missing(path: Path, first: int, last: int) -> JournalDamagedError:
    return JournalDamagedError(
        Fault(
            f"the records {first} to {last} are missing",
            str(path),
            remedy="put back the files that were in this folder, or move the folder away to go on "
            "from the checkpoint alone",
        )
    )
