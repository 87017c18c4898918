"""Which points of a line matter: one pass that serves every scale.

Douglas and Peucker's subdivision (Cartographica 10(2), 1973), kept whole: each point carries the
distance by which the line would stray without it, never more than that of the point it refines.
Keeping the points above any threshold then gives a line that strays by no more than the threshold.
For a track the distance is taken at equal times (Meratnia and de By, EDBT 2004), so that a
position read off the thinned track at any instant holds to the same tolerance.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

EARTH_RADIUS_M = 6371008.8


def unit_vectors(lat_deg: Any, lon_deg: Any) -> Floats:
    """Directions from the Earth's centre, shape (n, 3)."""
    lat, lon = np.radians(lat_deg), np.radians(lon_deg)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def significance(points: Floats, floor: float, along: Floats | None = None) -> Floats:
    """How far the line strays without each point; 0 below ``floor``, infinite at the two ends.

    Args:
        points: shape (n, dimensions), any unit.
        floor: in that unit; finer detail is not looked into.
        along: when each point was passed (n, increasing): distances are then between places of
            the same instant. None: the distance to the chord.
    """
    out = np.zeros(len(points))
    out[[0, -1]] = np.inf
    stack = [(0, len(points) - 1, np.inf)]
    while stack:
        first, last, above = stack.pop()
        if last - first < 2:
            continue
        way = points[last] - points[first]
        offsets = points[first + 1 : last] - points[first]
        if along is not None:
            share = (along[first + 1 : last] - along[first]) / (along[last] - along[first])
        else:
            share = np.clip(offsets @ way / max(float(way @ way), 1e-300), 0.0, 1.0)
        away = offsets - share[:, None] * way
        squares = np.einsum("ij,ij->i", away, away)
        worst = int(squares.argmax())
        stray = min(above, float(squares[worst]) ** 0.5)
        if stray < floor:
            continue
        middle = first + 1 + worst
        out[middle] = stray
        stack += [(first, middle, stray), (middle, last, stray)]
    return out
