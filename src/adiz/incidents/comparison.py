"""What a pair of claims has in common: the ground on which claims are compared."""

from __future__ import annotations

from adiz.incidents.account import Account, build_account
from adiz.incidents.legs import account_stays, clock
from adiz.incidents.model import Claim, Incident
from adiz.incidents.verdicts import AccountStay
from adiz.zones.model import Zones

PRESENT = ("enters", "leaves", "inside")

_VERBS = {
    "enters": "entered",
    "leaves": "left",
    "inside": "inside",
    "never_inside": "never inside",
    "at": "at",
    "passes": "passed",
    "joins": "joined",
    "leaves_formation": "parted from",
    "fires": "fired",
    "warns": "warned",
    "notifies": "gave notice",
    "counts": "counted",
    "recognises": "recognises",
    "denies": "denies it",
    "states": "stated",
}


class Comparison:
    """All claims of an incident, compared.

    Args:
        stays: the stays that each account tells.
    """

    def __init__(self, incident: Incident, zones: Zones, stays: list[AccountStay]) -> None:
        self.incident, self.zones, self.stays = incident, zones, stays
        self.about = {c.claim_id: incident.members(c.subject) for c in incident.claims}
        self.told_by = {p.party_id: p.name for p in incident.parties}
        self.joint: dict[str, Account] = {}

    # --- what the claims share

    def overlap(self, a: Claim, b: Claim) -> bool:
        return bool(self.about[a.claim_id] & self.about[b.claim_id])

    def same_area(self, one: str, other: str) -> bool:
        """One zone, or two with one boundary (claimed by two states)."""
        return one == other or self.zones[one].rings == self.zones[other].rings != ()

    def share_zone(self, a: Claim, b: Claim) -> bool:
        return any(self.same_area(x, y) for x in a.zones for y in b.zones)

    def root(self, claim: Claim) -> str:
        """Whose word it is in the end: the party it repeats, and what that is part of."""
        source = self.incident.source(claim.source) if claim.source else None
        party_id = claim.relays or (source.relays if source else "") or claim.party
        while self.incident.party(party_id).part_of:
            party_id = self.incident.party(party_id).part_of
        return party_id

    def says(self, claim: Claim) -> str:
        """The claim in a few words, attributed."""
        subject = self.incident.subject(claim.subject).name
        who = self.told_by[claim.party]
        mark = f"{claim.claim_id}, derived" if claim.derived else claim.claim_id
        verb = _VERBS[claim.predicate] + (" not" if claim.negated else "")
        words = [f"{who} ({mark}):", *([] if claim.counting else [subject]), verb]
        words += [" and ".join(claim.zones)] if claim.zones else []
        words += [str(claim.distance_km)] if claim.distance_km else []
        if claim.place:
            side = f"{claim.bearing.text} of" if claim.bearing else "from"
            words.append(f"{side} {self.incident.place(claim.place).name}")
        if claim.between:
            words.append(" and ".join(self.incident.place(p).name for p in claim.between))
        words += [f"for {claim.duration_min}"] if claim.duration_min else []
        words += [f"{claim.value} {claim.counting}".strip()] if claim.value else []
        if claim.target:
            target = self.incident.subject(claim.target).name
            words.append(target if claim.value is None else f"({target})")
        if claim.time and claim.predicate != "counts":
            words.append(clock(claim, self.incident))
        return " ".join(words)

    def joint_account(self, subject_id: str, party_id: str | None) -> Account:
        key = f"{subject_id}/{party_id}"
        if key not in self.joint:
            self.joint[key] = build_account(self.incident, self.zones, party_id, subject_id)
        return self.joint[key]


def account_parties(incident: Incident) -> list[tuple[str, str]]:
    """(party, single subject) of every account there is, in the order of the file."""
    singles = [s.subject_id for s in incident.subjects if not s.members]
    return [
        (party.party_id, subject)
        for party in incident.parties
        for subject in singles
        if any(True for _ in incident.claims_about(subject, party.party_id))
    ]


def stays_of(incident: Incident, accounts: list[Account]) -> list[AccountStay]:
    return [stay for account in accounts for stay in account_stays(incident, account)]


def times_meet(a: Claim, b: Claim) -> bool:
    return a.time is None or b.time is None or a.time.meets(b.time)


def time_within(a: Claim, b: Claim) -> bool:
    """Whether the time of ``a`` lies within that of ``b`` (which may be all the time)."""
    return b.time is None or (a.time is not None and a.time.within(b.time))


def ends_before(a: Claim, b: Claim) -> bool:
    if a.time is None or b.time is None:
        return False
    early, late = a.time.latest, b.time.earliest
    return early is not None and late is not None and early <= late
