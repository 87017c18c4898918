"""The map beneath the tracks: which part of the world, and zones and coast as braille dots."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from adiz.errors import AdizError
from adiz.zones.model import Zone, Zones
from adiz.zones.rings import dense_rings

Box = tuple[float, float, float, float]
"""South, north, west in degrees, and the width in degrees of longitude."""
Line = list[tuple[float, float]]
"""Latitudes and longitudes."""

_MARGIN = 0.15
_LEAST_DEG = 0.3
_WIDE_DEG = 60.0
_MOST_LAT = 84.0
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
STYLES = {"adiz": "cyan", "fir": "blue", "territorial": "magenta"}
_FORBIDDEN = ("prohibited", "restricted", "danger")
COAST = "bright_black"


def style_of(kind: str) -> str:
    """The colour of a kind of zone."""
    return "red" if kind in _FORBIDDEN else STYLES.get(kind, "white")


@dataclass(frozen=True, slots=True)
class Shape:
    """A zone as lines, closed, its longitudes unwrapped."""

    zone_id: str
    kind: str
    lines: list[Line]

    @property
    def middle(self) -> tuple[float, float]:
        lats = [lat for line in self.lines for lat, _ in line]
        lons = [lon for line in self.lines for _, lon in line]
        return (min(lats) + max(lats)) / 2, (min(lons) + max(lons)) / 2


def shapes_of(zones: Zones) -> list[Shape]:
    """The zones that can be drawn, all on the same turn of the earth."""
    found = [shape for zone in zones if (shape := _shape(zone))]
    middle = _middle_lon([shape.middle[1] for shape in found])
    return [_turned(shape, middle) for shape in found]


def _shape(zone: Zone) -> Shape | None:
    try:
        rings = dense_rings(zone, 300.0, planar=True)
    except AdizError:
        return None
    lines = [[*zip(ring[::2], ring[1::2], strict=True)] for ring in rings if len(ring) >= 6]
    return Shape(zone.zone_id, zone.kind, [[*line, line[0]] for line in lines]) if lines else None


def _turned(shape: Shape, middle: float) -> Shape:
    turn = round((middle - shape.middle[1]) / 360.0) * 360.0
    if not turn:
        return shape
    lines = [[(lat, lon + turn) for lat, lon in line] for line in shape.lines]
    return Shape(shape.zone_id, shape.kind, lines)


def _middle_lon(lons: Sequence[float]) -> float:
    """Opposite the widest gap: where the rest is together."""
    around = sorted({lon % 360.0 for lon in lons})
    if not around:
        return 0.0
    gaps = [
        ((after - lon) % 360.0 or 360.0, lon)
        for lon, after in zip(around, [*around[1:], around[0]], strict=True)
    ]
    width, lon = max(gaps)
    return (lon + width / 2 + 180.0) % 360.0


class Ground:
    """A map of some zones in a field of characters.

    Args:
        shapes: all zones that can be drawn.
        focus: zones to look at where all together would span too much; empty: all.
        columns, rows: the field.
    """

    def __init__(
        self, shapes: Sequence[Shape], focus: Collection[str], columns: int, rows: int
    ) -> None:
        self.columns, self.rows = columns, rows
        self._shapes = shapes
        self._frame(_bounds(shapes, focus))

    def _frame(self, bounds: tuple[float, float, float, float]) -> None:
        south, north, west, east = bounds
        middle_lat, self._middle_lon = (south + north) / 2, (west + east) / 2
        high = (_mercator(north) - _mercator(south)) * (1 + 2 * _MARGIN)
        wide = math.radians(east - west) * (1 + 2 * _MARGIN)
        least = math.radians(_LEAST_DEG) / math.cos(math.radians(middle_lat))
        # A dot is as high as wide: half a column, a quarter of a row.
        self._per_dot = max(
            high / (4 * self.rows), wide / (2 * self.columns), least / (4 * self.rows)
        )
        self._middle_y = (_mercator(south) + _mercator(north)) / 2

    @property
    def box(self) -> Box:
        """What can be seen."""
        up, across = 2 * self.rows * self._per_dot, self.columns * self._per_dot
        south, north = _latitude(self._middle_y - up), _latitude(self._middle_y + up)
        width = min(360.0, math.degrees(2 * across))
        return south, north, self._middle_lon - width / 2, width

    def dot(self, lat_deg: float, lon_deg: float) -> tuple[float, float]:
        """Where a place is, in dots from the upper left; beyond the field where it is."""
        away = lon_deg - self._middle_lon
        x = math.radians(away) / self._per_dot + self.columns
        y = (self._middle_y - _mercator(lat_deg)) / self._per_dot + 2 * self.rows
        return x, y

    def cell(self, lat_deg: float, lon_deg: float) -> tuple[int, int] | None:
        """The column and row of a place, whatever turn its longitude is on; None: not in sight."""
        away = (lon_deg - self._middle_lon + 180.0) % 360.0 - 180.0
        x, y = self.dot(lat_deg, self._middle_lon + away)
        column, row = math.floor(x / 2), math.floor(y / 4)
        return (column, row) if 0 <= column < self.columns and 0 <= row < self.rows else None

    @cached_property
    def cells(self) -> list[list[tuple[str, str]]]:
        """Rows of characters with their styles: coast, then zones over it."""
        dots = [[0] * self.columns for _ in range(self.rows)]
        styles = [[COAST] * self.columns for _ in range(self.rows)]
        for line in self._coast():
            self._draw(line, dots, styles, COAST)
        for shape in self._shapes:
            for line in shape.lines:
                self._draw(line, dots, styles, style_of(shape.kind))
        return [
            [(chr(0x2800 + d) if d else " ", style) for d, style in zip(*row, strict=True)]
            for row in zip(dots, styles, strict=True)
        ]

    @cached_property
    def names(self) -> list[tuple[int, int, str, str]]:
        """Column, row, name and style of each zone in sight."""
        found = []
        for shape in self._shapes:
            cell = self.cell(*shape.middle)
            if cell:
                found.append((*cell, shape.zone_id, style_of(shape.kind)))
        return found

    def _coast(self) -> Iterator[Line]:
        from adiz.out.map.land import UNITS_PER_DEG, land_near

        south, north, _, width = self.box
        lat_deg = (south + north) / 2
        radius_deg = max((north - south) / 2, width / 2 * math.cos(math.radians(lat_deg)))
        rings: list[tuple[list[int], list[int]]] = land_near(lat_deg, self._middle_lon, radius_deg)
        for lats, lons in rings:
            middle = (min(lons) + max(lons)) / 2 / UNITS_PER_DEG
            turn = round((self._middle_lon - middle) / 360.0) * 360.0
            line = [
                (lat / UNITS_PER_DEG, lon / UNITS_PER_DEG + turn)
                for lat, lon in zip(lats, lons, strict=True)
            ]
            yield [*line, line[0]]

    def _draw(self, line: Line, dots: Any, styles: Any, style: str) -> None:
        points = [self.dot(lat, lon) for lat, lon in line]
        for (x1, y1), (x2, y2) in itertools.pairwise(points):
            part = _clipped(x1, y1, x2, y2, 2 * self.columns - 1e-6, 4 * self.rows - 1e-6)
            if part is None:
                continue
            x1, y1, x2, y2 = part
            steps = int(max(abs(x2 - x1), abs(y2 - y1))) + 1
            for step in range(steps + 1):
                x = int(x1 + (x2 - x1) * step / steps)
                y = int(y1 + (y2 - y1) * step / steps)
                dots[y // 4][x // 2] |= _DOTS[y % 4][x % 2]
                styles[y // 4][x // 2] = style


def _bounds(shapes: Sequence[Shape], focus: Collection[str]) -> tuple[float, float, float, float]:
    def around(chosen: Sequence[Shape]) -> tuple[float, float, float, float]:
        points = [point for shape in chosen for line in shape.lines for point in line]
        lats = [min(max(lat, -_MOST_LAT), _MOST_LAT) for lat, _ in points] or [-60.0, 75.0]
        lons = [lon for _, lon in points] or [-180.0, 180.0]
        return min(lats), max(lats), min(lons), max(lons)

    bounds = around(shapes)
    nearer = [shape for shape in shapes if shape.zone_id in focus]
    if nearer and max(bounds[1] - bounds[0], bounds[3] - bounds[2]) > _WIDE_DEG:
        return around(nearer)
    return bounds


def _mercator(lat_deg: float) -> float:
    lat = math.radians(min(max(lat_deg, -89.0), 89.0))
    return math.asinh(math.tan(lat))


def _latitude(y: float) -> float:
    return math.degrees(math.atan(math.sinh(y)))


def _clipped(
    x1: float, y1: float, x2: float, y2: float, right: float, bottom: float
) -> tuple[float, float, float, float] | None:
    """The part of a line within the field (Liang and Barsky); None: there is none."""
    first, last = 0.0, 1.0
    dx, dy = x2 - x1, y2 - y1
    for slope, room in ((-dx, x1), (dx, right - x1), (-dy, y1), (dy, bottom - y1)):
        if slope == 0:
            if room < 0:
                return None
        elif slope < 0:
            first = max(first, room / slope)
        else:
            last = min(last, room / slope)
    if first > last:
        return None
    return x1 + first * dx, y1 + first * dy, x1 + last * dx, y1 + last * dy
