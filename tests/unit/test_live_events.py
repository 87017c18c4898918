"""What a watch tells of company, squawks, identification, silence, and zones that change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.property.test_stays_fold import square

from adiz.events import Event
from adiz.identify.compliance import Inputs
from adiz.identify.notices import read_notices
from adiz.run.live.engine import Engine, EngineParams
from adiz.run.live.gate import GateParams
from adiz.run.live.identifying import Identifying, Quiet, Silencer
from adiz.run.live.record import Record
from adiz.sources.reports import as_declared
from adiz.zones.geojson_write import write_geojson
from adiz.zones.model import Zones

START = datetime(2026, 3, 1, tzinfo=UTC)
ZONE = square("BOX", 10.0, 20.0, 1.0, kind="adiz")


class Live:
    """An engine with an archive in memory, fed minute by minute."""

    def __init__(self, zones: Zones | None = None, **more: Any) -> None:
        params = EngineParams(gate=GateParams(lateness_s=0.0), dwell_s=600.0)
        self.kept: list[pl.DataFrame] = []
        self.events: list[Event] = []
        self.engine = Engine(zones or Zones((ZONE,)), params, history=self.history, **more)

    def history(self, who: Sequence[str] | pl.Expr, since_us: int) -> pl.DataFrame:
        wanted = who if isinstance(who, pl.Expr) else pl.col("track_id").is_in(list(who))
        return pl.concat(self.kept).filter(wanted & (pl.col("time").dt.epoch("us") >= since_us))

    def feed(self, rows: list[dict[str, Any]], slice_s: float = 60.0) -> list[Event]:
        """Feed rows of (s, track_id, lat_deg, lon_deg, …); what is new."""
        before = len(self.events)
        for row in rows:
            row["time"] = START + timedelta(seconds=row.pop("s"))
        table = as_declared(pl.DataFrame(rows, infer_schema_length=None), "test").sort("time")
        bins = (table["time"] - START).dt.total_seconds() // int(slice_s)
        for part in table.with_columns(bins.alias("bin")).partition_by("bin", include_key=False):
            self.step("reports", int(part["time"].dt.epoch("us").max()), part)
        return self.events[before:]

    def step(self, kind: str, at_us: int, reports: Any = None, **data: Any) -> list[Event]:
        out = self.engine.step(Record(1, kind, "test", at_us, reports, None, data))
        self.kept.append(out.reports)
        self.events += out.events
        return out.events

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]


def flight(track_id: str, seconds: range, lat: float, lon: float, east: float, **more: Any):
    """Level flight eastward, ``east`` degrees a minute."""
    return [
        {"s": s, "track_id": track_id, "lat_deg": lat, "lon_deg": lon + east * s / 60.0,
         "gs_kt": 300.0, "track_true_deg": 90.0, "alt_baro_ft": 30_000.0, **more}
        for s in seconds
    ]  # fmt: skip


def test_a_joint_patrol_is_told_while_it_lasts_and_when_it_has_ended() -> None:
    live = Live()
    rows = []
    for k, address in enumerate(("780a01", "780a02", "155a01", "155a02")):
        rows += flight(address, range(0, 2400, 10), 9.0 + 0.01 * k, 18.0, 0.09, icao24=address)
    live.feed(rows)
    joint = [e for e in live.events if e.kind == "joint_patrol"]
    assert joint
    first = joint[0]
    assert (first.revision, first.data["ended"], first.data["states"]) == (1, False, "CN;RU")
    assert set(first.tracks) == {"780a01", "780a02", "155a01", "155a02"}
    assert first.detected_us < (START + timedelta(minutes=15)).timestamp() * 1e6
    live.step("end", int((START + timedelta(hours=1)).timestamp() * 1e6))
    last = [e for e in live.events if e.kind == "joint_patrol"][-1]
    assert (last.event_id, last.data["ended"]) == (first.event_id, True)
    assert last.revision > 1
    assert "CN" in last.text
    assert "RU" in last.text
    encounters = {e.tracks for e in live.events if e.kind == "encounter"}
    assert len(encounters) == 6


def test_strangers_on_one_airway_are_no_formation() -> None:
    live = Live()
    rows = flight("a", range(0, 2400, 10), 9.0, 18.0, 0.09)
    rows += flight("b", range(0, 2400, 10), 9.0, 17.94, 0.09)
    for row in rows[240:]:
        row["alt_baro_ft"] = 31_000.0
    live.feed(rows)
    live.step("end", int((START + timedelta(hours=1)).timestamp() * 1e6))
    assert {"formation", "joint_patrol"}.isdisjoint(live.kinds())
    assert "encounter" in live.kinds()


def test_emergency_squawks_are_told_once_each_time() -> None:
    live = Live()
    codes = ["1200", "7700", "7700", None, "7700", "2000", "7600"]
    rows = flight("a", range(0, 70, 10), 9.0, 18.0, 0.09)
    for row, code in zip(rows, codes, strict=True):
        row["squawk"] = code
    live.feed(rows, 10)
    told = [e for e in live.events if e.kind.startswith("squawk")]
    assert [e.kind for e in told] == ["squawk_7700", "squawk_7600"]
    assert "emergency" in told[0].text


def test_entry_warned_of_dwell_loss_and_reacquisition() -> None:
    live = Live()
    live.feed(flight("a", range(0, 1500, 10), 10.5, 19.6, 0.05), 10)
    live.feed(flight("b", range(1500, 1800, 10), 9.0, 18.0, 0.05), 10)
    live.feed(flight("a", range(1800, 2000, 10), 10.5, 19.3, 0.05), 10)
    kinds = [e.kind for e in live.events if "a" in e.tracks]
    for kind in ("warning", "entry", "dwell", "lost", "reacquired"):
        assert kind in kinds
    entry = next(e for e in live.events if e.kind == "entry")
    warned = next(e for e in live.events if e.kind == "warning")
    assert abs(entry.time_us - (START + timedelta(seconds=480)).timestamp() * 1e6) < 1e5
    assert entry.time_us - warned.detected_us >= 300e6
    lost = next(e for e in live.events if e.kind == "lost")
    assert lost.time_us == int((START + timedelta(seconds=1490)).timestamp() * 1e6)


def test_a_loss_told_too_early_is_withdrawn() -> None:
    live = Live()
    live.engine = Engine(
        Zones((ZONE,)),
        replace(live.engine.params, gate=GateParams(lateness_s=0.0, silent_s=1e6)),
        history=live.history,
    )
    rows = flight("a", range(0, 900, 10), 10.5, 20.1, 0.01)
    live.feed(rows[:30], 10)
    live.feed(flight("b", range(300, 500, 10), 9.0, 18.0, 0.05), 10)  # time goes on without a
    assert live.kinds().count("lost") == 1
    live.feed(rows[30:], 10)  # it was only late
    lost = [e for e in live.events if e.kind == "lost"]
    assert [e.withdrawn for e in lost] == [False, True]
    assert [e.revision for e in lost] == [1, 2]


def test_who_enters_is_held_against_the_rule_of_the_zone(tmp_path: Path) -> None:
    file = tmp_path / "notices.csv"
    file.write_text(
        "icao24,notified_at,zone,entry_time\n780a01,2026-02-28T20:00:00Z,BOX,2026-03-01T00:08:00Z\n"
    )
    inputs = Inputs(notices=read_notices([file]), complete=True)
    zones = Zones((ZONE,))
    live = Live(zones, identifying=Identifying(zones, lambda: inputs))
    rows = flight("780a01", range(0, 2400, 10), 10.5, 19.6, 0.05, icao24="780a01")
    rows += flight("780a02", range(0, 2400, 10), 10.7, 19.6, 0.05, icao24="780a02")
    live.feed(rows, 10)
    told = {e.tracks[0]: e for e in live.events if e.kind == "identification"}
    assert told["780a01"].data["identified"] == "yes"
    assert told["780a02"].data["identified"] == "no"
    assert "notices.csv" in told["780a01"].text
    state = live.engine.save()
    live.engine.restore(state)
    assert live.engine.save() == state


def test_those_who_are_not_to_be_warned_of_are_not() -> None:
    zones = Zones((ZONE,))
    silencer = Silencer(Quiet(states=frozenset({"CN"})), Inputs)
    live = Live(zones, silencer=silencer)
    rows = flight("780a01", range(0, 400, 10), 10.5, 19.6, 0.05, icao24="780a01")
    rows += flight("155a01", range(0, 400, 10), 10.7, 19.6, 0.05, icao24="155a01")
    live.feed(rows, 10)
    assert {e.tracks for e in live.events if e.kind == "warning"} == {("155a01",)}


@pytest.mark.parametrize("save", [False, True])
def test_zones_change_while_it_runs(save: bool) -> None:
    live = Live(Zones((ZONE, square("OLD", 10.2, 19.0, 1.5))))
    live.feed(flight("a", range(0, 300, 10), 10.5, 20.1, 0.02), 10)
    new = Zones((ZONE, square("NEW", 10.3, 20.0, 0.5)))
    live.step("zones", int((START + timedelta(seconds=300)).timestamp() * 1e6),
              geojson=write_geojson(new))  # fmt: skip
    if save:
        live.engine.restore(live.engine.save())
    live.feed(flight("a", range(310, 600, 10), 10.5, 20.1, 0.02), 10)
    told = [(e.kind, e.zone_id) for e in live.events if e.kind in ("entry", "exit")]
    assert told == [("entry", "BOX"), ("entry", "OLD"), ("exit", "OLD"), ("entry", "NEW")]
    texts = [e.text for e in live.events if e.zone_id in ("OLD", "NEW")]
    assert any("ceased to be in force" in text for text in texts)
    assert any("came into force" in text for text in texts)


def test_hostile_callsigns_are_made_harmless() -> None:
    live = Live()
    rows = flight("a", range(0, 100, 10), 10.5, 20.1, 0.02, callsign="\x1b[31mX\u202e\n")
    live.feed(rows, 10)
    (entry,) = [e for e in live.events if e.kind == "entry"]
    assert entry.callsign == "[31mX"
    assert entry.text.isprintable()
