"""The terminal view: what it shows, what it costs, and what it keeps out."""

from __future__ import annotations

import io
import re
import threading
import time
from collections import deque
from dataclasses import replace

import pytest
from rich.console import Console
from tests.face_samples import AT_US, HOSTILE, a_feed, a_scene, a_sink, a_status, a_track, an_event

import adiz
from adiz.out.face.ground import Ground, shapes_of
from adiz.out.face.lines import Lines, as_line
from adiz.out.face.model import Scene, Status
from adiz.out.face.screen import Painter, Screen

SIZES = [(80, 24), (160, 50), (120, 36), (40, 12), (20, 6), (300, 100)]


def drawn(scene: Scene | None, status: Status, size: tuple[int, int], *notices: str) -> str:
    console = Console(
        record=True, width=size[0], height=size[1], file=io.StringIO(), force_terminal=True,
        color_system="truecolor",
    )  # fmt: skip
    console.print(Painter().frame(scene, status, size, notices))
    return console.export_text(styles=True)


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


@pytest.mark.parametrize("size", SIZES)
def test_a_frame_fills_its_screen(size: tuple[int, int]) -> None:
    lines = plain(drawn(a_scene(), a_status(), size)).splitlines()
    assert len(lines) == size[1]
    assert all(len(line) == size[0] for line in lines)


@pytest.mark.parametrize("size", SIZES[:3])
def test_it_shows_who_is_in_and_who_is_about_to_be(size: tuple[int, int]) -> None:
    text = plain(drawn(a_scene(), a_status(), size))
    assert "warned 1 · inside 3" in text
    assert re.search(r"AHEAD1 .*KADIZ-2013 +in 1:30 +33000", text)
    assert re.search(r"IN1 .*KADIZ-2013 +12:34 +33000", text)
    assert re.search(r"LOST1 .*KADIZ-2013 +lost 10m", text)
    assert text.index("AHEAD1  ") < text.index("IN1  ") < text.index("LOST1  ")
    assert "entered KADIZ." in text
    assert "roof up" in text
    assert "log ok" in text
    assert "lag 5." in text


def test_the_picture_has_arrows_on_the_right_places() -> None:
    shapes = shapes_of(adiz.zones("KADIZ-2013"))
    ground = Ground(shapes, (), 60, 30)
    south, north, west, width = ground.box
    assert south < 30 < 39 < north
    assert west < 123 < 133 < west + width
    assert ground.cell(south + 1e-6, west + 1e-6) == (0, 29)
    assert ground.cell(north - 1e-6, west + width - 1e-6) == (59, 0)
    assert ground.cell(36.0, 128.0 - 360.0) == ground.cell(36.0, 128.0)
    assert ground.cell(-36.0, 128.0) is None
    painter, status = Painter(), a_status()
    moving = a_track("m", 35.0, 128.0, time_us=AT_US - 10_000_000)
    scene = a_scene(tracks={"m": moving}, inside=(), ahead=())
    painter.frame(scene, status, (80, 24))
    for lat_deg, lon_deg, arrow in (
        (35.02, 128.0, "↑"),
        (35.0, 128.02, "→"),
        (34.98, 127.976, "↙"),
    ):
        painter = Painter()
        painter.frame(scene, status, (80, 24))
        later = a_track("m", lat_deg, lon_deg)
        console = Console(record=True, width=80, height=24, file=io.StringIO())
        console.print(painter.frame(replace(scene, tracks={"m": later}), status, (80, 24)))
        assert arrow in console.export_text()


@pytest.mark.parametrize("name", ["US-ALASKA-ADIZ", "KADIZ,US-CONUS-ADIZ,LIANCOURT-12NM"])
def test_zones_across_the_antimeridian_and_the_world_are_drawn(name: str) -> None:
    try:
        zones = adiz.zones(name)
    except adiz.errors.ZoneError:
        pytest.skip(f"{name} is not in the catalogue")
    ground = Ground(shapes_of(zones), (), 80, 30)
    assert any(sign != " " for row in ground.cells for sign, _ in row)
    south, north, _, width = ground.box
    assert -90 <= south < north <= 90
    assert width <= 360


def test_what_came_by_radio_neither_styles_nor_steers() -> None:
    hostile = a_track("in1", 36.0, 129.0, callsign=HOSTILE, type_code=HOSTILE, role=HOSTILE)
    scene = a_scene(tracks={"in1": hostile}, recent=(an_event(text=HOSTILE * 3, kind="entry"),))
    status = a_status(
        feeds=(a_feed(name=HOSTILE), a_feed(state="down", reason=HOSTILE)),
        sinks=(a_sink(name=HOSTILE, state="retrying", last_error=HOSTILE),),
        alerts_error=HOSTILE,
        stalled=HOSTILE,
    )
    for size in SIZES:
        text = drawn(scene, status, size, HOSTILE)
        assert "\u202e" not in text
        assert "\x07" not in text
        assert "\x1b[2J" not in text
        assert not re.search(r"\x1b(?!\[[0-9;]*m)", text)
        assert len(text.splitlines()) == size[1]
    assert "[red]x[/red]" in plain(drawn(scene, status, (160, 50)))


