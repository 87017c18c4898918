"""``aircraft.json`` of readsb and dump1090, polled from a web server or a file.

The meaning of the document is that of :mod:`adiz.sources.readsb`: a position is dated by ``now``
minus ``seen_pos``. A document with the same ``now`` as the last one is the same document, and a
position that the last one had is not given again.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import polars as pl

from adiz.options import Option, OptionError
from adiz.sources.feeds.http import Page, TooLongError
from adiz.sources.feeds.model import Emit, FeedError, make_batch, now_us
from adiz.sources.files import GZIP, as_utf8, unpack
from adiz.sources.jsontext import decode_document, holds_more
from adiz.sources.readsb import aircraft_frame, moments_frame, places, repeats

OPTIONS = (
    Option("url", "text", "address of the document, http or https", None),
    Option("path", "text", "the file, where it is on this machine", None),
    Option("every_s", "number", "seconds from poll to poll", 1.0, least=0.05, most=3600.0),
    Option("timeout_s", "number", "seconds that one request may take", 5.0, least=0.1, most=300.0),
    Option("silent_s", "number", "seconds without a new document after which it is down", 30.0,
           least=1.0, most=86_400.0),
    Option("most_mb", "number", "longest document, unpacked, megabytes", 32.0, least=0.01,
           most=256.0),
    Option("headers", "table", "further lines of the request: name = value", None),
)  # fmt: skip
MOST_OBJECTS, MOST_VALUES = 200_000, 4_000_000
"""More than these would take too much memory; 20,000 aircraft have a million values."""
TOO_LONG = "a document that is too long"
NO_AIRCRAFT = "a document that is no aircraft.json"
Read = Callable[[threading.Event], bytes | None]


class Aircraft(msgspec.Struct, gc=False):
    """What is taken from an aircraft, where all of it has its proper type."""

    hex: str | None = None
    lat: float | None = None
    lon: float | None = None
    seen_pos: float | None = None
    alt_baro: float | str | None = None
    altitude: float | str | None = None
    alt_geom: float | None = None
    gs: float | None = None
    track: float | None = None
    baro_rate: float | None = None
    geom_rate: float | None = None
    vert_rate: float | None = None
    flight: str | None = None
    squawk: str | None = None
    r: str | None = None
    t: str | None = None
    nac_p: int | None = None


class _Document(msgspec.Struct, gc=False):
    now: float
    aircraft: list[Aircraft]


_DECODER = msgspec.json.Decoder(_Document)
# Written out: an attribute that is named in the code is read in half the time.
_MEMBERS: dict[str, Callable[[list[Aircraft]], list[Any]]] = {
    "hex": lambda seen: [a.hex for a in seen],
    "lat": lambda seen: [a.lat for a in seen],
    "lon": lambda seen: [a.lon for a in seen],
    "seen_pos": lambda seen: [a.seen_pos for a in seen],
    "alt_baro": lambda seen: [a.alt_baro for a in seen],
    "altitude": lambda seen: [a.altitude for a in seen],
    "alt_geom": lambda seen: [a.alt_geom for a in seen],
    "gs": lambda seen: [a.gs for a in seen],
    "track": lambda seen: [a.track for a in seen],
    "baro_rate": lambda seen: [a.baro_rate for a in seen],
    "geom_rate": lambda seen: [a.geom_rate for a in seen],
    "vert_rate": lambda seen: [a.vert_rate for a in seen],
    "flight": lambda seen: [a.flight for a in seen],
    "squawk": lambda seen: [a.squawk for a in seen],
    "r": lambda seen: [a.r for a in seen],
    "t": lambda seen: [a.t for a in seen],
    "nac_p": lambda seen: [a.nac_p for a in seen],
}


class Snapshots:
    """Decodes one document after the other.

    Attributes:
        rejected: how many documents were rejected, by reason.
        repeated: how many positions the document before had told already.
    """

    def __init__(self) -> None:
        self.rejected: Counter[str] = Counter()
        self.repeated = 0
        self._now: object = None
        self._places: pl.DataFrame | None = None

    def step(self, data: bytes) -> pl.DataFrame | None:
        """The frame of a document; None if it is the last one again, or none at all.

        Nothing that ``data`` may be makes it raise.
        """
        data = as_utf8(data)
        if holds_more(data, MOST_OBJECTS, MOST_VALUES):
            self.rejected[TOO_LONG] += 1
            return None
        try:
            document = _DECODER.decode(data)
        except (ValueError, RecursionError):
            return self._step_plain(data)
        if not self._is_new(document.now):
            return None
        seen = document.aircraft

        def member(*names: str) -> list[Any]:
            values = _MEMBERS[names[0]](seen)
            for name in names[1:]:
                if None in values:
                    pairs = zip(values, seen, strict=True)
                    values = [getattr(a, name) if v is None else v for v, a in pairs]
            return values

        return self._once(moments_frame([document.now] * len(seen), member))

    def _step_plain(self, data: bytes) -> pl.DataFrame | None:
        """The same of a document with something unexpected in it."""
        try:
            document = decode_document(data)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict) or not isinstance(
            document.get("aircraft", document.get("ac")), list
        ):
            self.rejected[NO_AIRCRAFT] += 1
            return None
        if not self._is_new(document.get("now")):
            return None
        return self._once(aircraft_frame([document]))

    def _once(self, frame: pl.DataFrame) -> pl.DataFrame:
        """What the last document has not told already."""
        again = repeats(frame, self._places)
        self.repeated += int(again.sum())
        told = places(frame).filter(pl.col("time").is_not_null())
        self._places = told.unique("track_id", keep="last", maintain_order=True)
        return frame.filter(~again)

    def _is_new(self, now: object) -> bool:
        if now is not None and now == self._now:
            return False
        self._now = now
        return True


def make(name: str, values: dict[str, Any]) -> AircraftFeed:
    """The feed of validated options."""
    url, path = values["url"], values["path"]
    if (url is None) == (path is None):
        raise OptionError("either url or path is needed", "url", 'write url = "http://…"')
    most = round(values["most_mb"] * 1e6)
    timing = {k: values[k] for k in ("every_s", "silent_s")}
    if path is not None:
        return AircraftFeed(name, read=_File(path, most), **timing)
    headers = values["headers"] or {}
    for key, value in headers.items():
        if not (isinstance(value, str) and f"{key}{value}".isascii() and value.isprintable()
                and key.replace("-", "").isalnum()):  # fmt: skip
            raise OptionError(f"{key!r} is no line of a request", "headers", 'as X-Key = "abc"')
    return AircraftFeed(name, read=Page(url, headers, values["timeout_s"], most).fetch, **timing)


class _File:
    """A file that is replaced or written again and again."""

    def __init__(self, path: str, most_octets: int) -> None:
        self._path, self._most_octets = path, most_octets
        self._seen: tuple[int, int, int] | None = None

    def __call__(self, stop: threading.Event) -> bytes | None:
        try:
            with open(self._path, "rb") as file:
                status = os.fstat(file.fileno())
                seen = status.st_mtime_ns, status.st_size, status.st_ino
                if seen == self._seen:
                    return None
                data = file.read(self._most_octets + 1)
        except OSError as error:
            raise FeedError(f"{self._path}: {error.strerror}") from None
        self._seen = seen
        if data[:2] == GZIP:
            data, damage = unpack(data, self._most_octets + 1)
            if damage:
                raise FeedError(f"{self._path}: {damage}")
        if len(data) > self._most_octets:
            raise TooLongError
        return data


@dataclass(slots=True)
class AircraftFeed:
    """See the module."""

    name: str
    read: Read
    every_s: float
    silent_s: float
    kind: str = "aircraft"
    replayable: bool = False
    _snapshots: Snapshots = field(default_factory=Snapshots)

    def run(self, emit: Emit, stop: threading.Event, position: str | None) -> None:
        """Poll until asked to stop."""
        new_s, ever = time.monotonic(), False
        while not stop.is_set():
            began_s = time.monotonic()
            failure = None
            try:
                is_new = self._poll(emit, stop)
            except FeedError as error:
                is_new, failure = False, str(error)
            if is_new:
                new_s, ever = time.monotonic(), True
            elif failure and not ever:
                raise FeedError(failure)
            elif time.monotonic() - new_s > self.silent_s:
                raise FeedError(failure or f"there was no new document for {self.silent_s:g} s")
            stop.wait(max(0.0, began_s + self.every_s - time.monotonic()))

    def _poll(self, emit: Emit, stop: threading.Event) -> bool:
        """Whether there was a new document; then its batch was given."""
        snapshots, frame = self._snapshots, None
        try:
            data = self.read(stop)
        except TooLongError:
            data = None
            snapshots.rejected[TOO_LONG] += 1
        if data is not None:
            received_us = now_us()
            frame = snapshots.step(data)
        rejected, snapshots.rejected = snapshots.rejected, Counter()
        if frame is not None:
            emit(make_batch(frame, self.name, received_us, rejected=rejected))
            return True
        if rejected:
            emit(make_batch(None, self.name, now_us(), rejected=rejected))
            raise FeedError(", ".join(rejected))
        return False
