"""Warnings: why they are raised and cleared, settings, and input as it should not be."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from pyproj import Geod
from tests.conftest import ROOT

from adiz.detect.warnings import WARNINGS, WarningsFold, WarningsParams
from adiz.errors import FaultyInputError
from adiz.schema import REPORTS, polars_schema
from adiz.zones.model import Limit, Ring, Vertex, Zone, Zones

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
GEOD = Geod(ellps="WGS84")


def box(**more: object) -> Zone:
    """A square degree, its western edge on 130 E."""
    corners = [(37.0, 130.0), (38.0, 130.0), (38.0, 131.0), (37.0, 131.0)]
    return Zone("BOX", "Box", (Ring(tuple(Vertex(a, o) for a, o in corners)),), **more)


def flight(
    seconds: int = 900,
    *,
    lat: float = 37.5,
    lon: float = 129.0,
    course: float = 90.0,
    gs_kt: float = 400.0,
    alt_ft: float | None = 30_000.0,
    vrate_fpm: float = 0.0,
    period_s: int = 5,
    turn_at_s: int = 10**9,
    turn_to: float = 270.0,
    start_s: float = 0.0,
    name: str = "abc123",
    motion: bool = True,
) -> pl.DataFrame:
    rows = []
    for s in range(0, seconds, period_s):
        rows.append(
            {
                "time": START + timedelta(seconds=s + start_s),
                "track_id": name,
                "lat_deg": lat,
                "lon_deg": lon,
                "alt_baro_ft": None if alt_ft is None else max(0.0, alt_ft + vrate_fpm * s / 60),
                "gs_kt": gs_kt if motion else None,
                "track_true_deg": course % 360 if motion else None,
                "vrate_fpm": vrate_fpm if motion else None,
            }
        )
        if s >= turn_at_s:  # one degree a second
            left = (turn_to - course + 180.0) % 360.0 - 180.0
            course += max(-period_s, min(period_s, left))
        lon, lat, back = GEOD.fwd(lon, lat, course, gs_kt * 1852 / 3600 * period_s)
        course = back + 180.0
    types = polars_schema(REPORTS)
    return pl.DataFrame(rows, schema_overrides=types)


def changes(reports: pl.DataFrame, zone: Zone | None = None, **params: object) -> list[tuple]:
    fold = WarningsFold(Zones((zone or box(),)), WarningsParams(**params))
    found = pl.concat([fold.step(reports), fold.flush()])
    return found.select("change", "course", "reason", "lead_s").rows()


@pytest.mark.parametrize("motion", [True, False])
def test_straight_in(motion: bool) -> None:
    """88 km at 400 kt are 429 s: the third update warns, or the third after 25 s of positions."""
    (raised, cleared) = changes(flight(motion=motion))
    assert raised[:3] == ("raised", "nominal", None)
    assert raised[3] == pytest.approx(419 if motion else 394, abs=2)
    assert cleared[:3] == ("cleared", "nominal", "entered")
    assert -5 <= cleared[3] <= 1


def test_no_warning_while_inside_nor_on_the_way_out() -> None:
    assert changes(flight(lon=130.2)) == []
    assert changes(flight(lon=130.2, course=270.0)) == []


def test_turned_away() -> None:
    (raised, cleared) = changes(flight(turn_at_s=120))
    assert raised[0] == "raised"
    assert cleared[2] == "turned_away"


def test_a_turn_towards_the_zone_is_warned_of_before_it_is_over() -> None:
    """One degree a second towards a zone 107 s to the east, warned of 150 s ahead."""
    turn = flight(course=0.0, lon=129.75, lat=37.3, turn_at_s=60, turn_to=100.0)
    found = changes(turn, horizon_s={"adiz": 150})
    assert [row[:2] for row in found[:2]] == [("raised", "cone"), ("raised", "nominal")]
    plain = changes(turn, horizon_s={"adiz": 150}, turn_ahead_s=0.0)
    assert plain[0][:3] == found[1][:3]
    assert plain[0][3] == pytest.approx(found[1][3], abs=1e-3)


def test_lost_at_the_last_report_when_a_track_falls_silent() -> None:
    fold = WarningsFold(Zones((box(),)))
    fold.step(flight(100))
    (row,) = fold.silent(2**62).to_dicts()
    assert (row["reason"], row["time"]) == ("lost", START + timedelta(seconds=95))
    assert fold.held == 0
    again = pl.concat([flight(100), flight(100, start_s=400.0, lon=129.3)])
    assert [row[2] for row in changes(again)] == [None, "lost", None, "lost"]


def test_zone_ended() -> None:
    zone = box(valid_to=START + timedelta(seconds=450))
    slow = flight(600, gs_kt=395.0)
    found = changes(slow, zone)
    assert found[0][0] == "raised"
    assert found[1][2] == "entered" or found[1][2] == "zone_ended"
    zone = box(valid_to=START + timedelta(seconds=440))
    late = changes(flight(600, gs_kt=370.0, turn_at_s=100, turn_to=40.0), zone, smooth_s=0.0)
    assert late == [] or late[-1][2] in ("turned_away", "zone_ended")


def test_an_entry_by_the_zone_coming_into_force() -> None:
    zone = box(valid_from=START + timedelta(seconds=300))
    (raised, cleared) = changes(flight(400, lon=130.1, gs_kt=200.0), zone)
    assert raised[3] == pytest.approx(290, abs=1)
    assert cleared[2] == "entered"


def test_climb_through_the_floor() -> None:
    """At 1,500 ft/min from 10,000 ft the floor at 20,000 ft is 400 s away."""
    zone = box(floor=Limit("FL", 20_000.0))
    (raised, cleared) = changes(
        flight(500, lon=130.05, gs_kt=200.0, alt_ft=10_000.0, vrate_fpm=1500.0), zone
    )
    assert raised[3] == pytest.approx(390, abs=1)
    assert cleared[2] == "entered"
    assert changes(flight(500, alt_ft=10_000.0), zone) == []
    assert changes(flight(500, alt_ft=None), zone)[0][0] == "raised"


def test_descent_ends_at_the_ground() -> None:
    low = box(ceiling=Limit("AMSL", 3_000.0))
    found = changes(flight(400, alt_ft=5_000.0, vrate_fpm=-2000.0, gs_kt=400.0), low)
    assert found[0][0] == "raised"
    deep = box(floor=Limit("AMSL", -5_000.0), ceiling=Limit("AMSL", -1_000.0))
    assert changes(flight(400, alt_ft=5_000.0, vrate_fpm=-2000.0), deep) == []


def test_suppressed_tracks_are_counted_and_told_when_they_are_not_any_more() -> None:
    reports = flight()
    fold = WarningsFold(Zones((box(),)))
    assert fold.step(reports[:20], ["abc123"]).is_empty()
    assert fold.counts["suppressed"] == 1
    (late,) = fold.step(reports[20:30]).to_dicts()
    assert (late["change"], late["time"]) == ("raised", START + timedelta(seconds=100))
    assert late["raised_time"] == late["time"]
    (cleared,) = fold.step(reports[30:40], {"abc123"}).to_dicts()
    assert cleared["reason"] == "suppressed"
    assert fold.step(reports[40:], {"abc123"}).is_empty()


def test_on_the_ground_nothing_is_predicted() -> None:
    assert changes(flight().with_columns(on_ground=True)) == []


def test_hostile_reports_do_no_harm() -> None:
    bad = [float("nan"), float("inf"), -float("inf"), 1e300, -1e300, 91.0, 541.0]
    base = flight(200)
    for column in ("lat_deg", "lon_deg", "alt_baro_ft", "gs_kt", "track_true_deg", "vrate_fpm"):
        for value in bad:
            mixed = base.with_columns(
                pl.when(pl.int_range(pl.len()) % 3 == 1)
                .then(value)
                .otherwise(pl.col(column))
                .alias(column)
            )
            fold = WarningsFold(Zones((box(),)))
            found = pl.concat([fold.step(mixed), fold.flush()])
            assert found["predicted_lat_deg"].is_finite().all()
    for lat in (90.0, -90.0, 89.999999):
        assert changes(flight(100, lat=lat)) == []


def test_over_the_antimeridian() -> None:
    corners = [(50.0, 179.5), (51.0, 179.5), (51.0, -179.5), (50.0, -179.5)]
    zone = Zone("DATE", "Date line", (Ring(tuple(Vertex(a, o) for a, o in corners)),))
    for lon, course in ((178.8, 90.0), (-178.8, 270.0)):
        raised, cleared = changes(flight(lat=50.5, lon=lon, course=course, gs_kt=350.0), zone)
        assert raised[3] == pytest.approx(266, abs=3)
        assert cleared[2] == "entered"


def test_memory_of_silent_tracks_is_given_back() -> None:
    fold = WarningsFold(Zones((box(),)))
    one = flight(15)
    for k in range(12):
        names = [f"a-rather-long-name-{k}-{i}" for i in range(500)]
        moved = pl.col("time") + timedelta(seconds=1000 * k)
        fold.step(
            one.drop("track_id")
            .join(pl.DataFrame({"track_id": names}), how="cross")
            .with_columns(moved)
            .sort("time")
        )
        newest = START + timedelta(seconds=1000 * k)
        fold.silent(round(newest.timestamp() * 1e6))
        assert fold.held == 500
    assert len(fold.save()) < 4_000_000


def test_settings_out_of_range_are_refused() -> None:
    table = {"agree": 6, "of": 5, "horizon_s": {"adiz": -1}}
    with pytest.raises(FaultyInputError, match="horizon_s of adiz is -1"):
        WarningsParams.from_table(table, "watch.toml")
    with pytest.raises(FaultyInputError, match=r"watch\.toml.*did you mean smooth_s"):
        WarningsParams.from_table({"smooth": 3}, "watch.toml")
    for name, value in (("agree", 2.0), ("of", True), ("every_s", 0), ("smooth_s", float("nan"))):
        with pytest.raises(FaultyInputError, match=name):
            WarningsParams(**{name: value})
    params = WarningsParams.from_table({"horizon_s": {"adiz": 900}})
    assert (params.horizon_of("adiz"), params.horizon_of("odd")) == (900.0, 300.0)


def test_a_saved_state_is_checked() -> None:
    fold = WarningsFold(Zones((box(),)))
    fold.step(flight(100))
    state = fold.save()
    with pytest.raises(FaultyInputError, match="other zones"):
        WarningsFold.restore(state, Zones((box(kind="fir", ceiling=Limit("FL", 100.0)),)))
    for damaged in (state[:-1], state[:100], b"", state[:-1] + b"x"):
        with pytest.raises(FaultyInputError, match="damaged"):
            WarningsFold.restore(damaged, Zones((box(),)))


def test_zones_changed_while_a_warning_stands() -> None:
    """One zone stays under another number, one goes, one comes, all in the aircraft's way."""
    kept, gone = box(), replace(box(), zone_id="GONE", kind="danger")
    new = replace(box(), zone_id="NEW", kind="danger")
    fold = WarningsFold(Zones((gone, kept)), WarningsParams(horizon_s={"danger": 600}))
    reports = flight()
    assert fold.step(reports[:20]).height == 2
    (ended,) = fold.rezone(Zones((kept, new))).to_dicts()
    assert (ended["zone_id"], ended["reason"]) == ("GONE", "zone_ended")
    assert ended["time"] == START + timedelta(seconds=95)
    assert fold.under_way()["zone_id"].to_list() == ["BOX"]
    rest = pl.concat([fold.step(reports[20:]), fold.flush()])
    told = rest.select("zone_id", "change", "reason").rows()
    assert sorted(told, key=str) == [
        ("BOX", "cleared", "entered"),
        ("NEW", "cleared", "entered"),
        ("NEW", "raised", None),
    ]
    entered = rest.filter(change="cleared")["time"].to_list()
    assert entered[0] == entered[1] == START + timedelta(seconds=430)


