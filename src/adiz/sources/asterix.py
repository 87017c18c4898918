"""ASTERIX CAT 021 (ADS-B), 048 (radar) and 062 (system tracks), from raw files and pcap.

Other categories are skipped, but for the radar's own position in CAT 034, which places the ranges
and bearings of its CAT 048 unless a site is configured. ASTERIX gives only the time of day: the
date is that of the nearest moment of the capture's clock, else of the previous record, so that
midnight passes rightly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import polars as pl

from adiz import units
from adiz.errors import Fault, ReportsError
from adiz.sources import asterix_items
from adiz.sources.asterix_fields import CATEGORIES, Sighting, sighting
from adiz.sources.asterix_items import DamageError
from adiz.sources.files import Input
from adiz.sources.pcap import Packet, is_pcap, packets
from adiz.sources.site import Sensor, Site, Sites, place
from adiz.sources.tabular import Options
from adiz.sources.values import rows_frame

_SERVICE = 34
_PIECE_OCTETS = 1 << 20
_DAY_US = 86_400 * units.US_PER_S
_REUSED_AFTER_US = 300 * units.US_PER_S
"""A track number that was silent for so long is another track's when it comes back."""
_CLOCKS_DIFFER_US = 3_600 * units.US_PER_S
_MOST_TRACKS = 100_000
_HIGHEST_M = 15_240.0
"""Where the height is not known: an aircraft is hardly above 50,000 ft."""

Row = dict[str, Any]


@dataclass(slots=True)
class _Track:
    """A track number of a sensor: when last seen, its how-manieth use, the address it has shown."""

    last_us: int
    use: int = 1
    address: int = 0
    real_address: bool = True
    ended: bool = False

    def is_over(self, time_us: int, another_begins: bool) -> bool:
        """Whether a record of this time is of another track; a copy of the last one is not."""
        if abs(time_us - self.last_us) > _REUSED_AFTER_US:
            return True
        return time_us > self.last_us and (self.ended or another_begins)