def test_what_is_wrong_stands_on_top() -> None:
    text = drawn(a_scene(), a_status(stalled="No space left on device"), (80, 24))
    assert "STALLED: the input is stopped: No space left on device" in plain(text)
    text = plain(drawn(a_scene(), a_status(), (80, 24), "a notice"))
    assert text.splitlines()[1].strip() == "a notice"
    assert "waiting for the first reports" in plain(drawn(None, a_status(lag_s=None), (80, 24)))


def test_a_frame_of_many_tracks_is_cheap() -> None:
    tracks = {f"t{n}": a_track(f"t{n}", 30 + n % 100 / 10, 123 + n // 100 / 2) for n in range(1500)}
    painter, scene, status = Painter(), a_scene(tracks=tracks), a_status()
    console = Console(width=160, height=50, file=io.StringIO(), force_terminal=True)
    console.print(painter.frame(scene, status, (160, 50)))
    spent = []
    for _ in range(5):
        before = time.thread_time()
        console.print(painter.frame(scene, status, (160, 50)))
        spent.append(time.thread_time() - before)
    assert min(spent) < 0.15


class StandIn:
    """Gives scenes; or fails."""

    def __init__(self, error: str | None = None) -> None:
        self.error = error

    def next(self, timeout_s: float, box: object = None) -> Scene | None:
        return a_scene()


def test_the_screen_draws_stops_and_leaves_the_last_frame() -> None:
    out, failed = io.StringIO(), deque[str]()
    console = Console(width=80, height=24, file=out, force_terminal=True)
    screen = Screen(StandIn(), a_status, failed.append, console=console)
    screen.start()
    until_s = time.monotonic() + 30
    while screen.frames < 2 and time.monotonic() < until_s:
        time.sleep(0.05)
    screen.stop()
    assert not failed
    left = out.getvalue().rsplit("\x1b[?1049l", 1)  # the other screen was left
    assert len(left) == 2
    assert "inside 3" in left[1]


@pytest.mark.parametrize("where", ["copies", "status", "console"])
def test_whatever_fails_turns_the_screen_off_and_is_told(where: str) -> None:
    failed = deque[str]()
    told = threading.Event()

    def read() -> Status:
        if where == "status":
            raise ValueError("broken")
        return a_status()

    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            if where == "console":
                raise OSError("broken")
            return super().write(text)

    copies = StandIn("broken" if where == "copies" else None)
    console = Console(width=80, height=24, file=Broken(), force_terminal=True)
    screen = Screen(copies, read, lambda why: (failed.append(why), told.set()), console=console)
    screen.start()
    assert told.wait(20)
    screen.stop()
    assert "broken" in failed[0]


def test_lines_of_a_reader_that_is_slow_are_left_out_and_counted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("adiz.out.face.lines._MOST", 100)
    go = threading.Event()

    class Slow(io.StringIO):
        def write(self, text: str) -> int:
            go.wait(10)
            return super().write(text)

    out = Slow()
    lines = Lines(as_line, out, wait=False)
    began_s = time.monotonic()
    for _ in range(1000):
        lines.show([an_event()])
    assert time.monotonic() - began_s < 5
    go.set()
    lines.close()
    shown = len(out.getvalue().splitlines())
    assert 100 <= shown <= 201
    missing = re.findall(r"(\d+) events were not shown", caplog.text)
    assert sum(map(int, missing)) == 1000 - shown  # it may be told in parts, on a slow machine


def test_lines_of_a_replay_are_all_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adiz.out.face.lines._MOST", 10)
    out = io.StringIO()
    lines = Lines(as_line, out, wait=True)
    for _ in range(300):
        lines.show([an_event(), an_event()])
    lines.close()
    assert len(out.getvalue().splitlines()) == 600


def test_lines_end_where_their_reader_has_gone(caplog: pytest.LogCaptureFixture) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    lines = Lines(as_line, Gone(), wait=True)
    for _ in range(3):
        lines.show([an_event()])
    lines.close()
    assert "shown no more" in caplog.text
    assert as_line(an_event(text="a\x1b[2Jb")).endswith("a\ufffd[2Jb")


def test_a_replay_that_is_stopped_does_not_wait_for_its_reader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("adiz.out.face.lines._MOST", 3)
    go = threading.Event()

    class Hanging(io.StringIO):
        def write(self, text: str) -> int:
            go.wait(60)
            return len(text)

    lines = Lines(as_line, Hanging(), wait=True)
    threading.Timer(0.5, lines.hurry).start()
    began_s = time.monotonic()
    lines.show([an_event()] * 20)
    assert not lines.close(0.5)
    assert time.monotonic() - began_s < 20
    go.set()
