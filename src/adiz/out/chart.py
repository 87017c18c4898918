"""A tally as a bar chart: SVG by itself, PNG with Pillow.

The layout is a list of rectangles, lines and texts; two small writers put it on paper, so that
both formats show the same. Texts stay in ASCII for the PNG's built-in font.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from adiz.errors import AdizError
from adiz.identify.tally import COUNTS, DEFINITIONS, TIMES

if TYPE_CHECKING:
    import polars as pl

WIDTH, HEIGHT = 900, 480
LEFT, RIGHT, TOP, BOTTOM = 64, 170, 56, 120
INK, FAINT = "#222222", "#dddddd"
COLOURS = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#999999",
)  # fmt: skip
"""The palette of Okabe and Ito, told apart with any kind of colour vision."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A filled rectangle; ``label`` is its tooltip in SVG."""

    x: float
    y: float
    width: float
    height: float
    colour: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text at its baseline; ``anchor`` is start, middle or end."""

    x: float
    y: float
    text: str
    size: int = 12
    anchor: str = "start"


Mark = Bar | Text


def write_chart(
    tally: pl.DataFrame, path: str | Path, *, count: str = "entries", title: str = ""
) -> None:
    """Draw a tally by one or two columns as stacked bars and write it.

    A column of time runs along the axis; with two others the first does. Nine or more series are
    folded: the smallest into *others*. Doubtful entries are not drawn.

    Args:
        tally: of :func:`adiz.identify.tally.tally_stays`; its total row is not drawn.
        path: ending in ``.svg`` or ``.png``.
        count: ``entries`` or ``sorties``.

    Raises:
        AdizError: another ending, more than two columns, or the file cannot be written.
    """
    path = Path(path)
    by = [c for c in tally.columns if c not in COUNTS]
    check_chart(path, by)
    marks = lay_out(tally, by, count, title)
    svg = path.suffix.lower() == ".svg"
    data = to_svg(marks, title or _title(by, count)).encode() if svg else _to_png(marks)
    try:
        path.write_bytes(data)
    except OSError as error:
        raise AdizError(f"{path}: cannot be written: {error.strerror}") from None


def check_chart(path: str | Path, by: Sequence[str]) -> None:
    """Whether a tally by some columns can be drawn to a file of that name.

    Raises:
        AdizError: another ending than ``.svg`` or ``.png``, or more than two columns.
    """
    if Path(path).suffix.lower() not in (".svg", ".png"):
        raise AdizError(f"{path}: a chart ends in .svg or .png")
    if len(by) > 2:
        raise AdizError(f"a chart shows one or two columns, not {len(by)}: {', '.join(by)}")


def _title(by: Sequence[str], count: str) -> str:
    return f"{count.capitalize()} by {' and '.join(by)}"


def lay_out(tally: pl.DataFrame, by: Sequence[str], count: str, title: str = "") -> list[Mark]:
    """The chart as rectangles and texts, in pixels from the top left."""
    axis = next((name for name in by if name in TIMES), by[0])
    split = next((name for name in by if name != axis), None)
    rows = tally.filter(tally[axis].is_not_null())
    values: dict[tuple[str, str], int] = {}
    for row in rows.iter_rows(named=True):
        key = (row[axis], row[split] if split else count)
        doubtful = row.get("doubtful", 0) if count == "entries" else 0
        values[key] = values.get(key, 0) + row[count] - doubtful
    columns = _fill(axis, sorted({x for x, _ in values}))
    series = _series(values)
    top = max((sum(_value(values, x, s, series) for s in series) for x in columns), default=0)
    step = _step(top)
    ceiling = max(step, -(-top // step) * step)
    marks: list[Mark] = [Text(LEFT, 28, title or _title(by, count), 18)]
    inner_width, inner_height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    for tick in range(0, ceiling + 1, step):
        y = TOP + inner_height * (1 - tick / ceiling)
        marks += [Bar(LEFT, y, inner_width, 1, FAINT), Text(LEFT - 8, y + 4, str(tick), 12, "end")]
    slot = inner_width / max(len(columns), 1)
    label_width = max((len(x) for x in columns), default=1) * 7 + 12
    every = max(1, -(-len(columns) * label_width // inner_width))
    for i, x in enumerate(columns):
        base = float(TOP + inner_height)
        for s, colour in zip(series, COLOURS, strict=False):
            value = _value(values, x, s, series)
            tall = inner_height * value / ceiling
            base -= tall
            if value:
                bar_width = min(slot * 0.8, 60)
                left = LEFT + slot * (i + 0.5) - bar_width / 2
                marks.append(Bar(left, base, bar_width, tall, colour, f"{x}, {s}: {value}"))
        if i % every == 0:
            marks.append(Text(LEFT + slot * (i + 0.5), TOP + inner_height + 18, x, 11, "middle"))
    if split:
        for i, (s, colour) in enumerate(zip(series, COLOURS, strict=False)):
            below = TOP + 20 * i
            marks += [
                Bar(WIDTH - RIGHT + 16, below, 12, 12, colour),
                Text(WIDTH - RIGHT + 34, below + 11, s),
            ]
    for i, line in enumerate((*DEFINITIONS[:-1], DEFINITIONS[-1][:-1] + "; not drawn.")):
        marks.append(Text(LEFT, HEIGHT - BOTTOM + 46 + 18 * i, line, 11))
    return marks


def _fill(axis: str, columns: list[str]) -> list[str]:
    """The columns of the axis; a year, month or day without entries is shown as empty."""
    if axis not in TIMES or not columns:
        return columns
    first, last = (
        datetime.strptime(x, TIMES[axis]).replace(tzinfo=UTC) for x in (columns[0], columns[-1])
    )
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return list(dict.fromkeys(day.strftime(TIMES[axis]) for day in days))


def _series(values: dict[tuple[str, str], int]) -> list[str]:
    """The series by size, at most as many as colours; what is left goes to *others*."""
    totals: dict[str, int] = {}
    for (_, s), value in values.items():
        totals[s] = totals.get(s, 0) + value
    ranked = sorted(totals, key=lambda s: (-totals[s], s))
    return ranked if len(ranked) <= len(COLOURS) else [*ranked[: len(COLOURS) - 1], "others"]


def _value(values: dict[tuple[str, str], int], x: str, s: str, series: Sequence[str]) -> int:
    if s != "others" or (x, s) in values:
        return values.get((x, s), 0)
    return sum(
        value for (column, name), value in values.items() if column == x and name not in series
    )


def _step(top: int) -> int:
    """A round step that gives about five ticks."""
    step = 1
    while top / step > 6:
        step = step * 2 if str(step)[0] != "2" else step * 5 // 2
    return step


def to_svg(marks: Sequence[Mark], title: str) -> str:
    """The chart as an SVG document."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
    ]
    for mark in marks:
        if isinstance(mark, Text):
            lines.append(
                f'<text x="{mark.x:.1f}" y="{mark.y:.1f}" font-size="{mark.size}" fill="{INK}" '
                f'text-anchor="{mark.anchor}">{escape(mark.text)}</text>'
            )
        else:
            tip = f"<title>{escape(mark.label)}</title>" if mark.label else ""
            lines.append(
                f'<rect x="{mark.x:.1f}" y="{mark.y:.1f}" width="{mark.width:.1f}" '
                f'height="{mark.height:.1f}" fill="{mark.colour}">{tip}</rect>'
            )
    return "\n".join([*lines, "</svg>", ""])


def _to_png(marks: Sequence[Mark], scale: int = 2) -> bytes:
    from io import BytesIO

    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", (WIDTH * scale, HEIGHT * scale), "#ffffff")
    draw = ImageDraw.Draw(image)
    anchors = {"start": "ls", "middle": "ms", "end": "rs"}
    for mark in marks:
        x, y = mark.x * scale, mark.y * scale
        if isinstance(mark, Text):
            font = ImageFont.load_default(mark.size * scale)
            draw.text((x, y), mark.text, fill=INK, font=font, anchor=anchors[mark.anchor])
        else:
            end = (x + mark.width * scale - 1, max(y, y + mark.height * scale - 1))
            draw.rectangle(((x, y), end), fill=mark.colour)
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
