"""A watch as a service: figures while it runs, zones read again, systemd told."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

import adiz
from adiz.run.live.config import read_config
from adiz.run.live.notify import Notifier
from adiz.run.live.service import Service
from adiz.run.live.status import Scenes, make_scene, read_status

CONFIG = """
[watch]
zones = "US-CONUS-2"
status = "127.0.0.1:0"
dwell_s = 300

[[feeds]]
name = "capture"
kind = "replay"
paths = "{paths}"
speed = {speed}
slice_s = 60
"""


def configured(folder: Path, speed: float = 0) -> Path:
    path = folder / "watch.toml"
    path.write_text(CONFIG.format(paths=adiz.demo_capture(), speed=speed))
    return path


def wait_for(what: Callable[[], object], timeout_s: float = 30.0) -> None:
    until_s = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < until_s
        time.sleep(0.02)


def test_the_figures_of_a_replay(tmp_path: Path) -> None:
    service = Service(read_config(configured(tmp_path)))
    assert service.server
    health = f"http://127.0.0.1:{service.server.port}/health"
    with pytest.raises(urllib.error.HTTPError, match="503"):
        urllib.request.urlopen(health, timeout=10)
    watch = service.open()
    scenes = Scenes(watch)
    boxes = [(20.0, 50.0, -130.0, 30.0)]
    seen = []
    watch.on_turn.append(lambda: seen.append(make_scene(watch, boxes[0])))
    service.run()
    status = read_status(watch)
    time.sleep(1.1)
    text = urllib.request.urlopen(health.replace("health", "metrics"), timeout=10).read().decode()
    found = {f.name: f for f in text_string_to_metric_families(text)}
    service.close()
    reports = len(adiz.read(adiz.demo_capture()).table)
    assert status.tally["reports"] == found["adiz_reports"].samples[0].value == reports
    assert status.feeds[0].state == "ended"
    assert status.feeds[0].reports == reports
    told = {s.labels["kind"]: s.value for s in found["adiz_events"].samples}
    assert told["entry"] >= 1
    assert sum(told.values()) == watch.figures.events
    assert status.checkpoint_bytes > 100
    assert any(scene.inside for scene in seen)
    assert any(scene.tracks for scene in seen)
    assert scenes.error is None


def test_copies_are_made_when_asked_for_and_not_when_it_is_behind(tmp_path: Path) -> None:
    service = Service(read_config(configured(tmp_path)))
    watch = service.open()
    scenes = Scenes(watch)
    got = []
    asking = threading.Thread(target=lambda: got.append(scenes.next(30.0)))
    asking.start()
    wait_for(scenes._asked.is_set)
    watch.live = True
    watch._queue.maxsize = 0
    for _ in range(200):
        watch._queue.put(None)  # type: ignore[arg-type]
    scenes._turned()
    assert scenes.shed == 1
    assert not got
    watch._queue.queue.clear()
    scenes._turned()
    asking.join(30)
    assert got[0].zones is watch.engine.zones
    before = scenes._scene
    scenes._turned()  # nobody has asked
    assert scenes._scene is before
    service.close()
    watch.live = False
    watch.run()


def test_a_fault_in_a_copy_does_not_reach_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("broken")

    monkeypatch.setattr("adiz.run.live.status.make_scene", broken)
    service = Service(read_config(configured(tmp_path)))
    scenes = Scenes(service.open())
    scenes._asked.set()
    service.run()
    service.close()
    assert scenes.error == "ValueError: broken"


def test_zones_are_read_again_faulty_ones_refused_and_the_rest_told_of(tmp_path: Path) -> None:
    said: list[str] = []
    path = configured(tmp_path, speed=1)
    service = Service(read_config(path), say=said.append)
    watch = service.open()
    running = threading.Thread(target=service.run)
    running.start()
    text = path.read_text()
    path.write_text(text.replace('"US-CONUS-2"', '"NOWHERE"'))
    service.reload()
    wait_for(lambda: said)
    assert "nothing was changed" in said.pop()
    path.write_text(text.replace("zones =", "zonez ="))
    service.reload()
    wait_for(lambda: said)
    assert "zonez" in said.pop()
    path.write_text(text.replace('"US-CONUS-2"', '"KADIZ-2013"').replace("300", "400"))
    service.reload()
    wait_for(lambda: len(said) == 2)
    assert said[0] == "zones watched from now on: 1"
    assert "[watch] wait for a restart" in said[1]
    wait_for(lambda: [zone.zone_id for zone in watch.engine.zones] == ["KADIZ-2013"])
    watch.stop()
    running.join(30)
    service.close()


def test_systemd_is_told(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        place = str(tmp_path / "notify")
        listening.bind(place)
        listening.settimeout(10)
        notifier = Notifier(
            {"NOTIFY_SOCKET": place, "WATCHDOG_USEC": "60000", "WATCHDOG_PID": str(os.getpid())}
        )
        alive = threading.Event()
        notifier.ready("watching\nEVIL=1")
        assert listening.recv(999) == b"READY=1\nSTATUS=watching EVIL=1"
        notifier.watch_over(alive.is_set)
        time.sleep(0.2)
        notifier.reloading()
        kind, since = listening.recv(999).split(b"\n")  # and no sign of life before
        assert kind == b"RELOADING=1"
        assert abs(int(since.split(b"=")[1]) - time.monotonic_ns() // 1000) < 10_000_000
        alive.set()
        assert listening.recv(999) == b"WATCHDOG=1"
        notifier.stopping()
        while (last := listening.recv(999)) == b"WATCHDOG=1":
            pass
        assert last == b"STOPPING=1"


def test_without_systemd_nothing_is_sent_and_a_dead_socket_does_no_harm(tmp_path: Path) -> None:
    Notifier({}).ready()
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready()
    assert Notifier({"WATCHDOG_USEC": "5000000", "WATCHDOG_PID": "1"}).watchdog_s == 0
    assert json.dumps(Notifier({"WATCHDOG_USEC": "x"}).watchdog_s) == "0.0"
