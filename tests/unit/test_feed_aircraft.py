"""``aircraft.json`` polled: unchanged documents, packing, damage, size, servers that misbehave."""

from __future__ import annotations

import gzip
import json
import os
import random
import socket
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.feed_servers import tcp_server, wait_for, watched

from adiz.sources import readsb
from adiz.sources.feeds import from_table
from adiz.sources.feeds.aircraft import NO_AIRCRAFT, TOO_LONG, Snapshots
from adiz.sources.read import read
from adiz.sources.reports import finish

NOW = 1_717_158_000.5


def _document(now: float = NOW, count: int = 3, **more: Any) -> bytes:
    aircraft = [
        {"hex": f"71be{n:02x}", "flight": "KAL123  ", "alt_baro": 31000 + n, "gs": 450.5,
         "r": "HL1", "track": 90.25, "baro_rate": -64, "squawk": "2101", "lat": 37.5,
         "lon": 129.0 + n, "nac_p": 9, "seen_pos": 0.5 + n, "mlat": [], "t": "B738"}
        for n in range(count)
    ]  # fmt: skip
    return json.dumps({"now": now, "messages": 5, "aircraft": aircraft, **more}).encode()


def _feed(**options: Any) -> Any:
    return from_table({"name": "roof", "kind": "aircraft", "every_s": 0.05, **options})


