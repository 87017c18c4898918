"""From pairs in company to formations: who belongs together, and how that changes.

A formation is a maximal set of companies in which each overlaps in time with another that shares
a member. Between two changes its membership stands still: a *part*. Where a formation is in two
groups at once (split, not yet merged) there are two parts at that time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from adiz.schema import Column, polars_schema

if TYPE_CHECKING:
    import polars as pl

FORMATIONS: tuple[Column, ...] = (
    Column("formation_id", "text", "", "", "start and first member"),
    Column("kind", "text", "", "", "formation, orbit (circling) or unclear (altitudes unknown)"),
    Column("start_time", "time", "us", "UTC", "when the first two came together"),
    Column("end_time", "time", "us", "UTC", "when the last two parted"),
    Column("duration_s", "number", "second", "", "end_time minus start_time"),
    Column("members", "text", "", "", "track ids, sorted, joined by ;"),
    Column("member_count", "whole", "", "", "how many"),
    Column("most_at_once", "whole", "", "", "greatest number in one group at a time"),
    Column("states", "text", "", "", "known states of the members, sorted, joined by ;"),
    Column("roles", "text", "", "", "known roles of the members, sorted, joined by ;"),
    Column("joint_patrol", "truth", "", "", "members of two or more states in one group"),
    Column("joint_start", "time", "us", "UTC", "when states first flew in one group"),
    Column("joint_end", "time", "us", "UTC", "when they last did"),
    Column("joint_s", "number", "second", "", "for how long in all"),
    Column("coordination", "number", "", "", "mean over its pairs, weighted by time"),
    Column("mean_lateral_m", "number", "metre", "WGS84", "the same of the lateral distance"),
    Column("mean_vertical_ft", "number", "foot", "as the altitudes", "the same, where known"),
    Column("speed_difference_kt", "number", "knot", "ground", "the same"),
    Column("heading_difference_deg", "number", "degree", "", "the same"),
    Column("vertical", "text", "", "", "known, partly or unknown"),
    Column("reason", "text", "", "", "why it is of that kind, in one sentence"),
)

PARTS: tuple[Column, ...] = (
    Column("formation_id", "text", "", "", "of which formation"),
    Column("start_time", "time", "us", "UTC", "from when"),
    Column("end_time", "time", "us", "UTC", "to when these members were one group"),
    Column("members", "text", "", "", "track ids, sorted, joined by ;"),
    Column("member_count", "whole", "", "", "how many"),
    Column("states", "text", "", "", "their known states"),
)

EVENTS: tuple[Column, ...] = (
    Column("time", "time", "us", "UTC", "when"),
    Column("formation_id", "text", "", "", "in which formation"),
    Column("kind", "text", "", "", "formed, joined, left, merged, split, ended"),
    Column("members", "text", "", "", "whom it concerns: who joined, left, split off, …"),
    Column("group", "text", "", "", "the group afterwards (before, where it left none)"),
)

_MEANS = ("coordination", "mean_lateral_m", "mean_vertical_ft", "speed_difference_kt",
          "heading_difference_deg")  # fmt: skip

Group = frozenset[str]
Label = Callable[[str], str | None]


class Span(NamedTuple):
    """A company: two members from when to when."""

    a: str
    b: str
    start: datetime
    end: datetime


def _roots(count: int) -> tuple[Callable[[int], int], Callable[[int, int], None]]:
    parent = list(range(count))

    def find(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    def unite(i: int, j: int) -> None:
        i, j = find(i), find(j)
        parent[max(i, j)] = min(i, j)

    return find, unite


def clusters(rows: pl.DataFrame, apart_s: float) -> list[int]:
    """For each row the cluster it belongs to: rows that share a member with no more than
    ``apart_s`` between them are in one."""
    spans = [Span(*r) for r in rows.select("track_a", "track_b", "start_time", "end_time").rows()]
    return _clusters(spans, timedelta(seconds=apart_s))


def _clusters(spans: Sequence[Span], slack: timedelta) -> list[int]:
    find, unite = _roots(len(spans))
    latest: dict[str, int] = {}  # member -> the span of its that ends last
    for i in sorted(range(len(spans)), key=lambda i: spans[i].start):
        for member in (spans[i].a, spans[i].b):
            before = latest.get(member)
            if before is not None and spans[i].start <= spans[before].end + slack:
                unite(i, before)
            if before is None or spans[i].end > spans[before].end:
                latest[member] = i
    return [find(i) for i in range(len(spans))]


def _groups(active: Iterable[Span]) -> set[Group]:
    """Connected members of the companies that are under way."""
    found: list[set[str]] = []
    for span in active:
        touching = [g for g in found if span.a in g or span.b in g]
        for g in touching:
            found.remove(g)
        found.append({span.a, span.b}.union(*touching))
    return {frozenset(g) for g in found}


def _changes(before: set[Group], after: set[Group]) -> Iterable[tuple[str, Group, Group]]:
    """What happened, as (kind, whom, group); groups that did not change say nothing."""
    for group in after - before:
        from_ = [g for g in before if g & group]
        if not from_:
            yield "formed", group, group
            continue
        if len(from_) > 1:
            for part in from_:
                yield "merged", part & group, group
        if new := group.difference(*from_):
            yield "joined", new, group
    for group in before - after:
        into = [g for g in after if g & group]
        if not into:
            yield "ended", group, group
            continue
        if len(into) > 1:
            for part in into:
                yield "split", part & group, part
        if gone := group.difference(*into):
            yield "left", gone, into[0] if len(into) == 1 else group


def _story(
    spans: Sequence[Span],
) -> tuple[list[tuple[Group, datetime, datetime]], list[tuple[datetime, str, Group, Group]]]:
    """Parts and events of one formation."""
    since: dict[Group, datetime] = {}
    parts, events = [], []
    for time in sorted({t for s in spans for t in (s.start, s.end)}):
        after = _groups(s for s in spans if s.start <= time < s.end)
        before = set(since)
        events += [(time, *change) for change in _changes(before, after)]
        for group in before - after:
            parts.append((group, since.pop(group), time))
        for group in after - before:
            since[group] = time
    return parts, events


def _names(members: Iterable[str]) -> str:
    return ";".join(sorted(members))


def _labels(members: Iterable[str], label: Label) -> list[str]:
    return sorted({value for m in members if (value := label(m))})


def build(
    company: pl.DataFrame, state_of: Label, role_of: Label
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Formations, parts and events (tables as declared above) of pairs in formation."""
    rows = company.rows(named=True)
    spans = [Span(r["track_a"], r["track_b"], r["start_time"], r["end_time"]) for r in rows]
    by_cluster: dict[int, list[int]] = {}
    for i, key in enumerate(_clusters(spans, timedelta(0))):
        by_cluster.setdefault(key, []).append(i)
    formations, all_parts, all_events = [], [], []
    for indices in by_cluster.values():
        parts, events = _story([spans[i] for i in indices])
        row = _summary([rows[i] for i in indices], parts, state_of, role_of)
        name = row["formation_id"]
        formations.append(row)
        all_parts += [
            {
                "formation_id": name,
                "start_time": start,
                "end_time": end,
                "members": _names(group),
                "member_count": len(group),
                "states": ";".join(_labels(group, state_of)),
            }
            for group, start, end in parts
        ]
        all_events += [
            {
                "time": time,
                "formation_id": name,
                "kind": kind,
                "members": _names(whom),
                "group": _names(group),
            }
            for time, kind, whom, group in events
        ]
    return (
        _frame(formations, FORMATIONS, ["start_time", "formation_id"]),
        _frame(all_parts, PARTS, ["start_time", "formation_id", "members"]),
        _frame(all_events, EVENTS, ["time", "formation_id", "kind", "members"]),
    )


