"""What systemd is told of a watch: that it is ready, alive, reloading, stopping.

The protocol of sd_notify(3): datagrams of ``NAME=value`` lines to the socket that NOTIFY_SOCKET
names. Without that variable nothing is sent.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping


class Notifier:
    """Tells systemd, as far as it has asked to be told.

    Args:
        environ: where NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID are looked up.
    """

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        environ = os.environ if environ is None else environ
        place = environ.get("NOTIFY_SOCKET", "")
        # @ stands for the zero that begins the name of a socket outside the file system
        self._place = "\0" + place[1:] if place.startswith("@") else place
        pid = environ.get("WATCHDOG_PID")
        every = environ.get("WATCHDOG_USEC", "")
        ours = pid is None or pid == str(os.getpid())
        self.watchdog_s = int(every) / 1e6 if ours and every.isascii() and every.isdigit() else 0.0
        self._stop = threading.Event()

    def ready(self, text: str = "watching") -> None:
        """It has taken up its work, or goes on after a reload."""
        self._send(f"READY=1\nSTATUS={_line(text)}")

    def reloading(self) -> None:
        """It reads its configuration again; :meth:`ready` says that it has."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """It is on its way to the end; no more signs of life follow."""
        self._stop.set()
        self._send("STOPPING=1")

    def watch_over(self, alive: Callable[[], bool]) -> None:
        """Give signs of life, three in each span of the watchdog, while ``alive`` says so."""
        if self._place and self.watchdog_s > 0:
            args = (alive, self.watchdog_s / 3)
            threading.Thread(target=self._signs, args=args, name="watchdog", daemon=True).start()

    def _signs(self, alive: Callable[[], bool], every_s: float) -> None:
        while not self._stop.wait(every_s):
            if alive():
                self._send("WATCHDOG=1")

    def _send(self, text: str) -> None:
        if not self._place:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.settimeout(1.0)
            out.sendto(text.encode(), self._place)


def _line(text: str) -> str:
    return " ".join(text.split())[:200]
