"""The checks of requirements: each turns a case into met, not met or unknown, with a reason.

Not met needs evidence: a plan that is late, calls that went unanswered, inputs said to be
complete. Absence of evidence is unknown. Exemptions are weighed elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from adiz.identify.case import Case, Finding, absent, span
from adiz.units import M_PER_NM

Params = Mapping[str, Any]

RADIO_BEFORE = timedelta(hours=1)
"""A contact this long before the entry still counts as contact on entering."""
TAXI_MIN = 30.0
"""Between off-block and take-off. Without a DEP message a delay up to this proves nothing."""


def _flight_plan(case: Case, params: Params) -> Finding:
    plan = case.plan
    if plan is None:
        return _no_plan(case)
    filed = plan.filed_at(case.begin)
    if filed and filed > case.begin:
        late = span((filed - case.begin).total_seconds() / 60)
        reason = f"Its plan {plan.name} was filed {late} after it entered."
        return Finding("not met", reason, case.correlation.why)
    return Finding("met", f"Plan {plan.name} is of this flight.", case.correlation.why)


def _no_plan(case: Case) -> Finding:
    if case.correlation.status == "ambiguous":
        return Finding(
            "unknown", "Which plan is of this flight is ambiguous.", case.correlation.why
        )
    found = absent(case, "flight plans", case.given.plans)
    return Finding(found.result, found.reason, case.correlation.why if case.given.plans else "")


def _nothing_planned(case: Case) -> Finding:
    """Where the requirement measures a flight against its plan: without one nothing is measured."""
    if case.correlation.status == "ambiguous":
        return _no_plan(case)
    return Finding("unknown", "There is no plan of it to measure against.", case.correlation.why)


def _plan_lead(case: Case, params: Params) -> Finding:
    plan = case.plan
    if plan is None:
        return _no_plan(case)
    filed = plan.filed_at(case.begin)
    if filed is None:
        return Finding("unknown", f"Plan {plan.name} does not say when it was filed.")
    return _lead((case.begin - filed).total_seconds() / 60, params, f"Plan {plan.name} was filed")


def _lead(lead_min: float, params: Params, subject: str) -> Finding:
    needed = float(params["lead_min"])
    side = "before" if lead_min >= 0 else "after"
    text = f"{subject} {span(lead_min)} {side} entry; {span(needed)} are asked."
    return Finding("met" if lead_min >= max(needed, 0) else "not met", text)


def _prior_notice(case: Case, params: Params) -> Finding:
    if not case.notices:
        return _no_notice(case)
    first = min(case.notices, key=lambda n: n.notified_at)
    lead = (case.begin - first.notified_at).total_seconds() / 60
    if lead >= 0:
        return Finding("met", f"Notice was given {span(lead)} before entry.", first.place)
    reason = f"Notice was given {span(lead)} after entry: after the fact."
    return Finding("not met", reason, first.place)


def _no_notice(case: Case) -> Finding:
    if case.state_notices:
        notice = case.state_notices[0]
        reason = f"A notice by {notice.state} fits in time and names no aircraft."
        return Finding("unknown", reason, notice.place)
    return absent(case, "notices", case.given.notices)


def _notice_lead(case: Case, params: Params) -> Finding:
    if not case.notices:
        return _no_notice(case)
    first = min(case.notices, key=lambda n: n.notified_at)
    lead = (case.begin - first.notified_at).total_seconds() / 60
    found = _lead(lead, params, "Notice was given")
    return Finding(found.result, found.reason, first.place)


def _radio(case: Case, params: Params) -> Finding:
    calls = [c for c in case.contacts if case.begin - RADIO_BEFORE <= c.time <= case.end]
    places = ", ".join(c.place for c in calls)
    answered = [c for c in calls if c.answered]
    if answered:
        moment = answered[0].time.strftime("%H:%M:%SZ")
        return Finding("met", f"It was in radio contact at {moment}.", places)
    if any(p.squawk == "7600" for p in case.reports):
        return Finding("unknown", "It squawked 7600, radio failure.", places)
    if calls:
        reason = f"{len(calls)} radio call{'s' * (len(calls) > 1)} to it went unanswered."
        return Finding("not met", reason, places)
    return absent(case, "radio contacts", case.given.contacts)


def _position_report(case: Case, params: Params) -> Finding:
    reports = [c for c in case.contacts if c.kind == "position" and c.time <= case.end]
    if not reports and params.get("ifr_as_asked") and case.plan and case.plan.message.rules == "I":
        return Finding("unknown", "Under radar control an IFR flight reports what ATC asks for.")
    if not reports:
        return absent(case, "radio contacts", case.given.contacts)
    first = min(reports, key=lambda c: c.time)
    lead = (case.begin - first.time).total_seconds() / 60
    found = _lead(lead, params, "It reported its position")
    return Finding(found.result, found.reason, first.place)


def _transponder(case: Case, params: Params) -> Finding:
    count = len(case.reports)
    codes = sorted({p.squawk for p in case.reports if p.squawk})
    altitudes = sum(p.has_altitude for p in case.reports)
    if codes:
        reason = f"It replied with code{'s' * (len(codes) > 1)} {', '.join(codes)}."
    elif any(p.has_address and p.has_altitude for p in case.reports):
        reason = "Its reports carry its address and pressure altitude, as a transponder sends them."
    else:
        reason = "No report within the stay carries a code, or an address with an altitude."
        return Finding("unknown", reason, f"{count} reports within the stay")
    evidence = f"altitude in {altitudes} of {count} reports within the stay"
    return Finding("met" if altitudes else "unknown", reason, evidence)


def _boundary_time(case: Case, params: Params) -> Finding:
    plan = case.plan
    if plan is None:
        return _nothing_planned(case)
    if case.entry_kind != "crossed" or case.entry is None:
        return Finding("unknown", "When it crossed the boundary was not seen.")
    near = plan.path.nearest(*case.entry)
    minutes = plan.path.minutes_at(near[1], plan.speed_kt) if near else None
    if minutes is None:
        return Finding("unknown", f"The known points of plan {plan.name} give no time there.")
    planned = plan.take_off(case.begin) + timedelta(minutes=minutes)
    late = (case.begin - planned).total_seconds() / 60
    tolerance = float(params["tolerance_min"])
    basis = "take-off" if plan.departed_clock else "off-block time"
    text = f"It crossed {span(late)} {'after' if late >= 0 else 'before'} the planned time"
    evidence = f"planned {planned:%H:%M}Z, from its {basis}, at the path's nearest point"
    if abs(late) <= tolerance:
        return Finding("met", f"{text}.", evidence)
    if not plan.departed_clock and tolerance < late <= TAXI_MIN:
        return Finding("unknown", f"{text}, which taxiing may explain.", evidence)
    return Finding("not met", f"{text}; {tolerance:.0f} min are allowed.", evidence)


def _off_route(case: Case, params: Params) -> Finding:
    plan = case.plan
    if plan is None:
        return _nothing_planned(case)
    offs = [n[0] for p in case.reports if (n := plan.path.nearest(p.lat_deg, p.lon_deg))]
    if not offs:
        return Finding("unknown", f"Too few points of plan {plan.name} are known.")
    worst = max(offs) / M_PER_NM
    text = f"It was up to {worst:.1f} NM from its planned path"
    evidence = f"{len(offs)} reports within the stay"
    if worst <= params["land_nm"]:
        return Finding("met", f"{text}.", evidence)
    if plan.path.unknown:
        names = ", ".join(plan.path.unknown[:3])
        return Finding("unknown", f"{text}, whose points {names} are not known.", evidence)
    if worst > params["water_nm"]:
        return Finding("not met", f"{text}; {params['water_nm']} NM are allowed.", evidence)
    limits = f"{params['land_nm']} NM over land, {params['water_nm']} NM over water"
    return Finding("unknown", f"{text}; {limits} are allowed, and which it was is not known.")


def _departure_time(case: Case, params: Params) -> Finding:
    plan = case.plan
    if plan is None:
        return _nothing_planned(case)
    if plan.message.rules != "V":
        return Finding("exempt", "Its plan is not for VFR.")
    if not plan.departed_clock:
        return Finding("unknown", "No DEP message says when it left.")
    apart = plan.take_off(case.begin) - plan.off_block(case.begin)
    minutes = apart.total_seconds() / 60
    result = "met" if abs(minutes) <= params["tolerance_min"] else "not met"
    side = "after" if minutes >= 0 else "before"
    return Finding(result, f"It left {span(minutes)} {side} the filed time.", plan.name)  # type: ignore[arg-type]


def _none(case: Case, params: Params) -> Finding:
    return Finding("unknown", "Nothing that is read here can tell.")


CHECKS: dict[str, Callable[[Case, Params], Finding]] = {
    "flight_plan": _flight_plan,
    "plan_lead": _plan_lead,
    "prior_notice": _prior_notice,
    "notice_lead": _notice_lead,
    "radio": _radio,
    "position_report": _position_report,
    "transponder": _transponder,
    "boundary_time": _boundary_time,
    "off_route": _off_route,
    "departure_time": _departure_time,
    "none": _none,
}
"""Checks by the name that rules use."""
