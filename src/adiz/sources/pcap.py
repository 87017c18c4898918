"""Captures of network traffic (pcap and pcapng): the UDP datagrams in them, with their times.

Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng; link types as in the tcpdump registry.
Datagrams in fragments are not put together: each fragment is told as a fault.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

_PCAP = {
    b"\xd4\xc3\xb2\xa1": ("<", 1_000),
    b"\xa1\xb2\xc3\xd4": (">", 1_000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
"""The first octets of a pcap file -> byte order, and nanoseconds in the unit of its fractions."""
_PCAPNG = b"\x0a\x0d\x0d\x0a"
_MOST_OCTETS = 1 << 20
_ETHERNET_IP = (b"\x08\x00", b"\x86\xdd")
_VLAN = (b"\x81\x00", b"\x88\xa8")
# Link type -> octets before the protocol, and octets before what it carries.
_LINKS = {1: (12, 14), 113: (14, 16), 276: (0, 20)}
_RAW_LINKS = {0: 4, 12: 0, 14: 0, 101: 0, 108: 4, 228: 0, 229: 0}
_UDP = 17


class Packet(NamedTuple):
    """What one packet of a capture carries.

    Attributes:
        time_us: when it was captured, microseconds since 1970 UTC; None where it is not told.
        payload: of its UDP datagram; empty where ``fault`` is given.
        fault: why there is no datagram.
    """

    time_us: int | None
    payload: bytes = b""
    fault: str | None = None


def is_pcap(head: bytes) -> bool:
    """Whether a file that begins so is a capture of network traffic."""
    return head[:4] in _PCAP or head[:4] == _PCAPNG


def packets(data: bytes) -> Iterator[Packet]:
    """Each packet of a capture in turn; a damaged rest is one last packet with its fault."""
    frames = _pcapng_frames(data) if data[:4] == _PCAPNG else _pcap_frames(data)
    try:
        for link, time_us, frame in frames:
            yield _datagram(link, time_us, frame)
    except (struct.error, IndexError):
        yield Packet(None, fault="the capture is damaged from here on")


def _pcap_frames(data: bytes) -> Iterator[tuple[int, int | None, bytes]]:
    order, unit_ns = _PCAP[data[:4]]
    (link,) = struct.unpack_from(order + "I", data, 20)
    at = 24
    while at < len(data):
        seconds, fraction, length, _ = struct.unpack_from(order + "IIII", data, at)
        at += 16
        if length > _MOST_OCTETS or at + length > len(data):
            raise IndexError
        yield (
            link & 0xFFFF,
            seconds * 1_000_000 + fraction * unit_ns // 1_000,
            data[at : at + length],
        )
        at += length


def _pcapng_frames(data: bytes) -> Iterator[tuple[int, int | None, bytes]]:
    order, at = "<", 0
    links: list[tuple[int, int]] = []
    while at < len(data):
        kind = data[at : at + 4]
        if kind == _PCAPNG:
            order = "<" if data[at + 8 : at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            links = []
        (block_type, length) = struct.unpack_from(order + "II", data, at)
        if length < 12 or at + length > len(data):
            raise IndexError
        body = data[at + 8 : at + length - 4]
        if block_type == 1:
            (link,) = struct.unpack_from(order + "H", body)
            links.append((link, _ticks_per_s(order, body)))
        elif block_type == 6:
            interface, high, low, size = struct.unpack_from(order + "IIII", body)
            link, ticks = links[interface]
            yield link, (high << 32 | low) * 1_000_000 // ticks, body[20 : 20 + size]
        elif block_type == 3:
            yield links[0][0], None, body[4:]
        at += length


def _ticks_per_s(order: str, interface: bytes) -> int:
    """The resolution of an interface's times: its option 9, else microseconds."""
    at = 8
    while at + 4 <= len(interface):
        option, length = struct.unpack_from(order + "HH", interface, at)
        if option == 0:
            break
        if option == 9:
            exponent = interface[at + 4]
            return int(2 ** (exponent & 0x7F)) if exponent & 0x80 else int(10**exponent)
        at += 4 + (length + 3) // 4 * 4
    return 1_000_000


def _datagram(link: int, time_us: int | None, frame: bytes) -> Packet:
    """The UDP datagram in a frame."""
    ip = _ip_packet(link, frame)
    if ip is None:
        return Packet(time_us, fault="not UDP")
    if len(ip) >= 20 and ip[0] >> 4 == 4:
        header = (ip[0] & 15) * 4
        if ip[9] != _UDP:
            return Packet(time_us, fault="not UDP")
        if int.from_bytes(ip[6:8], "big") & 0x3FFF:
            return Packet(time_us, fault="a fragment of a datagram")
    elif len(ip) >= 40 and ip[0] >> 4 == 6 and ip[6] == _UDP:
        header = 40
    else:
        return Packet(time_us, fault="not UDP")
    length = int.from_bytes(ip[header + 4 : header + 6], "big")
    datagram = ip[header : header + length]
    if length < 8 or len(datagram) < length:
        return Packet(time_us, fault="a datagram is cut off")
    return Packet(time_us, datagram[8:])


def _ip_packet(link: int, frame: bytes) -> bytes | None:
    if link in _RAW_LINKS:
        return frame[_RAW_LINKS[link] :]
    if link not in _LINKS:
        return None
    protocol, start = _LINKS[link]
    while frame[protocol : protocol + 2] in _VLAN:
        protocol, start = protocol + 4, start + 4
    return frame[start:] if frame[protocol : protocol + 2] in _ETHERNET_IP else None
