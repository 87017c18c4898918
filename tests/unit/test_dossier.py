"""The dossier of a small incident whose every text is hostile, with an assessment made by hand."""

from __future__ import annotations

import html
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from lxml import etree
from lxml import html as lxml_html

import adiz
from adiz.geo import direct
from adiz.incidents.file import parse_incident, zones_of
from adiz.incidents.model import Incident
from adiz.incidents.responses import check_tallies, total_responses
from adiz.incidents.surroundings import gather_circumstances
from adiz.incidents.verdicts import (
    AccountStay,
    Alibi,
    Assessment,
    Band,
    BearingSector,
    Contradiction,
    Feasibility,
    Interval,
    LegAssessment,
    LegSpeed,
    PathPoint,
    Reconstruction,
    ScopeNote,
    Verdict,
)
from adiz.out.dossier import Material, write_dossier
from adiz.out.dossier.drawing import frame_about
from adiz.out.dossier.exports import claim_reviews, geojson, kml, plain, to_json
from adiz.out.dossier.labels import Labels
from adiz.out.dossier.page import render_page
from adiz.out.dossier.topics import sort_topics
from adiz.out.dossier.view import View
from adiz.out.dossier.words import say_claim, say_interval, say_list, say_time

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\\\"' &amp; \u202e"
T0 = datetime(2019, 7, 23, 0, 5, tzinfo=UTC)


def _toml(evil: str) -> str:
    text = json.dumps(evil)
    return f"""
[incident]
id = "small"
title = {text}
time_zone = "Asia/Seoul"
display_time_zones = ["Asia/Seoul", "Asia/Tokyo", "Europe/Moscow"]
zones = ["KADIZ-2013", "LIANCOURT-12NM-KR", "LIANCOURT-12NM-JP"]
summary = {text}
[[parties]]
id = "kr"
name = {text}
state = "KR"
note = {text}
[[parties]]
id = "ru"
name = "Russia"
state = "RU"
[[sources]]
id = "s1"
publisher = {text}
title = {text}
date = "2019-07-23"
address = "javascript:alert(1)"
note = {text}
[[sources]]
id = "s2"
publisher = "TASS"
address = "https://tass.com/\\"onclick=alert(1)"
[[subjects]]
id = "a50"
name = {text}
state = "RU"
type = "A50"
max_speed_kmh = [{{ value = "900", source = "s1" }}]
range_km = [{{ value = "6400", source = "s1" }}, {{ value = "7500", source = "s2" }}]
[[subjects]]
id = "fighters"
name = "fighters"
state = "KR"
[[subjects]]
id = "cn"
name = "Chinese military aircraft"
state = "CN"
[[places]]
id = "rocks"
name = {text}
points = [[37.2408, 131.8696]]
note = {text}
[[claims]]
id = "C1"
party = "kr"
subject = "a50"
predicate = "enters"
source = "s1"
quote = {text}
time = "2019-07-23T09:09+09:00"
zones = ["LIANCOURT-12NM-KR"]
event = "in"
note = {text}
[[claims]]
id = "C2"
party = "kr"
subject = "a50"
predicate = "passes"
source = "s1"
quote = {text}
time = "2019-07-23T09:09+09:00/2019-07-23T09:12+09:00"
place = "rocks"
distance_km = "12"
bearing = "E"
[[claims]]
id = "C3"
party = "ru"
subject = "a50"
predicate = "never_inside"
source = "s2"
quote = "no violation"
zones = ["LIANCOURT-12NM-KR", "LIANCOURT-12NM-JP"]
[[claims]]
id = "C4"
party = "kr"
subject = "fighters"
predicate = "fires"
source = "s1"
quote = "about 80"
time = "2019-07-23T09:09+09:00/2019-07-23T09:12+09:00"
target = "a50"
value = "~80"
unit = "rounds"
[[claims]]
id = "C5"
party = "ru"
subject = "a50"
predicate = "denies"
source = "s2"
quote = "untrue"
denies = ["C1"]
[[claims]]
id = "C6"
party = "kr"
subject = "cn"
predicate = "counts"
source = "s1"
quote = "25"
value = "25"
counting = "entries since January"
zones = ["KADIZ-2013"]
time = "2019-01/2019-07-23"
[[claims]]
id = "C7"
party = "ru"
subject = "a50"
predicate = "states"
source = "s2"
quote = {text}
[[responses]]
id = "R1"
actor = "kr"
kind = "warning_shots"
source = "s1"
amount = "~80"
unit = "rounds"
note = {text}
[[responses]]
id = "R2"
actor = "kr"
kind = "warning_shots"
source = "s1"
amount = "~280"
unit = "rounds"
claim = "C4"
[[log]]
date = "2026-11-22"
who = {text}
what = {text}
"""


