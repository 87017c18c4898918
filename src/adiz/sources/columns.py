"""Which column of a table means what: names, units, and one plan of conversion.

A name is compared without case and punctuation, and its unit suffix is honoured: ``altitude_m``,
``Speed (km/h)``, ``time_ms``. Without a suffix, heights are feet, speeds knots, rates of climb
feet per minute. OpenSky state vectors, told by their own names, are in metres and metres per
second. Two columns that could equally well be the same thing are an error whose remedy is a
column mapping; nothing is guessed between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from adiz import units
from adiz.errors import Fault, ReportsError

_HEIGHT = {
    "ft": 1.0,
    "feet": 1.0,
    "foot": 1.0,
    "m": units.FT_PER_M,
    "meter": units.FT_PER_M,
    "meters": units.FT_PER_M,
    "metre": units.FT_PER_M,
    "metres": units.FT_PER_M,
    "km": 1000.0 * units.FT_PER_M,
    "fl": units.FT_PER_FL,
}
_SPEED = {
    "kt": 1.0,
    "kts": 1.0,
    "kn": 1.0,
    "knot": 1.0,
    "knots": 1.0,
    "mps": units.KT_PER_MPS,
    "ms": units.KT_PER_MPS,
    "kmh": units.KT_PER_KMH,
    "kph": units.KT_PER_KMH,
    "mph": units.KT_PER_MPH,
}
_CLIMB = {
    "fpm": 1.0,
    "ftmin": 1.0,
    "mps": units.FPM_PER_MPS,
    "ms": units.FPM_PER_MPS,
}
_LENGTH = {"m": 1.0, "nm": units.M_PER_NM, "ft": units.M_PER_FT, "km": 1000.0}
_ANGLE = {"deg": 1.0, "degree": 1.0, "degrees": 1.0, "dd": 1.0}
_TIME = {"s": 1e6, "sec": 1e6, "seconds": 1e6, "ms": 1e3, "us": 1.0, "ns": 1e-3, "utc": 0.0}
"""Microseconds in one; 0 where the suffix tells the zone and not the unit."""

_UNITS: dict[str, dict[str, float]] = {
    "time": _TIME,
    "lat_deg": _ANGLE,
    "lon_deg": _ANGLE,
    "alt_baro_ft": _HEIGHT,
    "alt_geom_ft": _HEIGHT,
    "gs_kt": _SPEED,
    "track_true_deg": _ANGLE,
    "vrate_fpm": _CLIMB,
    "position_error_m": _LENGTH,
}

NAMES: dict[str, tuple[str, ...]] = {
    # Names on one line are equally good; an earlier line goes before a later one.
    "time": (
        "lastposupdate lastposition timeposition postime positiontime",
        "time timestamp datetime ts epoch unixtime gpstime",
        "utc",
    ),
    "track_id": (
        "trackid",
        "flightid",
        "id aircraftid objectid targetid trajectoryid trajid uid",
        "icao24 hex icao icaoaddress icaohex modes addr address hexid",
        "registration reg tailnumber tail",
        "callsign flight ident",
    ),
    "lat_deg": ("lat latitude",),
    "lon_deg": ("lon lng long longitude",),
    "alt_baro_ft": (
        "altbaro baroaltitude baroalt altitudebaro pressurealtitude pressurealt",
        "alt altitude fl flightlevel",
    ),
    "alt_geom_ft": (
        "altgeom geoaltitude geomaltitude altitudegeom altgeo geoalt gpsaltitude gnssaltitude "
        "altgnss altgps",
    ),
    "gs_kt": ("gs groundspeed", "speed spd sog"),
    "track_true_deg": ("tracktrue truetrack trackdeg", "course cog trackangle direction"),
    "vrate_fpm": (
        "vrate verticalrate vertrate verticalspeed barorate rateofclimb roc",
        "vs climb geomrate",
    ),
    "on_ground": ("onground isonground", "ground"),
    "icao24": ("icao24 hex icao icaoaddress icaohex modes addr address hexid",),
    "callsign": ("callsign", "flight ident"),
    "squawk": ("squawk", "modea mode3a ssr transpondercode"),
    "type_code": ("typecode aircrafttype icaotype actype",),
    "registration": ("registration reg tailnumber tail",),
    "position_error_m": ("positionerror poserror",),
    "flags": ("flags",),
    "source": ("source",),
}
_OPENSKY_MARKS = {"baroaltitude", "vertrate", "lastposupdate", "timeposition"}
_OPENSKY_UNITS = {
    "baroaltitude": "m",
    "geoaltitude": "m",
    "velocity": "mps",
    "vertrate": "mps",
    "verticalrate": "mps",
}
_UNSURE = {"velocity": "gs_kt", "heading": "track_true_deg"}
"""Names that say enough only in an OpenSky table: elsewhere unit or meaning is unknown."""


@dataclass(frozen=True, slots=True)
class Pick:
    """One recognised column.

    Attributes:
        column: its name in the input.
        factor: what a number in it is multiplied by; for times, microseconds in one, 0 if the
            magnitude decides.
        utc: the name says that its times are UTC.
    """

    column: str
    factor: float
    utc: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What each column of the reports table is made from, and what a user should know of it."""

    picks: Mapping[str, Pick]
    notes: tuple[str, ...]

    def __contains__(self, target: str) -> bool:
        return target in self.picks


