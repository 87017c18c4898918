"""Plans of simulated worlds against the truth written beside them."""

from __future__ import annotations

import re

import polars as pl
import pytest

from adiz.identify.ats import parse_ats
from adiz.identify.correlate import Correlation, correlate, split_flights
from adiz.identify.plans import build_plans
from adiz.simulate.world import Settings, make_world
from adiz.tracks.sightings import find_leaps


def answers(seed: int, keep: str) -> tuple[dict[str, Correlation], dict[str, set[str]]]:
    """The plan of each track, and the callsigns of the plans that truly are of its address.

    ``keep`` says what ties a plan to a track: its address and callsign, or one of them.
    """
    world = make_world(
        Settings(aircraft=250, seed=seed, period_s=15.0, noise_m=100.0, dropout=0.05, holes=0.2)
    )
    reports = world.reports()
    text = "\n".join(plan.text for plan in world.plans)
    if keep == "callsign":
        text = re.sub(r" CODE/\w+", "", text)
    if keep == "address":
        reports = reports.with_columns(pl.lit(None, pl.String).alias("callsign"))
    truth: dict[str, set[str]] = {}
    for plan in world.plans:
        if plan.icao24:
            truth.setdefault(plan.icao24, set()).add(plan.callsign)
    plans = build_plans([parse_ats(text)], {})
    assert plans.faults == ()
    assert len(plans) == len(world.plans)
    leaping = {track for leap in find_leaps(reports) for track in leap.track_ids}
    found = correlate(split_flights(reports), plans, leaping)
    assert all(len(flown) == 1 for flown in found.values())
    return {track: flown[0] for track, flown in found.items()}, truth


@pytest.mark.parametrize("keep", ["both", "callsign", "address"])
@pytest.mark.parametrize("seed", [1, 2])
def test_plans_of_a_world_find_their_tracks(seed: int, keep: str) -> None:
    found, truth = answers(seed, keep)
    matched = {t: a.match.plan.message.callsign for t, a in found.items() if a.match}
    assert all(callsign in truth.get(track, ()) for track, callsign in matched.items())
    right = sum((track in matched) == (track in truth) for track in found)
    shared = {track for track, callsigns in truth.items() if len(callsigns) > 1}
    assert (right + len(shared)) / len(found) >= 0.99
    # an address that two flights share is ambiguous, not guessed
    assert all(found[track].status == "ambiguous" for track in shared & found.keys())
