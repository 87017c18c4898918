"""Compact position reporting against pyModeS."""

from __future__ import annotations

import random

import pytest

from adiz.tracks.cpr import Coded, decode_globally, decode_locally, longitude_zones
from tests.feed_samples import coded

oracle = pytest.importorskip("pyModeS.position._cpr", reason="pyModeS is not installed")
FINEST_DEG = 1e-9


def _places(count: int) -> list[tuple[float, float]]:
    source = random.Random(20190723)
    places = [(source.uniform(-89.5, 89.5), source.uniform(-180, 180)) for _ in range(count)]
    return [*places, (0.0, 0.0), (10.0, 179.9999), (-10.0, -180.0), (86.9, 5.0), (87.5, 5.0)]


def _same(ours: tuple[float, float] | None, theirs: tuple[float, float] | None) -> None:
    assert (ours is None) == (theirs is None)
    if ours and theirs:
        assert ours[0] == pytest.approx(theirs[0], abs=FINEST_DEG)
        assert (ours[1] - theirs[1] + 180) % 360 - 180 == pytest.approx(0, abs=FINEST_DEG)


def test_zones_of_longitude_are_those_of_the_table() -> None:
    for lat in (step / 1000 for step in range(-90_000, 90_001, 7)):
        assert longitude_zones(lat) == oracle.cprNL(lat)


@pytest.mark.parametrize("last_odd", [False, True])
def test_airborne_positions(last_odd: bool) -> None:
    for lat, lon in _places(3000):
        even, odd = coded(lat, lon, False), coded(lat, lon, True)
        first, second = (even, odd) if last_odd else (odd, even)
        ours = decode_globally(Coded(*first, not last_odd), Coded(*second, last_odd))
        theirs = oracle.airborne_position_pair(*even, *odd, even_is_newer=not last_odd)
        _same(ours, theirs)
        if ours:
            assert ours[0] == pytest.approx(lat, abs=1e-4)
        near = (max(-89.0, min(89.0, lat + 1.1)), lon + 0.9)
        told = decode_locally(Coded(*second, last_odd), near)
        _same(told, oracle.airborne_position_with_ref(last_odd, *second, *near))


@pytest.mark.parametrize("last_odd", [False, True])
def test_surface_positions(last_odd: bool) -> None:
    for lat, lon in _places(3000):
        near = (lat * 0.999 + 0.1, lon + 0.3)
        even, odd = coded(lat, lon, False, True), coded(lat, lon, True, True)
        first, second = (even, odd) if last_odd else (odd, even)
        older, newer = Coded(*first, not last_odd, True), Coded(*second, last_odd, True)
        ours = decode_globally(older, newer, near)
        theirs = oracle.surface_position_pair(
            *even, *odd, lat_ref=near[0], lon_ref=near[1], even_is_newer=not last_odd
        )
        _same(ours, theirs)
        told = decode_locally(newer, (lat + 0.1, lon + 0.1))
        _same(told, oracle.surface_position_with_ref(last_odd, *second, lat + 0.1, lon + 0.1))


def test_arbitrary_codes_decode_alike_or_not_at_all() -> None:
    source = random.Random(7)
    for _ in range(5000):
        even, odd = [(source.randrange(1 << 17), source.randrange(1 << 17)) for _ in range(2)]
        _same(
            decode_globally(Coded(*even, False), Coded(*odd, True)),
            oracle.airborne_position_pair(*even, *odd, even_is_newer=False),
        )
