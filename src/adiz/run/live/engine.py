"""The engine of the watch: one record in, what it tells out.

A deterministic function of the sequence of records: the same records give the same events, down to
the last field, whether or not the engine was saved and restored in between. It uses the folds of
the batch run, so the stays and encounters are the same as theirs.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import polars as pl

from adiz.detect.index import fingerprint
from adiz.detect.stays import StaysParams
from adiz.detect.warnings import WarningsParams
from adiz.detect.watching import Step, WatchedStays
from adiz.run.live.company import Company, CompanyParams
from adiz.run.live.feed_events import feed_event
from adiz.run.live.gate import Gate, GateParams
from adiz.run.live.identifying import Identifying, Silencer
from adiz.run.live.inputs import InputFiles
from adiz.run.live.labels import Labels
from adiz.run.live.record import Record
from adiz.run.live.second_look import History
from adiz.run.live.stay_rows import StayRows, ended_since, packed
from adiz.run.live.telling import Output, Telling
from adiz.run.live.told import Story
from adiz.run.live.warned import Warned
from adiz.tracks.registry import Registry
from adiz.units import US_PER_S
from adiz.zones.geojson import read_geojson
from adiz.zones.geojson_write import write_geojson
from adiz.zones.model import Zones

_CHECK_US = US_PER_S
_REVISE_US = 30 * US_PER_S
_FORGET_US = 60 * US_PER_S


@dataclass(frozen=True, slots=True)
class EngineParams:
    """Settings of the engine.

    Attributes:
        dwell_s: a stay of so long is told; None: none is.
        history_s: how far back earlier reports are kept: stays that ended before are final.
    """

    gate: GateParams = field(default_factory=GateParams)
    stays: StaysParams = field(default_factory=StaysParams)
    company: CompanyParams | None = field(default_factory=CompanyParams)
    warnings: WarningsParams | None = field(default_factory=WarningsParams)
    dwell_s: float | None = None
    history_s: float = 30 * 86_400.0


class Engine:
    """All detectors of the watch, on one sequence of records.

    Args:
        zones: the zones watched; none may be incomplete.
        params: settings.
        registry: the user's own statements of identity.
        identifying: how stays are held against their zone's rule; None: they are not.
        silencer: which tracks are not warned of; None: all are.
        history: where earlier reports of a track are found, to work late ones in; None: late
            reports are counted only.
        inputs: the files that identifying and silencer read; records say which state of them.

    Attributes:
        counts: reports taken, late, repeated, refused for a time in the future, late for
            encounters; revisions made for late ones.
    """

    def __init__(
        self,
        zones: Zones,
        params: EngineParams | None = None,
        *,
        registry: Registry | None = None,
        identifying: Identifying | None = None,
        silencer: Silencer | None = None,
        history: History | None = None,
        inputs: InputFiles | None = None,
    ) -> None:
        self.params = params or EngineParams()
        self._zones_text = write_geojson(zones)
        self.zones = zones = zones_of(self._zones_text)
        self.counts = dict.fromkeys(("reports", "late", "revised"), 0)
        self._registry, self._history, self.inputs = registry, history, inputs
        self.labels = Labels(registry)
        self._gate = Gate(self.params.gate)
        self._stays = WatchedStays(zones, self.params.stays)
        self._story = Story(self.labels, _names(zones), self.params.dwell_s)
        self._company = self._warned = None
        if self.params.company:
            reach_s = self.params.stays.track_end_s
            self._company = Company(self.labels, replace(self.params.company, reach_s=reach_s))
        if self.params.warnings:
            self._warned = Warned(self.labels, zones, self.params.warnings)
        self._identifying, self._silencer = identifying, silencer
        self._rows = StayRows()
        self._late = pl.DataFrame({"track_id": [], "since_us": []}, schema=_LATE)
        self._checked_us = self._revised_us = self._forgot_us = -(1 << 62)

    @property
    def watermark_us(self) -> int | None:
        """Everything up to here has been worked in."""
        return self._gate.watermark_us

    def tally(self) -> dict[str, int]:
        """All counts, by what is counted."""
        more = {"repeated": self._stays.counts["repeated"], "future": self._gate.future_count}
        if self._company:
            more["late_for_encounters"] = self._company.late_count
        return {**self.counts, **more, "tracks": len(self.labels.by_track)}

    def open_stays(self) -> pl.DataFrame:
        """The stays under way (:data:`adiz.schema.STAYS`)."""
        return self._stays.open_stays()

    def open_warnings(self) -> pl.DataFrame | None:
        """The warnings that stand (:data:`adiz.detect.warnings.WARNINGS`); None: none are made."""
        return self._warned.under_way() if self._warned else None

    def step(self, record: Record) -> Output:
        """Take one record."""
        now_us = record.received_us
        told = Telling()
        if record.kind == "zones":
            self._change_zones(record, told)
        if record.kind == "inputs" and self.inputs:
            self.inputs.use(record.data["name"])
        if record.kind in ("feed_up", "feed_down"):
            told.events.append(feed_event(record))
        self._revise_if_due(now_us, told)
        reports = self._gate.step(record)
        if record.kind == "end":
            reports = pl.concat([reports, self._gate.flush()])
        self._work_in(reports, now_us, told)
        if record.kind == "end":
            self._revise(now_us, told, reports)
            self._end(now_us, told, reports)
        elif (mark := self._gate.watermark_us) is not None:
            self._look_around(mark, now_us, told)
        return told.output(reports)

    # ---- reports --------------------------------------------------------------------------------

    def _work_in(self, reports: pl.DataFrame, now_us: int, told: Telling) -> None:
        mark = self._gate.watermark_us
        if reports.is_empty():
            if self._company and mark is not None:
                told.add_company(self._company.step(reports, mark, now_us))
            return
        self.counts["reports"] += len(reports)
        told.events += self.labels.step(reports, now_us)
        step = self._stays.watch(reports)
        in_order = reports
        if step.late:
            late = reports[step.late]
            self.counts["late"] += len(late)
            self._keep_late(late)
            mask = pl.Series([True]).new_from_index(0, len(reports)).scatter(step.late, False)
            in_order = reports.filter(mask)
        self._tell(step, now_us, told)
        if self._warned:
            quiet = self._silenced(in_order, mark or 0)
            told.events += self._warned.step(in_order, now_us, quiet)
        if self._company and mark is not None:
            told.add_company(self._company.step(reports, mark, now_us))

    def _silenced(self, reports: pl.DataFrame, mark: int) -> set[str]:
        if self._silencer is None:
            return set()
        return self._silencer.silenced(self.labels, reports["track_id"].unique(), mark)

    def _tell(self, step: Step, now_us: int, told: Telling) -> None:
        if step.opened.is_empty() and step.finished.is_empty():
            return
        finished = step.finished.rows(named=True)
        opened = step.opened.rows(named=True)
        told.events += self._story.opened(opened, finished, now_us)
        told.events += self._story.finished(finished, now_us)
        if self._identifying:
            self._identifying.entered(opened)
            self._identifying.finished(finished)
        if finished:
            told.stays.append(self._rows.add(step.finished))

    def _tell_ended(self, finished: pl.DataFrame, now_us: int, told: Telling) -> None:
        self._tell(Step(finished, finished.clear(), []), now_us, told)

    def _look_around(self, mark: int, now_us: int, told: Telling) -> None:
        """What follows from time alone: silence, long stays, tracks that have ended."""
        if mark - self._checked_us >= _CHECK_US:
            gap_us = round(self.params.stays.max_gap_s * US_PER_S)
            since_us = max(self._checked_us, 0) - 2 * gap_us
            rows = self._standing(mark - gap_us, since_us)
            told.events += self._story.standing(rows, mark - gap_us, now_us)
            if self._warned:
                told.events += self._warned.silent(mark - gap_us, now_us)
            self._checked_us = mark
        if mark - self._forgot_us >= _FORGET_US:
            self._forgot_us = mark
            self._tell_ended(self._stays.retire(mark), now_us, told)
            before_us = mark - round(self.params.stays.track_end_s * US_PER_S)
            gone = self.labels.forget(before_us)
            self._story.forget(gone)
            self._rows.forget(gone)
            self._story.trim(self._settled_us)
            self._rows.trim(self._settled_us)
            if self._company:
                self._company.forget(gone)

    @property
    def _settled_us(self) -> int:
        """What ended before is not revised any more: its reports are kept no longer."""
        return self._forgot_us - round(self.params.history_s * US_PER_S)

    def _standing(self, silent_us: int, since_us: int) -> list[dict[str, Any]]:
        """The stays under way of which there may be something to tell."""
        table = self._stays.open_stays()
        if table.is_empty():
            return []
        last = pl.col("exit_time").to_physical()
        wanted = (last < silent_us) | pl.col("track_id").is_in(list(self._story.lost))
        if self.params.dwell_s is not None:
            due = pl.col("entry_time").to_physical() + round(self.params.dwell_s * US_PER_S)
            wanted |= (last >= due) & (due >= since_us)
        return table.filter(wanted).rows(named=True)

    def _end(self, now_us: int, told: Telling, last: pl.DataFrame) -> None:
        self._tell_ended(self._stays.flush(), now_us, told)
        if self._warned:
            told.events += self._warned.flush(now_us)
        if self._company:
            told.add_company(self._company.flush(now_us))
            told.add_company(self._company.revise(self._history, now_us, last, last=True))

    # ---- late reports ---------------------------------------------------------------------------

    def _keep_late(self, late: pl.DataFrame) -> None:
        rows = late.group_by("track_id", maintain_order=True).agg(
            pl.col("time").to_physical().min().alias("since_us")
        )
        both = pl.concat([self._late, rows])
        self._late = both.group_by("track_id", maintain_order=True).agg(pl.col("since_us").min())

    def _revise_if_due(self, now_us: int, told: Telling) -> None:
        mark = self._gate.watermark_us
        if mark is None or mark - self._revised_us < _REVISE_US:
            return
        self._revised_us = mark
        self._revise(now_us, told, None)
        if self._company:
            told.add_company(self._company.revise(self._history, now_us))
        if self._identifying and self._history:
            told.events += self._identifying.check(mark, self._history, self.labels, now_us)

    def _revise(self, now_us: int, told: Telling, more: pl.DataFrame | None) -> None:
        """Work the late reports in: their tracks are folded anew from all that is kept of them."""
        if self._history is None or self._late.is_empty():
            return
        tracks = self._late["track_id"].to_list()
        since_us = min(
            *self._late["since_us"].to_list(), *(self.labels[t].first_us for t in tracks)
        )
        past = self._history(tracks, since_us)
        if more is not None:
            past = pl.concat([past, more.filter(pl.col("track_id").is_in(tracks))])
        self._late = self._late.clear()
        for track_id in tracks:
            own = past.filter(pl.col("track_id") == track_id)
            own = own.sort("time", "lat_deg", "lon_deg", "alt_baro_ft")
            step = self._stays.refold(track_id, own)
            finished = step.finished.filter(ended_since(self._settled_us))
            standing = self._stays.open_stays().filter(pl.col("track_id") == track_id)
            told.events += self._story.revise(
                track_id, finished.rows(named=True), standing.rows(named=True), now_us
            )
            told.stays.append(self._rows.revise(track_id, finished))
            self.counts["revised"] += 1

    # ---- zones ----------------------------------------------------------------------------------

    def _change_zones(self, record: Record, told: Telling) -> None:
        self._zones_text = record.data["geojson"]
        zones = zones_of(self._zones_text)
        step = self._stays.rezone(zones)
        self.zones = zones
        self._story.zone_names = _names(zones)
        if self._warned:
            told.events += self._warned.rezone(zones, record.received_us)
        if self._identifying:
            self._identifying.rezone(zones)
        self._tell_ended(step.finished, record.received_us, told)
        self._tell(Step(step.finished[:0], step.opened, []), record.received_us, told)

    # ---- memory ---------------------------------------------------------------------------------

    def tables(self) -> dict[str, bytes]:
        """The parts of the state that polars has to pack; see :meth:`save`."""
        fingerprint(self.zones)  # known from here on to a forked process as well
        return {
            "gate": self._gate.table(),
            "company": self._company.table() if self._company else b"",
            "rows": packed(self._rows.table),
            "late": packed(self._late),
        }

    def save(self, tables: dict[str, bytes] | None = None) -> bytes:
        """The whole state, for :meth:`restore`.

        With what :meth:`tables` gave just before, polars is not used, as a forked process needs.
        """
        return self._saved(tables or self.tables(), in_parts=False)[0]

    def save_part(self, tables: dict[str, bytes] | None = None) -> tuple[bytes, bytes]:
        """The state without the reports that encounters look back on, and those that are new.

        See :meth:`adiz.detect.encounters.EncountersFold.save_part`.
        """
        return self._saved(tables or self.tables(), in_parts=True)

    def parts_needed(self) -> int:
        """How many of the last parts saved are still needed."""
        return self._company.parts_needed() if self._company else 0

    def mark_saved(self, is_saved: bool) -> None:
        """What there is now is in the part being saved; False: no part is there any more."""
        if self._company:
            self._company.mark_saved(is_saved)

    def _saved(self, tables: dict[str, bytes], *, in_parts: bool) -> tuple[bytes, bytes]:
        company, warned, identifying = self._company, self._warned, self._identifying
        given = tables["company"]
        together, part = company.save(given, in_parts=in_parts) if company else (None, b"")
        state = {
            "counts": self.counts,
            "marks": [self._checked_us, self._revised_us, self._forgot_us],
            "zones": self._zones_text,
            "inputs": self.inputs.name if self.inputs else None,
            "gate": self._gate.save(tables["gate"]),
            "labels": self.labels.save(),
            "stays": self._stays.save(),
            "story": self._story.save(),
            "company": together,
            "warned": warned.save() if warned else None,
            "identifying": identifying.save() if identifying else None,
            "rows": tables["rows"],
            "late": tables["late"],
        }
        return msgspec.msgpack.encode(state), part

    def restore(self, state: bytes, parts: Sequence[bytes] = ()) -> None:
        """Take up what was saved, its zones with it; the settings are to be the same.

        Args:
            parts: of a state of :meth:`save_part`: all it needs, its own the last.
        """
        found: dict[str, Any] = msgspec.msgpack.decode(state)
        self._zones_text = found["zones"]
        self.zones = zones_of(self._zones_text)
        self._story.zone_names = _names(self.zones)
        if self.inputs:
            self.inputs.use(found["inputs"])
        if self._identifying:
            self._identifying.rezone(self.zones)
        self.counts = found["counts"]
        self._checked_us, self._revised_us, self._forgot_us = found["marks"]
        self._gate = Gate.restore(self.params.gate, found["gate"])
        self.labels.restore(found["labels"])
        self._stays = WatchedStays.restore(found["stays"], self.zones)
        self._story.restore(found["story"])
        if self._company and found["company"]:
            self._company.restore(found["company"], parts)
        if self._warned and found["warned"]:
            self._warned.restore(found["warned"], self.zones)
        if self._identifying and found["identifying"]:
            self._identifying.restore(found["identifying"])
        self._rows = StayRows(pl.read_ipc(io.BytesIO(found["rows"])))
        self._late = pl.read_ipc(io.BytesIO(found["late"]))


_LATE = {"track_id": pl.String(), "since_us": pl.Int64()}


def zones_of(text: str) -> Zones:
    """The zones of the text a watch keeps them in."""
    return Zones(tuple(zone for zone, _ in read_geojson(text, "the watch's own zones", "zone")[0]))


def _names(zones: Zones) -> dict[str, str]:
    return {zone.zone_id: zone.name or zone.zone_id for zone in zones}
