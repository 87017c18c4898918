"""Stays as a fold: reports in, finished stays out, state carried on.

The semantics are told in ``docs/explanation/stays.md``; the kernel is ``stays.c``. The output for
given reports and zones is the same for any split into steps and any order within the lateness.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import polars as pl

from adiz.detect._stays import FROM_ALWAYS, DisorderError, Fold
from adiz.detect.index import build_index, fingerprint
from adiz.errors import Fault, FaultyInputError
from adiz.schema import STAYS, polars_schema
from adiz.units import KT_PER_MPS, US_PER_S
from adiz.zones.model import Zones

if TYPE_CHECKING:
    from adiz.detect._stays import Index

DEFAULT_MAX_GAP_S = 120.0
DEFAULT_TRACK_END_S = 21_600.0
DEFAULT_MAX_SPEED_KT = 650.0
"""Speed bound where a type's is not known: above an airliner over ground in a jet stream."""

_KINDS = ["crossed", "appeared", "vanished", "lost", "reacquired", "activated", "deactivated"]
_CERTAINTIES = ["observed", "possible", "definite"]
_VERTICALS = ["unlimited", "known", "partly", "unknown"]
_UTC = pl.Datetime("us", "UTC")
_STAYS = polars_schema(STAYS)
_NEEDED = ["time", "track_id", "lat_deg", "lon_deg"]
_TYPES: list[pl.DataType] = [_UTC, pl.String(), pl.Float64(), pl.Float64()]
_MAGIC = b"adiz stays 1\n"
_ORDER = ["track_id", "time", "lat_deg", "lon_deg", "alt_baro_ft"]


@dataclass(frozen=True, slots=True)
class StaysParams:
    """Settings of the detector.

    Attributes:
        max_gap_s: a longer way between two reports is a gap: nothing is interpolated across it.
        track_end_s: a longer one ends the track: nothing is said of what lay between.
        max_speed_kt: bound on ground speed in gaps, for types whose maximum is not published.
        use_type_speed: take a type's published maximum where there is one.
    """

    max_gap_s: float = DEFAULT_MAX_GAP_S
    track_end_s: float = DEFAULT_TRACK_END_S
    max_speed_kt: float = DEFAULT_MAX_SPEED_KT
    use_type_speed: bool = True

    def __post_init__(self) -> None:
        for field in ("max_gap_s", "track_end_s", "max_speed_kt"):
            value = getattr(self, field)
            if not 0 < value < 1e12:
                raise FaultyInputError(
                    Fault(f"{field} is {value:g}", field=field, remedy="give a positive number")
                )


