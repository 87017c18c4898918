"""One page fetched again and again: whole, or not at all; never longer or later than allowed.

A request is one connection (RFC 9112, ``Connection: close``), so that a server that hangs, drips
or sends for ever costs one request. What has not changed is not sent again: an ``ETag`` is given
back, a ``Last-Modified`` only if it was a second older than the answer, since a page may change
twice in the second that it names (RFC 9110, 8.8.2.2).
"""

from __future__ import annotations

import base64
import http.client
import io
import re
import socket
import ssl
import threading
import time
from email.utils import parsedate_to_datetime
from urllib.parse import unquote, urlsplit

from adiz.errors import Fault, ReportsError
from adiz.sources.feeds import net
from adiz.sources.feeds.model import FeedError
from adiz.sources.files import GZIP, unpack

_HEAD_OCTETS = 1 << 16
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,15})[ \t]*\r\n", re.IGNORECASE)


class TooLongError(Exception):
    """A page is longer than allowed, packed or unpacked."""


class Page:
    """A page at an address ``http://…`` or ``https://…``.

    Raises:
        ReportsError: that is no such address.
    """

    def __init__(
        self, url: str, headers: dict[str, str], timeout_s: float, most_octets: int
    ) -> None:
        parts = urlsplit(url)
        try:
            port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        except (KeyError, ValueError):
            port = 0
        if not port or not parts.hostname or re.search(r"[\x00-\x20\x7f]", url):
            remedy = "write http://HOST:PORT/PATH or https://…"
            raise ReportsError(
                Fault(f"'{net.shown(url)}' is no address", field="url", remedy=remedy)
            )
        self.url = net.shown(url)
        self._host, self._port = parts.hostname, port
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._timeout_s, self._most_octets = timeout_s, most_octets
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = {"Host": parts.netloc.rpartition("@")[2], "Accept-Encoding": "gzip",
                 "User-Agent": "adiz", "Connection": "close", **headers}  # fmt: skip
        if parts.username is not None:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            lines["Authorization"] = f"Basic {base64.b64encode(login).decode()}"
        self._request = f"GET {path} HTTP/1.1\r\n" + _lines(lines)
        self._known: dict[str, str] = {}

    def fetch(self, stop: threading.Event) -> bytes | None:
        """The page, unpacked; None if it has not changed since the last time.

        Raises:
            FeedError: there is no page to be had.
            TooLongError: it is too long.
        """
        raw = self._exchange((self._request + _lines(self._known) + "\r\n").encode("latin-1"), stop)
        answer = http.client.HTTPResponse(_Received(raw))  # type: ignore[arg-type]
        try:
            answer.begin()
            data = answer.read()
        except (http.client.HTTPException, ValueError, OSError) as error:
            raise self._failure(f"the answer is no whole page ({type(error).__name__})") from None
        if answer.status == 304:
            return None
        if answer.status != 200:
            raise self._failure(_refusal(answer))
        if data[:2] == GZIP:
            data, damage = unpack(data, self._most_octets + 1)
            if damage:
                raise self._failure(damage)
        if len(data) > self._most_octets:
            raise TooLongError
        self._known = _conditions(answer)
        return data

    def forget(self) -> None:
        """Ask for the page the next time even if it has not changed."""
        self._known = {}

    def _exchange(self, request: bytes, stop: threading.Event) -> bytes:
        """Send a request and receive until the other side has said all."""
        until_s = time.monotonic() + self._timeout_s
        sock = net.connect(self._host, self._port, self._timeout_s, stop)
        try:
            if self._tls:
                sock.settimeout(self._timeout_s)
                sock = self._tls.wrap_socket(sock, server_hostname=self._host)
            sock.settimeout(self._timeout_s)
            sock.sendall(request)
            return self._receive(sock, until_s, stop)
        except OSError as error:
            raise self._failure(net.reason_of(error)) from None
        finally:
            net.close(sock)

    def _receive(self, sock: socket.socket, until_s: float, stop: threading.Event) -> bytes:
        raw, whole = bytearray(), 0
        while True:
            data = net.receive(sock, net.SLICE_S)
            if data == b"":
                return bytes(raw)
            raw += data or b""
            if stop.is_set():
                raise net.StoppedError
            if len(raw) > self._most_octets + _HEAD_OCTETS:
                raise TooLongError
            if not whole and data:
                whole = _whole_octets(raw)
            if whole and len(raw) >= whole:
                return bytes(raw)  # some servers do not close
            if time.monotonic() > until_s:
                raise TimeoutError

    def _failure(self, reason: str) -> FeedError:
        return FeedError(f"{self.url}: {reason}")


class _Received:
    """What has been received, as the standard library wants to read it."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)


def _lines(headers: dict[str, str]) -> str:
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items())


def _whole_octets(raw: bytearray) -> int:
    """How long an answer is in all, where its head says so."""
    head = raw.find(b"\r\n\r\n", 0, _HEAD_OCTETS)
    told = _LENGTH.search(raw, 0, head + 2) if head >= 0 else None
    return head + 4 + int(told[1]) if told else 0


def _refusal(answer: http.client.HTTPResponse) -> str:
    said = f"the server says {answer.status} {answer.reason}"[:100]
    elsewhere = answer.getheader("Location")
    return f"{said}: the page is at {elsewhere[:200]}" if elsewhere else said


def _conditions(answer: http.client.HTTPResponse) -> dict[str, str]:
    """What to ask the next time."""
    tag = answer.getheader("ETag")
    if tag and len(tag) < 1000 and tag.isprintable() and tag.isascii():
        return {"If-None-Match": tag}
    changed, sent = answer.getheader("Last-Modified"), answer.getheader("Date")
    try:
        if changed and sent:
            age = parsedate_to_datetime(sent) - parsedate_to_datetime(changed)
            if age.total_seconds() >= 1 and changed.isprintable():
                return {"If-Modified-Since": changed}
    except (TypeError, ValueError, OverflowError):
        pass
    return {}
