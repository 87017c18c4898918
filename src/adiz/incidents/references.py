"""Does an incident hold together: ids, references, and what each predicate needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from adiz.errors import Fault
from adiz.incidents.model import Claim, Incident
from adiz.incidents.toml_lines import nearest

NEEDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "enters": (("zones",),),
    "leaves": (("zones",),),
    "inside": (("zones",), ("time", "duration_min")),
    "never_inside": (("zones",),),
    "at": (("place",),),
    "passes": (("place", "between"), ("distance_km", "bearing", "between")),
    "joins": (("target",),),
    "leaves_formation": (("target",),),
    "counts": (("value",), ("counting",)),
    "denies": (("denies",),),
}
"""For each predicate the groups of fields of which it needs one each."""


def check_references(
    incident: Incident, zone_ids: Iterable[str], file: str, faults: list[Fault]
) -> None:
    """Add a fault for every id that is unknown or used twice, and every incomplete claim."""
    _Checker(incident, set(zone_ids), file, faults).run()


class _Checker:
    def __init__(
        self, incident: Incident, zone_ids: set[str], file: str, faults: list[Fault]
    ) -> None:
        self.incident, self.file, self.faults = incident, file, faults
        self.known = {
            "party": {p.party_id for p in incident.parties},
            "source": {s.source_id for s in incident.sources},
            "subject": {s.subject_id for s in incident.subjects},
            "place": {p.place_id for p in incident.places},
            "claim": {c.claim_id for c in incident.claims},
            "zone": zone_ids,
        }

    def fault(self, line: int, field: str, message: str, remedy: str | None = None) -> None:
        self.faults.append(Fault(message, self.file, line or None, field, remedy))

    def need(self, kind: str, value: str, line: int, field: str) -> None:
        if value and value not in self.known[kind]:
            self.fault(line, field, f"no {kind} is called {value[:60]!r}",
                       nearest(value, self.known[kind]))  # fmt: skip

    def run(self) -> None:
        incident = self.incident
        self.twice()
        for zone in incident.zones:
            self.need("zone", zone, 0, "incident.zones")
        for party in incident.parties:
            self.need("party", party.part_of, party.line, "parties.part_of")
        for source in incident.sources:
            self.need("party", source.relays, source.line, "sources.relays")
        for place in incident.places:
            self.need("source", place.source, place.line, "places.source")
        for subject in incident.subjects:
            for member in subject.members:
                self.need("subject", member, subject.line, "subjects.members")
            figures = subject.max_speed_kmh + subject.cruise_speed_kmh
            for figure in figures + subject.ceiling_m + subject.range_km:
                self.need("source", figure.source, subject.line, "subjects: source of a figure")
        for response in incident.responses:
            self.need("party", response.actor, response.line, "responses.actor")
            self.need("source", response.source, response.line, "responses.source")
            self.need("subject", response.target, response.line, "responses.target")
            self.need("claim", response.claim, response.line, "responses.claim")
        for claim in incident.claims:
            self.claim(claim)
        self.circles()

    def twice(self) -> None:
        lists: list[tuple[str, list[tuple[str, int]]]] = [
            ("party", [(p.party_id, p.line) for p in self.incident.parties]),
            ("source", [(s.source_id, s.line) for s in self.incident.sources]),
            ("subject", [(s.subject_id, s.line) for s in self.incident.subjects]),
            ("place", [(p.place_id, p.line) for p in self.incident.places]),
            ("response", [(r.response_id, r.line) for r in self.incident.responses]),
            ("claim", [(c.claim_id, c.line) for c in self.incident.claims]),
        ]
        for kind, parts in lists:
            seen: dict[str, int] = {}
            for one, line in parts:
                if one in seen:
                    self.fault(line, "id", f"two {kind} entries have the id {one!r}",
                               f"the other is on line {seen[one]}")  # fmt: skip
                seen.setdefault(one, line)

    def claim(self, claim: Claim) -> None:
        line = claim.line
        self.need("party", claim.party, line, "claims.party")
        self.need("party", claim.relays, line, "claims.relays")
        self.need("source", claim.source, line, "claims.source")
        self.need("subject", claim.subject, line, "claims.subject")
        self.need("subject", claim.target, line, "claims.target")
        for place in (claim.place, *claim.between):
            self.need("place", place, line, "claims.place")
        for zone in claim.zones:
            self.need("zone", zone, line, "claims.zones")
        for other in (*claim.denies, *claim.derived_from):
            self.need("claim", other, line, "claims.denies or derived_from")
        if claim.between and len(claim.between) != 2:
            self.fault(line, "claims.between", f"between names {len(claim.between)} places",
                       "name two")  # fmt: skip
        for group in NEEDS.get(claim.predicate, ()):
            if not any(getattr(claim, field) for field in group):
                self.fault(line, f"claims.{group[0]}",
                           f"claim {claim.claim_id} ({claim.predicate}) has no "
                           + " or ".join(group), f"add {group[0]}")  # fmt: skip

    def circles(self) -> None:
        denies = {c.claim_id: c.denies for c in self.incident.claims}
        derived = {c.claim_id: c.derived_from for c in self.incident.claims}
        members = {s.subject_id: s.members for s in self.incident.subjects}
        part_of = {p.party_id: (p.part_of,) for p in self.incident.parties if p.part_of}
        for field, graph, remedy in (
            ("claims.denies", denies,
             "let each denial point at the claim it answers, not back at its denial"),
            ("claims.derived_from", derived, "derive claims from stated ones"),
            ("subjects.members", members, "a group cannot belong to itself"),
            ("parties.part_of", part_of, "a party cannot belong to itself"),
        ):  # fmt: skip
            circle = find_circle(graph)
            if circle:
                line = self.line_of(circle[0])
                self.fault(line, field, "goes round in a circle: " + " → ".join(circle), remedy)

    def line_of(self, one: str) -> int:
        incident = self.incident
        lines = {c.claim_id: c.line for c in incident.claims}
        lines |= {s.subject_id: s.line for s in incident.subjects}
        lines |= {p.party_id: p.line for p in incident.parties}
        return lines.get(one, 0)


def find_circle(graph: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The nodes of one circle, first node repeated at its end; empty if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []
