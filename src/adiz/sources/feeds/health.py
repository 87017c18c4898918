"""How far a feed's clock is from ours."""

from __future__ import annotations

from collections import deque
from statistics import median

from adiz import units

_BUCKET_US = 10 * units.US_PER_S
_BUCKETS = 30
TOLERANCE_S = 5.0


class ClockWatch:
    """Watches the delay from a report's time to its arrival.

    What arrives has been under way for a while, so that the least delay tells the clocks apart
    best: it is taken for every 10 s, and the median of those over 5 min is the feed's delay, which
    neither a burst of late reports nor a few of the future move. A feed that is late by always the
    same looks like one whose clock is behind.
    """

    def __init__(self, tolerance_s: float = TOLERANCE_S) -> None:
        self._tolerance_s = tolerance_s
        self._least: deque[tuple[int, int]] = deque(maxlen=_BUCKETS)

    def observe(self, received_us: int, newest_report_us: int) -> None:
        """Take in one batch: when it was received, and the time of its newest report."""
        bucket, delay_us = received_us // _BUCKET_US, received_us - newest_report_us
        if self._least and self._least[-1][0] == bucket:
            delay_us = min(delay_us, self._least.pop()[1])
        elif self._least and abs(bucket - self._least[-1][0]) > _BUCKETS:
            self._least.clear()  # our own clock was set, or the feed was away for long
        self._least.append((bucket, delay_us))

    @property
    def delay_s(self) -> float | None:
        """The least delay, seconds; negative: reports of the future. None before the first."""
        if not self._least:
            return None
        return float(median(delay_us for _, delay_us in self._least)) / units.US_PER_S

    @property
    def verdict(self) -> str:
        """``ahead``, ``behind``, ``right`` or ``unknown``."""
        delay_s = self.delay_s
        if delay_s is None:
            return "unknown"
        if abs(delay_s) <= self._tolerance_s:
            return "right"
        return "ahead" if delay_s < 0 else "behind"

    def sentence(self) -> str:
        """The same for a person."""
        delay_s = self.delay_s
        if delay_s is None:
            return "nothing is known of its clock"
        if self.verdict == "right":
            return f"its clock is right to {self._tolerance_s:g} s"
        size = abs(delay_s)
        said = f"{size:.1f} s" if size < 600 else f"{size / 3600:.2f} h"
        zone = "; is its time_zone right?" if size > 1700 else ""
        if delay_s < 0:
            return f"its clock is {said} ahead of this machine's{zone}"
        return f"its reports are {said} old when they arrive, or its clock is behind{zone}"
