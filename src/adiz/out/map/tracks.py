"""Tracks for the page: thinned, cut at crossings, each leg in its class.

Positions at crossings and at the ends of gaps are always kept. Nothing is drawn across a gap but
the fact that it is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from adiz.out.map.codec import pack
from adiz.out.map.thin import EARTH_RADIUS_M, Floats, significance, unit_vectors

if TYPE_CHECKING:
    import polars as pl

UNITS_PER_DEG = 100_000
UNKNOWN = -(2**20)
"""Stands for an unknown altitude or speed in packed numbers."""


@dataclass
class Track:
    """One track to be drawn.

    Attributes:
        track_id, label, type_code, facts: who it is; "" for an unknown type.
        time_ms: after the start of the map (n,), strictly increasing.
        lat_deg, lon_deg, alt_ft, gs_kt: (n,); the last two NaN where unknown.
        stray_m: significance of each point (n,); infinite where it must be kept.
        gaps: index of the point before each gap.
        ends: those of them at which the track ends, and begins anew.
    """

    track_id: str
    label: str
    type_code: str
    facts: list[list[str]]
    time_ms: Floats
    lat_deg: Floats
    lon_deg: Floats
    alt_ft: Floats
    gs_kt: Floats
    stray_m: Floats
    gaps: list[int]
    ends: frozenset[int]


def build_track(
    reports: pl.DataFrame,
    crossings: Floats,
    start_ms: int,
    max_gap_s: float,
    track_end_s: float,
    floor_m: float,
) -> Track:
    """A track from its reports, in time order, and its crossings.

    Args:
        reports: rows of one track in the order of time.
        crossings: (m, 3): milliseconds after the map's start, latitude, longitude.
        start_ms: the map's zero of time, milliseconds of the epoch.
        max_gap_s, track_end_s: a longer leg is a gap; a longer one still ends the track.
        floor_m: detail below this is not looked into when thinning.
    """
    import polars as pl

    def column(name: str) -> Floats:
        return reports[name].cast(pl.Float64).fill_null(np.nan).to_numpy()

    time = (reports["time"].dt.epoch("us").to_numpy() - 1000 * start_ms) / 1000.0
    first = np.concatenate([[True], np.diff(time) > 0])  # a repeated time is drawn once
    values = np.stack(
        [
            time,
            column("lat_deg"),
            column("lon_deg"),
            np.where(np.isnan(column("alt_baro_ft")), column("alt_geom_ft"), column("alt_baro_ft")),
            column("gs_kt"),
        ]
    )[:, first]
    values, crossed = _with_crossings(values, crossings)
    time, lat, lon, alt, speed = values
    gaps = np.flatnonzero(np.diff(time) > max_gap_s * 1000.0)
    ends = np.flatnonzero(np.diff(time) > track_end_s * 1000.0)
    anchors = np.unique(np.concatenate([[0, len(time) - 1], gaps, gaps + 1, crossed]))
    stray = np.zeros(len(time))
    places = EARTH_RADIUS_M * unit_vectors(lat, lon)
    for one, two in pairwise(anchors):
        if two > one + 1:
            part = slice(one, two + 1)
            stray[part] = significance(places[part], floor_m, time[part])
    stray[anchors] = np.inf
    return Track(
        str(reports["track_id"][0]),
        _label(reports),
        _common(reports, "type_code"),
        _facts(reports),
        time,
        lat,
        lon,
        alt,
        speed,
        stray,
        gaps.tolist(),
        frozenset(ends.tolist()),
    )


def _with_crossings(values: Floats, crossings: Floats) -> tuple[Floats, Any]:
    """The columns with the crossings put in, and the indices of the crossings."""
    time = values[0]
    inside = (crossings[:, 0] >= time[0]) & (crossings[:, 0] <= time[-1])
    wanted = np.unique(np.round(crossings[inside], 6), axis=0)
    new = wanted[~np.isin(np.round(wanted[:, 0], 3), np.round(time, 3))]
    added = np.empty((len(values), len(new)))
    added[:3] = new.T
    for row in (3, 4):
        added[row] = np.interp(new[:, 0], time, values[row])
    merged = np.concatenate([values, added], axis=1)
    merged = merged[:, np.argsort(merged[0], kind="stable")]
    merged = merged[:, np.concatenate([[True], np.diff(merged[0]) > 0])]
    return merged, np.flatnonzero(np.isin(np.round(merged[0], 3), np.round(wanted[:, 0], 3)))


def _common(reports: pl.DataFrame, name: str) -> str:
    """The most frequent value of a text column, "" where there is none."""
    counts = reports[name].drop_nulls().value_counts(sort=True)
    counts = counts.filter(counts["count"] == counts["count"].max()) if len(counts) else counts
    return str(counts[name].min()) if len(counts) else ""


def _label(reports: pl.DataFrame) -> str:
    names = (_common(reports, name) for name in ("callsign", "registration", "track_id"))
    return next((name for name in names if name), "?")


def _facts(reports: pl.DataFrame) -> list[list[str]]:
    pairs = [
        ("Track", str(reports["track_id"][0])),
        ("Callsign", _common(reports, "callsign")),
        ("Registration", _common(reports, "registration")),
        ("Type", _common(reports, "type_code")),
        ("24-bit address", _common(reports, "icao24")),
        ("Source", _common(reports, "source").replace("\\", "/").rsplit("/", 1)[-1]),
        ("Reports", f"{len(reports):,}"),
    ]
    return [[name, value] for name, value in pairs if value]


def thin(tracks: list[Track], floor_m: float, max_points: int) -> tuple[list[Any], float]:
    """Which points of each track to keep (a mask each), and the tolerance used in metres.

    The least tolerance, not below ``floor_m``, that keeps at most ``max_points`` in all; points
    that must be kept are kept whatever their number.
    """
    every = np.concatenate([track.stray_m for track in tracks]) if tracks else np.zeros(0)
    tolerance = floor_m
    if np.count_nonzero(every >= tolerance) > max_points:
        tolerance = float(np.partition(every, len(every) - max_points)[len(every) - max_points])
        if not np.isfinite(tolerance):
            finite = every[np.isfinite(every)]
            tolerance = float(finite.max(initial=floor_m)) * 1.001
    return [track.stray_m >= tolerance for track in tracks], tolerance


def path(
    track: Track,
    keep: Any,
    inside: list[tuple[float, float]],
    gap_stays: list[tuple[float, float, str]],
) -> dict[str, Any]:
    """One track for the page.

    Args:
        track, keep: the track and the mask of the points to draw.
        inside: from, to of its observed stays, milliseconds after the map's start.
        gap_stays: earliest entry, latest exit, certainty of its stays within gaps.
    """
    chosen = np.flatnonzero(keep)
    time = track.time_ms[chosen]
    gaps = {int(np.searchsorted(chosen, gap)): gap for gap in track.gaps}
    middles = (time[:-1] + time[1:]) / 2
    within = np.zeros(len(middles), dtype=bool)
    for begin, end in inside:
        within |= (middles >= begin) & (middles <= end)
    runs: list[list[Any]] = []
    for leg in range(len(middles)):
        kind = "inside" if within[leg] else "outside"
        if leg in gaps:
            kind = "apart" if gaps[leg] in track.ends else "gap"
            for begin, end, certainty in gap_stays:
                if begin < time[leg + 1] and end > time[leg]:
                    kind = "definite" if "definite" in (kind, certainty) else "possible"
        if runs and runs[-1][1] == kind and leg not in gaps and leg - 1 not in gaps:
            continue
        runs.append([leg, kind])
    return {
        "id": track.track_id,
        "label": track.label,
        "facts": track.facts,
        "t": pack(np.round(time).astype(int).tolist()),
        "lat": _packed(track.lat_deg[chosen], UNITS_PER_DEG),
        "lon": _packed(track.lon_deg[chosen], UNITS_PER_DEG),
        "alt": _packed_known(track.alt_ft[chosen], 25),
        "gs": _packed_known(track.gs_kt[chosen], 1),
        "runs": runs,
    }


def _packed(values: Floats, units: int) -> str:
    return pack(np.round(values * units).astype(int).tolist())


def _packed_known(values: Floats, step: int) -> str | None:
    """Values in whole steps, or None where none is known."""
    if np.isnan(values).all():
        return None
    steps = np.round(values / step)
    return pack(np.where(np.isnan(steps), UNKNOWN, steps).astype(int).tolist())
