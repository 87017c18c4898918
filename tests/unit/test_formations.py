"""Formations from companies made by hand: membership, events, joint patrols, zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from adiz.detect.company import COMPANY, Rule, judge_company
from adiz.detect.encounters import ENCOUNTERS
from adiz.detect.groups import EVENTS, FORMATIONS, PARTS, build, find_zone_company
from adiz.schema import Column, polars_schema

T0 = datetime(2019, 7, 22, 23, 0, tzinfo=UTC)
STATES = {"h1": "CN", "h2": "CN", "t1": "RU", "t2": "RU"}


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def meeting(a: str, b: str, start: float, end: float, **differ: object) -> dict:
    row = {
        "track_a": a,
        "track_b": b,
        "start_time": at(start),
        "end_time": at(end),
        "duration_s": (end - start) * 60,
        "vertical": "known",
        "mean_lateral_m": 1500.0,
        "mean_vertical_ft": 200.0,
        "speed_difference_kt": 3.0,
        "heading_difference_deg": 2.0,
        "in_trail": 0.4,
        "turn_deg_min": 1.0,
        "mean_alt_ft": 28_000.0,
        "climb_fpm": 0.0,
    }
    return {**row, **differ}


def judged(*rows: dict, **limits: float) -> pl.DataFrame:
    table = pl.DataFrame(list(rows), schema=polars_schema(ENCOUNTERS))
    return judge_company(table, Rule(**limits))


@pytest.mark.parametrize(
    ("kind", "differ"),
    [
        ("formation", {}),
        ("formation", {"vertical": "partly"}),
        ("unclear", {"mean_vertical_ft": None, "vertical": "unknown"}),
        ("passing", {"heading_difference_deg": 40.0}),
        ("passing", {"speed_difference_kt": 35.0}),
        ("stacked", {"mean_vertical_ft": 2000.0}),
        ("spaced", {"mean_lateral_m": 6000.0}),
        ("terminal", {"mean_alt_ft": 5000.0, "climb_fpm": -700.0}),
        ("orbit", {"turn_deg_min": 20.0}),
    ],
)
def test_kinds(kind: str, differ: dict) -> None:
    assert judged(meeting("a", "b", 0, 60, **differ))["kind"].to_list() == [kind]


def test_a_short_break_is_bridged_and_a_long_one_is_not() -> None:
    company = judged(meeting("a", "b", 0, 10), meeting("a", "b", 14, 20), meeting("a", "b", 40, 44))
    assert company.select("start_time", "end_time", "together_s").rows() == [(at(0), at(20), 960.0)]


def test_joint_patrol_with_merge_and_split() -> None:
    company = judged(
        meeting("h1", "h2", 0, 200),
        meeting("t1", "t2", 30, 180),
        meeting("h1", "t1", 93, 130),
        meeting("h2", "t1", 95, 125),
    )
    formations, parts, events = build(company, STATES.get, {"h1": "bomber"}.get)
    assert formations.height == 1
    row = formations.row(0, named=True)
    assert (row["members"], row["states"], row["roles"]) == ("h1;h2;t1;t2", "CN;RU", "bomber")
    assert (row["most_at_once"], row["joint_patrol"]) == (4, True)
    assert (row["joint_start"], row["joint_end"]) == (at(93), at(130))
    assert events.select("time", "kind", "members").rows() == [
        (at(0), "formed", "h1;h2"),
        (at(30), "formed", "t1;t2"),
        (at(93), "merged", "h1;h2"),
        (at(93), "merged", "t1;t2"),
        (at(130), "split", "h1;h2"),
        (at(130), "split", "t1;t2"),
        (at(180), "ended", "t1;t2"),
        (at(200), "ended", "h1;h2"),
    ]
    four = parts.filter(pl.col("member_count") == 4)
    assert four.select("start_time", "end_time", "states").rows() == [(at(93), at(130), "CN;RU")]


def test_joins_and_leaves() -> None:
    company = judged(meeting("a", "b", 0, 60), meeting("b", "c", 10, 40))
    _, _, events = build(company, {}.get, {}.get)
    assert events.select("time", "kind", "members", "group").rows() == [
        (at(0), "formed", "a;b", "a;b"),
        (at(10), "joined", "c", "a;b;c"),
        (at(40), "left", "c", "a;b"),
        (at(60), "ended", "a;b", "a;b"),
    ]


def test_one_state_is_no_joint_patrol_and_unknown_is_no_state() -> None:
    company = judged(meeting("h1", "h2", 0, 60), meeting("h2", "x", 0, 60))
    formations, _, _ = build(company, STATES.get, {}.get)
    assert formations.select("joint_patrol", "states").row(0) == (False, "CN")


def test_who_was_in_a_zone_together() -> None:
    _, parts, _ = build(judged(meeting("a", "b", 0, 60), meeting("b", "c", 10, 40)), {}.get, {}.get)
    stays = pl.DataFrame(
        [("a", "Z", at(5), at(50)), ("b", "Z", at(6), at(30)), ("c", "Z", at(0), None)],
        schema={
            "track_id": pl.String(),
            "zone_id": pl.String(),
            "entry_time": pl.Datetime("us", "UTC"),
            "exit_time": pl.Datetime("us", "UTC"),
        },
        orient="row",
    )
    together = find_zone_company(parts, stays)
    assert together.select("start_time", "end_time", "members").rows() == [(at(6), at(30), "a;b")]


@pytest.mark.parametrize(
    ("page", "columns"),
    [
        ("encounters", ENCOUNTERS),
        ("formations", (*FORMATIONS, *PARTS, *EVENTS, *COMPANY)),
    ],
)
def test_every_column_is_on_the_reference_page(page: str, columns: tuple[Column, ...]) -> None:
    text = (Path(__file__).parents[2] / "docs" / "reference" / f"{page}.md").read_text()
    assert [c.name for c in columns if f"`{c.name}`" not in text] == []
