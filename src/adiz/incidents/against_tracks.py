"""Claims held against recorded positions: confirmed, refuted, possible, or no data.

Zones go by the stays found in the track, with their certainty; places by the legs between its
reports. Across a gap nothing is interpolated: there a claim is at most possible, and only if the
subject could have been there and back within its speed (the gap's prism).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from adiz.incidents.model import Claim, Incident
from adiz.incidents.plane import Floats, pair_distances, plane_about
from adiz.incidents.verdicts import Tracks

if TYPE_CHECKING:
    import polars as pl

Finding = tuple[Tracks, str]
_BEYOND: Finding = ("no data", "the recorded track does not cover its time")


@dataclass(frozen=True)
class RecordedTrack:
    """A subject's track.

    Attributes:
        reports: its rows of the reports table, in time order.
        stays: its rows of the stays table, for the zones of the incident.
        max_gap_s, max_speed_kmh: as the stays were found with.
    """

    reports: pl.DataFrame
    stays: pl.DataFrame
    max_gap_s: float
    max_speed_kmh: float


def check_claim(incident: Incident, claim: Claim, track: RecordedTrack | None) -> Finding:
    """One claim about the track's subject."""
    if track is None or track.reports.is_empty():
        return "no data", "no recorded positions of the subject were given"
    method = _CHECKS.get(claim.predicate)
    if method is None:
        return "no data", "recorded positions do not bear on it"
    found = method(incident, claim, track)
    if claim.negated and found[0] in ("confirmed", "refuted"):
        return ("refuted" if found[0] == "confirmed" else "confirmed"), found[1]
    return found


def _window(claim: Claim, track: RecordedTrack) -> tuple[datetime, datetime]:
    times = track.reports["time"]
    first, last = times[0], times[-1]
    if claim.time is None:
        return first, last
    return claim.time.earliest or first, claim.time.latest or last


def _covered(track: RecordedTrack, begin: datetime, end: datetime) -> bool:
    """Whether the track spans the window with no gap in it."""
    times = track.reports["time"].to_list()
    if begin < times[0] or end > times[-1]:
        return False
    before = max(t for t in times if t <= begin)
    after = min(t for t in times if t >= end)
    steps = [t for t in times if before <= t <= after]
    return all((b - a).total_seconds() <= track.max_gap_s for a, b in pairwise(steps))


def _rows(claim: Claim, track: RecordedTrack) -> list[dict[str, Any]]:
    return [row for row in track.stays.iter_rows(named=True) if row["zone_id"] in claim.zones]


def _crossing(claim: Claim, track: RecordedTrack, inward: bool) -> Finding:
    begin, end = _window(claim, track)
    which, kind, verb = (
        ("entry_time", "entry_kind", "enters") if inward else ("exit_time", "exit_kind", "leaves")
    )
    nearest: datetime | None = None
    for row in _rows(claim, track):
        moment = row[which]
        if moment is not None and row[kind] == "crossed":
            if begin <= moment < end:
                return "confirmed", f"the track {verb} {row['zone_id']} at {moment:%H:%M:%S} UTC"
            if nearest is None or abs(moment - begin) < abs(nearest - begin):
                nearest = moment
        elif row["earliest_entry"] < end and row["latest_exit"] >= begin:
            return "possible", f"within a gap of the track in which it may be in {row['zone_id']}"
    if not _covered(track, begin, end):
        return _BEYOND
    told = f"; the nearest time it {verb} is {nearest:%H:%M:%S} UTC" if nearest else ""
    return "refuted", f"the track is recorded throughout that time and does not{told}"


def _enters(_: Incident, claim: Claim, track: RecordedTrack) -> Finding:
    return _crossing(claim, track, True)


def _leaves(_: Incident, claim: Claim, track: RecordedTrack) -> Finding:
    return _crossing(claim, track, False)


