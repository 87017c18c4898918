"""ASTERIX against independent decoders: decoded text beside the captures, libasterix, pyproj."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from pyproj import Geod, Transformer

from adiz.sources import asterix_items as items
from adiz.sources.asterix import Asterix
from adiz.sources.asterix_fields import sighting
from adiz.sources.pcap import is_pcap, packets
from adiz.sources.site import Site, place

_M_PER_NM = 1852.0


def _sightings(path: Path, category: int) -> list[Any]:
    found = []
    for packet in packets(path.read_bytes()):
        for number, body in items.split_blocks(packet.payload):
            if number == category:
                found += [sighting(number, r) for r in items.split_records(number, body)]
    return found


def _decoded_text(path: Path) -> list[dict[str, str]]:
    """Records of CAT 048 in the text: item and line -> value."""
    records: list[dict[str, str]] = []
    category, item = "", ""
    for line in path.read_text(errors="replace").splitlines():
        if line.startswith("Category:"):
            category = line.split()[1]
        elif line.startswith("Data Record"):
            records.append({"category": category})
        elif line.startswith("Item "):
            item = line.split()[1]
            records[-1][item] = ""
        elif line.startswith("\t") and ":" in line:
            name, _, value = line.strip().partition(": ")
            records[-1].setdefault(f"{item} {name}", value)
    return [r for r in records if r["category"] == "48"]


def _number(text: str | None, *, inner: bool = True) -> float | None:
    """The number in brackets, which is in units; else the first."""
    if text is None:
        return None
    found = re.search(r"\((-?[\d.]+)" if inner else r"(-?[\d.]+)", text)
    return float(found[1]) if found else None


def test_radar_fields_are_those_of_the_decoded_text(captures: Path) -> None:
    theirs = _decoded_text(captures / "asterix" / "cat_034_048.txt")
    ours = _sightings(captures / "asterix" / "cat_034_048.pcap", 48)
    # The text decodes the capture twice over.
    assert len(ours) > 60
    assert len(theirs) % len(ours) == 0
    for seen, text in zip(ours, theirs, strict=False):
        row = seen.row
        near = {"abs": 1e-6}
        assert seen.sensor == (
            int(text["010 System Area Code"]),
            int(text["010 System Identification Code"]),
        )
        assert seen.day_s == pytest.approx(_number(text["140 Time Of Day"]), abs=1e-7)
        number = _number(text.get("161 Track Number"), inner=False)
        assert seen.number == number
        address = text.get("220 AircraftAddress")
        assert seen.address == (int(address, 16) if address else 0)
        name = text.get("240 Characters 1-8 (coded on 6 bits each) defining target identification")
        assert row["callsign"] == ((name or "").strip() or None)
        assert row["squawk"] == text.get("070 Mode-3/A reply code")
        level = _number(text.get("090 FlightLevel"))
        assert row.get("alt_baro_ft") == (None if level is None else level * 100)
        speed = _number(text.get("200 Calculated groundspeed"))
        assert row.get("gs_kt") == (None if speed is None else pytest.approx(speed, **near))
        heading = _number(text.get("200 Calculated heading"))
        track = row.get("track_true_deg")
        assert track == (None if heading is None else pytest.approx(heading, **near))
        distance = _number(text.get("040 RHO"))
        if distance is None:
            assert seen.polar is None
        else:
            assert seen.polar == (
                pytest.approx(distance * _M_PER_NM, abs=0.1),
                pytest.approx(_number(text["040 THETA"]), **near),
            )
        status = _number(text.get("230 STAT"), inner=False)
        assert row.get("on_ground") == ({0: False, 1: True}[int(status)] if "230" in text else None)


def test_tracker_fields_are_those_of_the_decoded_json(captures: Path) -> None:
    lines = (captures / "asterix" / "cat_062_065_json.txt").read_text().splitlines()
    theirs = [r["CAT062"] for r in map(json.loads, filter(None, lines)) if r["cat"] == 62]
    ours = _sightings(captures / "asterix" / "cat_062_065.pcap", 62)
    assert len(ours) == len(theirs) == 2
    for seen, other in zip(ours, theirs, strict=True):
        row = seen.row
        assert seen.sensor == (other["I010"]["SAC"], other["I010"]["SIC"])
        assert seen.day_s == pytest.approx(other["I070"]["ToT"], abs=1e-7)
        assert row["lat_deg"] == pytest.approx(other["I105"]["Lat"], abs=1e-7)
        assert row["lon_deg"] == pytest.approx(other["I105"]["Lon"], abs=1e-7)
        speed = math.hypot(other["I185"]["Vx"], other["I185"]["Vy"])
        assert row["gs_kt"] == pytest.approx(speed * 3600 / _M_PER_NM)
        direction = math.degrees(math.atan2(other["I185"]["Vx"], other["I185"]["Vy"])) % 360
        assert row["track_true_deg"] == pytest.approx(direction)
        assert row["squawk"] == other["I060"]["Mode3A"]
        assert seen.address == int(other["I380"]["ADR"]["ADR"], 16)
        assert row["callsign"] == other["I380"]["ID"]["ACID"].strip()
        assert row["on_ground"] is (other["I380"]["COM"]["STAT"] == 1)
        assert seen.number == other["I040"]["TrkN"]
        assert row["alt_baro_ft"] == other["I136"]["MFL"]
        assert row["alt_geom_ft"] == other["I130"]["Alt"]
        assert row["vrate_fpm"] == other["I220"]["RoC"]


def test_the_other_categories_are_skipped_and_counted(captures: Path) -> None:
    decoder = Asterix({None: Site(43.0, 16.0, 100.0)})
    for packet in packets((captures / "asterix" / "cat_034_048.pcap").read_bytes()):
        decoder.step(packet.payload, packet.time_us)
    assert dict(decoder.skipped) == {34: 34}
    assert set(decoder.rejected) <= {"missing position"}


def test_a_radar_that_tells_its_own_place_needs_no_site(captures: Path) -> None:
    """I034/120 of sensor 25/12, as the text decodes it; it is the three-dimensional radar."""
    import adiz

    reports = adiz.read(captures / "asterix" / "cat_034_048.pcap")
    assert reports.table.height == 38
    assert reports.rejected_counts["no site of its radar is known"] == 88
    assert "25/201" in " ".join(reports.notes)


def _along_the_ray(site: Site, range_m: float, azimuth_deg: float, height_m: float) -> Any:
    """The same by other means: pyproj's geocentric frame, bisection on the elevation."""
    frame = (
        f"+proj=pipeline +step +proj=cart +ellps=WGS84 +step +proj=topocentric +ellps=WGS84 "
        f"+lon_0={site.lon_deg} +lat_0={site.lat_deg} +h_0={site.height_m}"
    )
    back = Transformer.from_pipeline(frame)
    low, high = -0.3, math.pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        flat = range_m * math.cos(middle)
        azimuth = math.radians(azimuth_deg)
        lon, lat, height = back.transform(
            flat * math.sin(azimuth),
            flat * math.cos(azimuth),
            range_m * math.sin(middle),
            direction="INVERSE",
        )
        low, high = (middle, high) if height < height_m else (low, middle)
    return lat, lon


