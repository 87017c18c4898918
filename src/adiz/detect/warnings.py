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
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import polars as pl

from adiz.detect._warnings import Kernel
from adiz.detect.index import build_index, fingerprint
from adiz.errors import Fault, FaultyInputError
from adiz.schema import Column, polars_schema
from adiz.units import KT_PER_MPS, US_PER_S
from adiz.zones.model import Zones

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

DEFAULT_HORIZONS_S: Mapping[str, float] = MappingProxyType(
    {
        "adiz": 600.0,
        "fir": 300.0,
        "territorial": 240.0,
        "prohibited": 300.0,
        "restricted": 300.0,
        "danger": 300.0,
        "other": 300.0,
    }
)
"""How far ahead an entry is warned of, in seconds, by the kind of the zone."""

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
# Least and most of each setting; whole numbers where both are.
_LIMITS: dict[str, tuple[float, float]] = {
    "agree": (1, 16),
    "of": (1, 16),
    "clear_after": (1, 16),
    "clear_factor": (1.0, 3.0),
    "cone_deg": (0.0, 90.0),
    "cone_horizon_s": (0.0, 3600.0),
    "turn_ahead_s": (0.0, 120.0),
    "turn_min_deg_s": (0.05, 10.0),
    "smooth_s": (0.0, 300.0),
    "every_s": (0.1, 600.0),
    "hold_s": (0.0, 60.0),
    "max_gap_s": (1.0, 3600.0),
    "min_speed_kt": (0.0, 1000.0),
    "max_speed_kt": (1.0, 10_000.0),
}


@dataclass(frozen=True, slots=True)
class WarningsParams:
    """Settings of the detector.

    Attributes:
        horizon_s: warning time by kind of zone; kinds not named have that of ``other``, and what
            is not given is as in :data:`DEFAULT_HORIZONS_S`. 0: no warnings for that kind.
        agree, of: a warning is raised when ``agree`` of the last ``of`` updates meet the zone.
        clear_after: updates in a row that come nowhere near before a warning is cleared.
        clear_factor: near is within the warning time times this.
        cone_deg: half-angle of the cone looked into on either side of the course. 0: none.
        cone_horizon_s: how far ahead the cone is looked into.
        turn_ahead_s: a turn under way opens the cone on its side by what it would turn in this
            time, at most 90 degrees.
        turn_min_deg_s: a slower change of course is no turn.
        smooth_s: time over which the course is averaged; a turn is followed at once.
        every_s: at most one report in this much event time is looked at.
        hold_s: a prediction stands for up to this long while the motion stays the same.
        max_gap_s: a track not heard for longer is lost.
        min_speed_kt, max_speed_kt: nothing is predicted for a track slower or faster.

    Raises:
        FaultyInputError: a setting out of range; says which and the remedy.
    """

    horizon_s: Mapping[str, float] = field(default_factory=lambda: DEFAULT_HORIZONS_S)
    agree: int = 3
    of: int = 5
    clear_after: int = 5
    clear_factor: float = 1.2
    cone_deg: float = 0.0
    cone_horizon_s: float = 180.0
    turn_ahead_s: float = 20.0
    turn_min_deg_s: float = 0.5
    smooth_s: float = 20.0
    every_s: float = 1.0
    hold_s: float = 10.0
    max_gap_s: float = 120.0
    min_speed_kt: float = 20.0
    max_speed_kt: float = 1500.0

    def __post_init__(self) -> None:
        faults = [f for name in _LIMITS if (f := _out_of_range(name, getattr(self, name)))]
        if not faults and self.agree > self.of:
            faults.append(
                Fault(
                    f"agree is {self.agree}, more than of, which is {self.of}",
                    field="agree",
                    remedy="give at most of",
                )
            )
        if not faults and self.min_speed_kt >= self.max_speed_kt:
            faults.append(Fault("min_speed_kt is not below max_speed_kt", field="min_speed_kt"))
        faults += _horizon_faults(self.horizon_s)
        if faults:
            raise FaultyInputError(faults)
        full = dict(DEFAULT_HORIZONS_S) | {k: float(v) for k, v in self.horizon_s.items()}
        object.__setattr__(self, "horizon_s", MappingProxyType(full))

    @classmethod
    def from_table(cls, table: Mapping[str, Any], where: str | None = None) -> WarningsParams:
        """The settings of a TOML table ``[warnings]``.

        Args:
            table: names as the attributes; ``horizon_s`` a table of seconds by kind.
            where: the file, for messages.

        Raises:
            FaultyInputError: with every fault found.
        """
        import difflib

        known = [f.name for f in fields(cls)]
        faults = []
        for name in table:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
                faults.append(Fault(f"[warnings] has no setting {name!r}", where, None, name, hint))
        try:
            params = cls(**{name: value for name, value in table.items() if name in known})
        except FaultyInputError as error:
            faults += [Fault(f.message, where, None, f.field, f.remedy) for f in error.faults]
        if faults:
            raise FaultyInputError(faults)
        return params

    def horizon_of(self, kind: str) -> float:
        """The warning time of a kind of zone, seconds."""
        return self.horizon_s.get(kind, self.horizon_s["other"])


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
        horizons = [p.horizon_of(z.kind) for z in zones]
        self._kernel = Kernel(index or build_index(zones), horizons, settings)

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

    def save(self) -> bytes:
        """The whole state as bytes, for :meth:`restore`; for the same kind of machine."""
        head = json.dumps({"zones": fingerprint(self.zones), "params": _plain_params(self.params)})
        blocks = [head.encode(), self._kernel.save()]
        body = b"".join(len(b).to_bytes(8, "little") + b for b in blocks)
        return _MAGIC + hashlib.sha256(body).digest() + body

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
        if head["zones"] != fingerprint(zones):
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


def _plain(column: pl.Series, dtype: pl.DataType) -> pl.Series:
    """A column of one chunk of a type."""
    return (column if column.dtype == dtype else column.cast(dtype)).rechunk()


def _plain_params(params: WarningsParams) -> dict[str, Any]:
    values = {f.name: getattr(params, f.name) for f in fields(params)}
    return values | {"horizon_s": dict(params.horizon_s)}


def _out_of_range(name: str, value: object) -> Fault | None:
    low, high = _LIMITS[name]
    whole = isinstance(low, int)
    kinds = int if whole else (int, float)
    if isinstance(value, kinds) and not isinstance(value, bool) and low <= value <= high:
        return None
    what = "a whole number" if whole else "a number"
    return Fault(f"{name} is {value!r}", field=name, remedy=f"give {what} from {low:g} to {high:g}")


def _horizon_faults(horizons: object) -> list[Fault]:
    if not isinstance(horizons, Mapping):
        return [
            Fault(
                f"horizon_s is {horizons!r}",
                field="horizon_s",
                remedy="give a table of seconds by kind, e.g. adiz = 600",
            )
        ]
    return [
        Fault(
            f"horizon_s of {kind} is {value!r}",
            field=f"horizon_s.{kind}",
            remedy="give seconds from 0 to 3600",
        )
        for kind, value in horizons.items()
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 3600
    ]