def _assessment(incident: Incident, evil: str) -> Assessment:
    verdicts = tuple(
        Verdict(
            c.claim_id,
            "disputed" if c.claim_id in ("C1", "C3") else "uncontested",
            (),
            ("ru",) if c.claim_id == "C1" else ("kr",) if c.claim_id == "C3" else (),
            "feasible",
            561.0,
            (900.0, 900.0),
            "no data",
            evil,
            evil,
            evil,
            evil,
        )
        for c in incident.claims
    )
    points = tuple(
        PathPoint(T0 + timedelta(seconds=20 * i), 37.8 - 0.02 * i, 132.0, 180.0, 700.0)
        for i in range(40)
    )
    ring = tuple(direct(37.2, 132.0, a, 30_000.0) for a in range(0, 360, 15))
    path = Reconstruction(
        "kr", "a50", ("C1", "C2"), (), points, (("C1", T0 + timedelta(minutes=4)),),
        700.0, 1.0, 20.0, (Band("C1", "C2", T0, T0 + timedelta(minutes=3), (ring,)),), evil,
    )  # fmt: skip
    leg = LegAssessment(
        "kr", "a50", "C1", "C2", evil, evil, 180.0, 32.0, Interval(2.0, 3.0, 4.0),
        Interval(480.0, 640.0, float("inf")), (900.0, 925.0), "partly",
    )  # fmt: skip
    return Assessment(
        verdicts,
        (
            Contradiction("presence", ("C1", "C3"), ("kr", "ru"), evil),
            Contradiction("apart", ("C1", "C2"), ("kr",), "27.0 km apart"),
        ),
        (ScopeNote(("C3", "C1"), ("ru", "kr"), evil),),
        (AccountStay("kr", "a50", "LIANCOURT-12NM-KR", "C1", "C2", Interval(2.0, 3.0, 4.0)),),
        (leg,),
        (BearingSector("kr", "a50", "C1", "C2", "arrival", 900.0, ((55.0, 100.0),), (), (), evil),),
        (
            Feasibility(
                "kr", "a50", ("C1", "C2"), "infeasible", float("inf"), (900.0, 900.0), ("C1",),
                (), (LegSpeed("C1", "C2", 500.0, 800.0),), evil,
            ),
        ),
        (path,),
        (Alibi(("a50", "fighters"), "kr", "could have met", (37.0, 131.0), T0, evil),),
        (evil,),
    )  # fmt: skip


def _material(evil: str = EVIL) -> Material:
    incident = parse_incident(_toml(evil).encode())
    zones = zones_of(incident)
    assessment = _assessment(incident, evil)
    return Material(
        incident,
        assessment,
        gather_circumstances(incident, assessment, zones, rings=(("a50", "rocks"),)),
        tuple(total_responses(incident)),
        tuple(check_tallies(incident, zones)),
        zones,
        (
            {
                "source": "s1",
                "name": evil,
                "sha256": "0" * 64,
                "collected_at": "2026-01-01T00:00:00+00:00",
                "how": evil,
            },
        ),
        {"incident file": incident.sha256},
        {"near_km": 100.0},
        adiz.__version__,
    )


@pytest.fixture(scope="module")
def material() -> Material:
    return _material()


@pytest.fixture(scope="module")
def view(material: Material) -> View:
    return View(material)


@pytest.fixture(scope="module")
def page(view: View) -> str:
    return render_page(view)


def test_no_text_becomes_markup_on_the_page(page: str) -> None:
    tree = lxml_html.fromstring(page)
    assert [s.get("type") for s in tree.iter("script")] == [
        "application/ld+json",
        "application/json",
        None,
    ]
    assert not list(tree.iter("img"))
    for element in tree.iter():
        assert not [name for name in element.attrib if name.startswith("on")], element.attrib
        target = element.get("href") or ""
        assert not target or target[0] == "#" or target.startswith("https://"), target
        assert "src" not in element.attrib
    assert "alert(1)" in tree.text_content()


