"""The sun against an independent ephemeris (XEphem's, VSOP87), tolerance 0.02 degrees."""

import math
from datetime import UTC, datetime

import numpy as np
import pytest

from adiz.incidents.circumstances import see_sun, sun_at, sun_position

ephem = pytest.importorskip("ephem")
TOLERANCE_DEG = 0.02


def test_sun_agrees_with_an_independent_ephemeris() -> None:
    random = np.random.default_rng(20190723)
    times = random.uniform(-631152000, 2524608000, 400)  # 1950 to 2050
    lats, lons = random.uniform(-89, 89, 400), random.uniform(-180, 180, 400)
    azimuths, elevations = sun_position(times, lats, lons)
    for time, lat, lon, az, el in zip(times, lats, lons, azimuths, elevations, strict=True):
        place = ephem.Observer()
        place.pressure = 0
        place.lat, place.lon = str(lat), str(lon)
        place.date = ephem.Date(datetime.fromtimestamp(time, UTC).replace(tzinfo=None))
        sun = ephem.Sun(place)
        assert el == pytest.approx(math.degrees(sun.alt), abs=TOLERANCE_DEG)
        turn = (az - math.degrees(sun.az) + 180) % 360 - 180
        assert abs(turn) * math.cos(math.radians(el)) < TOLERANCE_DEG


@pytest.mark.parametrize(
    ("minute", "azimuth", "elevation"),
    [(9, 98.97, 45.5), (12, 99.5, 46.1), (33, 103.64, 50.2), (37, 104.5, 51.0)],
)
def test_sun_at_the_liancourt_rocks(minute: int, azimuth: float, elevation: float) -> None:
    az, el = sun_at(datetime(2019, 7, 23, 0, minute, tzinfo=UTC), 37.24, 131.87)
    assert az == pytest.approx(azimuth, abs=0.05)
    assert el == pytest.approx(elevation, abs=0.06)


def test_the_sun_stood_on_the_beam() -> None:
    first = see_sun(datetime(2019, 7, 23, 0, 9, tzinfo=UTC), 37.24, 131.87, 180)
    second = see_sun(datetime(2019, 7, 23, 0, 33, tzinfo=UTC), 37.24, 131.87, 0)
    assert (first.side, round(first.elevation_deg, 1)) == ("on the left beam", 45.5)
    assert (second.side, round(second.elevation_deg, 1)) == ("on the right beam", 50.2)
    assert first.off_nose_deg > 80
    assert second.off_nose_deg > 80
