"""Times as sources give them (EDTF)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adiz.incidents.edtf import EdtfError, parse_edtf

SEOUL = ZoneInfo("Asia/Seoul")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("text", "earliest", "latest"),
    [
        ("2019-07-23T09:09+09:00", "2019-07-23T00:09Z", "2019-07-23T00:10Z"),
        ("2019-07-23T03:09+03", "2019-07-23T00:09Z", "2019-07-23T00:10Z"),
        ("2019-07-23T00:09:30Z", "2019-07-23T00:09:30Z", "2019-07-23T00:09:31Z"),
        ("2019-07-23T00:09:30.25Z", "2019-07-23T00:09:30.25Z", "2019-07-23T00:09:30.26Z"),
        ("2019-07-23T09+09:00", "2019-07-23T00:00Z", "2019-07-23T01:00Z"),
        ("2019-07-23", "2019-07-22T15:00Z", "2019-07-23T15:00Z"),
        ("2019-07-XX", "2019-06-30T15:00Z", "2019-07-31T15:00Z"),
        ("2019-12", "2019-11-30T15:00Z", "2019-12-31T15:00Z"),
        ("2019-22", "2019-05-31T15:00Z", "2019-08-31T15:00Z"),
        ("2019", "2018-12-31T15:00Z", "2019-12-31T15:00Z"),
        ("201X", "2009-12-31T15:00Z", "2019-12-31T15:00Z"),
        ("2019-07-23T09:09+09:00~", "2019-07-23T00:04Z", "2019-07-23T00:15Z"),
        ("2019-07-23T09:09+09:00/2019-07-23T09:12+09:00", "2019-07-23T00:09Z", "2019-07-23T00:13Z"),
    ],
)
def test_incident_edtf_bounds(text: str, earliest: str, latest: str):
    time = parse_edtf(text, SEOUL)
    assert (time.earliest, time.latest) == (at(earliest), at(latest))


def test_incident_edtf_open_ends_and_marks():
    before = parse_edtf("../2019-07-23T09:09+09:00")
    assert before.earliest is None
    assert before.latest == at("2019-07-23T00:10Z")
    assert before.interval
    assert parse_edtf("2019-07-23/").latest is None
    assert parse_edtf("2019-07-23?").uncertain
    assert parse_edtf("2019-07-23%").approximate
    assert not parse_edtf("2019-07-23").approximate


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2019-07-23T09:09", "no time zone"),
        ("2019-07-23T09:09+09:00/2019-07-23T09:01+09:00", "ends before it starts"),
        ("../..", "neither start nor end"),
        ("2019-02-30", "does not exist"),
        ("2019-07-23T24:00Z", "does not exist"),
        ("2019-07-23T23:59:60Z", "does not exist"),
        ("2019-07-23T09:09+25:00", "does not exist"),
        ("23 July 2019", "is not a time"),
        ("", "is not a time"),
        ("2019/2020/2021", "more than one"),
        ("9999-12-31", "does not exist"),
        ("x" * 100_000, "is not a time"),
    ],
)
def test_incident_edtf_refuses(text: str, says: str):
    with pytest.raises(EdtfError, match=says) as error:
        parse_edtf(text)
    assert error.value.remedy
    assert len(str(error.value)) < 200


MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001


@given(MOMENTS, st.integers(-14, 14))
def test_incident_edtf_minute_holds_its_moments(moment: datetime, hours: int):
    sign = "-" if hours < 0 else "+"
    time = parse_edtf(f"{moment:%Y-%m-%dT%H:%M}{sign}{abs(hours):02}:00")
    utc = moment.replace(tzinfo=UTC) - timedelta(hours=hours)
    assert time.earliest is not None
    assert time.latest is not None
    assert time.earliest <= utc < time.latest == time.earliest + timedelta(minutes=1)
