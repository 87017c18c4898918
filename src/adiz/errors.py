"""What can go wrong, said so that a person can mend it.

Every error the product raises on purpose is an :class:`AdizError`. Its text names the file, the
line or row, the field and the remedy where they are known; the command line prints the text
alone, without a traceback.
"""

from __future__ import annotations

from dataclasses import dataclass


class AdizError(Exception):
    """Base of all errors raised on purpose: bad input, bad settings, impossible requests."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with one place of an input.

    ``line`` counts from 1, as editors do; ``None`` where the format has no lines.
    """

    message: str
    file: str | None = None
    line: int | None = None
    field: str | None = None
    remedy: str | None = None

    def __str__(self) -> str:
        place = ":".join(str(p) for p in (self.file, self.line) if p is not None)
        text = f"{place}: {self.message}" if place else self.message
        if self.field:
            text += f" (field {self.field})"
        if self.remedy:
            text += f"; {self.remedy}"
        return text


class FaultyInputError(AdizError):
    """An input that cannot be used, with each of its faults.

    Attributes:
        faults: the faults, in the order of the file.
    """

    def __init__(self, faults: list[Fault] | Fault) -> None:
        self.faults = [faults] if isinstance(faults, Fault) else list(faults)
        super().__init__("\n".join(str(f) for f in self.faults))


class ZoneError(FaultyInputError):
    """A zone that is malformed, unknown, or cannot be used for what was asked."""


class ReportsError(FaultyInputError):
    """An input of reports that cannot be read at all."""
