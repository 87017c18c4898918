"""Cursor on Target over UDP, TCP or TLS, for TAK servers and clients.

Nothing in Cursor on Target acknowledges a message. Over TCP and TLS a message counts as delivered
when the other end's system has confirmed its octets and the connection then either stood for
``settle_s`` or was closed in order (a system resets a connection that is closed with octets
unread). Where it is reset before, everything since is sent again over the next one. Copies share
their uid, so a display shows them once. Over UDP a message is delivered when it has left: use it
where that will do.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import select
import socket
import ssl
import struct
import sys
import time
from collections.abc import Callable
from datetime import datetime

from adiz import clock
from adiz.options import Option, OptionError
from adiz.out.alerts.message import Message
from adiz.out.alerts.model import FailedError, Retry, SinkBase
from adiz.out.alerts.setting import TIMEOUT, TLS, Setting
from adiz.out.alerts.sinks.cot_event import Style, cot_event, type_fault

OPTIONS = (
    Option("address", "text", "udp://HOST:PORT, tcp://HOST:PORT or tls://HOST:PORT"),
    TIMEOUT,
    Option("settle_s", "number", "how long a connection must stand after a message", 5.0, 0.0, 600),
    Option("stale_s", "number", "how long a display shows an alert as current", 600.0, 1.0),
    Option("type", "text", "CoT type of aircraft; never a hostile one", default="a-u-A"),
    Option("ttl", "whole", "multicast: how many routers it may pass", 1, 0, 255),
    Option("interface", "text", "multicast: own address to send from", default=None),
    Option("server_name", "text", "TLS: the name in the server's certificate", default=None),
    *TLS,
)
_ADDRESS = re.compile(r"(udp|tcp|tls)://(?:\[([0-9A-Fa-f:.%\w]+)\]|([^\[\]/:]+)):(\d{1,5})/?")
_SIOCOUTQ = 0x5411  # Linux: octets that the peer has not confirmed


def make(setting: Setting) -> CotSink:
    """The sink that a table describes.

    Raises:
        OptionError: the address, the type or a certificate cannot be used.
    """
    match = _ADDRESS.fullmatch(setting["address"])
    if not match or not 0 < int(match[4]) < 65536:
        remedy = "write tcp://HOST:PORT, tls://HOST:PORT or udp://HOST:PORT"
        raise OptionError(f"{setting['address']!r} is no address", "address", remedy)
    fault = type_fault(setting["type"])
    if fault:
        raise OptionError(fault, "type", "a-u-A is air, unknown; a-n-A air, neutral")
    interface = setting["interface"]
    if interface is not None:
        try:
            ipaddress.ip_address(interface)
        except ValueError:
            raise OptionError(f"{interface!r} is no address", "interface") from None
    style = Style(aircraft_type=setting["type"], stale_s=setting["stale_s"])
    host, port = match[2] or match[3], int(match[4])
    if match[1] == "udp":
        link: UdpLink | StreamLink = UdpLink(host, port, setting["ttl"], interface)
    else:
        tls = setting.tls() if match[1] == "tls" else None
        link = StreamLink(host, port, setting["timeout_s"], tls, setting["server_name"])
    return CotSink(setting.name, link, style, settle_s=setting["settle_s"], retry=setting.retry)


class CotSink(SinkBase):
    """Sends each alert as one CoT event."""

    kind = "cot"

    def __init__(
        self,
        name: str,
        link: UdpLink | StreamLink,
        style: Style,
        *,
        settle_s: float = 5.0,
        retry: Retry | None = None,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        super().__init__(name, retry)
        self.settle_s = settle_s if isinstance(link, StreamLink) else 0.0
        self._link = link
        self._style = style
        self._now = now

    def deliver(self, message: Message) -> None:
        """Send the event.

        Raises:
            FailedError: there is no connection, or it broke.
        """
        octets = cot_event(message, self._style, self._now())
        try:
            self._link.send(octets)
        except OSError as error:
            self._link.close()
            raise FailedError(f"{type(error).__name__}: {error}", down=True) from None

    def check(self) -> bool:
        """Whether the connection still stands; True where it was closed in order."""
        try:
            return self._link.check()
        except OSError as error:
            self._link.close()
            raise FailedError(f"{type(error).__name__}: {error}", down=True) from None

    def close(self) -> None:
        """Close the connection."""
        self._link.close()


class UdpLink:
    """Datagrams, to one host or to a multicast group."""

    def __init__(self, host: str, port: int, ttl: int, interface: str | None) -> None:
        self._host, self._port = host, port
        self._ttl = ttl
        self._interface = interface
        self._socket: socket.socket | None = None

    def send(self, octets: bytes) -> None:
        """Send one datagram."""
        if self._socket is None:
            self._socket = self._connect()
        self._socket.send(octets)

    def check(self) -> bool:
        """Nothing can be seen."""
        return False

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connect(self) -> socket.socket:
        found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_DGRAM)
        family, _, _, _, place = found[0]
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            if ipaddress.ip_address(str(place[0]).split("%")[0]).is_multicast:
                self._multicast(sock, family)
            sock.connect(place)
        except OSError:
            sock.close()
            raise
        return sock

    def _multicast(self, sock: socket.socket, family: int) -> None:
        if family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, self._ttl)
            if self._interface:
                own = socket.inet_aton(self._interface)
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, own)
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, self._ttl)


class StreamLink:
    """A TCP or TLS connection, opened when there is something to send."""

    def __init__(
        self,
        host: str,
        port: int,
        timeout_s: float,
        tls: ssl.SSLContext | None,
        server_name: str | None = None,
    ) -> None:
        self._host, self._port = host, port
        self._timeout_s = timeout_s
        self._tls = tls
        self._server_name = server_name or host
        self._socket: socket.socket | None = None

    def send(self, octets: bytes) -> None:
        """Send, and wait until the other end's system has confirmed it.

        Raises:
            OSError: no connection, or it did not take the octets in time.
        """
        if self._socket is None:
            self._socket = self._connect()
        self._socket.settimeout(self._timeout_s)
        self._socket.sendall(octets)
        self._confirmed(self._socket)

    def check(self) -> bool:
        """Read away what comes in. True where the other end has closed in order, after it had
        read everything; a reset is an error."""
        sock = self._socket
        if sock is None:
            return False
        sock.settimeout(0.0)
        with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            for _ in range(64):
                if not sock.recv(65536):
                    _raise_error(sock)
                    self.close()
                    return True
        return False

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connect(self) -> socket.socket:
        sock = socket.create_connection((self._host, self._port), self._timeout_s)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if self._tls is not None:
                return self._tls.wrap_socket(sock, server_hostname=self._server_name)
        except OSError:
            sock.close()
            raise
        return sock

    def _confirmed(self, sock: socket.socket) -> None:
        if sys.platform != "linux":
            return
        import fcntl

        until = time.monotonic() + self._timeout_s
        pause_s = 0.0005
        while struct.unpack("i", fcntl.ioctl(sock.fileno(), _SIOCOUTQ, b"\0\0\0\0"))[0]:
            _raise_error(sock)  # after a reset it is never confirmed
            if time.monotonic() > until:
                raise TimeoutError(f"not confirmed within {self._timeout_s:g} s")
            select.select([], [], [], pause_s)
            pause_s = min(0.05, pause_s * 2)
        _raise_error(sock)


def _raise_error(sock: socket.socket) -> None:
    """Tell of a reset: behind an end of the stream it would go unseen."""
    error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error:
        raise OSError(error, os.strerror(error))
