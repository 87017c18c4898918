"""Every column that ASTERIX fills, against libasterix: on the captures and on random records.

The records are random octets within the structure of the category; libasterix, which is generated
from the published specifications, says what each item means.
"""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import pytest

from adiz.schema import REPORTS
from adiz.sources import asterix_items as items
from adiz.sources.asterix_fields import sighting
from adiz.sources.pcap import is_pcap, packets
from adiz.sources.readsb import NACP_ERROR_M
from tests.feed_samples import record

base = pytest.importorskip("asterix.base", reason="libasterix is not installed")
generated = pytest.importorskip("asterix.generated", reason="libasterix is not installed")

_KT_PER_MPS = 3600 / 1852
_FT_PER_M = 1 / 0.3048
NEVER = {"source", "flags", "registration", "time", "track_id", "icao24"}
"""Columns that a record alone does not fill: they are checked where records become reports."""
FILLED = {
    21: {c.name for c in REPORTS} - NEVER - {"type_code"},
    48: {"alt_baro_ft", "gs_kt", "track_true_deg", "on_ground", "callsign", "squawk"},
    62: {c.name for c in REPORTS} - NEVER,
}


class Record:
    """A record as libasterix decodes it; None for what is not there."""

    def __init__(self, category: int, octets: bytes) -> None:
        parse = generated.manifest["CATS"][category][-1].cv_uap.parse
        (self._record,) = parse(base.Bits.from_bytes(octets))

    def _content(self, item: str, *parts: str) -> Any:
        found = self._record.get_item(item)
        for part in parts:
            found = found and found.variation.get_item(part)
        return found and found.variation.content

    def __contains__(self, item: str) -> bool:
        return self._record.get_item(item) is not None

    def quantity(self, item: str, *parts: str) -> float | None:
        content = self._content(item, *parts)
        return None if content is None else float(content.as_quantity())

    def whole(self, item: str, *parts: str) -> int | None:
        content = self._content(item, *parts)
        return None if content is None else int(content.as_uint())

    def text(self, item: str, *parts: str) -> str | None:
        content = self._content(item, *parts)
        return None if content is None else str(content.as_string())


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _callsign(r: Record, *place: str) -> str | None:
    """None where a code stands for no character, which libasterix leaves out."""
    text, bits = r.text(*place), r.whole(*place)
    if text is None or bits is None:
        return None
    codes = {bits >> 6 * n & 63 for n in range(8)}
    sound = codes <= {0, 32, *range(1, 27), *range(48, 58)}
    return text.strip("\0 ") or None if sound else None


def _not_aircraft(simulated: Any, test: Any, monitor: Any) -> str | None:
    if simulated:
        return "a simulated target"
    return "a test target" if test else "a fixed transponder" if monitor else None


def _ads_b(r: Record) -> dict[str, Any]:
    time = r.quantity("071")
    if time is None:
        time = r.quantity("073")
        part = r.quantity("074", "TOMRP")
        if time is None:
            time = r.quantity("077")
        elif part is not None:
            time = math.floor(time) + {1: 1, 2: -1}.get(r.whole("074", "FSI") or 0, 0) + part
    place = "131" if "131" in r else "130"
    barometric, geometric = r.whole("155", "RE") == 0, r.whole("157", "RE") == 0
    vrate = r.quantity("155", "BVR") if barometric else None
    vrate = r.quantity("157", "GVR") if vrate is None and geometric else vrate
    vector = r.whole("160", "RE") == 0
    accuracy = r.whole("090", "NACP")
    return {
        "day_s": time, "number": r.whole("161", "TRNUM"), "address": r.whole("080") or 0,
        "real_address": not r.whole("040", "ATP"),
        "fault": _not_aircraft(r.whole("040", "SIM"), r.whole("040", "TST"), r.whole("040", "RAB")),
        "lat_deg": r.quantity(place, "LAT"), "lon_deg": r.quantity(place, "LON"),
        "alt_geom_ft": r.quantity("140"), "alt_baro_ft": _scaled(r.quantity("145"), 100),
        "vrate_fpm": vrate,
        "gs_kt": _scaled(r.quantity("160", "GS"), 3600) if vector else None,
        "track_true_deg": r.quantity("160", "TA") if vector else None,
        "callsign": _callsign(r, "170"), "squawk": r.text("070", "MODE3A"),
        "position_error_m": None if accuracy is None else NACP_ERROR_M.get(accuracy),
        "on_ground": None if (g := r.whole("040", "GBS")) is None else bool(g),
    }  # fmt: skip


