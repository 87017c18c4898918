"""Claims compared: each kind of contradiction, what is none, and who supports whom."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adiz.incidents.agreement import Agreement
from adiz.incidents.edtf import parse_edtf
from adiz.incidents.model import Claim, Figure, Incident, Party, Place, Quantity, Source, Subject
from adiz.incidents.quantities import parse_quantity
from adiz.zones.model import Circle, Ring, Zone, Zones

BELT = (Ring((Circle(37.24, 131.87, 22_224.0),)),)
ZONES = Zones((
    Zone("belt-a", "belt", BELT), Zone("belt-b", "the same belt, claimed by another", BELT),
    Zone("far", "far", (Ring((Circle(39.0, 131.87, 22_224.0),)),)),
))  # fmt: skip
SPEED = (Figure(Quantity(900, 900, "km/h", "900"), "s"),)
BASE = Incident(
    "i", "t", "UTC",
    parties=(Party("a", "A"), Party("b", "B"), Party("a2", "A's navy", part_of="a"),
             Party("news", "News", kind="press")),
    sources=(Source("s", "S"), Source("echo", "Echo", relays="a")),
    subjects=(Subject("x", "X", max_speed_kmh=SPEED), Subject("y", "Y"),
              Subject("both", "X and Y", members=("x", "y"))),
    places=(Place("rock", "Rock", ((37.24, 131.87),)),),
)  # fmt: skip


def claim(claim_id: str, party: str, predicate: str, subject: str = "x", **more) -> Claim:
    for key in ("time",):
        if key in more:
            more[key] = parse_edtf(more[key])
    if "km" in more:
        more |= {"distance_km": parse_quantity(more.pop("km"), "km"), "place": "rock"}
    if "n" in more:
        more["value"] = parse_quantity(more.pop("n"), "rounds", count=True)
    more.setdefault("source", "s")
    return Claim(claim_id, party, subject, predicate, quote="q", **more)


def compare(*claims: Claim) -> Agreement:
    return Agreement(replace(BASE, claims=claims), ZONES, [])


T = "2024-01-01T00:09Z"
BELT_A, BELT_B, FAR = {"zones": ("belt-a",)}, {"zones": ("belt-b",)}, {"zones": ("far",)}

CONTRARY = {
    "presence": (("enters", BELT_A | {"time": T}), ("never_inside", BELT_B)),
    "distance": (("passes", {"km": "12", "time": T}), ("passes", {"km": ">25"})),
    "reach": (("enters", BELT_A), ("passes", {"km": ">25"})),
    "amount": (("fires", {"n": "~80", "time": T}), ("fires", {"n": "0"})),
    "recognition": (("recognises", BELT_A), ("recognises", BELT_A | {"negated": True})),
    "event": (("enters", BELT_A | {"time": T, "event": "e"}),
              ("enters", BELT_A | {"time": "2024-01-01T00:12Z", "event": "e"})),
    "apart": (("enters", BELT_A | {"time": T}), ("enters", FAR | {"time": T})),
}  # fmt: skip


@pytest.mark.parametrize("kind", CONTRARY)
def test_incident_contradiction(kind: str):
    (p1, more1), (p2, more2) = CONTRARY[kind]
    for first, second in (("a", "b"), ("b", "a")):
        found = compare(claim("1", first, p1, **more1), claim("2", second, p2, **more2))
        (one,) = found.contradictions()
        assert one.kind == kind
        assert set(one.claims) == {"1", "2"}
        assert one.sentence.endswith(".")


HARMLESS = [
    # another subject
    (("enters", BELT_A, "x"), ("never_inside", BELT_A, "y")),
    (("passes", {"km": "12", "time": T}, "x"), ("passes", {"km": ">25"}, "y")),
    # another time
    (("enters", BELT_A | {"time": T}, "x"),
     ("never_inside", BELT_A | {"time": "2024-01-02"}, "x")),
    (("passes", {"km": "12", "time": T}, "x"),
     ("passes", {"km": ">25", "time": "2024-01-02"}, "x")),
    # a part and the whole
    (("fires", {"n": "80", "time": T}, "x"), ("fires", {"n": "360"}, "x")),
    # near enough
    (("passes", {"km": "12"}, "x"), ("passes", {"km": "~13"}, "x")),
    (("enters", BELT_A | {"time": T}, "x"),
     ("enters", FAR | {"time": "2024-01-01T00:23Z"}, "x")),
    # another zone
    (("enters", BELT_A, "x"), ("never_inside", FAR, "x")),
]  # fmt: skip


@pytest.mark.parametrize("pair", HARMLESS, ids=range(len(HARMLESS)))
def test_incident_no_contradiction(pair: tuple):
    (p1, more1, s1), (p2, more2, s2) = pair
    found = compare(claim("1", "a", p1, s1, **more1), claim("2", "b", p2, s2, **more2))
    assert found.contradictions() == []


def test_incident_a_group_denial_holds_for_its_members():
    found = compare(
        claim("1", "a", "enters", "x", **BELT_A), claim("2", "b", "never_inside", "both", **BELT_A)
    )
    assert [c.kind for c in found.contradictions()] == ["presence"]


def test_incident_scope_note_for_another_subject():
    found = compare(
        claim("1", "a", "enters", "x", **BELT_A), claim("2", "b", "passes", "y", km=">25")
    )
    assert found.contradictions() == []
    (note,) = found.scope_notes()
    assert note.claims == ("2", "1")
    assert "names only Y" in note.sentence


@pytest.mark.parametrize(
    ("party", "more", "supports"),
    [
        ("b", {}, True),
        ("a2", {}, False),  # of the same state
        ("news", {}, False),  # tells what others saw
        ("b", {"relays": "a"}, False),  # repeats the claimant
        ("b", {"source": "echo"}, False),
        ("b", {"time": "2024-01-01T00:12Z"}, False),
        ("b", BELT_B, True),  # the same belt under another name
        ("b", FAR, False),
    ],
)
def test_incident_support(party: str, more: dict, supports: bool):
    told = {"time": T, **BELT_A}
    found = compare(claim("1", "a", "enters", **told), claim("2", party, "enters", **(told | more)))
    assert found.supporters(found.incident.claim("1")) == (("b",) if supports else ())


def test_incident_support_for_all_of_a_group():
    found = compare(
        claim("1", "a", "enters", "both", **BELT_A), claim("2", "b", "enters", "x", **BELT_A)
    )
    assert found.supporters(found.incident.claim("1")) == ()
    assert found.supporters(found.incident.claim("2")) == ("a",)