@pytest.fixture
def server() -> Any:
    """A web server; ``answers`` is what it says, the last for ever; ``asked`` what it was asked."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            web.asked.append(dict(self.headers))
            status, headers, body = web.answers.pop(0) if len(web.answers) > 1 else web.answers[0]
            self.send_response(status)
            for name, value in {"Content-Length": len(body), **headers}.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    class Web(ThreadingHTTPServer):
        answers: list[tuple[int, dict[str, Any], bytes]] = []  # noqa: RUF012
        asked: list[dict[str, str]] = []  # noqa: RUF012
        daemon_threads = True

        @property
        def url(self) -> str:
            return f"http://127.0.0.1:{self.server_address[1]}/data/aircraft.json"

    web = Web(("127.0.0.1", 0), Handler)
    web.answers, web.asked = [], []
    thread = Thread(target=web.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield web
    web.shutdown()
    web.server_close()


def test_a_document_is_read_as_the_file_reader_reads_it() -> None:
    odd: dict[str, Any] = {
        "hex": "~71BE99",
        "alt_baro": "ground",
        "lat": "37.1",
        "lon": 1,
        "seen_pos": 2,
    }
    document = json.loads(_document())
    plain = json.loads(_document())
    plain["aircraft"] += [odd, {"hex": 5}, None, {"lat": [1], "alt_baro": {}, "nac_p": "x"}]
    for snapshot in (document, plain):
        ours = Snapshots().step(json.dumps(snapshot).encode())
        assert ours is not None
        ours_made = finish(ours, "x")
        theirs = finish(readsb.aircraft_frame([snapshot]), "x")
        assert_frame_equal(ours_made.table, theirs.table)
        assert ours_made.rejected_counts == theirs.rejected_counts
    first = ours_made.table.row(0, named=True)
    assert first["time"].timestamp() == NOW - 0.5
    assert (first["callsign"], first["position_error_m"]) == ("KAL123", 30.0)


def test_a_position_is_given_once_however_its_age_is_rounded(tmp_path: Path) -> None:
    """Two aircraft: one is heard again each time, of the other only the age grows."""
    documents = []
    for n in range(30):
        now = NOW + n * 1.033
        document = json.loads(_document(round(now, 1), 2))
        heard, silent = document["aircraft"]
        heard["lon"] += n / 100
        silent["seen_pos"] = round(now - (NOW - 0.44), 1)
        documents.append(json.dumps(document).encode())
    snapshots = Snapshots()
    frames = [snapshots.step(d) for d in documents]
    made = [finish(f, "x").table for f in frames if f is not None]
    assert [m.height for m in made] == [2] + [1] * 29
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"\n".join(documents))
    recorded = read(path)
    assert_frame_equal(pl.concat(made).drop("source"), recorded.table.drop("source"))
    assert "29 positions stand in several snapshots" in recorded.notes[0]
    # The same place at another time is a position of its own.
    snapshots = Snapshots()
    for n in range(3):
        frame = snapshots.step(_document(NOW + n, 1))
        assert frame is not None
        assert frame.height == 1


def test_the_quick_way_to_see_a_repeat_says_what_the_general_one_says() -> None:
    """Aircraft named once in either document; a name, a place or a time may be missing."""
    draw = random.Random(4)

    def document(at_us: int) -> pl.DataFrame:
        names = draw.sample([None, *"abcdefghij"], 7)
        rows = [
            (name, draw.choice([at_us, at_us, at_us - 900_000, None]),
             draw.choice([50.0, 50.0, None]), draw.choice([7.0, 7.0, 7.5]))
            for name in names
        ]  # fmt: skip
        schema = {"track_id": pl.String, "time": pl.Int64, "lat_deg": pl.Float64}
        table = pl.DataFrame(rows, schema={**schema, "lon_deg": pl.Float64}, orient="row")
        return table.with_columns(pl.col("time").cast(pl.Datetime("us", "UTC")))

    found = 0
    for _ in range(300):
        before, frame = document(0), document(100_000)
        general = readsb.repeats(pl.concat([before, frame])).slice(before.height)
        again = readsb.repeats(frame, before)
        assert again.to_list() == general.to_list()
        found += again.sum()
    assert found > 40


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"[" * 100_000, b"null", b'{"now": 1}', b'{"aircraft": {}}', b"\xff\xfe{",
     b'{"now":NaN,"aircraft":7}'],
)  # fmt: skip
def test_what_is_no_document_is_counted(data: bytes) -> None:
    snapshots = Snapshots()
    assert snapshots.step(data) is None
    assert snapshots.rejected == {NO_AIRCRAFT: 1}


def test_a_document_of_too_many_values_is_not_even_decoded() -> None:
    snapshots = Snapshots()
    assert snapshots.step(b'{"now":1,"aircraft":[' + b"{}," * 2_000_000 + b"{}]}") is None
    assert snapshots.rejected == {TOO_LONG: 1}


def test_polling_gives_each_document_once(server: Any) -> None:
    packed = gzip.compress(_document(NOW + 1))
    server.answers = [
        (200, {"ETag": '"1"'}, _document()),
        (304, {}, b""),
        (200, {}, _document()),
        (200, {"Content-Encoding": "gzip"}, packed),
        (200, {"Last-Modified": "Fri, 31 May 2024 12:00:00 GMT"}, _document(NOW + 2)),
        (304, {}, b""),
        (200, {"Last-Modified": "Fri, 31 May 2024 12:00:00 GMT",
               "Date": "Fri, 31 May 2024 12:00:00 GMT"}, _document(NOW + 3)),
        (200, {}, _document(NOW + 4)),
    ]  # fmt: skip
    with watched(_feed(url=server.url, headers={"X-Key": "abc"})) as watcher:
        wait_for(lambda: watcher.height() == 15)
    assert watcher.told == [("up",)]
    assert [b.reports.height for b in watcher.batches] == [3] * 5
    assert watcher.reports["source"].unique().to_list() == ["roof"]
    asked = server.asked
    assert asked[0]["X-Key"] == "abc"
    assert asked[1]["If-None-Match"] == asked[2]["If-None-Match"] == '"1"'
    assert not {"If-None-Match", "If-Modified-Since"} & asked[3].keys()
    assert asked[5]["If-Modified-Since"] == "Fri, 31 May 2024 12:00:00 GMT"
    assert "If-Modified-Since" not in asked[7]


def test_a_server_that_refuses_is_down_with_its_reason_and_comes_up(server: Any) -> None:
    server.answers = [
        (503, {}, b""),
        (301, {"Location": "http://there/"}, b""),
        (200, {}, _document()),
    ]
    with watched(_feed(url=server.url)) as watcher:
        wait_for(watcher.height)
    assert watcher.told[0][0] == "down"
    assert "the server says 503" in watcher.told[0][1]
    assert watcher.told[1:] == [("up",)]


def test_a_login_is_sent_and_never_shown(server: Any) -> None:
    server.answers = [(401, {}, b"")]
    with watched(_feed(url=server.url.replace("//", "//me:p%40ss@"))) as watcher:
        wait_for(lambda: watcher.told)
    assert server.asked[0]["Authorization"] == "Basic bWU6cEBzcw=="
    assert "401" in watcher.told[0][1]
    assert "me" not in watcher.told[0][1].replace("time", "")
    assert server.asked[0]["Host"].startswith("127.0.0.1:")


def test_a_few_failures_in_between_are_no_outage_and_silence_is(server: Any) -> None:
    bad = (500, {}, b"")
    server.answers = [(200, {}, _document()), bad, (200, {}, b"{"), (200, {}, _document(NOW + 1))]
    with watched(_feed(url=server.url, silent_s=3.0)) as watcher:
        wait_for(lambda: watcher.height() == 6)
        assert watcher.told == [("up",)]
        wait_for(lambda: len(watcher.told) == 2)
    assert watcher.told[1] == ("down", "there was no new document for 3 s")
    assert watcher.rejected == {NO_AIRCRAFT: 1}


def test_a_page_that_never_ends_is_cut_and_counted() -> None:
    def endless(sock: socket.socket, number: int) -> None:
        sock.recv(4096)
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            sock.sendall(b" " * 65536)

    with (
        tcp_server(endless) as port,
        watched(_feed(url=f"http://127.0.0.1:{port}/", most_mb=1)) as watcher,
    ):
        wait_for(lambda: watcher.rejected.get(TOO_LONG, 0) >= 2)
    assert watcher.told == [("down", TOO_LONG)]


def test_a_bomb_is_cut_and_counted(server: Any) -> None:
    server.answers = [(200, {}, gzip.compress(bytes(50_000_000)))]
    with watched(_feed(url=server.url, most_mb=1)) as watcher:
        wait_for(lambda: watcher.rejected.get(TOO_LONG, 0) >= 1)


def _hang(sock: socket.socket, number: int) -> None:
    while sock.recv(4096):
        pass


def _drip(sock: socket.socket, number: int) -> None:
    sock.recv(4096)
    for octet in b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + b" " * 1000:
        sock.sendall(bytes([octet]))
        time.sleep(0.02)


def _half(sock: socket.socket, number: int) -> None:
    sock.recv(4096)
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n{")


def _garbage(sock: socket.socket, number: int) -> None:
    sock.sendall(os.urandom(5000))


def _nothing(sock: socket.socket, number: int) -> None:
    sock.recv(4096)


@pytest.mark.parametrize(
    ("handle", "said"),
    [
        (_hang, "no answer in time"),
        (_drip, "no answer in time"),
        (_half, "no whole page (IncompleteRead)"),
        (_garbage, ""),
        (_nothing, "no whole page"),
    ],
)
def test_a_server_that_misbehaves_is_down_and_tried_again(handle: Any, said: str) -> None:
    with (
        tcp_server(handle) as port,
        watched(_feed(url=f"http://127.0.0.1:{port}/x", timeout_s=0.3)) as watcher,
    ):
        wait_for(lambda: watcher.supervisor.health.failures >= 2)  # type: ignore[attr-defined]
    assert watcher.told[0][0] == "down"
    assert said in watcher.told[0][1]
    assert len(watcher.told) == 1


def test_nobody_there_is_down() -> None:
    with tcp_server(_nothing) as port:
        pass
    for url, said in ((f"http://127.0.0.1:{port}/", "connection refused"),
                      ("http://nowhere.invalid/", "its name is not known")):  # fmt: skip
        with watched(_feed(url=url)) as watcher:
            wait_for(lambda w=watcher: w.told)  # type: ignore[misc]
        assert said in watcher.told[0][1]


def test_a_file_that_is_replaced_is_read_each_time(tmp_path: Path) -> None:
    path = tmp_path / "aircraft.json"
    with watched(_feed(path=str(path), every_s=0.05)) as watcher:
        wait_for(lambda: watcher.told)
        assert "no such file" in watcher.told[0][1].lower()
        for number in range(5):
            data = _document(NOW + number)
            new = tmp_path / "new"
            new.write_bytes(gzip.compress(data) if number % 2 else data)
            os.replace(new, path)
            wait_for(lambda n=number: watcher.height() == 3 * (n + 1))  # type: ignore[misc]
        path.write_bytes(b'{"now": 1')
        wait_for(lambda: watcher.rejected == {NO_AIRCRAFT: 1})
        path.write_bytes(_document(NOW + 9))
        wait_for(lambda: watcher.height() == 18)
    assert [t[0] for t in watcher.told] == ["down", "up"]


def test_the_reports_are_those_of_the_file_reader(tmp_path: Path) -> None:
    path = tmp_path / "aircraft.json"
    path.write_bytes(_document())
    with watched(_feed(path=str(path))) as watcher:
        wait_for(watcher.height)
    assert_frame_equal(
        watcher.reports.select(pl.exclude("source")), read(path).table.select(pl.exclude("source"))
    )