class Asterix:
    """Decodes ASTERIX as it arrives.

    Parameters:
        sites: where radars stand; what CAT 034 says of a radar that is not among them is learnt.
        start_us: midnight of the first day, microseconds since 1970, where no call of
            :meth:`step` tells when its octets were received.
        one_default: the site that stands for any is that of the first radar that needs it, and of
            no other.

    Attributes:
        rejected: how many records, or damaged rests of blocks, were rejected, by reason.
        skipped: how many blocks of other categories there were, by category.
        unplaced: sensors whose ranges and bearings could not be placed.
        by_default: sensors that were placed at the site that stands for any.
        clock_error_us: greatest difference between a record's time and when it was received.
    """

    def __init__(
        self,
        sites: Sites | None = None,
        start_us: int | None = None,
        *,
        one_default: bool = False,
    ) -> None:
        self.rejected: Counter[str] = Counter()
        self.skipped: Counter[int] = Counter()
        self.unplaced: set[Sensor] = set()
        self.by_default: set[Sensor] = set()
        self.clock_error_us = 0
        self._sites = dict(sites or {})
        self._start_us = start_us
        self._one_default = one_default
        self._last_us: int | None = None
        self._tracks: dict[tuple[int, Sensor, int], _Track] = {}
        self._number = 0

    def step(self, data: bytes, received_us: int | None = None) -> list[Row]:
        """Rows of the reports table from one datagram or file; no octets make it raise.

        A row whose ``fault`` is set is no report; ``row`` counts the records from 1, over all
        calls. ``time`` is microseconds since 1970 UTC.
        """
        rows: list[Row] = []
        try:
            for category, body in asterix_items.split_blocks(data):
                if category in CATEGORIES:
                    self._block(category, body, received_us, rows)
                else:
                    self.skipped[category] += 1
                    if category == _SERVICE:
                        self._learn_sites(body)
        except DamageError as damage:
            self.reject(str(damage), rows)
        return rows

    def reject(self, reason: str, rows: list[Row]) -> None:
        """Count something that was to be a record and is none."""
        self._number += 1
        self.rejected[reason] += 1
        rows.append({"row": self._number, "fault": reason})

    def _block(self, category: int, body: bytes, received_us: int | None, rows: list[Row]) -> None:
        try:
            for items in asterix_items.split_records(category, body):
                seen = sighting(category, items)
                fault = self._complete(category, seen, received_us)
                if fault:
                    self.reject(fault, rows)
                else:
                    self._number += 1
                    rows.append({"row": self._number, **seen.row})
        except DamageError as damage:
            self.reject(str(damage), rows)

    def _complete(self, category: int, seen: Sighting, received_us: int | None) -> str | None:
        """Fill in time, place and track; or the reason why that is not possible."""
        if seen.day_s is None:
            return seen.fault or "missing time"
        if seen.day_s >= 86_400:
            return "a time of day beyond midnight"
        time_us = self._dated(seen.day_s, received_us)
        if time_us is None:
            return "no date is known"
        seen.row["time"] = time_us
        track = self._track(category, seen, time_us)
        if seen.fault:
            return seen.fault
        if track is None:
            return "missing track"
        seen.row["track_id"] = track
        if seen.polar:
            site = self._site(seen.sensor)
            if site is None:
                self.unplaced.add(seen.sensor)
                return "no site of its radar is known"
            _place(seen, seen.polar, site)
        return _misplaced(seen.row)

    def _site(self, sensor: Sensor) -> Site | None:
        """Where a radar stands."""
        site = self._sites.get(sensor)
        if site is None and None in self._sites:
            self.by_default.add(sensor)
            site = self._sites[None]
            if self._one_default:
                self._sites[sensor] = self._sites.pop(None)
        return site

    def _dated(self, day_s: float, received_us: int | None) -> int | None:
        """The moment with this time of day that is nearest to what is known of the time."""
        of_day_us = round(day_s * units.US_PER_S)
        near_us = self._last_us if received_us is None else received_us
        if near_us is None:
            if self._start_us is None:
                return None
            time_us = self._start_us + of_day_us
        else:
            half = _DAY_US // 2
            time_us = near_us + (of_day_us - near_us + half) % _DAY_US - half
        if received_us is not None:
            self.clock_error_us = max(self.clock_error_us, abs(time_us - received_us))
        self._last_us = time_us
        return time_us

    def _track(self, category: int, seen: Sighting, time_us: int) -> str | None:
        """Whose track this is: by address, else by the sensor and its track number."""
        track = None
        if seen.number is not None:
            key = (category, seen.sensor, seen.number)
            track = self._tracks.pop(key, None)
            if track is None:
                track = _Track(time_us)
            elif track.is_over(time_us, seen.begins):
                track = _Track(time_us, track.use + 1)
            if seen.address:
                track.address, track.real_address = seen.address, seen.real_address
            track.last_us, track.ended = time_us, seen.ends
            self._tracks[key] = track
            if len(self._tracks) > _MOST_TRACKS:
                del self._tracks[next(iter(self._tracks))]
        address, real = seen.address, seen.real_address
        if not address and track:
            address, real = track.address, track.real_address
        if address:
            name = f"{address:06x}"
            seen.row["icao24"] = name if real else None
            return name if real else f"~{name}"
        if track is None:
            return None
        name = f"{seen.sensor[0]}-{seen.sensor[1]}-{seen.number}"
        return name if track.use == 1 else f"{name}-{track.use}"

    def learn_sites(self, data: bytes) -> None:
        """Learn where radars stand, ahead of :meth:`step`, from their service messages."""
        with suppress(DamageError):
            for category, body in asterix_items.split_blocks(data):
                if category == _SERVICE:
                    self._learn_sites(body)

    def _learn_sites(self, body: bytes) -> None:
        """The radar's own position is I034/120."""
        with suppress(DamageError):
            for items in asterix_items.split_records(_SERVICE, body):
                if "010" in items and "120" in items:
                    sensor = (items["010"][0], items["010"][1])
                    site = _own_position(items["120"])
                    if abs(site.lat_deg) <= 90:
                        self._sites.setdefault(sensor, site)


def _misplaced(row: Row) -> str | None:
    if row.get("lat_deg") is None:
        return "missing position"
    if abs(row["lat_deg"]) > 90:
        return "latitude out of range"
    return "longitude out of range" if abs(row["lon_deg"]) > 180 else None


