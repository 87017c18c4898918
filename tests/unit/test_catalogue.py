import csv
import io
import json
from datetime import date

import pytest

from adiz.cli import main
from adiz.errors import AdizError
from adiz.incidents.catalogue import (
    Count,
    check_tally,
    load_counts,
    load_patrols,
    select_counts,
    select_patrols,
)

START = date(2019, 1, 1)


def test_every_count_has_a_source_bounds_and_a_known_confidence() -> None:
    counts = load_counts()
    assert len(counts) > 60
    for count in counts:
        assert count.source
        assert count.stated
        assert count.confidence in {"read", "computed", "unverified"}
        assert count.period_start < count.period_end
        assert count.low is not None or count.high is not None
        assert count.low is None or count.high is None or count.low <= count.high


def test_unverified_counts_stay_marked_and_can_be_left_out() -> None:
    counts = load_counts()
    marked = {(c.series, c.period_start.year, c.state) for c in counts if c.confidence != "read"}
    assert ("jasdf-scrambles", 2019, "CN") in marked
    assert ("taiwan-adiz", 2023, "CN") in marked
    left = select_counts(counts, verified=True)
    assert all(c.confidence != "unverified" for c in left)
    assert len(left) < len(counts)


def test_the_taiwan_series_breaks_in_2023() -> None:
    around = select_counts(load_counts(), series="taiwan-around")
    assert min(c.period_start.year for c in around) == 2023
    assert {c.zone for c in around} == {"Taiwan"}


def test_patrols() -> None:
    patrols = load_patrols()
    assert [p.number for p in select_patrols(patrols, kind="joint_patrol")] == list(range(1, 12))
    assert [p.number for p in select_patrols(patrols, zone="alaska")] == [8]
    assert [p.number for p in patrols if p.airspace_entered == "disputed"] == [1]
    assert all(p.source and p.confidence for p in patrols)
    sixth = patrols[5]
    assert (sixth.start_date, sixth.end_date) == (date(2023, 6, 6), date(2023, 6, 7))


def test_tallies_of_2019_stand() -> None:
    for state, tally in (("CN", 25), ("RU", 13)):
        checks = check_tally("KADIZ", state, START, date(2019, 7, 23), tally, tally)
        assert len(checks) >= 2
        assert all(check.agrees for check in checks)


def test_a_tally_above_a_longer_period_falls() -> None:
    checks = check_tally("KADIZ", "RU", START, date(2019, 7, 23), 21, 21)
    fallen = [c for c in checks if not c.agrees]
    assert [c.count.stated for c in fallen] == ["13", "20"]
    assert fallen[1].why.startswith("21 is more than 20 entries over 2019-01-01 to 2019-10-22")


def test_a_tally_below_a_shorter_period_falls() -> None:
    checks = check_tally("KADIZ", "CN", START, date(2019, 12, 31), 20, 20)
    assert [c.count.stated for c in checks if not c.agrees] == ["25", "50+"]


def test_tallies_leave_out_other_things_and_unverified_figures() -> None:
    day = date(2019, 1, 1)
    scrambles = Count("s", "Z", "CN", "scrambles", day, day, 1, 1, "1", "x", "read", "")
    doubtful = Count("s", "Z", "CN", "entries", day, day, 1, 1, "1", "x", "unverified", "")
    assert check_tally("Z", "CN", day, day, 9, 9, [scrambles, doubtful]) == []


def test_filters_name_what_is_known() -> None:
    with pytest.raises(AdizError, match="known: JADIZ, KADIZ"):
        select_counts(load_counts(), zone="KADZI")


def test_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["counts", "--zone", "KADIZ", "--state", "CN", "--since", "2019"]) == 0
    assert "50+" in capsys.readouterr().out
    assert main(["counts", "--format", "csv", "--series", "jasdf-scrambles", "--verified"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert rows[0]["source"]
    assert main(["patrols", "--format", "json", "--until", "2020"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 5
    assert main(["patrols", "--since", "2030"]) == 0
    assert "number" in capsys.readouterr().out
    assert main(["counts", "--state", "XX"]) == 2
    assert "known" in capsys.readouterr().err
