"""The shortest way between positions that keeps out of, or within, given areas."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from adiz.incidents.account import Account, Anchor
from adiz.incidents.plane import Floats, pair_distances

_CORNERS = 90
_SKIN_KM = 0.03  # a way may graze an edge by so much: the ring itself is good to 10 m
_TOUCH_KM = 1e-4  # a way along an edge does not cross it


def forbidden_area(account: Account, one: Anchor, other: Anchor) -> Any:
    """What the account says the subject kept out of, on the whole way from one to the other."""
    parts = [
        avoid.area
        for avoid in account.avoids
        if avoid.earliest_s <= one.earliest_s and other.latest_s <= avoid.latest_s
    ]
    return shapely.union_all(parts) if parts else None


def leg_distances(
    account: Account, one: Anchor, other: Anchor, a: Floats, b: Floats, slack_km: float
) -> Floats:
    """(len(a), len(b)) lengths of the shortest permitted ways; inf where there is none.

    With ``slack_km`` no length is longer than the true one for any positions within the slack of
    the given ones: the areas are shrunk and the lengths shortened by it.
    """
    direct = pair_distances(a, b)
    area = forbidden_area(account, one, other)
    if area is not None:
        area = area.buffer(-_SKIN_KM - slack_km)
        corners = None
        if slack_km:
            area, corners = _within(area)
        if not area.is_empty:
            direct = ways_round(a, b, direct, area, corners)
    return np.maximum(direct - slack_km, 0.0)


def barred_positions(account: Account, anchor: Anchor, xy: Floats, slack_km: float) -> Any:
    """Which positions of an anchor lie in an area that the account says the subject kept out of.

    All, if the anchor has it within that very area, where an edge alone would be let pass.
    """
    area = forbidden_area(account, anchor, anchor)
    if area is None:
        return np.zeros(len(xy), dtype=bool)
    told = anchor.hold
    if anchor.crossing is not None:
        told = account.areas[anchor.crossing[0]]
    if told is not None and area.buffer(_SKIN_KM).covers(told):
        return np.ones(len(xy), dtype=bool)
    return shapely.contains_xy(area.buffer(-_SKIN_KM - slack_km), xy[:, 0], xy[:, 1])


def ways_round(
    a: Floats, b: Floats, direct: Floats, area: Any, corners: Floats | None = None
) -> Floats:
    """Direct distances, made longer where the direct way crosses an area to keep out of.

    ``corners`` are those that ways are bent at; without them, those of an outline about the area.
    """
    shapely.prepare(area)
    blocked = _crosses(a, b, area)
    if not blocked.any():
        return direct
    corners = _about(area) if corners is None else corners
    from_a = np.where(_crosses(a, corners, area), np.inf, pair_distances(a, corners))
    to_b = np.where(_crosses(corners, b, area), np.inf, pair_distances(corners, b))
    among = np.where(_crosses(corners, corners, area), np.inf, pair_distances(corners, corners))
    for k in range(len(corners)):  # Floyd and Warshall
        among = np.minimum(among, among[:, k, None] + among[None, k, :])
    there = np.min(from_a[:, :, None] + among[None, :, :], axis=1)
    round_about = np.stack([np.min(row[:, None] + to_b, axis=0) for row in there])
    within = shapely.contains_xy(area, a[:, 0], a[:, 1])
    round_about[within, :] = np.inf
    round_about[:, shapely.contains_xy(area, b[:, 0], b[:, 1])] = np.inf
    return np.asarray(np.where(blocked, round_about, direct))


def _about(area: Any) -> Floats:
    """Corners of an outline outside the area: a way round them is longer than need be."""
    tolerance = _SKIN_KM
    while True:
        outline = area.buffer(tolerance, quad_segs=4).simplify(tolerance / 2)
        corners = shapely.get_coordinates(outline)
        if len(corners) <= _CORNERS:
            return np.unique(corners, axis=0)
        tolerance *= 1.5


def _within(area: Any) -> tuple[Any, Floats]:
    """A plainer area inside the area, and its corners: a way round them is never too long."""
    tolerance = _SKIN_KM / 2
    while True:
        plain = area.buffer(-tolerance, quad_segs=4).simplify(tolerance)
        corners = shapely.get_coordinates(plain)
        if len(corners) <= _CORNERS:
            return plain.buffer(-_TOUCH_KM), np.unique(corners, axis=0)
        tolerance *= 1.5


def _crosses(a: Floats, b: Floats, area: Any) -> Any:
    """(len(a), len(b)): whether the straight way between two positions meets the area."""
    circle = shapely.minimum_bounding_circle(area)
    centre = shapely.get_coordinates(circle.centroid)[0]
    radius = shapely.minimum_bounding_radius(area) * 1.001
    way = b[None, :, :] - a[:, None, :]
    length2 = np.maximum((way**2).sum(axis=2), 1e-18)
    share = np.clip(((centre - a)[:, None, :] * way).sum(axis=2) / length2, 0.0, 1.0)
    apart = np.hypot(*np.moveaxis(a[:, None, :] + share[..., None] * way - centre, 2, 0))
    found = apart <= radius  # others pass it by at a distance
    i, j = np.nonzero(found)
    found[i, j] = shapely.intersects(area, shapely.linestrings(np.stack([a[i], b[j]], axis=1)))
    return found
