"""The first test of the detector: any split, saved and restored anywhere, the same changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from adiz.detect.warnings import WARNINGS, WarningsFold, WarningsParams
from adiz.zones.model import Limit, Ring, Vertex, Zone, Zones

START = datetime(2026, 3, 1, tzinfo=UTC)
GAP_S = 90.0
PARAMS = WarningsParams(agree=2, of=4, clear_after=3, max_gap_s=GAP_S, cone_deg=10.0)


def square(name: str, south: float, west: float, size: float, **more: object) -> Zone:
    corners = [(south, west), (south, west + size), (south + size, west + size)]
    corners.append((south + size, west))
    return Zone(name, name, (Ring(tuple(Vertex(a, o) for a, o in corners)),), **more)


ZONES = Zones(
    (
        square("PLAIN", 10.0, 20.0, 0.5),
        square("BELT", 10.2, 20.2, 0.6, kind="territorial", edge="rhumb"),
        square("HIGH", 10.1, 20.1, 0.5, floor=Limit("FL", 9000.0), ceiling=Limit("FL", 12000.0)),
        square(
            "DATED",
            9.9,
            19.9,
            0.8,
            kind="danger",
            valid_from=START + timedelta(seconds=400),
            valid_to=START + timedelta(seconds=1500),
        ),
        square("ABOVE-GROUND", 10.3, 20.0, 0.4, kind="odd", ceiling=Limit("AGL", 1500.0)),
    )
)


def holes(rng: np.random.Generator, values: np.ndarray, share: float) -> pl.Series:
    return pl.Series(np.where(rng.random(len(values)) < share, np.nan, values)).fill_nan(None)


def world(seed: int, tracks: int = 4, reports: int = 80) -> pl.DataFrame:
    """Tracks that turn, climb and fall silent round the zones; values missing, repeated, late."""
    rng = np.random.default_rng(seed)
    parts = []
    for k in range(tracks):
        step_s = rng.choice([0.4, 1.0, 5.0, 30.0, 200.0], reports, p=[0.2, 0.3, 0.35, 0.12, 0.03])
        step_s[rng.random(reports) < 0.05] = 0.0
        course = np.cumsum(rng.normal(0, 4, reports) * (rng.random(reports) < 0.4))
        course += rng.uniform(0, 360)
        speed_kt = rng.uniform(80, 900) * np.ones(reports)
        move = np.minimum(step_s, 60.0) * speed_kt * 0.5144 / 111_000
        missing = rng.choice([0.0, 0.2, 1.0])
        parts.append(
            pl.DataFrame(
                {
                    "time": [
                        START + timedelta(seconds=round(float(s), 1))
                        for s in np.cumsum(step_s) + rng.integers(0, 300)
                    ],
                    "track_id": [f"track-with-a-long-name-{k}" if k % 2 else f"t{k}"] * reports,
                    "lat_deg": 10.4
                    + rng.uniform(-0.9, 0.9)
                    + np.cumsum(move * np.cos(np.radians(course))),
                    "lon_deg": 20.4
                    + rng.uniform(-0.9, 0.9)
                    + np.cumsum(move * np.sin(np.radians(course))),
                    "alt_baro_ft": holes(rng, 9_000 + np.cumsum(rng.normal(0, 300, reports)), 0.1),
                    "gs_kt": holes(rng, speed_kt, missing),
                    "track_true_deg": holes(rng, course % 360.0, missing),
                    "vrate_fpm": holes(rng, rng.normal(0, 800, reports), 0.3),
                    "on_ground": pl.Series(rng.random(reports) < 0.02),
                }
            )
        )
    return pl.concat(parts).sort("time", maintain_order=True)


def ordered(parts: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(parts).sort("time", "track_id", "zone_id", maintain_order=True)


def whole(reports: pl.DataFrame, suppressed: tuple[str, ...] = ()) -> pl.DataFrame:
    fold = WarningsFold(ZONES, PARAMS)
    return ordered([fold.step(reports, suppressed), fold.flush()])


@given(
    seed=st.integers(0, 10_000),
    cuts=st.lists(st.integers(0, 320), max_size=6),
    saves=st.lists(st.booleans(), min_size=6, max_size=6),
    quiet=st.booleans(),
    suppress=st.booleans(),
)
def test_any_split_and_restart_gives_the_same_changes(
    seed: int, cuts: list[int], saves: list[bool], quiet: bool, suppress: bool
) -> None:
    reports = world(seed)
    suppressed = ("t0", "nobody") if suppress else ()
    fold, parts, at = WarningsFold(ZONES, PARAMS), [], 0
    for cut, save in zip(sorted(cuts), saves, strict=False):
        cut = max(at, min(cut, len(reports)))
        parts.append(fold.step(reports[at:cut], suppressed))
        if quiet and cut:
            newest = int(reports["time"].to_physical()[cut - 1])
            parts.append(fold.silent(newest - round(GAP_S * 1e6)))
        if save:
            fold = WarningsFold.restore(fold.save(), ZONES)
        at = cut
    parts += [fold.step(reports[at:], suppressed), fold.flush()]
    assert_frame_equal(ordered(parts), whole(reports, suppressed))


@given(seed=st.integers(0, 10_000))
def test_tracks_do_not_depend_on_each_other(seed: int) -> None:
    reports = world(seed)
    apart = [whole(part) for _, part in reports.group_by("track_id", maintain_order=True)]
    assert_frame_equal(ordered(apart), whole(reports))


@given(seed=st.integers(0, 10_000))
def test_every_warning_begins_once_and_ends_once(seed: int) -> None:
    """Raised, perhaps raised again as nominal, cleared; never two at once of a track and zone."""
    changes = whole(world(seed))
    assert changes.columns == [c.name for c in WARNINGS]
    for _, one in changes.group_by("track_id", "zone_id", "raised_time"):
        kinds = one["change"].to_list()
        assert kinds in (["raised", "cleared"], ["raised", "raised", "cleared"])
        assert one["course"].to_list()[-1] == "nominal" or len(kinds) == 2
    for _, one in changes.group_by("track_id", "zone_id", maintain_order=True):
        spans = one.group_by("raised_time").agg(end=pl.col("time").last()).sort("raised_time")
        assert (spans["raised_time"][1:] >= spans["end"][:-1]).all()
    raised = changes.filter(pl.col("change") == "raised")
    assert (raised["lead_s"] >= 0).all()
    assert changes.filter(pl.col("change") == "cleared")["reason"].null_count() == 0


@given(seed=st.integers(0, 10_000), cut=st.integers(1, 319))
def test_under_way_is_what_was_raised_and_not_cleared(seed: int, cut: int) -> None:
    fold = WarningsFold(ZONES, PARAMS)
    changes = fold.step(world(seed)[:cut])
    keys = ["track_id", "zone_id", "raised_time"]
    cleared = changes.filter(pl.col("change") == "cleared").select(keys)
    standing = changes.select(keys).unique().join(cleared, on=keys, how="anti").sort(keys)
    assert_frame_equal(fold.under_way().select(keys).sort(keys), standing)
    assert_frame_equal(fold.under_way(), fold.under_way())
