"""Keeps a feed up: a thread of its own, and another try, ever later, whenever it fails."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from adiz.sources.feeds.model import Batch, Feed, FeedError, now_us

Told = Callable[[str, int], None]


@dataclass(slots=True)
class Health:
    """How a feed is.

    Attributes:
        state: ``starting``, ``up``, ``down``, ``ended`` (its input has) or ``stopped``.
        reason: why it is down.
        since_us: since when it is in that state.
        failures: tries in a row that failed.
        last_us: when it last gave anything.
        batches, reports: how many it has given.
        rejected: what it turned away, by reason.
    """

    state: Literal["starting", "up", "down", "ended", "stopped"] = "starting"
    reason: str | None = None
    since_us: int = 0
    failures: int = 0
    last_us: int | None = None
    batches: int = 0
    reports: int = 0
    rejected: Counter[str] = field(default_factory=Counter)


class Supervisor:
    """Runs one feed in a thread and tells what becomes of it.

    Parameters:
        feed: not run by anybody else.
        emit: given the feed's name and each batch that says anything; may block.
        up, down, ended: told once for each change, with the feed's name and when; ``down`` also
            why. ``up`` comes before the first batch. The time is the batch's own at ``up`` and
            ``ended``, so that a replay tells the same each time.
        position: where to begin; after a failure the feed goes on after the last batch given.
        first_s, most_s: the wait after the first failure; it doubles up to the most, and each is
            spread by half of itself to both sides, so that many do not come back at once.
        healthy_s: after so long up, a failure is a first one again.

    ``health`` is for any thread to read.
    """

    def __init__(
        self,
        feed: Feed,
        *,
        emit: Callable[[str, Batch], None],
        up: Told | None = None,
        down: Callable[[str, int, str], None] | None = None,
        ended: Told | None = None,
        position: str | None = None,
        first_s: float = 1.0,
        most_s: float = 60.0,
        healthy_s: float = 60.0,
    ) -> None:
        self.feed = feed
        self.health = Health(since_us=now_us())
        self._emit, self._up, self._down, self._ended = emit, up, down, ended
        self._position = position
        self._first_s, self._most_s, self._healthy_s = first_s, most_s, healthy_s
        self._stop = threading.Event()
        self._up_since_s: float | None = None
        self._spread = random.Random()
        self._thread = threading.Thread(target=self._run, name=f"feed {feed.name}", daemon=True)

    def start(self) -> None:
        """Begin; once."""
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether it may still hand something over."""
        return self._thread.is_alive()

    def ask_to_stop(self) -> None:
        """Ask it to stop, and do not wait."""
        self._stop.set()

    def stop(self, timeout_s: float = 10.0) -> bool:
        """Stop, and wait for it; whether it has stopped in time."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.feed.run(self._take, self._stop, self._position)
            except FeedError as error:
                self._failed(str(error))
            except BaseException as error:
                # Nothing that one feed does may end the watch, panics of libraries included.
                self._failed(f"an error of the program: {type(error).__name__}: {error}"[:500])
            else:
                self._over()
                return
            self._stop.wait(self._delay_s())
        self._change("stopped", now_us())

    def _take(self, batch: Batch) -> None:
        health = self.health
        # What holds nothing but rejections does not say that the feed is up.
        if health.state != "up" and (batch.reports.height or not batch.rejected):
            self._up_since_s = time.monotonic()
            self._change("up", batch.received_us)
            if self._up:
                self._up(self.feed.name, batch.received_us)
        health.last_us = batch.received_us
        if batch.is_empty:
            return
        self._emit(self.feed.name, batch)
        if batch.position is not None:
            self._position = batch.position
        health.batches += 1
        health.reports += batch.reports.height
        health.rejected.update(batch.rejected)

    def _failed(self, reason: str) -> None:
        if self._stop.is_set():
            return
        health, at_us = self.health, now_us()
        if self._up_since_s is not None and time.monotonic() - self._up_since_s >= self._healthy_s:
            health.failures = 0
        self._up_since_s = None
        health.failures += 1
        if health.state != "down":
            self._change("down", at_us)
            if self._down:
                self._down(self.feed.name, at_us, reason)
        health.reason = reason

    def _over(self) -> None:
        """The feed's run has returned: it was stopped, or there is no more."""
        if self._stop.is_set():
            self._change("stopped", now_us())
            return
        at_us = now_us() if self.health.last_us is None else self.health.last_us
        self._change("ended", at_us)
        if self._ended:
            self._ended(self.feed.name, at_us)

    def _change(
        self, state: Literal["starting", "up", "down", "ended", "stopped"], at_us: int
    ) -> None:
        self.health.state, self.health.since_us, self.health.reason = state, at_us, None

    def _delay_s(self) -> float:
        doubled = self._first_s * 2.0 ** min(self.health.failures - 1, 30)
        return min(doubled, self._most_s) * self._spread.uniform(0.5, 1.5)
