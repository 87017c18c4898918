"""Warnings: predicted entries (Area Proximity Warning) as a fold over reports.

A track is taken to go on along the geodesic of its present course, at its present speed and
climb. Where that leads into a zone within the warning time of the zone's kind, and enough of the
last updates agree, a warning is raised. What it assumes, how it was tuned and what it misses is
told in ``docs/explanation/warnings.md``; the kernel is ``warn*.c``.

The predicted entry is solved on the ellipsoid as an observed crossing is: for a given position,
course and speed it agrees with an independent solution to 0.1 s.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from functools import cache
from typing import TYPE_CHECKING

import polars as pl

from adiz.detect._warnings import Kernel
from adiz.detect.index import build_index, fingerprint
from adiz.detect.stays import sealed
from adiz.detect.warnings_params import DEFAULT_HORIZONS_S, WarningsParams
from adiz.errors import Fault, FaultyInputError
from adiz.schema import Column, polars_schema
from adiz.units import KT_PER_MPS, US_PER_S
from adiz.zones.model import Zone, Zones

if TYPE_CHECKING:
    from adiz.detect._stays import Index

WARNINGS: tuple[Column, ...] = (
    Column("track_id", "text", "", "", "who is about to enter"),
    Column("zone_id", "text", "", "", "which zone (the version in force)"),
    Column("change", "text", "", "", "raised or cleared"),
    Column("time", "time", "us", "UTC", "of the report that decided; of the last one, if lost"),
    Column("raised_time", "time", "us", "UTC", "when this warning was first raised"),
    Column("predicted_entry_time", "time", "us", "UTC", "as last predicted"),
    Column("predicted_lat_deg", "number", "degree", "WGS84", "where that is"),
    Column("predicted_lon_deg", "number", "degree", "WGS84", "where that is"),
    Column("lead_s", "number", "second", "", "predicted_entry_time minus time"),
    Column("course", "text", "", "", "nominal: on the present course; cone: if it turns on"),
    Column("reason", "text", "", "", "why cleared, see the reference; null when raised"),
    Column("gs_kt", "number", "knot", "ground", "speed used"),
    Column("track_true_deg", "number", "degree", "true north", "course used, averaged"),
    Column("alt_ft", "number", "foot", "as reported", "altitude used"),
    Column("vertical", "text", "", "", "known, unknown or unlimited: were the heights checked"),
)
"""The columns of a table of changes."""

_CHANGES = ["raised", "cleared"]
_COURSES = ["nominal", "cone"]
_REASONS = [None, "entered", "turned_away", "lost", "zone_ended", "suppressed"]
_VERTICALS = ["unlimited", "known", "partly", "unknown"]
_UTC = pl.Datetime("us", "UTC")
_MAGIC = b"adiz warnings 1\n"
_NEEDED: dict[str, pl.DataType] = {
    "time": _UTC,
    "track_id": pl.String(),
    "lat_deg": pl.Float64(),
    "lon_deg": pl.Float64(),
}
_OPTIONAL = ("alt_baro_ft", "alt_geom_ft", "gs_kt", "track_true_deg", "vrate_fpm")


class WarningsFold:
    """The warnings detector with its state.

    Each track's reports must come in the order of time; one that does not is left out and counted.
    The changes are the same for any split of the reports into steps, and go on as if nothing had
    been when a saved state is restored.

    Args:
        zones: the zones; none may be incomplete.
        params: settings.
        index: the zones' index, where there is one already.

    Attributes:
        counts: reports ``used``, ``invalid`` (position or time), ``out_of_order``; ``updates``
            looked at and ``solved`` anew; warnings ``raised`` and ``suppressed``.
        held: tracks in memory.

    Example:
        >>> import adiz
        >>> from adiz.detect.warnings import WarningsFold
        >>> fold = WarningsFold(adiz.zones("US-CONUS-2"))
        >>> changes = fold.step(adiz.read(adiz.demo_capture()).table)
        >>> sorted(set(changes["change"]))
        ['cleared', 'raised']
    """

    def __init__(
        self, zones: Zones, params: WarningsParams | None = None, *, index: Index | None = None
    ) -> None:
        self.zones = zones
        self.params = params or WarningsParams()
        self._zone_ids = pl.Series([z.zone_id for z in zones], dtype=pl.String)
        p = self.params
        settings = {
            name: getattr(p, name)
            for name in (
                *("agree", "of", "clear_after", "clear_factor", "cone_deg", "cone_horizon_s"),
                *("turn_ahead_s", "turn_min_deg_s", "smooth_s"),
            )
        }
        settings |= {f"{n}_us": round(getattr(p, f"{n}_s") * US_PER_S) for n in _TIMES}
        settings |= {
            f"{n}_mps": getattr(p, f"{n}_kt") / KT_PER_MPS for n in ("min_speed", "max_speed")
        }
        self._kernel = Kernel(index or build_index(zones), self._horizons(zones), settings)

    def _horizons(self, zones: Zones) -> list[float]:
        return [self.params.horizon_of(z.kind) for z in zones]

    @property
    def counts(self) -> dict[str, int]:
        return self._kernel.counts

    @property
    def held(self) -> int:
        return self._kernel.held

    def step(self, reports: pl.DataFrame, suppressed: Collection[str] = ()) -> pl.DataFrame:
        """Fold in reports, each track's in the order of time.

        Args:
            reports: columns as :data:`adiz.schema.REPORTS`; ``time``, ``track_id``, ``lat_deg``,
                ``lon_deg`` are needed.
            suppressed: tracks that are not to be warned of (identified, exempt). A warning that
                stands is cleared with the reason ``suppressed``; it is raised when the track is
                not suppressed any more and still on its way in.

        Returns:
            The changes, in the order of time, track and zone; columns :data:`WARNINGS`.
        """
        if reports.is_empty():
            return pl.DataFrame(schema=polars_schema(WARNINGS))
        if any(reports[name].null_count() for name in _NEEDED):
            reports = reports.drop_nulls(list(_NEEDED))
        time, track, lat, lon = (_plain(reports[name], dtype) for name, dtype in _NEEDED.items())
        optional = {
            name: _plain(reports[name], pl.Float64())
            for name in _OPTIONAL
            if name in reports.columns and reports[name].null_count() < len(reports)
        }
        ground = quiet = None
        if "on_ground" in reports.columns and reports["on_ground"].any():
            ground = _plain(reports["on_ground"].fill_null(False), pl.UInt8())
        if len(suppressed):
            quiet = _plain(track.is_in(list(suppressed)), pl.UInt8())
        self._kernel.step(time, track, lat, lon, optional, ground, quiet)
        return self._take()

    def silent(self, before_us: int) -> pl.DataFrame:
        """Give up the tracks not heard since; their warnings are cleared as ``lost``.

        A track that is heard again afterwards is a new one. Calling this for tracks silent for
        more than ``max_gap_s`` changes no result, only when it is told.

        Args:
            before_us: microseconds since 1970 UTC.
        """
        self._kernel.silent(before_us)
        return self._take()

    def flush(self) -> pl.DataFrame:
        """End every track; what stands is cleared as ``lost``."""
        self._kernel.silent(None)
        return self._take()

    def under_way(self) -> pl.DataFrame:
        """The warnings that stand now, each as last predicted; the fold goes on."""
        self._kernel.standing()
        return self._take()

    def rezone(self, zones: Zones, *, index: Index | None = None) -> pl.DataFrame:
        """Other zones from here on.

        Warnings of zones that are as before go on; those of zones that are gone or altered are
        cleared as ``zone_ended`` at the time their track was last heard.
        """
        new = {_zone_key(zone): number for number, zone in enumerate(zones)}
        numbers = [new.get(_zone_key(zone), -1) for zone in self.zones]
        self._kernel.rezone(index or build_index(zones), self._horizons(zones), numbers)
        ended = self._take()
        self._kernel.renumber(numbers)
        self.zones = zones
        self._zone_ids = pl.Series([z.zone_id for z in zones], dtype=pl.String)
        return ended

    def save(self) -> bytes:
        """The whole state as bytes, for :meth:`restore`; for the same kind of machine."""
        head = json.dumps({"zones": _key(self.zones), "params": self.params.as_table()})
        blocks = [head.encode(), self._kernel.save()]
        return sealed(_MAGIC, [p for b in blocks for p in (len(b).to_bytes(8, "little"), b)])

    @classmethod
    def restore(cls, state: bytes, zones: Zones, *, index: Index | None = None) -> WarningsFold:
        """A fold that goes on where :meth:`save` was called, with the same zones.

        Raises:
            FaultyInputError: the state is damaged, or was saved with other zones.
        """
        at = len(_MAGIC)
        body = state[at + 32 :]
        if state[:at] != _MAGIC or hashlib.sha256(body).digest() != state[at : at + 32]:
            raise FaultyInputError(
                Fault("the saved state is damaged or of another version", remedy="start afresh")
            )
        size = int.from_bytes(body[:8], "little")
        head = json.loads(body[8 : 8 + size])
        if head["zones"] != _key(zones):
            raise FaultyInputError(
                Fault("the state was saved with other zones", remedy="give the same zones")
            )
        fold = cls(zones, WarningsParams(**head["params"]), index=index)
        try:
            fold._kernel.restore(body[16 + size :])
        except ValueError as error:
            raise FaultyInputError(Fault(str(error), remedy="start afresh")) from None
        return fold

    def _take(self) -> pl.DataFrame:
        raw = {name: pl.Series(name, column) for name, column in self._kernel.take().items()}
        if not len(raw["zone"]):
            return _none()
        raw["zone_id"] = self._zone_ids.gather(raw.pop("zone"))
        for name, words in (
            ("change", _CHANGES),
            ("course", _COURSES),
            ("reason", _REASONS),
            ("vertical", _VERTICALS),
        ):
            raw[name] = pl.Series(words, dtype=pl.String).gather(raw[name])
        times = ["time", "raised_time", "predicted_entry_time"]
        numbers = [c.name for c in WARNINGS if c.kind == "number" and c.name != "lead_s"]
        lead = (pl.col("predicted_entry_time") - pl.col("time")) / US_PER_S
        return (
            pl.DataFrame(raw)
            .with_columns(lead.alias("lead_s"), pl.col(numbers).fill_nan(None))
            .with_columns(pl.col(times).cast(_UTC))
            .select(c.name for c in WARNINGS)
            .sort("time", "track_id", "zone_id", maintain_order=True)
        )


_TIMES = ("every", "hold", "max_gap")


@cache
def _none() -> pl.DataFrame:
    return pl.DataFrame(schema=polars_schema(WARNINGS))


def _zone_key(zone: Zone) -> tuple[str, str]:
    """All of a zone that a warning can depend on."""
    return fingerprint(Zones((zone,))), zone.kind


def _key(zones: Zones) -> list[str]:
    return [fingerprint(zones), *(zone.kind for zone in zones)]


def _plain(column: pl.Series, dtype: pl.DataType) -> pl.Series:
    """A column of one chunk of a type."""
    return (column if column.dtype == dtype else column.cast(dtype)).rechunk()


__all__ = ["DEFAULT_HORIZONS_S", "WARNINGS", "WarningsFold", "WarningsParams"]
