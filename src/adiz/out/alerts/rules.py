"""Rules: which events are told to which sinks, and when not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from adiz.events import Event
from adiz.out.alerts.quiet import Quiet
from adiz.out.alerts.words import clean

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule; an empty filter lets everything through.

    Attributes:
        name: part of the idempotency key.
        sinks: names of the sinks told first.
        events: kinds of events.
        zones, feeds: names or patterns (``KR-*``); ``unknown`` matches an event that has none.
        states, roles, certainties, icao24: as the event has them; ``unknown`` likewise.
        repeat_s: the same kind of event of the same tracks in the same zone is told once within
            this time (event time).
        revisions: revisions of what was told are told too; withdrawals always are.
        quiet: quiet times.
        escalate_after_s: unacknowledged for so long after it was told, an alert goes to
            ``escalate_to`` too; 0: never.
    """

    name: str
    sinks: tuple[str, ...]
    events: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    feeds: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    certainties: tuple[str, ...] = ()
    icao24: tuple[str, ...] = ()
    repeat_s: float = 0.0
    revisions: bool = True
    quiet: tuple[Quiet, ...] = ()
    escalate_after_s: float = 0.0
    escalate_to: tuple[str, ...] = ()

    def matches(self, event: Event) -> bool:
        """Whether the event is one the rule is about."""
        return (
            _one_of(self.events, event.kind)
            and _one_of(self.zones, event.zone_id)
            and _one_of(self.feeds, event.feed)
            and _one_of(self.states, event.state)
            and _one_of(self.roles, event.role)
            and _one_of(self.certainties, event.certainty)
            and _one_of(self.icao24, event.icao24)
        )

    def quiet_until_us(self, kind: str, now_us: int) -> tuple[int, bool] | None:
        """When quiet ends for this kind of event, and whether it is held till then; None: now.

        Of several quiet times at once the last end counts, and an alert is held if one of them
        holds it.
        """
        found = [
            (end, quiet.hold)
            for quiet in self.quiet
            if kind not in quiet.urgent and (end := quiet.ends_us(now_us)) is not None
        ]
        return (max(end for end, _ in found), any(hold for _, hold in found)) if found else None


def signature(event: Event) -> str:
    """What makes an alert a repeat of another: kind, tracks and zone (or feed)."""
    parts = [event.kind, event.zone_id or "", event.feed or "" if not event.tracks else ""]
    return clean("|".join([*parts, *sorted(event.tracks)]))


def _one_of(patterns: Iterable[str], value: str | None) -> bool:
    wanted = tuple(patterns)
    found = UNKNOWN if value is None else value
    return not wanted or any(fnmatchcase(found, pattern) for pattern in wanted)
