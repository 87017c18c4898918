"""Stays against the rules of their zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import adiz
from adiz.errors import AdizError, FaultyInputError
from adiz.identify.ats import parse_ats
from adiz.identify.compliance import Compliance, Inputs, check_compliance
from adiz.identify.notices import Contacts, read_contacts, read_notices
from adiz.identify.plans import build_plans
from adiz.identify.route import PlanPoint
from adiz.identify.rules import read_rules, rule_of
from adiz.schema import REPORTS, STAYS, polars_schema
from adiz.tracks.registry import read_registry
from adiz.zones.model import Ring, Vertex, Zone

ENTRY = datetime(2026, 6, 27, 3, 0, tzinfo=UTC)
POINTS = {"RJTT": [PlanPoint("RJTT", 35.55, 139.78)], "RKSI": [PlanPoint("RKSI", 37.46, 126.44)]}


def reports(**cells: Any) -> pl.DataFrame:
    """A track going west along 36N, in the zone from 03:00 at 131E for an hour."""
    rows = [
        {
            "time": ENTRY + timedelta(minutes=m),
            "track_id": "t",
            "lat_deg": 36.0,
            "lon_deg": 131.0 - m / 10,
            "gs_kt": 300.0,
            **cells,
        }
        for m in range(-60, 61, 5)
    ]
    return pl.DataFrame(rows, schema=polars_schema(REPORTS))


def stays(zone_id: str = "KADIZ-2013", **cells: Any) -> pl.DataFrame:
    row = {
        "track_id": "t", "zone_id": zone_id, "certainty": "observed", "vertical": "unlimited",
        "entry_time": ENTRY, "exit_time": ENTRY + timedelta(hours=1), "entry_kind": "crossed",
        "exit_kind": "vanished", "entry_lat_deg": 36.0, "entry_lon_deg": 131.0,
        "earliest_entry": ENTRY, "latest_exit": ENTRY + timedelta(hours=1), **cells,
    }  # fmt: skip
    return pl.DataFrame([row], schema=polars_schema(STAYS))


def ask(zone_id: str, seen: pl.DataFrame, given: Inputs | None = None, **stay: Any) -> Compliance:
    return check_compliance(stays(zone_id, **stay), seen, adiz.zones(), given)


def results(answer: Compliance) -> dict[str, tuple[str, str]]:
    rows = answer.table.select("requirement", "result", "reason").iter_rows()
    return {requirement: (result, reason) for requirement, result, reason in rows}


def notices(tmp_path: Path, text: str) -> Inputs:
    path = tmp_path / "notices.csv"
    path.write_text(text)
    return Inputs(notices=read_notices([path]))


def plans(
    text: str = "ABC12", dof: str = "260627", rules: str = "IS", filed: str = "", more: str = ""
) -> Inputs:
    head = f"{filed} RJTTZPZX\n" if filed else ""
    message = (
        f"{head}(FPL-{text}-{rules}-B738/M-S/C-RJTT0130-N0300F350 DCT 36N133E 36N124E DCT"
        f"-RKSI0230-DOF/{dof})\n{more}"
    )
    return Inputs(plans=build_plans([parse_ats(message, "p.txt")], POINTS))


BOMBER = {"type_code": "TU-95MS"}
AIRLINER = {"type_code": "B738", "callsign": "ABC12"}


def test_every_clause_has_a_source_and_a_status() -> None:
    rules = read_rules()
    assert len(rules) == 5
    for rule in rules:
        for clause in (*rule.requirements, *rule.exemptions):
            assert clause.text
            assert clause.source
        ids = {c.clause_id for c in rule.requirements}
        assert all(set(e.covers) <= ids for e in rule.exemptions)


def test_rules_find_their_zones() -> None:
    rules = read_rules()
    found = {z.zone_id: (r.rule_id if (r := rule_of(z, rules)) else None) for z in adiz.zones()}
    assert found["KADIZ-1951"] == found["KADIZ-2013"] == "korea"
    assert found["US-GUAM-OUTER"] == found["US-ALASKA-2"] == "us-part-99"
    assert found["CHN-ECS-ADIZ"] == "china-2013"
    assert found["TWN-ADIZ"] is None
    assert found["LIANCOURT-12NM-KR"] is None


def test_a_bomber_without_notice_and_nothing_given_is_unknown() -> None:
    answer = results(ask("KADIZ-2013", reports(**BOMBER)))
    assert answer["prior notice"] == ("unknown", "No notices were given.")


def test_a_bomber_without_notice_among_all_notices_has_not_met_the_rule(tmp_path: Path) -> None:
    given = notices(tmp_path, "callsign,notified_at\nXYZ,2026-06-26T00:00Z\n")
    answer = ask("KADIZ-2013", reports(**BOMBER), given)
    assert results(answer)["prior notice"] == (
        "not met",
        "The one notice given, taken as all there are, does not fit.",
    )
    assert answer.identified["identified"].to_list() == ["no"]
    partly = Inputs(notices=given.notices, complete=False)
    partial = ask("KADIZ-2013", reports(**BOMBER), partly)
    assert results(partial)["prior notice"][0] == "unknown"
    possible = ask("KADIZ-2013", reports(**BOMBER), given, certainty="possible")
    assert results(possible)["prior notice"][0] == "unknown"


def test_notice_in_time_late_and_over_the_hotline(tmp_path: Path) -> None:
    seen = reports(type_code="H-6K", callsign="CHN1")
    head = "\ufeffcallsign;notified_at;entry_time;channel\n"
    early = notices(tmp_path, head + "CHN1;2026-06-27T11:30+09:00;2026-06-27T03:05Z;fax\n")
    answer = results(ask("KADIZ-2013", seen, early))
    assert answer["prior notice"] == ("met", "Notice was given 30 min before entry.")
    assert answer["notice 24 hours before"][0] == "not met"
    hotline = notices(tmp_path, head + "CHN1;2026-06-27T11:30+09:00;;Hotline\n")
    found = results(ask("KADIZ-2013", seen, hotline))["notice 24 hours before"]
    assert found[0] == "exempt"
    assert "over the Hotline (notices.csv:2)" in found[1]
    late = ask("KADIZ-2013", seen, notices(tmp_path, head + "CHN1;2026-06-27T03:12Z;;\n"))
    assert results(late)["prior notice"] == (
        "not met",
        "Notice was given 12 min after entry: after the fact.",
    )
    assert late.counts["stays with notice only after the fact"] == 1


def test_a_notice_by_a_state_names_no_aircraft(tmp_path: Path) -> None:
    given = notices(tmp_path, "state,notified_at\nRU,2026-06-27T02:00Z\n")
    answer = ask("KADIZ-2013", reports(**BOMBER), given)
    assert results(answer)["prior notice"] == (
        "unknown",
        "A notice by RU fits in time and names no aircraft.",
    )
    assert answer.identified["identified"].to_list() == ["unknown"]


def test_civil_unknown_and_home_aircraft_in_korea(tmp_path: Path) -> None:
    given = notices(tmp_path, "callsign,notified_at\nXYZ,2026-06-26T00:00Z\n")
    civil = results(ask("KADIZ-2013", reports(**AIRLINER), given))
    assert civil["prior notice"][0] == "exempt"
    assert civil["AIP ENR 1.12"] == ("unknown", "Nothing that is read here can tell.")
    assert results(ask("KADIZ-2013", reports(), given))["prior notice"] == (
        "unknown",
        "The rule is for military or state aircraft, and what this is is not known.",
    )
    home = results(ask("KADIZ-2013", reports(type_code="F-15K"), given))
    assert home["prior notice"] == (
        "exempt",
        "The rule is for foreign aircraft, and this is of KR.",
    )


def test_a_zone_whose_rule_is_not_held() -> None:
    answer = results(ask("TWN-ADIZ", reports()))
    assert list(answer) == ["any"]
    assert answer["any"][0] == "unknown"
    assert answer["any"][1].startswith("No rule of ")
    assert ask("LIANCOURT-12NM-KR", reports()).table.height == 0


def test_china_asks_for_plan_radio_and_transponder(tmp_path: Path) -> None:
    contacts = tmp_path / "calls.csv"
    contacts.write_text(
        "time,callsign,answered\n2026-06-27T02:50Z,ABC12,no\n2026-06-27T03:10Z,ABC12,no\n"
    )
    given = Inputs(plans=plans().plans, contacts=read_contacts([contacts]))
    answer = ask("CHN-ECS-ADIZ", reports(squawk="4321", alt_baro_ft=35000.0, **AIRLINER), given)
    found = results(answer)
    assert found["flight plan"][0] == "met"
    assert found["radio"] == ("not met", "2 radio calls to it went unanswered.")
    assert found["transponder"] == ("met", "It replied with code 4321.")
    assert found["marks"][0] == "unknown"
    assert answer.identified["identified_by"].to_list() == ["plan ABC12 RJTT-RKSI (p.txt:1)"]
    silent = results(ask("CHN-ECS-ADIZ", reports(squawk="7600", **AIRLINER), given))
    assert silent["radio"] == ("unknown", "It squawked 7600, radio failure.")
    assert results(ask("CHN-ECS-ADIZ", reports(**AIRLINER)))["transponder"][0] == "unknown"


def test_plans_filed_late_or_for_nobody() -> None:
    late = results(ask("CHN-ECS-ADIZ", reports(**AIRLINER), plans(filed="270310")))
    assert late["flight plan"][0] == "not met"
    assert "was filed 10 min after it entered" in late["flight plan"][1]
    none = results(ask("CHN-ECS-ADIZ", reports(**AIRLINER), plans("XYZ99")))
    assert none["flight plan"] == (
        "not met",
        "The one flight plan given, taken as all there are, does not fit.",
    )


ZONE = Zone("AUS-ADIZ", "Australian test zone", (Ring((Vertex(0, 0), Vertex(0, 1), Vertex(1, 1))),))


def test_lead_times_and_tolerances_of_australia() -> None:
    def australia(given: Inputs, **stay: Any) -> dict[str, tuple[str, str]]:
        seen = reports(**AIRLINER)
        return results(check_compliance(stays("AUS-ADIZ", **stay), seen, [ZONE], given))

    found = australia(plans(filed="270130"))
    assert found["flight notification"][0] == "met"
    assert "90 min before entry; 60 min are asked" in found["flight notification"][1]
    assert australia(plans(filed="270230"))["flight notification"][0] == "not met"
    assert australia(plans())["flight notification"][0] == "unknown"
    assert found["distance from the route"][0] == "met"
    assert found["time at the boundary"][0] in ("met", "unknown", "not met")
    late = australia(plans(more="(DEP-ABC12-RJTT0200-RKSI-0)\n"))["time at the boundary"]
    assert late[0] == "not met"
    assert "before the planned time; 5 min are allowed" in late[1]
    inside = australia(plans(), entry_kind="appeared")["time at the boundary"]
    assert inside == ("unknown", "When it crossed the boundary was not seen.")
    off = results(
        check_compliance(
            stays("AUS-ADIZ"),
            reports(**AIRLINER).with_columns(pl.col("lat_deg") + 0.5),
            [ZONE],
            plans(),
        )
    )
    assert off["distance from the route"][0] == "not met"
    assert "20 NM are allowed" in off["distance from the route"][1]


def test_us_exemptions(tmp_path: Path) -> None:
    given = plans("XYZ99")
    forces = results(ask("US-CONUS-2", reports(type_code="B52"), given))
    assert forces["flight plan"][0] == "exempt"
    transit = results(ask("US-CONUS-2", reports(**AIRLINER), plans()))
    assert transit["flight plan"][0] == "met"
    assert transit["position report"] == (
        "exempt",
        "Exempt, the rules are for flights into, within or out of the United States: "
        "its plan leads from RJTT to RKSI.",
    )
    slow = results(ask("US-HAWAII-OUTER", reports(gs_kt=120.0, callsign="QQQ1"), given))
    assert slow["flight plan"][0] == "unknown"
    assert "its airspeed is not known" in slow["flight plan"][1]
    fast = results(ask("US-HAWAII-OUTER", reports(callsign="QQQ1"), given))
    assert fast["flight plan"][0] == "not met"


def test_a_flight_round_its_airfield_and_ifr_reports() -> None:
    points = {"KAAA": [PlanPoint("KAAA", 36.0, 131.0)]}
    local = "(FPL-ABC12-VG-C172/L-S/C-KAAA0240-N0090A035 DCT-KAAA0100-DOF/260627)"
    given = Inputs(plans=build_plans([parse_ats(local)], points))
    seen = reports(type_code="C172", callsign="ABC12").with_columns(lon_deg=pl.lit(131.1))
    answer = results(ask("US-CONUS-2", seen, given))
    assert answer["time at the boundary"][0] == "exempt"
    assert "it stayed within 4.9 NM of its departure" in answer["time at the boundary"][1]
    assert answer["position report"][0] == "unknown"
    empty = Inputs(plans().plans, contacts=Contacts(()))
    ifr = results(ask("US-CONUS-2", reports(**AIRLINER), empty))
    assert ifr["position report"][0] == "exempt"  # neither to nor from the United States
    to_us = plans().plans
    assert to_us is not None
    to_us.plans[0].message.destination = "KLAX"
    ifr = results(ask("US-CONUS-2", reports(**AIRLINER), Inputs(to_us, contacts=Contacts(()))))
    assert ifr["position report"] == (
        "unknown",
        "Under radar control an IFR flight reports what ATC asks for.",
    )


def test_item_8_says_military(tmp_path: Path) -> None:
    given = Inputs(plans=plans(rules="IM").plans, notices=notices(
        tmp_path, "callsign,notified_at\nXYZ,2026-06-26T00:00Z\n").notices)  # fmt: skip
    registry = tmp_path / "fleet.csv"
    registry.write_text("callsign,state\nABC12,RU\n")
    given = Inputs(given.plans, given.notices, None, read_registry(registry))
    found = results(ask("KADIZ-2013", reports(callsign="ABC12"), given))
    assert found["prior notice"][0] == "not met"


def test_the_words_stay_within_the_evidence(tmp_path: Path) -> None:
    given = notices(tmp_path, "callsign,notified_at\nXYZ,2026-06-26T00:00Z\n")
    for zone in ("KADIZ-2013", "CHN-ECS-ADIZ", "US-CONUS-2", "JADIZ-OUTER-PARTIAL"):
        text = " ".join(ask(zone, reports(**BOMBER), given).table["reason"]).lower()
        assert not {"violat", "hostile", "intrud", "illegal", "suspect"} & set(text.split())
        assert "violation" not in text


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("callsign,notified_at\nA,2026-06-27T03:00\n", "has no time zone (field notified_at); add"),
        ("callsign,notified_at\nA,yesterday\n", "'yesterday' is no time"),
        ("callsign,notified_at\nA,\n", "'' is no time"),
        ("callsign,notified_at\n,2026-06-27T03:00Z\n", "names no aircraft"),
        ("callsign,notified_at,entry_time\nA,2026-06-27T03:00Z,03:00\n", "is no time"),
    ],
)
def test_bad_notices_are_set_aside(tmp_path: Path, text: str, fault: str) -> None:
    given = notices(tmp_path, text)
    assert given.notices is not None
    assert given.notices.rows == ()
    assert fault in str(given.notices.faults[0])
    assert "notices.csv:2" in str(given.notices.faults[0])
    assert ask("KADIZ-2013", reports(), given).counts["notices set aside"] == 1


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("time,callsign,kind\n2026-06-27T03:00Z,A,shout\n", "'shout' is no kind"),
        ("time,callsign,answered\n2026-06-27T03:00Z,A,maybe\n", "neither yes nor no"),
        ("time,callsign\n2026-06-27 03:00,A\n", "has no time zone"),
    ],
)
def test_bad_contacts_are_set_aside(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "calls.csv"
    path.write_text(text)
    found = read_contacts([path])
    assert found.rows == ()
    assert fault in str(found.faults[0])


def test_bad_rules_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text("[[rule]]\nid = 'x'\n")
    with pytest.raises(FaultyInputError, match="bad rule: 'title'"):
        read_rules(path)
    path.write_text("not toml at all")
    with pytest.raises(FaultyInputError, match="cannot be read"):
        read_rules(path)


def test_stays_of_strangers_are_an_error() -> None:
    with pytest.raises(AdizError, match="track_id stranger, which nothing else given has"):
        check_compliance(stays(track_id="stranger"), reports(), adiz.zones())
    with pytest.raises(AdizError, match="zone_id NOWHERE"):
        check_compliance(stays("NOWHERE"), reports(), adiz.zones())


def test_no_stays() -> None:
    empty = pl.DataFrame(schema=polars_schema(STAYS))
    answer = check_compliance(empty, reports(), adiz.zones())
    assert answer.table.height == answer.identified.height == 0
