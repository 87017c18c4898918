"""ASTERIX CAT 021, 048 and 062 over UDP, unicast or multicast (:mod:`adiz.sources.asterix`).

A record is dated by its time of day and when it was received here. Datagrams that the system had to
drop because they were not fetched in time are counted too (Linux, ``SO_RXQ_OVFL``).
"""

from __future__ import annotations

import ipaddress
import select
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from adiz.options import Option, OptionError
from adiz.sources.asterix import Asterix
from adiz.sources.feeds import net
from adiz.sources.feeds.model import Emit, FeedError, now_us
from adiz.sources.feeds.stream import TIMING, Usefulness, decoded
from adiz.sources.site import read_sites
from adiz.sources.values import rows_frame

OPTIONS = (
    Option("port", "whole", "UDP port to receive at", least=1, most=65_535),
    Option("group", "text", "address of the multicast group, if it is one", None),
    Option("interface", "text", "name or address of the interface; default: the system's choice",
           None),
    Option("senders", "texts", "addresses that may send; default: any", None),
    Option("site", "place", "where the radar stands, if there is one", None),
    Option("sites", "table", 'where radars stand: "SAC/SIC" = place', None),
    Option("buffer_mb", "number", "megabytes that the system may hold back", 8.0, least=0.1,
           most=1000),
    *TIMING,
)  # fmt: skip
_SO_RXQ_OVFL = 40
_DATAGRAM_OCTETS = 1 << 16
_MOST_DATAGRAMS = 5_000
LOST = "datagrams that came faster than they were read"
FOREIGN = "a datagram of another sender"
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def make(name: str, values: dict[str, Any]) -> AsterixFeed:
    """The feed of validated options."""
    given = values.pop("sites") or {}
    site = values.pop("site")
    sites = read_sites(given if site is None else {**given, "": site})
    group = values["group"] = _address(values["group"], "group")
    if group is not None and not group.is_multicast:
        remedy = "a group is 224.… to 239.…, or ff…; leave it out for unicast"
        raise OptionError(f"{group} is no address of a group", "group", remedy)
    if group is None:
        _address(values["interface"], "interface")  # of unicast it has to be one
    senders = values.pop("senders") or []
    allowed = frozenset(str(_address(sender, "senders")) for sender in senders)
    return AsterixFeed(name, Datagrams(Asterix(sites, one_default=True)), senders=allowed, **values)


def _address(text: str | None, field: str) -> _Address | None:
    try:
        return None if text is None else ipaddress.ip_address(text)
    except ValueError:
        raise OptionError(f"'{text}' is no address", field, "as 239.255.1.1") from None


class Datagrams:
    """Decodes datagrams as they come; what is rejected within them is in the frames."""

    def __init__(self, decoder: Asterix) -> None:
        self.rejected: Counter[str] = Counter()
        self._decoder = decoder

    def step(self, pieces: list[net.Piece]) -> pl.DataFrame | None:
        """The frame of some datagrams."""
        return rows_frame(self._decoder.step(*piece) for piece in pieces)

    def cut(self) -> pl.DataFrame | None:
        """Nothing of a datagram is left over."""
        return None


@dataclass(slots=True)
class AsterixFeed:
    """See the module."""

    name: str
    decoder: Datagrams
    port: int
    group: _Address | None
    interface: str | None
    senders: frozenset[str]
    buffer_mb: float
    batch_s: float
    silent_s: float
    kind: str = "asterix"
    replayable: bool = False
    _lost: int = field(default=0)

    def run(self, emit: Emit, stop: threading.Event, position: str | None) -> None:
        """Receive until asked to stop, or nothing comes."""
        where = f"UDP port {self.port}" + (f" of {self.group}" if self.group else "")
        useful = Usefulness(self.silent_s)
        try:
            with self._open() as sock:
                for pieces in self._gather(sock, stop):
                    frame = self.decoder.step(pieces)
                    received_us = pieces[-1][1] if pieces else now_us()
                    batch = decoded(self.decoder, self.name, frame, received_us)
                    emit(batch)
                    useful.see(batch)
        except OSError as error:
            raise FeedError(f"{where}: {net.reason_of(error)}") from None
        except FeedError as error:
            raise FeedError(f"{where}: {error}") from None

    def _open(self) -> socket.socket:
        v6 = self.group.version == 6 if self.group else ":" in (self.interface or "")
        sock = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, round(self.buffer_mb * 1e6))
            with suppress(OSError):  # only Linux counts them
                sock.setsockopt(socket.SOL_SOCKET, _SO_RXQ_OVFL, 1)
            sock.setblocking(False)
            self._lost = 0
            if self.group is None:
                sock.bind((self.interface or "", self.port))
            else:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                # Bound to the group, or datagrams of other groups at this port would come too.
                sock.bind((str(self.group), self.port))
                _join(sock, self.group, self.interface)
        except BaseException:
            sock.close()
            raise
        return sock

    def _gather(self, sock: socket.socket, stop: threading.Event) -> Iterator[list[net.Piece]]:
        """Datagrams with when they were received, for as long as a batch lasts."""
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        pieces: list[net.Piece] = []
        last_s, until_s, pending = time.monotonic(), 0.0, False
        while not stop.is_set():
            now_s = time.monotonic()
            wait_s = min(until_s - now_s, net.SLICE_S) if pending else net.SLICE_S
            if poll.poll(max(wait_s, 0.0) * 1000):
                pieces += self._fetch(sock)
                last_s = now_s = time.monotonic()
                if not pending:
                    until_s, pending = now_s + self.batch_s, True
            elif now_s - last_s > self.silent_s:
                raise FeedError(f"nothing came for {self.silent_s:g} s")
            if pending and (time.monotonic() >= until_s or len(pieces) >= _MOST_DATAGRAMS):
                if pieces or self.decoder.rejected:
                    yield pieces
                pieces, pending = [], False
        if pieces:
            yield pieces

    def _fetch(self, sock: socket.socket) -> list[net.Piece]:
        """All that is waiting."""
        pieces: list[net.Piece] = []
        while len(pieces) < _MOST_DATAGRAMS:
            try:
                data, extra, _, sender = sock.recvmsg(_DATAGRAM_OCTETS, 64)
            except BlockingIOError:
                break
            for level, kind, value in extra:
                if (level, kind) == (socket.SOL_SOCKET, _SO_RXQ_OVFL):
                    lost = struct.unpack("=I", value[:4])[0]
                    self.decoder.rejected[LOST] += (lost - self._lost) & 0xFFFFFFFF
                    self._lost = lost
            if self.senders and sender[0] not in self.senders:
                self.decoder.rejected[FOREIGN] += 1
                continue
            pieces.append((data, now_us()))
        self.decoder.rejected = +self.decoder.rejected
        return pieces


def _join(sock: socket.socket, group: _Address, interface: str | None) -> None:
    """Join a multicast group at an interface."""
    local, number = b"\0\0\0\0", 0
    if interface:
        try:
            local = ipaddress.IPv4Address(interface).packed
        except ValueError:
            number = socket.if_nametoindex(interface)
    if group.version == 4:
        request = struct.pack("=4s4si", group.packed, local, number)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
    else:
        request = struct.pack("=16sI", group.packed, number)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, request)
