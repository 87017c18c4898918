"""Alerts as a whole: one thread that applies the rules, and one for each sink.

Nothing here is waited for by the watch: it commits its events, calls :meth:`Alerts.wake`, and goes
on. A sink that hangs holds up its own thread alone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from adiz import clock
from adiz.out.alerts.model import Sink
from adiz.out.alerts.outbox import EventLog, Outbox
from adiz.out.alerts.pump import Pump
from adiz.out.alerts.rules import Rule
from adiz.out.alerts.words import clean
from adiz.out.alerts.worker import Worker

POLL_S = 1.0  # how long others' changes (acknowledgements, resent letters) may go unseen
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkHealth:
    """How one sink does.

    Attributes:
        state: ``ok``, ``retrying`` (the sink as a whole is left alone for a while), or ``idle``
            (nothing delivered or failed since the start).
        pending, dead: deliveries in the outbox that wait, and dead letters.
        oldest_s: the age of the oldest that waits; 0 where none does.
        delivered, failed_tries: since the start.
        last_delivered_us, last_error, last_error_us: None where there was none.
    """

    name: str
    kind: str
    state: str
    pending: int
    dead: int
    oldest_s: float
    delivered: int
    failed_tries: int
    last_delivered_us: int | None
    last_error: str | None
    last_error_us: int | None


class Alerts:
    """Alerts of a watch. Make it before the watch's first commit: it begins where the log ends.

    Args:
        log: the store; read, and its database holds the outbox.
        sinks, rules: as :func:`adiz.out.alerts.from_tables` gives them.
        now_us: the clock, microseconds since 1970 UTC.
        wait: waits for an event at most so many seconds.

    Raises:
        AdizError: the store's alerts are of a later version.
    """

    def __init__(
        self,
        log: EventLog,
        sinks: Sequence[Sink],
        rules: Sequence[Rule],
        *,
        now_us: Callable[[], int] | None = None,
        wait: Callable[[threading.Event, float], object] = threading.Event.wait,
    ) -> None:
        self._now_us = now_us or _now_us
        self._wait = wait
        self._stop = threading.Event()
        self.outbox = Outbox(log)
        self._log = log
        self._pump = Pump(log, self.outbox, rules, self._now_us)
        self._workers = [Worker(sink, self.outbox, self._now_us, self._stop) for sink in sinks]
        self._wakes = [threading.Event() for _ in range(len(self._workers) + 1)]
        self._threads: list[threading.Thread] = []
        self._error: str | None = None

    def start(self) -> None:
        """Begin to read the log and to deliver."""
        loops: list[tuple[str, Callable[[], None]]] = [("alerts", self._run_pump)]
        for worker, wake in zip(self._workers, self._wakes[1:], strict=True):
            name = f"alerts-{worker.sink.name}"
            loops.append((name, lambda worker=worker, wake=wake: self._run_worker(worker, wake)))  # type: ignore[misc]
        for name, loop in loops:
            thread = threading.Thread(target=loop, name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self, timeout_s: float = 10.0) -> bool:
        """Leave off after the delivery under way; False where a sink did not come back in time.

        What is not delivered stays in the outbox.
        """
        self._stop.set()
        self.wake(workers=True)
        until = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def wake(self, *, workers: bool = False) -> None:
        """Say that events were committed; returns at once."""
        for wake in self._wakes if workers else self._wakes[:1]:
            wake.set()

    def drain(self, timeout_s: float) -> bool:
        """Wait until everything due is delivered or dead; False where that took too long."""
        until = time.monotonic() + timeout_s
        names = {worker.sink.name for worker in self._workers}
        while time.monotonic() < until:
            taken = not self._log.events_after(self.outbox.cursor(), 1)
            counts = self.outbox.counts()
            waiting = any(sink in names and s == "pending" for sink, s in counts)
            if taken and not waiting:
                return True
            self.wake()
            time.sleep(0.05)
        return False

    def ack(self, event_id: str, who: str) -> bool:
        """Acknowledge an alert; False where no alert was made of that event."""
        return self.outbox.ack(event_id, who, self._now_us())

    def dead_letters(self, sink: str | None = None, limit: int = 1000) -> list[dict[str, Any]]:
        """Deliveries that were given up or refused: ``id``, ``sink``, ``rule``, ``text``,
        ``error`` and more, oldest first."""
        return self.outbox.dead(sink, limit)

    def resend(self, *, ids: Sequence[int] | None = None, sink: str | None = None) -> int:
        """Try dead letters again; returns how many."""
        count = self.outbox.resend(self._now_us(), ids=ids, sink=sink)
        self.wake(workers=True)
        return count

    @property
    def error(self) -> str | None:
        """What keeps the rules from being applied (a full disk, a database that is away)."""
        return self._error

    def health(self) -> list[SinkHealth]:
        """How each sink does; also those that no configured sink serves any more."""
        counts, now, found = self.outbox.counts(), self._now_us(), []
        names = [worker.sink.name for worker in self._workers]
        for worker in self._workers:
            figures = worker.figures
            active = figures.delivered or figures.failed_tries
            found.append(
                _health(
                    worker.sink.name,
                    worker.sink.kind,
                    "retrying" if figures.down else "ok" if active else "idle",
                    counts,
                    now,
                    delivered=figures.delivered,
                    failed_tries=figures.failed_tries,
                    last_delivered_us=figures.last_delivered_us,
                    last_error=figures.last_error,
                    last_error_us=figures.last_error_us,
                )
            )
        for name in sorted({sink for sink, _ in counts} - set(names)):
            found.append(_health(name, "", "not configured", counts, now))
        return found

    def _run_pump(self) -> None:
        def step() -> float:
            if self._pump.step():
                for wake in self._wakes[1:]:
                    wake.set()
            self._error = None
            return POLL_S

        def failed(error: Exception) -> None:
            self._error = _reason(error)

        self._loop(step, failed, self._wakes[0])

    def _run_worker(self, worker: Worker, wake: threading.Event) -> None:
        def failed(error: Exception) -> None:
            worker.figures.last_error = _reason(error)
            worker.figures.last_error_us = self._now_us()

        try:
            self._loop(worker.step, failed, wake)
        finally:
            worker.sink.close()

    def _loop(
        self,
        step: Callable[[], float],
        failed: Callable[[Exception], None],
        wake: threading.Event,
    ) -> None:
        while not self._stop.is_set():
            wake.clear()
            try:
                wait_s = step()
            except Exception as error:  # nothing is lost by it: it is all still to be done
                failed(error)
                wait_s = POLL_S
            self._wait(wake, min(wait_s, POLL_S))


def _reason(error: Exception) -> str:
    return clean(f"{type(error).__name__}: {getattr(error, 'orig', None) or error}", 500)


def _now_us() -> int:
    return (clock.now() - _EPOCH) // timedelta(microseconds=1)


def _health(
    name: str,
    kind: str,
    state: str,
    counts: dict[tuple[str, str], tuple[int, int]],
    now_us: int,
    *,
    delivered: int = 0,
    failed_tries: int = 0,
    last_delivered_us: int | None = None,
    last_error: str | None = None,
    last_error_us: int | None = None,
) -> SinkHealth:
    pending, oldest_us = counts.get((name, "pending"), (0, now_us))
    return SinkHealth(
        name=name,
        kind=kind,
        state=state,
        pending=pending,
        dead=counts.get((name, "dead"), (0, 0))[0],
        oldest_s=max(0.0, (now_us - oldest_us) / 1e6),
        delivered=delivered,
        failed_tries=failed_tries,
        last_delivered_us=last_delivered_us,
        last_error=last_error,
        last_error_us=last_error_us,
    )
