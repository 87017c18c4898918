"""Flight plans of a world: kept, broken, missing, and of flights that never were.

Written as ICAO FPL messages (Doc 4444, appendix 3) whose routes are coordinates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from adiz.simulate.flights import Flight
from adiz.simulate.paths import move
from adiz.units import M_PER_NM

_POINTS = 6


@dataclass(frozen=True, slots=True)
class Plan:
    """One plan and the truth about it.

    Attributes:
        icao24: whose; "" for a flight that never was.
        kind: ``kept``, ``late`` (20 to 60 min behind its plan), ``off_route`` (40 to 80 NM
            beside it) or ``never_flown``.
        off_block: filed off-block time.
        text: the FPL message.
    """

    callsign: str
    icao24: str
    kind: str
    off_block: datetime
    text: str


def make_plans(
    flights: Sequence[Flight], rng: np.random.Generator, begin: datetime
) -> tuple[Plan, ...]:
    """Plans for nine in ten airliners (approaches included) and for some that never fly."""
    plans = []
    for flight in flights:
        if flight.kind not in ("airway", "approach") or rng.random() < 0.1:
            continue
        kind = str(rng.choice(["kept", "late", "off_route"], p=[0.85, 0.075, 0.075]))
        plans.append(_plan(flight, kind, rng, begin))
        if rng.random() < 0.03:
            plans.append(_plan(flight, "never_flown", rng, begin))
    return tuple(plans)


def _plan(flight: Flight, kind: str, rng: np.random.Generator, begin: datetime) -> Plan:
    times = np.linspace(0.0, flight.end_s - flight.start_s, _POINTS)
    motion = flight.path.at(times)
    lat, lon = motion.lat_deg, motion.lon_deg
    if kind == "off_route":
        beside = rng.uniform(40.0, 80.0) * M_PER_NM * rng.choice([-1.0, 1.0])
        lat, lon, _ = move(lat, lon, motion.course_deg + 90.0, beside)
    early_min = rng.uniform(20.0, 60.0) if kind == "late" else rng.uniform(-3.0, 3.0)
    filed = begin + timedelta(seconds=flight.start_s) - timedelta(minutes=float(early_min))
    filed = (filed + timedelta(seconds=30)).replace(second=0, microsecond=0)
    callsign, code = flight.callsign, f" CODE/{flight.icao24.upper()}"
    if kind == "never_flown":
        callsign, code = callsign.replace("CIV", "XXN"), ""
    minutes = round(float(times[-1]) / 60.0)
    points = [_coordinates(float(a), float(o)) for a, o in zip(lat, lon, strict=True)]
    level = round(float(np.interp(times[1], *np.array(flight.alt_ft).T)) / 100.0)
    text = "\n".join(
        [
            f"(FPL-{callsign}-IS",
            f"-{flight.type_code}/M-SDFGRWY/S",
            f"-ZZZZ{filed:%H%M}",
            f"-N{round(float(motion.speed_kt.mean())):04d}F{level:03d} DCT "
            + " DCT ".join(points[1:-1])
            + " DCT",
            f"-ZZZZ{minutes // 60:02d}{minutes % 60:02d}",
            f"-DEP/{points[0]} DEST/{points[-1]} DOF/{filed:%y%m%d}{code})",
        ]
    )
    return Plan(callsign, "" if kind == "never_flown" else flight.icao24, kind, filed, text)


def _coordinates(lat_deg: float, lon_deg: float) -> str:
    """Degrees and minutes, as 4620N07805W."""
    lon_deg = (lon_deg + 180.0) % 360.0 - 180.0
    lat, lon = round(abs(lat_deg) * 60), round(abs(lon_deg) * 60)
    return (
        f"{lat // 60:02d}{lat % 60:02d}{'NS'[lat_deg < 0]}"
        f"{lon // 60:03d}{lon % 60:02d}{'EW'[lon_deg < 0]}"
    )