def test_a_far_track_is_looked_at_again_when_zones_change() -> None:
    far = replace(
        box(), zone_id="FAR", rings=(Ring((Vertex(-40, 0), Vertex(-39, 0), Vertex(-39, 1))),)
    )
    fold = WarningsFold(Zones((far,)))
    fold.step(flight()[:20])
    fold.rezone(Zones((far, box())))
    assert fold.step(flight()[20:]).height == 2


def test_the_same_zones_again_change_nothing() -> None:
    reports = flight()
    fold = WarningsFold(Zones((box(),)))
    parts = [fold.step(reports[:40]), fold.rezone(Zones((box(),))), fold.step(reports[40:])]
    found = pl.concat([*parts, fold.flush()]).select("change", "reason", "time").rows()
    whole = WarningsFold(Zones((box(),)))
    assert found == whole.step(reports).select("change", "reason", "time").rows()


def test_every_setting_and_column_is_in_the_reference_with_its_default() -> None:
    page = (ROOT / "docs" / "reference" / "watch.md").read_text()
    part = page[page.index("## Warnings") :]
    for field in fields(WarningsParams):
        assert f"`{field.name}`" in part
        if field.name not in ("horizon_s", "of", "agree"):
            row = next(line for line in part.splitlines() if f"`{field.name}`" in line)
            assert f"{field.default:,g}" in row
    assert not [c.name for c in WARNINGS if f"`{c.name}`" not in part]
