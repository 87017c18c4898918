"""The incident file: what is read, and how bad input is refused."""

from __future__ import annotations

import pytest

from adiz.errors import FaultyInputError
from adiz.incidents.catalogue import bundled_incidents
from adiz.incidents.file import parse_incident, read_incident
from adiz.incidents.model import Incident
from adiz.incidents.quantities import parse_quantity, parse_sector
from adiz.incidents.toml_lines import find_lines

GOOD = """\
[incident]
id = "small"
title = "A small incident"
time_zone = "Asia/Seoul"
zones = ["KADIZ-2013"]

[[parties]]
id = "north"
name = "Northland"

[[sources]]
id = "paper"
publisher = "The Paper"

[[subjects]]
id = "jet"
name = "Jet"
max_speed_kmh = [{ value = "900", source = "paper" }]

[[places]]
id = "rock"
name = "The Rock"
points = [[37.24, 131.87]]

[[claims]]
id = "1"
party = "north"
source = "paper"
subject = "jet"
predicate = "enters"
zones = ["KADIZ-2013"]
time = "2019-07-23T09:01+09:00"
quote = "It came in at nine past nine."

[[claims]]
id = "2"
party = "north"
source = "paper"
subject = "jet"
predicate = "denies"
denies = ["1"]
quote = "It did not."
"""


def read(text: str) -> Incident:
    return parse_incident(text.encode(), "small.toml")


def line_of(part: str, text: str = GOOD) -> int:
    return text[: text.index(part)].count("\n") + 1


def test_incident_file_reads():
    incident = read(GOOD)
    claim = incident.claim("1")
    assert claim.line == line_of('[[claims]]\nid = "1"')
    assert claim.zones == ("KADIZ-2013",)
    assert incident.subject("jet").max_speed_kmh[0].value.high == 900
    assert len(incident.sha256) == 64


BAD = [
    (
        "unknown subject",
        'subject = "jet"\npredicate = "enters"',
        'subject = "jut"\npredicate = "enters"',
        "claims.subject",
        "did you mean 'jet'",
    ),
    (
        "unknown zone",
        'zones = ["KADIZ-2013"]\ntime',
        'zones = ["KADIZ"]\ntime',
        "claims.zones",
        "KADIZ",
    ),
    ("unknown party", 'party = "north"', 'party = "nort"', "claims.party", "did you mean 'north'"),
    (
        "quote without source",
        'source = "paper"\nsubject = "jet"\npredicate = "enters"',
        'subject = "jet"\npredicate = "enters"',
        "claims.quote",
        "add source",
    ),
    (
        "end before start",
        "2019-07-23T09:01+09:00",
        "2019-07-23T09:01+09:00/2019-07-23T08:01+09:00",
        "claims.time",
        "earlier time first",
    ),
    (
        "no time zone",
        "2019-07-23T09:01+09:00",
        "2019-07-23T09:01",
        "claims.time",
        "offset from UTC",
    ),
    ("cyclic denial", 'denies = ["1"]', 'denies = ["2"]', "claims.denies", "let each denial"),
    ("huge quote", "It did not.", "x" * 10_000_000, "claims.quote", "keep the rest as evidence"),
    (
        "unknown field",
        'zones = ["KADIZ-2013"]\ntime',
        'zonse = ["KADIZ-2013"]\ntime',
        "claims.zonse",
        "did you mean 'zones'",
    ),
    (
        "unknown predicate",
        'predicate = "enters"',
        'predicate = "entres"',
        "claims.predicate",
        "did you mean 'enters'",
    ),
    ("no id twice", 'id = "2"', 'id = "1"', "id", "the other is on line"),
    (
        "wrong type",
        "points = [[37.24, 131.87]]",
        "points = [[137.24, 31.87]]",
        "places.points",
        "write",
    ),
    ("control character", "It did not.", "It did\\u0000not.", "claims.quote", "remove it"),
    ("unknown clock", "Asia/Seoul", "Asia/Soul", "incident.time_zone", "Asia/Seoul"),
    ("not a number", 'value = "900"', 'value = "fast"', "subjects.max_speed_kmh", "write"),
    ("a bare id", 'id = "rock"', 'id = "../rock"', "places.id", "letters"),
    ("empty quote", 'quote = "It did not."', 'quote = " "', "claims.quote", "add"),
]