def _plain(name: str) -> str:
    """A name as words of letters and digits joined by underscores, in lower case."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _base(name: str) -> str:
    return _plain(name).replace("_", "")


def _rank(target: str, base: str) -> int | None:
    for rank, line in enumerate(NAMES[target]):
        if base in line.split():
            return rank
    return None


def _meanings(name: str) -> list[tuple[str, int, float | None]]:
    """(target, rank, factor) for all that a name may mean; factor None: the default unit."""
    words = _plain(name).split("_")
    found: list[tuple[str, int, float | None]] = []
    for target in NAMES:
        rank = _rank(target, "".join(words))
        if rank is not None:
            fl = words[-1] == "fl" or "".join(words) == "flightlevel"
            factor = units.FT_PER_FL if target == "alt_baro_ft" and fl else None
            found.append((target, rank, factor))
            continue
        for cut in (1, 2):
            unit = "".join(words[-cut:])
            rank = _rank(target, "".join(words[:-cut])) if len(words) > cut else None
            if rank is not None and unit in _UNITS.get(target, ()):
                found.append((target, rank, _UNITS[target][unit]))
                break
    return found


def make_plan(
    names: Iterable[str],
    *,
    mapping: Mapping[str, str] | None = None,
    track_is_id: bool = False,
    file: str | None = None,
) -> Plan:
    """Decide what each column of a table means.

    Parameters:
        names: the columns of the input.
        mapping: our name -> the input's name, for columns that are not to be guessed. Ours may
            carry another unit (``alt_baro_m``, ``gs_kmh``), which is then converted.
        track_is_id: whether a column called ``track`` is the aircraft, else it is a direction.
        file: for messages.

    Raises:
        ReportsError: a mapping names what is not there, or two columns claim the same meaning.
    """
    names = list(names)
    mapped = _checked_mapping(names, mapping or {}, file)
    opensky = bool({_base(name) for name in names} & _OPENSKY_MARKS)
    notes = ["read as OpenSky state vectors: metres and metres per second"] if opensky else []
    claims: dict[str, list[tuple[int, str, float | None]]] = {}
    for name in names:
        if name in mapped.values():
            continue
        meanings = _meanings(name)
        if _base(name) == "track":
            meanings = [("track_id" if track_is_id else "track_true_deg", 0, None)]
        elif (meant := _UNSURE.get(_base(name))) and opensky:
            meanings = [(meant, 0, None)]
        elif meant:
            notes.append(
                f"column '{name}' is left out: its unit or meaning is unknown; "
                f"map it (for example {meant}={name}) if it is wanted"
            )
        for target, rank, factor in meanings:
            claims.setdefault(target, []).append((rank, name, factor))
    picks = {}
    for ours, column in mapped.items():
        target, factor = _target_of(ours)
        picks[target] = Pick(column, factor, _plain(ours).endswith("utc"))
    for target, claimants in claims.items():
        if target not in picks:
            name, told = _best(target, claimants, file)
            factor = _default_factor(target, name, opensky) if told is None else told
            picks[target] = Pick(name, factor, _plain(name).endswith("utc"))
    return Plan(picks, tuple(notes))


def _best(
    target: str, claimants: list[tuple[int, str, float | None]], file: str | None
) -> tuple[str, float | None]:
    """The column of the best rank, and its factor; two of one rank are an error."""
    rank, name, factor = min(claimants, key=lambda claim: claim[0])
    equal = [f"'{claim[1]}'" for claim in claimants if claim[0] == rank]
    if len(equal) == 1:
        return name, factor
    raise ReportsError(
        Fault(
            f"columns {' and '.join(equal)} could each be {target}",
            file=file,
            field=target,
            remedy=f"say which: columns={{'{target}': '{name}'}}, or --column {target}={name} on "
            "the command line",
        )
    )


def _default_factor(target: str, name: str = "", opensky: bool = False) -> float:
    """The factor of a name without a unit; for times 0: their size decides."""
    if opensky and _base(name) in _OPENSKY_UNITS:
        return _UNITS[target][_OPENSKY_UNITS[_base(name)]]
    return 0.0 if target == "time" else 1.0


def _target_of(ours: str) -> tuple[str, float]:
    """The reports column and factor that a name of ours stands for."""
    if ours in NAMES:
        return ours, _default_factor(ours)
    # A name may be the aircraft's too (icao24, callsign); those go by their own column.
    meanings = sorted(_meanings(ours), key=lambda meaning: meaning[0] == "track_id")
    if not meanings:
        raise ReportsError(
            Fault(
                f"no column of the reports table is called '{ours}'",
                remedy="there are " + ", ".join(NAMES),
            )
        )
    target, _, factor = meanings[0]
    return target, _default_factor(target) if factor is None else factor


def _checked_mapping(
    names: list[str], mapping: Mapping[str, str], file: str | None
) -> dict[str, str]:
    for ours, theirs in mapping.items():
        if theirs not in names:
            raise ReportsError(
                Fault(
                    f"no column is called '{theirs}'",
                    file=file,
                    field=ours,
                    remedy="there are " + ", ".join(names[:40]),
                )
            )
    return dict(mapping)