class StaysFold:
    """The stays detector with its state.

    Reports may come in any split and, within ``lateness_s``, in any order; the stays are the same.
    A report later than that is left out and counted in :attr:`late_count`. With ``lateness_s``
    None nothing is held back: each track's reports must then come in the order of time, latitude,
    longitude and altitude, else :class:`~adiz.detect._stays.DisorderError` is raised and the fold
    must be thrown away.

    Args:
        zones: the zones; none may be incomplete.
        params: settings.
        lateness_s: how far out of order a report may be.
        parts: the fold is split over this many threads, by track.

    Example:
        >>> import adiz
        >>> fold = adiz.StaysFold(adiz.zones("US-CONUS-2"))
        >>> reports = adiz.read(adiz.demo_capture()).table
        >>> finished = [fold.step(reports[:4000]), fold.step(reports[4000:]), fold.flush()]
        >>> sum(len(table) for table in finished) == len(adiz.find_stays(reports, "US-CONUS-2"))
        True
    """

    def __init__(
        self,
        zones: Zones,
        params: StaysParams | None = None,
        *,
        lateness_s: float | None = 0.0,
        parts: int = 1,
        index: Index | None = None,
    ) -> None:
        self.params = params or StaysParams()
        self.zones = zones
        self._index = index or build_index(zones)
        self._heights_matter = heights_matter(zones)
        self._zone_ids = pl.Series([z.zone_id for z in zones], dtype=pl.String)
        self._lateness_us = None if lateness_s is None else round(lateness_s * US_PER_S)
        self._held = pl.DataFrame()
        self._newest: int | None = None
        self.late_count = 0
        self._folds = [self._new_fold(part, parts) for part in range(parts)]
        self._pool = ThreadPoolExecutor(parts) if parts > 1 else None

    def _new_fold(self, part: int, parts: int) -> Fold:
        p = self.params
        return Fold(
            self._index,
            round(p.max_gap_s * US_PER_S),
            round(p.track_end_s * US_PER_S),
            p.max_speed_kt / KT_PER_MPS,
            part,
            parts,
        )

    @property
    def counts(self) -> dict[str, int]:
        """Reports folded in, rejected for an impossible position, repeated, and too late."""
        used, invalid, repeated = (
            sum(n) for n in zip(*(f.counts for f in self._folds), strict=True)
        )
        return {"used": used, "invalid": invalid, "repeated": repeated, "late": self.late_count}

    def step(self, reports: pl.DataFrame) -> pl.DataFrame:
        """Fold in reports; returns the stays that are now complete, in the order they ended."""
        if self._lateness_us is None:
            self.feed(reports)
        else:
            self.feed(self._released(reports, self._lateness_us))
        return self._take()

    def flush(self) -> pl.DataFrame:
        """End every track; returns the remaining stays."""
        if not self._held.is_empty():
            self.feed(self._held.sort(order_of(self._held)))
            self._held = pl.DataFrame()
        for fold in self._folds:
            fold.flush()
        return self._take()

    def save(self) -> bytes:
        """The whole state as bytes, for :meth:`restore`."""
        head = {
            "zones": fingerprint(self.zones),
            "params": asdict(self.params),
            "lateness_us": self._lateness_us,
            "newest": self._newest,
            "late_count": self.late_count,
        }
        held = b"" if self._held.is_empty() else _to_ipc(self._held)
        blocks = [json.dumps(head).encode(), held, *(fold.save() for fold in self._folds)]
        return sealed(_MAGIC, [p for b in blocks for p in (len(b).to_bytes(8, "little"), b)])

    @classmethod
    def restore(cls, state: bytes, zones: Zones) -> StaysFold:
        """A fold that goes on where :meth:`save` was called, with the same zones.

        Raises:
            FaultyInputError: the state is damaged, or was saved with other zones.
        """
        head, blocks = opened_state(state, zones)
        late = head["lateness_us"]
        fold = cls(
            zones,
            StaysParams(**head["params"]),
            lateness_s=None if late is None else late / US_PER_S,
            parts=len(blocks) - 1,
        )
        fold._take_up(head, blocks)
        return fold

    def _take_up(self, head: dict[str, Any], blocks: list[bytes]) -> None:
        self._held = pl.read_ipc(blocks[0]) if blocks[0] else pl.DataFrame()
        self._newest, self.late_count = head["newest"], head["late_count"]
        for kernel, block in zip(self._folds, blocks[1:], strict=True):
            kernel.restore(block)

    def _released(self, reports: pl.DataFrame, lateness_us: int) -> pl.DataFrame:
        """Those of the held and the new reports that nothing can come before any more."""
        if reports.is_empty():
            return reports
        time = pl.col("time").to_physical()
        if self._newest is not None:
            in_time = reports.filter(time >= self._newest - lateness_us)
            self.late_count += len(reports) - len(in_time)
            reports = in_time
            if reports.is_empty():
                return reports
        newest: Any = reports.select(time.max()).item()
        self._newest = newest if self._newest is None else max(newest, self._newest)
        held = reports if self._held.is_empty() else pl.concat([self._held, reports])
        ready = time < self._newest - lateness_us
        self._held = held.filter(~ready)
        out = held.filter(ready)
        return out.sort(order_of(out))

    def feed(self, reports: pl.DataFrame) -> None:
        """Fold in reports and leave the finished stays inside, for :meth:`flush` to return."""
        for columns in self._chunks(reports):
            if self._pool is None:
                self._folds[0].step(*columns)
            else:
                list(self._pool.map(lambda fold, c=columns: fold.step(*c), self._folds))

    def _chunks(self, reports: pl.DataFrame) -> Iterator[list[pl.Series | None]]:
        """The columns as the kernel wants them: typed, without nulls in what it needs, by chunk."""
        if reports.is_empty():
            return
        if any(reports[name].null_count() for name in _NEEDED):
            reports = reports.drop_nulls(_NEEDED)
        columns: list[pl.Series | None] = [
            _typed(reports[name], dtype) for name, dtype in zip(_NEEDED, _TYPES, strict=True)
        ]
        columns.append(_altitude(reports) if self._heights_matter else None)
        speeds = self.params.use_type_speed and _some(reports, "type_code")
        columns.append(_type_speed_mps(reports) if speeds else None)
        given = [c for c in columns if c is not None]
        if len({tuple(map(len, c.get_chunks())) for c in given}) > 1:
            columns = [c if c is None else c.rechunk() for c in columns]
        count = max(c.n_chunks() for c in columns if c is not None)
        pieces = [[None] * count if c is None else c.get_chunks() for c in columns]
        yield from map(list, zip(*pieces, strict=True))

    def _take(self) -> pl.DataFrame:
        return pl.concat([self._table(fold, fold.take()) for fold in self._folds])

    def _table(self, fold: Fold, columns: dict[str, Any]) -> pl.DataFrame:
        """Raw rows of the kernel as a table of stays."""
        if not columns:
            return no_stays()
        raw = {name: pl.Series(name, column) for name, column in columns.items()}
        raw["track_id"] = pl.Series(fold.names()).gather(raw.pop("track"))
        raw["zone_id"] = self._zone_ids.gather(raw.pop("zone"))
        for name, words in (
            ("entry_kind", _KINDS),
            ("exit_kind", _KINDS),
            ("certainty", _CERTAINTIES),
            ("vertical", _VERTICALS),
        ):
            raw[name] = pl.Series(words).gather(raw[name])
        times = ["entry_time", "exit_time", "earliest_entry", "latest_exit"]
        numbers = [c.name for c in STAYS if c.kind == "number" and c.name != "duration_s"]
        table = pl.DataFrame(raw).with_columns(
            pl.when(pl.col(times) != FROM_ALWAYS).then(pl.col(times)).cast(_UTC),
            pl.col(numbers).fill_nan(None),
        )
        span = (pl.col("exit_time") - pl.col("entry_time")).dt.total_microseconds() / US_PER_S
        known = pl.col("certainty") != "possible"
        return table.with_columns(pl.when(known).then(span).alias("duration_s")).select(
            c.name for c in STAYS
        )