def _summary(
    pairs: list[dict[str, Any]],
    parts: list[tuple[Group, datetime, datetime]],
    state_of: Label,
    role_of: Label,
) -> dict[str, Any]:
    members = sorted({m for group, _, _ in parts for m in group})
    start = min(p["start_time"] for p in pairs)
    end = max(p["end_time"] for p in pairs)
    joint = [(s, e) for group, s, e in parts if len(_labels(group, state_of)) > 1]
    total = sum(p["together_s"] for p in pairs)
    kinds = {p["kind"] for p in pairs}
    kind = "formation" if "formation" in kinds else "unclear"
    if 2 * sum(p["together_s"] for p in pairs if p["kind"] == "orbit") > total:
        kind = "orbit"
    vertical = {p["vertical"] for p in pairs}
    row: dict[str, Any] = {
        "formation_id": f"{start:%Y%m%dT%H%M%SZ}-{members[0]}",
        "kind": kind,
        "start_time": start,
        "end_time": end,
        "duration_s": (end - start).total_seconds(),
        "members": _names(members),
        "member_count": len(members),
        "most_at_once": max(len(group) for group, _, _ in parts),
        "states": ";".join(_labels(members, state_of)),
        "roles": ";".join(_labels(members, role_of)),
        "joint_patrol": bool(joint),
        "joint_start": min((s for s, _ in joint), default=None),
        "joint_end": max((e for _, e in joint), default=None),
        "joint_s": sum((e - s).total_seconds() for s, e in joint),
        "vertical": vertical.pop() if len(vertical) == 1 else "partly",
    }
    for name in _MEANS:
        known = [p for p in pairs if p[name] is not None]
        time = sum(p["together_s"] for p in known)
        row[name] = sum(p[name] * p["together_s"] for p in known) / time if time else None
    longest = max((p for p in pairs if p["kind"] == kind), key=lambda p: p["together_s"])
    row["reason"] = f"{longest['track_a']} and {longest['track_b']}: {longest['reason']}"
    return row