@pytest.mark.parametrize("height_m", [0.0, 3000.0, 11_000.0])
@pytest.mark.parametrize("range_nm", [8.0, 60.0, 130.0, 250.0])
def test_radar_positions_are_those_of_pyproj(range_nm: float, height_m: float) -> None:
    geod = Geod(ellps="WGS84")
    for site in (Site(43.571, 16.406, 780), Site(-72.0, 179.9, 2000), Site(0.0, 0.0, 0.0)):
        for azimuth in (0.0, 77.0, 180.0, 301.5):
            ours = place(site, range_nm * _M_PER_NM, azimuth, height_m)
            theirs = _along_the_ray(site, range_nm * _M_PER_NM, azimuth, height_m)
            _, _, apart_m = geod.inv(ours[1], ours[0], theirs[1], theirs[0])
            assert apart_m < 1.0


def test_radar_positions_lie_where_the_radar_itself_puts_them(captures: Path) -> None:
    """I048/042 is the radar's own projection: the same bearing, slant range uncorrected."""
    site = Site(2030557 * 180 / 2**23, 764578 * 180 / 2**23, 780)
    geod = Geod(ellps="WGS84")
    checked = 0
    for packet in packets((captures / "asterix" / "cat_034_048.pcap").read_bytes()):
        for number, body in items.split_blocks(packet.payload):
            for held in items.split_records(number, body) if number == 48 else ():
                if "042" not in held or held["010"] != bytes((25, 12)):
                    continue
                seen = sighting(48, held)
                assert seen.polar is not None
                lat, lon = place(site, *seen.polar, seen.height_m or 0.0)
                x, y = (int.from_bytes(held["042"][i : i + 2], "big", signed=True) for i in (0, 2))
                azimuth, _, _ = geod.inv(site.lon_deg, site.lat_deg, lon, lat)
                assert azimuth % 360 == pytest.approx(math.degrees(math.atan2(x, y)) % 360, abs=0.1)
                checked += 1
    assert checked > 20


