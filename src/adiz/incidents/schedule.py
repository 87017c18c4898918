"""Positions and times, one for each anchor: the bones of a reconstruction."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely

from adiz.incidents.account import Anchor
from adiz.incidents.plane import Floats
from adiz.incidents.reachability import Layer, Search

_HEADING_S = 600.0  # on a longer leg a heading at its end says little of its direction
_HEADING_WEIGHT = 30.0  # as much as the squared length of a fast leg over its time
_BEARING_WEIGHT = 300.0  # "east of" is due east unless something speaks against it
GAP_S = 3600.0
"""A way of which an account says nothing for longer is not drawn."""


@dataclass(frozen=True)
class Stop:
    """One anchor with the position and the time chosen for it."""

    anchor: Anchor
    xy: Floats
    clock_s: float


WAYS = ((0.0, 1.0), (0.0, 0.3), (0.0, 0.0), (0.6, 0.0), (0.75, 0.0), (0.9, 0.0))
"""How stops are chosen, in the order it is tried: the share of the speed limit at which legs would
best be flown, and how firmly stated directions are followed (0: nor are stated headings)."""


def choose_stops(search: Search, speed_kmh: float, target: float, wishes: float) -> list[Stop]:
    """Stops in an order that the search found possible, evenly flown.

    With ``wishes``, stated headings are followed and stated directions taken at their middle
    where that costs little.

    Of the positions that some path reaches, those whose legs come nearest to the target speed
    between the windows' middles; if these cannot be flown in time after all, the path of the
    earliest arrivals.
    """
    path = search.trace(speed_kmh)
    order = [i for i, _ in path]
    anchors = [search.layers[i].anchor for i in order]
    even = even_positions(search, order, speed_kmh, target, wishes)
    for positions in (even, [j for _, j in path]):
        xy = np.array([search.layers[i].xy[j] for i, j in zip(order, positions, strict=True)])
        lengths = np.array(
            [search.distance(a, b)[i, j] for (a, i), (b, j) in
             pairwise(zip(order, positions, strict=True))]
        )  # fmt: skip
        for margin_s in (10.0, 3.0, 0.5):  # off the windows' ends, where that can be
            times = spread_times(anchors, lengths, speed_kmh, margin_s)
            if in_time(anchors, lengths, times, speed_kmh):
                return [Stop(a, p, t) for a, p, t in zip(anchors, xy, times, strict=True)]
    return [Stop(a, p, t) for a, p, t in zip(anchors, xy, times, strict=True)]


def in_time(
    anchors: list[Anchor], lengths_km: Floats, times: list[float], speed_kmh: float
) -> bool:
    windows = all(a.earliest_s <= t <= a.latest_s for a, t in zip(anchors, times, strict=True))
    return windows and bool(np.all(np.diff(times) + 1e-6 >= lengths_km / speed_kmh * 3600.0))


def even_positions(
    search: Search, order: list[int], speed_kmh: float, target: float, wishes: float
) -> list[int]:
    """For each layer the position, by dynamic programming over the sum of squared deviations."""
    arrivals = search.forward(speed_kmh)
    departures = search.backward(speed_kmh, arrivals)
    cost: Floats | None = None
    back = []
    mask = 0
    for last, i in zip([-1, *order], order, strict=False):
        mask |= 1 << i
        dead = ~(arrivals[mask, i] <= departures[mask, i] + 1e-6)
        here: Floats = 1e-6 * np.hypot(*search.layers[i].xy.T) ** 2  # of equals, the most central
        if wishes:
            here = here + crossing_cost(search, i) + wishes * bearing_cost(search.layers[i])
        if cost is not None:
            a, b = search.layers[last].anchor, search.layers[i].anchor
            between_s = max(30.0, b.middle_s - a.middle_s)
            excess = search.distance(last, i) - target * speed_kmh * between_s / 3600
            weight = np.where(excess > 0, 1.0, 0.3)  # a slow leg can be flown with a detour
            onward = cost[:, None] + weight * excess**2 / between_s
            if wishes and between_s <= _HEADING_S:
                onward = onward + leg_cost(search.layers[last], search.layers[i])
            back.append(onward.argmin(axis=0))
            here = here + onward.min(axis=0)
        cost = np.where(dead, np.inf, here)
    assert cost is not None
    positions = [int(cost.argmin())]
    for step in reversed(back):
        positions.append(int(step[positions[-1]]))
    return positions[::-1]


def crossing_cost(search: Search, i: int) -> Floats:
    """High for positions of an edge that no stated heading would cross in the stated sense."""
    layer = search.layers[i]
    heading, crossing = layer.anchor.heading, layer.anchor.crossing
    if heading is None or crossing is None:
        return np.zeros(len(layer.xy))
    area, inward = search.account.areas[crossing[0]], crossing[1]
    fits = np.zeros(len(layer.xy), dtype=bool)
    for share in (0.0, 0.5, 1.0):
        turn = np.radians(heading.from_deg + share * heading.width_deg)
        ahead, behind = (layer.xy + side * np.array([np.sin(turn), np.cos(turn)])
                         for side in (1.0, -1.0))  # fmt: skip
        enters = shapely.contains_xy(area, *ahead.T) & ~shapely.contains_xy(area, *behind.T)
        leaves = shapely.contains_xy(area, *behind.T) & ~shapely.contains_xy(area, *ahead.T)
        fits |= enters if inward else leaves
    return np.where(fits, 0.0, _HEADING_WEIGHT)


def bearing_cost(layer: Layer) -> Floats:
    """How far each position strays from the middle of the direction its claim gives."""
    if layer.anchor.bearing is None:
        return np.zeros(len(layer.xy))
    x, y, middle_deg = layer.anchor.bearing
    azimuth = np.arctan2(layer.xy[:, 0] - x, layer.xy[:, 1] - y)
    return np.asarray(_BEARING_WEIGHT * (1.0 - np.cos(azimuth - np.radians(middle_deg))))


def leg_cost(one: Layer, other: Layer) -> Floats:
    """How far the straight way from each position to each strays from the stated headings."""
    step = other.xy[None, :, :] - one.xy[:, None, :]
    azimuth = np.degrees(np.arctan2(step[..., 0], step[..., 1]))
    total: Floats = np.zeros(azimuth.shape)
    for heading in (one.anchor.heading, other.anchor.heading):
        if heading is not None:
            off = np.abs((azimuth - heading.middle_deg + 180.0) % 360.0 - 180.0)
            off = np.clip(off - heading.width_deg / 2, 0.0, None)
            total = total + _HEADING_WEIGHT * (1.0 - np.cos(np.radians(off)))
    return total


def spread_times(
    anchors: list[Anchor], lengths_km: Floats, speed_kmh: float, margin_s: float
) -> list[float]:
    """Times within the windows, each leg flown within the speed, the legs' speeds evened out.

    Starts from the earliest arrivals, which exist because the search found a path, and moves one
    time after another to where its two legs have one speed, as far as its window allows.
    """
    needed = np.concatenate([[0.0], lengths_km / speed_kmh * 3600.0])
    early: list[float] = []
    late: list[float] = []
    for anchor, least in zip(anchors, needed, strict=True):
        early.append(max(anchor.earliest_s, early[-1] + least) if early else anchor.earliest_s)
    for anchor, least in zip(anchors[::-1], np.concatenate([[0.0], needed[:0:-1]]), strict=True):
        late.append(min(anchor.latest_s, late[-1] - least) if late else anchor.latest_s)
    late.reverse()
    times = [(a + max(a, b)) / 2 for a, b in zip(early, late, strict=True)]
    legs = np.maximum(lengths_km, 0.05)
    for _ in range(300):
        for i, anchor in enumerate(anchors):
            margin = min(margin_s, (anchor.latest_s - anchor.earliest_s) / 5)
            low, high = anchor.earliest_s + margin, anchor.latest_s - margin
            wish = (low + high) / 2
            if i > 0:
                low = max(low, times[i - 1] + needed[i])
            if i < len(times) - 1:
                high = min(high, times[i + 1] - needed[i + 1])
            if 0 < i < len(times) - 1:
                share = legs[i - 1] / (legs[i - 1] + legs[i])
                wish = times[i - 1] + share * (times[i + 1] - times[i - 1])
            elif len(times) > 1:
                wish = low if i == 0 else high
            times[i] = min(max(wish, low), max(low, high))
    return times


def split_stops(stops: list[Stop]) -> list[list[Stop]]:
    """Runs of stops with no gap longer than :data:`GAP_S` between them."""
    runs: list[list[Stop]] = []
    for stop in stops:
        if runs and stop.clock_s - runs[-1][-1].clock_s <= GAP_S:
            runs[-1].append(stop)
        else:
            runs.append([stop])
    return [run for run in runs if len(run) > 1 and run[-1].clock_s > run[0].clock_s]
