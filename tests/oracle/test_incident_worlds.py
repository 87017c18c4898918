"""Accounts of known hidden paths: feasibility, reconstruction and conflict against the truth.

ADIZ_WORLDS sets how many (6; the figures of record are for 200, see
docs/explanation/verdicts.md).
"""

from __future__ import annotations

import os
from datetime import timedelta

import numpy as np
import pytest

from adiz.incidents.account import build_account
from adiz.incidents.assess import check_account
from adiz.incidents.model import Claim
from adiz.incidents.reachability import impossible, smallest_conflict
from adiz.incidents.verdicts import Reconstruction
from tests.incident_worlds import GEOD, LIMIT_KMH, World, distances_km, inside, make_world, plant

WORLDS = int(os.environ.get("ADIZ_WORLDS", "6"))
TOLERANCE_KM = 0.5


class Flown:
    """Reconstructions as dense positions, by geodesics between their points."""

    def __init__(self, path: Reconstruction) -> None:
        lat, lon, clock = [], [], []
        for a, b in zip(path.points, path.points[1:], strict=False):
            azimuth, _, metres = GEOD.inv(a.lon_deg, a.lat_deg, b.lon_deg, b.lat_deg)
            share = np.linspace(0, 1, 12, endpoint=False)
            n = len(share)
            x, y, _ = GEOD.fwd(np.full(n, a.lon_deg), np.full(n, a.lat_deg), np.full(n, azimuth),
                               metres * share)  # fmt: skip
            lat.append(y)
            lon.append(x)
            span = (b.time - a.time).total_seconds()
            clock.append(a.time.timestamp() + share * span)
        end = path.points[-1]
        self.lat = np.append(np.concatenate(lat), end.lat_deg)
        self.lon = np.append(np.concatenate(lon), end.lon_deg)
        self.clock = np.append(np.concatenate(clock), end.time.timestamp())

    def satisfies(self, world: World, claim: Claim) -> bool:
        during = np.ones(len(self.clock), dtype=bool)
        if claim.time:
            early, late = claim.time.earliest.timestamp(), claim.time.latest.timestamp()
            during = (self.clock >= early - 1) & (self.clock <= late + 1)
        if not during.any():
            return False
        if claim.zones:
            return self.crosses(world, claim, during)
        place = world.incident.place(claim.place)
        azimuth, far = distances_km(*place.points[0], self.lat[during], self.lon[during])
        low, high = claim.distance_km.low - TOLERANCE_KM, claim.distance_km.high + TOLERANCE_KM
        near = (far >= low) & (far <= high)
        if claim.bearing:
            slack = 1 + np.degrees(TOLERANCE_KM / np.maximum(far, 1))
            offset = (azimuth - claim.bearing.from_deg) % 360
            near &= (offset <= claim.bearing.width_deg + slack) | (offset >= 360 - slack)
        closest = claim.predicate != "passes" or far.min() >= low
        return bool(near.any()) and closest

    def crosses(self, world: World, claim: Claim, during: np.ndarray) -> bool:
        zone = world.zones[claim.zones[0]]
        within = inside(zone, self.lat, self.lon)
        if claim.predicate == "never_inside":
            return self.depth(world, claim, during & within) < TOLERANCE_KM
        turns = np.flatnonzero(within[1:] != within[:-1]) + 1
        good = [i for i in turns if during[i] and within[i] == (claim.predicate == "enters")]
        if claim.bearing and good:
            place = world.incident.place(claim.place)
            azimuth, far = distances_km(*place.points[0], self.lat[good], self.lon[good])
            slack = 2 + np.degrees(1.0 / np.maximum(far, 1))
            offset = (azimuth - claim.bearing.from_deg) % 360
            return bool(
                ((offset <= claim.bearing.width_deg + slack) | (offset >= 360 - slack)).any()
            )
        return bool(good)

    def depth(self, world: World, claim: Claim, which: np.ndarray) -> float:
        """How far the positions lie from where the containment changes, at most (km)."""
        zone = world.zones[claim.zones[0]]
        lat, lon = self.lat[which], self.lon[which]
        found = 0.0
        for y, x in zip(lat, lon, strict=True):
            here = inside(zone, np.array([y]), np.array([x]))[0]
            for far in (0.3, 0.6, 1.0):
                rim = [GEOD.fwd(x, y, a, far * 1000) for a in range(0, 360, 30)]
                other = inside(zone, np.array([r[1] for r in rim]), np.array([r[0] for r in rim]))
                if (other != here).any():
                    found = max(found, far - 0.3)
                    break
            else:
                return 9.9
        return found


@pytest.mark.parametrize("seed", range(WORLDS))
def test_incident_world(seed: int, record_property):
    world = make_world(seed)
    account = build_account(world.incident, world.zones, "p", "x")
    assert not impossible(account, LIMIT_KMH), "claims made from a path that was flown"
    if len(account.anchors) > 1:
        feasibility, paths = check_account(world.incident, account)
        assert feasibility.state == "feasible"
        assert feasibility.least_speed_kmh <= LIMIT_KMH
        assert len(paths) == 1, "no path was found that can be flown"
        assert set(paths[0].claims) == {c.claim_id for c in world.incident.claims}
        check_path(world, paths[0])
    planted = plant(world, seed)
    if planted:
        lying, name = planted
        conflict = smallest_conflict(
            build_account(lying.incident, lying.zones, "p", "x"), LIMIT_KMH
        )
        record_property("conflict", len(conflict))
        assert name in conflict


def check_path(world: World, path: Reconstruction) -> None:
    flown = Flown(path)
    for name in path.claims:
        assert flown.satisfies(world, world.incident.claim(name)), name
    metres = [GEOD.inv(a.lon_deg, a.lat_deg, b.lon_deg, b.lat_deg)[2]
              for a, b in zip(path.points, path.points[1:], strict=False)]  # fmt: skip
    spans = np.diff([p.time.timestamp() for p in path.points])
    assert (np.array(metres) / spans * 3.6).max() <= LIMIT_KMH * 1.01
    assert path.points[-1].time - path.points[0].time < timedelta(hours=4)
    assert path.max_bank_deg <= 56
