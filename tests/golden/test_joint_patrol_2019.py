"""The joint patrol of 23 July 2019, on the path reconstructed from the Korean account.

The account tells nothing of the two Tu-95 before they join, so their tracks begin with the join;
nor of altitudes, so what is found is ``unclear``: together by position, the height not known.
"""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

import adiz
from adiz.geo import direct
from adiz.incidents.catalogue import find_incident
from adiz.run.incidents import assess_file

STATES = {"h6-1": "CN", "h6-2": "CN", "tu95-1": "RU", "tu95-2": "RU"}
BESIDE_M = {"h6-1": 0.0, "h6-2": 1000.0, "tu95-1": 2500.0, "tu95-2": 3500.0}


def test_two_and_two_from_the_join_to_the_end() -> None:
    incident, _, found = assess_file(find_incident("2019-07-23"))
    (join,) = (c for c in incident.claims if c.predicate == "joins")
    assert (join.subject, join.target) == ("h6", "tu95")
    assert join.time is not None
    joined = join.time.earliest
    path = next(r for r in found.reconstructions if r.subject_id == "h6").points
    rows = []
    for name, beside_m in BESIDE_M.items():
        for p in path:
            if name.startswith("h6") or p.time >= joined:
                lat, lon = direct(p.lat_deg, p.lon_deg, p.track_true_deg + 90.0, beside_m)
                rows.append((p.time, name, lat, lon))
    reports = pl.DataFrame(
        rows, schema=["time", "track_id", "lat_deg", "lon_deg"], orient="row"
    ).with_columns(pl.col("time").cast(pl.Datetime("us", "UTC")))
    patrol = adiz.find_formations(reports, state_of=STATES)
    row = patrol.formations.row(0, named=True)
    assert patrol.formations.height == 1
    assert (row["kind"], row["vertical"]) == ("unclear", "unknown")
    assert (row["joint_patrol"], row["states"]) == (True, "CN;RU")
    assert row["members"].split(";") == sorted(STATES)
    assert row["joint_start"].replace(second=0, microsecond=0) == datetime(
        2019, 7, 22, 23, 33, tzinfo=UTC
    )
    assert row["joint_end"] == row["end_time"]
