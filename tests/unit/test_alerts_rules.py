"""Rules and quiet times, and the tables of the configuration that make them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.alert_log import make_event

from adiz.errors import FaultyInputError
from adiz.out.alerts import Rule, from_tables, options_of
from adiz.out.alerts.config import KINDS
from adiz.out.alerts.quiet import Quiet, minutes_of
from adiz.out.alerts.rules import signature
from adiz.out.alerts.words import clean, plain


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1e6)


NIGHT = Quiet(zone="Asia/Seoul", start_min=22 * 60, end_min=7 * 60)


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        ("2026-03-01T21:59:59+09:00", None),
        ("2026-03-01T22:00:00+09:00", "2026-03-02T07:00:00+09:00"),
        ("2026-03-02T00:00:00+09:00", "2026-03-02T07:00:00+09:00"),
        ("2026-03-02T06:59:59+09:00", "2026-03-02T07:00:00+09:00"),
        ("2026-03-02T07:00:00+09:00", None),
    ],
)
def test_quiet_across_midnight(now: str, ends: str | None) -> None:
    assert NIGHT.ends_us(us(now)) == (us(ends) if ends else None)


def test_quiet_is_as_long_as_the_night_is_when_clocks_change() -> None:
    quiet = Quiet(zone="Europe/Berlin", start_min=60, end_min=4 * 60)
    # 29 March 2026: 02:00 becomes 03:00; 25 October 2026: 03:00 becomes 02:00.
    assert quiet.ends_us(us("2026-03-29T00:30:00+00:00")) == us("2026-03-29T02:00:00+00:00")
    assert quiet.ends_us(us("2026-10-25T02:30:00+00:00")) == us("2026-10-25T03:00:00+00:00")
    assert quiet.ends_us(us("2026-10-25T03:00:00+00:00")) is None
    skipped = Quiet(zone="Europe/Berlin", start_min=0, end_min=150)  # 02:30 is not there
    assert skipped.ends_us(us("2026-03-29T00:00:00+00:00")) == us("2026-03-29T01:30:00+00:00")


def test_days_are_those_on_which_quiet_begins() -> None:
    weekend = Quiet("UTC", 22 * 60, 6 * 60, days=("fri", "sat"))
    assert weekend.ends_us(us("2026-11-20T23:00:00+00:00"))  # a Friday
    assert weekend.ends_us(us("2026-11-22T05:00:00+00:00"))  # the morning after Saturday
    assert not weekend.ends_us(us("2026-11-22T23:00:00+00:00"))


@given(
    st.integers(0, 1439),
    st.integers(1, 1440),
    st.integers(1_577_836_800, 1_893_456_000),
    st.sampled_from(["UTC", "Asia/Seoul", "Asia/Kolkata"]),
)
def test_quiet_agrees_with_the_clock_on_the_wall(
    start: int, end: int, seconds: int, zone: str
) -> None:
    """Where clocks do not change, quiet is a matter of the time shown."""
    if start == end:
        return
    wall = datetime.fromtimestamp(seconds, ZoneInfo(zone))
    minute = wall.hour * 60 + wall.minute
    inside = start <= minute < end if end > start else minute >= start or minute < end
    ends = Quiet(zone, start, end).ends_us(seconds * 1_000_000)
    assert (ends is not None) == inside
    if ends is not None:
        at = datetime.fromtimestamp(ends / 1e6, ZoneInfo(zone))
        assert at.hour * 60 + at.minute == end % 1440


def test_minutes() -> None:
    assert [minutes_of(t) for t in ("00:00", "23:59", "24:00")] == [0, 1439, 1440]
    assert not any(map(minutes_of, ("24:01", "12:60", "1:00", "12", "12:0x", "")))


def test_a_rule_takes_what_all_its_filters_take() -> None:
    event = make_event(state="RU", role="bomber", icao24="151e0a")
    assert Rule(name="r", sinks=("s",)).matches(event)
    assert Rule(name="r", sinks=("s",), events=("exit", "entry"), zones=("KR-*",)).matches(event)
    assert not Rule(name="r", sinks=("s",), events=("entry",), zones=("JP-*",)).matches(event)
    assert not Rule(name="r", sinks=("s",), states=("CN",), roles=("bomber",)).matches(event)
    assert not Rule(name="r", sinks=("s",), certainties=("possible",)).matches(event)
    assert Rule(name="r", sinks=("s",), icao24=("151e0a",)).matches(event)


def test_what_is_not_known_matches_unknown_alone() -> None:
    event = make_event(zone_id=None)
    assert Rule(name="r", sinks=("s",), states=("unknown", "RU"), zones=("unknown",)).matches(event)
    assert not Rule(name="r", sinks=("s",), states=("RU",)).matches(event)


def test_signatures_tell_alerts_apart() -> None:
    one = make_event("entry", "A")
    assert signature(one) == signature(make_event("entry", "A", 99))
    others = [
        make_event("exit", "A"),
        make_event("entry", "B"),
        make_event("entry", "A", zone_id="JP-JADIZ"),
        make_event("encounter", tracks=("A", "B")),
        make_event("feed_down", tracks=(), zone_id=None, feed="x"),
        make_event("feed_down", tracks=(), zone_id=None, feed="y"),
    ]
    assert len({signature(event) for event in [one, *others]}) == 7
    assert signature(make_event(tracks=("A", "B"))) == signature(make_event(tracks=("B", "A")))


def test_text_that_came_over_the_air_is_made_harmless() -> None:
    assert clean("KAL123") == "KAL123"
    assert clean("a\x1b[31m\x07\u202eb\ud800\n") == "a\ufffd[31m\ufffd\ufffdb\ufffd "
    assert clean("값 é 🛩") == "값 é 🛩"
    assert clean("x" * 5000) == "x" * 1999 + "…"
    assert plain({"a\0": [1, float("nan"), (True, None, "\x00")], "o": object}) == {
        "a\ufffd": [1, None, [True, None, "\ufffd"]],
        "o": "<class 'object'>",
    }
    deep: list[object] = []
    for _ in range(50):
        deep = [deep]
    assert len(str(plain(deep))) < 400


GOOD_SINKS = [
    {"name": "file", "kind": "jsonl", "path": "alerts.jsonl"},
    {"name": "screen", "kind": "terminal", "bell": True, "give_up_s": 7200},
]


def test_tables_become_sinks_and_rules(tmp_path: Path) -> None:
    setup = from_tables(
        GOOD_SINKS,
        [
            {
                "name": "bombers",
                "sinks": ["file"],
                "events": "entry",
                "roles": ["bomber"],
                "icao24": ["ABCDEF"],
                "repeat_s": 600,
                "escalate_after_s": 300,
                "escalate_to": ["screen"],
                "quiet": {"zone": "Asia/Seoul", "from": "22:00", "to": "07:00", "then": "drop"},
            }
        ],
        str(tmp_path / "watch.toml"),
    )
    assert [(sink.name, sink.kind) for sink in setup.sinks] == [
        ("file", "jsonl"),
        ("screen", "terminal"),
    ]
    assert setup.sinks[1].retry.give_up_s == 7200
    (rule,) = setup.rules
    assert (rule.events, rule.icao24, rule.repeat_s) == (("entry",), ("abcdef",), 600.0)
    assert rule.quiet == (Quiet("Asia/Seoul", 1320, 420, hold=False),)
    assert rule.escalate_to == ("screen",)


@pytest.mark.parametrize(
    ("sinks", "rules", "said"),
    [
        ([{"kind": "jsonl", "path": "x"}], [], "no name is given"),
        ([{"name": "a/b", "kind": "terminal"}], [], "cannot be a name"),
        ([{"name": "a", "kind": "terminal"}] * 2, [], "there are two sinks called 'a'"),
        ([{"name": "a", "kind": "web"}], [], "did you mean 'webhook'"),
        ([{"name": "a", "kind": "terminal", "bel": True}], [], "did you mean 'bell'"),
        ([{"name": "a", "kind": "jsonl", "path": "x", "keep": 0}], [], "from 1 to 1000"),
        (GOOD_SINKS, [{"name": "r", "sinks": ["fil"]}], "did you mean 'file'"),
        (GOOD_SINKS, [{"name": "r", "sinks": []}], "it is empty"),
        (GOOD_SINKS, [{"name": "r", "sinks": "file", "events": ["enter"]}], "there is no 'enter'"),
        (GOOD_SINKS, [{"name": "r", "sinks": "file", "certainties": "sure"}], "there is no 'sure'"),
        (GOOD_SINKS, [{"name": "r", "sinks": "file", "escalate_after_s": 5}], "escalate_to is mis"),
        (GOOD_SINKS, [{"name": "r", "sinks": "file", "quiet": "22-7"}], "this is no table"),
        (
            GOOD_SINKS,
            [{"name": "r", "sinks": "file", "quiet": {"zone": "KST", "from": "1", "to": "07:00"}}],
            "no time of day",
        ),
        (
            GOOD_SINKS,
            [{"name": "r", "sinks": "file", "quiet": {"zone": "Asia/Soul", "from": "01:00"}}],
            "no to is given",
        ),
        (
            GOOD_SINKS,
            [
                {
                    "name": "r",
                    "sinks": "file",
                    "quiet": {"zone": "../x", "from": "01:00", "to": "01:00"},
                }
            ],
            "ends when it begins",
        ),
    ],
)
def test_faults_of_tables_say_what_to_do(
    sinks: list[dict[str, object]], rules: list[dict[str, object]], said: str
) -> None:
    with pytest.raises(FaultyInputError) as error:
        from_tables(sinks, rules, "watch.toml")
    assert said in str(error.value)
    assert all(fault.file == "watch.toml" and fault.field for fault in error.value.faults)


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(FaultyInputError) as error:
        from_tables(
            [{"name": "a", "kind": "terminal", "stream": "x"}, {"name": "b", "kind": "?"}],
            [{"name": "r", "sinks": ["c"], "events": ["enter"]}],
        )
    assert len(error.value.faults) == 4


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_declares_its_options(kind: str) -> None:
    options = options_of(kind)
    assert len({option.name for option in options}) == len(options)
    assert all(option.meaning for option in options)
