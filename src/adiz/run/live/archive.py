"""Reports kept as Parquet by day: always exactly those the watch has stepped through.

::

    archive = Archive(folder, number=last.number)   # of the checkpoint the watch goes on from
    archive.append(reports, received_us)
    archive.read(["3c4b26"], from_us, to_us)        # with what is not yet written
    archive.flush()                                 # before the next checkpoint is committed
    archive.settle(number, covered_number, now_us)  # after

In the folder is a folder for each day (of the reports' own time, UTC) with parts in the layout of
the reports table; ``adiz stays FOLDER`` reads them, as does anything that reads Parquet. A part is
named after the checkpoints it belongs to: ``reports-0000000012.003-0000000017.000.parquet`` from
the third written before the 12th to the first before the 17th. It is written under another name,
forced to the medium, then renamed. Parts of a checkpoint that was never committed are removed when
the archive is opened, for the records they came from are stepped through again. So wherever the
watch was stopped, nothing is lost and nothing is in it twice.

Parts that even the older checkpoint covers are joined into larger ones, where it is much by a
process of its own (:mod:`adiz.run.live.joining`). A joined part replaces those within its span;
where a stop in between left both, the smaller ones are removed.
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl

from adiz.errors import AdizError
from adiz.run.live import joining
from adiz.schema import REPORTS, polars_schema

SPILL_ROWS = 65_536
JOIN_PARTS = 16
FULL_BYTES = 16 << 20
APART_BYTES = 1 << 20
_DAY_US = 86_400_000_000
_SCHEMA = polars_schema(REPORTS)
_NAME = re.compile(r"reports-(\d{10,})\.(\d{3,})-(\d{10,})\.(\d{3,})\.parquet")


class Part(NamedTuple):
    """One file: its span of checkpoints and serial numbers, both ends included."""

    first: tuple[int, int]
    last: tuple[int, int]
    path: Path


class Archive:
    """The reports of the last days.

    Args:
        folder: made if it is not there.
        number: of the checkpoint the watch goes on from; 0: from nothing.
        keep_days: days before the present one that are kept.
        spill_rows: so many reports in memory are written out before the next checkpoint.

    Attributes:
        outside: reports left out: older than what is kept, or more than a day ahead of the time
            they were received.

    Raises:
        AdizError: the folder belongs to a watch that has come further.
        OSError: the folder cannot be made or read.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        number: int = 0,
        keep_days: int = 30,
        spill_rows: int = SPILL_ROWS,
    ) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.outside = 0
        self._number, self._serial, self._before = number + 1, 0, 0
        self._keep_days, self._spill_rows = keep_days, spill_rows
        self._fresh: list[pl.DataFrame] = []
        self._rows = 0
        self._changing = threading.RLock()
        self._joining: threading.Thread | None = None
        self._joiner: subprocess.Popen[bytes] | None = None
        self._closing = False
        self._clear(number)

    def append(self, reports: pl.DataFrame, received_us: int) -> None:
        """Take reports in; they are on the disk after the next :meth:`flush` at the latest.

        Raises:
            OSError: the disk is full or fails. The reports are taken in all the same: do not
                append them again.
        """
        day = pl.col("time").dt.epoch("us") // _DAY_US
        today = received_us // _DAY_US
        kept = reports.filter(day.is_between(today - self._keep_days, today + 1))
        with self._changing:
            self.outside += len(reports) - len(kept)
            if len(kept):
                self._fresh.append(kept)
                self._rows += len(kept)
            if self._rows >= self._spill_rows:
                self.flush()

    def flush(self) -> None:
        """Write what was taken in, as parts of the next checkpoint.

        Raises:
            OSError: the disk is full or fails; what is not written stays in memory. No checkpoint
                may be committed before this succeeds.
        """
        with self._changing:
            if not self._fresh:
                return
            fresh = pl.concat(self._fresh).with_columns(_day=pl.col("time").dt.date())
            days = fresh.partition_by(["_day"], as_dict=True, include_key=False)
            for day in sorted(days):
                span = (self._number, self._serial)
                path = self._part(day[0], span, span)
                _put(_draft(path, days[day]), path)
                self._serial += 1
                del days[day]
                self._fresh = list(days.values())
                self._rows = sum(map(len, self._fresh))

    def advance(self, number: int) -> None:
        """What is taken in from now on comes after the checkpoint of that number.

        For a checkpoint that is written while the watch goes on: call it where its state was
        taken, after :meth:`flush`.
        """
        with self._changing:
            self._before, self._number, self._serial = self._serial, number + 1, 0

    def retreat(self) -> None:
        """The checkpoint that was advanced past has failed: what came after is of it still.

        Raises:
            OSError: a part cannot be renamed; call it again.
        """
        with self._changing:
            number, serial = self._number - 1, self._before
            for day in self._days():
                for part in self._parts(day):
                    if part.first[0] == part.last[0] == self._number:
                        span = (number, serial + part.first[1])
                        os.replace(part.path, self._part(day, span, span))
            self._number, self._serial = number, serial + self._serial

    def settle(self, number: int, covered: int, now_us: int) -> None:
        """The checkpoint of that number is committed: tidy up in a thread.

        Args:
            covered: number of the older checkpoint kept (see ``Store.covered``); what even that
                covers is joined. 0 if there is none.
            now_us: the present, as the records tell it; days too old by it are removed.
        """
        with self._changing:
            if self._number <= number:
                self.advance(number)
        if self._joining is not None and self._joining.is_alive():
            return
        self._joining = threading.Thread(
            target=self._tidy, args=(covered, now_us), name="archive", daemon=True
        )
        self._joining.start()

    def read(
        self,
        track_ids: Collection[str] | pl.Expr | None = None,
        from_us: int | None = None,
        to_us: int | None = None,
    ) -> pl.DataFrame:
        """Reports by track and time, those not yet written included.

        Args:
            track_ids: only these, or those that fulfil a condition; None: all.
            from_us, to_us: of their own time, microseconds since 1970 UTC; the first included,
                the second not.

        Raises:
            OSError, polars.exceptions.PolarsError: a part cannot be read.
        """
        wanted = track_ids if isinstance(track_ids, pl.Expr) else pl.lit(True)
        if not isinstance(track_ids, pl.Expr | None):
            wanted &= pl.col("track_id").is_in(list(track_ids))
        if from_us is not None:
            wanted &= pl.col("time") >= pl.lit(from_us).cast(_SCHEMA["time"])
        if to_us is not None:
            wanted &= pl.col("time") < pl.lit(to_us).cast(_SCHEMA["time"])
        with self._changing:
            paths = [
                part.path
                for day in self._days()
                if _overlaps(day, from_us, to_us)
                for part in self._parts(day)
            ]
            tables = [table.filter(wanted) for table in self._fresh]
            if paths:
                tables.insert(0, pl.scan_parquet(paths, glob=False).filter(wanted).collect())
        found = pl.concat([pl.DataFrame(schema=_SCHEMA), *tables])
        return found.sort("track_id", "time", maintain_order=True)

    def close(self) -> None:
        """Wait for the tidying; what was not flushed belongs to the next start."""
        with self._changing:
            self._closing = True
            if self._joiner is not None:
                self._joiner.kill()
        if self._joining is not None:
            self._joining.join()

    # ---- within ---------------------------------------------------------------------------------

    def _days(self) -> list[date]:
        found = []
        for path in self.folder.iterdir():
            with suppress(ValueError):
                found.append(date.fromisoformat(path.name))
        return sorted(found)

    def _parts(self, day: date) -> list[Part]:
        """The parts of a day in the order of their spans, replaced ones included."""
        found = []
        for path in (self.folder / day.isoformat()).iterdir():
            if match := _NAME.fullmatch(path.name):
                a, b, c, d = map(int, match.groups())
                found.append(Part((a, b), (c, d), path))
        return sorted(found)

    def _part(self, day: date, first: tuple[int, int], last: tuple[int, int]) -> Path:
        span = "-".join(f"{number:010d}.{serial:03d}" for number, serial in (first, last))
        return self.folder / day.isoformat() / f"reports-{span}.parquet"

    def _clear(self, number: int) -> None:
        """Remove what is of no committed checkpoint, what is replaced, and what was half made."""
        for day in self._days():
            parts = self._parts(day)
            # One may be half made, one further begun, and one more before was damaged.
            if any(part.last[0] > number + 3 for part in parts):
                raise AdizError(
                    f"the archive {self.folder} belongs to a watch that has come further than the "
                    f"store; give the watch the store of before, or another archive"
                )
            reach = (0, 0)
            for part in sorted(parts, key=lambda p: (p.first, [-n for n in p.last])):
                if part.last[0] > number or part.last <= reach:  # within one before it
                    part.path.unlink()
                else:
                    reach = part.last
            for path in (self.folder / day.isoformat()).glob(".reports-*"):
                path.unlink()

    def _tidy(self, covered: int, now_us: int) -> None:
        """In a thread: join and remove; whatever fails is tried again after the next checkpoint."""
        today = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=now_us)).date()
        with suppress(OSError, pl.exceptions.PolarsError):
            for day in self._days():
                if day < today - timedelta(days=self._keep_days):
                    self._remove(day)
                    continue
                settled = [part for part in self._parts(day) if part.last[0] <= covered]
                for group in _groups(settled, over=day < today):
                    self._join(day, group)

    def _join(self, day: date, group: list[Part]) -> None:
        path = self._part(day, group[0].first, group[-1].last)
        # Never the name of a draft that a killed watch's process may still be writing.
        draft = path.with_name(f".{path.name}-{os.getpid()}")
        paths = [part.path for part in group]
        if sum(map(_size, paths)) < APART_BYTES or not self._joined_apart(draft, paths):
            joining.join(draft, paths)
        with self._changing:
            _put(draft, path)
            for part in group:
                part.path.unlink()

    def _joined_apart(self, draft: Path, paths: list[Path]) -> bool:
        """Join in a process of its own; False: it could not, for want of memory, say."""
        with self._changing:
            if self._closing:
                raise OSError("the archive is being closed")
            try:
                self._joiner = joining.start(draft, paths)
            except OSError:
                return False
        status = self._joiner.wait()
        if self._closing:
            raise OSError("the archive was closed meanwhile")
        return status == 0

    def _remove(self, day: date) -> None:
        with self._changing:
            for part in self._parts(day):
                part.path.unlink()
        with suppress(OSError):  # something of another's is in it
            (self.folder / day.isoformat()).rmdir()


