"""What kind of company two aircraft keep: the rule, and how it is applied to their encounters.

Why the limits are as they are is told in :mod:`adiz.detect.formations`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from adiz.schema import Column, polars_schema
from adiz.units import M_PER_NM

if TYPE_CHECKING:
    import polars as pl


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


CHOSEN = ("formation", "orbit", "unclear")
"""Kinds of company that make a formation."""

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


def number_companies(rule: Rule) -> pl.Expr:
    """``company``: of a pair's encounters, sorted, the how-manieth company each belongs to."""
    import polars as pl

    pair = ["track_a", "track_b"]
    apart = (pl.col("start_time") - pl.col("end_time").shift(1)).over(pair)
    new = (apart > pl.duration(seconds=rule.apart_s)).fill_null(False)
    return new.cum_sum().over(pair).alias("company")


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
    means = [c.name for c in COMPANY[7:15]]
    weight = pl.col("duration_s")

    def mean(name: str) -> pl.Expr:
        value = pl.col(name)
        known = weight.filter(value.is_not_null())
        return ((value * weight).sum() / known.sum()).fill_nan(None).alias(name)

    merged = (
        encounters.sort("track_a", "track_b", "start_time")
        .with_columns(number_companies(rule))
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
