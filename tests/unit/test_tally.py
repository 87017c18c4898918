"""Counting stays, and the chart."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from adiz.errors import AdizError
from adiz.identify.tally import DEFINITIONS, tally_stays
from adiz.out.chart import lay_out, write_chart
from adiz.schema import STAYS, polars_schema
from adiz.tracks.identity import Seen, identify

START = datetime(2026, 6, 30, 14, 0, tzinfo=UTC)
WHO = {
    "a": identify(Seen("a", ("7800a1",), (), (), ("H-6K",))),
    "b": identify(Seen("b", ("155b50",), (), (), ("TU-95MS",))),
}


def stays(*rows: tuple[str, str, float, float, str]) -> pl.DataFrame:
    """Rows of track, zone, hours of entry and exit after START, certainty."""
    made: list[dict[str, Any]] = []
    for track, zone, begin, end, certainty in rows:
        entry, leave = (START + timedelta(hours=h) for h in (begin, end))
        known = certainty == "observed"
        made.append(
            {
                "track_id": track, "zone_id": zone, "certainty": certainty,
                "entry_time": entry if known else None, "exit_time": leave if known else None,
                "earliest_entry": entry, "latest_exit": leave,
            }
        )  # fmt: skip
    return pl.DataFrame(made, schema=polars_schema(STAYS))


TWO = stays(
    ("a", "KADIZ-2013", 0, 1, "observed"),
    ("a", "KADIZ-2013", 2, 3, "observed"),
    ("a", "KADIZ-2013", 3.2, 3.4, "possible"),
    ("a", "CHN-ECS-ADIZ", 2.5, 4, "observed"),
    ("a", "KADIZ-2013", 30, 31, "observed"),
    ("b", "KADIZ-2013", 0, 1, "observed"),
)


def test_entries_and_sorties_are_different_counts() -> None:
    counted = tally_stays(TWO, WHO, ["zone", "state"], plain_names={"KADIZ-2013": "KADIZ"})
    assert counted.rows() == [
        ("CHN-ECS-ADIZ", "CN", 1, 1, 0, 0),
        ("KADIZ", "CN", 2, 3, 1, 0),
        ("KADIZ", "RU", 1, 1, 0, 0),
        (None, None, 3, 5, 1, 0),
    ]


def test_months_are_those_of_the_asked_time_zone() -> None:
    assert tally_stays(TWO, WHO, ["month"])["month"].to_list() == ["2026-06", "2026-07", None]
    seoul = tally_stays(stays(("a", "Z", 1.5, 2, "observed")), WHO, ["day"], time_zone="Asia/Seoul")
    assert seoul["day"].to_list() == ["2026-07-01", None]


def test_roles_company_and_identification() -> None:
    company = {"a": [(START + timedelta(hours=0.5), START + timedelta(hours=0.6))]}
    counted = tally_stays(TWO, WHO, ["role", "company"], company=company)
    assert counted["company"].to_list() == ["alone", "in formation", None]
    assert counted["entries"].to_list() == [4, 1, 5]
    known = pl.DataFrame(
        {"track_id": ["b"], "zone_id": ["KADIZ-2013"], "entry_time": [START], "identified": ["no"]}
    ).with_columns(pl.col("entry_time").dt.cast_time_unit("us"))
    found = tally_stays(TWO, WHO, ["identified"], identified=known)
    assert found.rows() == [("no", 1, 1, 0, 0), ("unknown", 2, 4, 1, 0), (None, 3, 5, 1, 0)]


def test_what_is_not_known_is_unknown() -> None:
    counted = tally_stays(TWO, {}, ["state", "role", "use", "identified", "company"])
    assert set(counted.row(0)[:5]) == {"unknown"}
    assert tally_stays(TWO.clear(), {}, ["state"]).rows() == [(None, 0, 0, 0, 0)]


def test_entries_of_tracks_that_leap_are_doubtful() -> None:
    who = {**WHO, "a": identify(Seen("a", ("7800a1",)), leaps=["7800a1 leaps"])}
    counted = tally_stays(TWO, who, ["state"])
    assert counted["doubtful"].to_list() == [4, 0, 4]
    labels = [getattr(m, "label", "") for m in lay_out(counted, ["state"], "entries")]
    assert "RU, entries: 1" in labels
    assert not any(label.startswith("CN") for label in labels)


@pytest.mark.parametrize("by", [[], ["colour"], ["state", "state"]])
def test_unknown_columns_are_errors(by: list[str]) -> None:
    with pytest.raises(AdizError, match="count by some of state, zone"):
        tally_stays(TWO, WHO, by)


@pytest.mark.parametrize("name", ["Nowhere/City", "", "../etc/passwd", "/etc/localtime"])
def test_unknown_time_zones_are_errors(name: str) -> None:
    with pytest.raises(AdizError, match="is no time zone"):
        tally_stays(TWO, WHO, ["month"], time_zone=name)


def test_a_chart_shows_every_count_and_the_definitions(tmp_path: Path) -> None:
    counted = tally_stays(TWO, WHO, ["month", "state"])
    path = tmp_path / "chart.svg"
    write_chart(counted, path)
    texts = [e.text or "" for e in ET.parse(path).iter()]
    assert {"2026-06, CN: 3", "2026-06, RU: 1", "2026-07, CN: 1"} <= set(texts)
    assert set(DEFINITIONS[:-1]) <= set(texts)


def test_bars_are_as_tall_as_their_counts() -> None:
    counted = tally_stays(TWO, WHO, ["zone"])
    bars = {m.label: m.height for m in lay_out(counted, ["zone"], "entries") if hasattr(m, "label")}
    tall, short = bars["KADIZ-2013, entries: 4"], bars["CHN-ECS-ADIZ, entries: 1"]
    assert tall == pytest.approx(4 * short)


def test_months_without_entries_and_many_states() -> None:
    rows = [
        {"month": m, "state": f"S{i}", "sorties": 1, "entries": i + 1, "possible": 0}
        for m in ("2025-11", "2026-02")
        for i in range(12)
    ]
    marks = lay_out(pl.DataFrame(rows), ["month", "state"], "entries")
    texts = [m.text for m in marks if hasattr(m, "text")]
    assert {"2025-11", "2025-12", "2026-01", "2026-02", "others"} <= set(texts)
    labels = [m.label for m in marks if hasattr(m, "label") and m.label]
    assert "2025-11, others: 15" in labels  # S0 to S4


def test_png_and_refusals(tmp_path: Path) -> None:
    counted = tally_stays(TWO, WHO, ["zone"])
    write_chart(counted, tmp_path / "chart.png", count="sorties", title="Sorties")
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(AdizError, match=r"ends in \.svg or \.png"):
        write_chart(counted, tmp_path / "chart.pdf")
    with pytest.raises(AdizError, match="one or two columns, not 3"):
        write_chart(tally_stays(TWO, WHO, ["zone", "state", "role"]), tmp_path / "chart.svg")
    write_chart(tally_stays(TWO.clear(), {}, ["zone"]), tmp_path / "empty.svg")
    with pytest.raises(AdizError, match="cannot be written: No such file"):
        write_chart(counted, tmp_path / "none" / "chart.svg")


def test_names_are_escaped(tmp_path: Path) -> None:
    rows = [{"zone": "<b>&", "sorties": 1, "entries": 1, "possible": 0}]
    write_chart(pl.DataFrame(rows), tmp_path / "chart.svg", title="a < b")
    assert ET.parse(tmp_path / "chart.svg") is not None
