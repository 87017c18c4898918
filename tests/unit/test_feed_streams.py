"""BaseStation and Beast over TCP: pieces cut anywhere, lost connections, servers that misbehave."""

from __future__ import annotations

import os
import random
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.feed_samples import beast, position, squitter
from tests.feed_servers import tcp_server, wait_for, watched

from adiz.sources.feeds import from_table
from adiz.sources.feeds.basestation import CUT, TOO_LONG, BaseStation, Lines
from adiz.sources.feeds.model import make_batch
from adiz.sources.read import read

START = datetime(2024, 5, 31, 12, 0, 0, tzinfo=UTC)
NO_FRAME = "octets that are no whole frame"


def _line(kind: int, address: str, at: datetime, **fields: Any) -> str:
    stamp = at.strftime("%Y/%m/%d,%H:%M:%S.%f")[:-3]
    names = ("callsign", "alt", "gs", "track", "lat", "lon", "vrate", "squawk", "alert",
             "emergency", "spi", "ground")  # fmt: skip
    rest = ",".join(str(fields.get(n, "")) for n in names)
    return f"MSG,{kind},1,1,{address},1,{stamp},{stamp},{rest}\r\n"


def _talk(count: int = 300) -> bytes:
    """Many aircraft, all kinds of messages, silences longer than a speed is good for."""
    source, at, lines = random.Random(5), START, []
    for n in range(count):
        at += timedelta(seconds=source.choice((0.1, 0.2, 3.0)))
        address = source.choice(("71BE01", "71BE02", "71BE03", "~12345"))
        kind = source.choice((1, 3, 3, 3, 4, 5, 6, 8))
        fields: dict[int, dict[str, Any]] = {
            1: {"callsign": f"KAL{n:03}  "},
            3: {"alt": 31000 + n, "lat": 37 + n / 1000, "lon": 129, "ground": 0},
            4: {"gs": 400 + n % 9, "track": n % 360, "vrate": -64},
            6: {"squawk": "7700", "alt": 1},
        }
        lines.append(_line(kind, address, at, **fields.get(kind, {})))
        if n % 50 == 7:
            lines += ["rubbish\n", "\r\n", _line(3, address, at, lat="x", lon=1), "MSG,3\n"]
    return "".join(lines).encode()


def _expected(data: bytes, path: Path, **options: Any) -> tuple[pl.DataFrame, dict[str, int]]:
    path.write_bytes(data.replace(b"\r\n\r\n", b"\r\n").replace(b"\n\r\n", b"\n"))
    made = read(path, **options)
    return made.table.drop("source"), made.rejected_counts


@pytest.mark.parametrize("most", [1, 40, 2_000, 10**6])
def test_lines_cut_anywhere_are_read_as_the_file_of_them(most: int, tmp_path: Path) -> None:
    data, source = _talk(), random.Random(most)
    expected, rejected = _expected(data, tmp_path / "x.sbs", time_zone="UTC")
    decoder, at, batches = BaseStation("UTC"), 0, []
    while at < len(data):
        size = source.randint(1, most)
        # A batch is some pieces; at one octet each, a hundred.
        pieces = [(data[at + n : at + n + 1], 0) for n in range(min(100, len(data) - at))]
        pieces = pieces if most == 1 else [(data[at : at + size], 0)]
        batches.append(make_batch(decoder.step(pieces), "x", 0))
        at += sum(len(p) for p, _ in pieces)
    assert_frame_equal(pl.concat([b.reports for b in batches]).drop("source"), expected)
    counts: dict[str, int] = {}
    for batch in batches:
        for reason, count in batch.rejected.items():
            counts[reason] = counts.get(reason, 0) + count
    assert counts == rejected != {}
    assert expected["gs_kt"].null_count() not in (0, expected.height)
    assert decoder.rejected == {}


def test_the_zone_of_the_clock_is_taken_as_told(tmp_path: Path) -> None:
    data = _line(3, "71BE01", datetime(2024, 5, 31, 21, 0, tzinfo=UTC), lat=1, lon=2).encode()
    for zone, hour in (("UTC", 21), ("Asia/Seoul", 12)):
        with tcp_server(lambda sock, n: sock.sendall(data)) as port:
            feed = from_table(
                {"name": "x", "kind": "basestation", "host": "127.0.0.1", "port": port,
                 "time_zone": zone}
            )  # fmt: skip
            with watched(feed) as watcher:
                wait_for(watcher.height)
        assert watcher.reports["time"][0] == datetime(2024, 5, 31, hour, tzinfo=UTC)


def test_a_line_without_end_is_dropped_as_it_comes_and_counted() -> None:
    lines = Lines(100)
    for _ in range(200):
        assert lines.step(b"x" * 1_000_000) == []
        assert len(lines._part) <= 100
    assert lines.rejected == {TOO_LONG: 1}
    data = b"y\nMSG\n" + b"z" * 101 + b"\n" + b"a" * 100 + b"\nb"
    assert lines.step(data) == [b"MSG", b"a" * 100]
    assert lines.rejected == {TOO_LONG: 2}
    lines.cut()
    assert lines.rejected == {TOO_LONG: 2, CUT: 1}
    assert lines.step(b"MSG\n") == [b"MSG"]


