"""A small web server for metrics and health that no client can hold up or make grow.

It reads one request of at most 8 kB, answers and closes; all within a few seconds, whatever the
client does. At most a fixed number of clients is served at a time: a new one takes the place of
the one that has been there longest. At most so many a second are looked at.
"""

from __future__ import annotations

import contextlib
import errno
import json
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from adiz.errors import AdizError, Fault, FaultyInputError
from adiz.out.face.health import health
from adiz.out.face.metrics import CONTENT_TYPE, metrics
from adiz.out.face.model import Status

_DEADLINE_S = 5.0
_MOST_CLIENTS = 16
_MOST_A_SECOND = 100
_MOST_BYTES = 8192
_FRESH_S = 1.0
_TAKEN_S = 5.0
_TEXT = "text/plain; charset=utf-8"
_PAGE = """adiz {version}: {status}
{reasons}
/metrics  figures, as Prometheus reads them
/health   the same as above, as JSON; 503 where the watch is stalled
"""


class Answer(NamedTuple):
    """What is sent back."""

    code: int
    kind: str
    body: bytes


def place_of(text: str, where: str | None = None) -> tuple[str, int]:
    """``HOST:PORT`` as host and port; the host may be an address in brackets, or empty for all.

    Raises:
        FaultyInputError: it is neither.
    """
    host, colon, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    fits = colon and port.isascii() and port.isdigit() and int(port) < 65_536
    if not fits or (":" in bare and bare == host):
        remedy = 'write HOST:PORT, for example "127.0.0.1:9180" or "[::1]:9180"'
        raise FaultyInputError(Fault(f"{text!r} is no place", where, None, "watch.status", remedy))
    return bare, int(port)


class StatusServer:
    """Serves ``/metrics``, ``/health`` and ``/`` in threads of its own, from its construction on.

    Args:
        place: host and port; port 0 takes any.
        read: the present status; None: not known yet. Called at most once a second, and by one
            thread at a time.

    Raises:
        AdizError: nothing can be served there.
    """

    def __init__(self, place: tuple[str, int], read: Callable[[], Status | None]) -> None:
        self._read = read
        self._reading = threading.Lock()
        self._last: tuple[float, Status | None] | None = None
        self._clients: deque[socket.socket] = deque()
        self._changing = threading.Lock()
        host, port = place
        try:
            self._socket = _listening(host, port)
        except OSError as error:
            raise AdizError(
                f"metrics cannot be served at {host}:{port}: {error.strerror or error}; "
                "is another watch there? see status of [watch]"
            ) from None
        self.port: int = self._socket.getsockname()[1]
        self._closed = False
        threading.Thread(target=self._accept, name="status", daemon=True).start()

    def close(self) -> None:
        """Serve no more."""
        self._closed = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._socket.close()

    def _accept(self) -> None:
        began_s, count = time.monotonic(), 0
        while not self._closed:
            try:
                client, _ = self._socket.accept()
            except OSError:
                time.sleep(0.1)  # too many files are open, or it was closed
                continue
            now_s = time.monotonic()
            if now_s - began_s >= 1.0:
                began_s, count = now_s, 0
            count += 1
            if count > _MOST_A_SECOND:
                time.sleep(max(0.0, began_s + 1.0 - now_s))
            self._admit(client)

    def _admit(self, client: socket.socket) -> None:
        with self._changing:
            if len(self._clients) >= _MOST_CLIENTS:
                oldest = self._clients.popleft()
                _shut(oldest)  # its thread ends by that
            self._clients.append(client)
        try:
            threading.Thread(target=self._serve, args=(client,), name="status", daemon=True).start()
        except RuntimeError:  # no more threads to be had
            self._leave(client)

    def _leave(self, client: socket.socket) -> None:
        with self._changing:
            if client in self._clients:
                self._clients.remove(client)
        _shut(client)  # a forked process may hold it too
        client.close()

    def _serve(self, client: socket.socket) -> None:
        try:
            until_s = time.monotonic() + _DEADLINE_S
            request = _request(client, until_s)
            if request is not None:
                client.settimeout(max(0.01, until_s - time.monotonic()))
                client.sendall(_message(request, self._answer(request)))
                _shut(client, socket.SHUT_WR)
                _request(client, min(until_s, time.monotonic() + 0.5))  # let it read to the end
        except OSError:
            pass  # it has gone, or was too slow
        finally:
            self._leave(client)

    def _answer(self, request: bytes) -> Answer:
        words = request.split(b"\r\n", 1)[0].split(b"\n", 1)[0].split()
        if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
            return Answer(400, _TEXT, b"this is no request\n")
        if words[0] not in (b"GET", b"HEAD"):
            return Answer(405, _TEXT, b"only GET is understood\n")
        path = words[1].split(b"?", 1)[0]
        if path not in (b"/", b"/metrics", b"/health"):
            return Answer(404, _TEXT, b"there are /metrics and /health\n")
        try:
            return self._told(path)
        except Exception as error:  # a fault here is no reason to fall silent
            said = f"the figures cannot be had: {type(error).__name__}\n"
            return Answer(500, _TEXT, said.encode())

    def _told(self, path: bytes) -> Answer:
        status = self._status()
        said = health(status)
        code = 503 if said["status"] == "stalled" else 200
        if path == b"/health":
            text = json.dumps(said, indent=1) + "\n"
            return Answer(code, "application/json", text.encode())
        if path == b"/metrics":
            if status is None:
                return Answer(503, _TEXT, b"the watch is starting\n")
            return Answer(200, CONTENT_TYPE, metrics(status).encode())
        reasons = "".join(f"  {reason}\n" for reason in said["reasons"])
        version = status.version if status else ""
        page = _PAGE.format(version=version, status=said["status"], reasons=reasons)
        return Answer(200, _TEXT, page.encode())

    def _status(self) -> Status | None:
        with self._reading:
            if self._last is None or time.monotonic() - self._last[0] >= _FRESH_S:
                self._last = (time.monotonic(), self._read())
            return self._last[1]


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens. One that is taken is waited for: a process that the last watch has
    forked to write its state may outlive it by a moment."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    until_s = time.monotonic() + _TAKEN_S
    while True:
        try:
            return socket.create_server((host, port), family=family, backlog=32)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > until_s:
                raise
            time.sleep(0.1)


_WORDS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


def _message(request: bytes, answer: Answer) -> bytes:
    lines = [
        f"HTTP/1.1 {answer.code} {_WORDS[answer.code]}",
        f"Content-Type: {answer.kind}",
        f"Content-Length: {len(answer.body)}",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        "Connection: close",
    ]
    if answer.code == 405:
        lines.append("Allow: GET, HEAD")
    head = "\r\n".join(lines).encode() + b"\r\n\r\n"
    return head if request.startswith(b"HEAD ") else head + answer.body


def _request(client: socket.socket, until_s: float) -> bytes | None:
    """The head of a request; None where it did not come whole, in time and size."""
    found = b""
    while b"\r\n\r\n" not in found and b"\n\n" not in found:
        left_s = until_s - time.monotonic()
        if left_s <= 0 or len(found) > _MOST_BYTES:
            return None
        client.settimeout(left_s)
        more = client.recv(4096)
        if not more:
            return None
        found += more
    return found


def _shut(client: socket.socket, how: int = socket.SHUT_RDWR) -> None:
    with contextlib.suppress(OSError):
        client.shutdown(how)
