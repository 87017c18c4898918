"""The compiled geodesics against GeographicLib (Karney), which shares no code with them."""

from __future__ import annotations

import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import strategies as st

from adiz.geo import direct, inverse

LAT = st.floats(-89.9, 89.9)
LON = st.floats(-180, 180)


@given(LAT, LON, LAT, st.floats(-170, 170))
def test_inverse_agrees_with_geographiclib(lat1: float, lon1: float, lat2: float, dlon: float):
    lon2 = lon1 + dlon
    distance_m, azimuth1, _ = inverse(lat1, lon1, lat2, lon2)
    exact = Geodesic.WGS84.Inverse(lat1, lon1, lat2, lon2)
    assert distance_m == pytest.approx(exact["s12"], abs=2e-4)
    # The azimuth is right if following it arrives there.
    there = Geodesic.WGS84.Direct(lat1, lon1, azimuth1, distance_m)
    assert Geodesic.WGS84.Inverse(there["lat2"], there["lon2"], lat2, lon2)["s12"] < 0.02


@given(LAT, LON, st.floats(0, 360), st.floats(0, 1.5e7))
def test_direct_agrees_with_geographiclib(lat: float, lon: float, azimuth: float, distance: float):
    lat2, lon2 = direct(lat, lon, azimuth, distance)
    exact = Geodesic.WGS84.Direct(lat, lon, azimuth, distance)
    assert Geodesic.WGS84.Inverse(lat2, lon2, exact["lat2"], exact["lon2"])["s12"] < 1e-3


def test_nearly_antipodal_points_are_refused_not_guessed():
    with pytest.raises(ValueError, match="antipodal"):
        inverse(0.0, 0.0, 0.2, 179.8)
