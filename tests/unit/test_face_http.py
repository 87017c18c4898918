"""Metrics and health of a watch, as scrapers and hostile clients see them."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.face_samples import HOSTILE, a_feed, a_sink, a_status

from adiz.errors import AdizError, FaultyInputError
from adiz.out.face import http
from adiz.out.face.health import health
from adiz.out.face.http import StatusServer, place_of
from adiz.out.face.metrics import metrics
from adiz.out.face.model import LATENCY_BOUNDS_S, Status


def families(status: Status) -> dict[str, dict[tuple[str, tuple[str, ...]], float]]:
    """Family -> (sample, values of labels) -> value, as an independent parser reads them."""
    return {
        family.name: {(s.name, tuple(s.labels.values())): s.value for s in family.samples}
        for family in text_string_to_metric_families(metrics(status))
    }


def test_metrics_are_what_the_status_says() -> None:
    found = families(a_status())
    assert found["adiz_events"]["adiz_events_total", ("entry",)] == 3
    assert found["adiz_events"]["adiz_events_total", ("warning",)] == 0
    assert found["adiz_late"]["adiz_late_total", ()] == 2
    assert found["adiz_watermark_lag_seconds"]["adiz_watermark_lag_seconds", ()] == 5.25
    assert found["adiz_journal_bytes"]["adiz_journal_bytes", ()] == 12_345
    assert found["adiz_feed_up"]["adiz_feed_up", ("roof", "aircraft")] == 1
    assert found["adiz_stalled"]["adiz_stalled", ()] == 0
    assert found["adiz_build_info"]["adiz_build_info", ("1.2.3",)] == 1


def test_every_family_has_help_and_type_and_a_good_name() -> None:
    for family in text_string_to_metric_families(metrics(a_status())):
        assert family.documentation.endswith(".")
        assert family.type in ("gauge", "counter", "histogram")
        assert family.name.startswith("adiz_")
    text = metrics(a_status())
    heads = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(heads) == len(set(heads))


def test_the_histogram_is_cumulative_and_whole() -> None:
    found = families(a_status())["adiz_arrival_to_store_seconds"]
    name = "adiz_arrival_to_store_seconds"
    counts = [found[f"{name}_bucket", (str(b),)] for b in LATENCY_BOUNDS_S]
    assert counts == [1] * len(LATENCY_BOUNDS_S)
    assert found[f"{name}_bucket", ("+Inf",)] == found[f"{name}_count", ()] == 3
    assert found[f"{name}_sum", ()] == 150.5


def test_labels_are_escaped() -> None:
    hostile = a_feed(name=HOSTILE, rejected={HOSTILE: 3, 'a"} 1\nadiz_up 0': 1})
    found = families(a_status(feeds=(hostile,)))
    assert found["adiz_feed_rejected"]["adiz_feed_rejected_total", (HOSTILE, HOSTILE)] == 3
    assert "adiz_up" not in found


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        ({}, "ok", ""),
        ({"stalled": "no space left\x1b"}, "stalled", "no space left"),
        ({"turn_age_s": 100.0}, "stalled", "not come round"),
        ({"feeds": (a_feed(state="down", reason="refused"),)}, "stalled", "no feed is up"),
        ({"feeds": (a_feed(), a_feed(name="b", state="down", reason="gone"))}, "degraded", "gone"),
        ({"feeds": (a_feed(clock="behind", clock_delay_s=30.0),)}, "degraded", "behind by 30"),
        ({"queue_depth": 200}, "degraded", "200 of 256"),
        ({"queue_depth": 200, "live": False}, "ok", ""),
        ({"checkpoint_age_s": 1e4}, "degraded", "no state was saved"),
        ({"alerts_error": "locked"}, "degraded", "locked"),
        ({"sinks": (a_sink(state="retrying", pending=4, last_error="x"),)}, "degraded", "4 mess"),
        ({"sinks": (a_sink(dead=2),)}, "degraded", "2 dead letters"),
    ],
)  # fmt: skip
def test_health(changed: dict[str, object], status: str, said: str) -> None:
    found = health(a_status(**changed))
    assert found["status"] == status
    assert said in " ".join(found["reasons"])
    assert "\x1b" not in " ".join(found["reasons"])


@pytest.mark.parametrize(
    ("text", "place"),
    [("127.0.0.1:9180", ("127.0.0.1", 9180)), (":80", ("", 80)), ("[::1]:9", ("::1", 9)),
     ("0.0.0.0:0", ("0.0.0.0", 0))],
)  # fmt: skip
def test_places(text: str, place: tuple[str, int]) -> None:
    assert place_of(text) == place


@pytest.mark.parametrize(
    "text", ["9180", "host", "host:", "host:99999", "::1:80", "host:-1", "h:٣"]
)
def test_what_is_no_place_is_told_with_a_remedy(text: str) -> None:
    with pytest.raises(FaultyInputError, match="HOST:PORT"):
        place_of(text)


@pytest.fixture
def server() -> Iterator[StatusServer]:
    served = StatusServer(("127.0.0.1", 0), a_status)
    yield served
    served.close()


def get(server: StatusServer, path: str) -> tuple[int, str, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read().decode()


def test_it_serves_metrics_health_and_a_page(server: StatusServer) -> None:
    code, kind, text = get(server, "/metrics")
    assert (code, kind.split(";")[0]) == (200, "text/plain")
    assert list(text_string_to_metric_families(text))
    code, kind, text = get(server, "/health?verbose")
    assert (code, kind, json.loads(text)["status"]) == (200, "application/json", "ok")
    assert "/metrics" in get(server, "/")[2]
    assert get(server, "/etc/passwd")[0] == 404


def test_stalled_is_503_and_a_fault_in_the_figures_500() -> None:
    statuses: list[Status | None] = [a_status(stalled="full"), None]
    for status in statuses:
        served = StatusServer(("127.0.0.1", 0), lambda s=status: s)  # type: ignore[misc]
        code, _, text = get(served, "/health")
        served.close()
        assert (code, json.loads(text)["status"]) == (503, "stalled")

    def broken() -> Status:
        raise ValueError("secret")

    served = StatusServer(("127.0.0.1", 0), broken)
    code, _, text = get(served, "/metrics")
    served.close()
    assert code == 500
    assert "secret" not in text


def sent(server: StatusServer, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        found = b""
        while more := client.recv(65536):
            found += more
    return found


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"HEAD /metrics HTTP/1.1\r\n\r\n", b"200"),
        (b"POST /metrics HTTP/1.1\r\n\r\n", b"405"),
        (b"GET\r\n\r\n", b"400"),
        (b"\xff\xfe\x00\r\n\r\n", b"400"),
        (b"GET /metrics SPDY/9\r\n\r\n", b"400"),
        (b"", b""),
        (b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 20_000, b""),
    ],
)
def test_requests_of_any_kind(server: StatusServer, data: bytes, code: bytes) -> None:
    try:
        answer = sent(server, data)
    except OSError:
        answer = b""  # closed while we were still sending
    assert answer[9:12] == code
    assert data[:4] != b"HEAD" or answer.endswith(b"\r\n\r\n")


def test_clients_that_hang_are_shut_out_and_others_served(
    server: StatusServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = threading.active_count()
    hanging = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(40)]
    for client in hanging:
        client.sendall(b"GET /met")
    assert get(server, "/metrics")[0] == 200
    time.sleep(0.2)
    assert threading.active_count() - before <= http._MOST_CLIENTS
    for client in hanging:
        client.close()


def test_a_client_that_sends_a_letter_at_a_time_is_cut_off(
    server: StatusServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "_DEADLINE_S", 0.5)
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as client:
        began_s = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - began_s < 5:
                client.sendall(b"G")
                time.sleep(0.05)
        assert time.monotonic() - began_s < 4


def test_the_figures_are_read_at_most_once_a_second() -> None:
    reads: list[int] = []

    def read() -> Status:
        reads.append(1)
        return a_status()

    served = StatusServer(("127.0.0.1", 0), read)
    for _ in range(30):
        get(served, "/metrics")
    served.close()
    assert len(reads) < 8


def test_a_place_that_is_taken_is_told(
    server: StatusServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "_TAKEN_S", 0.2)
    with pytest.raises(AdizError, match="another watch"):
        StatusServer(("127.0.0.1", server.port), a_status)
