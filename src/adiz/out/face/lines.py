"""Events as lines, written by a thread of its own: a reader that is slow holds nothing up."""

from __future__ import annotations

import json
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TextIO

from adiz.events import Event, iso
from adiz.out.alerts.words import clean

_MOST = 10_000
_LOOK_S = 0.2
_log = logging.getLogger("adiz.watch")


def as_line(event: Event) -> str:
    """An event for a person."""
    revised = f" (revision {event.revision})" if event.revision > 1 else ""
    withdrawn = " (withdrawn)" if event.withdrawn else ""
    return f"{event.kind:<14} {clean(event.text)}{revised}{withdrawn}"


def as_json(event: Event) -> str:
    """An event for a program: one object, its moments in ISO 8601."""
    row = asdict(event)
    row["time"], row["detected_time"] = iso(row.pop("time_us")), iso(row.pop("detected_us"))
    return json.dumps(row)


class Lines:
    """Writes events as they come.

    Args:
        told: the line of an event.
        out: where to.
        wait: hold up whoever shows events until there is room (a replay), instead of leaving
            events out; how many were left out is said on the log.
    """

    def __init__(self, told: Callable[[Event], str], out: TextIO, *, wait: bool) -> None:
        self._told, self._out, self._wait = told, out, wait
        self._waiting: deque[Event] = deque()
        self._changed = threading.Condition()
        self._closed = self._off = False
        self.left_out = 0
        self._thread = threading.Thread(target=self._run, name="lines", daemon=True)
        self._thread.start()

    def show(self, events: Sequence[Event]) -> None:
        """Show events, soon; from any thread."""
        with self._changed:
            for event in events:
                while self._wait and len(self._waiting) >= _MOST and not self._off:
                    self._changed.wait(_LOOK_S)
                if self._off:
                    return
                if len(self._waiting) >= _MOST:
                    self.left_out += 1
                else:
                    self._waiting.append(event)
            self._changed.notify_all()

    def hurry(self) -> None:
        """Hold nobody up any more; from anywhere, a signal's handler too."""
        self._wait = False

    def close(self, timeout_s: float = 5.0) -> bool:
        """Write what waits; False where the reader did not take it in time."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while events := self._next():
                self._out.write("".join(f"{self._told(event)}\n" for event in events))
                self._out.flush()
        except Exception as error:  # the reader has gone: the watch goes on
            _log.error("events are shown no more: %s", error)
        with self._changed:
            self._off = True
            self._changed.notify_all()

    def _next(self) -> list[Event]:
        """What waits; empty at the end."""
        with self._changed:
            while not self._waiting and not self._closed:
                self._changed.wait()
            events = list(self._waiting)
            self._waiting.clear()
            if self.left_out:
                _log.warning("%d events were not shown: the output is too slow", self.left_out)
                self.left_out = 0
            self._changed.notify_all()
        return events


class Notices(logging.Handler):
    """Keeps the last messages of the program for a view.

    Args:
        last: the last first.
    """

    def __init__(self, last: deque[str]) -> None:
        super().__init__(logging.WARNING)
        self._last = last

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        self._last.appendleft(clean(record.getMessage(), 300))
