"""The worker of one sink: sends what the outbox holds for it, in order, as often as needed.

Order is kept within each track: while a delivery waits for its next try, later ones about any of
its tracks wait too; those of other tracks go on, unless the sink as a whole is down. Memory is
bounded by the page read from the outbox, :data:`MAX_HELD` waiting and :data:`MAX_UNSETTLED`
unconfirmed deliveries, however much is in the outbox.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

from adiz.out.alerts.model import FailedError, RefusedError, Sink
from adiz.out.alerts.outbox import Delivery, Outbox, Outcome
from adiz.out.alerts.words import clean

MAX_HELD = 256
MAX_UNSETTLED = 1024
_MANY = 5  # failures in a row after which the sink as a whole is left alone for a while
_GROUP = 50  # outcomes written down at once, at most: so many go out twice after a crash
_GROUP_US = 250_000


@dataclass(slots=True)
class Figures:
    """What the worker counts since it started."""

    delivered: int = 0
    failed_tries: int = 0
    refused: int = 0
    last_delivered_us: int | None = None
    last_error: str | None = None
    last_error_us: int | None = None
    down: bool = False


class Worker:
    """Sends to one sink. :meth:`step` does what can be done now and never waits for a retry.

    Args:
        sink: used by whoever calls ``step``, one caller at a time.
        outbox: where deliveries are.
        now_us: the clock.
        stop: set when the worker should leave off between two deliveries.
    """

    def __init__(
        self,
        sink: Sink,
        outbox: Outbox,
        now_us: Callable[[], int],
        stop: threading.Event | None = None,
    ) -> None:
        self.sink = sink
        self.figures = Figures()
        self._outbox = outbox
        self._retry = sink.retry
        self._now_us = now_us
        self._stop = stop or threading.Event()
        self._after = 0  # every pending delivery up to here is held, unsettled, or behind one
        self._held: OrderedDict[int, Delivery] = OrderedDict()
        # Tracks of what was passed over: an encounter that waits for one of its tracks makes
        # later ones of the other wait too.
        self._behind: set[str] = set()
        self._unsettled: OrderedDict[int, tuple[Delivery, int]] = OrderedDict()
        # How many may be unconfirmed: halved with every loss, or a receiver that keeps breaking
        # off would get the same few for ever.
        self._window = MAX_UNSETTLED
        self._outcomes: dict[int, Outcome] = {}
        self._written_us = now_us()
        self._failures = 0
        self._paused_until_us = 0

    def step(self) -> float:
        """Send what can be sent; returns the seconds until there may be more to do."""
        self._check()
        more = True
        while more and self._go_on():
            # New ones first: after a pause they find out whether it is the sink that fails, or
            # only what is held.
            more = self._send_page()
            self._retry_held()
        self._settle()
        self._write()
        return self._wait_s()

    def _go_on(self) -> bool:
        return not self._stop.is_set() and self._now_us() >= self._paused_until_us

    def _check(self) -> None:
        try:
            if self.sink.check():
                self._settle(everything=True)
        except FailedError as failed:
            self._failures = max(self._failures, 1)
            self._note(failed)
            self._pause(failed)

    def _retry_held(self) -> None:
        for delivery in self._heads():
            if not self._go_on():
                return
            if delivery.due_us <= self._now_us():
                self._deliver(delivery)

    def _heads(self) -> list[Delivery]:
        """The held deliveries that no older held one goes before."""
        heads, before = [], set[str]()
        for _, delivery in sorted(self._held.items()):
            if before.isdisjoint(delivery.lanes):
                heads.append(delivery)
            before.update(delivery.lanes)
        return heads

    def _send_page(self) -> bool:
        """Send a page of the outbox; False where there was none, or no room for it."""
        self._write()
        page = self._outbox.pending(self.sink.name, self._after)
        for delivery in page:
            if not self._go_on() or len(self._held) >= MAX_HELD or self._full():
                return False
            self._after = delivery.id
            self._take(delivery)
        return bool(page)

    def _full(self) -> bool:
        self._settle()
        return len(self._unsettled) >= self._window

    def _take(self, delivery: Delivery) -> None:
        if delivery.id in self._held or delivery.id in self._unsettled:
            return
        if delivery.id in self._outcomes and self._outcomes[delivery.id].status != "pending":
            return
        lanes = set(delivery.lanes)
        if not lanes.isdisjoint(self._behind) or any(
            not lanes.isdisjoint(held.lanes) for held in self._held.values()
        ):
            if len(lanes) > 1:
                self._behind |= lanes
            return  # read again when that one is done
        if delivery.due_us > self._now_us():  # failed before a restart
            self._held[delivery.id] = delivery
        else:
            self._deliver(delivery)

    def _deliver(self, delivery: Delivery) -> None:
        if self.sink.settle_s:
            self._check()
            if not self._go_on():
                self._look_again(delivery.id - 1)
                return
        now = self._now_us()
        delivery = replace(
            delivery,
            attempts=delivery.attempts + 1,
            first_us=now if delivery.first_us is None else delivery.first_us,
        )
        try:
            self.sink.deliver(delivery.message)
        except RefusedError as refused:
            self._note(refused)
            self.figures.refused += 1
            self._finish(delivery, "dead", clean(refused, 500))
        except FailedError as failed:
            self._fail(delivery, failed)
        except Exception as error:  # a fault in a sink must not end its worker
            self._fail(delivery, FailedError(f"{type(error).__name__}: {error}"))
        else:
            self._done(delivery)

    def _done(self, delivery: Delivery) -> None:
        self._failures = 0
        self.figures.down = False
        self.figures.last_delivered_us = self._now_us()
        self.figures.delivered += 1
        if self.sink.settle_s:
            self._release(delivery)
            settled = self._now_us() + int(self.sink.settle_s * 1e6)
            self._unsettled[delivery.id] = (delivery, settled)
        else:
            self._finish(delivery, "delivered", None)

    def _fail(self, delivery: Delivery, failed: FailedError) -> None:
        now = self._now_us()
        self._failures += 1
        self._note(failed)
        error = clean(failed, 500)
        tried_s = (now - (now if delivery.first_us is None else delivery.first_us)) / 1e6
        if tried_s > self._retry.give_up_s:
            self._finish(delivery, "dead", f"given up: {error}")
        else:
            wait_s = self._retry.delay_s(delivery.attempts, failed.retry_after_s)
            delivery = replace(delivery, due_us=now + int(wait_s * 1e6))
            if failed.down:  # it is the sink's fault: the delivery is first again, not held
                delivery = replace(delivery, due_us=now)
                self._held.pop(delivery.id, None)
                self._look_again(delivery.id - 1)
            else:
                self._held[delivery.id] = delivery
            self._record(delivery, "pending", error)
        if failed.down or self._failures >= _MANY:
            self._pause(failed)

    def _pause(self, failed: FailedError) -> None:
        """Leave the sink as a whole alone for a while.

        Where it was lost, what nobody has confirmed is sent again, and in order: so nothing that
        came after it stays ahead of it.
        """
        wait_s = self._retry.delay_s(self._failures, failed.retry_after_s)
        self._paused_until_us = max(self._paused_until_us, self._now_us() + int(wait_s * 1e6))
        self.figures.down = True
        if failed.down and self._unsettled:
            self._look_again(min([*self._unsettled, *self._held]) - 1)
            self.figures.delivered -= len(self._unsettled)
            self._unsettled.clear()
            self._held.clear()
            self._window = max(1, self._window // 2)

    def _note(self, error: Exception) -> None:
        self.figures.failed_tries += 1
        self.figures.last_error = clean(error, 500)
        self.figures.last_error_us = self._now_us()

    def _settle(self, *, everything: bool = False) -> None:
        now = self._now_us()
        while self._unsettled:
            delivery, settled_us = next(iter(self._unsettled.values()))
            if settled_us > now and not everything:
                return
            del self._unsettled[delivery.id]
            self._window = min(MAX_UNSETTLED, self._window + 1)
            self._finish(delivery, "delivered", None)

    def _finish(self, delivery: Delivery, status: str, error: str | None) -> None:
        self._release(delivery)
        self._record(delivery, status, error)

    def _release(self, delivery: Delivery) -> None:
        """It holds nothing back any more: what was passed over is looked at again."""
        if self._held.pop(delivery.id, None) is not None:
            self._look_again(delivery.id)

    def _look_again(self, from_id: int) -> None:
        """Read the outbox anew from a delivery on; from the oldest held one where what waits
        behind it may have made others wait."""
        if self._behind:
            from_id = min([from_id, *self._held])
            self._behind.clear()
        self._after = min(self._after, from_id)

    def _record(self, delivery: Delivery, status: str, error: str | None) -> None:
        first_us = self._now_us() if delivery.first_us is None else delivery.first_us
        self._outcomes[delivery.id] = Outcome(
            id=delivery.id,
            status=status,
            attempts=delivery.attempts,
            first_us=first_us,
            due_us=delivery.due_us,
            error=error,
        )
        if len(self._outcomes) >= _GROUP or self._now_us() - self._written_us >= _GROUP_US:
            self._write()

    def _write(self) -> None:
        """Write down what became of deliveries; what cannot be written is kept for the next."""
        if self._outcomes:
            self._outbox.settle(list(self._outcomes.values()), self._now_us())
            self._outcomes.clear()
        self._written_us = self._now_us()

    def _wait_s(self) -> float:
        """Until a retry, a settlement, or (at most a minute) another look."""
        now = self._now_us()
        if now < self._paused_until_us:
            times = [self._paused_until_us]
        else:
            times = [head.due_us for head in self._heads()]
        times += [settled for _, settled in list(self._unsettled.values())[:1]]
        return min([60.0, *(max(0.0, (time - now) / 1e6) for time in times)])
