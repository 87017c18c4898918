"""The encounters and formations that are true of a world, and how well others were found.

True encounters are computed from the reports the aircraft would give without noise or loss, by a
method of its own: all pairs every 15 s, then each second of those that come near with pyproj's
geodesics, then bisection. Slow, and independent of the detector.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from adiz.detect.formations import Formations
from adiz.simulate.paths import GEOD, Array
from adiz.simulate.world import World
from adiz.units import M_PER_NM, US_PER_S

_GRID_S = 15.0
_CLOSING_MPS = 700.0


class _Track(NamedTuple):
    name: str
    time_s: Array
    lat: Array
    lon: Array
    alt: Array
    azimuth: Array
    length: Array

    def at(self, time_s: Array) -> tuple[Array, Array, Array]:
        leg = np.clip(np.searchsorted(self.time_s, time_s, "right") - 1, 0, len(self.length) - 1)
        share = (time_s - self.time_s[leg]) / (self.time_s[leg + 1] - self.time_s[leg])
        lon, lat, _ = GEOD.fwd(
            self.lon[leg], self.lat[leg], self.azimuth[leg], share * self.length[leg]
        )
        return np.asarray(lat), np.asarray(lon), np.interp(time_s, self.time_s, self.alt)


def find_true_encounters(
    world: World, *, within_nm: float = 5.0, within_ft: float = 2000.0, for_s: float = 300.0
) -> pl.DataFrame:
    """``track_a``, ``track_b``, ``start_time``, ``end_time`` of every true encounter.

    Flights that share their address with another are left out: their track is no one's.
    """
    tracks = _tracks(world)
    rows = []
    limit_m = within_nm * M_PER_NM
    for (i, j), grid in _near(tracks, limit_m).items():
        a, b = tracks[i], tracks[j]
        rows += [
            (a.name, b.name, start, end)
            for start, end in _together(a, b, grid, limit_m, within_ft)
            if end - start >= for_s
        ]
    begin = int(world.settings.begin.timestamp()) * US_PER_S
    times = {"start_time": pl.Float64(), "end_time": pl.Float64()}
    schema = {"track_a": pl.String(), "track_b": pl.String(), **times}
    return (
        pl.DataFrame(rows, schema=schema, orient="row")
        .with_columns(
            ((pl.col(n) * US_PER_S).round().cast(pl.Int64) + begin).cast(pl.Datetime("us", "UTC"))
            for n in times
        )
        .sort("start_time", "track_a", "track_b")
    )


def _tracks(world: World) -> list[_Track]:
    clean = replace(
        world,
        settings=replace(world.settings, noise_m=0.0, dropout=0.0, no_altitude=0.0),
        flights=tuple(replace(f, holes=[]) for f in world.flights),
    )
    names = [f.icao24 for f in world.flights]
    shared = {n for n in names if names.count(n) > 1}
    begin = int(world.settings.begin.timestamp()) * US_PER_S
    tracks = []
    parts = clean.reports().partition_by("track_id", as_dict=True)
    for (name,), part in sorted(parts.items()):
        if name in shared or part.height < 2:
            continue
        time = (part["time"].dt.epoch("us").to_numpy() - begin) / US_PER_S
        lat, lon, alt = (part[n].to_numpy() for n in ("lat_deg", "lon_deg", "alt_baro_ft"))
        az, _, length = GEOD.inv(lon[:-1], lat[:-1], lon[1:], lat[1:])
        tracks.append(_Track(str(name), time, lat, lon, alt, np.asarray(az), np.asarray(length)))
    return tracks


def _near(tracks: list[_Track], limit_m: float) -> dict[tuple[int, int], list[float]]:
    """Pairs that may come within the limit, with the times of the grid about which they do."""
    found: dict[tuple[int, int], list[float]] = {}
    last = max((t.time_s[-1] for t in tracks), default=0.0)
    reach = limit_m + _GRID_S * _CLOSING_MPS
    for time in np.arange(0.0, last + _GRID_S, _GRID_S):
        here = [
            i
            for i, t in enumerate(tracks)
            if t.time_s[0] - _GRID_S <= time <= t.time_s[-1] + _GRID_S
        ]
        if len(here) < 2:
            continue
        at = [
            tracks[i].at(np.clip([time], tracks[i].time_s[0], tracks[i].time_s[-1])) for i in here
        ]
        lat, lon = (np.radians([p[k][0] for p in at]) for k in (0, 1))
        xyz = 6.371e6 * np.array(
            [np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]
        )
        square = ((xyz[:, :, None] - xyz[:, None, :]) ** 2).sum(0)
        for p, q in np.argwhere(np.triu(square < reach**2, 1)):
            found.setdefault((here[p], here[q]), []).append(float(time))
    return found


def _together(
    a: _Track, b: _Track, grid: list[float], limit_m: float, within_ft: float
) -> list[tuple[float, float]]:
    """When both limits hold, about some times of the grid."""

    def excess(t: Array) -> Array:
        lat1, lon1, alt1 = a.at(t)
        lat2, lon2, alt2 = b.at(t)
        _, _, lateral = GEOD.inv(lon1, lat1, lon2, lat2)
        return np.maximum(np.asarray(lateral) / limit_m, np.abs(alt1 - alt2) / within_ft) - 1.0

    first, last = max(a.time_s[0], b.time_s[0]), min(a.time_s[-1], b.time_s[-1])
    spans: list[tuple[float, float]] = []
    runs = np.split(grid, np.flatnonzero(np.diff(grid) > 1.5 * _GRID_S) + 1)
    for run in runs:
        low, high = max(run[0] - _GRID_S, first), min(run[-1] + _GRID_S, last)
        if low >= high:
            continue
        times: NDArray[np.float64] = np.append(np.arange(low, high, 1.0), high)
        inside = excess(times) <= 0.0
        turn = np.flatnonzero(inside[1:] != inside[:-1])
        lo, hi, was = times[turn], times[turn + 1], inside[turn]
        for _ in range(20):
            mid = (lo + hi) / 2
            same = (excess(mid) <= 0.0) == was
            lo, hi = np.where(same, mid, lo), np.where(same, hi, mid)
        edges = [low, *((lo + hi) / 2).tolist(), high]
        state = bool(inside[0])
        for start, end in pairwise(edges):
            if state:
                spans.append((start, end))
            state = not state
    return spans


@dataclass(frozen=True, slots=True)
class Score:
    """How formations were found.

    Attributes:
        true, found, right: true formations, found ones, and those found with exactly their
            members over at least half of their time.
        unclear: true ones found so, but as ``unclear``, since altitudes were unknown.
        joint_true, joint_right: joint patrols made, and found with the two groups' states.
        wrong: what was found and is not true, as (members, kinds of those flights).
        missed: members of what is true and was not found.
    """

    true: int
    found: int
    right: int
    unclear: int
    joint_true: int
    joint_right: int
    wrong: tuple[tuple[str, str], ...]
    missed: tuple[str, ...]


def score_formations(world: World, found: Formations, *, for_s: float = 300.0) -> Score:
    """Hold what was found against a world's groups (orbits do not count as formations)."""
    kinds = {f.icao24: f.kind for f in world.flights}
    true: dict[str, tuple[float, float, str]] = {}
    end_s = world.settings.hours * 3600.0
    for group in world.groups:
        starts = sorted(max(m.start_s, 0.0) for m in group.members)
        ends = sorted(min(m.end_s, end_s) for m in group.members)
        if group.kind != "orbit" and ends[-2] - starts[1] >= for_s:
            members = ";".join(sorted(m.icao24 for m in group.members))
            true[members] = (starts[1], ends[-2], group.kind)
    begin = world.settings.begin
    right: dict[str, set[str]] = {"formation": set(), "unclear": set()}
    joint, wrong = 0, []
    for row in found.formations.filter(pl.col("kind") != "orbit").rows(named=True):
        start, end = ((row[n] - begin).total_seconds() for n in ("start_time", "end_time"))
        low, high, kind = true.get(row["members"], (0.0, 0.0, ""))
        if min(end, high) - max(start, low) >= 0.5 * max(end - start, high - low):
            right[row["kind"]].add(row["members"])
            joint += kind == "joint_patrol" and row["joint_patrol"]
        elif row["kind"] == "formation":
            of = " ".join(sorted({kinds[m] for m in row["members"].split(";")}))
            wrong.append((row["members"], of))
    return Score(
        len(true),
        len(right["formation"]) + len(wrong),
        len(right["formation"]),
        len(right["unclear"]),
        sum(kind == "joint_patrol" for *_, kind in true.values()),
        joint,
        tuple(wrong),
        tuple(m for m in true if m not in right["formation"] | right["unclear"]),
    )
