"""From reports, zones and stays to a scene: layers described as data, which the page draws.

The form of a scene is in ``docs/reference/map.md``; a dossier can make one with other layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from adiz.detect.stays import DEFAULT_MAX_GAP_S, DEFAULT_TRACK_END_S
from adiz.out.map.clocks import clocks
from adiz.out.map.codec import pack
from adiz.out.map.land import CREDIT, land_near, places_near
from adiz.out.map.stay_rows import Row, crossings_of, intervals_of, marks, reach, stay_row
from adiz.out.map.thin import EARTH_RADIUS_M, Floats, unit_vectors
from adiz.out.map.tracks import Track, build_track, path, thin
from adiz.out.map.zone_areas import area, why_not_drawn
from adiz.zones.model import Zone, Zones
from adiz.zones.rings import dense_rings

if TYPE_CHECKING:
    import polars as pl

MAX_TRACKS = 400
MAX_POINTS = 40_000
MAX_ROWS = 2000
MIN_RADIUS_DEG = 0.25
MILLISECOND = timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Settings:
    """How a map is made; see :func:`adiz.out.map.write_map`."""

    time_zones: Sequence[str] = ()
    title: str = ""
    max_gap_s: float = DEFAULT_MAX_GAP_S
    track_end_s: float = DEFAULT_TRACK_END_S
    max_speed_kt: float | None = None
    max_tracks: int = MAX_TRACKS
    max_points: int = MAX_POINTS


def build_scene(
    reports: pl.DataFrame, zones: Zones, stays: pl.DataFrame, settings: Settings
) -> dict[str, Any]:
    """The scene of a map of stays: what :func:`adiz.out.map.page.render` takes."""
    reports = reports.drop_nulls(["time", "lat_deg", "lon_deg"])
    start, end = _span(reports, stays)
    notes: list[str] = []
    drawable = []
    for zone in zones:
        if reason := why_not_drawn(zone, start, end):
            notes.append(reason)
        else:
            drawable.append(zone)
    reports, shown = _chosen(reports, stays, settings.max_tracks, notes)
    rows = [stay_row(row, start) for row in shown.iter_rows(named=True)]
    view = _view(reports, drawable, set(stays["zone_id"]))
    tracks, paths = _paths(reports, rows, start, settings, notes)
    labels = {item["id"]: item["label"] for item in paths}
    rows = rows[:MAX_ROWS]
    if len(rows) < len(stays):
        notes.append(f"The table and the marks show {len(rows):,} of {len(stays):,} stays.")
    layers = [
        *ground_layers(view),
        {"kind": "areas", "items": _areas(drawable, view, start, notes)},
        {"kind": "reach", "items": reach(rows, tracks, settings.max_speed_kt)},
        {"kind": "paths", "items": paths},
        {"kind": "marks", "items": marks(rows, tracks, labels)},
    ]
    return {
        "title": settings.title or _title(stays, drawable),
        "view": view,
        "time": {
            "start_ms": (start - EPOCH) // MILLISECOND,
            "span_ms": (end - start) // MILLISECOND,
            "zones": clocks(settings.time_zones, start, end),
        },
        "layers": layers,
        "stays": [row | {"label": labels.get(row["track"], row["track"])} for row in rows],
        "notes": notes,
        "credits": [CREDIT],
    }


def _span(reports: pl.DataFrame, stays: pl.DataFrame) -> tuple[datetime, datetime]:
    """The time shown, on whole milliseconds."""
    times = [reports["time"].min(), reports["time"].max()]
    for name in ("entry_time", "exit_time", "earliest_entry", "latest_exit"):
        times += [stays[name].min(), stays[name].max()]
    known = [time for time in times if isinstance(time, datetime)] or [EPOCH]
    first, last = min(known), max(known)
    return first - (first - EPOCH) % MILLISECOND, last + -(last - EPOCH) % MILLISECOND


def _chosen(
    reports: pl.DataFrame, stays: pl.DataFrame, max_tracks: int, notes: list[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The tracks to draw, those with stays first, then those with most reports; and their stays."""
    import polars as pl

    counts = reports.group_by("track_id").len().sort(["len", "track_id"], descending=[True, False])
    have = set(counts["track_id"])
    with_stays = [track for track in stays["track_id"].unique(maintain_order=True) if track in have]
    order = list(dict.fromkeys([*with_stays, *counts["track_id"]]))
    if len(order) > max_tracks:
        notes.append(
            f"{max_tracks:,} of {len(order):,} tracks are drawn: those with stays "
            f"({len(with_stays):,}) first, then those with most reports."
        )
        reports = reports.filter(pl.col("track_id").is_in(order[:max_tracks]))
        stays = stays.filter(~pl.col("track_id").is_in(order[max_tracks:]))
    return reports.sort(["track_id", "time"]), stays


def _paths(
    reports: pl.DataFrame,
    rows: list[Row],
    start: datetime,
    settings: Settings,
    notes: list[str],
) -> tuple[list[Track], list[dict[str, Any]]]:
    spread_deg = _frame(reports["lat_deg"].to_numpy(), reports["lon_deg"].to_numpy())[2]
    # a ten-thousandth of the map's radius is far below what a screen shows
    floor_m = max(5.0, np.radians(spread_deg) * EARTH_RADIUS_M / 10_000)
    crossings = crossings_of(rows)
    start_ms = (start - EPOCH) // MILLISECOND
    tracks = [
        build_track(
            part,
            crossings.get(part["track_id"][0], np.zeros((0, 3))),
            start_ms,
            settings.max_gap_s,
            settings.track_end_s,
            floor_m,
        )
        for part in reports.partition_by("track_id", maintain_order=True)
    ]
    keep, tolerance_m = thin(tracks, floor_m, settings.max_points)
    drawn, total = sum(int(k.sum()) for k in keep), sum(len(t.time_ms) for t in tracks)
    if drawn < total:
        notes.append(
            f"{drawn:,} of {total:,} positions are drawn: at every instant a drawn track lies "
            f"within {tolerance_m:,.0f} m of the reports. Crossings and the ends of gaps are kept."
        )
    by_track: dict[str, list[Row]] = {}
    for row in rows:
        by_track.setdefault(row["track"], []).append(row)
    paths = [
        path(track, mask, *intervals_of(by_track.get(track.track_id, [])))
        for track, mask in zip(tracks, keep, strict=True)
    ]
    return tracks, paths