def _own_position(item: bytes) -> Site:
    height, lat, lon = (
        int.from_bytes(part, "big", signed=True) for part in (item[:2], item[2:5], item[5:])
    )
    return Site(lat * 180 / 2**23, lon * 180 / 2**23, height)


def _place(seen: Sighting, polar: tuple[float, float], site: Site) -> None:
    """Turn range and bearing into latitude and longitude."""
    range_m, azimuth_deg = polar
    height_m = site.height_m if seen.height_m is None else seen.height_m
    seen.row["lat_deg"], seen.row["lon_deg"] = place(site, range_m, azimuth_deg, height_m)
    if seen.height_m is None:
        # The horizontal range is between that on the radar's level and that of the highest flight.
        rise = min(_HIGHEST_M - site.height_m, range_m)
        seen.row["position_error_m"] = range_m - (range_m**2 - rise**2) ** 0.5


def read_frame(item: Input, options: Options) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The frame of one raw or pcap file of ASTERIX; ``row`` counts its records."""
    data, damage = item.content()
    start = options.start
    midnight = datetime(start.year, start.month, start.day, tzinfo=UTC) if start else None
    decoder = Asterix(
        options.sites, int(midnight.timestamp()) * units.US_PER_S if midnight else None
    )
    for packet in _packets(data):
        decoder.learn_sites(packet.payload)
    frame = rows_frame(_batches(decoder, data))
    _check(decoder, item)
    notes = [f"{damage}; kept what came before"] if damage else []
    return frame, tuple(f"{item.name}: {n}" for n in [*notes, *_notes(decoder)])


def _batches(decoder: Asterix, data: bytes) -> Iterator[list[Row]]:
    for packet in _packets(data):
        rows: list[Row] = []
        if packet.fault:
            decoder.reject(packet.fault, rows)
        else:
            rows = decoder.step(packet.payload, packet.time_us)
        yield rows


def _packets(data: bytes) -> Iterator[Packet]:
    """The packets of a capture; a raw file in pieces of whole blocks."""
    if is_pcap(data):
        yield from packets(data)
        return
    start = at = 0
    while at + 3 <= len(data):
        at += max(int.from_bytes(data[at + 1 : at + 3], "big"), 3)
        if at - start >= _PIECE_OCTETS:
            yield Packet(None, data[start:at])
            start = at
    yield Packet(None, data[start:])


def _check(decoder: Asterix, item: Input) -> None:
    """What makes a whole file unusable."""
    if decoder.rejected["no date is known"]:
        raise ReportsError(
            Fault(
                "ASTERIX holds times of day only, and this file no dates",
                item.name,
                field="time",
                remedy="say on which date it begins: --start 2024-05-31, or start= in Python",
            )
        )
    if len(decoder.by_default) > 1:
        sensors = _named(decoder.by_default)
        raise ReportsError(
            Fault(
                f"one site is given, and the radars {', '.join(sensors)} all need one",
                item.name,
                field="site",
                remedy=f"say which: --site {sensors[0]}=LAT,LON,HEIGHT_M for each",
            )
        )


def _named(sensors: set[Sensor]) -> list[str]:
    return [f"{sac}/{sic}" for sac, sic in sorted(sensors)]


def _notes(decoder: Asterix) -> list[str]:
    notes = []
    if decoder.skipped:
        counts = ", ".join(f"{n} of CAT {c:03d}" for c, n in sorted(decoder.skipped.items()))
        notes.append(f"blocks that hold no reports: {counts}")
    if decoder.unplaced:
        sensors = _named(decoder.unplaced)
        notes.append(
            f"ranges and bearings of {', '.join(sensors)} were not placed: say where the radar "
            f"stands with --site {sensors[0]}=LAT,LON,HEIGHT_M, or site= in Python"
        )
    if decoder.clock_error_us > _CLOCKS_DIFFER_US:
        hours = decoder.clock_error_us / 3600 / units.US_PER_S
        notes.append(
            f"times of day differ from the capture's clock by up to {hours:.1f} h: the date may "
            "be wrong"
        )
    return notes
