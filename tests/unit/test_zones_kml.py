"""The KML reader on small documents of our own."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adiz.errors import ZoneError
from adiz.zones.load import read_zones

RING = "<LinearRing><coordinates>{}</coordinates></LinearRing>"
SQUARE = RING.format("20,10 21,10,0 21,11 20,11 20,10")
HOLE = RING.format("20.4,10.4 20.6,10.4 20.6,10.6 20.4,10.4")
POLYGON = (
    f"<Polygon><outerBoundaryIs>{SQUARE}</outerBoundaryIs>"
    f"<innerBoundaryIs>{HOLE}</innerBoundaryIs></Polygon>"
)
DATA = (
    '<ExtendedData><Data name="lower"><value>FL100</value></Data>'
    '<SchemaData><SimpleData name="upper">UNL</SimpleData>'
    '<SimpleData name="edge">geodesic</SimpleData></SchemaData></ExtendedData>'
)


def document(*placemarks: str) -> str:
    body = "\n".join(placemarks)
    return f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document>\n{body}</Document></kml>'


def test_a_placemark_in_full(tmp_path: Path) -> None:
    path = tmp_path / "a.kml"
    span = "<TimeSpan><begin>2013-12-15</begin><end>2014</end></TimeSpan>"
    path.write_text(
        document(f'<Placemark id="z1"><name>Zone</name>{span}{DATA}{POLYGON}</Placemark>')
    )
    (zone,) = read_zones(path)
    assert (zone.zone_id, zone.name, zone.edge) == ("z1", "Zone", "geodesic")
    assert (str(zone.floor), str(zone.ceiling)) == ("FL100", "UNL")
    assert zone.valid_from == datetime(2013, 12, 15, tzinfo=UTC)
    assert zone.valid_to == datetime(2014, 1, 1, tzinfo=UTC)
    assert [ring.hole for ring in zone.rings] == [False, True]


def test_several_polygons_and_names(tmp_path: Path) -> None:
    path = tmp_path / "a.kml"
    other = POLYGON.replace("20", "40").replace("21,", "41,")
    multi = f"<MultiGeometry>{POLYGON}<MultiGeometry>{other}</MultiGeometry></MultiGeometry>"
    named = f"<Placemark><name>Z</name>{POLYGON}</Placemark>"
    path.write_text(document(f"<Placemark>{multi}</Placemark>", named, named))
    zones = read_zones(path)
    assert [zone.zone_id for zone in zones] == ["a-1", "Z", "Z #2"]
    assert len(zones["a-1"].rings) == 4


def test_kmz(tmp_path: Path) -> None:
    path = tmp_path / "a.kmz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("doc.kml", document(f"<Placemark><name>Z</name>{POLYGON}</Placemark>"))
    assert [zone.zone_id for zone in read_zones(path)] == ["Z"]
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(ZoneError, match="damaged archive"):
        read_zones(path)


@pytest.mark.parametrize(
    ("placemark", "cause"),
    [
        ("<Placemark><Point><coordinates>1,2</coordinates></Point></Placemark>", "Point has no"),
        ("<Placemark><name>x</name></Placemark>", "without a shape has no inside"),
        (
            f"<Placemark>{POLYGON.replace('20,11 20,10', '20,11')}</Placemark>",
            "not where it starts",
        ),
        (
            f"<Placemark>{POLYGON.replace('20,11', '20;11')}</Placemark>",
            "'20;11' is not a position",
        ),
        (f"<Placemark>{POLYGON.replace('20,10', '20,100')}</Placemark>", "latitude 100"),
        (f"<Placemark>{DATA.replace('FL100', 'FL')}{POLYGON}</Placemark>", "without its number"),
        ("", "no Placemark"),
    ],
)
def test_faults(tmp_path: Path, placemark: str, cause: str) -> None:
    path = tmp_path / "a.kml"
    path.write_text(document("", placemark))
    with pytest.raises(ZoneError) as caught:
        read_zones(path)
    (fault,) = caught.value.faults
    assert cause in fault.message
    assert fault.line == (3 if placemark else None)
