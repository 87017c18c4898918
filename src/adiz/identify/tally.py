"""How many: stays counted by state, zone, month, role, and whether identified or in company.

Official counts differ in what they count, so both are given, always, and said:

- an **entry** is one observed stay, however short. An aircraft that leaves and comes back enters
  twice; one that is first seen inside counts too. Stays that only may have been (gaps) are counted
  apart, as possible entries.
- of the entries, those of a track that leaps between places are **doubtful**: two aircraft with one
  address seem to fly in and out.
- a **sortie** is one flight of one aircraft with at least one entry: the entries of one track
  less than six hours apart. It counts once in each line it has an entry in, so the lines of a
  tally by zone may add up to more sorties than the total.

The month, or day, is that of the entry, in UTC unless another time zone is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from adiz.errors import AdizError
from adiz.tracks.identity import Identity

if TYPE_CHECKING:
    import polars as pl

    from adiz.detect.formations import Formations

SORTIE_GAP = timedelta(hours=6)

DEFINITIONS = (
    "Entry: one observed stay; an aircraft that leaves and comes back enters twice.",
    "Sortie: one flight of one aircraft with at least one entry (entries of a track less than "
    "6 h apart); it counts once in each line.",
    "Possible: stays that may have been, in gaps between reports; in neither count.",
    "Doubtful: of the entries, those of tracks that leap between places, as two aircraft with one "
    "address do.",
)
COUNTS = ("sorties", "entries", "possible", "doubtful")

BY = ("state", "zone", "month", "year", "day", "role", "use", "identified", "company")
TIMES = {"year": "%Y", "month": "%Y-%m", "day": "%Y-%m-%d"}

Intervals = Mapping[str, Sequence[tuple[datetime, datetime]]]
"""When each track was in company: spans by track id."""


def tally_stays(
    stays: pl.DataFrame,
    identities: Mapping[str, Identity],
    by: Sequence[str] = ("zone", "state"),
    *,
    identified: pl.DataFrame | None = None,
    company: Intervals | None = None,
    plain_names: Mapping[str, str] | None = None,
    time_zone: str = "UTC",
) -> pl.DataFrame:
    """Count stays.

    Args:
        stays: the stays table.
        identities: by track id; a track without one counts as unknown.
        by: columns to count by, any of :data:`BY`.
        identified: the table of that name of :class:`~adiz.identify.compliance.Compliance`.
        company: when tracks were in formation; without it all are unknown.
        plain_names: names of zones by id, to count the versions of a zone together.
        time_zone: IANA name for year, month and day.

    Returns:
        The columns of ``by``, then :data:`COUNTS`; sorted by ``by``. The last row is the total, its
        ``by`` columns null.

    Raises:
        AdizError: a column of ``by`` is unknown or repeated, or the time zone is none.
    """
    import polars as pl

    if not by or len(set(by)) < len(by) or set(by) - set(BY):
        raise AdizError(f"count by some of {', '.join(BY)}, each once; not by {', '.join(by)}")
    try:
        ZoneInfo(time_zone)
    except (ValueError, OSError, ZoneInfoNotFoundError) as error:
        raise AdizError(
            f"{time_zone!r} is no time zone; give an IANA name, as in Asia/Seoul"
        ) from error
    begin = pl.coalesce("entry_time", "earliest_entry")
    table = stays.with_columns(begin.alias("begin")).sort("track_id", "begin", "zone_id")
    table = table.with_columns(_sortie().alias("sortie"), *_columns(identities, plain_names))
    if "company" in by:
        table = _with_company(table, company)
    if "identified" in by:
        table = _with_identified(table, identified)
    local = pl.col("begin").dt.convert_time_zone(time_zone)
    table = table.with_columns(local.dt.strftime(form).alias(n) for n, form in TIMES.items())
    observed = pl.col("certainty") != "possible"
    counts = (
        pl.col("sortie").filter(observed).n_unique().cast(pl.Int64).alias("sorties"),
        observed.sum().cast(pl.Int64).alias("entries"),
        (~observed).sum().cast(pl.Int64).alias("possible"),
        (observed & pl.col("leaping")).sum().cast(pl.Int64).alias("doubtful"),
    )
    lines = table.group_by(by).agg(counts).sort(by)
    return pl.concat([lines, table.select(counts)], how="diagonal")


def company_spans(formations: Formations) -> dict[str, list[tuple[datetime, datetime]]]:
    """When each track flew in a formation (not in company of any other kind)."""
    import polars as pl

    kept = formations.formations.filter(pl.col("kind") == "formation")
    parts = formations.parts.join(kept.select("formation_id"), on="formation_id", how="semi")
    spans: dict[str, list[tuple[datetime, datetime]]] = {}
    for members, start, end in parts.select("members", "start_time", "end_time").iter_rows():
        for track_id in members.split(";"):
            spans.setdefault(track_id, []).append((start, end))
    return spans


def _sortie() -> pl.Expr:
    """A number for each run of stays of one track; on a table sorted by track and begin."""
    import polars as pl

    end = pl.coalesce("exit_time", "latest_exit").cum_max().shift(1).over("track_id")
    apart = (pl.col("begin") - end) > SORTIE_GAP
    first = pl.col("track_id") != pl.col("track_id").shift(1)
    return (apart | first).fill_null(True).cum_sum()


def _columns(
    identities: Mapping[str, Identity], plain_names: Mapping[str, str] | None
) -> list[pl.Expr]:
    import polars as pl

    def told(values: dict[str, str]) -> pl.Expr:
        return pl.col("track_id").replace_strict(values, default="unknown", return_dtype=pl.String)

    return [
        told({t: " or ".join(i.values("state")) or "unknown" for t, i in identities.items()})
        .alias("state"),
        told({t: i.role or "unknown" for t, i in identities.items()}).alias("role"),
        told({t: i.use for t, i in identities.items()}).alias("use"),
        pl.col("track_id")
        .is_in([t for t, i in identities.items() if i.leaping])
        .alias("leaping"),
        pl.col("zone_id").replace(dict(plain_names or {})).alias("zone"),
    ]  # fmt: skip


def _with_company(table: pl.DataFrame, company: Intervals | None) -> pl.DataFrame:
    import polars as pl

    def told(track_id: str, begin: datetime, end: datetime) -> str:
        if company is None:
            return "unknown"
        spans = company.get(track_id, ())
        return "in formation" if any(a <= end and begin <= b for a, b in spans) else "alone"

    rows = table.select("track_id", "begin", pl.coalesce("exit_time", "latest_exit")).iter_rows()
    return table.with_columns(pl.Series("company", [told(*row) for row in rows], pl.String))


def _with_identified(table: pl.DataFrame, identified: pl.DataFrame | None) -> pl.DataFrame:
    import polars as pl

    if identified is None:
        return table.with_columns(pl.lit("unknown").alias("identified"))
    known = identified.select(
        "track_id", "zone_id", pl.col("entry_time").alias("begin"), "identified"
    )
    return table.join(known.unique(), on=["track_id", "zone_id", "begin"], how="left").with_columns(
        pl.col("identified").fill_null("unknown")
    )
