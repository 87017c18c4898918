"""What a worker does when its sink fails, hangs, refuses, or the process is killed."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.alert_log import START_US, Clock, ListSink, Log, make_event, orders

from adiz.events import Event
from adiz.out.alerts import Alerts, Rule
from adiz.out.alerts.message import Message
from adiz.out.alerts.model import FailedError, RefusedError, Retry
from adiz.out.alerts.outbox import Outbox
from adiz.out.alerts.pump import Pump
from adiz.out.alerts.worker import MAX_HELD, MAX_UNSETTLED, Worker

RULE = Rule(name="r", sinks=("list",))


class Post:
    """A log with an outbox, a sink and its worker, moved by hand."""

    def __init__(self, folder: Path, *events: Event, **sink: Any) -> None:
        self.log = Log(f"sqlite:///{folder}/watch.db")
        self.clock = Clock()
        self.outbox = Outbox(self.log)
        self.sink = ListSink(**sink)
        self.say(*events)
        self.start()

    def start(self) -> None:
        """As after a restart of the process: only the database is left."""
        self.worker = Worker(self.sink, self.outbox, self.clock.now_us)

    def say(self, *events: Event) -> None:
        self.log.add(*events)
        Pump(self.log, self.outbox, [RULE], self.clock.now_us).step()

    def run(self, seconds: float) -> int:
        """Let time pass as the worker asks for it; returns the number of steps."""
        until = self.clock.us + int(seconds * 1e6)
        for steps in itertools.count(1):
            wait_s = self.worker.step()
            if self.clock.us + int(wait_s * 1e6) >= until:
                self.clock.us = until
                return steps
            self.clock.pass_s(max(wait_s, 1e-6))
        raise AssertionError

    def keys(self) -> list[str]:
        return [message.event.event_id for message in self.sink.got]

    def left(self) -> int:
        return len(self.outbox.pending("list", 0, 100_000))


def events(count: int, tracks: int = 3) -> list[Event]:
    return [make_event(track=f"T{n % tracks}", at_s=n) for n in range(count)]


def test_all_is_sent_in_order_and_written_down(tmp_path: Path) -> None:
    made = events(600)
    post = Post(tmp_path, *made)
    post.run(1)
    assert post.keys() == [event.event_id for event in made]
    assert post.left() == 0
    post.start()
    post.run(100)
    assert len(post.keys()) == 600


def test_an_outage_of_an_hour_loses_and_doubles_nothing(tmp_path: Path) -> None:
    made = events(200)
    post = Post(tmp_path, *made[:100])
    tries: list[int] = []

    def fails(message: Message) -> None:
        tries.append(post.clock.us)
        if post.clock.us < START_US + 3600_000_000:
            raise FailedError("connection refused", down=True)

    post.sink.fails = fails
    post.run(1800)
    post.say(*made[100:])
    post.run(1799)
    during = len(tries)
    post.run(600)
    assert post.keys() == [event.event_id for event in made]
    # One at a time, less and less often: 1 s doubling up to 300 s, jittered by half.
    assert 12 <= during <= 40
    assert max(b - a for a, b in itertools.pairwise(tries)) <= 300_000_000
    assert not post.outbox.dead()


def test_a_track_that_fails_holds_back_its_own_alone(tmp_path: Path) -> None:
    made = events(30)
    post = Post(tmp_path, *made)
    bad = made[0].event_id

    def fails(message: Message) -> None:
        if message.event.event_id == bad and post.clock.us < START_US + 60_000_000:
            raise FailedError("500")

    post.sink.fails = fails
    post.run(0.1)
    assert all(message.event.tracks != ("T0",) for message in post.sink.got)
    assert len(post.keys()) == 20
    post.run(600)
    assert len(post.keys()) == 30
    assert orders(post.sink.got)["T0"] == [f"{e.key}-r" for e in made if e.tracks == ("T0",)]


def test_an_event_of_several_tracks_waits_for_each_of_them(tmp_path: Path) -> None:
    first = make_event(track="A")
    both = make_event("encounter", at_s=1, tracks=("A", "B"))
    last, free = make_event("exit", track="B", at_s=2), make_event(track="C", at_s=3)
    post = Post(tmp_path, first, both, last, free)
    down = [True]

    def fails(message: Message) -> None:
        if message.event.event_id == first.event_id and down[0]:
            raise FailedError("500")

    post.sink.fails = fails
    post.run(0.1)
    assert post.keys() == [free.event_id]  # the encounter waits for A, and B's exit for it
    down[0] = False
    post.run(600)
    assert set(post.keys()) == {e.event_id for e in (first, both, last, free)}
    assert post.keys().index(first.event_id) < post.keys().index(both.event_id)
    assert post.keys().index(both.event_id) < post.keys().index(last.event_id)


def test_what_is_refused_becomes_a_dead_letter_and_holds_nothing_back(tmp_path: Path) -> None:
    made = events(6)
    post = Post(tmp_path, *made)

    def fails(message: Message) -> None:
        if message.event.event_id == made[0].event_id:
            raise RefusedError("the receiver answered 400 Bad Request\x1b")

    post.sink.fails = fails
    post.run(1)
    assert post.keys() == [event.event_id for event in made[1:]]
    (letter,) = post.outbox.dead()
    assert letter["error"] == "the receiver answered 400 Bad Request\ufffd"
    post.sink.fails = None
    assert post.outbox.resend(post.clock.us) == 1
    post.run(1)
    assert post.keys()[-1] == made[0].event_id
    assert post.outbox.dead() == []


def test_tried_long_enough_a_delivery_is_given_up(tmp_path: Path) -> None:
    made = events(2, 1)
    post = Post(tmp_path, *made, retry=Retry(1, 60, give_up_s=3600))

    def fails(message: Message) -> None:
        if message.event.event_id == made[0].event_id:
            raise FailedError("500")

    post.sink.fails = fails
    post.run(3500)
    assert post.left() == 2
    post.start()  # the time of the first try is not forgotten
    post.run(300)
    assert post.keys() == [made[1].event_id]
    assert post.outbox.dead()[0]["error"] == "given up: 500"


def test_many_poisoned_alerts_do_not_starve_the_rest(tmp_path: Path) -> None:
    made = [make_event(track=f"T{n}", at_s=n) for n in range(100)]
    post = Post(tmp_path, *made)

    def fails(message: Message) -> None:
        if int(message.event.tracks[0][1:]) < 30:
            raise FailedError("500")

    post.sink.fails = fails
    post.run(3 * 3600)
    assert len(post.keys()) == 70


def test_what_the_receiver_asks_for_is_heeded(tmp_path: Path) -> None:
    post = Post(tmp_path, make_event())
    tries: list[int] = []

    def fails(message: Message) -> None:
        tries.append(post.clock.us)
        if len(tries) == 1:
            raise FailedError("429", down=True, retry_after_s=120)

    post.sink.fails = fails
    post.run(300)
    assert tries[1] - tries[0] == 120_000_000


def test_a_fault_in_a_sink_is_a_failure_like_others(tmp_path: Path) -> None:
    post = Post(tmp_path, make_event())
    post.sink.fails = lambda message: 1 / 0
    post.run(60)
    assert post.worker.figures.last_error == "ZeroDivisionError: division by zero"
    post.sink.fails = None
    post.run(600)
    assert len(post.keys()) == 1


def test_what_is_not_settled_is_sent_again_after_a_loss(tmp_path: Path) -> None:
    made = events(20)
    post = Post(tmp_path, *made[:10], settle_s=5.0)
    post.run(4)
    assert len(post.keys()) == 10
    assert post.left() == 10

    def checks() -> None:
        post.sink.checks = None
        raise FailedError("reset", down=True)

    post.sink.checks = checks
    post.say(*made[10:])
    post.run(30)
    want = [event.event_id for event in made]
    assert post.keys() == want[:10] + want
    assert post.left() == 0


def test_unsettled_deliveries_are_bounded(tmp_path: Path) -> None:
    post = Post(tmp_path, *events(1500), settle_s=5.0)
    post.worker.step()
    assert len(post.keys()) == MAX_UNSETTLED
    post.run(60)
    assert len(post.keys()) == 1500
    assert post.left() == 0


def test_a_long_queue_is_read_in_small_parts(tmp_path: Path) -> None:
    made = [make_event(track=f"T{n}", at_s=n) for n in range(400)]
    post = Post(tmp_path, *made)
    post.sink.fails = lambda message: (_ for _ in ()).throw(FailedError("500"))
    post.run(10_000)
    assert len(post.worker._held) <= MAX_HELD
    post.sink.fails = None
    post.run(4 * 3600)
    assert len(post.keys()) + len(post.outbox.dead(limit=5000)) == 400


class Killed(BaseException):
    """The process ends here."""


@settings(max_examples=8)
@given(st.integers(0, 2**32 - 1))
def test_whatever_happens_nothing_is_lost_and_order_is_kept(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    """Failures, losses of connection and kills at random: each alert arrives, first copies in
    the order of their tracks."""
    random.seed(seed)
    chance = random.Random(seed)
    made = [
        make_event(
            at_s=n,
            track="A",
            event_id=f"{n:04}",
            tracks=tuple(sorted(set(chance.choices("ABCD", k=chance.choice([1, 1, 1, 2]))))),
        )
        for n in range(40)
    ]
    post = Post(tmp_path_factory.mktemp("w"), *made, settle_s=chance.choice([0.0, 3.0]))
    trouble = chance.uniform(0, 0.5)
    delivered: list[Message] = []

    def fails(message: Message) -> None:
        if chance.random() < trouble:
            what = chance.randrange(4)
            if what == 1:
                delivered.append(message)  # it arrived, and the answer was lost
                post.sink.got.append(message)
            if what == 3:
                raise Killed
            raise FailedError("no", down=what == 2)
        post.sink.got.append(message)

    post.sink.deliver = fails  # type: ignore[method-assign]
    for _ in range(400):
        try:
            post.run(chance.uniform(0, 200))
        except Killed:
            post.start()
        if not post.left():
            break
    trouble = 0.0
    post.run(4000)
    assert post.left() == 0
    want: dict[str, list[str]] = {}
    for event in made:
        for track in event.tracks:
            want.setdefault(track, []).append(f"{event.key}-r")
    assert orders(post.sink.got) == want


@pytest.fixture
def two_sinks(tmp_path: Path) -> Iterator[tuple[Log, Alerts, ListSink, ListSink, threading.Event]]:
    log = Log(f"sqlite:///{tmp_path}/watch.db")
    release = threading.Event()
    hangs, works = ListSink(name="hangs"), ListSink(name="works")
    hangs.fails = lambda message: release.wait(60)
    rule = Rule(name="r", sinks=("hangs", "works"))
    alerts = Alerts(log, [hangs, works], [rule])
    alerts.start()
    yield log, alerts, hangs, works, release
    release.set()
    assert alerts.stop(10)


def test_a_sink_that_hangs_holds_nobody_up(
    two_sinks: tuple[Log, Alerts, ListSink, ListSink, threading.Event],
) -> None:
    log, alerts, hangs, works, release = two_sinks
    for n in range(50):
        log.add(make_event(at_s=n))
        before = time.monotonic()
        alerts.wake()
        assert time.monotonic() - before < 2  # it hangs until it is released
    until = time.monotonic() + 30
    while time.monotonic() < until and len(works.got) < 50:
        time.sleep(0.02)
    while time.monotonic() < until and ("works", "pending") in alerts.outbox.counts():
        time.sleep(0.02)
    assert len(works.got) == 50
    assert not hangs.got
    health = {one.name: one for one in alerts.health()}
    assert (health["works"].state, health["works"].pending) == ("ok", 0)
    assert (health["hangs"].state, health["hangs"].pending) == ("idle", 50)
    assert not alerts.stop(0.2)
    assert works.closed
    release.set()


def test_alerts_as_a_whole(tmp_path: Path) -> None:
    log = Log(f"sqlite:///{tmp_path}/watch.db")
    sink = ListSink(retry=Retry(0.05, 0.1))
    refused = make_event(at_s=70)

    def fails(message: Message) -> None:
        if message.event.event_id == refused.event_id:
            raise RefusedError("no")

    sink.fails = fails
    alerts = Alerts(log, [sink], [RULE])
    alerts.start()
    log.add(*events(30), refused)
    alerts.wake()
    assert alerts.drain(10)
    assert len(sink.got) == 30
    assert alerts.ack(refused.event_id, "me")
    (letter,) = alerts.dead_letters()
    sink.fails = None
    assert alerts.resend(ids=[letter["id"]]) == 1
    assert alerts.drain(10)
    assert len(sink.got) == 31
    (health,) = alerts.health()
    assert (health.delivered, health.failed_tries, health.dead) == (31, 1, 0)
    assert alerts.error is None
    assert alerts.stop()
    assert sink.closed


def test_a_database_that_is_away_is_told_and_waited_for(tmp_path: Path) -> None:
    log = Log(f"sqlite:///{tmp_path}/watch.db")
    sink = ListSink()
    alerts = Alerts(log, [sink], [RULE])
    read, away = log.events_after, [True]

    def fails(number: int, limit: int) -> list[tuple[int, Event]]:
        if away[0]:
            raise OSError("disk I/O error")
        return read(number, limit)

    log.events_after = fails  # type: ignore[method-assign]
    alerts.start()
    read_until = time.monotonic() + 10
    while alerts.error is None and time.monotonic() < read_until:
        time.sleep(0.02)
    assert alerts.error == "OSError: disk I/O error"
    away[0] = False
    log.add(make_event())
    alerts.wake()
    assert alerts.drain(10)
    assert alerts.error is None
    assert alerts.stop()
