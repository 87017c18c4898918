"""What a sink is, and what it may say of a delivery that did not go through."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Protocol

from adiz.out.alerts.message import Message


class FailedError(Exception):
    """A delivery did not go through this time, and may the next.

    Attributes:
        down: the sink as a whole cannot be reached: no other delivery need be tried now.
        retry_after_s: the least time to wait, where the receiver has said so.
    """

    def __init__(
        self, reason: str, *, down: bool = False, retry_after_s: float | None = None
    ) -> None:
        super().__init__(reason)
        self.down = down
        self.retry_after_s = retry_after_s


class RefusedError(Exception):
    """The receiver will never take this delivery: it becomes a dead letter."""


@dataclass(frozen=True, slots=True)
class Retry:
    """How failed deliveries are tried again: after first_s, doubling up to most_s, jittered.

    A delivery that has been tried for ``give_up_s`` becomes a dead letter.
    """

    first_s: float = 1.0
    most_s: float = 300.0
    give_up_s: float = 86400.0

    def delay_s(self, failures: int, least_s: float | None) -> float:
        """The wait after so many failures in a row; at least what the receiver asked for."""
        delay = min(self.most_s, self.first_s * 2.0 ** min(failures - 1, 40))
        jittered = delay * random.uniform(0.5, 1.0)
        return max(jittered, min(least_s or 0.0, 3600.0))


class Sink(Protocol):
    """A place that alerts go to. Called from its own worker's thread alone.

    Attributes:
        name, kind, retry: as configured.
        settle_s: a delivery counts as done only when :meth:`check` has found nothing wrong for so
            long after it; until then a loss sends it again. 0 where the receiver acknowledges.
    """

    name: str
    kind: str
    retry: Retry
    settle_s: float

    def deliver(self, message: Message) -> None:
        """Send one message; returns when the receiver has it.

        Waits no longer than the sink's own timeouts.

        Raises:
            FailedError: try again later.
            RefusedError: do not.
        """

    def check(self) -> bool:
        """Look, without waiting, whether the connection still stands.

        Called every second or so, and where ``settle_s`` is not 0 before each delivery. Returns
        True where it is known that the receiver has all that was sent.

        Raises:
            FailedError: it was lost: what is not settled has to be sent again.
        """

    def close(self) -> None:
        """Let go of everything."""


class SinkBase:
    """What most sinks share: nothing to settle, to check or to let go of."""

    kind = ""
    settle_s = 0.0

    def __init__(self, name: str, retry: Retry | None = None) -> None:
        self.name = name
        self.retry = retry or Retry()

    def check(self) -> bool:
        """Nothing can be lost."""
        return False

    def close(self) -> None:
        """Nothing is held."""