def _groups(parts: list[Part], *, over: bool) -> Iterator[list[Part]]:
    """Neighbours worth joining: into full parts, and the rest of many, or of a day that is over."""
    group: list[Part] = []
    size = 0
    for part in parts:
        own = _size(part.path)
        if own < FULL_BYTES:
            group.append(part)
            size += own
        if own >= FULL_BYTES or size >= FULL_BYTES:
            if len(group) > 1:
                yield group
            group, size = [], 0
    if len(group) >= (2 if over else JOIN_PARTS):
        yield group


def _size(path: Path) -> int:
    return path.stat().st_size


def _overlaps(day: date, from_us: int | None, to_us: int | None) -> bool:
    begin = (day - date(1970, 1, 1)).days * _DAY_US
    return (from_us is None or begin + _DAY_US > from_us) and (to_us is None or begin < to_us)


def _draft(path: Path, reports: pl.DataFrame) -> Path:
    """Write a part under another name, and force it to the medium."""
    path.parent.mkdir(exist_ok=True)
    draft = path.with_name(f".{path.name}")
    joining.write(draft, reports)
    return draft


def _put(draft: Path, path: Path) -> None:
    """Give a part its name, so that it has it after a power failure too."""
    os.replace(draft, path)
    for folder in (path.parent, path.parent.parent):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
