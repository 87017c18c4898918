"""The terminal view: a picture, a table, what was told and how feeds do, drawn twice a second.

It runs in a thread of its own on copies, takes at most a fifth of a processor, and whatever goes
wrong in it turns it off, not the watch.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.layout import Layout
from rich.live import Live
from rich.text import Text

from adiz.out.face import tables
from adiz.out.face.ground import Box, Ground, Shape, shapes_of
from adiz.out.face.model import Scene, Status
from adiz.out.face.picture import Motions, picture
from adiz.out.face.tables import EPOCH
from adiz.zones.model import Zones

PERIOD_S = 0.5
_SHARE = 0.2
_WAIT_S = 1.5
_STATUS_S = 1.0
_FOCUS_S = 30.0
_WIDE = 120


class Copies(Protocol):
    """Where copies come from."""

    error: str | None

    def next(self, timeout_s: float, box: Box | None = None) -> Scene | None:
        """A new copy, or the last one where none came in time."""
        ...


class Painter:
    """Makes frames; keeps what is needed from one to the next."""

    def __init__(self) -> None:
        self._motions, self._rates = Motions(), tables.Rates()
        self._zones: Zones | None = None
        self._shapes: list[Shape] = []
        self._ground: Ground | None = None
        self._focus: frozenset[str] = frozenset()
        self._focused_s = -_FOCUS_S
        self._map_size = (0, 0)

    @property
    def box(self) -> Box | None:
        """What the picture shows; None before the first."""
        return self._ground.box if self._ground else None

    def learn(self, status: Status) -> None:
        """Take in figures, for rates."""
        self._rates.learn(status)

    def frame(
        self,
        scene: Scene | None,
        status: Status,
        size: tuple[int, int],
        notices: Sequence[str] = (),
    ) -> RenderableType:
        """One frame of so many columns and rows."""
        columns, rows = size
        above = tables.head(status, scene, self._rates, notices, columns)
        top = 2 if "\n" in above.plain else 1
        below = max(9, rows * 3 // 10) if rows >= 20 else rows // 3
        middle = max(3, rows - top - below)
        left = columns * 9 // 16 if columns >= _WIDE else columns // 2
        layout = Layout()
        layout.split_column(
            Layout(above, size=top), Layout(name="middle", size=middle), Layout(name="below")
        )
        if scene is None:
            layout["middle"].update(Text("\n  waiting for the first reports", "dim"))
        else:
            self._motions.learn(scene)
            ground = self._ground_for(scene, left, middle)
            right = columns - left - 1
            counts = f"warned {scene.ahead_count:,} · inside {scene.inside_count:,}"
            listed = tables.tracks(scene, self._motions, right, middle - 1)
            layout["middle"].split_row(
                Layout(picture(scene, ground, self._motions), size=left),
                Layout(Text(" "), size=1),
                Layout(_titled(counts, right, listed)),
            )
        told = tables.events(scene.recent if scene else (), below)
        state = tables.feeds(status, self._rates)
        if columns >= _WIDE:
            wide = columns * 5 // 8
            layout["below"].split_row(
                Layout(_titled("events", wide, told), size=wide),
                Layout(Text(" "), size=1),
                Layout(_titled("feeds and sinks", columns - wide - 1, state)),
            )
        else:
            lines = max(1, min(len(status.feeds) + len(status.sinks), below // 2 - 1))
            layout["below"].split_column(
                Layout(_titled("events", columns, told)),
                Layout(_titled("feeds and sinks", columns, state), size=lines + 1),
            )
        return layout

    def _ground_for(self, scene: Scene, columns: int, rows: int) -> Ground:
        zones = scene.zones.at(EPOCH + timedelta(microseconds=scene.at_us))
        if self._zones is None or [*zones] != [*self._zones]:
            self._zones, self._shapes = zones, shapes_of(zones)
            self._ground = None
        focus = frozenset([a.zone_id for a in scene.ahead] + [i.zone_id for i in scene.inside])
        now_s = time.monotonic()
        if focus - self._focus or (focus != self._focus and now_s - self._focused_s > _FOCUS_S):
            moved = Ground(self._shapes, focus, columns, rows)
            if self._ground is not None and moved.box != self._ground.box:
                self._ground = None
            self._focus, self._focused_s = focus, now_s
        if self._ground is None or self._map_size != (columns, rows):
            self._ground = Ground(self._shapes, self._focus, columns, rows)
            self._map_size = (columns, rows)
        return self._ground


class Screen:
    """Draws frames until it is stopped.

    Args:
        copies: of what there is to see.
        read: the present figures.
        failed: told, once, why the view was turned off.
        console: where to draw; default: the terminal.
        notices: texts of the program for whoever watches, the last first.
    """

    def __init__(
        self,
        copies: Copies,
        read: Callable[[], Status],
        failed: Callable[[str], None],
        *,
        console: Console | None = None,
        notices: deque[str] | None = None,
    ) -> None:
        self._copies, self._read, self._failed = copies, read, failed
        self._console = console or Console()
        self._notices: deque[str] = deque() if notices is None else notices
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="view", daemon=True)
        self.frames = 0

    def start(self) -> None:
        """Begin; once."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> bool:
        """Leave the screen; False where the terminal did not take the last frame in time."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._draw()
        except Exception as error:
            self._failed(f"{type(error).__name__}: {error}")

    def _draw(self) -> None:
        painter, frame = Painter(), None
        status, status_s = self._read(), time.monotonic()
        painter.learn(status)
        with Live(
            console=self._console,
            screen=True,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
        ) as live:
            while True:
                ended = self._stop.is_set()
                scene = self._copies.next(0.0 if ended else _WAIT_S, painter.box)
                if self._copies.error:
                    raise RuntimeError(self._copies.error)
                began_s = time.monotonic()
                if ended or began_s - status_s >= _STATUS_S:
                    status, status_s = self._read(), began_s
                    painter.learn(status)
                size = self._console.size
                frame = painter.frame(scene, status, (size.width, size.height), [*self._notices])
                live.update(frame, refresh=True)
                self.frames += 1
                if ended:
                    break
                took_s = time.monotonic() - began_s
                self._stop.wait(max(PERIOD_S, took_s / _SHARE) - took_s)
        self._console.print(frame)  # the last frame stays


def _titled(title: str, columns: int, content: RenderableType) -> Group:
    line = f"── {title} "
    return Group(Text(line + "─" * max(0, columns - len(line)), "dim", no_wrap=True), content)
