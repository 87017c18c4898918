"""A watch small enough to see through, on the true journal, store and archive.

It counts the reports of each track and tells an event at every seventh, in the order of recovery
that the watch keeps. Run as a program it plays a given number of batches; what it is fed depends
on the batch's number alone.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from adiz.events import Event, event_id
from adiz.run.live.archive import Archive
from adiz.run.live.journal import Journal, Record
from adiz.run.live.store import Checkpoint, Store
from tests.report_rows import START_US, reports

ROWS = 20
RECORDS_TO_CHECKPOINT = 7
PADDING = "x" * 200_000


class StandIn:
    """The parts of a watch and an engine that counts."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(str(folder / "watch.db"))
        last = self.store.checkpoint()
        self.number, self.seq, self.positions = 0, 0, {"feed": "0"}
        self.counts: dict[str, int] = {}
        if last:
            self.number, self.seq, self.positions = last.number, last.seq, last.positions
            self.counts = json.loads(last.state)["counts"]
        self.journal = Journal(
            folder / "journal", segment_bytes=8_000, least_seq=self.seq + 1, keep=folder / "kept"
        )
        self.archive = Archive(folder / "archive", number=self.number, spill_rows=90)
        self.steps = 0
        for record in self.journal.read(self.seq):
            self.step(record)

    def live(self, numbers: Iterable[int]) -> None:
        """Batches that will not come again."""
        for number in numbers:
            batch = reports(ROWS, start=ROWS * number)
            self.step(self.journal.append("reports", "feed", START_US + number, batch))

    def replay(self, count: int) -> None:
        """Batches that can be had again."""
        for number in range(int(self.positions["feed"]), count):
            batch = reports(ROWS, start=ROWS * number)
            self.step(
                Record(0, "reports", "feed", START_US + number, batch, position=str(number + 1))
            )

    def step(self, record: Record) -> None:
        """Count, tell, and now and then save."""
        assert record.reports is not None
        self.archive.append(record.reports, record.received_us)
        told = []
        for track in record.reports["track_id"]:
            count = self.counts[track] = self.counts.get(track, 0) + 1
            if count % 7 == 0:
                told.append(_event(track, count, record))
        self.store.commit(told)
        self.seq = max(self.seq, record.seq)
        if record.position is not None:
            self.positions["feed"] = record.position
        self.steps += 1
        if self.steps % RECORDS_TO_CHECKPOINT == 0:
            self.save(record.received_us)

    def save(self, at_us: int) -> None:
        """A checkpoint, and what it makes needless removed."""
        self.archive.flush()
        self.journal.sync()
        state = json.dumps({"counts": self.counts, "padding": PADDING}).encode()
        self.number += 1
        checkpoint = Checkpoint(self.number, self.seq, at_us, self.positions, state)
        self.store.commit(checkpoint=checkpoint)
        number, seq = self.store.covered() or (0, 0)
        self.journal.drop(seq)
        self.archive.settle(self.number, number, at_us)

    def close(self) -> None:
        """An orderly end."""
        self.save(START_US)
        self.archive.close()
        self.journal.close()
        self.store.close()


def _event(track: str, count: int, record: Record) -> Event:
    data: dict[str, Any] = {"count": count}
    return Event(
        event_id=event_id("entry", track, count // 3),
        revision=1 + count % 3,
        kind="entry",
        time_us=count,
        detected_us=record.received_us,
        certainty="observed",
        text=f"{track} for the {count}th time",
        tracks=(track,),
        data=data,
    )


def main() -> None:
    """``python -m tests.stand_in_watch FOLDER COUNT``"""
    watch = StandIn(Path(sys.argv[1]))
    watch.replay(int(sys.argv[2]))
    watch.close()


if __name__ == "__main__":
    main()
