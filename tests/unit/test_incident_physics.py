"""What one account allows: orders left open, smallest conflicts, meetings of two subjects."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from pyproj import Geod

from adiz.incidents.account import build_account
from adiz.incidents.alibi import could_meet
from adiz.incidents.assess import check_account
from adiz.incidents.edtf import parse_edtf
from adiz.incidents.model import Claim, Figure, Incident, Party, Place, Quantity, Source, Subject
from adiz.incidents.prism import Prism, meeting
from adiz.incidents.quantities import parse_sector
from adiz.incidents.reachability import impossible, smallest_conflict
from adiz.zones.model import Circle, Ring, Zone, Zones

GEOD = Geod(ellps="WGS84")
SPEED = (Figure(Quantity(900, 900, "km/h", "900"), "s"),)
ZONES = Zones((
    Zone("lake", "lake", (Ring((Circle(40.0, 20.0, 100_000.0),)),)),
    Zone("town", "town", (Ring((Circle(40.0, 22.0, 20_000.0),)),)),
))  # fmt: skip
PLACES = tuple(
    Place(f"east{km}", f"{km} km east", ((40.0, 20.0 + km / 85.4),)) for km in (0, 170, 200, 400)
)
BASE = Incident(
    "i", "t", "UTC", parties=(Party("p", "P"),), sources=(Source("s", "S"),),
    subjects=(Subject("x", "X", max_speed_kmh=SPEED), Subject("y", "Y", max_speed_kmh=SPEED)),
    places=PLACES,
)  # fmt: skip


def claim(claim_id: str, predicate: str, time: str | None, **more) -> Claim:
    if "bearing" in more:
        more["bearing"] = parse_sector(more["bearing"])
    more.setdefault("subject", "x")
    when = parse_edtf(f"2024-05-05T{time}".replace("/", "/2024-05-05T")) if time else None
    return Claim(claim_id, "p", more.pop("subject"), predicate, "s", "q", time=when, **more)


def account(*claims: Claim):
    return build_account(replace(BASE, claims=claims), ZONES, "p", "x")


def test_a_wide_window_does_not_fix_the_order():
    """Entered some time in an hour; its middle comes after the exit, the entry did not."""
    told = account(
        claim("in", "enters", "06:00Z/06:59Z", zones=("lake",), place="east0", bearing="W"),
        claim("out", "leaves", "06:15Z", zones=("lake",), place="east0", bearing="E"),
        claim("on", "at", "06:22Z", place="east170"),
        claim("far", "at", "06:59Z", place="east400"),
    )
    assert not impossible(told, 900)
    feasibility, paths = check_account(BASE, told)
    assert feasibility.state == "feasible"
    assert [set(p.claims) for p in paths] == [{"in", "out", "on", "far"}]


def test_more_open_orders_than_can_be_tried_are_not_called_impossible():
    wide = [claim(f"w{i}", "enters", "06:00Z/08:59Z", zones=("lake",)) for i in range(12)]
    fixed = [claim("a", "at", "06:10Z", place="east0"), claim("b", "at", "08:50Z", place="east200")]
    assert not impossible(account(*fixed, *wide), 900)
    fixed.append(claim("c", "at", "06:15Z", place="east400"))
    assert impossible(account(*fixed, *wide), 900)
    assert smallest_conflict(account(*fixed, *wide), 900) == ("a", "c")


def test_smallest_conflict_may_hold_an_absence():
    told = account(
        claim("not", "never_inside", None, zones=("town",)),
        claim("here", "at", "06:30Z", place="east170"),
        claim("else", "at", "07:30Z", place="east0"),
    )
    assert set(smallest_conflict(told, 900)) == {"not", "here"}


@pytest.mark.parametrize("predicate", ["enters", "inside"])
def test_to_be_in_a_zone_and_never_in_it_is_a_conflict(predicate: str):
    told = account(
        claim("not", "never_inside", None, zones=("lake",)),
        claim("in", predicate, "06:30Z", zones=("lake",)),
        claim("else", "at", "08:30Z", place="east400"),
    )
    assert set(smallest_conflict(told, 900)) == {"not", "in"}


@pytest.mark.parametrize("doubtful", ["a", "b", "c"])
def test_doubtful_claims_remain_in_the_conflict(doubtful: str):
    """Three places in three minutes: any two exclude each other."""
    claims = [
        claim("a", "at", "06:00Z", place="east0"), claim("b", "at", "06:02Z", place="east200"),
        claim("c", "at", "06:04Z", place="east400"),
    ]  # fmt: skip
    told = account(*(replace(c, confidence="low" if c.claim_id == doubtful else "high")
                     for c in claims))  # fmt: skip
    found = smallest_conflict(told, 900)
    assert len(found) == 2
    assert doubtful in found


def sighted(rng: np.random.Generator) -> tuple[list[tuple[float, float, int]], Prism]:
    """Two sightings (east and north of 40° N 20° E in km, minute), with their prism."""
    spots = [(*rng.uniform(-120, 120, 2), int(rng.integers(0, 20))) for _ in range(2)]
    spots.sort(key=lambda s: s[2])
    (x1, y1, t1), (x2, y2, t2) = spots
    return spots, Prism(x1, y1, t1 * 60, x2, y2, t2 * 60 + 60, 0.25)


def test_meetings_agree_with_prisms():
    rng = np.random.default_rng(5)
    answers = dict.fromkeys(product(("could have met", "could not have met"), (True, False)), 0)
    while sum(answers.values()) < 40:
        both = [sighted(rng) for _ in "xy"]
        begin, end = (max(s[0][0][2] for s in both), min(s[0][1][2] for s in both))
        if begin + 2 > end or not all(prism.possible for _, prism in both):
            continue
        outer = meeting(both[0][1], both[1][1])
        inner = meeting(*(_slower(prism) for _, prism in both))
        if (outer is None) != (inner is None):
            continue
        places, claims = [], []
        for name, (spots, _) in zip("xy", both, strict=True):
            for k, (x, y, minute) in enumerate(spots):
                azimuth, far = np.degrees(np.arctan2(x, y)), np.hypot(x, y) * 1000
                lon, lat, _ = GEOD.fwd(20.0, 40.0, azimuth, far)
                places.append(Place(f"{name}{k}", "spot", ((lat, lon),)))
                claims.append(claim(f"{name}{k}", "at", f"06:{minute:02d}Z", subject=name,
                                    place=f"{name}{k}"))  # fmt: skip
        incident = replace(BASE, places=tuple(places), claims=tuple(claims))
        told = [build_account(incident, ZONES, "p", name) for name in "xy"]
        state = could_meet(incident, *told).state
        if state != "too close to call":
            answers[state, outer is not None] += 1
    assert answers["could not have met", True] == answers["could have met", False] == 0
    assert min(answers["could have met", True], answers["could not have met", False]) > 5


def _slower(prism: Prism) -> Prism:
    """Less free by the minutes' rounding and more."""
    return replace(prism, t1_s=prism.t1_s + 60, t2_s=prism.t2_s - 60, speed_kms=0.25)