def test_a_connection_cut_in_a_line_goes_on_with_what_was_known() -> None:
    position_line = _line(3, "71BE01", START, lat=1, lon=2).encode()

    def serve(sock: socket.socket, number: int) -> None:
        if number == 0:
            sock.sendall(_line(1, "71BE01", START, callsign="KAL1").encode() + position_line[:40])
        elif number == 1:
            sock.sendall(position_line[40:] + position_line)
        else:
            sock.recv(1)

    with tcp_server(serve) as port:
        feed = from_table({"name": "x", "kind": "basestation", "host": "localhost", "port": port})
        with watched(feed) as watcher:
            wait_for(watcher.height)
            wait_for(lambda: watcher.rejected.get("not a BaseStation message"))
    assert watcher.reports["callsign"].to_list() == ["KAL1"]
    assert watcher.rejected == {CUT: 1, "not a BaseStation message": 1}
    assert [t[0] for t in watcher.told[:4]] == ["up", "down", "up", "down"]
    assert "closed the connection" in watcher.told[1][1]


# ---- Beast ---------------------------------------------------------------------------------------


def _flight(count: int, first: int = 0) -> list[bytes]:
    return [
        beast(position(0x71BE01, 37.0, 131.0 + n * 0.002, n % 2 == 1), n + 1)
        for n in range(first, first + count)
    ]


def _beast_feed(port: int, **options: Any) -> Any:
    return from_table(
        {"name": "roof", "kind": "beast", "host": "127.0.0.1", "port": port, **options}
    )


def test_messages_are_dated_by_when_they_come_and_the_state_outlives_a_cut() -> None:
    callsign = beast(squitter(0x71BE01, int.from_bytes(bytes.fromhex("202cc371c32ce0"), "big")))

    def serve(sock: socket.socket, number: int) -> None:
        if number == 0:
            data = callsign + b"".join(_flight(6)) + _flight(1)[0][:9]
            for at in range(0, len(data), 5):
                sock.sendall(data[at : at + 5])
                time.sleep(0.002)
        elif number == 1:
            # A message alone: it has a place because that of its aircraft is known.
            sock.sendall(_flight(1, first=7)[0])
            sock.recv(1)
        else:
            sock.recv(1)

    began = datetime.now(UTC)
    with tcp_server(serve) as port, watched(_beast_feed(port)) as watcher:
        wait_for(lambda: watcher.height() == 7)
    reports = watcher.reports
    assert reports["callsign"].n_unique() == 1
    assert reports["callsign"][0] is not None
    assert reports["time"].is_between(began, datetime.now(UTC)).all()
    assert reports["lat_deg"].to_list() == pytest.approx([37.0] * 7, abs=1e-4)
    assert watcher.rejected == {NO_FRAME: 1}
    assert [t[0] for t in watcher.told] == ["up", "down", "up"]


def test_what_is_sent_while_nothing_is_read_waits_and_comes_in_bounded_batches() -> None:
    frames = b"".join(_flight(2_000)) * 50

    def serve(sock: socket.socket, number: int) -> None:
        if number == 0:
            sock.sendall(frames)
        sock.recv(1)

    with tcp_server(serve) as port, watched(_beast_feed(port, batch_s=5.0)) as watcher:
        wait_for(lambda: watcher.height() >= 100_000, 60)
    assert max(b.reports.height for b in watcher.batches) < 60_000


# ---- servers that misbehave ----------------------------------------------------------------------


def _garbage(sock: socket.socket, number: int) -> None:
    for _ in range(200):
        sock.sendall(os.urandom(500))
        time.sleep(0.02)


def _hang(sock: socket.socket, number: int) -> None:
    sock.recv(1)


def _reset(sock: socket.socket, number: int) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


@pytest.mark.parametrize("kind", ["basestation", "beast"])
@pytest.mark.parametrize(
    ("handle", "said"),
    [(_garbage, "nothing usable came for 1 s"), (_hang, "nothing came for 1 s"),
     (_reset, "connection reset by peer")],
)  # fmt: skip
def test_a_server_that_misbehaves_is_down_and_tried_again(
    kind: str, handle: Any, said: str
) -> None:
    with tcp_server(handle) as port:
        table = {"name": "x", "kind": kind, "host": "127.0.0.1", "port": port, "silent_s": 1}
        with watched(from_table(table)) as watcher:
            wait_for(lambda: watcher.told)
    assert [t[0] for t in watcher.told] == ["down"]
    assert said in watcher.told[0][1]
    if handle is _garbage:
        assert sum(watcher.rejected.values()) > 10


def test_nobody_there_then_somebody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with watched(_beast_feed(port)) as watcher:
        wait_for(lambda: watcher.told)
        assert watcher.told == [("down", f"127.0.0.1:{port}: connection refused")]
        with socket.create_server(("127.0.0.1", port)) as listener:
            sock, _ = listener.accept()
            with sock:
                sock.sendall(b"".join(_flight(4)))
                wait_for(lambda: watcher.height() == 4)
    assert watcher.told[1] == ("up",)


def test_a_host_that_takes_no_connection_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        fillers = [socket.socket() for _ in range(8)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        with watched(_beast_feed(port, timeout_s=0.3)) as watcher:
            wait_for(lambda: watcher.told)
        for filler in fillers:
            filler.close()
    assert watcher.told == [("down", f"127.0.0.1:{port}: no answer in time")]
