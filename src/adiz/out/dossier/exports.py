"""A dossier for programs: JSON of everything, GeoJSON, KML, and ClaimReview as JSON-LD.

Text of the incident file is data in each of them. ``<``, ``>`` and ``&`` are written as ``\\u003c``
and so on in JSON, so that it can stand within a page; a KML viewer shows descriptions as HTML, so
there the text is escaped once for XML and once for HTML.
"""

from __future__ import annotations

import json
import math
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from html import escape
from typing import Any

from adiz.incidents.model import Claim
from adiz.incidents.surroundings import claimed_positions
from adiz.out.dossier.view import Material, View

RECONSTRUCTION = "reconstruction: one path that fits the account, not a recorded track"


def to_json(value: Any) -> str:
    """JSON that may stand within a page; same value, same text."""
    text = json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text + "\n"


def plain(value: Any) -> Any:
    """Dataclasses, times and infinities as what JSON has; an infinity is the text "infinite"."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return ("infinite" if value > 0 else "-infinite") if math.isinf(value) else value
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, (set, frozenset)):
        return sorted(plain(one) for one in value)
    return value


def format_time(moment: datetime) -> str:
    """ISO 8601, UTC; to the second where it has no fraction."""
    text = moment.astimezone(UTC).isoformat()
    return text.replace("+00:00", "Z")


def dossier_json(material: Material) -> str:
    """Everything in the dossier, as JSON."""
    incident = plain(material.incident)
    del incident["file"]  # where it lay when it was read is no part of the incident
    return to_json(
        {
            "what": "dossier of an incident: what each party says, and what was worked out from it",
            "program": f"adiz {material.version}",
            "inputs": material.inputs,
            "parameters": plain(material.parameters),
            "incident": incident,
            "assessment": plain(material.assessment),
            "circumstances": plain(material.circumstances),
            "response_totals": plain(material.totals),
            "tallies": plain(material.tallies),
            "evidence": plain(material.evidence),
        }
    )


# ---- GeoJSON


def geojson(view: View) -> str:
    """Zones, places, claimed positions, reconstructions and their bands (RFC 7946)."""
    return to_json({"type": "FeatureCollection", "features": list(_features(view))})


def _features(view: View) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for zone_id, rings in zone_rings(view.material).items():
        zone = view.material.zones[zone_id]
        found.append(
            _feature(
                _polygons(rings),
                what="zone",
                name=zone.name,
                zone_id=zone_id,
                kind=zone.kind,
                claimants=list(zone.claimants),
                source=zone.source,
                confidence=zone.confidence,
            )
        )
    for place in view.incident.places:
        points = [[_round(lon), _round(lat)] for lat, lon in place.points]
        geometry: dict[str, Any] = {"type": "MultiPoint", "coordinates": points}
        found.append(_feature(geometry, what="place", name=place.name, source=place.source))
    for claim, words, lat, lon in claimed_positions(view.incident):
        geometry = {"type": "Point", "coordinates": [_round(lon), _round(lat)]}
        found.append(
            _feature(
                geometry,
                what="place a party claims",
                name=f"{claim.claim_id}: {words}",
                claim_id=claim.claim_id,
                says=view.attribute(claim),
            )
        )
    for path in view.assessment.reconstructions:
        about = {"party": path.party_id, "subject": path.subject_id, "claims": list(path.claims)}
        line = [[_round(p.lon_deg), _round(p.lat_deg)] for p in path.points]
        if len(line) > 1:
            found.append(
                _feature(
                    {"type": "LineString", "coordinates": line},
                    what=RECONSTRUCTION,
                    **about,
                    left_out=list(path.left_out),
                    times=[format_time(p.time) for p in path.points],
                    speeds_kmh=[round(p.speed_kmh, 1) for p in path.points],
                    note=path.sentence,
                )
            )
        found += [
            _feature(
                _polygons(band.rings),
                what="band of possible positions",
                **about,
                begin=format_time(band.begin),
                end=format_time(band.end),
            )
            for band in path.bands
        ]
    return found


def _feature(geometry: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def _polygons(rings: Any) -> dict[str, Any]:
    coordinates = [
        [[[_round(lon), _round(lat)] for lat, lon in ring] for ring in polygon]
        for polygon in polygon_parts(rings)
    ]
    return {"type": "MultiPolygon", "coordinates": coordinates}


def polygon_parts(rings: Any) -> list[list[list[tuple[float, float]]]]:
    """Rings under the even-odd rule as polygons: outer ring anticlockwise, then its holes; closed.

    Points are latitude, longitude.
    """
    from shapely import Polygon
    from shapely.geometry.polygon import orient

    area: Any = Polygon()
    for ring in rings:
        area = area.symmetric_difference(Polygon([(lon, lat) for lat, lon in ring]).buffer(0))
    parts = []
    for part in getattr(area, "geoms", [area]):
        if part.geom_type == "Polygon" and not part.is_empty:
            turned = orient(part)
            lines = [turned.exterior, *turned.interiors]
            parts.append([[(lat, lon) for lon, lat in line.coords] for line in lines])
    return parts


def _round(degrees: float) -> float:
    return round(degrees, 6)


def zone_rings(material: Material, tolerance_m: float = 20.0) -> dict[str, list[Any]]:
    """The rings (latitude, longitude) of each zone the incident names that has a boundary."""
    from adiz.zones.rings import dense_rings

    found: dict[str, list[Any]] = {}
    for zone_id in material.incident.zones:
        zone = material.zones[zone_id]
        if zone.rings:
            arrays = dense_rings(zone, tolerance_m, planar=True)
            found[zone_id] = [list(zip(a[::2], a[1::2], strict=True)) for a in arrays]
    return found


# ---- KML


def kml(view: View) -> str:
    """The same as the GeoJSON, for map viewers; reconstructions as tracks with times."""
    folders = [
        "".join(_kml_zones(view)),
        "".join(_kml_places(view)),
        "".join(_kml_paths(view)),
    ]
    names = ("Zones", "Places, and places that parties claim", "Reconstructions")
    body = "".join(
        f"<Folder><name>{_xml(name)}</name>\n{content}</Folder>\n"
        for name, content in zip(names, folders, strict=True)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<kml xmlns="http://www.opengis.net/kml/2.2" '
        'xmlns:gx="http://www.google.com/kml/ext/2.2"><Document>\n'
        f"<name>{_xml(view.incident.title)}</name>\n"
        '<Style id="zone"><LineStyle><color>ff8f4a3b</color><width>2</width></LineStyle>'
        "<PolyStyle><fill>0</fill></PolyStyle></Style>\n"
        '<Style id="band"><LineStyle><color>80005ed5</color></LineStyle>'
        "<PolyStyle><color>20005ed5</color></PolyStyle></Style>\n"
        '<Style id="path"><LineStyle><color>ff005ed5</color><width>3</width></LineStyle></Style>\n'
        f"{body}</Document></kml>\n"
    )


def _kml_zones(view: View) -> list[str]:
    found = []
    for zone_id, rings in zone_rings(view.material).items():
        zone = view.material.zones[zone_id]
        text = f"{zone.kind}. Source: {zone.source}"
        found.append(_placemark(zone.name or zone_id, text, _kml_polygons(rings), "zone"))
    return found


def _kml_places(view: View) -> list[str]:
    found = []
    for place in view.incident.places:
        points = "".join(f"<Point>{_coordinates([p])}</Point>" for p in place.points)
        found.append(_placemark(place.name, place.note, f"<MultiGeometry>{points}</MultiGeometry>"))
    for claim, words, lat, lon in claimed_positions(view.incident):
        point = f"<Point>{_coordinates([(lat, lon)])}</Point>"
        found.append(_placemark(f"{claim.claim_id}: {words}", view.attribute(claim), point))
    return found


def _kml_paths(view: View) -> list[str]:
    found = []
    for path in view.assessment.reconstructions:
        who = (
            f"{view.incident.subject(path.subject_id).name}, account of {view.short[path.party_id]}"
        )
        times = "".join(f"<when>{format_time(p.time)}</when>" for p in path.points)
        spots = "".join(
            f"<gx:coord>{_round(p.lon_deg)} {_round(p.lat_deg)} 0</gx:coord>" for p in path.points
        )
        track = f"<gx:Track>{times}{spots}</gx:Track>"
        found.append(_placemark(f"Reconstruction: {who}", path.sentence, track, "path"))
        for band in path.bands:
            span = (
                f"<TimeSpan><begin>{format_time(band.begin)}</begin>"
                f"<end>{format_time(band.end)}</end></TimeSpan>"
            )
            title = f"Possible positions: {who}, {band.from_claim} to {band.to_claim}"
            found.append(_placemark(title, "", span + _kml_polygons(band.rings), "band"))
    return found


def _placemark(name: str, description: str, body: str, style: str = "") -> str:
    link = f"<styleUrl>#{style}</styleUrl>" if style else ""
    return (
        f"<Placemark><name>{_xml(name)}</name><description>{_xml(escape(description))}"
        f"</description>{link}{body}</Placemark>\n"
    )


def _kml_polygons(rings: Any) -> str:
    polygons = []
    for outer, *holes in polygon_parts(rings):
        inner = "".join(
            f"<innerBoundaryIs><LinearRing>{_coordinates(hole)}</LinearRing></innerBoundaryIs>"
            for hole in holes
        )
        polygons.append(
            "<Polygon><tessellate>1</tessellate><outerBoundaryIs><LinearRing>"
            f"{_coordinates(outer)}</LinearRing></outerBoundaryIs>{inner}</Polygon>"
        )
    return f"<MultiGeometry>{''.join(polygons)}</MultiGeometry>"


def _coordinates(points: Any) -> str:
    text = " ".join(f"{_round(lon)},{_round(lat)},0" for lat, lon in points)
    return f"<coordinates>{text}</coordinates>"


def _xml(text: str) -> str:
    """Escaped for XML, without the characters XML 1.0 has no place for."""
    kept = "".join(c for c in text if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff"))
    return escape("".join(c for c in kept if not 0xD800 <= ord(c) <= 0xDFFF))


# ---- ClaimReview


def claim_reviews(view: View) -> str:
    """Claims and verdicts as schema.org ClaimReview (JSON-LD).

    A verdict is not a mark out of ten: the rating has words and no number.
    """
    reviews = [
        _review(view, claim) for claim in view.incident.claims if claim.claim_id in view.verdicts
    ]
    return to_json({"@context": "https://schema.org", "@graph": reviews})


def _review(view: View, claim: Claim) -> dict[str, Any]:
    verdict = view.verdicts[claim.claim_id]
    source = view.incident.source(claim.source)
    work: dict[str, Any] = {
        "@type": "CreativeWork",
        "name": source.title or source.publisher,
        "publisher": {"@type": "Organization", "name": source.publisher},
    }
    if source.address.startswith(("https://", "http://")):
        work["url"] = source.address
    elif source.address:
        work["identifier"] = source.address
    if source.language:
        work["inLanguage"] = source.language
    party = view.incident.party(claim.party)
    item: dict[str, Any] = {
        "@type": "Claim",
        "author": {
            "@type": "Person" if party.kind == "person" else "Organization",
            "name": party.name,
        },
        "appearance": work,
        "text": claim.quote or claim.derivation,
    }
    if source.date is not None and source.date.earliest is not None and not source.date.interval:
        work["datePublished"] = source.date.text
    rating = f"{verdict.among} among accounts; physics: {verdict.physics}; tracks: {verdict.tracks}"
    return {
        "@type": "ClaimReview",
        "@id": f"#claim-{claim.claim_id}",
        "claimReviewed": view.say(claim),
        "itemReviewed": item,
        "author": {"@type": "SoftwareApplication", "name": f"adiz {view.material.version}"},
        "reviewBody": verdict.reason,
        "reviewRating": {
            "@type": "Rating",
            "alternateName": rating,
            "ratingExplanation": verdict.reason,
        },
    }
