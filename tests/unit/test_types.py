"""Types, roles and published performance."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from adiz.tracks.types import (
    MEASURES,
    aircraft_types,
    designators,
    find_designator,
    find_type,
    max_speed_kt,
    published,
    read_rows,
)


def test_codes_are_designators_or_marked_as_the_products_own() -> None:
    for kind in aircraft_types().values():
        if "-" not in kind.type_code:
            assert re.fullmatch(r"[A-Z][A-Z0-9]{1,3}", kind.type_code)
            assert kind.doc8643 == kind.type_code
        assert kind.doc8643 == "" or kind.doc8643 in aircraft_types()
        assert kind.use in ("military", "civil", "mixed")


def test_every_designator_of_doc_8643_is_known_and_ours_are_among_them() -> None:
    assert len(designators()) == 2711
    assert all(re.fullmatch(r"[A-Z][A-Z0-9]{1,3}", code) for code in designators())
    for kind in aircraft_types().values():
        assert kind.doc8643 == "" or kind.doc8643 in designators()
        assert ("-" in kind.type_code) == (kind.type_code not in designators())
    found = find_designator(" glf5")
    assert found is not None
    assert (found.kind, found.engine, found.engines, found.wake) == ("land plane", "jet", "2", "M")
    assert find_designator("H-6K") is None  # what Doc 8643 lacks is ours, and marked by its hyphen


def test_every_statement_has_a_known_type_measure_status_and_source() -> None:
    for row in read_rows("envelopes.csv"):
        assert row["type_code"] in aircraft_types()
        assert row["measure"] in MEASURES
        assert row["status"] in ("read", "unverified")
        assert row["source"]
        assert float(row["value"]) > 0


def test_disagreement_is_kept_as_an_interval() -> None:
    values = [s.value for s in published("TU-95MS", "max_speed_kmh")]
    assert (min(values), max(values)) == (830, 925)
    assert max_speed_kt("tu-95ms") == pytest.approx(925 / 1.852)


def test_a_designator_of_several_aircraft_is_bounded_by_the_fastest() -> None:
    assert max_speed_kt("TU16") == pytest.approx(1056 / 1.852)
    assert max_speed_kt("SU27") == pytest.approx(2800 / 1.852)


def test_common_names_are_found() -> None:
    assert max_speed_kt("A-50") == max_speed_kt("A50")
    names = [find_type(name) for name in ("Tu-95", "IL-76", "H-6K", "KJ-2000", "F-16")]
    assert [n and n.type_code for n in names] == ["TU95", "IL76", "H-6K", "KJ-2000", "F16"]


def test_mach_limits_bound_airliners() -> None:
    assert max_speed_kt("A320") == pytest.approx(0.82 * 661.5)


@pytest.mark.parametrize("code", ["", "ZZZZ", "C172", "\x00"])
def test_unknown_types_have_no_speed(code: str) -> None:
    assert max_speed_kt(code) is None
    assert find_type(code) is None


def test_lookup_imports_nothing_heavy() -> None:
    code = (
        "import sys; from adiz.tracks.types import max_speed_kt; max_speed_kt('A50');"
        "print([m for m in ('polars','numpy','pyproj','shapely','lxml') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
