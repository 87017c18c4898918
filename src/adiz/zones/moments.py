"""Dates of validity as files write them."""

from __future__ import annotations

from datetime import UTC, datetime

from adiz.errors import Fault, ZoneError


def parse_moment(text: str) -> datetime:
    """An ISO 8601 moment, as UTC. A date alone means 00:00 UTC of that date.

    Raises:
        ZoneError: not a moment, or a time of day without its zone.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except (ValueError, AttributeError):
        raise ZoneError(
            Fault(f"{text!r} is not a date or time", remedy="write 2013-12-15 or …T00:00Z")
        ) from None
    if moment.tzinfo is None:
        if len(text.strip()) > 10:
            raise ZoneError(Fault(f"{text!r} has no time zone", remedy="end it with Z for UTC"))
        return moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC)


def show_moment(moment: datetime | None) -> str | None:
    """ISO 8601 with Z; microseconds only where there are any."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None
