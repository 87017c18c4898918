"""Everything there is to find out about an incident, from its file and the zones.

The same file, zones and tracks give the same assessment: nothing here looks at a clock or draws
lots.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import combinations, pairwise
from typing import Any

import numpy as np

from adiz.incidents.account import Account, build_account
from adiz.incidents.against_tracks import RecordedTrack, check_claim
from adiz.incidents.agreement import Agreement
from adiz.incidents.alibi import could_meet
from adiz.incidents.comparison import account_parties, stays_of
from adiz.incidents.legs import LegTable
from adiz.incidents.model import Claim, Incident
from adiz.incidents.reachability import Search, find_path, least_speed, smallest_conflict
from adiz.incidents.reconstruct import reconstruct
from adiz.incidents.verdicts import (
    Alibi,
    Assessment,
    Contradiction,
    Feasibility,
    LegSpeed,
    Physics,
    Reconstruction,
    Verdict,
)
from adiz.zones.model import Zones

_KINEMATIC = ("enters", "leaves", "inside", "never_inside", "at", "passes")
NOTES = (
    "Speeds are held against published maximum speeds, which sources give differently and which "
    "are through the air: without a stated wind they are taken as speeds over ground.",
    "A time given to the minute stands for the whole of that minute.",
    "An aircraft has no least speed here, for it can circle; a reconstruction keeps above 0.4 of "
    "the limit where such a path is found, and its speeds are given.",
    "A claim of one party is not made truer by a path that fits it: feasible is not confirmed.",
)


def assess(
    incident: Incident, zones: Zones, tracks: Mapping[str, RecordedTrack] | None = None
) -> Assessment:
    """Verdicts, contradictions, legs, feasibility and reconstructions of an incident.

    Args:
        zones: all zones that the incident names, as from :func:`adiz.incidents.file.zones_of`.
        tracks: recorded tracks, by the id of their subject.

    Example:
        >>> from adiz.incidents.catalogue import find_incident
        >>> from adiz.incidents.file import read_incident, zones_of
        >>> incident = read_incident(find_incident("2019-07-23"))
        >>> found = assess(incident, zones_of(incident))
        >>> [f.state for f in found.feasibilities if f.subject_id == "a50"][0]
        'feasible'
    """
    accounts = [build_account(incident, zones, p, s) for p, s in account_parties(incident)]
    compared = Agreement(incident, zones, stays_of(incident, accounts))
    contradictions = compared.contradictions()
    feasibilities: list[Feasibility] = []
    reconstructions: list[Reconstruction] = []
    tables = []
    for account in accounts:
        if account.anchors:
            feasibility, paths = check_account(incident, account)
            feasibilities.append(feasibility)
            reconstructions += paths
        table = LegTable(incident, account)
        table.run()
        tables.append(table)
    alibis = _alibis(incident, accounts, feasibilities)
    judge = _Judge(
        incident, compared, contradictions, accounts, feasibilities, alibis, tracks or {}
    )
    return Assessment(
        verdicts=tuple(judge.verdict(claim) for claim in incident.claims),
        contradictions=tuple(contradictions),
        scope_notes=tuple(compared.scope_notes()),
        stays=tuple(compared.stays),
        legs=tuple(row for table in tables for row in table.rows),
        sectors=tuple(sector for table in tables for sector in table.sectors),
        feasibilities=tuple(feasibilities),
        reconstructions=tuple(reconstructions),
        alibis=tuple(alibis),
        notes=NOTES,
    )


def check_account(incident: Incident, account: Account) -> tuple[Feasibility, list[Reconstruction]]:
    """Whether an account's claims can all hold, and paths that satisfy it, or most of it."""
    who = incident.party(account.party_id).name
    subject = incident.subject(account.subject_id).name
    limit = account.limit_kmh
    told = f"The claims of {who} about {subject}"
    state: Physics = "not checkable"
    if limit is None or len(account.anchors) < 2:
        why = "no maximum speed is known" if limit is None else "they time fewer than two places"
        conflict: tuple[str, ...] = ()
        if limit is not None and account.anchors:
            conflict = smallest_conflict(account, limit[1])
            state = "infeasible" if conflict else state
            why = f"{' and '.join(conflict)} cannot both hold" if conflict else why
        sentence = f"{told} cannot be checked by speed: {why}."
        return Feasibility(
            account.party_id, account.subject_id, account.claims, state, None, limit, conflict,
            conflict[-1:], (), sentence,
        ), []  # fmt: skip
    least_kmh, _ = least_speed(account)
    conflict = smallest_conflict(account, limit[1])
    left_out: tuple[str, ...] = ()
    kept, broken = account, conflict
    while broken:
        claims = sorted(map(incident.claim, broken), key=incident.claims.index)
        worst = max(reversed(claims), key=lambda c: _DOUBT[c.confidence]).claim_id
        left_out += (worst,)
        kept = kept.without(worst)
        broken = smallest_conflict(kept, limit[1])
    search = find_path(kept, limit[1])
    legs = leg_speeds(search, limit[1]) if search and not left_out else ()
    range_ = f"{limit[0]:.0f}" if limit[0] == limit[1] else f"{limit[0]:.0f} to {limit[1]:.0f}"
    needed = f"they need {least_kmh:.0f} km/h" if math.isfinite(least_kmh) else "at any speed"
    at_kmh = f"at {least_kmh:.0f} km/h or more" if least_kmh >= 2 else "at any speed"
    if conflict:
        sentence = (
            f"{told} cannot all hold: {', '.join(conflict)} together exclude each other within "
            f"the published maximum of {range_} km/h ({needed})."
        )
    elif math.isinf(least_kmh):
        sentence = (
            f"{told} are too many at overlapping times to try every order: no path was found "
            f"within the published maximum of {range_} km/h, and none is excluded."
        )
    elif least_kmh > limit[0]:
        sentence = (
            f"{told} can all hold only if {subject} can fly {least_kmh:.0f} km/h; the published "
            f"maximum is {range_} km/h."
        )
    else:
        sentence = (
            f"{told} ({len(account.claims)} of them timed or placed) can all hold: a path exists "
            f"{at_kmh}, within the published maximum of {range_} km/h."
        )
    unknown = math.isinf(least_kmh) and not conflict
    state = "infeasible" if conflict else "not checkable" if unknown else "feasible"
    feasibility = Feasibility(
        account.party_id, account.subject_id, account.claims, state,
        None if unknown else least_kmh, limit, conflict, left_out, legs, sentence,
        least_speed(kept)[0] if left_out else None,
    )  # fmt: skip
    return feasibility, reconstruct(kept, limit[1], left_out)


