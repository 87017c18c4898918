"""The picture: tracks as arrows over zones and coast."""

from __future__ import annotations

from collections import deque
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment

from adiz.geo import inverse
from adiz.out.alerts.words import clean
from adiz.out.face.ground import Ground
from adiz.out.face.model import Scene, Seen
from adiz.units import KT_PER_MPS

_ARROWS = "↑↗→↘↓↙←↖"
_BASE_US = 8_000_000
_LEAST_US = 2_000_000
_OLD_US = 60_000_000
_LEAST_KT = 20.0
_EMERGENCIES = ("7500", "7600", "7700")

EMERGENCY, WARNED, INSIDE, OTHER, LOST = range(5)
LOOKS = {
    EMERGENCY: "bold white on red",
    WARNED: "bold yellow",
    INSIDE: "bold bright_red",
    OTHER: "green",
    LOST: "bright_black",
}


class Motion(NamedTuple):
    """How a track moves."""

    gs_kt: float
    track_true_deg: float

    @property
    def arrow(self) -> str:
        return _ARROWS[round(self.track_true_deg / 45.0) % 8]


class Motions:
    """How tracks move, from where they were seen before (over some 8 s, so that noise averages)."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[Seen]] = {}

    def learn(self, scene: Scene) -> None:
        """Take in where tracks are now; those not in the scene are forgotten."""
        self._seen = {name: self._seen.get(name) or deque(maxlen=2) for name in scene.tracks}
        for name, seen in scene.tracks.items():
            before = self._seen[name]
            if not before or not 0 <= seen.time_us - before[-1].time_us < _BASE_US:
                before.append(seen)

    def of(self, now: Seen) -> Motion | None:
        """The motion of a track; None where it was not seen for long enough, or stands."""
        for before in self._seen.get(now.track_id, ()):
            past_us = now.time_us - before.time_us
            if _LEAST_US <= past_us <= _OLD_US:
                away_m, course_deg, _ = inverse(
                    before.lat_deg, before.lon_deg, now.lat_deg, now.lon_deg
                )
                gs_kt = away_m / (past_us / 1e6) * KT_PER_MPS
                return Motion(gs_kt, course_deg % 360.0) if gs_kt >= _LEAST_KT else None
        return None


def classes_of(scene: Scene) -> dict[str, int]:
    """How each track is to be looked at."""
    warned = {ahead.track_id for ahead in scene.ahead}
    inside = {stay.track_id for stay in scene.inside}
    silent_us = scene.at_us - round(scene.max_gap_s * 1e6)
    return {
        name: (
            EMERGENCY
            if seen.squawk in _EMERGENCIES
            else LOST
            if seen.time_us < silent_us
            else WARNED
            if name in warned
            else INSIDE
            if name in inside
            else OTHER
        )
        for name, seen in scene.tracks.items()
    }


def predicted_motions(scene: Scene) -> dict[str, Motion]:
    """The motion that warnings rest on, for tracks just come into sight."""
    return {
        ahead.track_id: Motion(ahead.gs_kt, ahead.track_true_deg)
        for ahead in scene.ahead
        if ahead.gs_kt is not None and ahead.track_true_deg is not None
    }


def picture(scene: Scene, ground: Ground, motions: Motions) -> Picture:
    """The picture of a scene; every row as long as the ground is wide."""
    cells = [list(row) for row in ground.cells]
    taken: set[tuple[int, int]] = set()
    classes, predicted = classes_of(scene), predicted_motions(scene)
    shown = [
        (classes[name], name, seen, cell)
        for name, seen in scene.tracks.items()
        if (cell := ground.cell(seen.lat_deg, seen.lon_deg))
    ]
    shown.sort(key=lambda one: (one[0], one[1]))
    for look, _, seen, (column, row) in reversed(shown):  # the most important last, on top
        motion = motions.of(seen) or predicted.get(seen.track_id)
        sign = "×" if look == LOST else motion.arrow if motion else "•"
        cells[row][column] = (sign, LOOKS[look])
        taken.add((column, row))
    roomy = len(shown) <= ground.columns * ground.rows // 60
    for look, _, seen, (column, row) in shown:
        if look <= INSIDE or (look == OTHER and roomy):
            _write(cells, taken, column, row, clean(seen.name, 8), LOOKS[look])
    for column, row, name, style in ground.names:
        name = clean(name, 24)
        _write(cells, taken, column - len(name) // 2 - 1, row, name, f"dim {style}")
    return Picture(cells)


class Picture:
    """Rows of characters with styles, for rich; runs of one style are put out as one.

    Attributes:
        cells: rows of characters with the names of their styles.
    """

    def __init__(self, cells: list[list[tuple[str, str]]]) -> None:
        self.cells = cells

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for row in self.cells:
            for style, run in groupby(row, key=itemgetter(1)):
                text = "".join(sign for sign, _ in run)
                yield Segment(text, None if text.isspace() else console.get_style(style))
            yield Segment.line()


def _write(
    cells: list[list[tuple[str, str]]],
    taken: set[tuple[int, int]],
    column: int,
    row: int,
    text: str,
    style: str,
) -> None:
    """A name right of a place, else left of it, where nothing stands; else nowhere."""
    wide = len(cells[row])
    text = "".join(c if c.isascii() else "?" for c in text)  # one column a letter
    for start in (column + 1, column - len(text)):
        places = {(start + i, row) for i in range(-1, len(text) + 1)} - {(column, row)}
        if start < 0 or start + len(text) > wide or places & taken:
            continue
        for i, letter in enumerate(text):
            cells[row][start + i] = (letter, style)
            taken.add((start + i, row))
        return
