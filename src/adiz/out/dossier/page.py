"""The dossier as one page, and as PDF from the same template.

Every text of the incident file is escaped by the template engine; only the drawings, the style,
the script and the JSON made here are put in as they are. A content security policy allows this
one script and nothing from elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
import math
from importlib import resources
from itertools import groupby
from typing import Any

from adiz.errors import AdizError
from adiz.incidents.surroundings import claimed_positions
from adiz.incidents.verdicts import Interval, LegAssessment, Reconstruction
from adiz.out.dossier.drawing import (
    PALETTE,
    Mark,
    Route,
    ZoneShape,
    draw_map,
    frame_about,
    route_frames,
)
from adiz.out.dossier.exports import claim_reviews, to_json, zone_rings
from adiz.out.dossier.view import View
from adiz.out.dossier.words import say_interval, say_list, say_number, say_quantity, say_time

BAR_LIMIT_KMH = 1500
_VAGUE_DEG = 4.0
"""A reconstruction that may lie anywhere over this many degrees of latitude is not drawn."""
_WORDINGS = {
    "verbatim": "the source's own words",
    "translation": "translation",
    "summary": "paraphrase",
}
_OUTCOMES = {
    "within": "possible",
    "partly": "only for some times",
    "above": "too fast",
    "unknown": "no published speed",
}
LIMITS = (
    "Speeds are those published for the type, with the disagreement between sources as an "
    "interval; none was measured.",
    "On a leg of three minutes the rounding to minutes alone moves the speed by a quarter down and "
    "a half up.",
    "A place given in words (“east of”) is a range of directions, and its width is a convention.",
    "“Feasible” means that some path would fit, not that it was flown. “Infeasible” means that no "
    "path fits all of an account's claims within the published speeds: at least one of them is "
    "wrong, or a speed is.",
    "Agreement between parties is not proof: they may share one source.",
    "Zones are drawn as their law states them; drawing one takes no side on who may claim it.",
)
"""Beside those that the assessment states itself."""


def render_page(view: View) -> str:
    """The page: HTML that needs nothing else, works offline and prints well."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("adiz.out.dossier", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    incident = view.incident
    names = {s.source_id: s.publisher for s in incident.sources}
    environment.filters["source_name"] = lambda one: names.get(one, one)
    environment.filters["capfirst"] = lambda text: text[:1].upper() + text[1:]
    routes = _routes(view)
    maps, slider = _maps(view, routes)
    script = _asset("slider.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    zone_rows = view.material.circumstances.zones
    return environment.get_template("dossier.html").render(
        view=view,
        incident=incident,
        m=view.material,
        a=view.assessment,
        c=view.material.circumstances,
        routes=routes,
        maps=[{**one, "svg": Markup(one["svg"])} for one in maps],
        slider_data=Markup(to_json(slider)),
        style=Markup(_asset("style.css")),
        script=Markup(script),
        script_hash=f"sha256-{digest}",
        claim_reviews=Markup(claim_reviews(view)),
        bar=lambda leg: Markup(_bar(leg)),
        bar_limit=f"{BAR_LIMIT_KMH:,}",
        speed=_speed,
        outcomes=_OUTCOMES,
        wordings=_WORDINGS,
        limits=LIMITS,
        sun_note=_sun_note(view),
        vague=[p for p in view.assessment.reconstructions if p not in _drawn(view)],
        zone_rows=[(w, list(r)) for w, r in groupby(zone_rows, key=lambda row: row.what)],
        zone_reasons=sorted({row.reason for row in zone_rows if row.reason}),
        say_time=lambda time: say_time(time, incident.time_zone),
        say_quantity=say_quantity,
        say_interval=say_interval,
        name_of=lambda one: _name_of(view, one),
        coast_credit=_coast_credit(),
    )


def render_pdf(page: str) -> bytes:
    """The page as PDF; the same page gives the same bytes on the same fonts.

    Raises:
        AdizError: weasyprint or the system library it needs is missing; says what to install.
    """
    try:
        from weasyprint import HTML
    except OSError as error:
        raise AdizError(
            "no PDF was written: weasyprint needs the system library Pango "
            f"(Debian: apt install libpango-1.0-0 libpangoft2-1.0-0). {error}".splitlines()[0]
        ) from None
    except ImportError as error:
        raise AdizError(
            f"no PDF was written: {error.name} is missing; pip install weasyprint"
        ) from None
    document: bytes = HTML(string=page, url_fetcher=_refuse).write_pdf()
    return document


def _refuse(url: str, *_: Any, **__: Any) -> Any:
    """A dossier loads nothing: not from the net, and not from this machine."""
    raise ValueError(f"a dossier loads nothing: {url}")


def _asset(name: str) -> str:
    return resources.files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


def _coast_credit() -> str:
    from adiz.out.map.land import CREDIT

    return CREDIT


def _name_of(view: View, one: str) -> str:
    for part in view.incident.parties:
        if part.party_id == one:
            return part.name
    for subject in view.incident.subjects:
        if subject.subject_id == one:
            return subject.name
    return one


def _speed(speed: Interval) -> str:
    return f"{say_number(speed.stated)} ({say_number(speed.low)}–{say_number(speed.high)})"


def _sun_note(view: View) -> str:
    """What the geometry says of glare: on stated headings where there are any."""
    rows = view.material.circumstances.sun
    stated = [row for row in rows if row.heading_claim]
    rows, on = (tuple(stated), "the stated headings") if stated else (rows, "the reconstructions")
    if not rows:
        return ""
    least = min(row.sun.off_nose_deg for row in rows)
    sides = say_list(sorted({row.sun.side for row in rows}))
    low, high = (f(row.sun.elevation_deg for row in rows) for f in (min, max))
    if least > 45:
        return (
            f"On {on} the sun stood {sides}, {low:.0f}° to {high:.0f}° up and never within "
            f"{math.floor(least)}° of straight ahead: glare does not explain why a crew looking "
            "ahead would see nothing."
        )
    return f"On {on} the sun came to {least:.0f}° from straight ahead: glare is possible."


def _bar(leg: LegAssessment) -> str:
    """A leg's interval of speeds as a bar against the published maximum speeds."""
    wide = 150.0

    def x(kmh: float) -> float:
        return round(min(max(kmh, 0.0), BAR_LIMIT_KMH) / BAR_LIMIT_KMH * wide, 1)

    parts = [f'<rect x="0" y="7" width="{wide}" height="2" fill="#d4dbe2"/>']
    if leg.limit_kmh:
        low, high = (x(v) for v in leg.limit_kmh)
        parts.append(
            f'<rect x="{low}" y="0" width="{round(wide - low, 1)}" height="16" fill="#b3261e" '
            'fill-opacity="0.10"/>'
            f'<rect x="{high}" y="0" width="{round(wide - high, 1)}" height="16" fill="#b3261e" '
            'fill-opacity="0.12"/>'
        )
    color = {"within": "#1a7f4b", "partly": "#b25600", "above": "#b3261e"}.get(
        leg.outcome, "#5a6472"
    )
    low, high = x(leg.speed_kmh.low), x(leg.speed_kmh.high)
    parts.append(
        f'<rect x="{low}" y="4" width="{max(round(high - low, 1), 1.5)}" height="8" '
        f'fill="{color}"/><rect x="{x(leg.speed_kmh.stated)}" y="1" width="1.8" height="14" '
        'fill="#1d2733"/>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide:.0f}" height="16" '
        f'viewBox="0 0 {wide:.0f} 16" aria-hidden="true">{"".join(parts)}</svg>'
    )


# ---- maps


def _routes(view: View) -> list[Route]:
    routes = []
    for index, path in enumerate(_drawn(view)):
        subject = view.incident.subject(path.subject_id).name
        routes.append(
            Route(
                key=f"r{index}",
                label=f"{subject}: reconstruction of the account of {view.short[path.party_id]}",
                color=PALETTE[index % len(PALETTE)],
                points=[(p.lat_deg, p.lon_deg) for p in path.points],
                bands=tuple(
                    (
                        f"possible positions between {b.from_claim} and {b.to_claim}",
                        b.begin.timestamp(),
                        b.end.timestamp(),
                        b.rings,
                    )
                    for b in path.bands
                ),
                ticks=tuple(_ticks(view, path)),
            )
        )
    return routes


def _ticks(view: View, path: Reconstruction) -> list[tuple[str, float, float]]:
    ticks = []
    for claim_id, moment in path.crossings:
        near = min(path.points, key=lambda p: abs(p.time - moment))
        claim = view.incident.claim(claim_id)
        time = claim.time
        label = say_time(time, view.incident.time_zone) if time and not time.interval else ""
        ticks.append((label, near.lat_deg, near.lon_deg))
    return ticks


def _drawn(view: View) -> list[Reconstruction]:
    """The reconstructions a map can show: those whose account says roughly where they were.

    A path between two crossings of a long edge, with no more said, could lie anywhere along it.
    """
    kept = []
    for path in view.assessment.reconstructions:
        wide_deg = [
            max(lat for lat, _ in points) - min(lat for lat, _ in points)
            for points in ([p for ring in band.rings for p in ring] for band in path.bands)
            if points
        ]
        if path.points and (not wide_deg or min(wide_deg) < _VAGUE_DEG):
            kept.append(path)
    return kept


def _maps(view: View, routes: list[Route]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The maps (the whole, then the smallest zone's neighbourhood), and the slider's data."""
    rings = zone_rings(view.material)
    shapes = _shapes(view, rings) + _range_shapes(view)
    marks = [
        Mark("place", p.name, lat, lon) for p in view.incident.places for lat, lon in p.points[:1]
    ]
    marks += [
        Mark("claim", f"{words} ({claim.claim_id})", lat, lon, view.attribute(claim))
        for claim, words, lat, lon in claimed_positions(view.incident)
    ]
    maps: list[dict[str, Any]] = []
    timed = [[(p.time, p.lat_deg, p.lon_deg) for p in path.points] for path in _drawn(view)]
    slider: dict[str, Any] = {
        "begin": min((t[0][0].timestamp() for t in timed), default=0.0),
        "end": max((t[-1][0].timestamp() for t in timed), default=0.0),
        "clocks": [[view.city(z), z] for z in view.clocks],
        "routes": [{"key": r.key, "label": r.label, "color": r.color, "maps": {}} for r in routes],
    }
    for name, frame, caption in _frames(view, shapes, marks, routes):
        title = f"{view.incident.title}: {caption}"
        svg = draw_map(frame, shapes, routes, marks, title, name)
        maps.append({"svg": svg, "caption": caption})
        for one, points in zip(slider["routes"], timed, strict=True):
            one["maps"][name] = route_frames(frame, points)
    return maps, slider


def _shapes(view: View, rings: dict[str, list[Any]]) -> list[ZoneShape]:
    """The zones to draw; one shape for zones that have the very same boundary."""
    names: dict[str, list[str]] = {}
    for zone_id, one in rings.items():
        names.setdefault(repr(one), []).append(zone_id)
    return [
        ZoneShape(
            same[0],
            " / ".join(view.zone_name(zone_id) for zone_id in same),
            view.material.zones[same[0]].kind,
            tuple(rings[same[0]]),
        )
        for same in names.values()
    ]


def _range_shapes(view: View) -> list[ZoneShape]:
    """Published ranges: a circle for the least figure and one for the greatest."""
    from adiz.geo import direct

    shapes = []
    for one in view.material.circumstances.rings:
        circles = [
            tuple(
                direct(one.lat_deg, one.lon_deg, azimuth, radius_m) for azimuth in range(0, 360, 2)
            )
            for radius_m in dict.fromkeys((one.least_m, one.greatest_m))
        ]
        label = f"published range, {one.what}"
        shapes.append(ZoneShape(one.what, label, "range", tuple(circles)))
    return shapes


def _frames(
    view: View, shapes: list[ZoneShape], marks: list[Mark], routes: list[Route]
) -> list[tuple[str, Any, str]]:
    everything = [p for s in shapes if s.kind != "range" for ring in s.rings for p in ring]
    everything += [(m.lat_deg, m.lon_deg) for m in marks]
    everything += [p for r in routes for p in r.points]
    whole = frame_about(everything, 0.03)
    if whole is None:
        return []
    paths = "; dashed lines are reconstructions, pale areas where the aircraft may have been"
    drawn = paths if routes else ""
    frames = [("map-whole", whole, f"Zones, places and what the accounts imply{drawn}.")]
    near = [p for s in shapes if s.kind == "territorial" for ring in s.rings for p in ring]
    close = frame_about(near, 1.1)
    if close and close.scale > 2.5 * whole.scale:
        names = " and ".join(s.label for s in shapes if s.kind == "territorial")
        frames.append(("map-close", close, f"The surroundings of the {names}{drawn}."))
    return frames
