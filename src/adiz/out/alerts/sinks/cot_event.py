"""One alert as a Cursor on Target event (XML, version 2.0).

Fields after the public schemas of the event, its point, and the details contact, remarks and track
(MITRE, cases 11-3895, 11-3903 and 06-0358). What is not known is said to be unknown: 9999999.0 for
heights and errors. The affiliation is "unknown" unless configured, and never a hostile one: that
somebody enters a zone does not say what they are.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from adiz.events import Event, iso
from adiz.out.alerts.message import Message
from adiz.units import KT_PER_MPS, M_PER_FT

UNKNOWN = "9999999.0"
_TYPE = re.compile(r"a-(\w)-[A-Z](-\w+)*", re.ASCII)
_AFFILIATIONS = "puafno"  # not s, h, j, k: suspect, hostile, joker, faker
_OTHER_TYPE = "b-l-i"  # an alarm of the infrastructure: what is about no aircraft (a feed is down)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RADIAL_95 = 2.4477  # 95 % radius of a circular normal distribution, in its standard deviations


@dataclass(frozen=True, slots=True)
class Style:
    """How events look.

    Attributes:
        aircraft_type: CoT type of what is about an aircraft.
        stale_s: how long after sending an event is current.
    """

    aircraft_type: str = "a-u-A"
    stale_s: float = 600.0


def type_fault(text: str) -> str | None:
    """What is wrong with a configured type; None: nothing."""
    match = _TYPE.fullmatch(text)
    if not match:
        return f"{text!r} is no CoT type of a thing in the air"
    if match[1] not in _AFFILIATIONS:
        return "adiz says of no aircraft that it is hostile, suspect, joker or faker"
    return None


def cot_event(message: Message, style: Style, now: datetime) -> bytes:
    """The event's XML.

    ``time`` is the moment of sending: of several events with one uid the latest holds, so a
    revision replaces what it revises. ``start`` is when it happened. A withdrawn event is stale
    at once.
    """
    event = message.event
    moment = now.astimezone(UTC)
    stale = moment + timedelta(seconds=0 if event.withdrawn else style.stale_s)
    root = ET.Element(
        "event",
        version="2.0",
        uid=f"adiz-{event.event_id}",
        type=style.aircraft_type if event.tracks else _OTHER_TYPE,
        how="m-p" if event.certainty == "predicted" else "m-r",
        time=_stamp(moment),
        start=_stamp(_EPOCH + timedelta(microseconds=event.time_us)),
        stale=_stamp(stale),
    )
    ET.SubElement(root, "point", _point(event))
    detail = ET.SubElement(root, "detail")
    ET.SubElement(detail, "contact", callsign=_name(event))
    remarks = ET.SubElement(detail, "remarks", source="adiz", time=iso(event.detected_us))
    remarks.text = message.text
    motion = _track(event)
    if motion:
        ET.SubElement(detail, "track", motion)
    ET.SubElement(detail, "adiz", _own(message))
    text = ET.tostring(root, "unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _name(event: Event) -> str:
    who = event.callsign or event.icao24 or (event.tracks[0] if event.tracks else event.feed)
    return (who or event.kind).strip() or event.kind


def _point(event: Event) -> dict[str, str]:
    """Where; without a position 0, 0 with an error that covers the Earth.

    The height is the altitude as reported, mostly by pressure: no error is claimed for it.
    """
    point = {"lat": "0.0", "lon": "0.0", "hae": UNKNOWN, "ce": UNKNOWN, "le": UNKNOWN}
    if event.lat_deg is not None and event.lon_deg is not None and abs(event.lat_deg) <= 90:
        point["lat"] = f"{event.lat_deg:.7f}"
        point["lon"] = f"{(event.lon_deg + 180) % 360 - 180:.7f}"
        error_m = _number(event, "position_error_m")
        if error_m is not None and error_m >= 0:
            point["ce"] = f"{error_m / _RADIAL_95:.1f}"
    if event.alt_ft is not None:
        point["hae"] = f"{event.alt_ft * M_PER_FT:.1f}"
    return point


def _track(event: Event) -> dict[str, str] | None:
    """Course (degrees true) and speed (m/s); both or nothing, as the schema wants both."""
    course, speed_kt = _number(event, "track_true_deg"), _number(event, "gs_kt")
    if course is None or speed_kt is None or speed_kt < 0:
        return None
    # 359.996 rounds to 360.00, which the schema does not allow
    return {
        "course": f"{round(course % 360, 2) % 360:.2f}",
        "speed": f"{speed_kt / KT_PER_MPS:.2f}",
    }


def _own(message: Message) -> dict[str, str]:
    """What no schema of CoT has a place for."""
    event = message.event
    said = {
        "key": message.key,
        "rule": message.rule,
        "kind": event.kind,
        "certainty": event.certainty,
        "revision": str(event.revision),
        "zone": event.zone_id,
        "icao24": event.icao24,
        "squawk": event.squawk,
        "state": event.state,
        "role": event.role,
    }
    flags = {"withdrawn": event.withdrawn, "escalated": message.escalated}
    return {name: value for name, value in said.items() if value is not None} | {
        name: "true" for name, value in flags.items() if value
    }


def _number(event: Event, name: str) -> float | None:
    value = event.data.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
