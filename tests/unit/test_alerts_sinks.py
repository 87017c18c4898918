"""Sinks that need no broker: webhook, Cursor on Target, JSON lines, terminal."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from tests.alert_log import make_event, make_message

from adiz.errors import FaultyInputError
from adiz.out.alerts import from_tables
from adiz.out.alerts.message import Message, dump_event, load_event
from adiz.out.alerts.model import FailedError, RefusedError, Sink
from adiz.out.alerts.sinks.cot_event import Style, cot_event
from adiz.out.alerts.sinks.jsonl import JsonLinesSink
from adiz.out.alerts.sinks.terminal import TerminalSink
from adiz.out.alerts.sinks.webhook import WebhookSink

HOSTILE = "\x1b]0;owned\x07\u202e<&\"'>]]>\x00\ud800\n{}"


def hostile_message() -> Message:
    event = make_event(
        callsign=HOSTILE,
        state=HOSTILE,
        zone_id=HOSTILE.replace("\ud800", ""),
        text=f"{HOSTILE} entered",
        data={HOSTILE: HOSTILE, "gs_kt": float("nan")},
        event_id="e",
        lat_deg=37.5,
        lon_deg=131.9,
    )
    return make_message(load_event(dump_event(event)))


def make_sink(kind: str, where: str | None = None, **options: Any) -> Sink:
    (sink,) = from_tables([{"name": "s", "kind": kind, **options}], [], where).sinks
    return sink


# ---- webhook -------------------------------------------------------------------------------------


class Receiver:
    """A web server that answers as it is told and keeps what it got."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.connections = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                receiver.connections += 1
                super().setup()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
                status, headers = receiver.answers.pop(0) if receiver.answers else (200, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?a=b"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def test_webhook_posts_signed_json(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    key = os.urandom(32)
    monkeypatch.setenv("HOOK_SECRET", "whsec_" + base64.b64encode(key).decode())
    sink = make_sink(
        "webhook", url=receiver.url, secret_env="HOOK_SECRET", headers={"X-Watch": "east"}
    )
    message = make_message()
    sink.deliver(message)
    sink.deliver(make_message(make_event("exit")))
    ((headers, body), _) = receiver.got
    assert receiver.connections == 1
    assert headers["content-type"] == "application/json"
    assert headers["x-watch"] == "east"
    assert headers["webhook-id"] == headers["idempotency-key"] == message.key
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 30
    signed = f"{message.key}.{headers['webhook-timestamp']}.".encode() + body
    code = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{code}"
    found = json.loads(body)
    assert (found["schema"], found["key"]) == ("adiz-alert-1", message.key)
    assert found["text"] == message.event.text
    assert found["event"]["time"] == "2023-11-14T22:13:20Z"
    assert found["event"]["tracks"] == ["T1"]
    sink.close()


def test_webhook_signature_of_the_published_example() -> None:
    """Key, id, moment and body that the libraries of Standard Webhooks are tested with."""
    sink = WebhookSink(
        "s",
        host="x",
        port=None,
        target="/",
        key=base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        now=lambda: datetime.fromtimestamp(1614265330, UTC),
    )
    message = replace(make_message(), key="msg_p5jXN8AQM9LWM0D4loKWxJek")
    headers = sink._sign(message, b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_webhook_answers(receiver: Receiver) -> None:
    sink = make_sink("webhook", url=receiver.url)
    cases: list[tuple[int, dict[str, str], type[Exception]]] = [
        (400, {}, RefusedError),
        (401, {}, RefusedError),
        (404, {}, RefusedError),
        (302, {"Location": "http://127.0.0.1:1/"}, RefusedError),
        (408, {}, FailedError),
        (429, {"Retry-After": "17"}, FailedError),
        (500, {}, FailedError),
        (503, {"Retry-After": "Fri, 31 Dec 2060 23:59:59 GMT"}, FailedError),
        (503, {"Retry-After": "soon"}, FailedError),
    ]
    seen = []
    for status, headers, kind in cases:
        receiver.answers = [(status, headers)]
        with pytest.raises(kind) as error:
            sink.deliver(make_message())
        assert str(status) in str(error.value)
        seen.append(getattr(error.value, "retry_after_s", None))
    assert seen[5] == 17
    assert seen[7] > 1e9
    assert seen[8] is None
    assert len(receiver.got) == len(cases)


def test_webhook_that_nobody_listens_at() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    sink = make_sink("webhook", url=f"http://127.0.0.1:{port}/")
    with pytest.raises(FailedError) as error:
        sink.deliver(make_message())
    assert error.value.down


def test_webhook_reconnects_when_a_kept_connection_was_closed(receiver: Receiver) -> None:
    sink = make_sink("webhook", url=receiver.url)
    receiver.answers = [(200, {"Connection": "close"})]
    sink.deliver(make_message())
    sink.deliver(make_message())
    assert (len(receiver.got), receiver.connections) == (2, 2)


@contextmanager
def dripping(answer: bytes, every_s: float) -> Iterator[int]:
    """A server that answers octet by octet."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with server:
            connection, _ = server.accept()
            with connection:
                for octet in answer:
                    try:
                        connection.sendall(bytes([octet]))
                    except OSError:
                        return
                    time.sleep(every_s)

    threading.Thread(target=serve, daemon=True).start()
    yield server.getsockname()[1]


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 10_000])
def test_webhook_that_answers_for_ever_is_cut_off(answer: bytes) -> None:
    with dripping(answer, 0.05) if answer else hanging() as port:
        sink = make_sink("webhook", url=f"http://127.0.0.1:{port}/", timeout_s=0.5)
        before = time.monotonic()
        with pytest.raises(FailedError):
            sink.deliver(make_message())
        assert time.monotonic() - before < 3


@contextmanager
def hanging() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"url": "ftp://x"}, "write https://"),
        ({"url": "https://u:p@x/"}, "holds a password"),
        ({"url": "http://x:99999/"}, "no usable port"),
        ({"url": "http://x/ä"}, "%-encoding"),
        ({"url": "http://x/a b"}, "%-encoding"),
        ({"url": "http://x/", "headers": {"a\r\nb": "c"}}, "cannot be a header"),
        ({"url": "http://x/", "headers": {"a": "c\r\nd: e"}}, "cannot be a header"),
        ({"url": "http://x/", "secret_env": "NOT_SET_AT_ALL"}, "NOT_SET_AT_ALL is not set"),
        ({"url": "http://x/", "secret_file": "nowhere"}, "nowhere cannot be read"),
        ({"url": "https://x/", "ca_file": "nowhere.pem"}, "nowhere.pem cannot be used"),
    ],
)
def test_webhook_settings_that_cannot_be(options: dict[str, Any], said: str) -> None:
    with pytest.raises(FaultyInputError) as error:
        make_sink("webhook", **options)
    assert said in str(error.value)


def test_secrets_are_nowhere_told(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("t0ps3cret\n")
    monkeypatch.setenv("HOOK", "whsec_s3cr3t!!")
    with pytest.raises(FaultyInputError) as error:
        make_sink("webhook", url=receiver.url, secret_env="HOOK")
    assert "s3cr3t" not in str(error.value)
    where = str(tmp_path / "watch.toml")
    sink = make_sink("webhook", where, url=receiver.url, token_file="token")
    receiver.answers = [(401, {})]
    with pytest.raises(RefusedError) as refused:
        sink.deliver(make_message())
    assert "t0ps3cret" not in str(refused.value)
    assert receiver.got[0][0]["authorization"] == "Bearer t0ps3cret"


# ---- Cursor on Target ----------------------------------------------------------------------------

# The rules of the public event schema (version 2.0) and of its details, written down anew.
_RULES = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
<xs:simpleType name="kind"><xs:restriction base="xs:string">
  <xs:pattern value="\\w+(-\\w+)*(;[^;]*)?"/></xs:restriction></xs:simpleType>
<xs:simpleType name="how"><xs:restriction base="xs:string">
  <xs:pattern value="\\w(-\\w+)*"/></xs:restriction></xs:simpleType>
<xs:simpleType name="version"><xs:restriction base="xs:decimal">
  <xs:minInclusive value="2"/></xs:restriction></xs:simpleType>
<xs:simpleType name="lat"><xs:restriction base="xs:decimal">
  <xs:minInclusive value="-90"/><xs:maxInclusive value="90"/></xs:restriction></xs:simpleType>
<xs:simpleType name="lon"><xs:restriction base="xs:decimal">
  <xs:minInclusive value="-180"/><xs:maxInclusive value="180"/></xs:restriction></xs:simpleType>
<xs:simpleType name="course"><xs:restriction base="xs:decimal">
  <xs:minInclusive value="0"/><xs:maxExclusive value="360"/></xs:restriction></xs:simpleType>
<xs:simpleType name="speed"><xs:restriction base="xs:decimal">
  <xs:minInclusive value="0"/></xs:restriction></xs:simpleType>
<xs:element name="track"><xs:complexType>
  <xs:attribute name="course" type="course" use="required"/>
  <xs:attribute name="speed" type="speed" use="required"/></xs:complexType></xs:element>
<xs:element name="remarks"><xs:complexType mixed="true">
  <xs:attribute name="source" type="xs:string"/>
  <xs:attribute name="time" type="xs:dateTime"/></xs:complexType></xs:element>
<xs:element name="contact"><xs:complexType>
  <xs:attribute name="callsign" type="xs:string"/></xs:complexType></xs:element>
<xs:element name="event"><xs:complexType><xs:all>
  <xs:element name="point"><xs:complexType>
    <xs:attribute name="lat" type="lat" use="required"/>
    <xs:attribute name="lon" type="lon" use="required"/>
    <xs:attribute name="hae" type="xs:decimal" use="required"/>
    <xs:attribute name="ce" type="xs:decimal" use="required"/>
    <xs:attribute name="le" type="xs:decimal" use="required"/></xs:complexType></xs:element>
  <xs:element name="detail" minOccurs="0"><xs:complexType><xs:sequence>
    <xs:any processContents="lax" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
  </xs:complexType></xs:element></xs:all>
  <xs:attribute name="version" type="version" use="required"/>
  <xs:attribute name="type" type="kind" use="required"/>
  <xs:attribute name="uid" type="xs:string" use="required"/>
  <xs:attribute name="time" type="xs:dateTime" use="required"/>
  <xs:attribute name="start" type="xs:dateTime" use="required"/>
  <xs:attribute name="stale" type="xs:dateTime" use="required"/>
  <xs:attribute name="how" type="how" use="required"/></xs:complexType></xs:element>
</xs:schema>"""
SCHEMA = etree.XMLSchema(etree.fromstring(_RULES))
NOW = datetime(2026, 11, 22, 3, 4, 5, 678900, UTC)


def cot(message: Message, **style: Any) -> Any:
    """The event as an independent reader sees it, held to the schema."""
    root = etree.fromstring(cot_event(message, Style(**style), NOW))
    assert SCHEMA.validate(root), SCHEMA.error_log
    return root


def test_cot_event_says_what_is_known() -> None:
    event = make_event(
        callsign="RFF7001",
        icao24="151e0a",
        lat_deg=37.2,
        lon_deg=191.9,
        alt_ft=31000.0,
        state="RU",
        data={"gs_kt": 420.0, "track_true_deg": 359.997, "position_error_m": 100.0},
    )
    root = cot(make_message(event))
    assert dict(root.attrib) == {
        "version": "2.0",
        "uid": f"adiz-{event.event_id}",
        "type": "a-u-A",
        "how": "m-r",
        "time": "2026-11-22T03:04:05.678900Z",
        "start": "2023-11-14T22:13:20.000000Z",
        "stale": "2026-11-22T03:14:05.678900Z",
    }
    assert dict(root.find("point").attrib) == {
        "lat": "37.2000000",
        "lon": "-168.1000000",
        "hae": "9448.8",
        "ce": "40.9",
        "le": "9999999.0",
    }
    assert root.find("detail/contact").get("callsign") == "RFF7001"
    assert root.find("detail/remarks").text == event.text
    assert dict(root.find("detail/track").attrib) == {"course": "0.00", "speed": "216.07"}
    own = dict(root.find("detail/adiz").attrib)
    assert (own["key"], own["kind"], own["state"]) == (f"{event.key}-all", "entry", "RU")


def test_cot_event_says_what_is_not_known() -> None:
    root = cot(make_message(make_event("warning", certainty="predicted")))
    assert root.get("how") == "m-p"
    point = {"lat": "0.0", "lon": "0.0", "hae": "9999999.0", "ce": "9999999.0", "le": "9999999.0"}
    assert dict(root.find("point").attrib) == point
    assert root.find("detail/track") is None
    assert root.find("detail/contact").get("callsign") == "T1"
    down = make_event("feed_down", tracks=(), zone_id=None, feed="roof")
    root = cot(make_message(down))
    assert (root.get("type"), root.find("detail/contact").get("callsign")) == ("b-l-i", "roof")


def test_cot_of_a_withdrawn_event_is_stale_at_once() -> None:
    event = make_event()
    root = cot(make_message(replace(event, revision=2, withdrawn=True)))
    assert root.get("uid") == cot(make_message(event)).get("uid")
    assert root.get("stale") == root.get("time")
    assert root.find("detail/remarks").text.startswith("Withdrawn: ")


def test_cot_of_hostile_values_is_well_formed() -> None:
    root = cot(hostile_message())
    assert len(root) == 2
    assert [child.tag for child in root.find("detail")] == ["contact", "remarks", "adiz"]
    assert "\x1b" not in etree.tostring(root, encoding="unicode")
    assert root.find("detail/remarks").text.endswith("entered")


@pytest.mark.parametrize("kind", ["a-h-A", "a-s-A-M-F", "a-j-A", "a-k-A", "hostile", "b-m-p", ""])
def test_nobody_is_called_hostile(kind: str) -> None:
    with pytest.raises(FaultyInputError):
        make_sink("cot", address="udp://127.0.0.1:4242", type=kind)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "udp://:1", "tcp://x:0", "tls://x:70000", "x"])