def test_a_policy_allows_the_one_script(page: str) -> None:
    import base64
    import hashlib

    tree = lxml_html.fromstring(page)
    script = list(tree.iter("script"))[-1].text
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy


def test_every_internal_link_has_its_target(page: str) -> None:
    tree = lxml_html.fromstring(page)
    targets = set(tree.xpath("//@id"))
    links = {link[1:] for link in tree.xpath("//a/@href") if link.startswith("#")}
    assert links <= targets


def test_the_page_sorts_what_was_found(view: View) -> None:
    assert [topic.claims for topic in view.disputed()] == [["C1", "C3"]]
    assert [topic.claims for topic in view.impossible()] == [["C1", "C2"]]
    assert [item["claims"] for item in view.infeasible()] == [["C1"]]
    assert any("No recorded positions" in item["text"] for item in view.unknown())
    assert view.agreed() == []
    rows = {row["claims"][0].claim_id: row["cells"] for row in view.matrix()}
    assert rows["C1"] == ["says", "denies"]
    assert rows["C2"] == ["says", "silent"]
    assert rows["C3"] == ["denies", "says"]


def test_one_disagreement_of_many_pairs_is_one_topic(view: View) -> None:
    found = [
        Contradiction("presence", ("C1", "C3"), ("kr", "ru"), "a: inside, and never inside."),
        Contradiction(
            "distance",
            ("C2", "C3"),
            ("kr", "ru"),
            "ru (C2): at 09:09; kr (C3): at 09:10: apart: 12 km. So it is with C7",
        ),
        Contradiction("denial", ("C4", "C5"), ("kr", "ru"), "denied"),
    ]
    topics = sort_topics(view.incident, tuple(found))
    assert [[[c.claim_id for c in side] for side in t.sides] for t in topics] == [
        [["C3"], ["C1", "C2"]],
        [["C4"], ["C5"]],
    ]
    assert topics[0].reasons == ("apart: 12 km.",)
    assert [len(t.contradictions) for t in topics] == [2, 1]
    circle = [
        Contradiction("presence", p, ("kr",), "x")
        for p in (("C1", "C2"), ("C2", "C3"), ("C1", "C3"))
    ]
    (topic,) = sort_topics(view.incident, tuple(circle))
    assert len(topic.sides) == 1


def test_the_timeline_shows_several_clocks(view: View) -> None:
    rows = view.timeline()["rows"]
    assert rows[0]["clocks"][0] == ("09:09", "Seoul, Tokyo")
    assert rows[0]["clocks"][1] == ("03:09", "Moscow")


def test_json_is_inert_and_whole(material: Material, view: View) -> None:
    from adiz.out.dossier.exports import dossier_json

    for text in (dossier_json(material), geojson(view), claim_reviews(view)):
        assert "<" not in text
        json.loads(text)
    data = json.loads(dossier_json(material))
    assert data["incident"]["title"] == EVIL.strip()
    assert data["assessment"]["feasibilities"][0]["least_speed_kmh"] == "infinite"
    assert len(data["incident"]["claims"]) == 7


def test_geojson_rings_are_closed_and_anticlockwise(view: View) -> None:
    features = json.loads(geojson(view))["features"]
    kinds = [f["properties"]["what"] for f in features]
    assert kinds.count("zone") == 3
    assert any(kind.startswith("reconstruction") for kind in kinds)
    assert "place a party claims" in kinds
    for feature in features:
        if feature["geometry"]["type"] == "MultiPolygon":
            for polygon in feature["geometry"]["coordinates"]:
                outer = polygon[0]
                assert outer[0] == outer[-1]
                pairs = pairwise(outer)
                assert sum(a[0] * b[1] - b[0] * a[1] for a, b in pairs) > 0


def test_kml_is_well_formed_and_its_balloons_hold_no_markup(view: View) -> None:
    tree = etree.fromstring(kml(view).encode())
    texts = [e.text or "" for e in tree.iter("{*}description")]
    assert any("alert(1)" in text for text in texts)
    for text in texts:
        assert "<" not in text
        assert "<script>" in html.unescape(text) or "alert" not in text
    names = [e.text for e in tree.iter("{*}name")]
    assert any(str(n).startswith("Reconstruction: ") for n in names)


def test_kml_leaves_out_what_xml_cannot_hold() -> None:
    from adiz.out.dossier.exports import _xml

    assert _xml("a\x00\x1b\ud800<b>\n") == "a&lt;b&gt;\n"


