"""The checks of exemptions: yes, perhaps or no, with a reason.

*Perhaps* does not lift a requirement, but forbids to say that it was not met.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from adiz.identify.case import Case
from adiz.identify.route import distance_m
from adiz.units import M_PER_NM

Answer = tuple[Literal["yes", "perhaps", "no"], str]
Params = Mapping[str, Any]


def _home_forces(case: Case, params: Params) -> Answer:
    if case.identity.state == params["home"] and case.identity.use in ("military", "state"):
        return "yes", f"it is of {params['home']}, and {case.identity.reason}"
    return "no", ""


def _transit(case: Case, params: Params) -> Answer:
    plan = case.plan
    if plan is None:
        return "no", ""
    ends = (plan.message.departure, plan.message.destination)
    if any(end in ("ZZZZ", "AFIL") for end in ends):
        return "perhaps", f"its plan from {ends[0]} to {ends[1]} does not say where it ends"
    if any(end.startswith(tuple(params["prefixes"])) for end in ends):
        return "no", ""
    return "yes", f"its plan leads from {ends[0]} to {ends[1]}"


def _near_departure(case: Case, params: Params) -> Answer:
    if case.departure is None:
        began = case.entry_kind == "appeared"
        return ("perhaps", "where it departed from is not known") if began else ("no", "")
    farthest = max(
        (distance_m(*case.departure, p.lat_deg, p.lon_deg) for p in case.reports), default=None
    )
    if farthest is not None and farthest <= params["within_nm"] * M_PER_NM:
        return "yes", f"it stayed within {farthest / M_PER_NM:.1f} NM of its departure"
    return "no", ""


def _slow(case: Case, params: Params) -> Answer:
    speeds = [p.gs_kt for p in case.reports if p.gs_kt is not None]
    if speeds and max(speeds) < params["below_kt"]:
        speed = f"its ground speed stayed at or below {max(speeds):.0f} kt"
        return "perhaps", f"{speed}; its airspeed is not known"
    return "no", ""


def _outbound(case: Case, params: Params) -> Answer:
    if case.entry_kind == "appeared":
        return "perhaps", "it was first seen inside the zone"
    return "no", ""


def _channel(case: Case, params: Params) -> Answer:
    for notice in case.notices:
        if notice.channel.lower() == params["channel"]:
            return "yes", f"notice came over the {notice.channel} ({notice.place})"
    return "no", ""


def _has_plan(case: Case, params: Params) -> Answer:
    return ("yes", f"plan {case.plan.name} is of this flight") if case.plan else ("no", "")


def _none(case: Case, params: Params) -> Answer:
    return "no", ""


EXEMPTIONS: dict[str, Callable[[Case, Params], Answer]] = {
    "home_forces": _home_forces,
    "transit": _transit,
    "near_departure": _near_departure,
    "slow": _slow,
    "outbound": _outbound,
    "channel": _channel,
    "has_plan": _has_plan,
    "none": _none,
}
"""Exemptions by the name that rules use."""
