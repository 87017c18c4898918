"""Prism and alibi against brute force: times tried one by one, discs met by their corners.

The oracle shares no code with the product: at each of many times it intersects the four discs by
trying their centres and the crossings of their rims. It cannot see a meeting shorter than its
step, so a case counts only when its answer stays the same with speeds a little lower or higher.
"""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

from adiz.incidents.prism import Prism, meeting

CASES = int(os.environ.get("ADIZ_ALIBI_CASES", "400"))
TIMES = 400


def discs_meet(centres: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """For each time whether the discs (4, 2) of radii (times, 4) have a point in common."""
    meets = np.zeros(len(radii), dtype=bool)
    points = [np.broadcast_to(c, (len(radii), 2)) for c in centres]
    for i in range(4):
        for j in range(i + 1, 4):
            gap = centres[j] - centres[i]
            apart = np.hypot(*gap)
            if apart == 0:
                continue
            along = (apart**2 + radii[:, i] ** 2 - radii[:, j] ** 2) / (2 * apart)
            across = np.sqrt(np.maximum(radii[:, i] ** 2 - along**2, 0))
            unit = gap / apart
            side = np.array([-unit[1], unit[0]])
            for sign in (1, -1):
                points.append(centres[i] + along[:, None] * unit + sign * across[:, None] * side)
    for point in points:
        apart = np.hypot(*(point[:, None, :] - centres[None]).transpose(2, 0, 1))
        meets |= (apart <= radii + 1e-9).all(axis=1)
    return meets & (radii >= 0).all(axis=1)


def brute_force(a: Prism, b: Prism, factor: float) -> bool:
    begin, end = max(a.t1_s, b.t1_s), min(a.t2_s, b.t2_s)
    if begin > end:
        return False
    t = np.linspace(begin, end, TIMES)
    va, vb = a.speed_kms * factor, b.speed_kms * factor
    radii = np.column_stack([va * (t - a.t1_s), va * (a.t2_s - t), vb * (t - b.t1_s),
                             vb * (b.t2_s - t)])  # fmt: skip
    centres = np.array([(a.x1_km, a.y1_km), (a.x2_km, a.y2_km), (b.x1_km, b.y1_km),
                        (b.x2_km, b.y2_km)])  # fmt: skip
    return bool(discs_meet(centres, radii).any())


def sampled(prism: Prism, points: np.ndarray, times: np.ndarray, factor: float) -> np.ndarray:
    """Which points lie, at one of the times at least, within reach of both sightings."""
    speed = prism.speed_kms * factor
    near = np.hypot(*(points - (prism.x1_km, prism.y1_km)).T)[:, None]
    far = np.hypot(*(points - (prism.x2_km, prism.y2_km)).T)[:, None]
    reached = (near <= speed * (times - prism.t1_s)) & (far <= speed * (prism.t2_s - times))
    return reached.any(axis=1)


def random_prism(rng: np.random.Generator) -> Prism:
    t1 = rng.uniform(0, 600)
    t2 = t1 + rng.uniform(60, 1200)
    speed = rng.uniform(0.1, 0.7)
    x, y = rng.uniform(-150, 150, 2)
    reach = speed * (t2 - t1) * rng.uniform(0, 1.05)
    angle = rng.uniform(0, 2 * np.pi)
    return Prism(x, y, t1, x + reach * np.cos(angle), y + reach * np.sin(angle), t2, speed)


def test_alibi_agrees_with_brute_force():
    rng = np.random.default_rng(20190723)
    answers = {True: 0, False: 0}
    checked = 0
    while checked < CASES:
        a, b = random_prism(rng), random_prism(rng)
        if rng.random() < 0.1:  # centres on one line, or shared
            b = Prism(a.x1_km, a.y1_km, b.t1_s, b.x2_km, b.y2_km, b.t2_s, b.speed_kms)
        if rng.random() < 0.3:  # as fast, or nearly
            b = replace(b, speed_kms=a.speed_kms * (1 + rng.choice([0, 10 ** -rng.uniform(1, 14)])))
        low, high = brute_force(a, b, 0.99), brute_force(a, b, 1.01)
        if low != high:
            continue
        checked += 1
        met = meeting(a, b)
        assert (met is not None) == low, (a, b)
        answers[low] += 1
        if met:
            assert a.holds(met)
            assert b.holds(met)
    assert min(answers.values()) > CASES // 10


def test_two_that_are_nearly_as_fast_may_have_met():
    """One of 10,690 random pairs: its quartic in seconds has coefficients 19 orders apart."""
    a = Prism(-142.60443302515162, 43.7370051512608, 292.72347639320697, -132.09124798826537,
              -0.1915266524388386, 1452.413125881512, 0.27153512282160175)  # fmt: skip
    b = Prism(74.95745216559988, -103.2392433047915, 318.0959630179282, 17.943826253426472,
              87.45560751984607, 1194.1174151001023, 0.27278961137412416)  # fmt: skip
    assert brute_force(a, b, 0.99)
    assert meeting(a, b) == pytest.approx((-20.06396, -15.06880, 793.28546), abs=1e-4)


@pytest.mark.parametrize("share", [0.5, 0.999, 1.001, 2.0])
def test_prism_is_empty_when_too_far(share: float):
    prism = Prism(0, 0, 0, 100 * share, 0, 500, 0.2)
    assert prism.possible == (share < 1)
    if prism.possible:
        outline = prism.outline()
        total = np.hypot(*outline.T) + np.hypot(outline[:, 0] - 100 * share, outline[:, 1])
        assert np.allclose(total, 100)


def test_prism_outline_agrees_with_sampled_positions():
    rng = np.random.default_rng(7)
    import shapely

    for _ in range(max(20, CASES // 20)):
        prism = random_prism(rng)
        if not prism.possible:
            continue
        outline = shapely.Polygon(prism.outline(720))
        low, high = np.array(outline.bounds[:2]), np.array(outline.bounds[2:])
        points = rng.uniform(low - 20, high + 20, (200, 2))
        times = np.linspace(prism.t1_s, prism.t2_s, 300)
        low, high = (sampled(prism, points, times, f) for f in (0.98, 1.02))
        within = shapely.contains_xy(outline, points[:, 0], points[:, 1])
        assert (low == within)[low == high].all()