_DOUBT = {"high": 0, "medium": 1, "low": 2}


def leg_speeds(search: Search, speed_kmh: float) -> tuple[LegSpeed, ...]:
    """Average speeds possible on each leg, over all paths within the limit."""
    arrivals = search.forward(speed_kmh)
    departures = search.backward(speed_kmh, arrivals)
    order = [i for i, _ in search.trace(speed_kmh)]
    found = []
    mask = 1 << order[0]
    for one, other in pairwise(order):
        early, late = arrivals[mask, one], departures[mask | 1 << other, other]
        mask |= 1 << other
        a, b = search.layers[one].anchor, search.layers[other].anchor
        length = search.distance(one, other)
        with np.errstate(invalid="ignore"):
            longest = late[None, :] - early[:, None]
            possible = length / speed_kmh * 3600 <= longest + 1e-6
            if not possible.any():
                continue
            shortest = np.maximum(length / speed_kmh * 3600, b.earliest_s - a.latest_s)
            low = float((length / np.maximum(longest, 1e-9))[possible].min()) * 3600
            high = float((length / np.maximum(shortest, 1e-9))[possible].max()) * 3600
        found.append(LegSpeed(a.claim_id, b.claim_id, low, high))
    return tuple(found)


def _alibis(
    incident: Incident, accounts: list[Account], feasibilities: list[Feasibility]
) -> list[Alibi]:
    """For each claim that two met, and each pair that one account follows at one time.

    Of an account that cannot all hold, what is left without the claims in the way.
    """
    found = []
    less = {(f.party_id, f.subject_id): f.left_out for f in feasibilities}
    kept = [a.without(*less.get((a.party_id, a.subject_id), ())) for a in accounts]
    for one, other in combinations(kept, 2):
        if one.party_id != other.party_id or not (one.anchors and other.anchors):
            continue
        pair = {one.subject_id, other.subject_id}
        joins = [
            c
            for c in incident.claims
            if c.predicate == "joins"
            and c.party == one.party_id
            and pair & incident.members(c.subject)
            and pair & incident.members(c.target)
            and pair <= incident.members(c.subject) | incident.members(c.target)
        ]
        found += [could_meet(incident, one, other, claim) for claim in joins]
        if not joins and len(one.anchors) > 1 and len(other.anchors) > 1:
            found.append(could_meet(incident, one, other))
    return [a for a in found if a.state != "not checkable"]