@pytest.mark.parametrize(("good", "bad", "field", "remedy"), [b[1:] for b in BAD],
                         ids=[b[0] for b in BAD])  # fmt: skip
def test_incident_file_refuses(good: str, bad: str, field: str, remedy: str):
    assert good in GOOD
    with pytest.raises(FaultyInputError) as error:
        read(GOOD.replace(good, bad, 1))
    faults = [f for f in error.value.faults if f.field == field]
    assert faults, error.value.faults
    fault = faults[0]
    assert fault.file == "small.toml"
    assert fault.line
    assert remedy in (fault.remedy or "")
    assert len(str(error.value)) < 2000


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"\n# nothing\n", "empty"),
        (b"\xff\xfe[", "not UTF-8"),
        (b"[incident\n", "not TOML"),
        (b"[claims]\nid = 1\n", "no \\[incident\\] section"),
        (b"a = " + b"[" * 5000, "not TOML|nested"),
    ],
)
def test_incident_file_refuses_bytes(data: bytes, says: str):
    with pytest.raises(FaultyInputError, match=says):
        parse_incident(data, "x.toml")


def test_incident_file_names_the_line_of_the_field():
    with pytest.raises(FaultyInputError) as error:
        read(GOOD.replace("2019-07-23T09:01+09:00", "nine"))
    assert error.value.faults[0].line == line_of("time = ")


def test_incident_file_names_every_fault_at_once():
    text = GOOD.replace('party = "north"', 'party = "x"').replace(
        'subject = "jet"', 'subject = "y"'
    )
    with pytest.raises(FaultyInputError) as error:
        read(text)
    assert len(error.value.faults) == 4


def test_incident_file_keeps_markup_as_text():
    quote = "<script>alert('1')</script>"
    assert read(GOOD.replace("It did not.", quote)).claim("2").quote == quote


def test_incident_lines_skip_strings_and_comments():
    text = 'a = """\nb = 1\n[[c]]\n"""  # ]\nd = [\n  "]", # [\n  1,\n]\n'
    text += "[[c]]\ne = '''\n'''\nf = 1\n"
    lines = find_lines(text)
    assert lines["", 0] == {"a": 1, "d": 5}
    assert lines["c", 0] == {"": 9, "e": 10, "f": 12}


def test_incident_bundled_files_read():
    for name, path in bundled_incidents().items():
        incident = read_incident(path)
        assert incident.incident_id == name
    incident = read_incident(bundled_incidents()["2019-07-23"])
    stated = {c.claim_id.split("-")[0] for c in incident.claims}
    assert stated == {f"C{i:03}" for i in range(1, 53)}
    assert incident.claim("C012").derived
    assert all(c.quote or c.derived for c in incident.claims)
    assert {c.wording for c in incident.claims if c.source != "edm"} <= {"summary", "verbatim"}
    assert not any(
        c.quote and c.wording == "verbatim" for c in incident.claims if c.source != "edm"
    )


@pytest.mark.parametrize(
    ("raw", "count", "low", "high"),
    [
        ("12", False, 11.5, 12.5),
        (12, False, 11.5, 12.5),
        ("12.0", False, 11.95, 12.05),
        ("12..13", False, 12, 13),
        (">25", False, 25, float("inf")),
        ("~80", True, 72, 88),
        ("~3", False, 2, 4),
        (">10", True, 11, float("inf")),
        ("<10", True, 0, 9),
        ("0", True, 0, 0),
    ],
)
def test_incident_quantities(raw: str, count: bool, low: float, high: float):
    quantity = parse_quantity(raw, count=count)
    assert (quantity.low, quantity.high) == pytest.approx((low, high))


def test_incident_sectors():
    assert parse_sector("N").holds(350)
    assert not parse_sector("N").holds(50)
    assert parse_sector("SE..S").holds(120)
    assert parse_sector("055..100").holds(100)
    assert not parse_sector("055..100").holds(101)
    assert parse_sector("180").holds(180)
    for bad in ("up", "", "400", "N..", "NNNE"):
        with pytest.raises(ValueError, match="direction"):
            parse_sector(bad)