def _on_ground(status: int | None) -> bool | None:
    return {0: False, 1: True, 2: False, 3: True}.get(-1 if status is None else status)


def _radar(r: Record) -> dict[str, Any]:
    sound = r.whole("090", "V") == 0 and r.whole("090", "G") == 0
    level = _scaled(r.quantity("090", "FL"), 100) if sound else None
    valid = r.whole("070", "V") == 0 and r.whole("070", "G") == 0
    height = _scaled(level, 1 / _FT_PER_M)
    if height is None:
        height = _scaled(r.quantity("110", "3DH"), 1 / _FT_PER_M)
    fault = _not_aircraft(r.whole("020", "SIM"), r.whole("020", "TST"), r.whole("020", "RAB"))
    polar = r.quantity("040", "RHO"), r.quantity("040", "THETA")
    return {
        "day_s": r.quantity("140"), "number": r.whole("161", "TRN"),
        "address": r.whole("220") or 0,
        "fault": "a ghost, says the sensor" if r.whole("170", "GHO") else fault,
        "ends": bool(r.whole("170", "TRE")), "begins": False,
        "polar": None if polar[0] is None else (polar[0] * 1852, polar[1]),
        "height_m": height,
        "alt_baro_ft": level,
        "gs_kt": _scaled(r.quantity("200", "GSP"), 3600),
        "track_true_deg": r.quantity("200", "HDG"),
        "callsign": _callsign(r, "240"),
        "squawk": r.text("070", "MODE3A") if valid else None,
        "on_ground": _on_ground(r.whole("230", "STAT")),
    }  # fmt: skip


def _tracker(r: Record) -> dict[str, Any]:
    speed, valid = None, r.whole("060", "V") == 0 and r.whole("060", "G") == 0
    if "185" in r:
        speed = complex(r.quantity("185", "VY") or 0, r.quantity("185", "VX") or 0)
    level = r.quantity("136")
    if level is None and r.whole("135", "QNH") == 0:
        level = r.quantity("135", "CTB")
    deviations = r.quantity("500", "APC", "X"), r.quantity("500", "APC", "Y")
    error = None
    if deviations[0] is not None and deviations[1] is not None:
        # 95 % of a circular normal distribution whose axes have the mean variance.
        error = math.sqrt((deviations[0] ** 2 + deviations[1] ** 2) / 2 * -2 * math.log(0.05))
    callsign = _callsign(r, "380", "ID") or _callsign(r, "245", "CHR")
    return {
        "day_s": r.quantity("070"), "number": r.whole("040"),
        "address": r.whole("380", "ADR") or 0,
        "fault": _not_aircraft(r.whole("080", "SIM"), 0, 0),
        "ends": bool(r.whole("080", "TSE")), "begins": bool(r.whole("080", "TSB")),
        "lat_deg": r.quantity("105", "LAT"), "lon_deg": r.quantity("105", "LON"),
        "gs_kt": None if speed is None else abs(speed) * _KT_PER_MPS,
        "track_true_deg": None if speed is None
        else math.degrees(math.atan2(speed.imag, speed.real)) % 360,
        "squawk": r.text("060", "MODE3A") if valid else None,
        "alt_geom_ft": r.quantity("130"), "alt_baro_ft": _scaled(level, 100),
        "vrate_fpm": r.quantity("220"),
        "callsign": callsign or _word(r.text("390", "CS")),
        "type_code": _word(r.text("390", "TAC")),
        "position_error_m": error,
        "on_ground": _on_ground(r.whole("380", "COM", "STAT")),
    }  # fmt: skip


def _word(text: str | None) -> str | None:
    word = (text or "").strip()
    return word if word.isascii() and word.isalnum() else None


EXPECTED = {21: _ads_b, 48: _radar, 62: _tracker}


