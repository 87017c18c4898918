"""Reports in messages of a broker: what NATS and Kafka carry.

A message is one report, or an array of reports, as JSON objects whose members have the names of the
reports table. ``time`` is ISO 8601 with its zone, or a number since 1970 whose size tells its unit;
without ``track_id`` the ``icao24`` is it; members of other names are left out. Or a message is an
Arrow IPC stream with columns of these names (:mod:`adiz.sources.feeds.arrow`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
import polars as pl

from adiz.sources import convert
from adiz.sources.feeds import arrow
from adiz.sources.jsontext import decode_document, holds_more
from adiz.sources.reports import SCHEMA
from adiz.sources.tabular import Options, table_frame
from adiz.sources.values import records, series

MOST_OCTETS = 16_000_000
MOST_OBJECTS, MOST_VALUES = 200_000, 4_000_000
"""Of one message: more of them would take too much memory."""
TOO_LONG = "a message that is too long"
NO_JSON = "a message that is no JSON"
NO_REPORT = "something in a message that is no report"
ZONELESS = "a time without a zone"
_NEEDED = ("time", "track_id", "lat_deg", "lon_deg")
_COLUMNS = tuple(name for name in SCHEMA if name not in ("source", "flags"))
_MOST_ROWS = 50_000


class Report(msgspec.Struct, gc=False):
    """A report all of whose members have their proper type."""

    time: int | str | None = None
    track_id: str | None = None
    lat_deg: float | None = None
    lon_deg: float | None = None
    alt_baro_ft: float | None = None
    alt_geom_ft: float | None = None
    gs_kt: float | None = None
    track_true_deg: float | None = None
    vrate_fpm: float | None = None
    on_ground: bool | None = None
    icao24: str | None = None
    callsign: str | None = None
    squawk: str | None = None
    type_code: str | None = None
    registration: str | None = None
    position_error_m: float | None = None


Row = dict[str, Any]
_DECODER = msgspec.json.Decoder(Report | list[Report])


class Messages:
    """Decodes messages as they come; none makes it raise.

    Attributes:
        rejected: how many messages were rejected whole, by reason.
    """

    def __init__(self, time_zone: str | None = None) -> None:
        self.rejected: Counter[str] = Counter()
        self._time_zone = time_zone

    def step(self, messages: Sequence[bytes]) -> pl.DataFrame | None:
        """The frame (see :mod:`adiz.sources.reports`) of some messages; None of no report."""
        frames: list[pl.DataFrame] = []
        typed: list[Report] = []
        plain: list[Row] = []
        for number, message in enumerate(messages, start=1):
            if message.startswith(arrow.MARK):
                frames += self._arrow_frames(message)
            else:
                self._sort(message, typed, plain)
            last = number == len(messages)
            if typed and (last or len(typed) >= _MOST_ROWS):
                frames.append(self._typed_frame(typed))
                typed = []
            if plain and (last or len(plain) >= _MOST_ROWS):
                frames.append(self._plain_frame(plain))
                plain = []
        return pl.concat(frames, how="diagonal") if frames else None

    def _sort(self, message: bytes, typed: list[Report], plain: list[Row]) -> None:
        """Add the reports of a message to those as expected, or to those with anything odd."""
        if len(message) > MOST_OCTETS or holds_more(message, MOST_OBJECTS, MOST_VALUES):
            self.rejected[TOO_LONG] += 1
            return
        try:
            reports = _DECODER.decode(message)
            typed += reports if isinstance(reports, list) else [reports]
            return
        except (ValueError, RecursionError):
            pass
        try:
            document = decode_document(message)
        except (ValueError, RecursionError):
            self.rejected[NO_JSON] += 1
            return
        rows = document if isinstance(document, list) else [document]
        for row in rows:
            if isinstance(row, dict):
                plain.append({name: row.get(name) for name in _COLUMNS})
            else:
                self.rejected[NO_REPORT] += 1

    def _arrow_frames(self, message: bytes) -> list[pl.DataFrame]:
        """The frame of a message that is an Arrow stream, if it is one."""
        if len(message) > MOST_OCTETS:
            self.rejected[TOO_LONG] += 1
            return []
        try:
            raw = arrow.read_stream(message, _COLUMNS)
        except arrow.RefusedError as error:
            self.rejected[str(error)] += 1
            return []
        absent = [pl.lit(None, SCHEMA[n]).alias(n) for n in _COLUMNS if n not in raw.columns]
        raw = raw.with_columns(absent)
        bare = raw.schema["time"]
        if isinstance(bare, pl.Datetime) and bare.time_zone is None and self._time_zone is None:
            self.rejected[ZONELESS] += raw.height
            return []
        return [self._frame(raw, typed=True)]

    def _typed_frame(self, reports: list[Report]) -> pl.DataFrame:
        columns = []
        for name in _COLUMNS:
            values = [getattr(report, name) for report in reports]
            if name == "time":
                columns.append(series(name, values))
            else:
                columns.append(pl.Series(name, values, dtype=SCHEMA[name]))
        return self._frame(pl.DataFrame(columns), typed=True)

    def _plain_frame(self, rows: list[Row]) -> pl.DataFrame:
        raw = records(rows)
        empty = [name for name in _NEEDED if raw[name].dtype == pl.Null]
        return self._frame(raw.with_columns(pl.col(empty).cast(pl.String)), typed=False)

    def _frame(self, raw: pl.DataFrame, *, typed: bool) -> pl.DataFrame:
        own, other = (convert.filled(name) for name in ("track_id", "icao24"))
        raw = raw.with_columns(pl.coalesce(own, other.str.to_lowercase()).alias("track_id"))
        fault = pl.lit(None, pl.String)
        if raw.schema["time"] == pl.String and self._time_zone is None:
            bare = raw.select(convert.zoneless("time").alias("bare"))["bare"]
            fault = pl.when(bare).then(pl.lit(ZONELESS))
            raw = raw.with_columns(pl.when(~bare).then("time").alias("time"))
        options = Options(columns={name: name for name in raw.columns}, time_zone=self._time_zone)
        frame, _ = table_frame(raw, "message", options, typed=typed)
        return frame.with_columns(fault.alias("fault"))
