"""Reports from NATS JetStream, against a real server: position, restarts, what is gone."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.brokers import NatsServer
from tests.feed_servers import tcp_server, wait_for, watched

from adiz.errors import FaultyInputError
from adiz.sources.feeds import from_table
from adiz.sources.feeds.nats import GONE, OTHER_STREAM

pytest.importorskip("nats", reason="nats-py is not installed")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    one = NatsServer(tmp_path)
    one.do(lambda streams: streams.add_stream(name="REPORTS", subjects=["reports.>"]))
    yield one
    one.kill()


def _messages(first: int, count: int) -> list[bytes]:
    return [
        json.dumps(
            {"time": (1_717_156_800 + n) * 10**6, "track_id": "a", "lat_deg": 1,
             "lon_deg": n / 1e4}
        ).encode()
        for n in range(first, first + count)
    ]  # fmt: skip


def _feed(url: str, **options: Any) -> Any:
    return from_table(
        {"name": "bus", "kind": "nats", "url": url, "stream": "REPORTS", "begin": "all",
         "batch_s": 0.05, **options}
    )  # fmt: skip


def _numbers(watcher: Any) -> list[int]:
    return [round(lon * 1e4) for lon in watcher.reports["lon_deg"]]


def test_every_message_comes_once_in_order_and_the_position_goes_on(server: NatsServer) -> None:
    server.publish("reports.a", _messages(0, 50))
    with watched(_feed(server.url)) as watcher:
        wait_for(lambda: watcher.height() == 50)
        server.publish("reports.b", [b"[" + b",".join(_messages(50, 10)) + b"]", b"{"])
        wait_for(lambda: watcher.rejected)
    assert _numbers(watcher) == list(range(60))
    assert watcher.rejected == {"a message that is no JSON": 1}
    assert watcher.told == [("up",)]
    position = watcher.batches[-1].position
    assert position == "52"
    server.publish("reports.a", _messages(60, 5))
    with watched(_feed(server.url), position=position) as watcher:
        wait_for(lambda: watcher.height() == 5)
    assert _numbers(watcher) == list(range(60, 65))


def test_new_means_from_the_first_connection_on_even_if_nothing_came_then(
    server: NatsServer,
) -> None:
    server.publish("reports.a", _messages(0, 5))
    feed = _feed(server.url, begin="new")
    with watched(feed) as watcher:
        wait_for(lambda: watcher.batches)
    assert watcher.batches[0].position == "5"
    server.publish("reports.a", _messages(5, 5))
    with watched(_feed(server.url, begin="new"), position="5") as watcher:
        wait_for(lambda: watcher.height() == 5)
    assert _numbers(watcher) == list(range(5, 10))


def test_a_subject_and_a_moment_choose(server: NatsServer) -> None:
    server.publish("reports.a", _messages(0, 5))
    server.publish("reports.b", _messages(5, 5))
    with watched(_feed(server.url, subject="reports.b")) as watcher:
        wait_for(lambda: watcher.height() == 5)
    assert _numbers(watcher) == list(range(5, 10))
    begin = {"2000-01-01T00:00:00Z": 10, "2100-01-01T00:00:00+00:00": 0}
    for moment, count in begin.items():
        with watched(_feed(server.url, begin=moment)) as watcher:
            wait_for(lambda w=watcher: w.told)  # type: ignore[misc]
            wait_for(lambda w=watcher, c=count: w.height() == c)  # type: ignore[misc]


def test_a_server_that_is_killed_and_comes_back_loses_and_doubles_nothing(
    server: NatsServer,
) -> None:
    server.publish("reports.a", _messages(0, 300))
    with watched(_feed(server.url)) as watcher:
        wait_for(lambda: watcher.height() == 300)
        for round_ in (1, 2):
            server.kill()
            wait_for(lambda r=round_: len(watcher.told) == 2 * r, 30)  # type: ignore[misc]
            server.start()
            server.publish("reports.a", _messages(300 * round_, 300))
            wait_for(lambda r=round_: watcher.height() == 300 * (r + 1), 30)  # type: ignore[misc]
    assert _numbers(watcher) == list(range(900))
    assert [t[0] for t in watcher.told] == ["up", "down", "up", "down", "up"]


def test_a_watch_that_is_slower_than_the_stream_loses_nothing(server: NatsServer) -> None:
    feed = _feed(server.url)
    with watched(feed) as watcher:
        wait_for(lambda: watcher.told)
        inner = watcher.supervisor._emit  # type: ignore[attr-defined]

        def slow(name: str, batch: Any) -> None:
            time.sleep(0.3)
            inner(name, batch)

        watcher.supervisor._emit = slow  # type: ignore[attr-defined]
        for first in range(0, 3000, 600):
            server.publish("reports.a", _messages(first, 600))
        wait_for(lambda: watcher.height() == 3000, 30)
    assert _numbers(watcher) == list(range(3000))
    assert watcher.told == [("up",)]


def test_what_the_stream_no_longer_holds_is_counted(server: NatsServer) -> None:
    server.publish("reports.a", _messages(0, 20))
    server.do(lambda streams: streams.purge_stream("REPORTS", seq=11))
    with watched(_feed(server.url), position="4") as watcher:
        wait_for(lambda: watcher.height() == 10)
    assert _numbers(watcher) == list(range(10, 20))
    assert watcher.rejected == {GONE: 6}


def test_a_stream_that_was_made_anew_is_read_from_its_beginning(server: NatsServer) -> None:
    server.publish("reports.a", _messages(0, 5))
    with watched(_feed(server.url), position="4000") as watcher:
        wait_for(lambda: watcher.height() == 5)
    assert watcher.rejected == {OTHER_STREAM: 1}


def test_no_stream_no_server_no_answer_and_garbage_are_down(server: NatsServer) -> None:
    def hang(sock: socket.socket, number: int) -> None:
        sock.recv(1)

    def garbage(sock: socket.socket, number: int) -> None:
        sock.sendall(b"\x00\xff" * 5000 + b"\r\n")
        sock.recv(1)

    with watched(_feed(server.url, stream="OTHER")) as watcher:
        wait_for(lambda: watcher.told)
    assert "stream not found" in watcher.told[0][1]
    for handle in (hang, garbage):
        with tcp_server(handle) as port:
            with watched(_feed(f"nats://127.0.0.1:{port}", timeout_s=0.5)) as watcher:
                wait_for(lambda w=watcher: w.told)  # type: ignore[misc]
            assert [t[0] for t in watcher.told] == ["down"]
    with watched(_feed(f"nats://127.0.0.1:{port}")) as watcher:
        wait_for(lambda: watcher.told)
    assert watcher.told[0][0] == "down"


def test_what_cannot_be_is_refused() -> None:
    for options, said in (({"begin": "yesterday"}, "is no beginning"), ({"url": 1}, "write text"),
                          ({"begin": "2024-05-31T00:00:00"}, "is no beginning"),
                          ({"time_zone": "Mars"}, "is no time zone")):  # fmt: skip
        with pytest.raises(FaultyInputError, match=said):
            _feed("nats://x", **options) if "url" not in options else _feed(**options)
