"""Each stay against the rule of its zone: one answer a requirement, with reason and evidence.

An answer is ``met``, ``not met``, ``unknown`` or ``exempt``. A stay that only may have been is
never *not met*. An entry into an air defence identification zone is no violation of airspace, and
nothing here says so; an aircraft not identified is not identified, and nothing more.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from adiz.errors import AdizError
from adiz.identify.case import Case, Finding, Given, Position
from adiz.identify.checks import CHECKS
from adiz.identify.correlate import (
    Correlation,
    Correlations,
    Flight,
    correlate,
    correlation_at,
    split_flights,
)
from adiz.identify.exemptions import EXEMPTIONS
from adiz.identify.notices import Contacts, Notices, held_keys, notices_for, speaks_of
from adiz.identify.plans import Plan, Plans
from adiz.identify.rules import Clause, Rule, read_rules, rule_of
from adiz.schema import Column, polars_schema
from adiz.tracks.identity import Identity, Seen, Statement, identify_tracks
from adiz.zones.model import Zone

if TYPE_CHECKING:
    import polars as pl

    from adiz.tracks.registry import Registry

COMPLIANCE: tuple[Column, ...] = (
    Column("track_id", "text", "", "", "whose stay"),
    Column("zone_id", "text", "", "", "in which zone"),
    Column("entry_time", "time", "us", "UTC", "when the stay began, or the earliest it can have"),
    Column("certainty", "text", "", "", "of the stay: observed, possible or definite"),
    Column("rule", "text", "", "", "the zone's rule; null where none is held"),
    Column("requirement", "text", "", "", "its name"),
    Column("asks", "text", "", "", "what is asked, in words"),
    Column("result", "text", "", "", "met, not met, unknown or exempt"),
    Column("reason", "text", "", "", "why, in one sentence"),
    Column("evidence", "text", "", "", "what shows it"),
    Column("source", "text", "", "", "where the requirement is from"),
    Column("status", "text", "", "", "how that was found: read, press or unverified"),
)

IDENTIFIED: tuple[Column, ...] = (
    Column("track_id", "text", "", "", "whose stay"),
    Column("zone_id", "text", "", "", "in which zone"),
    Column("entry_time", "time", "us", "UTC", "as above"),
    Column("identified", "text", "", "", "yes, no or unknown: by the end of the stay"),
    Column("identified_by", "text", "", "", "the plan, notice or contact"),
)


@dataclass(frozen=True, slots=True)
class Inputs:
    """What identification may draw on; None where it was not given.

    Attributes:
        complete: the plans, notices and contacts given are all there were.
    """

    plans: Plans | None = None
    notices: Notices | None = None
    contacts: Contacts | None = None
    registry: Registry | None = None
    complete: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Compliance:
    """The answers.

    Attributes:
        table: one row a stay and requirement, columns of :data:`COMPLIANCE`.
        identified: one row a stay, columns of :data:`IDENTIFIED`.
        identities: by track id.
        correlations: of each track's flights, by track id.
        rules: those that were applied.
        counts: what was set aside or odd, by what it is; only those that occurred.
    """

    table: pl.DataFrame
    identified: pl.DataFrame
    identities: Mapping[str, Identity]
    correlations: Correlations
    rules: tuple[Rule, ...]
    counts: Mapping[str, int]


def check_compliance(
    stays: pl.DataFrame,
    reports: Any,
    zones: Iterable[Zone],
    inputs: Inputs | None = None,
    rules: tuple[Rule, ...] | None = None,
) -> Compliance:
    """Answer each stay's requirements. Zones that are no ADIZ and have no rule are left out.

    Args:
        stays: the stays table of :func:`adiz.find_stays`.
        reports: the reports table, or a ``Reports``, the stays were found in.
        zones: the zones, for their names.
        rules: instead of the package's own.

    Raises:
        AdizError: stays of tracks or zones that are not given.
    """
    import polars as pl

    inputs = inputs or Inputs()
    rules = read_rules() if rules is None else rules
    table: pl.DataFrame = getattr(reports, "table", reports)
    by_id = {zone.zone_id: zone for zone in zones}
    flights = split_flights(table)
    for column, known in (("zone_id", by_id.keys()), ("track_id", flights.keys())):
        strange = set(stays[column]) - known
        if strange:
            raise AdizError(f"stays have {column} {min(strange)}, which nothing else given has")
    identities = identify_tracks(table, inputs.registry)
    leaping = {track_id for track_id, one in identities.items() if one.leaping}
    correlations = correlate(flights, inputs.plans or Plans(()), leaping)
    within = table.filter(pl.col("track_id").is_in(stays["track_id"].unique().implode()))
    gather = _Gatherer(within, identities, correlations, inputs)
    answers, identified = [], []
    for stay in stays.iter_rows(named=True):
        zone = by_id[stay["zone_id"]]
        rule = rule_of(zone, rules)
        if rule is None and zone.kind != "adiz":
            continue
        case = gather.case(stay, zone)
        place = (case.identity.track_id, zone.zone_id, case.begin)
        identified.append((*place, *_identified(case)))
        answers += [(*place, case.certainty, *row) for row in _answer(case, rule)]
    answered = pl.DataFrame(answers, schema=polars_schema(COMPLIANCE), orient="row")
    return Compliance(
        answered,
        pl.DataFrame(identified, schema=polars_schema(IDENTIFIED), orient="row"),
        identities,
        correlations,
        tuple(rule for rule in rules if rule.rule_id in set(answered["rule"])),
        _counts(inputs, correlations, identities, answered, gather.used),
    )


class _Gatherer:
    """Looks up what bears on each stay; the reports of a track are split off once."""

    def __init__(
        self,
        table: pl.DataFrame,
        identities: Mapping[str, Identity],
        correlations: Correlations,
        inputs: Inputs,
    ) -> None:
        self._inputs = inputs
        self._contacts = (inputs.contacts or Contacts(())).rows
        self._given = Given(
            None if inputs.plans is None else len(inputs.plans),
            None if inputs.notices is None else len(inputs.notices.rows),
            None if inputs.contacts is None else len(inputs.contacts.rows),
            inputs.complete,
        )
        self._identities, self._correlations = identities, correlations
        self._table = table.sort("track_id", "time")
        sizes = self._table.group_by("track_id", maintain_order=True).len()
        ends = sizes["len"].cum_sum()
        self._slices = {
            track_id: (end - size, size)
            for (track_id, size), end in zip(sizes.iter_rows(), ends, strict=True)
        }
        self._last: tuple[str, list[Position], list[datetime]] = ("", [], [])
        self.used: set[str] = set()  # places of the notices and contacts that spoke of some stay

    def _positions(self, track_id: str) -> tuple[list[Position], list[datetime]]:
        if self._last[0] != track_id:
            rows = self._table.slice(*self._slices[track_id])
            positions = [
                Position(*row)
                for row in zip(
                    *(rows[name] for name in ("time", "lat_deg", "lon_deg", "gs_kt", "squawk")),
                    rows["alt_baro_ft"].is_not_null(),
                    rows["icao24"].is_not_null(),
                    strict=True,
                )
            ]
            self._last = (track_id, positions, [p.time for p in positions])
        return self._last[1], self._last[2]

    def case(self, stay: dict[str, Any], zone: Zone) -> Case:
        track_id: str = stay["track_id"]
        begin = stay["entry_time"] or stay["earliest_entry"]
        end = stay["exit_time"] or stay["latest_exit"]
        positions, times = self._positions(track_id)
        flown = self._correlations[track_id]
        correlation = (
            correlation_at(flown, begin, end)
            if flown
            else Correlation(
                Flight(Seen(track_id), begin, end, ()), "none", None, (), "not in flight"
            )
        )
        held = held_keys(correlation.flight.seen)
        plan = correlation.match.plan if correlation.match else None
        identity = _with_plan(self._identities[track_id], plan)
        origin = plan.path.departure if plan else None
        named, by_state = notices_for(
            self._inputs.notices or Notices(()),
            held,
            identity,
            (zone.zone_id, zone.version_of),
            (begin, end),
        )
        contacts = tuple(c for c in self._contacts if speaks_of(c.who, held))
        self.used.update(notice.place for notice in (*named, *by_state))
        self.used.update(contact.place for contact in contacts)
        lat = stay["entry_lat_deg"]
        return Case(
            zone=zone,
            begin=begin,
            end=end,
            entry_kind=stay["entry_kind"],
            certainty=stay["certainty"],
            entry=None if lat is None else (lat, stay["entry_lon_deg"]),
            identity=identity,
            correlation=correlation,
            reports=tuple(positions[bisect_left(times, begin) : bisect_right(times, end)]),
            notices=tuple(named),
            state_notices=tuple(by_state),
            contacts=contacts,
            departure=(origin.lat_deg, origin.lon_deg) if origin else None,
            given=self._given,
        )


def _with_plan(identity: Identity, plan: Plan | None) -> Identity:
    """The identity with what its plan says of its use: type M in item 8 is a military flight."""
    if plan is None or plan.message.flight_type != "M":
        return identity
    evidence = f"item 8 of plan {plan.name} is M"
    said = Statement("use", "military", evidence, "ICAO Doc 4444 item 8")
    return replace(identity, statements=(*identity.statements, said))


def _answer(case: Case, rule: Rule | None) -> Iterable[tuple[str | None, ...]]:
    """The columns of the table from ``rule`` on."""
    if rule is None:
        reason = f"No rule of {case.zone.name} is held."
        yield None, "any", None, "unknown", reason, "", None, None
        return
    for clause in rule.requirements:
        found = _judge(case, rule, clause)
        asked = (rule.rule_id, clause.clause_id, clause.text)
        answer = (found.result, found.reason, found.evidence)
        yield (*asked, *answer, clause.source, clause.status)


def _judge(case: Case, rule: Rule, clause: Clause) -> Finding:
    """The check of a requirement, unless it is not for this aircraft, and the exemptions."""
    scope = _scope(case, rule, clause)
    if scope and scope.result == "exempt":
        return scope
    finding = CHECKS[clause.check](case, clause.params or {})
    if finding.result in ("met", "exempt"):
        return finding
    for exemption in rule.exemptions:
        if exemption.covers and clause.clause_id not in exemption.covers:
            continue
        if exemption.zones and not {case.zone.zone_id, case.zone.version_of} & set(exemption.zones):
            continue
        params = {"home": rule.home, **(exemption.params or {})}
        answer, why = EXEMPTIONS[exemption.check](case, params)
        if answer == "yes":
            reason = f"Exempt, {exemption.text}: {why}."
            return Finding("exempt", reason, f"{exemption.source} ({exemption.status})")
        if answer == "perhaps" and finding.result == "not met":
            reason = f"{finding.reason[:-1]}, but it may be exempt ({exemption.clause_id}): {why}."
            finding = Finding("unknown", reason, finding.evidence)
    if finding.result == "not met" and scope:
        return scope
    if finding.result == "not met" and case.certainty == "possible":
        reason = f"{finding.reason[:-1]}, but whether it was in the zone at all is not known."
        return Finding("unknown", reason, finding.evidence)
    return finding


def _scope(case: Case, rule: Rule, clause: Clause) -> Finding | None:
    """Exempt where the requirement is for others, unknown where that cannot be told, else None."""
    use, state = case.identity.use, case.identity.state
    if clause.applies_to and use != "unknown" and use not in clause.applies_to:
        whom = " or ".join(clause.applies_to)
        return Finding("exempt", f"The rule is for {whom} aircraft, and this is {use}.",
                       case.identity.reason)  # fmt: skip
    if clause.foreign and state == rule.home:
        return Finding("exempt", f"The rule is for foreign aircraft, and this is of {state}.")
    if clause.applies_to and use == "unknown":
        whom = " or ".join(clause.applies_to)
        return Finding(
            "unknown", f"The rule is for {whom} aircraft, and what this is is not known."
        )
    if clause.foreign and state is None:
        return Finding(
            "unknown", "The rule is for foreign aircraft, and whose this is is not known."
        )
    return None


def _identified(case: Case) -> tuple[str, str]:
    """Whether a plan, a notice or an answered call says who entered."""
    if case.plan:
        return "yes", f"plan {case.plan.name}"
    in_time = [n for n in case.notices if n.notified_at <= case.end]
    if in_time:
        return "yes", f"notice {in_time[0].place}"
    answered = [c for c in case.contacts if c.answered and c.time <= case.end]
    if answered:
        return "yes", f"radio contact {answered[-1].place}"
    given = (case.given.plans, case.given.notices, case.given.contacts)
    if case.correlation.status == "ambiguous" or case.state_notices:
        return "unknown", "ambiguous"
    if given == (None, None, None) or not case.given.complete:
        return "unknown", ""
    return "no", ""


def _counts(
    inputs: Inputs,
    correlations: Correlations,
    identities: Mapping[str, Identity],
    table: pl.DataFrame,
    used: Collection[str],
) -> dict[str, int]:
    """What was set aside, fits nothing, or is odd."""
    plans = Plans(()) if inputs.plans is None else inputs.plans  # none may be left, but faults
    notices, contacts = inputs.notices or Notices(()), inputs.contacts or Contacts(())
    decided = [one for flown in correlations.values() for one in flown]
    fitting = {id(match.plan) for one in decided for match in one.candidates}
    late = table["reason"].str.ends_with("after the fact.")
    filed_late = table["reason"].str.contains(" was filed .* after (it entered|entry)")
    counts = {
        "plan messages set aside": len(plans.faults),
        "unknown points in plans": len(plans.unknown_points),
        "plans of no flight seen": sum(id(p) not in fitting for p in plans.plans),
        "notices set aside": len(notices.faults),
        "notices given after the entry they announce": sum(
            n.entry_time is not None and n.notified_at > n.entry_time for n in notices.rows
        ),
        "notices that fit no stay": sum(n.place not in used for n in notices.rows),
        "contacts set aside": len(contacts.faults),
        "contacts with nobody who entered": sum(c.place not in used for c in contacts.rows),
        "stays with notice only after the fact": table.filter(late).height,
        "stays whose plan was filed after entry": table.filter(filed_late)
        .select("track_id", "zone_id", "entry_time")
        .n_unique(),
        "flights whose plan is ambiguous": sum(one.status == "ambiguous" for one in decided),
        "tracks with conflicting identity": sum(bool(i.conflicts) for i in identities.values()),
    }
    return {what: count for what, count in counts.items() if count}
