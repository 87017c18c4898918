"""Text on a map: beside its point, over no other text. All text is escaped here."""

from __future__ import annotations

from html import escape


class Labels:
    """Text beside points, moved so that no two overlap; what finds no room is left to its tooltip.

    A pale outline keeps text readable over lines (drawn twice: PDF knows no paint order).
    """

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.taken: list[tuple[float, float, float, float]] = []
        self.drawn: list[str] = []

    def keep_clear(self, x: float, y: float, size: float) -> None:
        """Let no label cover a point's symbol."""
        self.taken.append((x - size, y - size, x + size, y + size))

    def put(self, x: float, y: float, text: str, color: str, size: float, gap: float) -> bool:
        """Place a label beside a point; whether there was room for it."""
        wide = 0.54 * size * len(text)
        options = (
            (x + gap, y + size * 0.35, "start"),
            (x - gap, y + size * 0.35, "end"),
            (x, y - gap, "middle"),
            (x, y + gap + size * 0.8, "middle"),
            (x + gap, y - gap, "start"),
            (x - gap, y - gap, "end"),
            (x + gap, y + gap + size * 0.7, "start"),
            (x - gap, y + gap + size * 0.7, "end"),
        )
        for at_x, at_y, anchor in options:
            left = at_x - {"start": 0.0, "middle": wide / 2, "end": wide}[anchor]
            box = (left, at_y - size * 0.85, left + wide, at_y + size * 0.25)
            within = box[0] > 2 and box[2] < self.width - 2
            within = within and box[1] > 0 and box[3] < self.height
            if within and not any(_overlap(box, other) for other in self.taken):
                self.taken.append(box)
                self.drawn.append(draw_text(at_x, at_y, anchor, text, color, size))
                return True
        return False


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def draw_text(x: float, y: float, anchor: str, text: str, color: str, size: float) -> str:
    at = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"'
    safe = escape(text)
    return (
        f'<text {at} fill="none" stroke="#fff" stroke-width="3" stroke-linejoin="round" '
        f'stroke-opacity="0.85">{safe}</text><text {at} fill="{color}">{safe}</text>'
    )
