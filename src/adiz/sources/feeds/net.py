"""Sockets whose waits are short, so that a feed stops promptly, and have an end."""

from __future__ import annotations

import errno
import os
import re
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

from adiz.sources.feeds.model import FeedError, now_us

SLICE_S = 0.2
_READ_OCTETS = 1 << 16
_GATHER_OCTETS = 1 << 20
Piece = tuple[bytes, int]


class StoppedError(FeedError):
    """The feed was asked to stop in the middle of something."""

    def __init__(self) -> None:
        super().__init__("asked to stop")


def reason_of(error: OSError) -> str:
    """What an error of the system means, for a person."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, socket.gaierror):
        return f"its name is not known ({error.strerror})"
    return (error.strerror or str(error) or type(error).__name__).lower()


def shown(url: str) -> str:
    """An address without the name and password that may be in it."""
    return re.sub(r"//[^/?#]*@", "//", url)


def connect(host: str, port: int, timeout_s: float, stop: threading.Event) -> socket.socket:
    """A TCP connection to the first address of a host that takes it.

    Raises:
        FeedError: no address does, in the time given.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        said = reason_of(error) if isinstance(error, OSError) else "that is no name of a host"
        raise FeedError(f"{host}:{port}: {said}") from None
    reason, until_s = "no address", time.monotonic() + timeout_s
    for family, kind, protocol, _, address in found:
        sock = socket.socket(family, kind, protocol)
        try:
            _connect_one(sock, address, until_s, stop)
            return sock
        except OSError as error:
            sock.close()
            reason = reason_of(error)
        except BaseException:
            sock.close()
            raise
    raise FeedError(f"{host}:{port}: {reason}")


def _connect_one(
    sock: socket.socket, address: object, until_s: float, stop: threading.Event
) -> None:
    sock.setblocking(False)
    code = sock.connect_ex(address)  # type: ignore[arg-type]
    poll = select.poll()
    poll.register(sock, select.POLLOUT)
    while code in (errno.EINPROGRESS, errno.EWOULDBLOCK):
        if stop.is_set():
            raise StoppedError
        if time.monotonic() > until_s:
            raise TimeoutError
        if poll.poll(SLICE_S * 1000):
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            break
    if code:
        raise OSError(code, os.strerror(code))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.settimeout(SLICE_S)


def receive(sock: socket.socket, wait_s: float) -> bytes | None:
    """What has come, at most after so long; None: nothing yet; empty: closed by the other side."""
    sock.settimeout(max(wait_s, 0.001))
    try:
        return sock.recv(_READ_OCTETS)
    except (TimeoutError, InterruptedError):
        return None


def gather(
    sock: socket.socket, stop: threading.Event, batch_s: float, silent_s: float
) -> Iterator[list[Piece]]:
    """What comes over a connection, gathered for as long as a batch lasts.

    Each piece has the moment of its reception. Ends when asked to stop.

    Raises:
        FeedError: the connection was closed, or nothing came for ``silent_s``.
    """
    pieces: list[Piece] = []
    size = 0
    last_s, until_s = time.monotonic(), 0.0
    failure: str | None = None
    while not stop.is_set() and failure is None:
        left_s = until_s - time.monotonic() if pieces else SLICE_S
        try:
            data = receive(sock, min(left_s, SLICE_S))
        except OSError as error:
            data, failure = None, reason_of(error)
        now_s = time.monotonic()
        if data:
            if not pieces:
                until_s = now_s + batch_s
            pieces.append((data, now_us()))
            size, last_s = size + len(data), now_s
        elif data == b"":
            failure = "the other side has closed the connection"
        elif now_s - last_s > silent_s:
            failure = f"nothing came for {silent_s:g} s"
        if pieces and (now_s >= until_s or size >= _GATHER_OCTETS or failure):
            yield pieces
            pieces, size = [], 0
    if pieces:
        yield pieces
    if failure:
        raise FeedError(failure)


def close(sock: socket.socket) -> None:
    """Close for good."""
    with suppress(OSError):
        sock.close()
