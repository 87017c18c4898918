"""The reference incident: its figures, computed from the bundled file, against those worked out
beforehand by other means (WGS84 geodesics by hand, to 2 %)."""

from __future__ import annotations

import math

import pytest

from adiz.incidents.assess import assess
from adiz.incidents.catalogue import find_incident
from adiz.incidents.file import read_incident, zones_of
from adiz.incidents.verdicts import Assessment, BearingSector, Contradiction, LegAssessment


@pytest.fixture(scope="module")
def found() -> Assessment:
    incident = read_incident(find_incident("2019-07-23"))
    return assess(incident, zones_of(incident))


def legs(found: Assessment, one: str, other: str, subject: str = "a50") -> list[LegAssessment]:
    return [
        g for g in found.legs
        if (g.party_id, g.subject_id, g.from_claim, g.to_claim) == ("rok-jcs", subject, one, other)
    ]  # fmt: skip


TABLE = [  # from, to, direction, km, km/h stated, low, high
    ("C014", "C017", None, 37.4, 748, 561, 1122),
    ("C017", "C018", None, 27.0, 541, 406, 812),
    ("C017", "C018", 180, 32.0, 640, 480, 960),
    ("C017", "C018", 195, 39.9, 798, 598, 1197),
    ("C017", "C018", 210, 58.2, 1165, 873, 1747),
    ("C012", "C014", 90, 88.1, 661, 587, 755),
    ("C012", "C014", 60, 101, 758, 673, 866),
    ("C012", "C014", 45, 123, 925, 821, 1055),
    ("C019", "C020", 180, 49.0, 588, 490, 735),
    ("C019", "C020", 195, 61.2, 735, 612, 918),
    ("C019", "C020", 210, 89.6, 1075, 896, 1344),
    ("C020", "C023", None, 36.1, 541, 433, 721),
    ("C023", "C024", 0, 177.1, 559, 531, 590),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda r: f"{r[0]}-{r[1]}-{r[2]}")
def test_incident_leg_speeds(found: Assessment, row: tuple):
    one, other, bearing, km, stated, low, high = row
    rows = [g for g in legs(found, one, other) if g.bearing_deg == bearing]
    assert len(rows) == 1
    leg = rows[0]
    assert leg.distance_km == pytest.approx(km, rel=0.02)
    speed = leg.speed_kmh
    assert (speed.low, speed.stated, speed.high) == pytest.approx((low, stated, high), rel=0.02)
    assert leg.limit_kmh == (900, 900)


def test_incident_entry_from_the_north_is_too_fast(found: Assessment):
    north = [g for g in legs(found, "C012", "C014") if g.bearing_deg in (0, 15, 30)]
    assert len(north) == 3
    for leg in north:
        assert leg.outcome == "above"
        assert 1290 <= leg.speed_kmh.stated <= 1380


def test_incident_bomber_legs(found: Assessment):
    south_to_north = legs(found, "C004", "C006", "h6")[-1]
    assert south_to_north.distance_km == pytest.approx(311, rel=0.02)
    assert south_to_north.speed_kmh.stated == pytest.approx(603, rel=0.02)
    assert legs(found, "C008", "C009", "tu95")[-1].speed_kmh.stated == pytest.approx(779, rel=0.02)
    from_place = legs(found, "C008-place", "C009", "tu95")[-1]
    assert from_place.speed_kmh.stated == pytest.approx(714, rel=0.02)


def test_incident_stays_in_the_belt(found: Assessment):
    stays = [
        s.minutes for s in found.stays
        if s.zone_id == "LIANCOURT-12NM-KR" and s.party_id == "rok-jcs"
    ]  # fmt: skip
    assert [(m.low, m.stated, m.high) for m in stays] == [(2, 3, 4), (3, 4, 5)]


def sector(found: Assessment, one: str) -> BearingSector:
    return next(s for s in found.sectors if s.from_claim == one)


def test_incident_directions_below_900(found: Assessment):
    entry = sector(found, "C012")
    assert (entry.kind, entry.speed_kmh) == ("arrival", 900)
    (certain,) = entry.certain
    assert certain == pytest.approx((55, 100), abs=7)  # from the east
    leave = sector(found, "C017")
    assert leave.kind == "departure"
    (stated,), (certain,) = leave.stated, leave.certain
    assert certain[0] == pytest.approx(120, abs=3)  # towards the south-east and south
    assert stated[1] == pytest.approx(200, abs=2)
    again = sector(found, "C019")
    (stated,) = again.stated
    assert 135 <= stated[0] < 180 < stated[1] <= 225  # from the south
    assert "900 km/h" in entry.sentence


