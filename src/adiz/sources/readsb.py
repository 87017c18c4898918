"""Files of readsb, tar1090 and dump1090: traces, and snapshots of ``aircraft.json``.

Field meanings: README-json.md of the readsb project. The time of a position is the trace's
``timestamp`` plus the row's seconds, or the snapshot's ``now`` minus ``seen_pos``. An altitude
"ground" is ``on_ground`` and no altitude. In a trace, callsign and squawk are given on some rows
only; they are carried forward until the trace says that a new leg of the flight begins.
``position_error_m`` is the 95 % bound that the accuracy category NACp stands for (DO-260B table
2-71); the containment radius ``rc`` is an integrity bound and is not used.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from adiz import units
from adiz.sources.values import numbers, series

# Traces: bits of the seventh element.
_NEW_LEG = 2
_GEOMETRIC_ALTITUDE = 8

_NACP_ERROR_M = {
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


def trace_frame(traces: list[dict[str, Any]], file: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The frame of ``trace_full``/``trace_recent`` documents."""
    return pl.concat([_one_trace(t) for t in traces], how="diagonal"), ()


def _one_trace(trace: dict[str, Any]) -> pl.DataFrame:
    rows = trace.get("trace")
    rows = [r if isinstance(r, list) else [] for r in rows] if isinstance(rows, list) else []

    def element(at: int) -> list[Any]:
        return [r[at] if len(r) > at else None for r in rows]

    details = [d if isinstance(d, dict) else {} for d in element(8)]

    def detail(name: str) -> list[Any]:
        return [d.get(name) for d in details]

    altitude = element(3)
    bits = pl.Series([b & 15 if isinstance(b, int) else 0 for b in element(6)], dtype=pl.Int64)
    height = pl.col("height")
    geometric = pl.col("bits") & _GEOMETRIC_ALTITUDE != 0
    return (
        pl.DataFrame(
            [
                numbers("seconds", element(0)),
                numbers("lat_deg", element(1)),
                numbers("lon_deg", element(2)),
                _heights("height", altitude),
                numbers("gs_kt", element(4)),
                numbers("track_true_deg", element(5)),
                bits.alias("bits"),
                numbers("vrate_fpm", element(7)),
                numbers("geom", element(10)).fill_null(numbers("geom", detail("alt_geom"))),
                _on_ground(altitude),
                _words("callsign", detail("flight")),
                _words("squawk", detail("squawk")),
                _position_error(detail("nac_p")),
            ]
        )
        .with_columns(
            time=_time(numbers("t", [trace.get("timestamp")] * len(rows)), pl.col("seconds")),
            alt_baro_ft=pl.when(~geometric).then(height),
            alt_geom_ft=pl.when(geometric).then(height).otherwise(pl.col("geom")),
            # On the ground this element is the heading, not the direction of motion.
            track_true_deg=pl.when(~pl.col("on_ground").fill_null(False)).then("track_true_deg"),
            leg=(pl.col("bits") & _NEW_LEG != 0).cum_sum(),
            **_aircraft([trace.get("icao")] * len(rows)),
            registration=_words("r", [trace.get("r")] * len(rows)),
            type_code=_words("t", [trace.get("t")] * len(rows)),
        )
        .with_columns(pl.col("callsign", "squawk").forward_fill().over("leg"))
        .drop("seconds", "height", "bits", "geom", "leg")
    )


def aircraft_frame(
    snapshots: list[dict[str, Any]], file: str
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The frame of ``aircraft.json`` snapshots, in their order."""
    aircraft: list[dict[str, Any]] = []
    now: list[Any] = []
    for snapshot in snapshots:
        seen = snapshot.get("aircraft", snapshot.get("ac"))
        seen = [a if isinstance(a, dict) else {} for a in seen] if isinstance(seen, list) else []
        aircraft += seen
        now += [snapshot.get("now")] * len(seen)

    def member(*names: str) -> list[Any]:
        return [next((a[n] for n in names if n in a), None) for a in aircraft]

    altitude = member("alt_baro", "altitude")
    frame = pl.DataFrame(
        [
            numbers("lat_deg", member("lat")),
            numbers("lon_deg", member("lon")),
            _heights("alt_baro_ft", altitude),
            numbers("alt_geom_ft", member("alt_geom")),
            numbers("gs_kt", member("gs")),
            numbers("track_true_deg", member("track")),
            numbers("vrate_fpm", member("baro_rate", "geom_rate", "vert_rate")),
            _on_ground(altitude),
            _words("callsign", member("flight")),
            _words("squawk", member("squawk")),
            _words("registration", member("r")),
            _words("type_code", member("t")),
            _position_error(member("nac_p")),
            *_aircraft(member("hex")).values(),
            numbers("seen_pos", member("seen_pos")),
        ]
    )
    # Some services give `now` in milliseconds; a clock of this century tells the two apart.
    clock = numbers("now", now)
    clock = (
        clock.to_frame()
        .select(pl.when(pl.col("now") < 1e11).then("now").otherwise(pl.col("now") / 1e3))
        .to_series()
    )
    # Without a position there is nothing to be dated: let its absence be the reason.
    age = pl.when(pl.col("lat_deg").is_null()).then(0.0).otherwise("seen_pos")
    return frame.with_columns(time=_time(clock, -age)).drop("seen_pos"), ()


def _time(start_s: pl.Series, offset_s: pl.Expr) -> pl.Expr:
    """UTC from an epoch in seconds and an offset, each rounded to microseconds by itself.

    Their sum as a float would carry the 0.2 us grid of present-day epochs into the result.
    """

    def whole(seconds: pl.Expr) -> pl.Expr:
        finite = pl.when(seconds.abs() < 1e11).then(seconds)
        return (finite * units.US_PER_S).round().cast(pl.Int64)

    return (whole(pl.lit(start_s)) + whole(offset_s)).cast(pl.Datetime("us", "UTC"))


def _heights(name: str, values: list[Any]) -> pl.Series:
    return numbers(name, [None if v == "ground" else v for v in values])


def _on_ground(altitude: list[Any]) -> pl.Series:
    return pl.Series("on_ground", [None if a is None else a == "ground" for a in altitude])


def _words(name: str, values: list[Any]) -> pl.Series:
    words = series(name, values).cast(pl.String).str.strip_chars()
    return words.replace("", None)


def _position_error(nac_p: list[Any]) -> pl.Series:
    errors = [_NACP_ERROR_M.get(n) if isinstance(n, int) else None for n in nac_p]
    return pl.Series("position_error_m", errors, dtype=pl.Float64)


def _aircraft(addresses: list[Any]) -> dict[str, pl.Series]:
    """Track and address; a leading ~ says that the address is no ICAO address."""
    track = _words("track_id", addresses).str.to_lowercase()
    icao = track.to_frame().select(
        pl.when(pl.col("track_id").str.contains("^[0-9a-f]{6}$")).then("track_id").alias("icao24")
    )
    return {"track_id": track, "icao24": icao.to_series()}
