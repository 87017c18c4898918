"""Positions and times, one for each anchor: the bones of a reconstruction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely

from adiz.incidents.account import Anchor
from adiz.incidents.plane import Floats
from adiz.incidents.reachability import Layer, Search

_HEADING_S = 600.0  # on a longer leg a heading at its end says little of its direction
_HEADING_WEIGHT = 30.0  # as much as the squared length of a fast leg over its time
_SLOT_S = 45.0
_MOST_SLOTS = 6
_BEARING_WEIGHT = 300.0  # "east of" is due east unless something speaks against it
GAP_S = 7200.0
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

    Positions and times are chosen together, such that legs come nearest to the target speed; if
    none of the times tried does, the path of the earliest arrivals.
    """
    path = search.trace(speed_kmh)
    order = [i for i, _ in path]
    anchors = [search.layers[i].anchor for i in order]
    even = even_stops(search, order, speed_kmh, target, wishes)
    choices = [even, ([j for _, j in path], [])] if even else [([j for _, j in path], [])]
    for positions, begun in choices:
        xy = np.array([search.layers[i].xy[j] for i, j in zip(order, positions, strict=True)])
        lengths = np.array(
            [search.distance(a, b)[i, j] for (a, i), (b, j) in
             pairwise(zip(order, positions, strict=True))]
        )  # fmt: skip
        for margin_s in (10.0, 3.0, 0.5):  # off the windows' ends, where that can be
            times = spread_times(anchors, lengths, speed_kmh, margin_s, begun)
            if in_time(anchors, lengths, times, speed_kmh):
                return [Stop(a, p, t) for a, p, t in zip(anchors, xy, times, strict=True)]
    return [Stop(a, p, t) for a, p, t in zip(anchors, xy, times, strict=True)]


def in_time(
    anchors: list[Anchor], lengths_km: Floats, times: list[float], speed_kmh: float
) -> bool:
    windows = all(a.earliest_s <= t <= a.latest_s for a, t in zip(anchors, times, strict=True))
    return windows and bool(np.all(np.diff(times) + 1e-6 >= lengths_km / speed_kmh * 3600.0))


def even_stops(
    search: Search, order: list[int], speed_kmh: float, target: float, wishes: float
) -> tuple[list[int], list[float]] | None:
    """For each layer the position and the time; None if the times tried allow no path.

    Dynamic programming over the sum of squared deviations from the target speed, each position at
    some times of its window.
    """
    cost: Floats | None = None
    back, slots = [], []
    for last, i in zip([-1, *order], order, strict=False):
        layer = search.layers[i]
        times = _times_in(layer.anchor)
        slots.append(times)
        here: Floats = 1e-6 * np.hypot(*layer.xy.T) ** 2  # of equals, the most central
        here = np.where(search.barred[i], np.inf, here)
        if wishes:
            here = here + crossing_cost(search, i) + wishes * bearing_cost(layer)
        here = np.tile(here, (len(times), 1)).ravel()  # of each time all positions
        if cost is not None:
            onward = cost[:, None] + _leg_costs(search, (last, i), slots[-2:], speed_kmh, target,
                                                wishes)  # fmt: skip
            back.append(onward.argmin(axis=0))
            here = here + onward.min(axis=0)
        cost = here
    assert cost is not None
    if not np.isfinite(cost).any():
        return None
    chosen = [int(cost.argmin())]
    for step in reversed(back):
        chosen.append(int(step[chosen[-1]]))
    counts = [len(search.layers[i].xy) for i in order]
    pairs = [divmod(k, count) for k, count in zip(chosen[::-1], counts, strict=True)]
    return [j for _, j in pairs], [float(t[k]) for t, (k, _) in zip(slots, pairs, strict=True)]


def _times_in(anchor: Anchor) -> Floats:
    """Some times of the window, its two ends (all but) included."""
    early, late = anchor.earliest_s, anchor.latest_s
    margin, least = (min(s, (late - early) / 5) for s in (10.0, 0.5))
    count = int(np.clip(np.ceil((late - early) / _SLOT_S) + 1, 3, _MOST_SLOTS))
    inner = np.linspace(early + margin, late - margin, count)
    return np.concatenate([[early + least], inner, [late - least]])


def _leg_costs(
    search: Search, leg: tuple[int, int], slots: list[Floats], speed_kmh: float, target: float,
    wishes: float,
) -> Floats:  # fmt: skip
    """From each position at each time to each position at each time; inf where too far."""
    one, other = (search.layers[i] for i in leg)
    length = search.distance(*leg)
    wish: Floats = np.zeros(length.shape)
    if wishes and other.anchor.middle_s - one.anchor.middle_s <= _HEADING_S:
        wish = leg_cost(one, other)
    rows = []
    for begin in slots[0]:
        row = []
        for end in slots[1]:
            between_s = max(end - begin, 1.0)
            excess = length - target * speed_kmh * between_s / 3600
            weight = np.where(excess > 0, 1.0, 0.3)  # a slow leg can be flown with a detour
            flown = weight * excess**2 / max(between_s, 30.0) + wish
            row.append(np.where(length > speed_kmh * between_s / 3600, np.inf, flown))
        rows.append(np.hstack(row))
    return np.vstack(rows)


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
    anchors: list[Anchor], lengths_km: Floats, speed_kmh: float, margin_s: float,
    begun: Sequence[float] = (),
) -> list[float]:  # fmt: skip
    """Times within the windows, each leg flown within the speed, the legs' speeds evened out.

    Starts from given times or else from the middle between the earliest and the latest, and moves
    one time after another to where its two legs have one speed, as far as its window allows.
    """
    needed = np.concatenate([[0.0], lengths_km / speed_kmh * 3600.0])
    early: list[float] = []
    late: list[float] = []
    for anchor, least in zip(anchors, needed, strict=True):
        early.append(max(anchor.earliest_s, early[-1] + least) if early else anchor.earliest_s)
    for anchor, least in zip(anchors[::-1], np.concatenate([[0.0], needed[:0:-1]]), strict=True):
        late.append(min(anchor.latest_s, late[-1] - least) if late else anchor.latest_s)
    late.reverse()
    times = list(begun) or [(a + max(a, b)) / 2 for a, b in zip(early, late, strict=True)]
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