def _compare(category: int, octets: bytes) -> set[str]:
    """Compare all of a record; which columns have a value in it."""
    (held,) = items.split_records(category, octets)
    seen = sighting(category, held)
    theirs = Record(category, octets)
    assert seen.sensor == (theirs.whole("010", "SAC"), theirs.whole("010", "SIC"))
    filled = set()
    for name, expected in EXPECTED[category](theirs).items():
        ours = getattr(seen, name) if hasattr(seen, name) else seen.row.get(name)
        where = (category, name, octets.hex())
        if isinstance(expected, float | tuple):
            assert ours == pytest.approx(expected, rel=1e-9, abs=1e-9), where
        else:
            assert ours == expected, where
        if expected is not None:
            filled.add(name)
    return filled


def _octets(source: random.Random, rule: items.Rule, most_parts: int = 2) -> bytes:
    """Random octets that obey a rule."""
    if isinstance(rule, int):
        return source.randbytes(rule)
    if isinstance(rule, items.Parts):
        count = source.randint(1, most_parts)
        parts = [bytearray(source.randbytes(rule.octets)) for _ in range(count)]
        for number, part in enumerate(parts):
            part[-1] = part[-1] & 0xFE | (number < count - 1)
        return b"".join(parts)
    if isinstance(rule, items.Repeated):
        count = source.randint(0, 2)
        return bytes([count]) + source.randbytes(count * rule.octets)
    if isinstance(rule, items.Explicit):
        return b"\x02" + source.randbytes(1)
    chosen = [n for n, one in enumerate(rule.rules, 1) if one != 0 and source.random() < 0.3]
    chosen = chosen or [1]
    return record(*((n, _octets(source, rule.rules[n - 1], 1)) for n in chosen))


def _flight_plan(source: random.Random) -> bytes:
    """I062/390 with a callsign and a type of aircraft, both of letters, digits and blanks."""
    callsign, kind = (bytes(source.choice(b"AB39 ") for _ in range(n)) for n in (7, 4))
    return record((2, callsign), (5, kind))


def _random_record(category: int, source: random.Random) -> bytes:
    """The sensor, and about half of the items that mean something to a report."""
    wanted = {
        21: "040 161 071 073 074 077 080 130 131 140 145 155 157 160 170 070 090",
        48: "140 020 040 070 090 110 161 170 200 220 230 240",
        62: "070 105 185 060 245 380 040 080 136 130 135 220 390 500",
    }[category].split()
    fields = []
    for number, (name, rule) in enumerate(items.PROFILES[category], start=1):
        if name != "010" and (name not in wanted or source.random() < 0.4):
            continue
        data = _flight_plan(source) if name == "390" else _octets(source, rule)
        if name in ("170", "240", "245") and rule in (6, 7):  # characters, not any six bits
            text = "".join(source.choice("ABKLZ019 ") for _ in range(8))
            codes = [ord(c) & 63 for c in text]
            bits = sum(code << 6 * place for place, code in enumerate(reversed(codes)))
            data = data[: rule - 6] + bits.to_bytes(6, "big")
        fields.append((number, data))
    return record(*fields)


@pytest.mark.parametrize("category", [21, 48, 62])
def test_every_column_of_random_records(category: int) -> None:
    source, filled = random.Random(category), set()
    for _ in range(400):
        filled |= _compare(category, _random_record(category, source))
    assert FILLED[category] <= filled


@pytest.mark.parametrize(
    "name",
    ["cat21_re.ast", "cat048.raw", "cat062cat065.raw", "cat_034_048.pcap", "cat_062_065.pcap"],
)
def test_every_column_of_the_captures(captures: Path, name: str) -> None:
    data = (captures / "asterix" / name).read_bytes()
    payloads = [p.payload for p in packets(data)] if is_pcap(data) else [data]
    compared = 0
    for payload in payloads:
        for category, body in items.split_blocks(payload):
            if category not in EXPECTED:
                continue
            records = generated.manifest["CATS"][category][-1].cv_uap.parse(
                base.Bits.from_bytes(body)
            )
            for one in records:
                _compare(category, one.unparse().to_bytes())
                compared += 1
    assert compared > 0
