"""What the dossier's page shows, as plain values: the template only lays it out.

Nothing is judged here: sentences come from the assessment, or say who says what. The four boxes
at the top sort what was found out: *agreed* (two independent parties say it, none the contrary),
*disputed* (claims that exclude each other), *impossible* (what no path can satisfy) and *unknown*
(what only one party says, what cannot be checked).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from adiz.incidents.circumstances import CAPITALS
from adiz.incidents.model import Claim, Incident, Party
from adiz.incidents.responses import Tally, Total
from adiz.incidents.surroundings import Circumstances, stated_bounds
from adiz.incidents.verdicts import Assessment
from adiz.out.dossier.topics import Topic, find_opponents, sort_topics
from adiz.out.dossier.words import name_zone, say_claim, say_list, say_time
from adiz.zones.model import Zones


@dataclass(frozen=True, slots=True)
class Material:
    """All that a dossier is made of."""

    incident: Incident
    assessment: Assessment
    circumstances: Circumstances
    totals: tuple[Total, ...]
    tallies: tuple[Tally, ...]
    zones: Zones
    evidence: tuple[dict[str, Any], ...]
    inputs: dict[str, str]
    parameters: dict[str, Any]
    version: str


class View:
    """What the template asks for; see the module's head."""

    def __init__(self, material: Material) -> None:
        self.material = material
        self.incident = material.incident
        self.assessment = material.assessment
        self.zone_names = {z.zone_id: name_zone(z) for z in material.zones}
        self.cities = {c.timezone: c.name for c in CAPITALS}
        self.verdicts = {v.claim_id: v for v in material.assessment.verdicts}
        speaking = {claim.party for claim in self.incident.claims}
        self.parties = [p for p in self.incident.parties if p.party_id in speaking]
        self.short = _short_names(self.incident.parties, speaking)
        names = {p.name: self.short[p.party_id] for p in self.incident.parties} | self.zone_names
        self.plain = sorted(names.items(), key=lambda pair: -len(pair[0]))
        self.against = find_opponents(self.incident, self.assessment.contradictions)
        self.topics = sort_topics(self.incident, self.assessment.contradictions)
        self.clocks = list(self.incident.display_time_zones) or [self.incident.time_zone, "UTC"]

    # ---- words

    def say(self, claim: Claim) -> str:
        return say_claim(self.incident, claim, self.zone_names)

    def attribute(self, claim: Claim) -> str:
        """``Japan says: A-50 entered … at 09:09``."""
        relays = f", repeating {self.short[claim.relays]}," if claim.relays else ""
        worked_out = " (worked out, not stated)" if claim.derived else ""
        return f"{self.short[claim.party]}{relays} says: {self.say(claim)}{worked_out}"

    def city(self, zone: str) -> str:
        """The capital that keeps the clock of an IANA zone, else the zone's own city."""
        return self.cities.get(zone) or zone.rpartition("/")[2].replace("_", " ")

    def clock(self, moment: datetime, zone: str, *, day: datetime | None = None) -> str:
        local = moment.astimezone(ZoneInfo(zone))
        text = f"{local:%H:%M}"
        if day is not None and local.date() != day.date():
            text += f" ({local.day} {local:%b})"
        return text

    def zone_name(self, zone_id: str) -> str:
        return self.zone_names.get(zone_id, zone_id)

    # ---- the four boxes

    def agreed(self) -> list[dict[str, Any]]:
        """Statements that two parties with knowledge of their own make, and none contradicts.

        Of several amounts of one thing the widest is what all of them say.
        """
        groups: dict[tuple[str, ...], list[Claim]] = {}
        for claims in self._statements():
            verdicts = [self.verdicts[c.claim_id] for c in claims if c.claim_id in self.verdicts]
            supporters = {s for v in verdicts for s in v.supporters}
            if not supporters or any(v.opposers for v in verdicts):
                continue
            parties = sorted({c.party for c in claims} | supporters, key=self._rank)
            parties = [p for p in parties if self.incident.party(p).kind != "press"]
            if len(parties) > 1:
                unit = claims[0].counting or (claims[0].value.unit if claims[0].value else "")
                names = say_list([self.short[p] for p in parties])
                key = (names, claims[0].predicate, claims[0].subject, unit or claims[0].claim_id)
                groups.setdefault(key, []).extend(claims)
        found = []
        for (names, *_), claims in groups.items():
            widest = max(claims, key=lambda c: c.value.high - c.value.low if c.value else 0.0)
            found.append(_item(f"{names} say: {self.say(widest)}.", claims))
        return found

    def disputed(self) -> list[Topic]:
        return [topic for topic in self.topics if not topic.geometric]

    def impossible(self) -> list[Topic]:
        return [topic for topic in self.topics if topic.geometric]

    def infeasible(self) -> list[dict[str, Any]]:
        """Accounts that no path within the published speeds can satisfy."""
        return [
            _item(
                self._whose(f) + self.plainly(f.sentence),
                [self.incident.claim(i) for i in f.conflict],
            )
            for f in self.assessment.feasibilities
            if f.state == "infeasible"
        ]

    def by_party(self, side: Iterable[Claim]) -> list[tuple[str, Claim, list[str]]]:
        """(party, its first claim, ids of all its claims) on one side of a topic."""
        groups: dict[str, list[Claim]] = {}
        for claim in side:
            groups.setdefault(claim.party, []).append(claim)
        return [
            (self.short[party], claims[0], [c.claim_id for c in claims])
            for party, claims in groups.items()
        ]

    def plainly(self, sentence: str) -> str:
        """A sentence with the names of zones and parties as the rest of the page has them."""
        for long, short in self.plain:
            sentence = sentence.replace(long, short)
        return sentence

    def conditions(self) -> list[dict[str, Any]]:
        """What must hold for an account to be possible."""
        return [
            _item(
                self._whose(s) + self.plainly(s.sentence),
                [self.incident.claim(i) for i in (s.from_claim, s.to_claim)],
            )
            for s in self.assessment.sectors
        ]

    def _whose(self, one: Any) -> str:
        subject = self.incident.subject(one.subject_id).name
        return f"{subject}, account of {self.short[one.party_id]}: "

    def unknown(self) -> list[dict[str, Any]]:
        found = [
            _item(self.plainly(n.sentence), [self.incident.claim(i) for i in n.claims])
            for n in self.assessment.scope_notes
        ]
        if all(v.tracks == "no data" for v in self.assessment.verdicts):
            found.append(
                _item(
                    "No recorded positions of any aircraft were at hand: where each one flew is "
                    "known only from what the parties say.",
                    [],
                )
            )
        found += [
            _item(f"{self.attribute(c)}: {c.derivation}.", [c])
            for c in self.incident.claims
            if c.derived and c.predicate != "counts"
        ]
        alone = {
            self.short[p.party_id]: sum(self._is_alone(c, p) for c in self.incident.claims)
            for p in self.parties
        }
        if any(alone.values()):
            counts = [f"{name} {count}" for name, count in alone.items() if count]
            found.append(
                _item(
                    "Statements that one party alone makes, and no other affirms or denies: "
                    f"{say_list(counts)}. They are marked “uncontested”, which is not “true”.",
                    [],
                )
            )
        return found

    def _is_alone(self, claim: Claim, party: Party) -> bool:
        verdict = self.verdicts.get(claim.claim_id)
        return bool(claim.party == party.party_id and verdict and verdict.among == "uncontested")

    def _rank(self, party_id: str) -> int:
        return [p.party_id for p in self.incident.parties].index(party_id)

    def _statements(self) -> Iterable[list[Claim]]:
        """Claims that speak of one event together (first those that state it), others alone."""
        groups: dict[str, list[Claim]] = {}
        for claim in self.incident.claims:
            groups.setdefault(claim.event or f"claim {claim.claim_id}", []).append(claim)
        return groups.values()

    # ---- tables

    def timeline(self) -> dict[str, Any]:
        """Rows by time; in each a list of statements for every party that gives times."""
        timed = [(stated_bounds(c)[0], c) for c in self.incident.claims if stated_bounds(c)]
        timed.sort(key=lambda pair: pair[0])
        parties = [p for p in self.parties if any(c.party == p.party_id for _, c in timed)]
        rows = []
        for moment, group in groupby(timed, key=lambda pair: pair[0]):
            claims = [claim for _, claim in group]
            day = moment.astimezone(ZoneInfo(self.incident.time_zone))
            rows.append(
                {
                    "moment": moment,
                    "clocks": self._clocks(moment, day),
                    "cells": [[c for c in claims if c.party == p.party_id] for p in parties],
                }
            )
        return {"parties": parties, "rows": rows}

    def _stance(self, party_id: str, claims: list[Claim]) -> str:
        own = [c for c in claims if c.party == party_id]
        if own:
            return "repeats" if all(c.relays for c in own) else "says"
        others = [c for c in self.incident.claims if c.party == party_id]
        words = {
            word
            for claim in claims
            for other, word in self.against.get(claim.claim_id, {}).items()
            if self.incident.claim(other).party == party_id
        }
        if words:
            return max(words)  # "denies" before "conflicts"
        affirmed = any(self._affirms(other, claim) for other in others for claim in claims)
        return "affirms" if affirmed else "silent"

    def _affirms(self, other: Claim, claim: Claim) -> bool:
        """Whether another party's claim is among those that support this one."""
        verdict = self.verdicts.get(claim.claim_id)
        roots = {other.party, self.incident.party(other.party).part_of}
        if verdict is None or not roots & set(verdict.supporters):
            return False
        units = [(c.counting, c.value.unit if c.value else "") for c in (other, claim)]
        alike = other.predicate == claim.predicate or "inside" in (other.predicate, claim.predicate)
        members = [self.incident.members(c.subject) for c in (other, claim)]
        return alike and units[0] == units[1] and bool(members[0] & members[1])

    def _clocks(self, moment: datetime, day: datetime) -> list[tuple[str, str]]:
        """(time, cities that show it), in the order of the file."""
        shown: dict[str, list[str]] = {}
        for zone in self.clocks:
            shown.setdefault(self.clock(moment, zone, day=day), []).append(self.city(zone))
        return [(time, ", ".join(cities)) for time, cities in shown.items()]

    def matrix(self) -> list[dict[str, Any]]:
        """Statements against parties: says, repeats, affirms, denies, conflicts or silent.

        First those on which several parties speak.
        """
        rows = []
        for claims in self._statements():
            cells = []
            for party in self.parties:
                cells.append(self._stance(party.party_id, claims))
            rows.append({"claims": claims, "text": self.say(claims[0]), "cells": cells})
        return sorted(rows, key=lambda row: sum(c != "silent" for c in row["cells"]) < 2)

    def legs(self) -> list[dict[str, Any]]:
        """Legs of each account and subject, by step."""
        return [
            {
                "party": self.short[party],
                "subject": self.incident.subject(subject).name,
                "steps": [(s, list(rows)) for s, rows in groupby(legs, key=lambda leg: leg.step)],
            }
            for (party, subject), legs in groupby(
                self.assessment.legs, key=lambda leg: (leg.party_id, leg.subject_id)
            )
        ]

    def claims_by_party(self) -> list[tuple[Party, list[Claim]]]:
        return [
            (party, [c for c in self.incident.claims if c.party == party.party_id])
            for party in self.parties
        ]

    def say_time(self, claim: Claim) -> str:
        """The claim's time with its date, as stated."""
        if claim.time is None:
            return ""
        return say_time(claim.time, self.incident.time_zone, with_date=True)


def _item(text: str, claims: Iterable[Claim]) -> dict[str, Any]:
    return {"text": text, "claims": [c.claim_id for c in claims]}


def _short_names(parties: Iterable[Party], speaking: set[str]) -> dict[str, str]:
    """Names up to the first comma or bracket, where that still tells those who speak apart."""
    short = {p.party_id: p.name.split(",")[0].split(" (")[0].strip() for p in parties}
    taken = [short[party_id] for party_id in speaking]
    return {
        p.party_id: p.name if taken.count(short[p.party_id]) > 1 else short[p.party_id]
        for p in parties
    }
