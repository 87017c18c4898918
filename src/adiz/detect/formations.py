"""Formations: groups that keep company, told apart from traffic that only shares the sky.

Company is more than nearness. Two airliners on one airway, an approach stream and aircraft that
share an orbit are near each other for long, because someone else arranged them. What they never
do is come closer than separation minima and stay there with one heading and one speed: air
traffic control keeps strangers 1,000 ft or 3 to 5 NM apart (ICAO Doc 4444, chapters 5 and 8; on
final approach 2.5 NM). A formation is defined by coming closer on purpose (ICAO Annex 2, 3.1.8:
within 1 km and 100 ft of the leader; FAA Pilot/Controller Glossary: 1 mile and 100 ft). The
:class:`Rule` lies between the two, so that loose military company still counts.

The rule is applied to pairs; pairs that share a member while both last make a formation. Its
changes are told as events. Nothing here says why they fly together: an interceptor that follows
a bomber closely keeps company with it as a wingman does.
"""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from adiz.detect import groups
from adiz.detect.encounters import ENCOUNTERS, EncountersFold
from adiz.errors import AdizError
from adiz.schema import Column, polars_schema
from adiz.units import M_PER_NM

if TYPE_CHECKING:
    import polars as pl

StateOf = Mapping[str, str | None] | Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """What makes two aircraft a pair in formation. All means are over their time in company.

    Attributes:
        within_nm, within_ft: company begins and ends at these distances.
        for_s: least time in company, seconds.
        apart_s: a break in company up to this long (lost reports, a wide turn) is bridged.
        close_nm: greatest mean lateral distance below ``terminal_ft``; less than the 2.5 NM that
            strangers are kept apart by on final approach.
        cruise_nm: the same above it or where the altitude is unknown; less than the 3 NM that
            they are kept apart by elsewhere.
        level_ft: greatest mean vertical distance, where altitudes are known; below 1,000 ft.
        heading_deg, speed_kt: greatest mean difference.
        terminal_ft, terminal_fpm: company whose mean altitude is below the one and whose mean
            climb or descent exceeds the other is an approach or departure.
        orbit_deg_min, orbit_deg: company that turns faster than this on average, by at least
            this much in all, circles (a hold, a tanker's track) rather than goes somewhere.
    """

    within_nm: float = 5.0
    within_ft: float = 2000.0
    for_s: float = 300.0
    apart_s: float = 300.0
    close_nm: float = 2.25
    cruise_nm: float = 2.75
    level_ft: float = 900.0
    heading_deg: float = 12.0
    speed_kt: float = 20.0
    terminal_ft: float = 10_000.0
    terminal_fpm: float = 300.0
    orbit_deg_min: float = 10.0
    orbit_deg: float = 180.0


COMPANY: tuple[Column, ...] = (
    Column("track_a", "text", "", "", "the one whose name sorts first"),
    Column("track_b", "text", "", "", "the other"),
    Column("start_time", "time", "us", "UTC", "when their company began"),
    Column("end_time", "time", "us", "UTC", "when it ended"),
    Column("together_s", "number", "second", "", "time seen together, breaks left out"),
    Column(
        "kind", "text", "", "", "formation, orbit, unclear, stacked, spaced, terminal or passing"
    ),
    Column("coordination", "number", "", "", "0 to 1, how far within the rule"),
    Column("mean_lateral_m", "number", "metre", "WGS84", "mean lateral distance"),
    Column("mean_vertical_ft", "number", "foot", "as the altitudes", "mean vertical distance"),
    Column("speed_difference_kt", "number", "knot", "ground", "mean difference"),
    Column("heading_difference_deg", "number", "degree", "", "mean difference"),
    Column("in_trail", "number", "", "", "1 one behind the other, 0 side by side"),
    Column("turn_deg_min", "number", "degree per minute", "", "mean rate of turn"),
    Column("mean_alt_ft", "number", "foot", "as the altitudes", "mean altitude"),
    Column("climb_fpm", "number", "foot per minute", "as the altitudes", "mean climb"),
    Column("vertical", "text", "", "", "known, partly or unknown"),
    Column("reason", "text", "", "", "why it is of that kind, in one sentence"),
)


