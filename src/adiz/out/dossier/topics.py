"""Contradictions sorted into topics: who stands on which side of what.

One disagreement shows up as many pairs of claims. Pairs of a kind that share a claim are one
topic; where the claims fall into two sides, each against the other, the topic says which.
"""

from __future__ import annotations

from dataclasses import dataclass

from adiz.incidents.model import Claim, Incident
from adiz.incidents.verdicts import Contradiction

_CLASS = {
    "presence": "whereabouts",
    "reach": "whereabouts",
    "distance": "whereabouts",
    "apart": "geometry",
    "sequence": "geometry",
}
"""Kinds that speak of one thing; any other kind is a class of its own."""

_NO_DENIAL = ("geometry", "event", "place")
"""Classes whose claims do not deny each other, though they do not fit together."""

_WITH_REASON = ("apart", "place", "distance", "reach", "sequence")
"""Kinds whose sentence ends with figures, the most telling first."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One disagreement.

    Attributes:
        title: what it is about.
        geometric: the claims exclude each other by where they put an aircraft and when, whoever
            makes them; not by one party's word against another's.
        sides: two lists of claims (one, where they do not fall into two sides).
        contradictions: the pairs it is made of.
        reasons: the figures, as clauses.
    """

    title: str
    geometric: bool
    sides: tuple[tuple[Claim, ...], ...]
    contradictions: tuple[Contradiction, ...]
    reasons: tuple[str, ...]

    @property
    def claims(self) -> list[str]:
        return [claim.claim_id for side in self.sides for claim in side]


def sort_topics(incident: Incident, contradictions: tuple[Contradiction, ...]) -> list[Topic]:
    """The topics, those that most claims speak to first."""
    groups: list[tuple[str, set[str], list[Contradiction]]] = []
    for one in contradictions:
        kind = _CLASS.get(one.kind, one.kind)
        claims, members = set(one.claims), [one]
        apart = []
        for group in groups:
            if group[0] == kind and group[1] & claims:
                claims |= group[1]
                members = group[2] + members
            else:
                apart.append(group)
        groups = [*apart, (kind, claims, members)]
    groups.sort(key=lambda group: -len(group[1]))
    return [_topic(incident, kind, members) for kind, _, members in groups]


def find_opponents(
    incident: Incident, contradictions: tuple[Contradiction, ...]
) -> dict[str, dict[str, str]]:
    """For each claim those that it cannot stand with: ``denies`` it, or ``conflicts`` with it.

    To put an aircraft elsewhere at the time, or to tell an event otherwise, is not to deny.
    """
    found: dict[str, dict[str, str]] = {}
    for one in contradictions:
        word = "conflicts" if _CLASS.get(one.kind, one.kind) in _NO_DENIAL else "denies"
        for a, b in _edges(incident, one):
            for here, there in ((a, b), (b, a)):
                if found.setdefault(here, {}).get(there) != "denies":
                    found[here][there] = word
    return found


def _topic(incident: Incident, kind: str, members: list[Contradiction]) -> Topic:
    sides = _sides(incident, members)
    reasons = [
        _reason(one.sentence) for kind_ in _WITH_REASON for one in members if one.kind == kind_
    ]
    claims = [claim for side in sides for claim in side]
    return Topic(
        _title(incident, kind, claims),
        kind == "geometry",
        sides,
        tuple(members),
        tuple(dict.fromkeys(reasons)),
    )


def _reason(sentence: str) -> str:
    """The clause with the figures: what follows "PARTY (CLAIM): … ; PARTY (CLAIM): …:"."""
    parts = sentence.split(" So it is with ")[0].split(": ")
    told = sum(part.endswith(")") for part in parts[:-1])
    return ": ".join(parts[max(0, 2 * told - 1) :])


def _sides(incident: Incident, members: list[Contradiction]) -> tuple[tuple[Claim, ...], ...]:
    """Two sides of which no two claims of one exclude each other; all in one if there are none."""
    side: dict[str, int] = {}
    pending = [_edges(incident, one) for one in members]
    edges = [edge for group in pending for edge in group]
    for start, _ in edges:
        if start in side:
            continue
        side[start] = 0
        todo = [start]
        while todo:
            here = todo.pop()
            for a, b in edges:
                if here in (a, b):
                    there = b if here == a else a
                    if there not in side:
                        side[there] = 1 - side[here]
                        todo.append(there)
    ordered = [c for c in incident.claims if c.claim_id in side]
    if any(side[a] == side[b] for a, b in edges):
        return (tuple(ordered),)
    both = [tuple(c for c in ordered if side[c.claim_id] == s) for s in (0, 1)]
    return tuple(sorted(both, key=lambda claims: len(claims) > 1))  # one against many: it first


def _edges(incident: Incident, one: Contradiction) -> list[tuple[str, str]]:
    """Which claims stand against which: those beyond the first two share a party with one."""
    first, second, *more = one.claims
    edges = [(first, second)]
    for claim_id in more:
        party = incident.claim(claim_id).party
        edges.append((claim_id, second if party == incident.claim(first).party else first))
    return edges


def _title(incident: Incident, kind: str, claims: list[Claim]) -> str:
    subjects = [incident.subject(c.subject) for c in claims]
    single = [s.name for s in subjects if not s.members] or [s.name for s in subjects]
    name = single[0]
    if kind == "whereabouts":
        return f"Where {name} was"
    if kind == "amount":
        units = [c.counting or (c.value.unit if c.value else "") for c in claims]
        what = next(filter(None, units), "there were")
        fired = " were fired" if claims[0].predicate == "fires" else ""
        return f"How many {what}{fired}"
    return {
        "geometry": f"Where {name} could be, and when",
        "place": f"A place that does not fit the edge said to be crossed there ({name})",
        "denial": "A statement and its denial",
        "event": f"When it happened ({name})",
        "recognition": "What is recognised",
    }.get(kind, name)