def sealed(magic: bytes, parts: list[bytes]) -> bytes:
    """Parts of a state as one, with a checksum; they may be large, and are copied but once."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return b"".join([magic, digest.digest(), *parts])


def opened_state(state: bytes, zones: Zones) -> tuple[dict[str, Any], list[bytes]]:
    """The head and the blocks of a saved state, once it is known to be whole and to fit."""
    body = state[len(_MAGIC) + 32 :]
    if state[: len(_MAGIC)] != _MAGIC or (
        hashlib.sha256(body).digest() != state[len(_MAGIC) : len(_MAGIC) + 32]
    ):
        raise FaultyInputError(
            Fault("the saved state is damaged or of another version", remedy="start afresh")
        )
    head, *blocks = _blocks(body)
    facts: dict[str, Any] = json.loads(head)
    if facts["zones"] != fingerprint(zones):
        raise FaultyInputError(
            Fault("the state was saved with other zones", remedy="give the same zones")
        )
    return facts, blocks


def heights_matter(zones: Zones) -> bool:
    """Whether any zone has a floor or a ceiling."""
    return any(z.floor.reference != "SFC" or z.ceiling.reference != "UNL" for z in zones)


@cache
def no_stays() -> pl.DataFrame:
    """The table of stays, empty; made once, since a watch asks for it many times a second."""
    return pl.DataFrame(schema=_STAYS)


def sort_stays(stays: pl.DataFrame) -> pl.DataFrame:
    """Stays in their canonical order: track, beginning (or its earliest bound), zone, end."""
    begin = pl.coalesce("entry_time", "earliest_entry")
    return stays.sort("track_id", begin, "zone_id", pl.coalesce("exit_time", "latest_exit"))


def order_of(reports: pl.DataFrame) -> list[str]:
    """The columns that put reports in the order the fold takes them in."""
    return [name for name in _ORDER if name in reports.columns]


def _typed(column: pl.Series, dtype: pl.DataType) -> pl.Series:
    return column if column.dtype == dtype else column.cast(dtype)


def _altitude(reports: pl.DataFrame) -> pl.Series:
    """Pressure altitude, else geometric; an aircraft on the ground is at no height at all."""
    known = [n for n in ("alt_baro_ft", "alt_geom_ft") if _some(reports, n)]
    if len(known) == 1 and not reports[known[0]].null_count():
        return _typed(reports[known[0]], pl.Float64())
    alt = pl.coalesce(*known, pl.lit(None, pl.Float64()))
    if _some(reports, "on_ground"):
        alt = pl.when(alt.is_null() & pl.col("on_ground")).then(0.0).otherwise(alt)
    return reports.with_columns(alt=alt)["alt"]


def _some(reports: pl.DataFrame, name: str) -> bool:
    return name in reports.columns and reports[name].null_count() < len(reports)


def _type_speed_mps(reports: pl.DataFrame) -> pl.Series:
    from adiz.tracks.types import max_speed_kt

    types = reports["type_code"]
    codes = types.unique().drop_nulls().to_list()
    known = {code: kt / KT_PER_MPS for code in codes if (kt := max_speed_kt(code)) is not None}
    return types.replace_strict(known, default=None, return_dtype=pl.Float64)


def _to_ipc(table: pl.DataFrame) -> bytes:
    sink = table.write_ipc(None)
    return sink.getvalue()


def _blocks(body: bytes) -> list[bytes]:
    blocks, at = [], 0
    while at < len(body):
        size = int.from_bytes(body[at : at + 8], "little")
        blocks.append(body[at + 8 : at + 8 + size])
        at += 8 + size
    return blocks


__all__ = [
    "DEFAULT_MAX_SPEED_KT",
    "DisorderError",
    "StaysFold",
    "StaysParams",
    "heights_matter",
    "opened_state",
    "order_of",
    "sealed",
    "sort_stays",
]
