"""The loop of the watch: feeds to journal to engine to store, and on from where it stopped.

::

    feeds (a thread each) -> queue -> Journal.append -> Engine.step -> Store.commit -> alerts

One thread does all but receiving and alerting. What a live feed says is in the journal before the
engine sees it; its events are in the store before anybody is told. A checkpoint holds the engine's
state and how far journal and replays had come, in one transaction. After any kind of stop the
watch takes the last checkpoint, steps through the journal from there, and tells nothing twice: an
event worked out again is the same event, and the store knows it.

A full disk stops the input, not the watch: the record at hand is tried again until there is room;
feeds wait, or lose what the network does not keep for them.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import polars as pl

from adiz.detect.index import fingerprint
from adiz.errors import AdizError
from adiz.events import Event
from adiz.run.live.archive import Archive
from adiz.run.live.config import Config
from adiz.run.live.garbage import Garbage
from adiz.run.live.journal import Journal, JournalFullError
from adiz.run.live.make import alerts_of, changes, make_engine
from adiz.run.live.record import Record
from adiz.run.live.said import Figures, Said, gathered
from adiz.run.live.states import States
from adiz.run.live.store import Checkpoint, Store, StoreError
from adiz.run.live.telling import Output
from adiz.sources.feeds import ClockWatch, Supervisor
from adiz.sources.feeds.model import now_us
from adiz.zones.model import Zones

_log = logging.getLogger("adiz.watch")
_QUEUE = 256
_TICK_S = 1.0
_RETRY_S = 1.0
_DRAIN_S = 10.0
_MOST_PARTS = 64  # of a state


class Watch:
    """One watch, from its configuration.

    Args:
        config: see :func:`adiz.run.live.config.read_config`.

    Attributes:
        engine: with what is known at the moment.
        figures: what it measures of itself.
        supervisors, clocks: of the feeds, by name.
        recent: the last events, for a view.
        listeners: called with events once they are in the store; they are not to block.
        on_turn: called after each turn of the loop, in its thread; likewise.
        live: the feeds are live; False: they are replays.

    Raises:
        AdizError: zones, store, journal or archive cannot be used.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.figures = Figures()
        self.recent: deque[Event] = deque(maxlen=200)
        self.listeners: list[Callable[[list[Event]], None]] = []
        self.on_turn: list[Callable[[], None]] = []
        self._queue: queue.Queue[Said] = queue.Queue(_QUEUE)
        self._stop, self._closing = threading.Event(), threading.Event()
        self._zones_wanted: Zones | None = None
        self._untold = False
        self.live = not any(feed.replayable for feed in config.feeds)
        self.store = Store(config.store)
        try:
            self._begin()
        except BaseException:
            self.store.close()
            raise

    def _begin(self) -> None:
        config, started_s = self.config, time.monotonic()
        self.states = States(config.folder / "states")
        last = self.store.checkpoint(lambda c: self.states.find(c.state.decode()))
        journal = config.values["journal"]
        self.journal = Journal(
            config.folder / "journal",
            max_bytes=round(journal["max_mb"] * 1e6),
            fsync_s=journal["fsync_s"],
            least_seq=last.seq + 1 if last else 1,
        )
        self.archive = Archive(
            config.folder / "archive",
            number=last.number if last else 0,
            keep_days=config.values["archive"]["days"],
        )
        self.engine, zones = make_engine(config, self.archive)
        self._number = last.number if last else 0
        self._seq = last.seq if last else 0
        self._positions = dict(last.positions) if last else {}
        self.clocks = {feed.name: ClockWatch() for feed in config.feeds}
        self.alerts = alerts_of(config, self.store)
        self._checkpoint_s = time.monotonic()
        self._garbage = Garbage()
        self._every_s = config.values["watch"]["checkpoint_s"]
        self._at_us = last.at_us if last else 0
        self._saving: Checkpoint | None = None
        self._state_names = [last.state.decode()] if last else []
        self._finished = dict.fromkeys(filter(None, self._positions.pop("", "").split("\n")))
        with self._garbage:
            if last:
                self.engine.restore(*self.states.take())
            for record in self.journal.read(self._seq):
                self._step(record)
        self.figures.restart_s = time.monotonic() - started_s
        if fingerprint(zones) != fingerprint(self.engine.zones):
            self._zones_wanted = zones
        self.supervisors = {
            feed.name: Supervisor(
                feed,
                emit=lambda name, batch: self._put(Said("reports", name, batch.received_us, batch)),
                up=self._up,
                down=lambda name, at_us, why: self._put(
                    Said("feed_down", name, at_us, data={"reason": why})
                ),
                ended=lambda name, at_us: self._put(
                    Said("feed_down", name, at_us, data={"reason": "its input has ended"})
                ),
                position=self._positions.get(feed.name),
            )
            for feed in config.feeds
        }

    # ---- running --------------------------------------------------------------------------------

    def run(self) -> None:
        """Watch until :meth:`stop` is called, or until every replay has come to its end."""
        if self.alerts:
            self.alerts.start()
        for supervisor in self.supervisors.values():
            if supervisor.feed.name not in self._finished:
                supervisor.start()
        try:
            with self._garbage:
                while not self._stop.is_set() and not self._all_ended():
                    self._turn()
                if self._all_ended():
                    self._take(Said("end", "", self._at_us))
                elif self.live:
                    self._drain()
        finally:
            self._close()

    def stop(self) -> None:
        """Ask the watch to stop; from any thread, or a signal's handler."""
        self._stop.set()

    def set_zones(self, zones: Zones) -> None:
        """Watch other zones from now on; from any thread."""
        self._zones_wanted = zones

    @property
    def time_us(self) -> int:
        """The present moment: by the clock, or how far a replay has come."""
        return now_us() if self.live else self._at_us

    @property
    def backlog(self) -> tuple[int, int]:
        """How much waits in the queue, and how much it holds."""
        return self._queue.qsize(), _QUEUE

    def _all_ended(self) -> bool:
        ended = {s.feed.name for s in self.supervisors.values() if s.health.state == "ended"}
        return ended | self._finished.keys() >= self.supervisors.keys() and self._queue.empty()

    def _turn(self) -> None:
        """One turn: what has arrived, or a tick."""
        zones, self._zones_wanted = self._zones_wanted, None
        for kind, data in changes(zones, self.engine.inputs):
            self._take(Said(kind, "", now_us() if self.live else self._at_us, data=data))
        try:
            said = self._queue.get(timeout=_TICK_S)
        except queue.Empty:
            if self.live:
                self._take(Said("tick", "", now_us()))
        else:
            for one in gathered(said, self._queue) if self.live else [said]:
                self._take(one)
        self._garbage.sweep_if_due()
        self._checkpoint_if_due()
        self.figures.turned_s = time.monotonic()
        for look in self.on_turn:
            look()

    def _drain(self) -> None:
        """Take in what the feeds have handed over, which nobody could give once more."""
        for supervisor in self.supervisors.values():
            supervisor.ask_to_stop()
        until_s = time.monotonic() + _DRAIN_S
        while any(s.is_running for s in self.supervisors.values()) or not self._queue.empty():
            if time.monotonic() > until_s:
                break
            with contextlib.suppress(queue.Empty):
                for one in gathered(self._queue.get(timeout=0.05), self._queue):
                    self._take(one)

    def _up(self, name: str, at_us: int) -> None:
        if self.live or name not in self._positions:  # a replay taken up again was never down
            self._put(Said("feed_up", name, at_us))

    def _put(self, said: Said) -> None:
        while not (self._closing if self.live else self._stop).is_set():
            try:
                self._queue.put(said, timeout=0.5)
                return
            except queue.Full:
                continue

    def _take(self, said: Said) -> None:
        """Make a record of something said, keep it if it cannot be had again, and step."""
        batch = said.batch
        if batch is not None and not batch.reports.is_empty():
            newest = int(batch.reports["time"].to_physical().max())  # type: ignore[arg-type]
            self.clocks[said.feed].observe(said.at_us, newest)
        reports = batch.reports if batch else None
        position = batch.position if batch else None
        if batch is not None and batch.rejected:
            said = said._replace(data={**said.data, "rejected": batch.rejected})
        if self.live:
            record = self._keep(said, reports, position)
            if record is None:
                return
        else:
            record = Record(0, said.kind, said.feed, said.at_us, reports, position, said.data)
        self._step(record, (said.since_us or said.at_us) if batch and self.live else None)

    def _keep(
        self, said: Said, reports: pl.DataFrame | None, position: str | None
    ) -> Record | None:
        """Journal it, however long that takes; None: the watch is to stop first."""
        while True:
            try:
                record = self.journal.append(
                    said.kind, said.feed, said.at_us, reports, position, said.data
                )
                self.figures.stalled = None
                return record
            except (OSError, JournalFullError) as error:
                self._stall(error)
                if isinstance(error, JournalFullError):
                    self._checkpoint_now()
            if self._stop.wait(_RETRY_S):
                return None

    def _step(self, record: Record, arrived_us: int | None = None) -> None:
        """The engine's turn, and what it told into store and archive.

        Args:
            arrived_us: of a live batch: when it arrived.
        """
        out = self.engine.step(record)
        self._commit(out)
        if arrived_us is not None:
            self.figures.took((now_us() - arrived_us) / 1e6, len(out.reports))
        if not out.reports.is_empty():  # not before: nothing that is told waits for it
            try:
                self.archive.append(out.reports, record.received_us)
            except OSError as error:  # taken in all the same; written with the next checkpoint
                self._stall(error)
        self._at_us = max(self._at_us, record.received_us)
        self._seq = max(self._seq, record.seq)
        if record.position is not None:
            self._positions[record.feed] = record.position
        if record.kind == "feed_down" and not self.live:
            self._finished[record.feed] = None
        figures = self.figures
        figures.records += 1
        figures.reports += len(out.reports)
        figures.events += len(out.events)
        figures.kinds.update(event.kind for event in out.events)
        self.recent.extend(out.events)
        if out.events:
            for listener in self.listeners:
                listener(out.events)

    def _commit(self, out: Output) -> None:
        if not (out.events or out.stays is not None or out.encounters is not None):
            return
        while True:
            try:
                self.store.commit(out.events, out.stays, out.encounters)
                self.figures.stalled = None
                break
            except StoreError as error:
                self._stall(error)
            if self._stop.wait(_RETRY_S):
                self._untold = True
                why = self.figures.stalled
                raise AdizError(f"stopped while the store could not be written: {why}")
        if self.alerts and out.events:
            self.alerts.wake()

    def _stall(self, error: Exception) -> None:
        if self.figures.stalled is None:
            _log.error("the input is stopped: %s", error)
        self.figures.stalled = str(error)

    # ---- checkpoints ----------------------------------------------------------------------------

    def _begin_checkpoint(self, *, wait: bool = False) -> None:
        """Take the state as it is now; a process of its own writes it, unless we wait for it.

        Raises:
            OSError, StoreError: there is no room.
        """
        self._checkpoint_s = time.monotonic()
        if self._saving is not None:
            self.archive.retreat()  # the last one failed
            self._saving = None
        number, positions = self._number + 1, {**self._positions, "": "\n".join(self._finished)}
        self.archive.flush()
        self.journal.sync()
        self.archive.advance(number)
        self._saving = Checkpoint(number, self._seq, self._at_us, positions, b"")
        needed = self.engine.parts_needed()
        if needed > min(len(self.states.parts), _MOST_PARTS):  # or one could not be written
            self.engine.mark_saved(False)
            needed = 0
        save = partial(self.engine.save_part, self.engine.tables())
        names = self.states.write(number, save, needed, wait=wait)
        self.engine.mark_saved(True)
        self._end_checkpoint(names)

    def _end_checkpoint(self, names: str | None) -> None:
        """Commit the checkpoint whose state is in files, and let go of what it covers."""
        if names is None or self._saving is None:
            return
        self.store.commit(checkpoint=replace(self._saving, state=names.encode()))
        self._number, self._saving = self._saving.number, None
        self.figures.checkpoints += 1
        self.figures.checkpoint_s = self._checkpoint_s
        self.figures.state_bytes = self.states.size_bytes(names)
        self.figures.stalled = None
        self._state_names = [*self._state_names[-1:], names]
        self.states.keep(self._state_names)
        number, seq = self.store.covered() or (0, 0)
        self.journal.drop(seq)
        self.archive.settle(self._number, number, self._at_us)

    def _checkpoint_if_due(self) -> None:
        try:
            if self.states.is_writing:
                self._end_checkpoint(self.states.finish())
            elif time.monotonic() - self._checkpoint_s >= self._every_s:
                self._begin_checkpoint()
        except (OSError, StoreError) as error:
            self._stall(error)

    def _checkpoint_now(self) -> None:
        """One that is done when this returns, unless the disk is full."""
        try:
            self._end_checkpoint(self.states.wait())
        except (OSError, StoreError) as error:
            self._stall(error)
        try:
            self._begin_checkpoint(wait=True)
        except (OSError, StoreError) as error:
            self._stall(error)

    def _close(self) -> None:
        for supervisor in self.supervisors.values():
            supervisor.ask_to_stop()
        self._stop.set()
        self._closing.set()
        for supervisor in self.supervisors.values():
            supervisor.stop()
        if not self._untold:  # a state that goes beyond what the store has been told is no use
            self._checkpoint_now()
        if self.alerts:
            self.alerts.stop()
        self.journal.close()
        self.archive.close()
        self.store.close()
