"""Maps of an incident as SVG: the same drawing on the page and in the PDF, without a program.

Mercator projection, so bearings are true; the coastline is the bundled GSHHG extract. All text is
escaped here, and nothing of the incident file reaches an attribute unescaped.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html import escape

from adiz.out.dossier.labels import Labels, draw_text

Points = Sequence[tuple[float, float]]
"""Latitude, longitude."""

PALETTE = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#444444")
"""Okabe and Ito's colours, told apart by colour-blind readers too."""

_INK = "#1d2733"


@dataclass(frozen=True, slots=True)
class ZoneShape:
    """A zone to draw: closed rings; ``label`` stands inside the greatest one."""

    zone_id: str
    label: str
    kind: str
    rings: tuple[Points, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A point to draw: a ``place`` (dot) or a ``claim``'s place (diamond)."""

    kind: str
    label: str
    lat_deg: float
    lon_deg: float
    title: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """A reconstructed path to draw, with labelled crossings.

    ``bands``: (title, begin and end in seconds since 1970, rings) of possible positions.
    """

    key: str
    label: str
    color: str
    points: Points
    bands: tuple[tuple[str, float, float, tuple[Points, ...]], ...] = ()
    ticks: tuple[tuple[str, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """The part of the world a map shows, and how it becomes a drawing (x right, y down)."""

    south: float
    west: float
    north: float
    east: float
    width: float = 900.0
    scale: float = field(init=False)
    height: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "scale", self.width / math.radians(self.east - self.west))
        rise = _mercator(self.north) - _mercator(self.south)
        object.__setattr__(self, "height", rise * self.scale)

    def place(self, lat_deg: float, lon_deg: float) -> tuple[float, float]:
        """Where a position lies in the drawing."""
        middle = (self.west + self.east) / 2
        lon = middle + (lon_deg - middle + 180.0) % 360.0 - 180.0
        return (
            math.radians(lon - self.west) * self.scale,
            (_mercator(self.north) - _mercator(lat_deg)) * self.scale,
        )

    def shows(self, lat_deg: float, lon_deg: float, margin: float = 0.0) -> bool:
        x, y = self.place(lat_deg, lon_deg)
        return -margin <= x <= self.width + margin and -margin <= y <= self.height + margin


def frame_about(points: Iterable[tuple[float, float]], margin: float = 0.08) -> Frame | None:
    """The frame that holds points, with a margin (part of its size); None where there are none.

    A little wider than high, whatever the points.
    """
    lats_lons = list(points)
    if not lats_lons:
        return None
    first = lats_lons[0][1]
    lats = [p[0] for p in lats_lons]
    lons = [first + (p[1] - first + 180.0) % 360.0 - 180.0 for p in lats_lons]
    south, north, west, east = min(lats), max(lats), min(lons), max(lons)
    middle_lat, middle_lon = (south + north) / 2, (west + east) / 2
    narrow = math.cos(math.radians(middle_lat))
    high = max(north - south, 0.2) * (1 + 2 * margin)
    wide = max((east - west) * narrow, 0.2) * (1 + 2 * margin)
    high, wide = max(high, wide / 1.9), max(wide, high * 1.3)
    return Frame(
        max(middle_lat - high / 2, -84.0),
        middle_lon - wide / 2 / narrow,
        min(middle_lat + high / 2, 84.0),
        middle_lon + wide / 2 / narrow,
    )


def draw_map(
    frame: Frame,
    zones: Sequence[ZoneShape],
    routes: Sequence[Route],
    marks: Sequence[Mark],
    title: str,
    map_id: str,
) -> str:
    """The map as an ``<svg>`` element."""
    labels = Labels(frame.width, frame.height)
    lines, degrees = _graticule(frame)
    labels.keep_clear(frame.width - 110, frame.height - 35, 90)
    for mark in marks:
        labels.keep_clear(*frame.place(mark.lat_deg, mark.lon_deg), 6)
    drawn_marks = list(_marks(frame, marks, labels))
    drawn_routes = [part for route in routes for part in _route(frame, route, labels)]
    drawn_zones = [part for zone in zones for part in _zone(frame, zone, labels)]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" id="{escape(map_id)}" role="img" '
        f'viewBox="0 0 {frame.width:.0f} {frame.height:.0f}" width="{frame.width:.0f}" '
        f'height="{frame.height:.0f}" font-family="Liberation Sans, Arial, Helvetica, sans-serif">',
        f"<title>{escape(title)}</title>",
        f'<defs><clipPath id="{escape(map_id)}-edge"><rect width="{frame.width:.0f}" '
        f'height="{frame.height:.0f}"/></clipPath></defs>',
        f'<g clip-path="url(#{escape(map_id)}-edge)">',
        f'<rect width="{frame.width:.0f}" height="{frame.height:.0f}" fill="#e8f0f5"/>',
        *lines,
        _land(frame),
        *degrees,
        *drawn_zones,
        *drawn_routes,
        *drawn_marks,
        *labels.drawn,
        *(f'<g class="craft" data-route="{escape(r.key)}"></g>' for r in routes),
        *_scale_bar(frame),
        "</g>",
        f'<rect width="{frame.width:.0f}" height="{frame.height:.0f}" fill="none" '
        'stroke="#8497a8"/>',
        "</svg>",
    ]
    return "".join(parts)


def route_frames(
    frame: Frame, points: Sequence[tuple[datetime, float, float]], step_s: int = 30
) -> list[list[float]]:
    """A path for the time slider: [seconds since 1970, x, y], at most one every ``step_s``."""
    rows: list[list[float]] = []
    for time, lat, lon in points:
        second = time.timestamp()
        if not rows or second - rows[-1][0] >= step_s or (time, lat, lon) == points[-1]:
            x, y = frame.place(lat, lon)
            rows.append([round(second, 1), round(x, 1), round(y, 1)])
    return rows


def _mercator(lat_deg: float) -> float:
    return math.asinh(math.tan(math.radians(lat_deg)))


def _path(frame: Frame, points: Points, close: bool) -> str:
    """SVG path data; points closer than a third of a unit to the last one are left out."""
    steps: list[str] = []
    last = (math.inf, math.inf)
    for lat, lon in points:
        x, y = frame.place(lat, lon)
        if abs(x - last[0]) + abs(y - last[1]) >= 0.35:
            steps.append(f"{x:.1f} {y:.1f}")
            last = (x, y)
    return f"M{'L'.join(steps)}{'Z' if close else ''}" if steps else ""


def _land(frame: Frame) -> str:
    """Land and lakes, cut to the frame: continents would be most of the page otherwise."""
    from shapely import Polygon, clip_by_rect

    from adiz.out.map.land import UNITS_PER_DEG, land_near

    lat, lon = (frame.south + frame.north) / 2, (frame.west + frame.east) / 2
    radius = math.hypot(
        frame.north - frame.south, (frame.east - frame.west) * math.cos(math.radians(lat))
    )
    data = []
    for lats, lons in land_near(lat, lon, radius / 2):
        points = zip(lons, lats, strict=True)
        ring = Polygon([(x / UNITS_PER_DEG, y / UNITS_PER_DEG) for x, y in points])
        for turn in (-360.0, 0.0, 360.0):
            west, east = frame.west + turn - 0.5, frame.east + turn + 0.5
            if ring.bounds[0] > east or ring.bounds[2] < west:
                continue
            cut = clip_by_rect(ring.buffer(0), west, frame.south - 0.5, east, frame.north + 0.5)
            for part in getattr(cut, "geoms", [cut]):
                if part.geom_type == "Polygon":
                    data.append(_path(frame, [(y, x) for x, y in part.exterior.coords], True))
    return (
        f'<path d="{"".join(data)}" fill="#f4efe3" fill-rule="evenodd" stroke="#a99f86" '
        'stroke-width="0.7"/>'
    )


def _graticule(frame: Frame) -> tuple[list[str], list[str]]:
    """Lines, and their labels, which belong on top of the land."""
    step = next(s for s in (0.25, 0.5, 1, 2, 5, 10, 20, 45) if frame.east - frame.west < 9 * s)
    lines, labels = [], []
    for index in range(math.ceil(frame.west / step), math.floor(frame.east / step) + 1):
        x = frame.place(frame.south, index * step)[0]
        lines.append(_line(x, 0, x, frame.height))
        labels.append(_small(x + 3, frame.height - 4, _degrees(index * step, "E", "W")))
    for index in range(math.ceil(frame.south / step), math.floor(frame.north / step) + 1):
        y = frame.place(index * step, frame.west)[1]
        lines.append(_line(0, y, frame.width, y))
        labels.append(_small(4, y - 3, _degrees(index * step, "N", "S")))
    return lines, labels


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="#c9d6df" stroke-width="0.7"/>'


def _small(x: float, y: float, text: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="12" fill="#6d7f8d">{text}</text>'


def _degrees(value: float, positive: str, negative: str) -> str:
    value = (value + 180.0) % 360.0 - 180.0 if positive == "E" else value
    whole, minutes = divmod(round(abs(value) * 60), 60)
    sign = positive if value >= 0 else negative
    return f"{whole}°{f'{minutes:02d}′' if minutes else ''}{sign}"


_ZONE_STYLE = {
    "territorial": ('fill="#b3261e" fill-opacity="0.08"', "#b3261e", "", 1.6),
    "adiz": ('fill="none"', "#3b4a8f", "", 1.6),
    "range": ('fill="none"', "#7a4b00", "2 4", 1.4),
    "fir": ('fill="none"', "#5b7083", "7 5", 1.0),
}


def _zone(frame: Frame, zone: ZoneShape, labels: Labels) -> Iterable[str]:
    fill, color, dash, width = _ZONE_STYLE.get(zone.kind, ('fill="none"', "#5b7083", "3 3", 1.0))
    data = "".join(_path(frame, ring, True) for ring in zone.rings)
    yield (
        f'<path d="{data}" {fill} fill-rule="evenodd" stroke="{color}" stroke-width="{width}" '
        f'stroke-dasharray="{dash or "none"}"><title>{escape(zone.label)}</title></path>'
    )
    seen = [
        (x, y)
        for ring in zone.rings
        for x, y in _along(frame, ring)
        if 20 < x < frame.width - 20 and 20 < y < frame.height - 20
    ]
    for key in ((0, -1), (0, 1), (1, 0), (-1, 0)) if seen else ():  # top, bottom, right, left
        x, y = max(seen, key=lambda spot: (key[0] * spot[0] + key[1] * spot[1], spot))
        if labels.put(x, y, zone.label, color, 13, 7):
            break


def _along(frame: Frame, ring: Points) -> Iterable[tuple[float, float]]:
    """Places along a ring, no further apart than an eighth of the drawing."""
    spots = [frame.place(lat, lon) for lat, lon in ring]
    for (x1, y1), (x2, y2) in zip(spots, [*spots[1:], spots[0]], strict=True):
        count = min(64, 1 + int(8 * math.hypot(x2 - x1, y2 - y1) / frame.width))
        yield from ((x1 + (x2 - x1) * i / count, y1 + (y2 - y1) * i / count) for i in range(count))


def _route(frame: Frame, route: Route, labels: Labels) -> Iterable[str]:
    key = escape(route.key)
    told = [rings for *_, rings in route.bands if not _fills(frame, rings)]
    yield _area(frame, _join(told), route.color, 'class="bands"', "possible positions, all legs")
    for name, begin, end, rings in route.bands:
        when = f'class="band" data-begin="{begin:.0f}" data-end="{end:.0f}" display="none"'
        yield _area(frame, rings, route.color, when, name)
    yield (
        f'<path data-route="{key}" d="{_path(frame, route.points, False)}" fill="none" '
        f'stroke="{route.color}" stroke-width="2.4" stroke-linejoin="round" '
        f'stroke-dasharray="7 3"><title>{escape(route.label)}</title></path>'
    )
    for label, (x, y) in _ticks(frame, route):
        yield (
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#fff" stroke="{route.color}" '
            'stroke-width="2"/>'
        )
        if label:
            labels.put(x, y, label, route.color, 12.5, 8)


def _area(frame: Frame, rings: Sequence[Points], color: str, attributes: str, title: str) -> str:
    data = "".join(_path(frame, ring, True) for ring in rings)
    return (
        f'<path {attributes} d="{data}" fill="{color}" fill-opacity="0.10" fill-rule="evenodd" '
        f'stroke="{color}" stroke-opacity="0.4" stroke-width="0.7">'
        f"<title>{escape(title)}</title></path>"
    )


def _join(bands: Sequence[Sequence[Points]]) -> list[Points]:
    """One outline round several areas: on paper there is no time slider to tell them apart."""
    from shapely import Polygon, union_all

    area = union_all([Polygon(ring).buffer(0) for rings in bands for ring in rings[:1]])
    parts = [part for part in getattr(area, "geoms", [area]) if part.geom_type == "Polygon"]
    return [list(part.exterior.coords) for part in parts]


def _fills(frame: Frame, rings: Sequence[Points]) -> bool:
    """Whether an area is nearly as wide or high as the map."""
    spots = [frame.place(lat, lon) for ring in rings for lat, lon in ring]
    xs, ys = [x for x, _ in spots], [y for _, y in spots]
    return bool(spots) and (
        max(xs) - min(xs) > 0.7 * frame.width or max(ys) - min(ys) > 0.8 * frame.height
    )


def _ticks(frame: Frame, route: Route) -> Iterable[tuple[str, tuple[float, float]]]:
    """Crossings that can be told apart at this scale: those that nearly coincide share a label."""
    groups: list[tuple[list[str], tuple[float, float]]] = []
    for label, lat, lon in route.ticks:
        if not frame.shows(lat, lon, -6):
            continue
        x, y = frame.place(lat, lon)
        for labels, spot in groups:
            if math.hypot(spot[0] - x, spot[1] - y) < 15:
                if label and label not in labels:
                    labels.append(label)
                break
        else:
            groups.append(([label] if label else [], (x, y)))
    return [("–".join(dict.fromkeys(labels[:1] + labels[-1:])), spot) for labels, spot in groups]


def _marks(frame: Frame, marks: Sequence[Mark], labels: Labels) -> Iterable[str]:
    for mark in marks:
        if not frame.shows(mark.lat_deg, mark.lon_deg):
            continue
        x, y = frame.place(mark.lat_deg, mark.lon_deg)
        title = f"<title>{escape(mark.title or mark.label)}</title>"
        if mark.kind == "place":
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{_INK}">{title}</circle>'
        else:
            yield (
                f'<path d="M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6 -6Z" fill="#fff" stroke="{_INK}" '
                f'stroke-width="1.6">{title}</path>'
            )
        labels.put(x, y, mark.label, _INK, 13 if mark.kind == "place" else 12, 9)


def _scale_bar(frame: Frame) -> Iterable[str]:
    middle = (frame.south + frame.north) / 2
    metre = frame.scale / 6_378_137.0 / math.cos(math.radians(middle))
    length_km = max(
        (k for k in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000) if k * 1000 * metre < 180),
        default=1,
    )
    x, y = frame.width - length_km * 1000 * metre - 20, frame.height - 30
    yield (
        f'<path d="M{x:.1f} {y - 4:.1f}v8m0 -4h{length_km * 1000 * metre:.1f}m0 -4v8" '
        f'stroke="{_INK}" stroke-width="1.5" fill="none"/>'
    )
    yield draw_text(x, y - 8, "start", f"{length_km} km · {length_km / 1.852:.0f} NM", _INK, 12)
