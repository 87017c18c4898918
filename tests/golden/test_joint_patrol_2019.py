"""The joint patrol of 23 July 2019, found on the paths that the Korean account allows.

Given by the account: the way of the two H-6 (times and sides of the KADIZ: its reconstruction),
the minute of the join (C007), the spacing while together (C010, 3 to 5 km), the types, and that
no Tu-95 was in the KADIZ before 08:40 (C008 is their first entry). Given by others: the cruising
speed of a Tu-95MS. Not given by anyone: where the Tu-95 came from, how the four were placed, any
altitude.

So there is no track of the Tu-95 before the join, and none is made up: every bearing they can have
come from, straight and outside the KADIZ, is tried, abreast and in trail, and what is found may not
depend on it. A join is what the encounters call one: the nearest two come within 5 NM, here half
way through the minute told. Inferred: that instant, who belongs together, the states (from the
types alone), and when it ends.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np
import polars as pl
import pytest
from pyproj import Geod

import adiz
from adiz.detect.index import build_index
from adiz.geo import direct, inverse
from adiz.incidents.catalogue import find_incident
from adiz.incidents.model import Incident
from adiz.incidents.verdicts import PathPoint
from adiz.run.incidents import assess_file
from adiz.tracks.types import published

GEOD = Geod(ellps="WGS84")
MINUTE = datetime(2019, 7, 22, 23, 33, tzinfo=UTC)
JOIN_S = 30.0  # into the minute
NAMES = ("h6-1", "h6-2", "tu95-1", "tu95-2")
STEP_S, BEFORE_S = 10, 2400
(CRUISE_KMH,) = {s.value for s in published("TU-95MS", "cruise_kmh")}

Place = Callable[[float], tuple[float, float]]
"""From seconds after the minute to a position."""


@pytest.fixture(scope="module")
def account() -> tuple[Incident, tuple[PathPoint, ...]]:
    incident, _, found = assess_file(find_incident("2019-07-23"))
    (path,) = (r.points for r in found.reconstructions if r.subject_id == "h6")
    return incident, path


def seconds(point: PathPoint) -> float:
    return (point.time - MINUTE).total_seconds()


def slot(path: tuple[PathPoint, ...], shape: str, spacing_m: float, number: int) -> Place:
    """Where a member flies: beside the first on its right, or behind it on its way."""
    clock = np.array([seconds(p) for p in path])
    lat, lon, heading = (
        np.array([getattr(p, n) for p in path]) for n in ("lat_deg", "lon_deg", "track_true_deg")
    )
    heading = np.degrees(np.unwrap(np.radians(heading)))
    delay_s = number * spacing_m / (700 / 3.6) if shape == "trail" else 0.0
    aside_m = number * spacing_m if shape == "abreast" else 0.0

    def place(at_s: float) -> tuple[float, float]:
        a, o, h = (float(np.interp(at_s - delay_s, clock, v)) for v in (lat, lon, heading))
        return direct(a, o, h + 90.0, aside_m) if aside_m else (a, o)

    return place


def coming(own: Place, bearing: float, placed_s: float, number: int, aside_m: float) -> Place:
    """A member of a pair that comes straight from a bearing and is in its place at an instant."""

    def place(at_s: float) -> tuple[float, float]:
        if at_s >= placed_s:
            return own(at_s)
        way_m = CRUISE_KMH / 3.6 * (placed_s - at_s)
        here = direct(*own(placed_s), bearing, way_m)
        return direct(*here, bearing - 90.0, aside_m * number) if aside_m else here

    return place


def within_5_nm_s(one: Place, other: Place, placed_s: float) -> float:
    """When two that close first are within 5 NM: by GeographicLib, every second."""
    at = np.arange(placed_s - 900, placed_s + 1)
    a, b = (np.array([place(s) for s in at]) for place in (one, other))
    apart = GEOD.inv(a[:, 1], a[:, 0], b[:, 1], b[:, 0])[2]
    first = int(np.flatnonzero(apart > 5 * 1852.0)[-1])
    return float(at[first] + (apart[first] - 9260.0) / (apart[first] - apart[first + 1]))


def four(
    path: tuple[PathPoint, ...], shape: str, spacing_m: float, bearing: float
) -> dict[str, Place] | None:
    """The four, joining in the middle of the minute; None where the KADIZ lies in the way."""
    slots = [slot(path, shape, spacing_m, k) for k in range(4)]
    placed_s, late_s = JOIN_S, 0.0
    for _ in range(30):
        placed_s -= 0.6 * late_s
        pair = [
            coming(slots[k], bearing, placed_s, k - 2, spacing_m if shape == "abreast" else 0.0)
            for k in (2, 3)
        ]
        if inverse(*pair[0](placed_s - 60), *slots[1](placed_s - 60))[0] < spacing_m:
            return None  # it would fly through the others
        late_s = within_5_nm_s(slots[1], pair[0], placed_s) - JOIN_S
        if abs(late_s) < 0.1:
            break
    else:
        return None  # it stays near 5 NM for long
    kadiz = build_index(adiz.zones("KADIZ-2013"))
    before = np.arange(placed_s - BEFORE_S, 7 * 60, STEP_S)
    if any(kadiz.at(*place(s)) for place in pair for s in before):
        return None
    return dict(zip(NAMES, (*slots[:2], *pair), strict=True))


def reports(incident: Incident, path: tuple[PathPoint, ...], places: dict) -> pl.DataFrame:
    """Their tracks. The type codes are those of the account; nothing else names a state."""
    first, last = seconds(path[0]), seconds(path[-1])
    rows = [
        (MINUTE + timedelta(seconds=s), name, *place(s), incident.subject(name[:-2]).type_code)
        for name, place in places.items()
        for s in np.arange(-BEFORE_S if name.startswith("tu95") else first, last, STEP_S).tolist()
    ]
    names = ["time", "track_id", "lat_deg", "lon_deg", "type_code"]
    table = pl.DataFrame(rows, schema=names, orient="row")
    unknown = {
        name: pl.lit(None, pl.String) for name in ("icao24", "callsign", "squawk", "registration")
    }
    return table.with_columns(pl.col("time").cast(pl.Datetime("us", "UTC")), **unknown)


def test_states_and_roles_come_from_the_types(account: tuple) -> None:
    incident, path = account
    still = {name: partial(slot, path, "trail", 4000.0)(k) for k, name in enumerate(NAMES)}
    who = adiz.identify_tracks(reports(incident, path, still))
    assert {name: one.state for name, one in who.items()} == dict(
        zip(NAMES, ("CN", "CN", "RU", "RU"), strict=True)
    )
    for name, one in who.items():
        (statement,) = one.about("state")
        assert "is flown only by" in statement.evidence
        assert "unverified" in statement.source
        assert one.state == incident.subject(name[:-2]).state  # as the account says
        assert (one.role, one.use) == ("bomber", "military")


@pytest.mark.parametrize(
    ("shape", "spacing_m"),
    [("abreast", 3000.0), ("trail", 3000.0), ("trail", 4000.0)],
)
def test_two_and_two_join_at_0833(account: tuple, shape: str, spacing_m: float) -> None:
    incident, path = account
    ways = {b: four(path, shape, spacing_m, b) for b in range(0, 360, 20)}
    assert ways[180] is None  # the KADIZ lies south of the join
    open_ways = {b: places for b, places in ways.items() if places}
    assert len(open_ways) >= 5
    for bearing, places in open_ways.items():
        table = reports(incident, path, places)
        states = {n: one.state for n, one in adiz.identify_tracks(table).items()}
        found = adiz.find_formations(table, state_of=states)
        (row,) = found.formations.iter_rows(named=True)
        assert (row["joint_patrol"], row["states"]) == (True, "CN;RU"), bearing
        assert row["members"].split(";") == sorted(NAMES)
        assert row["most_at_once"] == 4
        # No account tells an altitude, so positions alone leave the kind open, and say so.
        assert (row["kind"], row["vertical"]) == ("unclear", "unknown")
        assert "altitudes are unknown" in row["reason"]
        # Two pairs, each under way for half an hour, become one group of four.
        merged = found.events.filter(pl.col("kind") == "merged")
        assert merged["members"].to_list() == ["h6-1;h6-2", "tu95-1;tu95-2"]
        formed = dict(
            found.events.filter(pl.col("kind") == "formed").select("members", "time").iter_rows()
        )
        assert formed["h6-1;h6-2"] < formed["tu95-1;tu95-2"] < MINUTE - timedelta(minutes=30)
        (joined,) = merged["time"].unique()
        assert joined == row["joint_start"]
        # Legs of 20 s cut the corner where the Tu-95 turn in: a few seconds, well within 08:33.
        assert abs((joined - MINUTE).total_seconds() - JOIN_S) < 8.0, (bearing, joined)
        assert path[-1].time - row["joint_end"] < timedelta(seconds=STEP_S + 1)  # the end of both