def judge_company(encounters: pl.DataFrame, rule: Rule | None = None) -> pl.DataFrame:
    """Each pair's times in company, with what kind of company it was.

    Args:
        encounters: rows of :data:`adiz.detect.encounters.ENCOUNTERS`, short ones included.
        rule: see :class:`Rule`.

    Returns:
        One row a company (:data:`COMPANY`) that lasted long enough. ``kind``: ``passing``
        (headings or speeds differ), ``terminal`` (on approach or departure), ``stacked`` (one
        above the other by what strangers keep), ``spaced`` (apart by what strangers keep),
        ``orbit`` (close, but circling), ``unclear`` (close, but altitudes are unknown: it may be
        ``stacked`` or ``terminal``) or ``formation``. ``coordination`` is the geometric mean
        of four agreements, each 1 at no difference and 0 at twice its limit: heading, speed,
        lateral and (where known) vertical distance.
    """
    import polars as pl

    rule = rule or Rule()
    pair = ["track_a", "track_b"]
    new = (pl.col("start_time") - pl.col("end_time").shift(1)).over(pair) > pl.duration(
        seconds=rule.apart_s
    )
    means = [c.name for c in COMPANY[7:15]]
    weight = pl.col("duration_s")

    def mean(name: str) -> pl.Expr:
        value = pl.col(name)
        known = weight.filter(value.is_not_null())
        return ((value * weight).sum() / known.sum()).fill_nan(None).alias(name)

    merged = (
        encounters.sort("track_a", "track_b", "start_time")
        .with_columns(new.fill_null(False).cum_sum().over(pair).alias("company"))
        .group_by([*pair, "company"], maintain_order=True)
        .agg(
            pl.col("start_time").min(),
            pl.col("end_time").max(),
            weight.sum().alias("together_s"),
            *map(mean, means),
            pl.when((pl.col("vertical") == "known").all())
            .then(pl.lit("known"))
            .when((pl.col("vertical") == "unknown").all())
            .then(pl.lit("unknown"))
            .otherwise(pl.lit("partly"))
            .first()
            .alias("vertical"),
        )
        .filter(pl.col("together_s") >= rule.for_s)
        .with_columns(_kind(rule).alias("kind"), _coordination(rule).alias("coordination"))
        .with_columns(_reason(rule).alias("reason"))
    )
    types = polars_schema(COMPANY)
    table: pl.DataFrame = merged.select(pl.col(n).cast(t) for n, t in types.items()).sort(
        "start_time", *pair
    )
    return table


def _close_m(rule: Rule) -> pl.Expr:
    """The greatest mean lateral distance, by altitude."""
    import polars as pl

    low = (pl.col("mean_alt_ft") < rule.terminal_ft).fill_null(False)
    return pl.when(low).then(rule.close_nm * M_PER_NM).otherwise(rule.cruise_nm * M_PER_NM)


def _kind(rule: Rule) -> pl.Expr:
    import polars as pl

    turned = pl.col("turn_deg_min") * pl.col("together_s") / 60.0
    low = pl.col("mean_alt_ft") < rule.terminal_ft
    return (
        pl.when(
            (pl.col("heading_difference_deg") > rule.heading_deg)
            | (pl.col("speed_difference_kt") > rule.speed_kt)
        )
        .then(pl.lit("passing"))
        .when(low & (pl.col("climb_fpm").abs() > rule.terminal_fpm))
        .then(pl.lit("terminal"))
        .when(pl.col("mean_vertical_ft") > rule.level_ft)
        .then(pl.lit("stacked"))
        .when(pl.col("mean_lateral_m") > _close_m(rule))
        .then(pl.lit("spaced"))
        .when((pl.col("turn_deg_min") > rule.orbit_deg_min) & (turned > rule.orbit_deg))
        .then(pl.lit("orbit"))
        .when(pl.col("vertical") == "unknown")
        .then(pl.lit("unclear"))
        .otherwise(pl.lit("formation"))
    )


