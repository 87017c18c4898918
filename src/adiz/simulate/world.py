"""A world: flights and groups made from a seed, reports drawn from them, truth beside them.

Reports come by windows of time, so that a world may be larger than memory; a window's noise and
losses depend on the seed and the window alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path as FilePath

import numpy as np
import polars as pl

from adiz.errors import AdizError
from adiz.schema import REPORTS, polars_schema
from adiz.simulate.flights import Flight, Group, Traffic
from adiz.simulate.paths import LatLon, move
from adiz.simulate.plans import Plan, make_plans
from adiz.units import US_PER_S

WINDOW_S = 900.0
_SCHEMA = polars_schema(REPORTS)


@dataclass(frozen=True, slots=True)
class Settings:
    """What world to make.

    Attributes:
        aircraft: about how many flights; the area grows with them, so that density stays.
        hours: how long.
        seed: the same seed and settings give the same world, byte for byte.
        period_s: time between two reports of an aircraft.
        noise_m: standard deviation of each coordinate.
        dropout: share of reports lost, each on its own.
        holes: share of flights that are not received for three to ten minutes.
        no_altitude: share of flights that report no altitude.
        begin: when the world begins.
        center: its middle; the Sea of Japan by default.
    """

    aircraft: int = 500
    hours: float = 3.0
    seed: int = 1
    period_s: float = 5.0
    noise_m: float = 0.0
    dropout: float = 0.0
    holes: float = 0.0
    no_altitude: float = 0.0
    begin: datetime = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)
    center: LatLon = (37.0, 131.0)

    def __post_init__(self) -> None:
        for name, low, high in (
            ("aircraft", 10, 1_000_000),
            ("hours", 0.25, 24.0 * 366),
            ("period_s", 0.1, 600.0),
            ("noise_m", 0.0, 10_000.0),
            ("dropout", 0.0, 0.99),
            ("holes", 0.0, 1.0),
            ("no_altitude", 0.0, 1.0),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise AdizError(f"{name} is {value:g}; it must lie within {low:g} and {high:g}")


@dataclass(frozen=True, slots=True)
class World:
    """Flights, groups and plans, and the reports to be had of them."""

    settings: Settings
    flights: tuple[Flight, ...]
    groups: tuple[Group, ...]
    plans: tuple[Plan, ...]

    def windows(self) -> Iterator[pl.DataFrame]:
        """The reports, by windows of time, each sorted by time and track."""
        end_s = self.settings.hours * 3600.0
        for k in range(int(np.ceil(end_s / WINDOW_S))):
            yield self._window(k, min((k + 1) * WINDOW_S, end_s))

    def reports(self) -> pl.DataFrame:
        """All reports, sorted by time and track."""
        return pl.concat(list(self.windows()))

    def _window(self, k: int, end_s: float) -> pl.DataFrame:
        rng = np.random.default_rng([self.settings.seed, 1, k])
        frames = [
            frame
            for index, flight in enumerate(self.flights)
            if (frame := self._seen(index, flight, k * WINDOW_S, end_s, rng)) is not None
        ]
        return pl.concat(frames or [pl.DataFrame(schema=_SCHEMA)]).sort("time", "track_id")

    def _seen(
        self, index: int, flight: Flight, low_s: float, high_s: float, rng: np.random.Generator
    ) -> pl.DataFrame | None:
        """Reports of one flight in a window."""
        s = self.settings
        phase = (index * 0.6180339887) % 1.0 * s.period_s
        low, high = max(low_s, flight.start_s), min(high_s, flight.end_s)
        first, last = (int(np.ceil((t - phase) / s.period_s)) for t in (low, high))
        us = np.round((np.arange(first, last) * s.period_s + phase) * US_PER_S).astype(np.int64)
        heard = rng.random(len(us)) >= s.dropout
        for a, b in flight.holes:
            heard &= (us < a * US_PER_S) | (us > b * US_PER_S)
        us = us[heard]
        if not len(us):
            return None
        since = us / US_PER_S - flight.start_s
        motion = flight.path.at(since)
        lat, lon = motion.lat_deg, motion.lon_deg
        if s.noise_m:
            off = rng.normal(0.0, s.noise_m, (2, len(us)))
            lat, lon, _ = move(lat, lon, np.degrees(np.arctan2(*off)), np.hypot(*off))
        at, alt = np.array(flight.alt_ft).T
        height = np.interp(since, at, alt)
        if s.noise_m:
            height = np.round(height / 25.0) * 25.0
        silent = (index * 0.7548776662) % 1.0 < s.no_altitude
        constant = {
            "track_id": flight.icao24,
            "icao24": flight.icao24,
            "callsign": flight.callsign,
            "squawk": flight.squawk,
            "type_code": flight.type_code,
            "on_ground": False,
            "position_error_m": 2.4477 * s.noise_m if s.noise_m else None,
            "source": "simulated",
        }
        begin = int(s.begin.timestamp()) * US_PER_S
        given = {
            "time": us + begin,
            "lat_deg": lat,
            "lon_deg": (lon + 180.0) % 360.0 - 180.0,
            "alt_baro_ft": None if silent else height,
            "gs_kt": np.round(motion.speed_kt, 1),
            "track_true_deg": np.round(motion.course_deg % 360.0, 2),
        }
        frame = pl.DataFrame({n: v for n, v in given.items() if v is not None})
        return frame.select(
            (pl.col(n) if n in frame.columns else pl.lit(constant.get(n))).cast(t).alias(n)
            for n, t in _SCHEMA.items()
        )

    def truth(self) -> dict[str, pl.DataFrame]:
        """Tables of what is true: ``flights``, ``groups`` (one row a member), ``plans``."""
        begin = self.settings.begin

        def when(seconds: float) -> datetime:
            within = min(max(seconds, 0.0), self.settings.hours * 3600.0)
            return begin + timedelta(microseconds=round(within * US_PER_S))

        time = pl.Datetime("us", "UTC")
        flights = [
            (f.icao24, f.callsign, f.type_code, f.state, f.kind, when(f.start_s), when(f.end_s))
            for f in self.flights
        ]
        groups = [
            (number, group.kind, m.icao24, when(m.start_s), when(m.end_s))
            for number, group in enumerate(self.groups)
            for m in group.members
        ]
        text = pl.String()
        return {
            "flights": pl.DataFrame(
                flights,
                schema={
                    **dict.fromkeys(("icao24", "callsign", "type_code", "state", "kind"), text),
                    "start_time": time,
                    "end_time": time,
                },
                orient="row",
            ),
            "groups": pl.DataFrame(
                groups,
                schema={
                    "group": pl.Int64(),
                    "kind": text,
                    "icao24": text,
                    "start_time": time,
                    "end_time": time,
                },
                orient="row",
            ),
            "plans": pl.DataFrame(
                [(p.callsign, p.icao24, p.kind, p.off_block) for p in self.plans],
                schema={"callsign": text, "icao24": text, "kind": text, "off_block": time},
                orient="row",
            ),
        }

    def write(self, folder: str | FilePath) -> int:
        """Write ``reports/NNN.parquet`` (one a window), ``plans.txt`` and ``truth/*.parquet``.

        Returns:
            The number of reports.

        Raises:
            AdizError: the folder cannot be written, or already holds something.
        """
        root = FilePath(folder)
        try:
            if root.exists() and any(root.iterdir()):
                raise AdizError(f"{root} is not empty; give a new folder")
            for part in ("reports", "truth"):
                (root / part).mkdir(parents=True)
            rows = 0
            for k, window in enumerate(self.windows()):
                window.write_parquet(root / "reports" / f"{k:05d}.parquet")
                rows += window.height
            for name, table in self.truth().items():
                table.write_parquet(root / "truth" / f"{name}.parquet")
            text = "\n\n".join(plan.text for plan in self.plans)
            (root / "plans.txt").write_text(text + "\n", encoding="ascii")
        except OSError as error:
            raise AdizError(f"{root} cannot be written: {error.strerror}") from None
        return rows


def make_world(settings: Settings | None = None) -> World:
    """The world of a seed.

    About three quarters of the flights are airway traffic, a sixth approach streams; each hundred
    flights has about one formation, each two hundred one joint patrol and one tanker's orbit, and
    each two hundred one false track and one pair of aircraft that send the same address.

    Example:
        >>> world = make_world(Settings(aircraft=20, hours=0.5))
        >>> world.reports().height > 1000
        True
    """
    s = settings or Settings()
    rng = np.random.default_rng([s.seed, 0])
    half_m = min(350_000.0 * np.sqrt(s.aircraft / 500.0) + 100_000.0, 4_000_000.0)
    traffic = Traffic(rng, s.center, half_m, s.hours * 3600.0)
    # Those that last longer than an airliner's crossing are fewer for it.
    for _ in range(max(1, s.aircraft // 100)):
        traffic.formation()
    for _ in range(max(1, s.aircraft // 200)):
        traffic.joint_patrol()
        traffic.orbit()
    special = len(traffic.flights)
    traffic.approaches(s.aircraft // 6)
    traffic.airways(max(s.aircraft - special - s.aircraft // 6, 0))
    for _ in range(s.aircraft // 200):
        traffic.ghost()
        traffic.duplicate()
    for flight in traffic.flights:
        if rng.random() < s.holes:
            at = float(rng.uniform(max(flight.start_s, 0.0), flight.end_s))
            flight.holes.append((at, at + float(rng.uniform(180.0, 600.0))))
    flights = [f for f in traffic.flights if f.start_s < traffic.duration_s and f.end_s > 0.0]
    return World(s, tuple(flights), tuple(traffic.groups), make_plans(flights, rng, s.begin))
