"""Mode S messages against pyModeS: altitude codes, kinds of speed, all that a report has."""

from __future__ import annotations

import random
from typing import Any

import pytest

from adiz.sources.beast import Beast
from adiz.sources.modes import altitude_ft, decode_message
from adiz.sources.readsb import NACP_ERROR_M
from adiz.sources.site import Site
from tests.feed_samples import beast, coded, squitter

pymodes = pytest.importorskip("pyModeS", reason="pyModeS is not installed")

ADDRESS = 0x71BE01


def _position(code: int, *, kind: int = 11, odd: int = 0) -> bytes:
    lat, lon = coded(37.0, 131.0, bool(odd))
    return squitter(ADDRESS, kind << 51 | code << 36 | odd << 34 | lat << 17 | lon)


def test_every_altitude_code() -> None:
    """Barometric; pyModeS reads the height above the ellipsoid (20-22) as metres, which the
    standard does not: it has the same code there."""
    for code in range(1, 4096):
        theirs = pymodes.decode(_position(code).hex())["altitude"]
        assert altitude_ft(code) == theirs
        for kind in (9, 11, 18, 20, 22):
            said = decode_message(_position(code, kind=kind))
            assert said is not None
            assert said["altitude"] == theirs
    heights = [h for c in range(4096) if (h := altitude_ft(c)) is not None]
    assert (min(heights), max(heights)) == (-1_200, 126_700)
    nothing = decode_message(_position(0))
    assert nothing is not None
    assert nothing["altitude"] is None


def test_a_wrong_checksum_stays_wrong_whatever_the_altitude() -> None:
    source = random.Random(1)
    for code in (0xFFF, 0x1E5, 0xC38):
        for _ in range(200):
            message = bytearray(_position(code))
            message[source.randrange(14)] ^= 1 << source.randrange(8)
            if message[0] >> 3 in (17, 18):
                assert decode_message(bytes(message)) is None


def test_an_aircraft_above_fifty_thousand_feet_is_seen() -> None:
    decoder, rows = Beast(), []
    for second, odd in enumerate((0, 1, 0, 1)):
        rows += decoder.step(beast(_position(0x1E5, odd=odd)), second * 10**6)
    assert [row["alt_baro_ft"] for row in rows] == [74_700] * 4
    assert rows[0]["lat_deg"] == pytest.approx(37.0, abs=1e-4)


def test_speeds_of_both_scales() -> None:
    source = random.Random(2)
    for number in range(400):
        subtype = 1 + number % 2
        message = squitter(ADDRESS, 19 << 51 | subtype << 48 | source.getrandbits(48))
        ours, theirs = decode_message(message), pymodes.decode(message.hex())
        assert ours is not None
        for name, near in (("groundspeed", 1.01), ("track", 1e-6), ("vertical_rate", 0.1)):
            told = theirs.get(name)
            expected = None if told is None else pytest.approx(told, abs=near)
            assert ours.get(name) == expected, (name, message.hex())


def _taken(kind: int, source: random.Random) -> int:
    """56 random bits of one kind of message that says something of an aircraft."""
    payload = kind << 51 | source.getrandbits(51)
    if kind == 4:  # letters and digits, then blanks
        length = source.randint(0, 8)
        codes = [source.choice((1, 2, 26, 48, 57)) if n < length else 32 for n in range(8)]
        payload = kind << 51 | sum(code << 6 * (7 - n) for n, code in enumerate(codes))
    if kind == 19:
        payload = kind << 51 | source.choice((1, 2)) << 48 | source.getrandbits(48)
    if kind in (28, 29):
        payload = kind << 51 | 1 << (48 if kind == 28 else 49) | source.getrandbits(46)
    if kind == 31:
        payload = kind << 51 | source.choice((1, 2)) << 13 | source.randrange(16) << 8
    return payload


def _told(said: dict[str, Any], message: bytes) -> None:
    """What pyModeS reads in a message, in the columns of a report."""
    other = pymodes.decode(message.hex())
    if other["typecode"] == 4:
        said["callsign"] = other["callsign"].strip() or None
    if other.get("squawk"):
        said["squawk"] = other["squawk"]
    if other["typecode"] == 19 and "groundspeed" in other:
        for ours, theirs in (("gs_kt", "groundspeed"), ("track_true_deg", "track"),
                             ("vrate_fpm", "vertical_rate")):  # fmt: skip
            said[ours] = other[theirs]
    elif other.get("nac_p") is not None:
        said["position_error_m"] = NACP_ERROR_M.get(other["nac_p"])


def test_all_that_a_report_has() -> None:
    """Random talk of one aircraft; every report says what pyModeS last read."""
    source, decoder = random.Random(3), Beast()
    said: dict[str, Any] = {}
    compared: set[str] = set()
    for number in range(1_000):
        message = squitter(ADDRESS, _taken(source.choice((4, 19, 28, 29, 31)), source))
        _told(said, message)
        assert decoder.step(beast(message), number * 100_000) == []
        kind, code = source.choice((11, 20)), source.choice((0xC38, 0xFFF, 0x1E5))
        place = _position(code, kind=kind, odd=number % 2)
        altitude = pymodes.decode(_position(code).hex())["altitude"]
        for row in decoder.step(beast(place), number * 100_000):
            if row["row"] != decoder.frames:
                continue  # one that waited for its partner
            column = "alt_baro_ft" if kind == 11 else "alt_geom_ft"
            assert row[column] == altitude
            for name, value in said.items():
                near = pytest.approx(value, abs=1.01) if isinstance(value, int | float) else value
                assert row.get(name) == near, (name, number)
                compared |= {name} if value is not None else set()
            assert row["icao24"] == "71be01"
            assert row["on_ground"] is False
    assert compared == {"callsign", "squawk", "gs_kt", "track_true_deg", "vrate_fpm",
                        "position_error_m"}  # fmt: skip


def test_surface_messages() -> None:
    source = random.Random(4)
    site = Site(37.5, 126.5, 20.0)
    seen: set[str] = set()
    for _ in range(300):
        movement, status, direction = source.randrange(128), source.randrange(2), 77
        rows: list[dict[str, Any]] = []
        decoder = Beast({None: site})
        for odd in (0, 1):
            lat, lon = coded(37.46, 126.44, bool(odd), surface=True)
            payload = 7 << 51 | movement << 44 | status << 43 | direction << 36
            message = squitter(ADDRESS, payload | odd << 34 | lat << 17 | lon)
            rows += decoder.step(beast(message), odd * 10**6)
        other = pymodes.decode(message.hex())
        for row in rows:
            assert row["on_ground"] is True
            assert row["gs_kt"] == other["groundspeed"]
            assert row["track_true_deg"] == other["track"]
            assert row["lat_deg"] == pytest.approx(37.46, abs=1e-4)
            seen |= {n for n in ("gs_kt", "track_true_deg") if row[n] is not None}
    assert seen == {"gs_kt", "track_true_deg"}