def _reason(rule: Rule) -> pl.Expr:
    """Why a company is of its kind, with the figures that decided."""
    import polars as pl

    def said(name: str, unit: str, scale: float = 1.0, digits: int = 0) -> pl.Expr:
        number = (pl.col(name) / scale).round(digits)
        shown = number.cast(pl.Int64) if not digits else number
        return shown.cast(pl.String).fill_null("unknown") + pl.lit(unit)

    apart = said("mean_lateral_m", " NM", M_PER_NM, 1)
    course = said("heading_difference_deg", "°") + " and " + said("speed_difference_kt", " kt")
    limit = (_close_m(rule) / M_PER_NM).cast(pl.String)
    texts = {
        "passing": "headings and speeds differ by " + course + " on average, "
        f"more than {rule.heading_deg:g}° or {rule.speed_kt:g} kt",
        "terminal": said("climb_fpm", " ft/min") + " at " + said("mean_alt_ft", " ft")
        + " on average: an approach or departure",
        "stacked": said("mean_vertical_ft", " ft") + " one above the other on average: "
        f"strangers are kept 1,000 ft apart, the limit is {rule.level_ft:g} ft",
        "spaced": apart + " apart on average: strangers may be, the limit is " + limit + " NM",
        "orbit": "close, but turning by " + said("turn_deg_min", "° a minute"),
        "unclear": apart + " apart, headings and speeds within " + course + ", but altitudes are "
        "unknown: they may be stacked or on approach",
        "formation": apart + " and " + said("mean_vertical_ft", " ft")
        + " apart, headings and speeds within " + course,
    }  # fmt: skip
    kind = pl.col("kind")
    return pl.coalesce(pl.when(kind == name).then(text) for name, text in texts.items())


def _coordination(rule: Rule) -> pl.Expr:
    import polars as pl

    limits = {
        "heading_difference_deg": pl.lit(rule.heading_deg),
        "speed_difference_kt": pl.lit(rule.speed_kt),
        "mean_lateral_m": _close_m(rule),
        "mean_vertical_ft": pl.lit(rule.level_ft),
    }
    parts = [(1.0 - pl.col(n) / (2.0 * limit)).clip(0.0, 1.0) for n, limit in limits.items()]
    return pl.mean_horizontal(p.log() for p in parts).exp()


@dataclass(frozen=True, slots=True, eq=False)
class Formations:
    """Formations as three tables (:data:`adiz.detect.groups.FORMATIONS`, ``PARTS``, ``EVENTS``).

    Attributes:
        formations: one row a formation: who, when, how coordinated, whether a joint patrol.
        parts: the times over which its membership stood still.
        events: ``formed``, ``joined``, ``left``, ``merged``, ``split``, ``ended``.
        company: the pairs behind them, and those near each other that are none.
    """

    formations: pl.DataFrame
    parts: pl.DataFrame
    events: pl.DataFrame
    company: pl.DataFrame

    @classmethod
    def joined(cls, found: list[Formations]) -> Formations:
        """Several results as one, in order."""
        import polars as pl

        def together(name: str, *by: str) -> pl.DataFrame:
            tables: list[pl.DataFrame] = [getattr(one, name) for one in found]
            return pl.concat(tables).sort(by)

        return cls(
            together("formations", "start_time", "formation_id"),
            together("parts", "start_time", "formation_id", "members"),
            together("events", "time", "formation_id", "kind", "members"),
            together("company", "start_time", "track_a", "track_b"),
        )


