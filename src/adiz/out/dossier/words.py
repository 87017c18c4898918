"""Claims, times and figures in plain words.

A claim in words is what a party says, never what is so: the page always puts the party before it.
"""

from __future__ import annotations

import math
from zoneinfo import ZoneInfo

from adiz.incidents.edtf import Span, TimeSpec
from adiz.incidents.model import Claim, Incident, Quantity, Sector
from adiz.incidents.surroundings import start_of
from adiz.zones.model import Zone

_FORMAT = {"second": "%H:%M:%S", "minute": "%H:%M", "hour": "%H h"}


def say_time(time: TimeSpec, zone: str, *, with_date: bool = False) -> str:
    """A time as stated, on the clock of an IANA zone: ``09:09``, ``09:09–09:12``, ``by 09:12``."""
    about = "about " if time.approximate else ""
    if not time.interval:
        return about + _say_point(time.begin, time.granularity, zone, with_date)
    if time.begin.middle is None:
        return f"by {about}{_say_point(time.end, time.granularity, zone, with_date)}"
    begin = _say_point(time.begin, time.granularity, zone, with_date)
    if time.end.middle is None:
        return f"from {about}{begin}"
    end = _say_point(time.end, time.granularity, zone, with_date)
    return f"{about}{begin}–{end}"


def _say_point(span: Span, granularity: str, zone: str, with_date: bool) -> str:
    start = start_of(span, granularity)
    if start is None:
        return "an unknown time"
    local = start.astimezone(ZoneInfo(zone))
    date = f"{local.day} {local:%B %Y}"
    if granularity not in _FORMAT:
        days = (span.latest - span.earliest).days if span.latest and span.earliest else 0
        return date if days < 4 else f"{local:%B %Y}" if days < 100 else f"{local:%Y}"
    clock = local.strftime(_FORMAT[granularity])
    return f"{clock}, {date}" if with_date else clock


def say_quantity(value: Quantity) -> str:
    """A quantity as stated: ``12 km``, ``more than 25 km``, ``about 80 rounds``."""
    text = value.text
    if text.replace(" ", "") == ">0":
        return f"some {value.unit}".strip()
    for mark, word in ((">", "more than "), ("<", "less than "), ("~", "about ")):
        if text.startswith(mark):
            text = word + text[1:].strip()
    return f"{text.replace('..', ' to ')} {value.unit}".strip()


def say_interval(low: float, high: float, unit: str = "", digits: int = 0) -> str:
    """``561–1,122 km/h``; an open end is said to be open."""
    if math.isinf(high):
        if math.isinf(low):
            return "no speed would do"
        return f"at least {say_number(low, digits)} {unit}".strip()
    if say_number(low, digits) == say_number(high, digits):
        return f"{say_number(low, digits)} {unit}".strip()
    return f"{say_number(low, digits)}–{say_number(high, digits)} {unit}".strip()


def say_number(value: float, digits: int = 0) -> str:
    """With thousands separated; infinity as ∞."""
    return "∞" if math.isinf(value) else f"{value:,.{digits}f}"


