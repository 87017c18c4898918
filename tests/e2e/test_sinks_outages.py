"""Receivers that fail, reset and hang; a watch that is killed: nothing lost, nothing doubled."""

from __future__ import annotations

import json
import random
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from tests.alert_log import Log, make_event
from tests.conftest import ROOT
from tests.sink_servers import FastClock, running, wait_until

from adiz.database import create_engine, parse_url
from adiz.events import Event
from adiz.out.alerts import Alerts, from_tables

RULES = [{"name": "all", "sinks": ["s"]}]


def made(count: int, tracks: int = 7) -> list[Event]:
    return [make_event(track=f"T{n % tracks}", at_s=n) for n in range(count)]


def first_copies(got: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a receiver that drops keys it knows already is left with."""
    seen: set[str] = set()
    return [one for one in got if not (one["key"] in seen or seen.add(one["key"]))]  # type: ignore[func-returns-value]


def assert_all_in_order(got: list[dict[str, Any]], events: list[Event]) -> None:
    """Each event once, and those of each track in their order."""
    kept = [one["key"].removesuffix("-all") for one in first_copies(got)]
    assert sorted(kept) == sorted(event.key for event in events)
    track = {event.key: event.tracks[0] for event in events}
    for name in set(track.values()):
        assert [key for key in kept if track[key] == name] == [
            event.key for event in events if event.tracks[0] == name
        ]


class Receiver:
    """A web server that keeps what it gets while it is in order."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.tries = 0
        self.fails: Any = lambda: None
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.tries += 1
                status = receiver.fails()
                if status == "cut":  # it has taken it, and the answer is lost
                    receiver.got.append(json.loads(body))
                    self.close_connection = True
                    return
                if status is None:
                    receiver.got.append(json.loads(body))
                self.send_response(status or 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


def test_a_webhook_that_fails_for_an_hour(tmp_path: Path, receiver: Receiver) -> None:
    """An hour by the clock that the alerts go by; events come in all the while."""
    clock = FastClock(times=600)
    receiver.fails = lambda: 503 if clock.passed_s() < 3600 else None
    log = Log(f"sqlite:///{tmp_path}/watch.db")
    setup = from_tables([{"name": "s", "kind": "webhook", "url": receiver.url}], RULES)
    alerts = Alerts(log, *setup, now_us=clock.now_us, wait=clock.wait)
    events = made(120)
    with running(alerts):
        for n, event in enumerate(events):
            wait_until(lambda n=n: clock.passed_s() > 40 * n)  # type: ignore[misc]
            log.add(event)
            alerts.wake()
        assert alerts.drain(60)
        (health,) = alerts.health()
    assert (health.dead, health.pending, health.delivered) == (0, 0, 120)
    assert_all_in_order(receiver.got, events)
    assert len(receiver.got) == 120
    assert receiver.tries < 200  # backed off, instead of 3,600 times


def test_a_webhook_that_fails_now_and_then(tmp_path: Path, receiver: Receiver) -> None:
    chance = random.Random(1)
    receiver.fails = lambda: chance.choice([None, None, None, 500, 429, "cut"])
    log = Log(f"sqlite:///{tmp_path}/watch.db")
    table = {"name": "s", "kind": "webhook", "url": receiver.url}
    table |= {"retry_first_s": 0.05, "retry_most_s": 0.2}
    events = made(150)
    with running(Alerts(log, *from_tables([table], RULES))) as alerts:
        log.add(*events)
        alerts.wake()
        assert alerts.drain(90)
    assert_all_in_order(receiver.got, events)


WATCH = """
import sys
from tests.alert_log import Log
from adiz.out.alerts import Alerts, from_tables
table = {"name": "s", "kind": "webhook", "url": sys.argv[2], "retry_first_s": 0.05}
alerts = Alerts(Log(sys.argv[1]), *from_tables([table], [{"name": "all", "sinks": ["s"]}]))
alerts.start()
print("started", flush=True)
sys.stdin.read()
"""


def test_kill_9_at_any_moment(url: str, receiver: Receiver) -> None:
    """The process that delivers is killed again and again while events come in."""
    log = Log(url)
    Alerts(log, *from_tables([], []))  # the tables are there, and the cursor
    chance = random.Random(2)
    events = made(80)
    command = [sys.executable, "-c", WATCH, url, receiver.url]
    for part in range(4):
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdout
        assert process.stdout.readline() == b"started\n"
        for event in events[20 * part : 20 * part + 20]:
            log.add(event)
        time.sleep(chance.uniform(0, 0.6))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.communicate()
    table = {"name": "s", "kind": "webhook", "url": receiver.url}
    with running(Alerts(log, *from_tables([table], RULES))) as alerts:
        assert alerts.drain(60)
    assert_all_in_order(receiver.got, events)
    assert len(receiver.got) <= 80 + 4 * 51


def test_a_database_whose_connections_break(postgresql: str, receiver: Receiver) -> None:
    """PostgreSQL ends every session again and again; the watch's commits are its own matter."""
    log = Log(postgresql)
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    admin = create_engine(parse_url(postgresql))
    table = {"name": "s", "kind": "webhook", "url": receiver.url, "retry_first_s": 0.05}
    events = made(120)
    with running(Alerts(log, *from_tables([table], RULES))) as alerts:
        for n, event in enumerate(events):
            log.add(event)
            if n % 20 == 10:
                alerts.wake()
                time.sleep(0.1)
                with admin.connect() as connection:
                    connection.exec_driver_sql(f"{end} AND datname = current_database()")
                log.engine.dispose()
        assert alerts.drain(60)
    admin.dispose()
    assert_all_in_order(receiver.got, events)


class Tak:
    """A TAK endpoint that takes a stream of events, and resets connections as it likes."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.got: list[dict[str, Any]] = []
        self.chance = random.Random(3)
        self.resets = True
        self.breaks = 12
        self.count = 0
        self.peers: list[Any] = []
        self.tls = tls
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            try:
                if self.tls:
                    sock = self.tls.wrap_socket(sock, server_side=True)
                    self.peers.append(sock.getpeercert())
                self._take(sock)
            except OSError:
                sock.close()

    def _take(self, sock: socket.socket) -> None:
        """Read events until it is time to break off, with octets unread."""
        life = 1_000_000
        if self.count < self.breaks:
            life = self.chance.choice([0, 1, 3, 10, 30]) if self.resets else 1
        sock.sendall(b'<?xml version="1.0"?><event type="t-x-c-t"/>')  # servers talk, too
        stream = b""
        while life > 0:
            octets = sock.recv(700)
            if not octets:
                return
            stream += octets
            while (end := stream.find(b"</event>")) >= 0 and life > 0:
                text, stream = stream[: end + 8], stream[end + 8 :]
                root = etree.fromstring(re.sub(rb"<\?xml[^>]*\?>", b"", text).strip())
                own = root.find("detail/adiz")
                self.got.append({"key": own.get("key"), "uid": root.get("uid")})
                life -= 1
        time.sleep(self.chance.uniform(0, 0.05))
        self.count += 1
        if self.resets:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()


def test_a_tak_endpoint_that_resets_connections(tmp_path: Path) -> None:
    tak = Tak()
    log = Log(f"sqlite:///{tmp_path}/watch.db")
    table = {"name": "s", "kind": "cot", "address": f"tcp://127.0.0.1:{tak.port}"}
    table |= {"retry_first_s": 0.05, "retry_most_s": 0.1, "settle_s": 0.3}
    events = made(150)
    with running(Alerts(log, *from_tables([table], RULES))) as alerts:
        for n, event in enumerate(events):
            log.add(event)
            if n % 10 == 0:
                alerts.wake()
                time.sleep(0.05)
        assert alerts.drain(120)
    tak.listener.close()
    assert tak.count == 12
    assert_all_in_order(tak.got, events)
    assert len({one["uid"] for one in tak.got}) == 150


def test_a_tak_endpoint_that_closes_in_order_gets_nothing_twice(tmp_path: Path) -> None:
    """It takes one event a connection; each is known to have been read."""
    tak = Tak()
    tak.resets, tak.breaks = False, 1000
    log = Log(f"sqlite:///{tmp_path}/watch.db")
    table = {"name": "s", "kind": "cot", "address": f"tcp://127.0.0.1:{tak.port}", "settle_s": 60}
    events = made(10)
    with running(Alerts(log, *from_tables([table | {"retry_first_s": 0.05}], RULES))) as alerts:
        for n, event in enumerate(events, start=1):
            log.add(event)
            alerts.wake()
            wait_until(lambda n=n: tak.count == n)  # type: ignore[misc]
        assert alerts.drain(60)
    tak.listener.close()
    assert [one["key"] for one in tak.got] == [f"{event.key}-all" for event in events]


def certificate(folder: Path, name: str, *more: str) -> None:
    subprocess.run(
        f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
        f"-keyout {name}.key -out {name}.pem -subj /CN={name}".split()
        + list(more),
        cwd=folder,
        check=True,
        capture_output=True,
    )


def test_cot_over_tls_with_certificates_of_both(tmp_path: Path) -> None:
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    certificate(tmp_path, "server", "-addext", "subjectAltName=DNS:tak.example")
    certificate(tmp_path, "client")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    context.load_verify_locations(tmp_path / "client.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    tak = Tak(context)
    tak.resets, tak.breaks = False, 0
    table = {"name": "s", "kind": "cot", "address": f"tls://127.0.0.1:{tak.port}"}
    table |= {"ca_file": "server.pem", "settle_s": 0.2, "retry_first_s": 0.1}
    own = {"cert_file": "client.pem", "key_file": "client.key"}
    where = str(tmp_path / "watch.toml")
    log = Log(f"sqlite:///{tmp_path}/watch.db")
    event = make_event()
    for options, error in [
        (own, "certificate"),  # the server's certificate is for another name
        ({"server_name": "tak.example"}, "alert|closed|EOF|reset"),  # it wants to see ours
        ({"server_name": "tak.example", **own}, None),
    ]:
        setup = from_tables([table | options], RULES, where)
        with running(Alerts(log, *setup)) as alerts:
            log.add(*([event] if not tak.got and options is own else []))
            if error is None:
                assert alerts.drain(30)
            else:
                wait_until(lambda a=alerts: a.health()[0].last_error is not None)  # type: ignore[misc]
                assert re.search(error, alerts.health()[0].last_error or "", re.I)
                assert alerts.health()[0].pending == 1
    tak.listener.close()
    assert {one["key"] for one in tak.got} == {f"{event.key}-all"}
    assert tak.peers[-1]["subject"] == ((("commonName", "client"),),)


def test_webhook_over_tls_checks_the_certificate(tmp_path: Path, receiver: Receiver) -> None:
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    certificate(tmp_path, "server", "-addext", "subjectAltName=DNS:localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    receiver.server.socket = context.wrap_socket(receiver.server.socket, server_side=True)
    port = receiver.server.server_port
    log = Log(f"sqlite:///{tmp_path}/watch.db")
    where = str(tmp_path / "watch.toml")
    Alerts(log, (), ())
    log.add(make_event())
    for host, options, good in [
        ("localhost", {}, False),
        ("127.0.0.1", {"ca_file": "server.pem"}, False),
        ("localhost", {"ca_file": "server.pem"}, True),
    ]:
        table = {"name": "s", "kind": "webhook", "url": f"https://{host}:{port}/", **options}
        table["retry_first_s"] = 0.1
        with running(Alerts(log, *from_tables([table], RULES, where))) as alerts:
            if good:
                assert alerts.drain(30)
            else:
                wait_until(lambda a=alerts: a.health()[0].last_error is not None)  # type: ignore[misc]
                assert "CERTIFICATE_VERIFY_FAILED" in (alerts.health()[0].last_error or "")
    assert len(receiver.got) == 1
