"""Beast: the binary stream of Mode S receivers, and the ADS-B positions in it.

A frame is an escape octet (1a), a kind, six octets of a 12 MHz clock, one of signal strength and a
message; an escape octet within them is doubled. ``rs1090`` decodes the messages, of which only
those with a correct checksum are believed. It is given no times, since it would then leave out
positions that jump; the positions are worked out here (:mod:`adiz.tracks.cpr`).

A report is a position message. Callsign, squawk and accuracy are as last sent by its address,
speed, direction and rate of climb if no older than 30 s.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from adiz import units
from adiz.errors import Fault, ReportsError
from adiz.sources.files import Input
from adiz.sources.modes import decode_message
from adiz.sources.readsb import NACP_ERROR_M
from adiz.sources.site import Sites
from adiz.sources.tabular import Options
from adiz.sources.values import rows_frame
from adiz.tracks.cpr import Coded, decode_globally, decode_locally

# An octet as it is sent: doubled if it is the escape. Kinds: Mode A/C, short, long, status.
_OCTET = rb"(?:[^\x1a]|\x1a\x1a)"
_FRAME = re.compile(rb"\x1a(1%b{9}|2%b{14}|[34]%b{21})" % (_OCTET, _OCTET, _OCTET), re.DOTALL)
_PART = re.compile(rb"\x1a(?:[1-4]%b{0,21}\x1a?)?\Z" % _OCTET, re.DOTALL)
_MODE_S = (0x32, 0x33)
_TICKS_PER_S = 12_000_000
_CLOCK_TURN = 1 << 48
_MLAT_CLOCK = bytes.fromhex("ff004d4c4154")
"""In place of the time where a message is made up from a position by multilateration."""
_CLOCK_STEP_S = 3_600

_PAIR_US = 10 * units.US_PER_S
_SURFACE_PAIR_US = 25 * units.US_PER_S
_NEAR_US = 300 * units.US_PER_S
"""So long a place helps to decode single messages: in it nothing flies half a zone (180 NM)."""
_FASTEST_KT = {False: 2_000.0, True: 250.0}
_SLACK_M = 2_000.0
_M_PER_DEG = 60 * units.M_PER_NM
_VELOCITY_AGE_US = 30 * units.US_PER_S
_NOT_POSITIONS = {"TISB_COARSE", "TISB_MANAGE", "Reserved"}
"""Formats of DF 18 whose positions are coded in another way, or are none."""
_NOT_ICAO = {"ADSB_ES_NT_ALT", "TISB_ADSB_RELAY"}
"""Those whose address is of another kind."""
_PIECE_OCTETS = 1 << 20
_MOST_WAITING = 16
_MOST_AIRCRAFT = 50_000

Row = dict[str, Any]


@dataclass(slots=True)
class _Waiting:
    """A position message that nothing has yet resolved."""

    time_us: int
    coded: Coded
    row: Row


@dataclass(slots=True)
class _Aircraft:
    """What is known of one address.

    Attributes:
        said: columns as last sent.
        velocity_us: when its speed was sent.
        place: where it was last, and when.
        waiting: messages that are far from that place, or that no place is known for.
    """

    said: Row = field(default_factory=dict)
    velocity: Row = field(default_factory=dict)
    velocity_us: int = 0
    place: tuple[float, float] | None = None
    place_us: int = 0
    waiting: list[_Waiting] = field(default_factory=list)


class Beast:
    """Decodes a Beast stream as it arrives, in pieces of any size.

    Parameters:
        sites: the receiver's under ``None``; without it an aircraft that was never heard in the
            air has no surface positions.
        start_us: when the first frame was received, microseconds since 1970, where no call of
            :meth:`step` tells when its octets were.

    Attributes:
        rejected: how many frames were rejected, by reason.
        frames: how many there were, those rejected included.
    """

    def __init__(self, sites: Sites | None = None, start_us: int | None = None) -> None:
        self.rejected: Counter[str] = Counter()
        self._receiver = (sites or {}).get(None)
        self._start_us = start_us
        self._ticks: int | None = None
        self._passed_ticks = 0
        self._part = b""
        self._aircraft: dict[str, _Aircraft] = {}
        self.frames = 0

    def step(self, data: bytes, received_us: int | None = None) -> list[Row]:
        """Rows of the reports table that these octets complete; no octets make it raise.

        A row whose ``fault`` is set is no report; ``row`` counts the frames from 1, over all
        calls. ``time`` is microseconds since 1970 UTC. A position that only a later message
        resolves comes with that message.
        """
        rows: list[Row] = []
        for frame in self._frames(data, rows):
            now_us = self._timed(frame[1:7]) if received_us is None else received_us
            if frame[0] in _MODE_S:
                self._message(frame[8:], now_us, rows)
        return rows

    def flush(self) -> list[Row]:
        """What is left at the end: positions that nothing resolved, as faults."""
        rows: list[Row] = []
        for aircraft in self._aircraft.values():
            self._give_up(aircraft.waiting, rows)
            aircraft.waiting = []
        return rows + self.cut()

    def cut(self) -> list[Row]:
        """The stream is cut off here: what there is of a frame, as a fault."""
        rows: list[Row] = []
        self._lost(self._part, rows)
        self._part = b""
        return rows

    def _frames(self, data: bytes, rows: list[Row]) -> Iterator[bytes]:
        """Whole frames, kind first, escapes undone; a part at the end is kept for the next call."""
        data = self._part + data
        at = 0
        for found in _FRAME.finditer(data):
            self._lost(data[at : found.start()], rows)
            at = found.end()
            self.frames += 1
            yield found[1].replace(b"\x1a\x1a", b"\x1a")
        part = _PART.search(data, at)
        self._part = part[0] if part else b""
        self._lost(data[at : len(data) - len(self._part)], rows)

    def _lost(self, octets: bytes, rows: list[Row]) -> None:
        if octets:
            self.frames += 1
            self._reject("octets that are no whole frame", self.frames, rows)

    def _reject(self, reason: str, number: int, rows: list[Row]) -> None:
        self.rejected[reason] += 1
        rows.append({"row": number, "fault": reason})

    def _timed(self, clock: bytes) -> int:
        """When a frame was received, by the receiver's clock, from the start given."""
        assert self._start_us is not None
        ticks = int.from_bytes(clock, "big")
        if ticks and clock != _MLAT_CLOCK:
            if self._ticks is not None:
                half = _CLOCK_TURN // 2
                passed = (ticks - self._ticks + half) % _CLOCK_TURN - half
                # A longer step is a receiver that was off, for nobody knows how long.
                if abs(passed) < _CLOCK_STEP_S * _TICKS_PER_S:
                    self._passed_ticks += passed
            self._ticks = ticks
        return self._start_us + self._passed_ticks * units.US_PER_S // _TICKS_PER_S

    def _message(self, message: bytes, now_us: int, rows: list[Row]) -> None:
        said = decode_message(message)
        if said is None:
            self._reject("wrong checksum, or no Mode S", self.frames, rows)
        elif said["df"] in ("17", "18") and said.get("tisb") not in _NOT_POSITIONS:
            self._squitter(said, now_us, rows)
        elif said.get("squawk") and said["icao24"] in self._aircraft:
            # The address of a reply is known by its parity alone: believed where it is known.
            self._aircraft[said["icao24"]].said["squawk"] = said["squawk"]

    def _squitter(self, said: Row, now_us: int, rows: list[Row]) -> None:
        """One message that an aircraft, or a ground station for it, sends unasked."""
        address = said["icao24"]
        if said.get("tisb") in _NOT_ICAO:
            address = f"~{address}"
        aircraft = self._aircraft.pop(address, None)
        if aircraft is None:
            aircraft = _Aircraft({"track_id": address, "icao24": _icao(address)})
        # The one that was heard last is the last one, so that the first can go.
        self._aircraft[address] = aircraft
        if len(self._aircraft) > _MOST_AIRCRAFT:
            self._give_up(self._aircraft.pop(next(iter(self._aircraft))).waiting, rows)
        if said["bds"] in ("05", "06"):
            self._position(aircraft, said, now_us, rows)
        elif said["bds"] == "09" and "groundspeed" in said:
            aircraft.velocity, aircraft.velocity_us = _velocity(said), now_us
        elif said["bds"] == "08":
            aircraft.said["callsign"] = (said.get("callsign") or "").strip() or None
        elif said["bds"] == "61" and said.get("squawk"):
            aircraft.said["squawk"] = said["squawk"]
        elif said.get("NACp") is not None:
            aircraft.said["position_error_m"] = NACP_ERROR_M.get(said["NACp"])

    def _position(self, aircraft: _Aircraft, said: Row, now_us: int, rows: list[Row]) -> None:
        """Resolve a position message, and what waited for it."""
        surface = said["bds"] == "06"
        coded = Coded(said["lat_cpr"], said["lon_cpr"], said["parity"] == "odd", surface)
        message = _Waiting(now_us, coded, self._row(aircraft, said, surface, now_us))
        pair_us = _SURFACE_PAIR_US if surface else _PAIR_US
        waiting = aircraft.waiting
        aircraft.waiting = [
            w for w in waiting[-_MOST_WAITING:] if 0 <= now_us - w.time_us <= pair_us
        ]
        self._give_up([w for w in waiting if w not in aircraft.waiting], rows)
        if self._resolved(aircraft, message, rows):
            return
        place = self._paired(aircraft, message)
        aircraft.waiting.append(message)
        if place is not None:
            aircraft.place, aircraft.place_us = place, now_us
            aircraft.waiting = [
                w for w in aircraft.waiting if not self._resolved(aircraft, w, rows)
            ]

    def _resolved(self, aircraft: _Aircraft, message: _Waiting, rows: list[Row]) -> bool:
        """Whether a message is near the aircraft's place; then it is a report."""
        age_us = abs(message.time_us - aircraft.place_us)
        if aircraft.place is None or age_us > _NEAR_US:
            return False
        place = decode_locally(message.coded, aircraft.place)
        reach_m = _FASTEST_KT[message.coded.surface] / units.KT_PER_MPS * age_us / units.US_PER_S
        if place is None or _distance_m(aircraft.place, place) > reach_m + _SLACK_M:
            return False
        aircraft.place, aircraft.place_us = place, message.time_us
        rows.append({**message.row, "lat_deg": place[0], "lon_deg": place[1]})
        return True

    def _paired(self, aircraft: _Aircraft, message: _Waiting) -> tuple[float, float] | None:
        """The place that a message tells together with the last waiting one of other parity."""
        near = aircraft.place or (self._receiver[:2] if self._receiver else None)
        for other in reversed(aircraft.waiting):
            coded = other.coded
            if coded.odd != message.coded.odd and coded.surface == message.coded.surface:
                return decode_globally(coded, message.coded, near)
        return None

    def _give_up(self, waiting: list[_Waiting], rows: list[Row]) -> None:
        """Count messages that have waited in vain as rejected."""
        for message in waiting:
            self._reject("a position without its partner", message.row["row"], rows)

    def _row(self, aircraft: _Aircraft, said: Row, surface: bool, now_us: int) -> Row:
        """All of a report but its place."""
        row = {"row": self.frames, "time": now_us, **aircraft.said, "on_ground": surface}
        if surface:
            return row | _velocity(said)
        if 0 <= now_us - aircraft.velocity_us <= _VELOCITY_AGE_US:
            row |= aircraft.velocity
        column = "alt_geom_ft" if said.get("source") == "GNSS" else "alt_baro_ft"
        row[column] = said.get("altitude")
        return row


