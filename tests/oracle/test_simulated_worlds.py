"""What is found in generated worlds against what is true of them."""

from __future__ import annotations

import polars as pl
import pytest

from adiz.run.together import find_encounters, find_formations
from adiz.simulate.truth import find_true_encounters, score_formations
from adiz.simulate.world import Settings, World, make_world


def world_of(**settings: float) -> World:
    return make_world(Settings(**{"aircraft": 120, "hours": 1.0, **settings}))


@pytest.mark.parametrize("seed", [1])
def test_every_true_encounter_is_found_to_a_tenth_of_a_second(seed: int) -> None:
    world = world_of(seed=seed)
    true = find_true_encounters(world, for_s=30)
    assert true.height > 20
    reports = world.reports()
    shared = [f.icao24 for f in world.flights]
    shared = {n for n in shared if shared.count(n) > 1}
    reports = reports.filter(~pl.col("track_id").is_in(list(shared)))
    found = find_encounters(reports, for_s=30)
    assert found.height == true.height
    both = found.join(true, on=["track_a", "track_b"], suffix="_true").filter(
        (pl.col("start_time") - pl.col("start_time_true")).abs() < pl.duration(seconds=60)
    )
    assert both.height == true.height
    for end in ("start_time", "end_time"):
        error = (both[end] - both[f"{end}_true"]).abs().max()
        assert error.total_seconds() <= 0.1


def test_formations_in_noise() -> None:
    world = world_of(noise_m=100.0, dropout=0.05, seed=3)
    states = {f.icao24: f.state for f in world.flights}
    score = score_formations(world, find_formations(world.reports(), state_of=states))
    assert score.wrong == ()
    assert score.missed == ()
    assert score.joint_right == score.joint_true > 0