_MEETING: dict[str, Physics] = {"could have met": "feasible", "could not have met": "infeasible"}


def _needed(feasibility: Feasibility) -> float:
    rest = feasibility.rest_speed_kmh
    return (feasibility.least_speed_kmh if rest is None else rest) or 0.0


class _Judge:
    """Puts one claim's three parts together."""

    def __init__(
        self,
        incident: Incident,
        compared: Agreement,
        contradictions: list[Contradiction],
        accounts: list[Account],
        feasibilities: list[Feasibility],
        alibis: list[Alibi],
        tracks: Mapping[str, RecordedTrack],
    ) -> None:
        self.incident, self.compared, self.tracks = incident, compared, tracks
        self.contradictions, self.feasibilities = contradictions, feasibilities
        self.alibis = alibis
        self.unchecked = {(a.party_id, claim): why for a in accounts for claim, why in a.unchecked}

    def verdict(self, claim: Claim) -> Verdict:
        among, supporters, opposers, among_reason = self.among(claim)
        physics, least, limit, physics_reason = self.physics(claim)
        tracked = [s for s in self.incident.members(claim.subject) if s in self.tracks]
        tracks, tracks_reason = check_claim(
            self.incident, claim, self.tracks[min(tracked)] if tracked else None
        )
        parts = [among_reason, physics_reason] + ([tracks_reason] if tracked else [])
        reason = "; ".join(parts)
        return Verdict(
            claim.claim_id, among, supporters, opposers, physics, least, limit, tracks,
            among_reason, physics_reason, tracks_reason, reason[0].upper() + reason[1:] + ".",
        )  # fmt: skip

    def among(self, claim: Claim) -> tuple[Any, tuple[str, ...], tuple[str, ...], str]:
        names = {p.party_id: p.name for p in self.incident.parties}
        supporters = self.compared.supporters(claim)
        against = [c for c in self.contradictions if claim.claim_id in c.claims]
        contrary = dict.fromkeys(
            other
            for c in against
            for other in self.opposite(claim, c)
            if self.incident.claim(other).party != claim.party
        )
        opposers = tuple(dict.fromkeys(self.incident.claim(c).party for c in contrary))
        said = (
            f"{len(supporters)} independent part{'y says' if len(supporters) == 1 else 'ies say'} "
            f"the same ({', '.join(names[p] for p in supporters)})"
        )
        if opposers:
            who = ", ".join(names[p] for p in opposers)
            reason = f"disputed: {who} say{'s' * (len(opposers) == 1)} otherwise "
            reason += f"({', '.join(contrary)})"
            return "disputed", supporters, opposers, f"{reason}; {said}" if supporters else reason
        own = [c for k in against for c in self.opposite(claim, k) if k.parties == (claim.party,)]
        also = f"; {', '.join(own)} of the same party does not fit it" if own else ""
        if supporters:
            return "corroborated", supporters, (), said + also
        return "uncontested", (), (), "no other party says the same or the contrary" + also

    def opposite(self, claim: Claim, contradiction: Contradiction) -> list[str]:
        """The claims of a contradiction that stand against this one."""
        first, second, *more = contradiction.claims
        if not more:
            return [c for c in contradiction.claims if c != claim.claim_id]
        parties = {c: self.incident.claim(c).party for c in contradiction.claims}
        return [c for c in (first, second, *more) if parties[c] != claim.party]

    def physics(
        self, claim: Claim
    ) -> tuple[Physics, float | None, tuple[float, float] | None, str]:
        mine = [
            f
            for f in self.feasibilities
            if f.party_id == claim.party and claim.claim_id in f.claims
        ]
        for feasibility in mine:
            if claim.claim_id in feasibility.conflict:
                return (
                    "infeasible", feasibility.least_speed_kmh, feasibility.limit_kmh,
                    "cannot hold together with "
                    + ", ".join(c for c in feasibility.conflict if c != claim.claim_id),
                )  # fmt: skip
            if claim.claim_id in feasibility.left_out:
                return (
                    "infeasible", feasibility.least_speed_kmh, feasibility.limit_kmh,
                    "cannot hold together with the party's other claims",
                )  # fmt: skip
        checked = [f for f in mine if f.state != "not checkable"]
        if checked:
            tight = max(checked, key=_needed)
            least, limit = _needed(tight), tight.limit_kmh or (0.0, 0.0)
            but = f" but {', '.join(tight.left_out)}" if tight.left_out else ""
            return (
                "feasible", least, limit,
                f"feasible with the party's other claims{but} "
                f"{'at any speed' if least < 2 else f'from {least:.0f} km/h up'} (published "
                f"maximum {limit[0]:.0f}{f' to {limit[1]:.0f}' if limit[1] > limit[0] else ''})",
            )  # fmt: skip
        for alibi in self.alibis:
            if claim.claim_id == alibi.claim_id and alibi.state in _MEETING:
                return (
                    _MEETING[alibi.state], None, None,
                    f"by this account they {alibi.state}, within the published speeds",
                )  # fmt: skip
        if claim.predicate == "inside" and claim.duration_min:
            return self.duration(claim)
        why = self.unchecked.get((claim.party, claim.claim_id), "")
        absence = claim.predicate == "never_inside" or (
            claim.distance_km is not None and math.isinf(claim.distance_km.high)
        )
        if absence:
            why = "to have kept away needs no speed"
        elif mine:
            why = "there is no second timed place to reckon a speed from"
        elif claim.predicate not in _KINEMATIC:
            why = "it says nothing of where the subject was"
        return "not checkable", None, None, f"physics has no say: {why or 'it gives no time'}"

    def duration(
        self, claim: Claim
    ) -> tuple[Physics, float | None, tuple[float, float] | None, str]:
        """A stated duration against the stays that the same party tells."""
        wanted = claim.duration_min
        stays = [
            s for s in self.compared.stays
            if s.party_id == claim.party
            and s.subject_id in self.incident.members(claim.subject)
            and any(self.compared.same_area(s.zone_id, z) for z in claim.zones)
        ]  # fmt: skip
        if not stays or wanted is None:
            return "not checkable", None, None, "physics has no say: no times of the stay are told"
        if claim.total:
            low, stated, high = (sum(getattr(s.minutes, k) for s in stays)
                                 for k in ("low", "stated", "high"))  # fmt: skip
            fits = wanted.low <= high and low <= wanted.high
            text = f"{len(stays)} stays told by the same party add up to {stated:.0f} min"
            text += f" ({low:.0f} to {high:.0f})"
        else:
            near = min(stays, key=lambda s: abs(s.minutes.stated - wanted.middle))
            fits = wanted.low <= near.minutes.high and near.minutes.low <= wanted.high
            text = f"the stay from {near.entry_claim} to {near.exit_claim} lasts "
            text += f"{near.minutes.low:.0f} to {near.minutes.high:.0f} min"
        return "feasible" if fits else "infeasible", None, None, text