def _rule(variation: Any) -> Any:
    """A rule of libasterix in our terms."""
    import asterix.base as base

    if issubclass(variation, base.Element | base.Group):
        return variation.cv_bit_size // 8
    if issubclass(variation, base.Extended):
        first = variation.cv_items_list[0]
        return items.Parts(sum(1 if part is None else part[1] for part in first) // 8)
    if issubclass(variation, base.Repetitive):
        size = variation.cv_variation.cv_bit_size
        return (
            items.Parts((size + 1) // 8)
            if not variation.cv_rep_bytes
            else items.Repeated(size // 8)
        )
    if issubclass(variation, base.Explicit):
        return items.Explicit()
    fields = (0 if f is None else _rule(_variation(f.cv_rule)) for f in variation.cv_items_list)
    return items.Compound(tuple(fields))


def _variation(rule: Any) -> Any:
    return rule.cv_variation if hasattr(rule, "cv_variation") else rule.cv_default_variation


@pytest.mark.parametrize(
    ("category", "edition"), [(21, (2, 1)), (21, (2, 7)), (34, (1, 29)), (48, (1, 27)),
                              (48, (1, 32)), (62, (1, 17)), (62, (1, 21))],
)  # fmt: skip
def test_lengths_are_those_of_the_published_specifications(
    category: int, edition: tuple[int, int]
) -> None:
    generated = pytest.importorskip("asterix.generated", reason="libasterix is not installed")
    import asterix.base as base

    spec = next(s for s in generated.manifest["CATS"][category] if s.cv_edition == edition)
    theirs: list[tuple[str, Any]] = []
    for item in spec.cv_uap.cv_record.cv_items_list:
        if issubclass(item, base.UapItem):
            field = item.cv_non_spare
            theirs.append((field.cv_name, _rule(_variation(field.cv_rule))))
        else:
            theirs.append(("", 0))
    assert theirs == list(items.PROFILES[category])


@pytest.mark.parametrize(
    "name", ["cat21_re.ast", "cat048.raw", "cat062cat065.raw", "cat_034_048.pcap"]
)
def test_every_item_of_every_record_is_that_of_libasterix(captures: Path, name: str) -> None:
    generated = pytest.importorskip("asterix.generated", reason="libasterix is not installed")
    import asterix.base as base

    data = (captures / "asterix" / name).read_bytes()
    payloads = [p.payload for p in packets(data)] if is_pcap(data) else [data]
    compared = 0
    for payload in payloads:
        theirs = base.RawDatablock.parse(base.Bits.from_bytes(payload))
        for (category, body), other in zip(items.split_blocks(payload), theirs, strict=True):
            if category not in items.PROFILES:
                continue
            spec = generated.manifest["CATS"][category][-1]
            records = spec.cv_uap.parse(other.get_raw_records())
            for held, record in zip(items.split_records(category, body), records, strict=True):
                for item in spec.cv_uap.cv_record.cv_items_dict:
                    field = record.get_item(item)
                    assert held.get(item) == (field and field.unparse().to_bytes())
                if category == 21:
                    _check_ads_b(sighting(21, held), record)
                compared += 1
    assert compared > 0


def _check_ads_b(seen: Any, record: Any) -> None:
    def quantity(item: str, part: str | None = None) -> float:
        variation = record.get_item(item).variation
        if part:
            variation = variation.get_item(part).variation
        return float(variation.content.as_quantity())

    assert seen.row["lat_deg"] == quantity("130", "LAT")
    assert seen.row["lon_deg"] == quantity("130", "LON")
    assert seen.address == record.get_item("080").as_uint()
    assert seen.day_s == pytest.approx(quantity("073"), abs=1 / 128)