def _frame(rows: list[dict[str, Any]], columns: tuple[Column, ...], by: list[str]) -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame(rows, schema=polars_schema(columns)).sort(by)


def find_zone_company(parts: pl.DataFrame, stays: pl.DataFrame) -> pl.DataFrame:
    """Which members of a formation were in which zone together, from when to when.

    Args:
        parts: of :class:`adiz.detect.formations.Formations`.
        stays: of :func:`adiz.find_stays`; only observed stays (both times known) count, since a
            possible one does not say when.

    Returns:
        ``formation_id``, ``zone_id``, ``start_time``, ``end_time``, ``members`` (those in the
        zone, two or more), ``member_count``; maximal times with the same members inside.
    """
    import polars as pl

    known = stays.drop_nulls(["entry_time", "exit_time"]).select(
        "track_id", "zone_id", "entry_time", "exit_time"
    )
    inside = (
        parts.with_columns(pl.col("members").str.split(";").alias("track_id"))
        .explode("track_id")
        .join(known, on="track_id")
        .with_columns(
            pl.max_horizontal("start_time", "entry_time").alias("start"),
            pl.min_horizontal("end_time", "exit_time").alias("end"),
        )
        .filter(pl.col("start") < pl.col("end"))
    )
    pieces: list[tuple[str, str, str, datetime, datetime, int]] = []
    key = ["formation_id", "zone_id", "members", "start_time"]
    for (formation, zone, *_), part in inside.group_by(key):
        spans = part.select("track_id", "start", "end").rows()
        for start, end in pairwise(sorted({t for _, s, e in spans for t in (s, e)})):
            who = {m for m, s, e in spans if s <= start and end <= e}
            if len(who) > 1:
                pieces.append((formation, zone, _names(who), start, end, len(who)))
    merged: list[list[Any]] = []
    for piece in sorted(pieces):
        if merged and merged[-1][:3] == list(piece[:3]) and merged[-1][4] == piece[3]:
            merged[-1][4] = piece[4]
        else:
            merged.append(list(piece))
    names = ("formation_id", "zone_id", "members", "start_time", "end_time", "member_count")
    rows = [dict(zip(names, row, strict=True)) for row in merged]
    columns = (PARTS[0], Column("zone_id", "text", "", "", "in which zone"), *PARTS[1:5])
    return _frame(rows, columns, ["start_time", "formation_id", "zone_id"])