def say_list(names: list[str]) -> str:
    """``a, b and c``."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def name_zone(zone: Zone) -> str:
    """What a sentence calls a zone: ``KADIZ``, ``territorial airspace (Dokdo, 12 NM)``."""
    if zone.kind == "territorial":
        return f"territorial airspace ({zone.name.split(':')[0]})"
    return zone.version_of or zone.name or zone.zone_id


def say_claim(incident: Incident, claim: Claim, zone_names: dict[str, str]) -> str:
    """What a claim says, as a clause: ``A-50 (RU) entered KADIZ at 09:09``."""
    if claim.predicate == "states":
        words = _shorten(claim.quote or claim.derivation).rstrip(".")
        return f"of {incident.subject(claim.subject).name}: “{words}”"
    if claim.predicate == "denies":
        told = [_say_denied(incident, incident.claim(one), zone_names) for one in claim.denies]
        more = f"; and {len(told) - 2} more" if len(told) > 2 else ""
        return f"denies {'; '.join(told[:2])}{more}"
    parts = [_act(incident, claim, zone_names), _where(incident, claim), _when(incident, claim)]
    return " ".join(filter(None, parts))


def _say_denied(incident: Incident, claim: Claim, zone_names: dict[str, str]) -> str:
    party = incident.party(claim.party).name
    if claim.predicate == "states":
        return f"the words of {party}: “{_shorten(claim.quote)}”"
    return f"that {say_claim(incident, claim, zone_names)}, as told by {party}"


def _act(incident: Incident, claim: Claim, zone_names: dict[str, str]) -> str:
    name = incident.subject(claim.subject).name
    zones = say_list([zone_names.get(z, z) for z in claim.zones]) or "the zone"
    target = incident.subject(claim.target).name if claim.target else ""
    amount = say_quantity(claim.value) if claim.value else ""
    none = claim.negated or (claim.value is not None and claim.value.high == 0)
    was = "were" if _is_plural(incident, claim.subject) else "was"
    duration = f" for {say_quantity(claim.duration_min)}" if claim.duration_min else ""
    not_ = "did not " if claim.negated else ""
    words = {
        "enters": f"{name} {'did not enter' if not_ else 'entered'} {zones}",
        "leaves": f"{name} {'did not leave' if not_ else 'left'} {zones}",
        "inside": f"{name} {was}{' not' if not_ else ''} in {zones}{duration}",
        "never_inside": f"{name} {was} at no time in {zones}",
        "at": f"{name} {was}{' not' if not_ else ''}",
        "passes": f"{name} {'did not pass' if not_ else 'passed'}",
        "joins": f"{name} {'did not join' if not_ else 'joined'} {target or 'a formation'}",
        "leaves_formation": f"{name} parted from {target or 'the formation'}",
        "fires": f"{name} fired {'nothing' if none else amount or 'shots'}"
        + (f" near {target}" if target and not none else ""),
        "warns": f"{name} {'did not warn' if none else 'warned'} {target or 'anyone'}"
        + (f" ({amount})" if amount and not none else ""),
        "notifies": f"{name} {'gave no notice' if none else 'gave notice'}",
        "counts": f"there were {amount} {claim.counting}",
        "recognises": f"{name} {'does not recognise' if claim.negated else 'recognises'} "
        + (zones if claim.zones else "it"),
    }
    return words[claim.predicate]


def _is_plural(incident: Incident, subject_id: str) -> bool:
    subject = incident.subject(subject_id)
    return bool(subject.members) or (subject.count is not None and subject.count.high > 1)


def say_direction(sector: Sector) -> str:
    """A direction as stated: ``S to SW``."""
    return sector.text.replace("..", " to ")


def _where(incident: Incident, claim: Claim) -> str:
    if claim.between:
        return f"between {say_list([incident.place(p).name for p in claim.between])}"
    words = []
    if claim.place:
        place = incident.place(claim.place).name
        side = f" {say_direction(claim.bearing)}" if claim.bearing else ""
        if claim.distance_km:
            words.append(f"{_say_km(claim.distance_km)}{side} {'of' if side else 'from'} {place}")
        else:
            words.append(f"{side.strip()} of {place}" if side else f"at {place}")
    if claim.heading:
        words.append(f"heading {say_direction(claim.heading)}")
    return ", ".join(words)


def _say_km(distance: Quantity) -> str:
    """In kilometres, whatever unit the file uses."""
    if math.isinf(distance.high) or distance.low == 0:
        return say_quantity(distance)
    if distance.text.lstrip("~").strip() in (f"{distance.middle:g}",) or ".." in distance.text:
        return say_quantity(distance)
    about = "about " if distance.approximate else ""
    return f"{about}{distance.middle:.0f} km"


def _when(incident: Incident, claim: Claim) -> str:
    if claim.time is None:
        return ""
    said = say_time(claim.time, incident.time_zone)
    return (
        said if claim.time.interval else f"at {said}" if claim.time.granularity in _FORMAT else said
    )


def _shorten(text: str, limit: int = 240) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1].rsplit(" ", 1)[0] + " …"
