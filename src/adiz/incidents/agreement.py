"""Which parties say the same, independently; and denials that only look like contradictions."""

from __future__ import annotations

from typing import Any

from adiz.incidents.comparison import PRESENT, times_meet
from adiz.incidents.contradictions import Contradictions
from adiz.incidents.model import Claim
from adiz.incidents.verdicts import ScopeNote


class Agreement(Contradictions):
    """Adds to the contradictions what agrees and what only seems not to."""

    def scope_notes(self) -> list[ScopeNote]:
        """A denial that names one subject where the contrary claim is about another."""
        notes = []
        for b in self.incident.claims:
            if b.predicate not in ("never_inside", "passes"):
                continue
            for a in self.incident.claims:
                if a.party != b.party and not self.overlap(a, b) and self.would_exclude(a, b):
                    names = [self.incident.subject(c.subject).name for c in (b, a)]
                    sentence = (
                        f"{self.says(b)}. It names only {names[0]}; {self.says(a)} is about "
                        f"{names[1]}: the two do not exclude each other."
                    )
                    ids = (b.claim_id, a.claim_id)
                    notes.append(ScopeNote(ids, (b.party, a.party), sentence))
                    break
        return notes

    def would_exclude(self, a: Claim, b: Claim) -> bool:
        """Whether the two would contradict each other if they were about one subject."""
        saved = self.about
        self.about = dict(saved) | {a.claim_id: saved[b.claim_id]}
        try:
            return any(rule(a, b) for rule in (self.distance, self.zone_distance, self.presence))
        finally:
            self.about = saved

    def supports(self, a: Claim, b: Claim) -> bool:
        """Whether ``b`` says what ``a`` says, with nothing in it that differs."""
        if not self.singles(a) <= self.singles(b) and not a.counting:
            return False
        if a.predicate == b.predicate == "inside" or (
            a.predicate == "inside" and b.predicate in PRESENT
        ):
            return self.share_zone(a, b) and self.stay_agrees(a, b)
        if a.predicate != b.predicate or a.predicate in ("states", "denies") or (
            a.negated != b.negated or a.counting != b.counting or bool(a.zones) != bool(b.zones)
        ):  # fmt: skip
            return False
        if (a.zones and not self.share_zone(a, b)) or (
            a.place != b.place and a.predicate == "passes"
        ):
            return False
        if a.time and b.time and not a.time.meets(b.time):
            return False
        if a.value and b.value and a.value.unit != b.value.unit:
            return False
        pairs: list[tuple[Any, Any]] = [(a.value, b.value), (a.distance_km, b.distance_km)]
        return all(x is None or y is None or x.meets(y) for x, y in pairs)

    def stay_agrees(self, a: Claim, b: Claim) -> bool:
        """A duration against another's duration, or against its stay."""
        if a.duration_min is None:
            return times_meet(a, b)
        if b.duration_min is not None:
            return a.total == b.total and a.duration_min.meets(b.duration_min)
        return not a.total and any(
            stay.entry_claim == b.claim_id
            and stay.minutes.low <= a.duration_min.high
            and a.duration_min.low <= stay.minutes.high
            for stay in self.stays
        )

    def singles(self, claim: Claim) -> frozenset[str]:
        """The aircraft (not the groups) that a claim is about."""
        about = self.about[claim.claim_id]
        return frozenset(s for s in about if not self.incident.subject(s).members)

    def supporters(self, claim: Claim) -> tuple[str, ...]:
        """Independent parties that say the same: not the claimant's own, and each root once.

        The press is not counted: it tells what others saw.
        """
        roots: dict[str, None] = {}
        for other in self.incident.claims:
            root = self.root(other)
            first_hand = self.incident.party(root).kind != "press"
            if first_hand and root != self.root(claim) and self.supports(claim, other):
                roots[root] = None
        return tuple(roots)