def test_cot_addresses_that_cannot_be(address: str) -> None:
    with pytest.raises(FaultyInputError, match="is no address"):
        make_sink("cot", address=address)


def test_cot_over_udp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        sink = make_sink("cot", address=f"udp://127.0.0.1:{receiver.getsockname()[1]}")
        assert sink.settle_s == 0
        sink.deliver(make_message())
        root = etree.fromstring(receiver.recv(65536))
        assert SCHEMA.validate(root)
        sink.close()


def test_cot_over_multicast() -> None:
    group = "239.2.3.1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind((group, 0))
        member = socket.inet_aton(group) + socket.inet_aton("127.0.0.1")
        try:
            receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        except OSError as error:
            pytest.skip(f"no multicast here: {error}")
        receiver.settimeout(5)
        port = receiver.getsockname()[1]
        sink = make_sink("cot", address=f"udp://{group}:{port}", interface="127.0.0.1", ttl=0)
        sink.deliver(make_message())
        assert SCHEMA.validate(etree.fromstring(receiver.recv(65536)))
        sink.close()


# ---- JSON lines ----------------------------------------------------------------------------------


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_json_lines_are_appended(tmp_path: Path) -> None:
    sink = make_sink("jsonl", str(tmp_path / "watch.toml"), path="out/alerts.jsonl")
    made = [make_message(make_event(at_s=n)) for n in range(3)]
    for message in [*made, hostile_message()]:
        sink.deliver(message)
    sink.close()
    found = lines(tmp_path / "out" / "alerts.jsonl")
    assert [line["key"] for line in found[:3]] == [message.key for message in made]
    assert found[3]["event"]["callsign"].isprintable()


