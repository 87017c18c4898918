"""What a watch holds is level once it has seen as much time as it looks back on."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import polars as pl
from tests.property.test_stays_fold import square

from adiz.detect.stays import StaysParams
from adiz.run.live.company import CompanyParams
from adiz.run.live.engine import Engine, EngineParams
from adiz.run.live.gate import GateParams
from adiz.run.live.record import Record
from adiz.sources.reports import as_declared
from adiz.zones.model import Zones

START = datetime(2026, 3, 1, tzinfo=UTC)
PARAMS = EngineParams(
    gate=GateParams(lateness_s=0.0),
    stays=StaysParams(max_gap_s=30.0, track_end_s=300.0),
    company=CompanyParams(lateness_s=5.0, max_gap_s=30.0),
    history_s=600.0,
)
TRACKS = 24
STEP_S = 10


def moment(at_s: int) -> pl.DataFrame:
    """Pairs that go round, in and out of a zone every two minutes; of each, one gives way to
    a new one each ten minutes."""
    rows = []
    for n in range(TRACKS):
        angle = 2 * math.pi * (at_s / 120 + (n // 2) / TRACKS)
        name = str(n) if n % 2 else f"{n}-{at_s // 600}"
        rows.append(
            {
                "time": START + timedelta(seconds=at_s),
                "track_id": name,
                "lat_deg": 10.5 + n // 2 / 4 + 0.05 * math.sin(angle) + n % 2 / 100,
                "lon_deg": 24.0 + 0.05 * math.cos(angle),
                "alt_baro_ft": 30_000.0,
                "callsign": f"T{name}",
                "gs_kt": 320.0,
                "track_true_deg": (-math.degrees(angle)) % 360,
            }
        )
    return as_declared(pl.DataFrame(rows), "test")


def held(engine: Engine) -> dict[str, int]:
    """How much an engine holds, by what."""
    assert engine._company is not None
    assert engine._warned is not None
    reports, pairs = engine._company._fold.encounters.held
    return {
        "tracks": len(engine.labels.by_track),
        "told": sum(map(len, engine._story.told.values())),
        "rows": len(engine._rows.table),
        "chunks": engine._rows.table.n_chunks() // 100,
        "reports": reports,
        "pairs": pairs,
        "companies": len(engine._company._fold._pending),
        "warned": engine._warned._fold.held,
        "warnings": len(engine._warned._revisions),
        "state": len(engine.save()),
    }


def test_what_is_held_is_level() -> None:
    """Two hours of a zone crossed back and forth; its middle against its end."""
    engine = Engine(Zones((square("BOX", 10.0, 20.0, 4.0, kind="adiz"),)), PARAMS)
    most: list[dict[str, int]] = []
    told = 0
    for at_s in range(0, 7200, STEP_S):
        at_us = int((START + timedelta(seconds=at_s)).timestamp() * 1e6)
        out = engine.step(Record(1, "reports", "test", at_us, moment(at_s)))
        told += len(out.events)
        if at_s % 2400 == 0:
            most.append({})
        if at_s % 60 == 0:
            most[-1] = {n: max(count, most[-1].get(n, 0)) for n, count in held(engine).items()}
    assert told > 1000
    _, middle, end = most
    assert middle["told"] > 50
    assert middle["pairs"] > 0
    for name, count in end.items():
        assert count <= 1.15 * middle[name] + 2, name  # the sweep goes on in steps
