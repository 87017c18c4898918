"""Responses added up, and tallies of entries held against the catalogue of counted entries."""

from __future__ import annotations

import math
from dataclasses import dataclass

from adiz.incidents.catalogue import TallyCheck, check_tally
from adiz.incidents.model import Incident
from adiz.zones.model import Zones


@dataclass(frozen=True, slots=True)
class Total:
    """What one actor's responses of one kind come to.

    Attributes:
        low, high: sum of the amounts' bounds; ``high`` is ``inf`` where one is open.
        stated: sum of the middles: the figures at their face.
        parts: the single amounts as stated, in order.
        uncounted: responses of this kind without an amount.
    """

    actor: str
    kind: str
    unit: str
    low: float
    stated: float
    high: float
    parts: tuple[str, ...]
    uncounted: int


def total_responses(incident: Incident) -> list[Total]:
    """The responses' amounts by actor, kind and unit, in the order of the file."""
    groups: dict[tuple[str, str, str], list[int]] = {}
    for index, response in enumerate(incident.responses):
        unit = response.amount.unit if response.amount else ""
        groups.setdefault((response.actor, response.kind, unit), []).append(index)
    totals = []
    for (actor, kind, unit), indices in groups.items():
        amounts = [a for i in indices if (a := incident.responses[i].amount) is not None]
        totals.append(
            Total(
                actor,
                kind,
                unit,
                sum(a.low for a in amounts),
                sum(a.middle for a in amounts),
                math.fsum(a.high for a in amounts),
                tuple(a.text for a in amounts),
                len(indices) - len(amounts),
            )
        )
    return totals


@dataclass(frozen=True, slots=True)
class Tally:
    """A claim that counts entries since a date, against the catalogue.

    Attributes:
        checks: empty where the catalogue holds nothing comparable.
    """

    claim_id: str
    zone: str
    state: str
    checks: tuple[TallyCheck, ...]


def check_tallies(incident: Incident, zones: Zones) -> list[Tally]:
    """Each claim that counts a state's entries into a zone over a stated time.

    A count of the catalogue over the very same days with the very same figure is left out: it may
    be this tally itself.
    """
    from zoneinfo import ZoneInfo

    clock = ZoneInfo(incident.time_zone)
    tallies = []
    for claim in incident.claims:
        time, value = claim.time, claim.value
        if claim.predicate != "counts" or "entries" not in claim.counting or value is None:
            continue
        if time is None or time.earliest is None or time.end.middle is None or not claim.zones:
            continue
        state = incident.subject(claim.subject).state
        start = time.earliest.astimezone(clock).date()
        end = time.end.middle.astimezone(clock).date()
        low = math.ceil(value.low)
        high = None if math.isinf(value.high) else math.floor(value.high)
        for zone_id in claim.zones:
            name = zones[zone_id].version_of or zone_id
            checks = tuple(
                check
                for check in check_tally(name, state, start, end, low, high)
                if (check.count.period_start, check.count.period_end) != (start, end)
                or (check.count.low, check.count.high) != (low, high)
            )
            tallies.append(Tally(claim.claim_id, name, state, checks))
    return tallies
