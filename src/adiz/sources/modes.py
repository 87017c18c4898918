"""One Mode S message decoded: by ``rs1090``, mended where that leaves out what an officer must see.

``rs1090`` (0.7) gives no position whose altitude is above 50,000 ft, none of the altitudes below
zero in the Gillham code, and a quarter of the speeds that are sent as supersonic. The altitude is
therefore worked out here, and a message that was left out is asked again without it. Sources: ICAO
Annex 10 volume IV, 3.1.2.6.5.4; DO-260B 2.2.3.2.3.4, which codes the height above the ellipsoid in
the same way.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from rs1090 import decode

Row = dict[str, Any]
_SQUITTERS = (17, 18)
_POSITIONS = {*range(9, 19), 20, 21, 22}
_VELOCITY = 19
_SUPERSONIC = 2
_GENERATOR = 0x1FFF409


def decode_message(message: bytes) -> Row | None:
    """What a message of 7 or 14 octets says; None if its checksum is wrong or it is none."""
    said = _decode(message)
    if len(message) != 14 or message[0] >> 3 not in _SQUITTERS:
        return said
    kind = message[4] >> 3
    if kind in _POSITIONS:
        code = message[5] << 4 | message[6] >> 4
        if said is None and code:
            said = _decode(_without_altitude(message))
        if said is not None and said.get("bds") == "05":
            said["altitude"] = altitude_ft(code)
    elif kind == _VELOCITY and message[4] & 7 == _SUPERSONIC and said is not None:
        speed = said.get("groundspeed")
        said["groundspeed"] = speed and 4 * speed
    return said


def altitude_ft(code: int) -> int | None:
    """The altitude of the 12 bits of a position message; None if they tell none.

    With the Q bit they count 25 ft from -1,000 ft, without it they are a Gillham code of 100 ft.
    """
    if code & 0x10:
        return (code >> 5 << 4 | code & 15) * 25 - 1_000
    # From the highest bit: C1 A1 C2 A2 C4 A4 B1 Q B2 D2 B4 D4.
    bits = [code >> place & 1 for place in range(11, -1, -1)]
    c1, a1, c2, a2, c4, a4, b1, _, b2, d2, b4, d4 = bits
    hundreds = _from_gray((c1, c2, c4))
    if hundreds in (0, 5, 6):
        return None
    hundreds = 5 if hundreds == 7 else hundreds
    five_hundreds = _from_gray((d2, d4, a1, a2, a4, b1, b2, b4))
    if five_hundreds % 2:
        hundreds = 6 - hundreds
    return five_hundreds * 500 + hundreds * 100 - 1_300


def _from_gray(bits: tuple[int, ...]) -> int:
    value = last = 0
    for bit in bits:
        last ^= bit
        value = value << 1 | last
    return value


def _decode(message: bytes) -> Row | None:
    try:
        return decode(message.hex())  # type: ignore[return-value]
    except BaseException as error:
        # The decoder is Rust; its panics are no Exceptions.
        if type(error).__name__ != "PanicException":
            raise
        return None


def _without_altitude(message: bytes) -> bytes:
    """The same message without its altitude, its checksum as right or wrong as before."""
    taken = bytes((message[5], message[6] & 0xF0, 0, 0, 0, 0))
    sent = int.from_bytes(message[11:], "big") ^ parity(taken)
    head = message[:5] + bytes((0, message[6] & 0x0F)) + message[7:11]
    return head + sent.to_bytes(3, "big")


def parity(head: Iterable[int]) -> int:
    """The 24-bit parity of octets (ICAO Annex 10 volume IV, 3.1.2.3.3)."""
    table, rest = _parities(), 0
    for octet in head:
        rest = (rest << 8 & 0xFFFFFF) ^ table[rest >> 16 ^ octet]
    return rest


@cache
def _parities() -> list[int]:
    table = []
    for octet in range(256):
        rest = octet << 16
        for _ in range(8):
            rest = rest << 1 ^ (_GENERATOR if rest & 0x800000 else 0)
        table.append(rest & 0xFFFFFF)
    return table
