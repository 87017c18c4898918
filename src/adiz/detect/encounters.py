"""Encounters: two tracks within given lateral and vertical distance for a given time.

They are found on legs, not on samples: between two reports at most ``max_gap_s`` apart an
aircraft is taken to fly the geodesic at constant speed, its altitude linear in time; across a
longer gap nothing is assumed. The lateral distance is the geodesic one on WGS84. Start and end
are solved on the legs' common time; against geographiclib positions agree to 2 cm for legs up to
40 km and distances up to 50 NM, and so the ends to 0.1 s wherever the aircraft close or part
at more than 0.5 kt.

Altitudes are compared on one datum: pressure altitude where both have it, else geometric where
both have that. Otherwise the vertical distance is unknown: the encounter then rests on the
lateral distance alone, and its ``vertical`` says so. Reports on the ground are no flight. Two
tracks with one 24-bit address are one aircraft seen twice, not an encounter.

The work is done by a compiled sweep over time (``encounters*.c``) whose
memory is bounded by the aircraft in the air.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING

from adiz.detect._encounters import CHUNK_ROWS, COLUMNS, Prepared, Sweep
from adiz.errors import AdizError
from adiz.schema import REPORTS, Column, polars_schema
from adiz.units import M_PER_NM, US_PER_S

if TYPE_CHECKING:
    import polars as pl

ENCOUNTERS: tuple[Column, ...] = (
    Column("track_a", "text", "", "", "the one whose name sorts first"),
    Column("track_b", "text", "", "", "the other"),
    Column("start_time", "time", "us", "UTC", "when both limits began to hold"),
    Column("end_time", "time", "us", "UTC", "when they ceased to"),
    Column("duration_s", "number", "second", "", "end_time minus start_time"),
    Column("start_kind", "text", "", "", "crossed, or appeared: a track began or came back"),
    Column("end_kind", "text", "", "", "crossed, or vanished: a track ended or was lost"),
    Column("min_lateral_m", "number", "metre", "WGS84", "least lateral distance"),
    Column("time_of_min", "time", "us", "UTC", "when that was"),
    Column("min_vertical_ft", "number", "foot", "as the altitudes", "least vertical distance"),
    Column("vertical", "text", "", "", "known, partly or unknown: were altitudes comparable"),
    Column("mean_lateral_m", "number", "metre", "WGS84", "mean lateral distance"),
    Column("spread_lateral_m", "number", "metre", "WGS84", "standard deviation of it"),
    Column("mean_vertical_ft", "number", "foot", "as the altitudes", "mean vertical distance"),
    Column("speed_difference_kt", "number", "knot", "ground", "mean difference, over minutes"),
    Column("heading_difference_deg", "number", "degree", "", "mean difference, over minutes"),
    Column("in_trail", "number", "", "", "1 one behind the other, 0 side by side, on average"),
    Column("turn_deg_min", "number", "degree per minute", "", "mean rate of turn, either way"),
    Column("mean_speed_kt", "number", "knot", "ground", "mean speed of the two"),
    Column("mean_alt_ft", "number", "foot", "as the altitudes", "mean of start and end"),
    Column("climb_fpm", "number", "foot per minute", "as the altitudes", "mean rate of the two"),
    Column("start_lat_deg", "number", "degree", "WGS84", "midway between the two, at the start"),
    Column("start_lon_deg", "number", "degree", "WGS84", "midway between the two, at the start"),
    Column("end_lat_deg", "number", "degree", "WGS84", "midway between the two, at the end"),
    Column("end_lon_deg", "number", "degree", "WGS84", "midway between the two, at the end"),
    Column("source_a", "text", "", "", "where track_a's report at the start came from"),
    Column("source_b", "text", "", "", "the same of track_b"),
)

__all__ = ["COLUMNS", "ENCOUNTERS", "SORT", "EncountersFold", "Prepared", "sweep_columns"]

_MOST_THREADS = 4  # what the sweep can keep busy

SORT = ["start_time", "track_a", "track_b"]
"""The order of every table of encounters."""


def sweep_columns(reports: pl.DataFrame) -> list[pl.Series]:
    """The columns with values that the sweep reads, in their declared types.

    A source that is the same in all rows is given as one row, for polars writes such a column out
    only when it is looked at.

    Raises:
        AdizError: a required column is missing, or one cannot be cast to its declared type.
    """
    import polars as pl

    types = polars_schema(REPORTS)
    required = {column.name for column in REPORTS if column.required}
    missing = sorted(required - set(reports.columns))
    if missing:
        raise AdizError(f"reports lack the column{'s' * (len(missing) > 1)} {', '.join(missing)}")
    names, one = [name for name in COLUMNS if name in reports.columns], None
    if reports.height > CHUNK_ROWS:
        names, one = _with_values(reports, names, required)
    try:
        given = [reports.get_column(name) for name in names]
        columns = [
            column if column.dtype == types[column.name] else column.cast(types[column.name])
            for column in given
            if column.name in required or column.null_count() < len(column)
        ]
        return columns if one is None else [*columns, one.cast(types["source"])]
    except pl.exceptions.PolarsError as error:
        raise AdizError(f"reports do not have the declared types: {error}") from error


def _with_values(
    reports: pl.DataFrame, names: list[str], required: set[str]
) -> tuple[list[str], pl.Series | None]:
    """Of some columns those with values, but for a source that is everywhere the same."""
    import polars as pl

    source = pl.col("source")
    optional = [name for name in names if name not in required]
    looks = [pl.col(optional).null_count()]
    if "source" in optional:
        looks.append((source.min() == source.max()).alias("one source"))
    found = reports.select(looks).row(0, named=True)
    names = [name for name in names if found.get(name, 0) < reports.height]
    if found.get("source", 1) or not found["one source"]:
        return names, None
    return [name for name in names if name != "source"], reports.head(1).get_column("source")


class EncountersFold:
    """Encounters as a fold: ``step`` takes reports, ``flush`` ends it.

    The result is the same for any split of the reports into steps and any order within
    ``lateness_s`` (a report later than that behind the latest one taken is counted in
    ``counts["late"]`` and left out). An encounter comes out ``max_gap_s + lateness_s`` (and
    up to a step of the sweep, 46 s at 5 NM) after it ended: until then a report may still arrive
    that carries it on.

    Args:
        within_nm: lateral limit, nautical miles, above 0 and at most 50.
        within_ft: vertical limit, feet.
        for_s: shortest encounter reported, seconds.
        max_gap_s: longest time between two reports that still make a leg, seconds.
        lateness_s: how far behind the latest report another may come, seconds.
        max_speed_kt: a leg that needs more (beyond 1 km of position error) is not flown but
            treated as a gap, and counted in ``counts["too_fast"]``.
        threads: at most so many share the work of a large step; None for as many as there are
            processors, up to 4. What is found does not depend on it.
        sweep_s: time is gone through in steps of so many seconds, 2 to 60; None: the best for
            throughput. Short ones give work in small portions. What is found does not depend on it.

    Attributes:
        counts: reports and legs left out, by reason: ``late``, ``same_time`` (two reports of a
            track at one time; the first by latitude, longitude, altitude is kept), ``too_fast``,
            ``unusable`` (no time, track or position).

    Raises:
        AdizError: a limit out of range.
    """

    def __init__(
        self,
        *,
        within_nm: float = 5.0,
        within_ft: float = 2000.0,
        for_s: float = 300.0,
        max_gap_s: float = 120.0,
        lateness_s: float = 5.0,
        max_speed_kt: float = 2000.0,
        threads: int | None = None,
        sweep_s: float | None = None,
    ) -> None:
        for name, value, low, high in (
            ("within_nm", within_nm, 0.001, 50.0),
            ("within_ft", within_ft, 0.0, 1e6),
            ("for_s", for_s, 0.0, 1e7),
            ("max_gap_s", max_gap_s, 0.001, 3600.0),
            ("lateness_s", lateness_s, 0.0, 86_400.0),
            ("max_speed_kt", max_speed_kt, 1.0, 10_000.0),
        ):
            if not low <= value <= high:
                raise AdizError(f"{name} is {value:g}; it must lie within {low:g} and {high:g}")
        within_m = within_nm * M_PER_NM
        # About how long a jet takes through the limit; it sets the work, not the result.
        step_s = min(max(sweep_s or within_m / 200.0, 2.0), 60.0)
        self._sweep = Sweep(
            round(max_gap_s * US_PER_S),
            round(for_s * US_PER_S),
            round(lateness_s * US_PER_S),
            round(step_s * US_PER_S),
            within_m,
            within_ft,
            max_speed_kt * M_PER_NM / 3600.0,
        )
        self._use(threads)

    def _use(self, threads: int | None) -> None:
        self._threads = threads or min(os.cpu_count() or 1, _MOST_THREADS)
        self._pool: ThreadPoolExecutor | None = None

    def step(self, reports: pl.DataFrame | Prepared) -> pl.DataFrame:
        """Take reports (any order within the lateness); the encounters that have ended.

        Reports may be given as :meth:`prepare` makes them.
        """
        given = reports if isinstance(reports, Prepared) else self.prepare(reports)
        return _table(self._sweep.step(given, self._pool))

    def prepare(self, reports: pl.DataFrame) -> Prepared:
        """Reports for :meth:`step`, once; may be called by another thread while that is at work.

        Raises:
            AdizError: as :func:`sweep_columns`.
        """
        columns = sweep_columns(reports)
        if len(columns[0]) > 2 * CHUNK_ROWS and self._pool is None and self._threads > 1:
            self._pool = ThreadPoolExecutor(self._threads - 1)
        return self._sweep.prepare(columns, self._pool, self._threads)

    def under_way(self) -> pl.DataFrame:
        """Encounters that have lasted long enough and have not ended; the fold goes on.

        They stand as of about ``max_gap_s + lateness_s`` before the latest report: ``end_time`` is
        how far they are known to go, ``end_kind`` is null.
        """
        import polars as pl

        return _table(self._sweep.under_way()).with_columns(
            pl.lit(None, pl.String()).alias("end_kind")
        )

    def flush(self) -> pl.DataFrame:
        """End the fold: all encounters that are left."""
        return _table(self._sweep.flush())

    def save(self) -> bytes:
        """The whole state, settings included; for the same version and kind of machine."""
        state: bytes = self._sweep.save()
        return state

    def save_part(self) -> tuple[bytes, bytes]:
        """The state without the reports it holds, and a part: those of them that are new.

        To be restored it needs that part behind the last :meth:`parts_needed` ones before it, in
        order. What is new is counted from the last :meth:`mark_saved`, so a process that was forked
        may save while this one goes on.
        """
        saved: tuple[bytes, bytes] = self._sweep.save_part()
        return saved

    def parts_needed(self) -> int:
        """How many of the parts saved before are still needed, the last ones."""
        needed: int = self._sweep.parts_needed()
        return needed

    def mark_saved(self, is_saved: bool) -> None:
        """What is held now is in the part that is being saved; False: no part is there any more."""
        self._sweep.mark_saved(is_saved)

    @classmethod
    def restore(cls, state: bytes, parts: Sequence[bytes] = ()) -> EncountersFold:
        """The fold that was saved.

        Args:
            state: of :meth:`save` or :meth:`save_part`.
            parts: of a state without its reports: all it needs, its own the last.

        Raises:
            AdizError: the bytes are not a saved state, or are damaged.
        """
        fold = cls.__new__(cls)
        try:
            fold._sweep = Sweep.restore(state, parts)
        except ValueError as error:
            raise AdizError(f"encounters cannot be carried on: {error}") from error
        fold._use(None)
        return fold

    def rewind(self, state: bytes) -> None:
        """Go back to a state that this fold was saved in."""
        self._sweep = Sweep.restore(state)

    @property
    def counts(self) -> dict[str, int]:
        """Reports and legs left out, by reason."""
        counts: dict[str, int] = self._sweep.counts
        return counts

    @property
    def held(self) -> tuple[int, int]:
        """Reports and open encounters in memory."""
        held: tuple[int, int] = self._sweep.held
        return held

    @property
    def swept_us(self) -> int | None:
        """An encounter still to come that is not open began no earlier (microseconds of the epoch);
        None before the first report.
        """
        swept: int | None = self._sweep.swept_us
        return swept

    def open_pairs(self) -> list[tuple[str, str, int]]:
        """Of each encounter that has not ended, however short: tracks, beginning (microseconds)."""
        pairs: list[tuple[str, str, int]] = self._sweep.open_pairs()
        return pairs


def _table(rows: list[tuple[object, ...]]) -> pl.DataFrame:
    return _filled(rows) if rows else _none()


@cache
def _none() -> pl.DataFrame:
    return _filled([])


def _filled(rows: list[tuple[object, ...]]) -> pl.DataFrame:
    import polars as pl

    types = polars_schema(ENCOUNTERS)
    if not rows:
        return pl.DataFrame(schema=types)
    raw = {n: pl.Int64() if isinstance(t, pl.Datetime) else t for n, t in types.items()}
    table = pl.DataFrame(rows, schema=raw, orient="row")
    return table.select(pl.col(n).cast(t) for n, t in types.items()).sort(SORT)
