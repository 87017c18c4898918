"""Stays as the page shows them: rows of a table, marks on the map, reach in gaps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from adiz.detect.stays import DEFAULT_MAX_SPEED_KT
from adiz.out.map.thin import Floats
from adiz.out.map.tracks import Track
from adiz.tracks.types import max_speed_kt as published_max_speed_kt
from adiz.units import KT_PER_MPS

Row = dict[str, Any]


def stay_row(stay: Mapping[str, Any], start: datetime) -> Row:
    """One stay; times in milliseconds after ``start``, None where not known."""

    def after(moment: datetime | None) -> float | None:
        return None if moment is None else (moment - start) / timedelta(milliseconds=1)

    def end(side: str) -> Row:
        return {
            "t": after(stay[f"{side}_time"]),
            "kind": stay[f"{side}_kind"],
            "lat": _rounded(stay[f"{side}_lat_deg"], 6),
            "lon": _rounded(stay[f"{side}_lon_deg"], 6),
        }

    return {
        "track": stay["track_id"],
        "zone": stay["zone_id"],
        "entry": end("entry"),
        "exit": end("exit"),
        "duration": _rounded(stay["duration_s"], 3),
        "depth": _rounded(stay["max_depth_m"], 0),
        "certainty": stay["certainty"],
        "earliest": after(stay["earliest_entry"]),
        "latest": after(stay["latest_exit"]),
        "longest": _rounded(stay["longest_inside_s"], 3),
        "vertical": stay["vertical"],
        "reports": stay["report_count"],
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None or not np.isfinite(value) else round(value, digits)


def intervals_of(
    rows: list[Row],
) -> tuple[list[tuple[float, float]], list[tuple[float, float, str]]]:
    """From a track's stays those observed (from, to), and those within gaps, with certainty."""
    inside, within_gaps = [], []
    for row in rows:
        begin, end = row["entry"]["t"], row["exit"]["t"]
        if row["certainty"] == "observed":
            inside.append((begin, end))
        else:
            begin = row["earliest"] if begin is None else begin
            end = row["latest"] if end is None else end
            within_gaps.append((begin, end, row["certainty"]))
    return inside, within_gaps


def crossings_of(rows: list[Row]) -> dict[str, Floats]:
    """For each track the known ends of its stays: time, latitude, longitude."""
    found: dict[str, list[tuple[float, float, float]]] = {}
    for row in rows:
        for end in (row["entry"], row["exit"]):
            if None not in (end["t"], end["lat"], end["lon"]):
                found.setdefault(row["track"], []).append((end["t"], end["lat"], end["lon"]))
    return {track: np.array(ends) for track, ends in found.items()}


def marks(rows: list[Row], tracks: list[Track], labels: Mapping[str, str]) -> list[Row]:
    """Where stays begin and end, and where a gap with a stay in it begins and ends."""
    out: dict[tuple[str, float, str, str], Row] = {}

    def add(track: str, side: str, end: Row, stay: int, zone: str, *, quiet: bool = False) -> None:
        if None in (end["t"], end["lat"], end["lon"]):
            return
        mark = {"form": "stay", **end, "side": side, "zone": zone, "stay": stay, "quiet": quiet}
        key = (track, round(end["t"]), end["kind"], zone)
        out.setdefault(key, mark | {"track": labels.get(track, track)})

    for number, row in enumerate(rows):
        if row["certainty"] == "observed":
            add(row["track"], "entry", row["entry"], number, row["zone"])
            add(row["track"], "exit", row["exit"], number, row["zone"])
    for number, track, gap in gaps_with_stays(rows, tracks):
        for side, kind, at in (("exit", "lost", gap), ("entry", "reacquired", gap + 1)):
            end = {"kind": kind, **_point(track, at)}
            add(track.track_id, side, end, number, rows[number]["zone"], quiet=True)
    return list(out.values())


def _point(track: Track, at: int) -> Row:
    return {
        "t": float(track.time_ms[at]),
        "lat": round(float(track.lat_deg[at]), 6),
        "lon": round(float(track.lon_deg[at]), 6),
    }


def gaps_with_stays(rows: list[Row], tracks: list[Track]) -> list[tuple[int, Track, int]]:
    """Row of the stay, track, index of the point before the gap."""
    by_id = {track.track_id: track for track in tracks}
    found = []
    for number, row in enumerate(rows):
        track = by_id.get(row["track"])
        if track is None or row["certainty"] == "observed":
            continue
        _, [(begin, end, _)] = intervals_of([row])
        for gap in track.gaps:
            if begin < track.time_ms[gap + 1] and end > track.time_ms[gap]:
                found.append((number, track, gap))
    return found


def reach(rows: list[Row], tracks: list[Track], max_speed_kt: float | None) -> list[Row]:
    """Each gap with a stay in it: its ends and the speed bound (None: as ``find_stays`` has it)."""
    out = []
    for number, track, gap in gaps_with_stays(rows, tracks):
        speed_kt = max_speed_kt or published_max_speed_kt(track.type_code) or DEFAULT_MAX_SPEED_KT
        out.append(
            {
                "from": _point(track, gap),
                "to": _point(track, gap + 1),
                "speed_mps": round(speed_kt / KT_PER_MPS, 3),
                "track": track.track_id,
                "stay": number,
            }
        )
    return out