def test_json_lines_cut_short_anywhere_are_mended(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    made = [make_message(make_event(at_s=n)) for n in range(3)]
    sink = JsonLinesSink("s", path, fsync=False)
    for message in made[:2]:
        sink.deliver(message)
    sink.close()
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    for cut in range(first, len(whole) + 1, 7):
        path.write_bytes(whole[:cut])
        sink = JsonLinesSink("s", path, fsync=False)
        for message in made[1:]:  # sent again: nobody had noted that it was written
            sink.deliver(message)
        sink.close()
        assert [line["key"] for line in lines(path)] == [message.key for message in made]


def test_json_lines_are_rotated(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    made = [make_message(make_event(at_s=n)) for n in range(50)]
    sink = JsonLinesSink("s", path, max_bytes=2000, keep=3, fsync=False)
    for message in made:
        sink.deliver(message)
    sink.close()
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["a.jsonl", "a.jsonl.1", "a.jsonl.2", "a.jsonl.3"]
    assert all(file.stat().st_size <= 2000 for file in files)
    kept = [line["key"] for file in [*files[:0:-1], path] for line in lines(file)]
    assert kept == [message.key for message in made[-len(kept) :]]


def test_json_lines_follow_a_file_that_others_move(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    sink = JsonLinesSink("s", path)
    sink.deliver(make_message(make_event(at_s=1)))
    path.rename(tmp_path / "old")
    sink.deliver(make_message(make_event(at_s=2)))
    assert (len(lines(path)), len(lines(tmp_path / "old"))) == (1, 1)
    sink.close()


def test_a_full_disk_leaves_no_part_of_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.jsonl"
    sink = JsonLinesSink("s", path)
    sink.deliver(make_message(make_event(at_s=1)))
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda file, data: write(file, data[:10]))
        with pytest.raises(FailedError, match="No space left"):
            sink.deliver(make_message(make_event(at_s=2)))
    assert len(lines(path)) == 1
    sink.deliver(make_message(make_event(at_s=2)))
    assert len(lines(path)) == 2
    sink.close()


# ---- terminal ------------------------------------------------------------------------------------


def test_terminal_lines_are_harmless() -> None:
    stream = io.StringIO()
    sink = TerminalSink("s", stream, bell=True)
    sink.deliver(make_message())
    sink.deliver(hostile_message())
    first, second = stream.getvalue().split("\n", 1)
    assert first == "2023-11-14T22:13:20Z  entry  T1 entry KR-KADIZ at 0 s"
    assert second.strip("\a\n").replace("\a", "").isprintable()
    assert stream.getvalue().count("\a") == 2


def test_a_terminal_that_is_gone() -> None:
    read, write = os.pipe()
    os.close(read)
    sink = TerminalSink("s", os.fdopen(write, "w"))
    with pytest.raises(FailedError):
        sink.deliver(make_message())


def test_a_terminal_of_few_letters() -> None:
    raw = io.BytesIO()
    sink = TerminalSink("s", io.TextIOWrapper(raw, encoding="ascii"))
    sink.deliver(make_message(make_event(text="항공기")))
    assert b"\\ud56d" in raw.getvalue()


def test_messages_say_what_has_changed() -> None:
    event = make_event()
    assert make_message(replace(event, revision=2)).text == f"Revised: {event.text}"
    gone = replace(event, revision=3, withdrawn=True)
    assert make_message(gone, escalated=True).text == f"Not acknowledged: Withdrawn: {event.text}"
    told = replace(gone, text="Withdrawn: it was a balloon")
    assert make_message(told).text == "Withdrawn: it was a balloon"
