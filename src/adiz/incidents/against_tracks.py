"""Claims held against recorded positions: confirmed, refuted, possible, or no data.

Zones go by the stays found in the track, with their certainty; places by the legs between its
reports. Across a gap nothing is interpolated: there a claim is at most possible, and only if the
subject could have been there and back within its speed (the gap's prism).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from adiz.incidents.model import Claim, Incident, Quantity
from adiz.incidents.plane import Floats, Plane, pair_distances, plane_about
from adiz.incidents.verdicts import Tracks

if TYPE_CHECKING:
    import polars as pl

Finding = tuple[Tracks, str]
_STEP_KM = 0.05
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
    """Whether the track spans the window. What it allows in its gaps is asked for apart."""
    times = track.reports["time"]
    return bool(times[0] <= begin and end <= times[-1])


def _rows(claim: Claim, track: RecordedTrack) -> list[dict[str, Any]]:
    return [row for row in track.stays.iter_rows(named=True) if row["zone_id"] in claim.zones]


def _crossing(incident: Incident, claim: Claim, track: RecordedTrack, inward: bool) -> Finding:
    begin, end = _window(claim, track)
    which, verb = ("entry", "enters") if inward else ("exit", "leaves")
    nearest: datetime | None = None
    elsewhere = possible = ""
    for row in _rows(claim, track):
        moment = row[f"{which}_time"]
        if row["certainty"] == "possible":
            if row["earliest_entry"] < end and row["latest_exit"] >= begin:
                possible = f"within a gap of the track in which it may be in {row['zone_id']}"
        elif moment is not None and row[f"{which}_kind"] == "crossed":
            told = f"the track {verb} {row['zone_id']} at {moment:%H:%M:%S} UTC"
            if begin <= moment < end:
                spot = row[f"{which}_lat_deg"], row[f"{which}_lon_deg"]
                if _in_direction(incident, claim, *spot):
                    return "confirmed", told
                elsewhere = f"{told}, but not in the stated direction"
            elif nearest is None or abs(moment - begin) < abs(nearest - begin):
                nearest = moment
    if possible:
        return "possible", possible
    if not _covered(track, begin, end):
        return _BEYOND
    if elsewhere:
        return "refuted", elsewhere
    near = f"; the nearest time it {verb} is {nearest:%H:%M:%S} UTC" if nearest else ""
    return "refuted", f"neither the track nor what its gaps allow does so then{near}"


def _in_direction(incident: Incident, claim: Claim, lat_deg: Any, lon_deg: Any) -> bool:
    if not claim.place or claim.bearing is None:
        return True
    place = incident.place(claim.place)
    plane = plane_about(place.points)
    return bool(plane.in_sector(place, claim.bearing, plane.to_xy(lat_deg, lon_deg)).all())


def _enters(incident: Incident, claim: Claim, track: RecordedTrack) -> Finding:
    return _crossing(incident, claim, track, True)


def _leaves(incident: Incident, claim: Claim, track: RecordedTrack) -> Finding:
    return _crossing(incident, claim, track, False)


def _inside(_: Incident, claim: Claim, track: RecordedTrack) -> Finding:
    if claim.duration_min is not None:
        return _inside_for(claim, track, claim.duration_min)
    begin, end = _window(claim, track)
    span = claim.time
    through = bool(span and span.interval and span.begin.latest and span.end.earliest)
    if span and span.begin.latest and span.end.earliest and span.begin.latest < span.end.earliest:
        begin, end = span.begin.latest, span.end.earliest  # surely meant, however rounded
    seen, could = _times_inside(claim, track, begin, end)
    wanted = (end - begin).total_seconds() - 1.0 if through else 0.0
    if seen > 0 and seen >= wanted:
        return "confirmed", f"the track is inside for {seen / 60:.1f} min of that time"
    if could > 0 and seen + could >= wanted:
        return "possible", "within a gap of the track in which it may be inside"
    if not _covered(track, begin, end):
        return _BEYOND
    told = f"for {seen / 60:.1f} min of that time" if seen else "at no moment of that time"
    return "refuted", f"the track is inside {told}"


def _inside_for(claim: Claim, track: RecordedTrack, wanted: Quantity) -> Finding:
    """A duration: of all stays added up, or of any one of them."""
    begin, end = _window(claim, track)
    seen, could = _times_inside(claim, track, begin, end)
    lengths = [seen / 60]
    if not claim.total:
        pairs = [(max(r["earliest_entry"], begin), min(r["latest_exit"], end))
                 for r in _rows(claim, track) if r["certainty"] != "possible"]  # fmt: skip
        lengths = [(b - a).total_seconds() / 60 for a, b in pairs if b > a] or [0.0]
    minutes = f"the track is inside for {', '.join(f'{m:.1f}' for m in lengths)} min"
    if could:
        if seen / 60 <= wanted.high and wanted.low <= (seen + could) / 60:
            return "possible", f"{minutes}, and perhaps for more within a gap"
        if not claim.total and any(wanted.low <= m <= wanted.high for m in lengths):
            return "possible", f"{minutes}, and perhaps for more within a gap"
    if not _covered(track, begin, end):
        return _BEYOND
    fits = any(wanted.low <= m <= wanted.high for m in lengths)
    return ("confirmed" if fits and not could else "refuted"), minutes


def _times_inside(
    claim: Claim, track: RecordedTrack, begin: datetime, end: datetime
) -> tuple[float, float]:
    """Seconds of a window inside: seen (or certain), and at most besides within gaps."""
    seen = could = 0.0
    for row in _rows(claim, track):
        shared = (min(row["latest_exit"], end) - max(row["earliest_entry"], begin)).total_seconds()
        if shared > 0 and row["certainty"] == "possible":
            could += min(shared, row["longest_inside_s"])
        elif shared > 0:
            seen += shared
    return seen, could


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
    """A place at a distance: at some moment (``at``) or as the closest approach (``passes``)."""
    if not claim.place:
        return "no data", "recorded positions are not compared with a way between two places"
    begin, end = _window(claim, track)
    place = incident.place(claim.place)
    plane = plane_about(place.points)
    spots = plane.place_xy(place)
    xy, could = _positions(plane, spots, track, begin.timestamp(), end.timestamp())
    far = pair_distances(xy, spots).min(axis=1) if len(xy) else np.array([np.inf])
    seen = float(far.min())
    wanted, error = claim.distance_km, place.position_error_m / 1e3
    least, most = (
        (max(0.0, wanted.low - error), wanted.high + error) if wanted else (0.0, max(1.0, error))
    )
    told = f"the track's closest approach in that time is {seen:.1f} km"
    fits = (far >= least) & (far <= most)
    if claim.bearing is not None and len(xy):
        fits &= plane.in_sector(place, claim.bearing, xy)
    if claim.predicate == "passes":
        if seen < least:
            return "refuted", f"the track comes as near as {seen:.1f} km"
        fits &= far <= seen + 0.5  # km: where it is nearest
    covered = _covered(track, begin, end)
    if fits.any() and (claim.predicate == "at" or (could > least and covered)):
        return "confirmed", told if claim.predicate == "passes" else "the track is there then"
    if could <= most and np.isfinite(could):
        return "possible", "within a gap of the track"
    if not covered:
        return _BEYOND
    if least <= seen <= most:
        told += ", but not in the stated direction"
    return "refuted", told


def _positions(
    plane: Plane, spots: Floats, track: RecordedTrack, low: float, high: float
) -> tuple[Floats, float]:
    """Positions on the legs within a window, close together; and the least distance from a place
    that the gaps in it allow (inf without gaps)."""
    table = track.reports
    xy = plane.to_xy(table["lat_deg"].to_numpy(), table["lon_deg"].to_numpy())
    clock = table["time"].dt.epoch("us").to_numpy() / 1e6
    found: list[Floats] = []
    could = np.inf
    for i in range(len(xy) - 1):
        span = clock[i + 1] - clock[i]
        if clock[i + 1] < low or clock[i] > high or span <= 0:
            continue
        if span <= track.max_gap_s:
            begin, end = np.clip((np.array([low, high]) - clock[i]) / span, 0, 1)
            apart = float(np.hypot(*(xy[i + 1] - xy[i]))) * (end - begin)
            count = max(2, int(np.ceil(apart / _STEP_KM)) + 1)
            share = np.linspace(begin, end, count)[:, None]
            found.append(xy[i] + share * (xy[i + 1] - xy[i]))
        else:
            reach = track.max_speed_kmh * span / 3600
            ways = pair_distances(spots, xy[i : i + 2]).sum(axis=1)
            could = min(could, max(0.0, float(ways.min()) - reach) / 2)
    return (np.concatenate(found) if found else np.empty((0, 2))), could


_CHECKS = {
    "enters": _enters,
    "leaves": _leaves,
    "inside": _inside,
    "never_inside": _never_inside,
    "at": _near,
    "passes": _near,
}
