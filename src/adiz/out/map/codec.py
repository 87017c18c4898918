"""Numbers as short text: differences, zigzag, five bits a letter (the page's JSON stays small)."""

from __future__ import annotations

from collections.abc import Iterable

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
"""The low 32 end a number, the high 32 say that it goes on. None of them means anything in HTML."""


def pack(values: Iterable[int]) -> str:
    """Whole numbers as text; ``unpack`` in ``page/codec.js`` turns it back.

    Example:
        >>> pack([0, 1, 0, 100])
        'ACBoG'
    """
    out: list[str] = []
    before = 0
    for value in values:
        step = value - before
        before = value
        rest = -2 * step - 1 if step < 0 else 2 * step
        while rest > 31:
            out.append(LETTERS[32 + (rest & 31)])
            rest >>= 5
        out.append(LETTERS[rest])
    return "".join(out)
