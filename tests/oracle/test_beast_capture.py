"""A real Beast capture, message by message, against pyModeS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adiz.sources.beast import Beast
from tests.feed_samples import beast


def _messages(data: bytes) -> list[bytes]:
    """The Mode S messages, framed by means of their own."""
    sizes, found, at = {0x31: 2, 0x32: 7, 0x33: 14}, [], 0
    while at < len(data):
        size, at, body = sizes[data[at + 1]] + 7, at + 2, bytearray()
        while len(body) < size:
            at += data[at] == 0x1A
            body.append(data[at])
            at += 1
        found.append(bytes(body[7:]))
    return [message for message in found if len(message) > 2]


def test_reports_are_those_of_an_independent_decoder(captures: Path) -> None:
    pymodes = pytest.importorskip("pyModeS", reason="pyModeS is not installed")
    from pyModeS.position._cpr import airborne_position_pair

    data = (captures / "traffic" / "sample_dump1090.bin").read_bytes()
    messages = _messages(data)
    decoder = Beast()
    said: dict[str, Any] = {}
    halves: dict[int, tuple[int, int]] = {}
    compared = 0
    for second, message in enumerate(messages):
        other = pymodes.decode(message.hex())
        rows = decoder.step(beast(message), second * 100_000)
        if other["df"] != 17:
            if other.get("squawk") and other["icao"] == "48520A":
                said["squawk"] = other["squawk"]
            continue
        for ours, theirs in (("callsign", "callsign"), ("squawk", "squawk"),
                             ("gs_kt", "groundspeed"), ("track_true_deg", "track"),
                             ("vrate_fpm", "vertical_rate")):  # fmt: skip
            if other.get(theirs) is not None:
                said[ours] = other[theirs]
        if "cpr_lat" in other:
            halves[other["cpr_format"]] = other["cpr_lat"], other["cpr_lon"]
        for row in rows:
            for ours in ("callsign", "squawk"):
                assert row.get(ours) == said.get(ours)
            for ours in ("gs_kt", "track_true_deg", "vrate_fpm"):
                assert row.get(ours) == pytest.approx(said[ours], abs=0.6)
            assert row["icao24"] == other["icao"].lower()
            if row["row"] == second + 1:
                assert row["alt_baro_ft"] == other["altitude"]
                place = airborne_position_pair(
                    *halves[0], *halves[1], even_is_newer=other["cpr_format"] == 0
                )
                assert (row["lat_deg"], row["lon_deg"]) == pytest.approx(place, abs=1e-9)
                compared += 1
    assert compared >= 3
    assert decoder.rejected.total() == 0
