"""Octets of feeds, made from what they are to say: Mode S, Beast, ASTERIX, pcap."""

from __future__ import annotations

import math
import struct

from adiz.tracks.cpr import longitude_zones


def checksum(message: bytes) -> bytes:
    """The 24-bit parity of Mode S (ICAO Annex 10 volume IV, 3.1.2.3.3)."""
    rest = int.from_bytes(message, "big") << 24
    bits = len(message) * 8
    for place in range(bits - 1, -1, -1):
        if rest >> (place + 24) & 1:
            rest ^= 0x1FFF409 << place
    return rest.to_bytes(3, "big")


def squitter(address: int, payload: int, *, first: int = 0x8D) -> bytes:
    """An extended squitter (DF 17, capability 5, unless said otherwise) with 56 bits of payload."""
    head = bytes([first]) + address.to_bytes(3, "big") + payload.to_bytes(7, "big")
    return head + checksum(head)


def coded(lat_deg: float, lon_deg: float, odd: bool, surface: bool = False) -> tuple[int, int]:
    """A position as compact position reporting codes it (DO-260B A.1.7.3)."""
    scale = 1 << 19 if surface else 1 << 17
    step = 360 / (60 - odd)
    lat = math.floor(scale * ((lat_deg % step) / step) + 0.5)
    known = step * (lat / scale + math.floor(lat_deg / step))
    step = 360 / max(longitude_zones(known) - odd, 1)
    lon = math.floor(scale * ((lon_deg % step) / step) + 0.5)
    return lat % (1 << 17), lon % (1 << 17)


def position(
    address: int,
    lat_deg: float,
    lon_deg: float,
    odd: bool,
    *,
    surface: bool = False,
    df: int = 0x8D,
) -> bytes:
    """A position message: 38,000 ft, or standing on the ground."""
    lat, lon = coded(lat_deg, lon_deg, odd, surface)
    head = 7 << 51 | 1 << 44 if surface else 11 << 51 | 0xC38 << 36
    return squitter(address, head | odd << 34 | lat << 17 | lon, first=df)


def beast(message: bytes, ticks: int = 1) -> bytes:
    """A Beast frame."""
    body = ticks.to_bytes(6, "big") + b"\x40" + message
    kind = {2: b"1", 7: b"2", 14: b"3"}[len(message)]
    return b"\x1a" + kind + body.replace(b"\x1a", b"\x1a\x1a")


def record(*fields: tuple[int, bytes]) -> bytes:
    """An ASTERIX record of fields by their field reference number."""
    octets = [0] * -(-max(number for number, _ in fields) // 7)
    for number, _ in fields:
        octets[(number - 1) // 7] |= 0x80 >> (number - 1) % 7
    spec = bytes([o | 1 for o in octets[:-1]] + octets[-1:])
    return spec + b"".join(data for _, data in sorted(fields))


def block(category: int, *records: bytes) -> bytes:
    """An ASTERIX data block."""
    body = b"".join(records)
    return struct.pack(">BH", category, len(body) + 3) + body


def day_time(seconds: float) -> bytes:
    """A time of day in 1/128 s."""
    return round(seconds * 128).to_bytes(3, "big")


def plot(
    seconds: float,
    *,
    range_nm: float = 60.0,
    bearing_deg: float = 90.0,
    level: float | None = 330.0,
    address: int | None = None,
    number: int | None = None,
    sensor: tuple[int, int] = (25, 12),
    descriptor: bytes = b"\xa0",
) -> bytes:
    """A record of CAT 048."""
    polar = struct.pack(">HH", round(range_nm * 256), round(bearing_deg / 360 * 65536) % 65536)
    fields = [(1, bytes(sensor)), (2, day_time(seconds)), (3, descriptor), (4, polar)]
    if level is not None:
        fields.append((6, struct.pack(">H", round(level * 4) & 0x3FFF)))
    if address is not None:
        fields.append((8, address.to_bytes(3, "big")))
    if number is not None:
        fields.append((11, number.to_bytes(2, "big")))
    return record(*fields)


def udp(payload: bytes, *, vlan: bool = False) -> bytes:
    """An Ethernet frame with a UDP datagram."""
    datagram = struct.pack(">HHHH", 8600, 8600, len(payload) + 8, 0) + payload
    ip = struct.pack(">BBHHHBBHII", 0x45, 0, len(datagram) + 20, 0, 0, 1, 17, 0, 1, 2)
    tag = b"\x81\x00\x00\x05" if vlan else b""
    return bytes(12) + tag + b"\x08\x00" + ip + datagram


def pcap(frames: list[tuple[float, bytes]], *, order: str = "<", nano: bool = False) -> bytes:
    """A pcap file of Ethernet frames with their times."""
    unit = 1e9 if nano else 1e6
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, 1)
    for time_s, frame in frames:
        whole = int(time_s)
        fraction = round((time_s - whole) * unit)
        out += struct.pack(order + "IIII", whole, fraction, len(frame), len(frame)) + frame
    return out


def pcapng(frames: list[tuple[float, bytes]], *, ticks_exponent: int = 9) -> bytes:
    """A pcapng file of Ethernet frames with their times, in a resolution of its own."""

    def part(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        length = len(body) + 12
        return struct.pack("<II", kind, length) + body + struct.pack("<I", length)

    out = part(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    option = struct.pack("<HHB3xHH", 9, 1, ticks_exponent, 0, 0)
    out += part(1, struct.pack("<HHI", 1, 0, 65535) + option)
    for time_s, frame in frames:
        ticks = round(time_s * 10**ticks_exponent)
        head = struct.pack("<IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame))
        out += part(6, head + frame)
    return out
