"""What the rules make of events: deliveries, repeats, quiet times, escalation, revisions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from tests.alert_log import START_US, Clock, Log, make_event

from adiz.errors import AdizError
from adiz.events import Event
from adiz.out.alerts.outbox import Outbox, Outcome
from adiz.out.alerts.pump import Pump
from adiz.out.alerts.quiet import Quiet
from adiz.out.alerts.rules import Rule
from adiz.out.alerts.tables import CURSOR, TOLD

NIGHT = Quiet("UTC", 22 * 60, 7 * 60)  # START_US is at 22:13:20
NIGHT_END_US = START_US + int((8 * 3600 + 46 * 60 + 40) * 1e6)


class Desk:
    """A log, its outbox and a pump, with a clock that tests move."""

    def __init__(self, url: str, *rules: Rule) -> None:
        self.url = url
        self.log = Log(url)
        self.clock = Clock()
        self.outbox = Outbox(self.log)
        self.use(*rules)

    def use(self, *rules: Rule) -> None:
        self.rules = rules
        self.pump = Pump(self.log, self.outbox, rules, self.clock.now_us)

    def restart(self) -> None:
        clock, rules = self.clock, self.rules
        self.__init__(self.url)  # type: ignore[misc]
        self.clock = clock
        self.use(*rules)

    def say(self, *events: Event) -> list[str]:
        """Put events in; the keys of what is new in the outbox, with their sinks."""
        before = set(self.keys())
        self.log.add(*events)
        while self.pump.step():
            pass
        return [key for key in self.keys() if key not in before]

    def step(self) -> list[str]:
        return self.say()

    def keys(self) -> list[str]:
        sinks = ("s", "boss")
        found = [d for sink in sinks for d in self.outbox.pending(sink, 0, 10_000)]
        return [f"{d.sink}:{d.message.key}" for d in sorted(found, key=lambda d: d.id)]


def rule(**more: Any) -> Rule:
    return Rule(**{"name": "r", "sinks": ("s",), **more})


def test_each_event_becomes_one_delivery_for_each_sink_and_rule(url: str) -> None:
    desk = Desk(url, rule(sinks=("s", "boss")), rule(name="exits", events=("exit",)))
    entry, leave = make_event(), make_event("exit")
    assert desk.say(entry, leave) == [
        f"s:{entry.key}-r",
        f"boss:{entry.key}-r",
        f"s:{leave.key}-r",
        f"boss:{leave.key}-r",
        f"s:{leave.key}-exits",
    ]
    desk.restart()
    assert desk.step() == []


def test_what_happened_before_alerts_were_set_up_is_not_told(url: str) -> None:
    log = Log(url)
    log.add(*(make_event(at_s=s) for s in range(600)))
    desk = Desk(url, rule())
    assert desk.step() == []
    assert len(desk.say(make_event(at_s=999))) == 1


def test_the_cursor_and_its_deliveries_move_together(url: str, monkeypatch: Any) -> None:
    """A crash anywhere in between leaves both as they were."""
    desk = Desk(url, rule())
    desk.log.add(make_event(), make_event(at_s=1))
    calls = 0
    add = Outbox.add

    def broken(*args: Any, **more: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise RuntimeError("cut")
        add(*args, **more)

    monkeypatch.setattr(Outbox, "add", broken)
    with pytest.raises(RuntimeError):
        desk.pump.step()
    assert (desk.outbox.cursor(), desk.keys()) == (0, [])
    desk.restart()
    assert len(desk.step()) == 2
    assert desk.outbox.cursor() == 2


def test_another_process_taking_the_same_events_adds_nothing(url: str) -> None:
    desk = Desk(url, rule())
    other = Pump(desk.log, desk.outbox, [rule()], desk.clock.now_us)
    desk.log.add(make_event())
    read = desk.log.events_after

    def slow(number: int, limit: int) -> list[tuple[int, Event]]:
        page = read(number, limit)
        desk.log.events_after = read  # type: ignore[method-assign]
        other.step()
        return page

    desk.log.events_after = slow  # type: ignore[method-assign]
    desk.pump.step()
    assert len(desk.keys()) == 1


def test_the_same_again_is_told_once_within_its_time(url: str) -> None:
    desk = Desk(url, rule(repeat_s=600))
    assert len(desk.say(make_event(at_s=0))) == 1
    assert desk.say(make_event(at_s=599)) == []
    desk.restart()
    assert desk.say(make_event(at_s=300)) == []
    assert len(desk.say(make_event("exit", at_s=300))) == 1
    assert len(desk.say(make_event(track="T2", at_s=300))) == 1
    assert len(desk.say(make_event(zone_id="JP-JADIZ", at_s=300))) == 1
    assert len(desk.say(make_event(at_s=600))) == 1  # counted from what was told, 0, not from 599


def test_a_repeat_of_what_is_withdrawn_is_told_after_all(url: str) -> None:
    desk = Desk(url, rule(repeat_s=600))
    first, second, third = (make_event(at_s=s) for s in (0, 100, 200))
    desk.say(first, second, third)
    new = desk.say(replace(first, revision=2, withdrawn=True))
    assert new == [f"s:{first.event_id}-2-r", f"s:{second.key}-r"]
    states = {row["event_id"]: row["state"] for row in desk.outbox.alerts()}
    assert states == {first.event_id: "told", second.event_id: "told", third.event_id: "repeat"}


def test_revisions_go_to_whoever_got_the_first(url: str) -> None:
    desk = Desk(url, rule(states=("RU",)), rule(name="quietly", revisions=False, states=("RU",)))
    event = make_event(state="RU")
    assert len(desk.say(event)) == 2
    revised = replace(event, revision=2, state="CN")  # the rule is no more about it
    assert desk.say(revised) == [f"s:{revised.key}-r"]
    assert desk.say(revised, event) == []
    gone = replace(event, revision=3, withdrawn=True)
    assert desk.say(gone) == [f"s:{gone.key}-r", f"s:{gone.key}-quietly"]


def test_a_revision_may_be_the_first_that_a_rule_is_about(url: str) -> None:
    desk = Desk(url, rule(states=("RU",)))
    event = make_event()
    assert desk.say(event) == []
    assert len(desk.say(replace(event, revision=2, state="RU"))) == 1
    assert desk.say(make_event(at_s=5, state="RU", withdrawn=True)) == []


def test_quiet_holds_till_its_end_in_the_newest_form(url: str) -> None:
    desk = Desk(url, rule(quiet=(NIGHT,)))
    kept, revised, gone = (make_event(track=t) for t in "ABC")
    assert desk.say(kept, revised, gone) == []
    assert desk.say(replace(revised, revision=2), replace(gone, revision=2, withdrawn=True)) == []
    desk.restart()
    desk.clock.us = NIGHT_END_US - 1
    assert desk.step() == []
    desk.clock.us = NIGHT_END_US
    assert desk.step() == [f"s:{kept.key}-r", f"s:{revised.event_id}-2-r"]


def test_quiet_drops_where_it_is_told_to_and_lets_the_urgent_through(url: str) -> None:
    quiet = replace(NIGHT, hold=False, urgent=("squawk_7700",))
    desk = Desk(url, rule(quiet=(quiet,)))
    urgent = make_event("squawk_7700")
    assert desk.say(make_event(), urgent) == [f"s:{urgent.key}-r"]
    desk.clock.us = NIGHT_END_US
    assert desk.step() == []


def test_what_nobody_acknowledged_goes_on_to_others_once(url: str) -> None:
    desk = Desk(url, rule(escalate_after_s=300, escalate_to=("boss",)))
    seen, unseen, gone = (make_event(track=t) for t in "ABC")
    desk.say(seen, unseen, gone)
    assert desk.outbox.ack(seen.event_id, "duty officer", desk.clock.us)
    assert not desk.outbox.ack("nothing", "duty officer", desk.clock.us)
    desk.say(replace(gone, revision=2, withdrawn=True))
    desk.clock.pass_s(299)
    assert desk.step() == []
    desk.restart()
    desk.clock.pass_s(1)
    assert desk.step() == [f"boss:{unseen.key}-r-escalated"]
    desk.clock.pass_s(10_000)
    assert desk.step() == []
    revised = replace(unseen, revision=2)
    assert desk.say(revised) == [f"s:{revised.key}-r", f"boss:{revised.key}-r"]


def test_escalation_waits_for_the_end_of_quiet(url: str) -> None:
    quiet = Quiet("UTC", 22 * 60 + 15, 7 * 60)  # begins 100 s after the alert
    desk = Desk(url, rule(quiet=(quiet,), escalate_after_s=300, escalate_to=("boss",)))
    desk.say(make_event())
    desk.clock.pass_s(301)
    assert desk.step() == []
    desk.clock.us = NIGHT_END_US
    assert len(desk.step()) == 1


def test_who_acknowledged_first_stays(url: str) -> None:
    desk = Desk(url, rule())
    event = make_event()
    desk.say(event)
    assert desk.outbox.ack(event.event_id, "first\x1b", desk.clock.us)
    assert desk.outbox.ack(event.event_id, "second", desk.clock.us)
    (row,) = desk.outbox.alerts()
    assert (row["who"], row["acked_us"]) == ("first\ufffd", START_US)
    assert desk.outbox.alerts(unacknowledged=True) == []


def test_dead_letters_are_sent_again_behind_the_rest(url: str) -> None:
    desk = Desk(url, rule(sinks=("s", "boss")))
    desk.say(make_event(at_s=0), make_event(at_s=1))
    first = desk.outbox.pending("s", 0)[0]
    outcome = Outcome(
        id=first.id, status="dead", attempts=9, first_us=START_US, due_us=START_US, error="no"
    )
    desk.outbox.settle([outcome], desk.clock.us)
    (letter,) = desk.outbox.dead()
    assert (letter["sink"], letter["error"], letter["attempts"]) == ("s", "no", 9)
    assert letter["text"] == "T1 entry KR-KADIZ at 0 s"
    assert desk.outbox.dead("boss") == []
    assert desk.outbox.resend(desk.clock.us, sink="boss") == 0
    assert desk.outbox.resend(desk.clock.us, ids=[letter["id"]]) == 1
    last = desk.outbox.pending("s", 0)[-1]
    assert (last.message.key, last.attempts, last.first_us) == (first.message.key, 0, None)
    assert last.id > max(d.id for d in desk.outbox.pending("boss", 0))


def test_what_is_over_is_removed_and_nothing_else(url: str) -> None:
    desk = Desk(url, rule(quiet=(NIGHT,), events=("entry",)), rule(name="q", events=("exit",)))
    held, done, dead = make_event(), make_event("exit", "A"), make_event("exit", "B")
    desk.say(held, done, dead)
    ids = [d.id for d in desk.outbox.pending("s", 0)]
    outcomes = [
        Outcome(id=i, status=status, attempts=1, first_us=0, due_us=0, error=None)
        for i, status in zip(ids, ("delivered", "dead"), strict=True)
    ]
    desk.outbox.settle(outcomes, desk.clock.us)
    desk.outbox.ack(done.event_id, "x", desk.clock.us)
    desk.outbox.prune(desk.clock.us + 10_000_000, 1, 1)
    left = {row["event_id"] for row in desk.outbox.alerts()}
    assert left == {held.event_id, dead.event_id}
    assert len(desk.outbox.dead()) == 1
    assert not desk.outbox.ack(done.event_id, "y", desk.clock.us)


def test_tables_of_a_later_version_are_left_alone(url: str) -> None:
    desk = Desk(url)
    with desk.log.engine.begin() as connection:
        connection.execute(sa.update(CURSOR).where(CURSOR.c.name == "version").values(number=9))
    with pytest.raises(AdizError, match="later version"):
        Outbox(desk.log)


def test_hostile_texts_are_kept_harmless(url: str) -> None:
    desk = Desk(url, rule(repeat_s=60))
    event = make_event(
        event_id="e", tracks=("T\x00\ud800",), callsign="\x1b]0;x\x07", text="a\0b\u202e"
    )
    assert len(desk.say(event)) == 1
    (delivery,) = desk.outbox.pending("s", 0)
    assert delivery.message.event.callsign == "\ufffd]0;x\ufffd"
    assert delivery.message.text == "a\ufffdb\ufffd"
    with desk.log.engine.connect() as connection:
        row = connection.execute(sa.select(TOLD)).mappings().one()
    assert row["text"].isprintable()
    assert row["signature"].isprintable()
