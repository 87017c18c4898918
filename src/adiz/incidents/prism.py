"""Space-time prisms: where a subject may have been between two sightings, and whether two met.

A subject seen at p1 at t1 and at p2 at t2, never faster than v, was at time t within v (t - t1) of
p1 and within v (t2 - t) of p2 (Kuijpers, Grimson & Othman, IJGIS 25(2), 2011). Each of the two
conditions is a cone, growing or shrinking, convex in position and time together. Two subjects may
have met if and only if their four cones have a point in common.

Decided exactly: if the common part is not empty it has an earliest point, and that is fixed by at
most three of the cones. So it is the apex of a growing cone, or the first contact of two, or a
point where three surfaces meet; every such candidate is tried against all four. Positions are on a
flat map (kilometres); see :mod:`adiz.incidents.plane` for what that costs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from adiz.incidents.plane import Floats

_EPSILON_KM = 1e-6

Event = tuple[float, float, float]
"""x (km), y (km), time (s)."""


@dataclass(frozen=True)
class Prism:
    """Between two sightings. ``speed_kms``: km a second."""

    x1_km: float
    y1_km: float
    t1_s: float
    x2_km: float
    y2_km: float
    t2_s: float
    speed_kms: float

    @property
    def possible(self) -> bool:
        """Whether the second sighting can be reached from the first."""
        apart = math.hypot(self.x2_km - self.x1_km, self.y2_km - self.y1_km)
        return apart <= self.speed_kms * (self.t2_s - self.t1_s) + _EPSILON_KM

    def holds(self, event: Event) -> bool:
        """Whether the subject may have been at a position at a time."""
        return all(cone.holds(event) for cone in self.cones())

    def cones(self) -> tuple[Cone, Cone]:
        return (
            Cone(self.x1_km, self.y1_km, self.t1_s, self.speed_kms),
            Cone(self.x2_km, self.y2_km, self.t2_s, -self.speed_kms),
        )

    def outline(self, points: int = 72) -> Floats:
        """(points, 2) on the edge of all positions at any time: an ellipse about the sightings.

        Raises:
            ValueError: the prism is empty.
        """
        if not self.possible:
            raise ValueError("the second sighting cannot be reached from the first")
        major = self.speed_kms * (self.t2_s - self.t1_s) / 2
        dx, dy = (self.x2_km - self.x1_km) / 2, (self.y2_km - self.y1_km) / 2
        minor = math.sqrt(max(0.0, major**2 - dx**2 - dy**2))
        angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
        u, w = major * np.cos(angle), minor * np.sin(angle)
        c, s = (dx, dy) if dx or dy else (1.0, 0.0)
        c, s = c / math.hypot(c, s), s / math.hypot(c, s)
        return np.column_stack([self.x1_km + dx + c * u - s * w, self.y1_km + dy + s * u + c * w])


@dataclass(frozen=True)
class Cone:
    """All (x, y, t) with distance from (x, y) <= rate · (t - t0); a negative rate shrinks."""

    x: float
    y: float
    t0: float
    rate: float

    def holds(self, event: Event) -> bool:
        apart = math.hypot(event[0] - self.x, event[1] - self.y)
        return apart <= self.rate * (event[2] - self.t0) + _EPSILON_KM


def meeting(one: Prism, other: Prism) -> Event | None:
    """The earliest place and time at which the two may have met; None if they cannot have.

    Example:
        >>> a = Prism(0, 0, 0, 0, 0, 100, 0.2)
        >>> b = Prism(15, 0, 0, 15, 0, 100, 0.2)
        >>> meeting(a, b)
        (7.5, 0.0, 37.5)
        >>> meeting(a, Prism(25, 0, 0, 25, 0, 100, 0.2)) is None
        True
    """
    cones = (*one.cones(), *other.cones())
    found = [e for e in _candidates(cones) if all(cone.holds(e) for cone in cones)]
    return min(found, key=lambda event: event[2]) if found else None


def _candidates(cones: tuple[Cone, ...]) -> Iterator[Event]:
    for cone in cones:
        yield cone.x, cone.y, cone.t0
    for pair in combinations(cones, 2):
        yield from _contact(*pair)
    for triple in combinations(cones, 3):
        yield from _common(*triple)


def _contact(a: Cone, b: Cone) -> Iterator[Event]:
    """Where two cones first touch: on the line between their centres."""
    apart = math.hypot(b.x - a.x, b.y - a.y)
    closing = a.rate + b.rate
    if abs(closing) < 1e-15 or apart == 0.0:
        return
    t = (apart + a.rate * a.t0 + b.rate * b.t0) / closing
    share = a.rate * (t - a.t0) / apart
    yield a.x + share * (b.x - a.x), a.y + share * (b.y - a.y), t


def _common(a: Cone, b: Cone, c: Cone) -> Iterator[Event]:
    """The points on the surfaces of three cones.

    Differences of |p - p_i|² = r_i² (t - t_i)² are not linear where the rates differ in size, so
    time is solved for: x and y are quadratics in t from two differences, and t follows from the
    third equation, a quartic. Its time is counted in units as long as the whole matter takes: in
    seconds its coefficients would differ by more than a double can hold beside each other.
    """
    fastest = max(abs(o.rate) for o in (a, b, c))
    if fastest == 0.0:
        return
    unit_s = max(abs(o.t0 - a.t0) + math.hypot(o.x - a.x, o.y - a.y) / fastest for o in (b, c))
    if unit_s == 0.0:
        return
    for x, y, t in _common_in_units(*(replace(o, t0=(o.t0 - a.t0) / unit_s, rate=o.rate * unit_s)
                                      for o in (a, b, c))):  # fmt: skip
        yield x, y, a.t0 + t * unit_s


def _common_in_units(a: Cone, b: Cone, c: Cone) -> Iterator[Event]:
    """As :func:`_common`, with times in units of the matter's length, counted from ``a.t0``."""
    origin = (a.x, a.y)
    rows, right = [], []
    for other in (b, c):
        dx, dy = other.x - origin[0], other.y - origin[1]
        rows.append((2 * dx, 2 * dy))
        # |p|² = ra² s², |p - d|² = ro² (s - so)²  ->  2 d·p = |d|² + ra² s² - ro² (s - so)²
        so = other.t0
        right.append(
            np.array([a.rate**2 - other.rate**2, 2 * other.rate**2 * so,
                      dx * dx + dy * dy - other.rate**2 * so**2])
        )  # fmt: skip
    (p, q), (r, s) = rows
    determinant = p * s - q * r
    size = math.hypot(p, q) * math.hypot(r, s)
    if size == 0.0:
        return
    if abs(determinant) <= 1e-12 * size:  # centres on one line: the differences fix the time
        for t in _real_roots(right[0] * math.hypot(r, s) * _sign(p * r + q * s)
                             - right[1] * math.hypot(p, q)):  # fmt: skip
            along = float(np.polyval(right[0], t)) / math.hypot(p, q)
            across = math.sqrt(max(0.0, (a.rate * t) ** 2 - along**2))
            ux, uy = p / math.hypot(p, q), q / math.hypot(p, q)
            for side in (across, -across):
                yield (
                    origin[0] + along * ux - side * uy, origin[1] + along * uy + side * ux,
                    t,
                )  # fmt: skip
        return
    x = (right[0] * s - right[1] * q) / determinant
    y = (right[1] * p - right[0] * r) / determinant
    quartic = np.polyadd(np.polymul(x, x), np.polymul(y, y))
    for t in _real_roots(np.polysub(quartic, [a.rate**2, 0.0, 0.0])):
        yield (
            origin[0] + float(np.polyval(x, t)), origin[1] + float(np.polyval(y, t)), t,
        )  # fmt: skip


def _sign(value: float) -> float:
    return 1.0 if value >= 0 else -1.0


def _real_roots(polynomial: Any) -> Iterator[float]:
    scale = np.abs(polynomial).max(initial=0.0)
    if scale == 0.0:
        return
    roots = np.roots(np.where(np.abs(polynomial) < 1e-14 * scale, 0.0, polynomial))
    for root in roots:
        if abs(root.imag) <= 1e-6 * max(1.0, abs(root.real)):
            yield float(root.real)