def _icao(address: str) -> str | None:
    return None if address.startswith("~") else address


def _velocity(said: Row) -> Row:
    return {
        "gs_kt": said.get("groundspeed"),
        "track_true_deg": said.get("track"),
        "vrate_fpm": said.get("vertical_rate"),
    }


def _distance_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    """On a plane: near enough to tell a flight from a jump."""
    across = abs((a[1] - b[1] + 180) % 360 - 180) * math.cos(math.radians((a[0] + b[0]) / 2))
    return math.hypot(across, a[0] - b[0]) * _M_PER_DEG


def read_frame(item: Input, options: Options) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The frame of one Beast recording; ``row`` counts its frames."""
    data, damage = item.content()
    if options.start is None:
        raise ReportsError(
            Fault(
                "a Beast recording holds no dates",
                item.name,
                field="time",
                remedy="say when it begins: --start 2024-05-31T21:47:51Z, or start= in Python",
            )
        )
    decoder = Beast(options.sites, round(options.start.timestamp() * units.US_PER_S))
    notes = (f"{item.name}: {damage}; kept what came before",) if damage else ()
    return rows_frame(_batches(decoder, data)), notes


def _batches(decoder: Beast, data: bytes) -> Iterator[list[Row]]:
    for at in range(0, len(data), _PIECE_OCTETS):
        yield decoder.step(data[at : at + _PIECE_OCTETS])
    yield decoder.flush()
