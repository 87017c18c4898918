"""Who flies with whom, as a watch tells it: encounters, formations, joint patrols.

An encounter is told once it has lasted long enough and again, as its next revision, when it has
ended; late reports revise it (:mod:`adiz.run.live.second_look`). A formation is told while it
lasts, revised when its members change, and withdrawn if its company turns out to be none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import msgspec
import polars as pl

from adiz.detect.company import Rule
from adiz.detect.formations import Formations, FormationsFold
from adiz.events import Event, event_id, iso, spoken
from adiz.run.live.labels import Labels
from adiz.run.live.met import Met, frame, key_of, known
from adiz.run.live.second_look import History, SecondLook
from adiz.units import US_PER_S

_CHECK_US = 30 * US_PER_S
_SWEEP_S = 8.0  # a longer one holds up the events of the second in which it is due
_NONE = frame([])
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CompanyParams:
    """What counts as company.

    Attributes:
        within_nm, within_ft, for_s: of an encounter.
        lateness_s: reports may come so much out of order here; more than elsewhere, since
            encounters are told late anyway.
        max_gap_s: longest leg.
        reach_s: reports later than that change nothing.
    """

    within_nm: float = 5.0
    within_ft: float = 2000.0
    for_s: float = 300.0
    lateness_s: float = 60.0
    max_gap_s: float = 120.0
    reach_s: float = 21_600.0


@dataclass(slots=True)
class _Standing:
    """A formation under way as it was last told."""

    event_id: str
    members: tuple[str, ...]
    start_us: int
    revision: int
    joint_id: str | None = None
    joint_revision: int = 0
    states: tuple[str, ...] = ()


class Company:
    """The fold of formations and what it made known.

    Attributes:
        late_count: reports too late for encounters.
    """

    def __init__(self, labels: Labels, params: CompanyParams) -> None:
        self._labels, self._params = labels, params
        rule = replace(Rule(), within_nm=params.within_nm, within_ft=params.within_ft)
        self._fold = FormationsFold(
            rule,
            state_of=self._state,
            role_of=self._role,
            max_gap_s=params.max_gap_s,
            lateness_s=params.lateness_s,
            sweep_s=_SWEEP_S,
        )
        self._met = Met(labels)
        self._again = SecondLook(
            params.within_nm,
            params.within_ft,
            params.max_gap_s,
            params.lateness_s,
            params.reach_s,
        )
        self._standing: list[_Standing] = []
        self._checked_us = -(1 << 62)

    def _state(self, track_id: str) -> str | None:
        return self._labels[track_id].state

    def _role(self, track_id: str) -> str | None:
        return self._labels[track_id].role

    @property
    def late_count(self) -> int:
        return self._fold.encounters.counts["late"]

    def step(
        self, reports: pl.DataFrame, watermark_us: int, detected_us: int
    ) -> tuple[list[Event], pl.DataFrame]:
        """Take reports; events, and the encounters that have ended, as the store keeps them."""
        self._again.observe(reports)
        ended, formations = self._fold.step_both(reports)
        events, ended = self._ended(ended, formations, detected_us)
        if watermark_us - self._checked_us >= _CHECK_US:
            self._checked_us = watermark_us - watermark_us % _CHECK_US
            events += self._under_way(detected_us)
        return events, ended

    def flush(self, detected_us: int) -> tuple[list[Event], pl.DataFrame]:
        """End the fold."""
        return self._ended(*self._fold.flush_both(), detected_us)

    def _ended(
        self, encounters: pl.DataFrame, formations: Formations, detected_us: int
    ) -> tuple[list[Event], pl.DataFrame]:
        none = encounters.is_empty() and formations.company.is_empty()
        if none and formations.formations.is_empty():
            return [], _NONE
        events: list[Event] = []
        kept: list[Row] = []
        for row in encounters.iter_rows(named=True):
            if self._again.holds(*key_of(row), known(row["end_time"]), ask=True):
                continue
            if row["duration_s"] >= self._params.for_s:
                told, rows = self._met.ended(row, detected_us)
                events += told
                kept += rows
        for row in formations.formations.filter(pl.col("kind") == "formation").iter_rows(
            named=True
        ):
            events += self._formation(row, detected_us, ended=True)
        company = formations.company
        events += self._dissolved(company, detected_us)
        return events, frame(kept)

    def _under_way(self, detected_us: int) -> list[Event]:
        events: list[Event] = []
        for row in self._fold.encounters.under_way().iter_rows(named=True):
            held = self._again.holds(*key_of(row), known(row["end_time"]))
            if row["duration_s"] >= self._params.for_s and not held:
                events += self._met.goes_on(row, detected_us)
        found = self._fold.under_way().formations
        for row in found.filter(pl.col("kind") == "formation").iter_rows(named=True):
            events += self._formation(row, detected_us, ended=False)
        return events

    # ---- late reports ---------------------------------------------------------------------------

    def revise(
        self,
        history: History | None,
        detected_us: int,
        more: pl.DataFrame | None = None,
        *,
        last: bool = False,
    ) -> tuple[list[Event], pl.DataFrame]:
        """Tell anew what late reports have changed.

        Args:
            history: where earlier reports are found; None: late ones change nothing.
            more: reports of this step, which are not there yet.
            last: the fold has ended: nothing is under way any more.
        """
        if history is None or not self._again.spans:
            self._again.spans.clear()
            return [], _NONE
        if last:
            tracks = sorted(self._again.spans)
        else:
            rows = self._fold.encounters.under_way().iter_rows(named=True)
            tracks = self._again.due(key_of(row) for row in rows)
        if not tracks:
            return [], _NONE
        found, concerns = self._again.look(tracks, history, more)
        over_us = 1 << 62 if last else self._again.over_us
        events: list[Event] = []
        kept: list[Row] = []
        seen, open_ = set(), []
        for row in found.iter_rows(named=True):
            if row["track_a"] not in self._labels.by_track or (
                row["track_b"] not in self._labels.by_track
            ):
                continue
            is_over = known(row["end_time"]) < over_us
            if not is_over:
                open_.append((row["track_a"], row["track_b"]))
            if row["duration_s"] < self._params.for_s:
                continue
            seen.add(key_of(row))
            if is_over:
                told, rows_ = self._met.ended(row, detected_us)
                events += told
                kept += rows_
            else:
                events += self._met.goes_on(row, detected_us)
        for key in self._met.standing(concerns):
            if key not in seen:
                told, rows_ = self._met.withdraw(key, detected_us)
                events += told
                kept += rows_
        self._again.looked(tracks, open_)
        return events, frame(kept)

    def forget(self, track_ids: Iterable[str]) -> None:
        """Forget tracks that have ended."""
        gone = list(track_ids)
        self._met.forget(gone)
        self._again.forget(gone)

    # ---- formations -----------------------------------------------------------------------------

    def _formation(self, row: Row, detected_us: int, *, ended: bool) -> list[Event]:
        members = tuple(row["members"].split(";"))
        start_us, end_us = known(row["start_time"]), known(row["end_time"])
        states = tuple(s for s in row["states"].split(";") if s)
        standing = self._standing_of(members, start_us, end_us)
        events = []
        if standing is None:
            identity = event_id("formation", *members, start_us)
            standing = _Standing(identity, (), start_us, 0)
            self._standing.append(standing)
        if ended or members != standing.members or states != standing.states:
            standing.members, standing.states = members, states
            standing.revision += 1
            event = self._formation_event(row, members, start_us, end_us, detected_us, ended)
            event = replace(event, event_id=standing.event_id, revision=standing.revision)
            events.append(event)
            if row["joint_patrol"]:
                standing.joint_id = standing.joint_id or event_id("joint_patrol", event.event_id)
                standing.joint_revision += 1
                events.append(_joint(event, row, states, standing))
        if ended:
            self._standing.remove(standing)
        return events

    def _standing_of(self, members: Iterable[str], start_us: int, end_us: int) -> _Standing | None:
        whom = set(members)
        for standing in self._standing:
            if len(whom & set(standing.members)) > 1 and standing.start_us <= end_us:
                return standing
        return None

    def _formation_event(
        self,
        row: Row,
        members: tuple[str, ...],
        start_us: int,
        end_us: int,
        detected_us: int,
        ended: bool,
    ) -> Event:
        first = self._labels[members[0]]
        names = ", ".join(self._labels[m].name for m in members)
        until = f"until {spoken(end_us)}" if ended else "and still so"
        return Event(
            event_id="",
            kind="formation",
            time_us=start_us,
            detected_us=detected_us,
            certainty="observed",
            text=f"{len(members)} aircraft in formation since {spoken(start_us)} {until}: {names}.",
            tracks=members,
            lat_deg=first.lat_deg,
            lon_deg=first.lon_deg,
            alt_ft=first.alt_ft,
            **first.facts(),
            data={
                "ended": ended,
                "end_time": iso(end_us),
                "states": row["states"],
                "roles": row["roles"],
                "coordination": row["coordination"],
                "mean_lateral_m": row["mean_lateral_m"],
                "mean_vertical_ft": row["mean_vertical_ft"],
            },
        )

    def _dissolved(self, company: pl.DataFrame, detected_us: int) -> list[Event]:
        """Formations told whose company, now complete, was none."""
        events = []
        over = {
            frozenset((r["track_a"], r["track_b"])): known(r["end_time"])
            for r in company.filter(pl.col("kind") != "formation").iter_rows(named=True)
        }
        for standing in list(self._standing):
            if not any(pair <= set(standing.members) for pair in over) or self._lives(standing):
                continue
            self._standing.remove(standing)
            first = self._labels[standing.members[0]]
            identities = [("formation", standing.event_id, standing.revision)]
            if standing.joint_id:
                identities.append(("joint_patrol", standing.joint_id, standing.joint_revision))
            for kind, identity, revision in identities:
                event = Event(
                    event_id=identity,
                    revision=revision + 1,
                    kind=kind,
                    time_us=standing.start_us,
                    detected_us=detected_us,
                    certainty="observed",
                    text=f"Withdrawn: seen whole, the company of {', '.join(standing.members)} "
                    "was no formation.",
                    withdrawn=True,
                    tracks=standing.members,
                    **first.facts(),
                )
                events.append(event)
        return events

    def _lives(self, standing: _Standing) -> bool:
        rows = self._fold.under_way().formations.filter(pl.col("kind") == "formation")
        groups = [set(m.split(";")) for m in rows["members"]]
        return any(len(g & set(standing.members)) > 1 for g in groups)

    # ---- memory ---------------------------------------------------------------------------------

    def table(self) -> bytes:
        """The companies not yet complete, packed."""
        return self._fold.table()

    def save(self, table: bytes, *, in_parts: bool = False) -> tuple[dict[str, Any], bytes]:
        """The state, for :meth:`restore`; ``table`` is that of :meth:`table`.

        Args:
            in_parts: without the reports that are held, of which the new ones come beside it.
        """
        fold, part = self._fold.save_part(table) if in_parts else (self._fold.save(table), b"")
        state = {
            "fold": fold,
            "met": self._met.save(),
            "again": self._again.save(),
            "checked_us": self._checked_us,
            "standing": [asdict(standing) for standing in self._standing],
        }
        return state, part

    def parts_needed(self) -> int:
        """See :meth:`adiz.detect.encounters.EncountersFold.parts_needed`."""
        return self._fold.encounters.parts_needed()

    def mark_saved(self, is_saved: bool) -> None:
        """See :meth:`adiz.detect.encounters.EncountersFold.mark_saved`."""
        self._fold.encounters.mark_saved(is_saved)

    def restore(self, state: Mapping[str, Any], parts: Sequence[bytes] = ()) -> None:
        """Take up what was saved."""
        self._fold = FormationsFold.restore(
            state["fold"], parts, state_of=self._state, role_of=self._role
        )
        self._met.restore(state["met"])
        self._again.restore(state["again"])
        self._checked_us = state["checked_us"]
        self._standing = [msgspec.convert(one, _Standing) for one in state["standing"]]


def _joint(event: Event, row: Row, states: tuple[str, ...], standing: _Standing) -> Event:
    since = known(row["joint_start"])
    roles = f" ({row['roles'].replace(';', ', ')})" if row["roles"] else ""
    return replace(
        event,
        event_id=standing.joint_id or "",
        revision=standing.joint_revision,
        kind="joint_patrol",
        time_us=since,
        text=f"Aircraft of {' and '.join(states)} in one formation since {spoken(since)}{roles}: "
        f"{', '.join(event.tracks)}.",
    )
