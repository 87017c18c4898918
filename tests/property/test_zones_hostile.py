"""Whatever bytes a file of zones holds: zones, or an error that says what is wrong."""

from __future__ import annotations

import io
import random
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adiz.cli import main
from adiz.errors import AdizError
from adiz.zones.load import read_zones

OPENAIR = b"""AC R
AN BOX * remark
AL 1500 ft AGL
AH FL100
V X=10:30:00 N 020:00:00 E
DP 10:00:00 N 020:00:00 E
V D=-
DB 10:00:00 N 020:00:00 E, 11:00:00 N 020:00:00 E
DA 20,90,180
DP 11:00:00 N 021:00:00 E
DP 10:00:00 N 020:00:00 E
AC C
AN CIRCLE
AL GND
AH UNL
V X=10:30:00 N 020:00:00 E
DC 5
"""
GEOJSON = b"""{"type": "FeatureCollection", "features": [
{"type": "Feature", "id": "a", "properties": {"lower": "FL100", "upper": {"value": 3000, "unit":
"M", "referenceDatum": "MSL"}, "edge": "parallel", "valid_from": "2013-12-15", "claimants": ["KR"]},
"geometry": {"type": "MultiPolygon", "coordinates": [[[[1, 2], [3, 2], [3, 4], [1, 2]]]]}},
{"type": "Feature", "properties": {"name": "b"}, "geometry": null, "boundary": [{"hole": false,
"parts": [[1, 2, "rhumb"], [3, 2], {"arc": {"center": [2, 3], "start": [2, 4], "end": [1, 3],
"clockwise": true}}]}, {"parts": [{"circle": {"center": [179.9, 3], "radius_m": 30000}}]}]}]}
"""
KML = b"""<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark>
<name>Z</name><TimeSpan><begin>2013-12-15</begin></TimeSpan><ExtendedData><Data name="lower">
<value>FL100</value></Data></ExtendedData><Polygon><outerBoundaryIs><LinearRing><coordinates>
20,10 21,10,0 21,11 20,11 20,10</coordinates></LinearRing></outerBoundaryIs></Polygon>
</Placemark></Document></kml>
"""
AIXM = b"""<m:AIXMBasicMessage xmlns:m="http://www.aixm.aero/schema/5.1/message"
xmlns:aixm="http://www.aixm.aero/schema/5.1" xmlns:gml="http://www.opengis.net/gml/3.2"
xmlns:xlink="http://www.w3.org/1999/xlink"><aixm:Airspace gml:id="a"><aixm:timeSlice>
<aixm:AirspaceTimeSlice><gml:validTime><gml:TimePeriod><gml:beginPosition>2020-01-01T00:00:00
</gml:beginPosition></gml:TimePeriod></gml:validTime><aixm:interpretation>BASELINE
</aixm:interpretation><aixm:designator>EDR1</aixm:designator><aixm:AirspaceGeometryComponent>
<aixm:AirspaceVolume><aixm:upperLimit uom="FL">95</aixm:upperLimit><aixm:lowerLimit uom="M">100
</aixm:lowerLimit><aixm:horizontalProjection><aixm:Surface srsName="urn:ogc:def:crs:EPSG::4326">
<gml:exterior><gml:Ring><gml:curveMember><gml:Curve gml:id="c"><gml:segments>
<gml:GeodesicString><gml:posList>11 20 10 20 10 21</gml:posList></gml:GeodesicString>
<gml:ArcByCenterPoint><gml:pos>10.5 20.5</gml:pos><gml:radius uom="NM">42.0</gml:radius>
<gml:startAngle>135.2</gml:startAngle><gml:endAngle>-44.6</gml:endAngle></gml:ArcByCenterPoint>
</gml:segments></gml:Curve></gml:curveMember></gml:Ring></gml:exterior></aixm:Surface>
</aixm:horizontalProjection></aixm:AirspaceVolume></aixm:AirspaceGeometryComponent>
</aixm:AirspaceTimeSlice></aixm:timeSlice></aixm:Airspace></m:AIXMBasicMessage>
"""


def _kmz() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("doc.kml", KML)
    return file.getvalue()


SEEDS = (OPENAIR, GEOJSON, KML, AIXM, _kmz())
TOKENS = (b"\0", b"\xff\xfe", b"nan", b"-1e999", b"1e308", b"9" * 400, b"null", b"[", b"{", b"<a>")
MORE_TOKENS = (
    b"\xed\xa0\x80",
    b'"',
    b"180",
    b"-90",
    b"&x;",
    b"#c",
    b"FL",
    b"\r",
    b",",
    b"0",
    b"\x1a",
)


def mutate(data: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 5)):
        at = chance.randrange(len(data) + 1)
        end = min(len(data), at + chance.randint(0, 12))
        token = chance.choice(
            [*TOKENS, *MORE_TOKENS, data[at:end] * 2, bytes([chance.randrange(256)])]
        )
        data = chance.choice([data[:at] + token + data[end:], data[:at] + data[end:], data[:at]])
        if not data:
            return b"x"
    return data


@given(st.sampled_from(SEEDS), st.integers(0, 2**32))
def test_only_our_own_errors_escape(
    tmp_path_factory: pytest.TempPathFactory, seed: bytes, number: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "mutant"
    path.write_bytes(mutate(seed, random.Random(number)))
    for strict in (True, False):
        try:
            zones = read_zones(path, strict=strict)
        except AdizError:
            continue
        assert len(zones) > 0


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"", "the file is empty"),
        (b" \n\n", "the file is empty"),
        (bytes(range(256)) * 64, "format is not recognised"),
        (b"PK\x03\x04" + b"\0" * 100, "damaged archive"),
        (b"[" * 100_000, "not JSON"),
        (GEOJSON[:-40], "not JSON"),
        (b'{"type": "Polygon", "coordinates": [[[1,2],[3,4],[1,2]]]}', "2 different points"),
        (b'{"type": "Topology"}', "has no inside"),
        (b"<kml>" * 5_000, "not well-formed XML"),
        (b"AC R\nDP " + b"1" * 1_000_000, "a line of 1000003 characters"),
        (b"\xff\xfeA\0C\0", "format is not recognised|not well-formed|not UTF-8"),
    ],
)
def test_hostile_files_end_with_a_message(
    tmp_path: Path, data: bytes, cause: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "zones"
    path.write_bytes(data)
    with pytest.raises(AdizError, match=cause):
        read_zones(path)
    assert main(["zones", "check", str(path)]) == 1
    assert main(["zones", "convert", str(path), "-"]) == 2
    assert "Traceback" not in capsys.readouterr().err
