"""Files of readsb, tar1090 and dump1090: traces, and snapshots of ``aircraft.json``.

Field meanings: README-json.md of the readsb project. The time of a position is the trace's
``timestamp`` plus the row's seconds, or the snapshot's ``now`` minus ``seen_pos``. An altitude
"ground" is ``on_ground`` and no altitude. In a trace, callsign and squawk are given on some rows
only; they are carried forward until the trace says that a new leg of the flight begins.
``position_error_m`` is the 95 % bound that the accuracy category NACp stands for (DO-260B); the
containment radius ``rc`` is an integrity bound and is not used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from adiz import units
from adiz.sources.values import numbers, words

# Traces: bits of the seventh element.
_NEW_LEG = 2
_GEOMETRIC_ALTITUDE = 8

_ROUNDING_US = 250_000

NACP_ERROR_M = {
    1: 10 * units.M_PER_NM,
    2: 4 * units.M_PER_NM,
    3: 2 * units.M_PER_NM,
    4: 1 * units.M_PER_NM,
    5: 0.5 * units.M_PER_NM,
    6: 0.3 * units.M_PER_NM,
    7: 0.1 * units.M_PER_NM,
    8: 0.05 * units.M_PER_NM,
    9: 30.0,
    10: 10.0,
    11: 3.0,
}


def trace_frame(traces: list[dict[str, Any]]) -> pl.DataFrame:
    """The frame of ``trace_full`` and ``trace_recent`` documents."""
    return pl.concat([_one_trace(t) for t in traces])


def _one_trace(trace: dict[str, Any]) -> pl.DataFrame:
    rows = trace.get("trace")
    rows = [r if isinstance(r, list) else [] for r in rows] if isinstance(rows, list) else []

    def element(at: int) -> list[Any]:
        return [r[at] if len(r) > at else None for r in rows]

    details = [d if isinstance(d, dict) else {} for d in element(8)]

    def detail(name: str) -> list[Any]:
        return [d.get(name) for d in details]

    def same(name: str) -> list[Any]:
        return [trace.get(name)] * len(rows)

    altitude = element(3)
    geometric = pl.col("bits") & _GEOMETRIC_ALTITUDE != 0
    frame = pl.DataFrame(
        [
            numbers("start", same("timestamp")),
            numbers("offset", element(0)),
            numbers("lat_deg", element(1)),
            numbers("lon_deg", element(2)),
            _heights("alt_baro_ft", altitude),
            numbers("gs_kt", element(4)),
            numbers("track_true_deg", element(5)),
            pl.Series("bits", [b & 15 if isinstance(b, int) else 0 for b in element(6)], pl.Int64),
            numbers("vrate_fpm", element(7)),
            numbers("alt_geom_ft", element(10)),
            numbers("alt_geom_told", detail("alt_geom")),
            _on_ground(altitude),
            words("callsign", detail("flight")),
            words("squawk", detail("squawk")),
            words("hex", same("icao")),
            words("registration", same("r")),
            words("type_code", same("t")),
            _position_error(detail("nac_p")),
        ]
    )
    told = pl.coalesce("alt_geom_ft", "alt_geom_told")
    frame = frame.with_columns(
        *_common(),
        alt_baro_ft=pl.when(~geometric).then("alt_baro_ft"),
        alt_geom_ft=pl.when(geometric).then("alt_baro_ft").otherwise(told),
        # On the ground this element is the heading, not the direction of motion.
        track_true_deg=pl.when(pl.col("on_ground").not_().fill_null(True)).then("track_true_deg"),
        leg=(pl.col("bits") & _NEW_LEG != 0).cum_sum(),
    )
    return frame.with_columns(pl.col("callsign", "squawk").forward_fill().over("leg"))


def aircraft_frame(snapshots: list[dict[str, Any]]) -> pl.DataFrame:
    """The frame of ``aircraft.json`` snapshots, in their order."""
    aircraft: list[dict[str, Any]] = []
    now: list[Any] = []
    for snapshot in snapshots:
        seen = snapshot.get("aircraft", snapshot.get("ac"))
        seen = [a if isinstance(a, dict) else {} for a in seen] if isinstance(seen, list) else []
        aircraft += seen
        now += [snapshot.get("now")] * len(seen)

    def member(*names: str) -> list[Any]:
        return [next((a[n] for n in names if a.get(n) is not None), None) for a in aircraft]

    return moments_frame(now, member)


def repeats(frame: pl.DataFrame, before: pl.DataFrame | None = None) -> pl.Series:
    """Which rows tell the last position of their aircraft again.

    A snapshot has the last position of every aircraft, however long ago that was. Its time comes
    out a little different each time, since ``now`` and ``seen_pos`` are both rounded, by some
    writers to 0.1 s.

    Parameters:
        before: of what came before, what :func:`places` gives.
    """
    rows = places(frame)
    if before is not None and _is_once(rows) and _is_once(before):  # a tenth of the time
        pairs = rows.join(
            before, "track_id", "left", suffix="_last", nulls_equal=True, maintain_order="left"
        )
        return pairs.select(_again())["again"]
    if before is not None:
        rows = pl.concat([before, rows])
    last = pl.all().exclude("track_id").forward_fill().shift(1).over("track_id")
    pairs = rows.hstack(rows.select(last).rename(lambda name: f"{name}_last"))
    again = pairs.select(_again())["again"]
    return again if before is None else again.slice(before.height)


def _is_once(rows: pl.DataFrame) -> bool:
    """Whether each track has one row at most."""
    return rows["track_id"].n_unique() == rows.height


def _again() -> pl.Expr:
    age = (pl.col("time") - pl.col("time_last")).dt.total_microseconds().abs()
    same = (pl.col("lat_deg") == pl.col("lat_deg_last")) & (
        pl.col("lon_deg") == pl.col("lon_deg_last")
    )
    return (same & (age <= _ROUNDING_US)).fill_null(False).alias("again")


def places(frame: pl.DataFrame) -> pl.DataFrame:
    """What tells one position of an aircraft from another."""
    return frame.select("track_id", "time", "lat_deg", "lon_deg")


def moments_frame(now: list[Any], member: Callable[..., list[Any]]) -> pl.DataFrame:
    """The frame of aircraft as seen at moments.

    Parameters:
        now: the moment of each, seconds since 1970.
        member: gives of each aircraft the first of the members named that it has, else None.
    """
    altitude = member("alt_baro", "altitude")
    frame = pl.DataFrame(
        [
            numbers("start", now),
            numbers("seen_pos", member("seen_pos")),
            numbers("lat_deg", member("lat")),
            numbers("lon_deg", member("lon")),
            _heights("alt_baro_ft", altitude),
            numbers("alt_geom_ft", member("alt_geom")),
            numbers("gs_kt", member("gs")),
            numbers("track_true_deg", member("track")),
            numbers("vrate_fpm", member("baro_rate", "geom_rate", "vert_rate")),
            _on_ground(altitude),
            words("callsign", member("flight")),
            words("squawk", member("squawk")),
            words("hex", member("hex")),
            words("registration", member("r")),
            words("type_code", member("t")),
            _position_error(member("nac_p")),
        ]
    )
    start = pl.col("start")
    # Without a position there is nothing to be dated: let its absence be the reason.
    age = pl.when(pl.col("lat_deg").is_null()).then(0.0).otherwise("seen_pos")
    frame = frame.with_columns(
        # Some services give `now` in milliseconds; a clock of this century tells the two apart.
        start=pl.when(start < 1e11).then(start).otherwise(start / 1e3),
        offset=-age,
    )
    return frame.with_columns(_common())


def _common() -> list[pl.Expr]:
    """What both kinds of file make of start, offset, hex and their words."""
    track = pl.col("hex").str.strip_chars().str.to_lowercase()
    named = ["callsign", "squawk", "registration", "type_code"]
    return [
        (_microseconds("start") + _microseconds("offset"))
        .cast(pl.Datetime("us", "UTC"))
        .alias("time"),
        track.replace("", None).alias("track_id"),
        # A leading ~ says that the address is no ICAO address.
        pl.when(track.str.contains("^[0-9a-f]{6}$")).then(track).alias("icao24"),
        pl.col(named).str.strip_chars().replace("", None),
    ]


def _microseconds(seconds: str) -> pl.Expr:
    """Each number rounded by itself: a sum of floats would carry the 0.2 us grid of epochs."""
    finite = pl.when(pl.col(seconds).abs() < 1e11).then(seconds)
    return (finite * units.US_PER_S).round().cast(pl.Int64)


def _heights(name: str, values: list[Any]) -> pl.Series:
    grounded = "ground" in values
    return numbers(name, [None if v == "ground" else v for v in values] if grounded else values)


def _on_ground(altitude: list[Any]) -> pl.Series:
    ground = [None if a is None else a == "ground" for a in altitude]
    return pl.Series("on_ground", ground, dtype=pl.Boolean)


def _position_error(nac_p: list[Any]) -> pl.Series:
    known = NACP_ERROR_M.get
    kinds = set(map(type, nac_p))
    if kinds <= {int, type(None)}:
        errors = list(map(known, nac_p)) if int in kinds else nac_p
    else:
        errors = [known(n) if isinstance(n, int) else None for n in nac_p]
    return pl.Series("position_error_m", errors, dtype=pl.Float64)