def test_claim_reviews_name_claimant_source_and_reason(view: View) -> None:
    graph = json.loads(claim_reviews(view))["@graph"]
    assert [r["@type"] for r in graph] == ["ClaimReview"] * 7
    third = graph[2]
    assert third["itemReviewed"]["author"]["name"] == "Russia"
    assert third["itemReviewed"]["appearance"]["url"].startswith("https://tass.com")
    assert "url" not in graph[0]["itemReviewed"]["appearance"]
    assert third["reviewRating"]["alternateName"].startswith("disputed")


def test_same_input_same_bytes(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import test_dossier as t;"
        "from pathlib import Path;"
        "t.write_dossier(t._material('x <b>'), Path(sys.argv[2]))"
    )
    for seed in ("1", "2"):
        subprocess.run(
            [sys.executable, "-c", code, str(Path(__file__).parent), str(tmp_path / seed)],
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
    names = sorted(p.name for p in (tmp_path / "1").iterdir())
    assert "index.html" in names
    for name in names:
        first, second = ((tmp_path / seed / name).read_bytes() for seed in ("1", "2"))
        assert first == second, name


def test_without_weasyprint_the_page_is_still_written(
    material: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    said: list[str] = []
    written = write_dossier(material, tmp_path / "d", warn=said.append)
    assert {p.name for p in written} >= {"index.html", "dossier.kml"}
    assert not (tmp_path / "d" / "dossier.pdf").exists()
    assert "pip install weasyprint" in said[0]


def test_totals_and_tallies(material: Material) -> None:
    (total,) = material.totals
    assert (total.stated, total.parts, round(total.high)) == (360.0, ("~80", "~280"), 396)
    (tally,) = material.tallies
    assert (tally.zone, tally.state) == ("KADIZ", "CN")
    assert [c.count.stated for c in tally.checks] == ["50+"]
    assert all(c.agrees for c in tally.checks)


def test_circumstances(material: Material) -> None:
    found = material.circumstances
    assert [(r.claim_id, r.sun.side) for r in found.sun] == [("C4", "on the left beam")] * 2
    assert {r.heading_claim for r in found.sun} == {""}
    light = {row["capital"]: row["light"] for row in found.light[0][1]}
    assert light["Moscow"] == "nautical twilight"
    inside = {r.zone_id for r in found.zones if r.nearest and r.nearest.inside}
    assert inside == {"KADIZ-2013", "LIANCOURT-12NM-KR", "LIANCOURT-12NM-JP"}
    assert found.rings[0].least_m == 6.4e6


def test_words() -> None:
    incident = parse_incident(_toml("A-50").encode())
    zones = {"LIANCOURT-12NM-KR": "the belt", "LIANCOURT-12NM-JP": "the other", "KADIZ-2013": "K"}
    said = [say_claim(incident, claim, zones) for claim in incident.claims]
    assert said == [
        "A-50 entered the belt at 09:09",
        "A-50 passed 12 km E of A-50 09:09–09:12",
        "A-50 was at no time in the belt and the other",
        "fighters fired about 80 rounds near A-50 09:09–09:12",
        "denies that A-50 entered the belt at 09:09, as told by A-50",
        "there were 25 entries since January January 2019–23 July 2019",
        "of A-50: “A-50”",
    ]
    time = incident.claims[1].time
    assert time is not None
    assert say_time(time, "Europe/Moscow") == "03:09–03:12"
    assert say_interval(561, 1122, "km/h") == "561–1,122 km/h"
    assert say_interval(900.2, 900.4) == "900"
    assert say_list(["a", "b", "c"]) == "a, b and c"


def test_labels_do_not_overlap() -> None:
    labels = Labels(900.0, 700.0)
    for i in range(12):
        labels.put(400.0 + i, 300.0, f"place {i}", "#000", 12, 8)
    boxes = labels.taken
    assert 1 < len(boxes) < 12
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def test_a_frame_over_the_antimeridian() -> None:
    frame = frame_about([(50, 175), (60, -170)])
    assert frame is not None
    assert frame.shows(55, 180)
    assert frame.shows(55, -172)
    assert not frame.shows(55, 100)


def test_json_has_no_numbers_that_json_lacks() -> None:
    assert json.loads(to_json(plain({"a": float("inf"), "b": float("nan"), "c": {1, 2}}))) == {
        "a": "infinite",
        "b": None,
        "c": [1, 2],
    }