def _inside(_: Incident, claim: Claim, track: RecordedTrack) -> Finding:
    begin, end = _window(claim, track)
    seconds, possible = 0.0, False
    for row in _rows(claim, track):
        entry, leave = row["entry_time"], row["exit_time"]
        if row["certainty"] == "possible" or entry is None or leave is None:
            possible |= row["earliest_entry"] < end and row["latest_exit"] > begin
        else:
            seconds += max(0.0, (min(leave, end) - max(entry, begin)).total_seconds())
    minutes = f"the track is inside for {seconds / 60:.1f} min of that time"
    wanted = claim.duration_min
    if seconds > 0 and (wanted is None or wanted.low <= seconds / 60 <= wanted.high):
        return "confirmed", minutes
    if possible:
        return "possible", "within a gap of the track in which it may be inside"
    if not _covered(track, begin, end):
        return _BEYOND
    return "refuted", minutes


def _never_inside(_: Incident, claim: Claim, track: RecordedTrack) -> Finding:
    begin, end = _window(claim, track)
    possible = False
    for row in _rows(claim, track):
        if row["earliest_entry"] < end and row["latest_exit"] > begin:
            if row["certainty"] in ("observed", "definite"):
                return "refuted", f"the track is in {row['zone_id']}, {row['certainty']}"
            possible = True
    if possible:
        return "possible", "only in a gap of the track may it have been inside"
    if not _covered(track, begin, end):
        return _BEYOND
    return "confirmed", "the track stays outside as long as it is recorded"


def _near(incident: Incident, claim: Claim, track: RecordedTrack) -> Finding:
    """Closest approach to a place, on the legs and, at best, within the gaps."""
    if not claim.place:
        return "no data", "recorded positions are not compared with a way between two places"
    begin, end = _window(claim, track)
    place = incident.place(claim.place)
    plane = plane_about(place.points)
    spots = plane.place_xy(place)
    table = track.reports
    xy = plane.to_xy(table["lat_deg"].to_numpy(), table["lon_deg"].to_numpy())
    clock = table["time"].dt.epoch("us").to_numpy() / 1e6
    low, high = begin.timestamp(), end.timestamp()
    seen, could = np.inf, np.inf
    for i in range(len(xy) - 1):
        if clock[i + 1] < low or clock[i] > high or clock[i + 1] == clock[i]:
            continue
        span = clock[i + 1] - clock[i]
        if span <= track.max_gap_s:
            share = np.clip((np.array([low, high]) - clock[i]) / span, 0, 1)
            ends = xy[i] + share[:, None] * (xy[i + 1] - xy[i])
            seen = min(seen, _to_line(spots, *ends))
        else:
            reach = track.max_speed_kmh * span / 3600
            ways = pair_distances(spots, xy[i : i + 2]).sum(axis=1)
            could = min(could, max(0.0, float(ways.min()) - reach) / 2)
    wanted = claim.distance_km
    least, most = (
        (wanted.low, wanted.high) if wanted else (0.0, max(1.0, place.position_error_m / 1e3))
    )
    if least <= seen <= most and could > least:
        return "confirmed", f"the track's closest approach in that time is {seen:.1f} km"
    if seen < least:
        return "refuted", f"the track comes as near as {seen:.1f} km"
    if could <= most:
        return "possible", "within a gap of the track"
    if not _covered(track, begin, end):
        return _BEYOND
    return "refuted", f"the track's closest approach in that time is {seen:.1f} km"


def _to_line(spots: Floats, a: Floats, b: Floats) -> float:
    way = b - a
    length2 = float(way @ way)
    share = np.clip((spots - a) @ way / length2, 0, 1) if length2 else np.zeros(len(spots))
    return float(np.hypot(*(a + share[:, None] * way - spots).T).min())


_CHECKS = {
    "enters": _enters,
    "leaves": _leaves,
    "inside": _inside,
    "never_inside": _never_inside,
    "at": _near,
    "passes": _near,
}