def _frame(lat_deg: Floats, lon_deg: Floats) -> tuple[float, float, float]:
    """Middle latitude and longitude, and the radius that holds all points, in degrees."""
    if not len(lat_deg):
        return 0.0, 0.0, 0.0
    vectors = unit_vectors(lat_deg, lon_deg)
    mean = vectors.mean(axis=0)
    mean_lon = float(np.degrees(np.arctan2(mean[1], mean[0])))
    turned = (lon_deg - mean_lon + 180.0) % 360.0 - 180.0
    lat = (float(lat_deg.min()) + float(lat_deg.max())) / 2
    lon = mean_lon + (float(turned.min()) + float(turned.max())) / 2
    nearest = float((vectors @ unit_vectors(lat, lon)).min())
    return lat, (lon + 180.0) % 360.0 - 180.0, float(np.degrees(np.arccos(np.clip(nearest, -1, 1))))


def _view(reports: pl.DataFrame, zones: Sequence[Zone], with_stays: set[str]) -> dict[str, Any]:
    """Where the map is: the tracks, and the zones stayed in unless they are much larger."""
    lat, lon = reports["lat_deg"].to_numpy(), reports["lon_deg"].to_numpy()
    rings = {zone.zone_id: _corners(zone) for zone in zones}
    if not len(lat) and rings:
        lat, lon = np.concatenate(list(rings.values())).T
    radius = max(_frame(lat, lon)[2], MIN_RADIUS_DEG)
    for zone_id in sorted(with_stays & rings.keys()):
        both = np.concatenate([np.stack([lat, lon], axis=1), rings[zone_id]]).T
        if _frame(*both)[2] < 2 * radius:
            lat, lon = both
    return view_of(lat, lon)


def view_of(lat: Floats, lon: Floats) -> dict[str, Any]:
    """The ``view`` of a scene that shows all of some places, in degrees."""
    lat0, lon0, radius = _frame(lat, lon)
    turned = (lon - lon0 + 180.0) % 360.0 - 180.0
    east = turned * np.cos(np.radians(lat))
    hull = {
        int(np.argmax(east * np.sin(a) + (lat - lat0) * np.cos(a)))
        for a in np.linspace(0, 2 * np.pi, 32, endpoint=False)
        if len(lat)
    }
    return {
        "lat": round(lat0, 4),
        "lon": round(lon0, 4),
        "radius_deg": round(max(radius, MIN_RADIUS_DEG), 4),
        "hold": [[round(float(lat[i]), 4), round(float(lon[i]), 4)] for i in sorted(hull)],
    }


def _corners(zone: Zone) -> Floats:
    """Points of the boundary to within 5 km: latitude, longitude."""
    return np.concatenate(
        [np.frombuffer(ring).reshape(-1, 2) for ring in dense_rings(zone, 5000.0, planar=True)]
    )


def ground_layers(view: dict[str, Any]) -> list[dict[str, Any]]:
    """Land and named places for a view."""
    where = (view["lat"], view["lon"], view["radius_deg"])
    rings = [[pack(lats), pack(lons)] for lats, lons in land_near(*where)]
    return [{"kind": "land", "rings": rings}, {"kind": "marks", "items": places_near(*where)}]


def _areas(
    zones: Sequence[Zone], view: dict[str, Any], start: datetime, notes: list[str]
) -> list[dict[str, Any]]:
    """The zones that reach into the map's surroundings."""

    def after_start_ms(moment: datetime) -> int:
        return (moment - start) // MILLISECOND

    reach_deg = 2 * view["radius_deg"] + 1.0
    cos_lat = max(0.05, float(np.cos(np.radians(abs(view["lat"]) + reach_deg))))
    near: list[Zone] = []
    far: list[Zone] = []
    for zone in zones:
        lat, lon = _corners(zone).T
        middle = lon.mean()
        turned = (middle - view["lon"] + 180.0) % 360.0 - 180.0
        west, east = lon.min() - middle + turned, lon.max() - middle + turned
        outside = (
            lat.min() > view["lat"] + reach_deg
            or lat.max() < view["lat"] - reach_deg
            or west > reach_deg / cos_lat
            or east < -reach_deg / cos_lat
        )
        (far if outside else near).append(zone)
    if far:
        names = ", ".join(zone.zone_id for zone in far[:5]) + (", …" if len(far) > 5 else "")
        notes.append(f"Zones far from the tracks are not drawn: {names}.")
    return [area(zone, after_start_ms) for zone in near]


def _title(stays: pl.DataFrame, zones: Sequence[Zone]) -> str:
    names = sorted(set(stays["zone_id"])) or [zone.zone_id for zone in zones]
    which = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    possible = int((stays["certainty"] == "possible").sum())
    counts = [(len(stays) - possible, "stay"), (possible, "possible stay")]
    words = [f"{n:,} {word}" + ("s" if n > 1 else "") for n, word in counts if n]
    number = " and ".join(words) or "No stays"
    return f"{number} in {which}" if which else number