def contradiction(found: Assessment, *claims: str) -> Contradiction:
    exact = [c for c in found.contradictions if set(claims) == set(c.claims)]
    (one,) = exact or [c for c in found.contradictions if set(claims) <= set(c.claims)]
    return one


def test_incident_one_minute_two_zones(found: Assessment):
    one = contradiction(found, "C014", "C046")
    assert one.kind == "apart"
    figures = {name: value for name, value, _ in one.figures}
    assert figures["distance"] == pytest.approx(27.0, rel=0.02)
    assert figures["speed"] == pytest.approx(27.0 * 60, rel=0.02)
    assert "27 km" in one.sentence


def test_incident_twelve_and_twenty_five_km(found: Assessment):
    for claim in ("C015", "C021"):
        one = contradiction(found, claim, "C035")
        assert one.kind == "distance"
        assert one.figures[0][1] >= 11.5
    assert any(n.claims[0] == "C034" and "only 2 × Tu-95" in n.sentence for n in found.scope_notes)
    assert not any("C034" in c.claims for c in found.contradictions)


def test_incident_place_inside_the_zone(found: Assessment):
    one = contradiction(found, "C008", "C008-place")
    assert one.kind == "place"
    assert one.figures[0][1] == pytest.approx(26, abs=0.5)
    assert "inside KADIZ-2013" in one.sentence


def test_incident_other_contradictions(found: Assessment):
    assert contradiction(found, "C014", "C036").kind == "presence"
    assert contradiction(found, "C014", "C043").kind == "presence"
    assert contradiction(found, "C016", "C037").kind == "amount"
    assert contradiction(found, "C037", "C048").kind == "amount"
    assert contradiction(found, "C027-chinese", "C044-count").kind == "amount"
    assert contradiction(found, "C040", "C041").kind == "denial"
    assert contradiction(found, "C020", "C020-joongang").kind == "event"
    assert contradiction(found, "C012", "C046").kind == "sequence"
    assert not any({"C016", "C048"} <= set(c.claims) for c in found.contradictions)


def test_incident_verdicts(found: Assessment):
    verdicts = {v.claim_id: v for v in found.verdicts}
    assert len(verdicts) == len(found.verdicts) >= 52
    entry = verdicts["C014"]
    assert (entry.among, entry.physics, entry.tracks) == ("disputed", "feasible", "no data")
    assert entry.supporters == ("japan",)
    assert set(entry.opposers) == {"russia-mod", "china-mnd", "felgenhauer"}
    assert verdicts["C047"].supporters == ("japan",)  # it repeats the JCS, which is no support
    assert verdicts["C011"].physics == "feasible"
    assert "85 min (82 to 88)" in verdicts["C011"].reason
    assert "42 min (40 to 44)" in verdicts["C013"].reason
    assert verdicts["C032"].physics == "not checkable"
    for verdict in found.verdicts:
        assert verdict.reason.endswith(".")
        assert "\n" not in verdict.reason


def test_incident_accounts_are_feasible(found: Assessment):
    jcs = {f.subject_id: f for f in found.feasibilities if f.party_id == "rok-jcs"}
    assert {f.state for f in jcs.values()} == {"feasible"}
    assert jcs["a50"].least_speed_kmh == pytest.approx(460, rel=0.03)
    assert jcs["tu95"].limit_kmh == (830, 925)
    for leg in jcs["a50"].legs:
        assert 0 <= leg.low_kmh <= leg.high_kmh <= 900.1


def test_incident_reconstruction_of_the_a50(found: Assessment):
    (path,) = [r for r in found.reconstructions if (r.party_id, r.subject_id) == ("rok-jcs", "a50")]
    assert set(path.claims) == {
        "C012", "C014", "C015", "C017", "C018", "C019", "C020", "C021", "C023", "C024"
    }  # fmt: skip
    assert not path.left_out
    assert path.max_speed_kmh <= 900
    assert path.max_bank_deg <= 30
    assert "not a recorded track" in path.sentence
    assert len(path.bands) == 9
    assert all(band.rings for band in path.bands)
    span_min = (path.points[-1].time - path.points[0].time).total_seconds() / 60
    assert math.isclose(span_min, 56, abs_tol=1.1)  # 55, led up to the first edge and off the last


def test_incident_joining_is_possible(found: Assessment):
    (joins,) = [a for a in found.alibis if "C007" in a.sentence]
    assert joins.state == "could have met"


def test_incident_names_no_violation_of_its_own(found: Assessment):
    texts = [v.reason for v in found.verdicts] + [c.sentence for c in found.contradictions]
    assert not any("violat" in text.lower() for text in texts)


def test_incident_same_input_same_assessment(found: Assessment):
    incident = read_incident(find_incident("2019-07-23"))
    assert assess(incident, zones_of(incident)) == found