class FormationsFold:
    """Formations as a fold over reports; see :class:`adiz.detect.encounters.EncountersFold`.

    A formation comes out once nothing that is still to come can belong to it: ``apart_s`` after
    its last company ended, or later where encounters that began before then are still going on.

    Args:
        rule: what makes company a formation.
        state_of: state of a track id; unknown is None.
        role_of: role of a track id.
        max_gap_s, lateness_s, max_speed_kt: as for encounters.
    """

    def __init__(
        self,
        rule: Rule | None = None,
        *,
        state_of: StateOf | None = None,
        role_of: StateOf | None = None,
        max_gap_s: float = 120.0,
        lateness_s: float = 5.0,
        max_speed_kt: float = 2000.0,
    ) -> None:
        self.rule = rule or Rule()
        self.encounters = EncountersFold(
            within_nm=self.rule.within_nm,
            within_ft=self.rule.within_ft,
            for_s=min(60.0, self.rule.for_s),
            max_gap_s=max_gap_s,
            lateness_s=lateness_s,
            max_speed_kt=max_speed_kt,
        )
        self._label(state_of, role_of)
        self._pending = _empty_encounters()
        self._nothing = self._build(self._pending)

    def _label(self, state_of: StateOf | None, role_of: StateOf | None) -> None:
        self._state_of = _lookup(state_of)
        self._role_of = _lookup(role_of)

    def step(self, reports: pl.DataFrame) -> Formations:
        """Take reports; the formations that are complete."""
        return self.step_both(reports)[1]

    def step_both(self, reports: pl.DataFrame) -> tuple[pl.DataFrame, Formations]:
        """Take reports; the encounters that have ended (of a minute and more) besides."""
        ended = self.encounters.step(reports)
        return ended, self._settle(ended, self.encounters.settled_us)

    def under_way(self) -> Formations:
        """Formations as they stand, from companies not yet complete; the fold goes on.

        What is told may change: a formation may yet turn out as two aircraft that pass.
        """
        import polars as pl

        return self._build(pl.concat([self._pending, self.encounters.under_way()]))

    def flush(self) -> Formations:
        """End the fold: all formations that are left."""
        return self.flush_both()[1]

    def flush_both(self) -> tuple[pl.DataFrame, Formations]:
        """End the fold: all encounters and formations that are left."""
        ended = self.encounters.flush()
        return ended, self._settle(ended, None)

    def _settle(self, new: pl.DataFrame, settled_us: int | None) -> Formations:
        import polars as pl

        pending = pl.concat([self._pending, new])
        keys = groups.clusters(pending, self.rule.apart_s)
        pending = pending.with_columns(pl.Series("cluster", keys, pl.Int64()))
        open_ = pl.lit(False)
        if settled_us is not None:
            last = pl.col("end_time").max().over("cluster").dt.epoch("us")
            open_ = last + round(self.rule.apart_s * 1e6) >= settled_us
        self._pending = pending.filter(open_).drop("cluster")
        if len(self._pending) == len(pending):
            return self._nothing
        return self._build(pending.filter(~open_).drop("cluster"))

    def _build(self, encounters: pl.DataFrame) -> Formations:
        import polars as pl

        company = judge_company(encounters, self.rule)
        chosen = company.filter(pl.col("kind").is_in(["formation", "orbit", "unclear"]))
        return Formations(*groups.build(chosen, self._state_of, self._role_of), company)

    def table(self) -> bytes:
        """The companies not yet complete, packed; see :meth:`save`."""
        rows = io.BytesIO()
        self._pending.write_ipc(rows)
        return rows.getvalue()

    def save(self, table: bytes | None = None) -> bytes:
        """The whole state, without the functions that name states and roles.

        With what :meth:`table` gave just before, polars is not used.
        """
        inner = self.encounters.save()
        head = json.dumps({"rule": asdict(self.rule), "inner": len(inner)}).encode()
        rows = self.table() if table is None else table
        body = b"".join([len(head).to_bytes(4, "little"), head, inner, rows])
        return zlib.crc32(body).to_bytes(4, "little") + body

    @classmethod
    def restore(
        cls,
        state: bytes,
        *,
        state_of: StateOf | None = None,
        role_of: StateOf | None = None,
    ) -> FormationsFold:
        """The fold that was saved.

        Raises:
            AdizError: the bytes are not a saved state, or are damaged.
        """
        import polars as pl

        body = state[4:]
        if zlib.crc32(body).to_bytes(4, "little") != state[:4]:
            raise AdizError("formations cannot be carried on: the saved state is damaged")
        fold = cls.__new__(cls)
        start = 4 + int.from_bytes(body[:4], "little")
        head = json.loads(body[4:start])
        fold.rule = Rule(**head["rule"])
        inner = start + head["inner"]
        fold.encounters = EncountersFold.restore(body[start:inner])
        fold._pending = pl.read_ipc(io.BytesIO(body[inner:]))
        fold._label(state_of, role_of)
        fold._nothing = fold._build(_empty_encounters())
        return fold


def _lookup(given: StateOf | None) -> Callable[[str], str | None]:
    given = given or {}
    return given.get if isinstance(given, Mapping) else given


def _empty_encounters() -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame(schema=polars_schema(ENCOUNTERS))
