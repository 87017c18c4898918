"""The AIXM reader on small documents of our own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from adiz.errors import ZoneError
from adiz.geo import inverse
from adiz.zones.load import read_zones
from adiz.zones.model import Arc, Circle, Vertex, Zones
from adiz.zones.rings import dense_rings

SQUARE = "<gml:posList>10 20 10 21 11 21 11 20 10 20</gml:posList>"
LAT_LON = 'srsName="urn:ogc:def:crs:EPSG::4326"'
LON_LAT = 'srsName="urn:ogc:def:crs:OGC:1.3:CRS84"'


def ring(*segments: str, name: str = "exterior") -> str:
    curve = f"<gml:Curve gml:id='c'><gml:segments>{''.join(segments)}</gml:segments></gml:Curve>"
    return (
        f"<gml:{name}><gml:Ring><gml:curveMember>{curve}</gml:curveMember></gml:Ring></gml:{name}>"
    )


def geodesic(points: str = SQUARE) -> str:
    return f"<gml:GeodesicString>{points}</gml:GeodesicString>"


def arc(center: str, radius: float, start: float, end: float) -> str:
    return (
        f'<gml:ArcByCenterPoint numArc="1"><gml:pos>{center}</gml:pos>'
        f'<gml:radius uom="[nmi_i]">{radius}</gml:radius>'
        f'<gml:startAngle uom="deg">{start}</gml:startAngle>'
        f'<gml:endAngle uom="deg">{end}</gml:endAngle></gml:ArcByCenterPoint>'
    )


def volume(shape: str, srs: str = LAT_LON, lower: str = "GND", upper: str = "95") -> str:
    return (
        "<aixm:geometryComponent><aixm:AirspaceGeometryComponent><aixm:theAirspaceVolume>"
        f'<aixm:AirspaceVolume><aixm:upperLimit uom="FL">{upper}</aixm:upperLimit>'
        "<aixm:upperLimitReference>STD</aixm:upperLimitReference>"
        f'<aixm:lowerLimit uom="FT">{lower}</aixm:lowerLimit>'
        "<aixm:lowerLimitReference>SFC</aixm:lowerLimitReference>"
        f"<aixm:horizontalProjection><aixm:Surface {srs}><gml:patches><gml:PolygonPatch>{shape}"
        "</gml:PolygonPatch></gml:patches></aixm:Surface></aixm:horizontalProjection>"
        "</aixm:AirspaceVolume></aixm:theAirspaceVolume></aixm:AirspaceGeometryComponent>"
        "</aixm:geometryComponent>"
    )


def time_slice(
    body: str, begin: str = "2020-01-01T00:00:00", kind: str = "BASELINE", n: int = 1
) -> str:
    return (
        "<aixm:timeSlice><aixm:AirspaceTimeSlice><gml:validTime><gml:TimePeriod>"
        f"<gml:beginPosition>{begin}</gml:beginPosition>"
        '<gml:endPosition indeterminatePosition="unknown"/>'
        f"</gml:TimePeriod></gml:validTime><aixm:interpretation>{kind}</aixm:interpretation>"
        f"<aixm:sequenceNumber>{n}</aixm:sequenceNumber><aixm:type>R</aixm:type>"
        f"<aixm:designator>EDR1</aixm:designator><aixm:name>TEST</aixm:name>{body}"
        "</aixm:AirspaceTimeSlice></aixm:timeSlice>"
    )


def document(*slices: str, version: str = "5.1", more: str = "") -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<message:AIXMBasicMessage '
        f'xmlns:message="http://www.aixm.aero/schema/{version}/message" '
        f'xmlns:aixm="http://www.aixm.aero/schema/{version}" '
        'xmlns:gml="http://www.opengis.net/gml/3.2" xmlns:xlink="http://www.w3.org/1999/xlink">\n'
        f"<message:hasMember>\n<aixm:Airspace gml:id='a'>\n{''.join(slices)}\n</aixm:Airspace>"
        f"</message:hasMember>{more}</message:AIXMBasicMessage>"
    )


@pytest.fixture
def read(tmp_path: Path):
    def reader(text: str, **settings: bool) -> Zones:
        path = tmp_path / "space.xml"
        path.write_text(text, encoding="utf-8")
        return read_zones(path, **settings)

    return reader


@pytest.mark.parametrize("version", ["5.1", "5.1.1"])
def test_an_airspace_in_full(read, version: str) -> None:
    (zone,) = read(document(time_slice(volume(ring(geodesic()))), version=version))
    assert (zone.zone_id, zone.name, zone.kind) == ("EDR1", "TEST", "restricted")
    assert (str(zone.floor), str(zone.ceiling)) == ("SFC", "FL095")
    assert zone.valid_from == datetime(2020, 1, 1, tzinfo=UTC)
    assert zone.valid_to is None
    assert zone.rings[0].parts[:2] == (Vertex(10, 20, "geodesic"), Vertex(10, 21, "geodesic"))


def test_axis_order_follows_srs_name(read) -> None:
    swapped = SQUARE.replace("10 20 10 21 11 21 11 20 10 20", "20 10 21 10 21 11 20 11 20 10")
    (one,) = read(document(time_slice(volume(ring(geodesic())))))
    (two,) = read(document(time_slice(volume(ring(geodesic(swapped)), LON_LAT))))
    assert one.rings == two.rings


def test_lines_straight_in_the_chart_are_planar_and_holes_are_kept(read) -> None:
    inner = "<gml:posList>10.4 20.4 10.4 20.6 10.6 20.6 10.4 20.4</gml:posList>"
    shape = ring(f"<gml:LineStringSegment>{SQUARE}</gml:LineStringSegment>") + (
        f"<gml:interior><gml:LinearRing>{inner}</gml:LinearRing></gml:interior>"
    )
    (zone,) = read(document(time_slice(volume(shape))))
    assert zone.rings[0].parts[0] == Vertex(10, 20, "planar")
    assert [r.hole for r in zone.rings] == [False, True]


def test_arcs_turn_by_the_order_of_their_angles(read) -> None:
    for start, end, clockwise in ((0, 90, True), (90, 0, False), (350, 370, True)):
        first = arc("10 20", 10, start, end)
        (zone,) = read(document(time_slice(volume(ring(first, _spokes(start, end))))))
        found = zone.rings[0].parts[0]
        assert isinstance(found, Arc)
        assert found.clockwise is clockwise
        distance_m, azimuth_deg, _ = inverse(10, 20, found.start_lat_deg, found.start_lon_deg)
        assert distance_m == pytest.approx(18_520, abs=0.01)
        assert azimuth_deg % 360 == pytest.approx(start % 360, abs=1e-6)
        assert len(dense_rings(zone)) == 1


def _spokes(start: float, end: float) -> str:
    from adiz.geo import direct

    a, b = direct(10, 20, end, 18_520), direct(10, 20, start, 18_520)
    return geodesic(
        f"<gml:pos>{a[0]!r} {a[1]!r}</gml:pos><gml:pos>10 20</gml:pos>"
        f"<gml:pos>{b[0]!r} {b[1]!r}</gml:pos>"
    )


def test_angles_from_east_with_crs84(read) -> None:
    (zone,) = read(document(time_slice(volume(ring(arc("20 10", 10, 0, 180), _chord()), LON_LAT))))
    found = zone.rings[0].parts[0]
    assert not found.clockwise
    assert found.start_lon_deg > 20 > found.end_lon_deg


def _chord() -> str:
    from adiz.geo import direct

    west, east = direct(10, 20, 270, 18_520), direct(10, 20, 90, 18_520)
    return geodesic(
        f"<gml:pos>{west[1]!r} {west[0]!r}</gml:pos><gml:pos>{east[1]!r} {east[0]!r}</gml:pos>"
    )


def test_circles(read) -> None:
    circle = (
        "<gml:CircleByCenterPoint numArc='1'><gml:pos>10 20</gml:pos>"
        "<gml:radius uom='KM'>5</gml:radius></gml:CircleByCenterPoint>"
    )
    (zone,) = read(document(time_slice(volume(ring(circle)))))
    assert zone.rings[0].parts == (Circle(10, 20, 5000.0),)


def test_a_border_referenced_within_the_file(read) -> None:
    border = (
        "<message:hasMember><aixm:GeoBorder gml:id='b'><aixm:Curve gml:id='line' "
        f"{LAT_LON}><gml:segments><gml:GeodesicString><gml:posList>11 21 11.2 20.5 11 20"
        "</gml:posList></gml:GeodesicString></gml:segments></aixm:Curve></aixm:GeoBorder>"
        "</message:hasMember>"
    )
    coast = (
        "<gml:exterior><gml:Ring><gml:curveMember><gml:Curve gml:id='c'><gml:segments>"
        f"{geodesic('<gml:posList>11 20 10 20 10 21 11 21</gml:posList>')}</gml:segments>"
        "</gml:Curve></gml:curveMember><gml:curveMember xlink:href='#{}'/>"
        "</gml:Ring></gml:exterior>"
    )
    for target in ("line", "b"):
        (zone,) = read(document(time_slice(volume(coast.format(target))), more=border))
        assert len(zone.rings[0].parts) == 5
    with pytest.raises(ZoneError, match="'#gone' leads to no curve of this file"):
        read(document(time_slice(volume(coast.format("gone"))), more=border))


def test_baselines_in_sequence_are_versions(read) -> None:
    body = volume(ring(geodesic()))
    zones = read(document(time_slice(body), time_slice(body, "2021-01-01T00:00:00Z", n=2)))
    assert [z.zone_id for z in zones] == ["EDR1-2020-01-01", "EDR1-2021-01-01"]
    assert {z.version_of for z in zones} == {"EDR1"}


@pytest.mark.parametrize(
    ("body", "kind", "cause"),
    [
        (volume(ring(geodesic()), srs=""), "BASELINE", "no srsName"),
        (volume(ring(geodesic()), srs='srsName="EPSG:3857"'), "BASELINE", "not supported"),
        (volume(ring(geodesic())), "TEMPDELTA", "temporary change"),
        (volume(ring(geodesic("<gml:posList>1 2 3</gml:posList>"))), "BASELINE", "not a list"),
        (volume(ring(geodesic()), lower="deep"), "BASELINE", "not a height"),
        (volume(ring(geodesic()), lower="20000"), "BASELINE", "is above its ceiling"),
        (
            volume(ring(geodesic("<gml:posList>10 20 10 21 12 21</gml:posList>"))),
            "BASELINE",
            "not closed",
        ),
        (volume(ring("<gml:Arc/>")), "BASELINE", "a Arc is not supported"),
        ("", "BASELINE", "no geometry"),
    ],
)
def test_faults_have_a_line(read, body: str, kind: str, cause: str) -> None:
    with pytest.raises(ZoneError) as caught:
        read(document(time_slice(body, kind=kind)))
    (fault,) = caught.value.faults
    assert cause in fault.message
    assert fault.line == 5


def test_entities_and_other_xml_are_refused(read) -> None:
    bomb = (
        '<?xml version="1.0"?><!DOCTYPE k [<!ENTITY a "aaaaaaaaaa">'
        '<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><kml><name>&b;</name></kml>'
    )
    with pytest.raises(ZoneError, match="DOCTYPE, which is refused"):
        read(bomb)
    with pytest.raises(ZoneError, match=r"neither AIXM 5\.1 nor 5\.1\.1 nor KML"):
        read("<html/>")
    with pytest.raises(ZoneError) as caught:
        read(document(time_slice(volume(ring(geodesic()))))[:900])
    assert caught.value.faults[0].line == 5


def test_references_that_multiply_are_stopped(read) -> None:
    levels = [
        f"<gml:CompositeCurve gml:id='n{k}'>"
        + 30 * f"<gml:curveMember xlink:href='#n{k + 1}'/>"
        + "</gml:CompositeCurve>"
        for k in range(6)
    ]
    last = (
        f"<gml:LineString gml:id='n6' {LAT_LON}><gml:posList>1 2 1 3</gml:posList></gml:LineString>"
    )
    shape = "<gml:exterior><gml:Ring><gml:curveMember xlink:href='#n0'/></gml:Ring></gml:exterior>"
    with pytest.raises(ZoneError, match="without end"):
        read(document(time_slice(volume(shape)), more="".join([*levels, last])))
