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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from typing import TYPE_CHECKING

from adiz.detect import groups
from adiz.detect.company import CHOSEN, Rule, judge_company, number_companies
from adiz.detect.encounters import ENCOUNTERS, EncountersFold
from adiz.errors import AdizError
from adiz.schema import polars_schema

if TYPE_CHECKING:
    import polars as pl

StateOf = Mapping[str, str | None] | Callable[[str], str | None]


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

    A pair's company is complete ``apart_s`` after it ended; what is no formation is then let go. A
    formation comes out once nothing that is still to come can belong to it.

    Args:
        rule: what makes company a formation.
        state_of: state of a track id; unknown is None.
        role_of: role of a track id.
        max_gap_s, lateness_s, max_speed_kt, sweep_s: as for encounters.
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
        sweep_s: float | None = None,
    ) -> None:
        self.rule = rule or Rule()
        self.encounters = EncountersFold(
            within_nm=self.rule.within_nm,
            within_ft=self.rule.within_ft,
            for_s=min(60.0, self.rule.for_s),
            max_gap_s=max_gap_s,
            lateness_s=lateness_s,
            max_speed_kt=max_speed_kt,
            sweep_s=sweep_s,
        )
        self._label(state_of, role_of)
        self._swept_us: int | None = None
        self._pending = _empty_encounters()
        self._chosen = judge_company(self._pending, self.rule)
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
        return ended, self._settle(ended, self.encounters.swept_us)

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

    def _settle(self, new: pl.DataFrame, swept_us: int | None) -> Formations:
        import polars as pl

        if new.is_empty() and swept_us is not None and swept_us == self._swept_us:
            return self._nothing  # most steps of a watch: the sweep goes on in greater ones
        self._swept_us = swept_us
        pending = pl.concat([self._pending, new]).sort("track_a", "track_b", "start_time")
        open_pairs: list[tuple[str, str, int]] = []
        waits = pl.lit(False)
        if swept_us is not None:  # the pair may meet again soon enough, or has done so
            open_pairs = self.encounters.open_pairs()
            last = pl.col("end_time").max().over("track_a", "track_b", "company")
            until_us = last.dt.epoch("us") + round(self.rule.apart_s * 1e6)
            waits = (until_us >= swept_us) | (until_us >= pl.col("open_us")).fill_null(False)
        types = {"track_a": pl.String(), "track_b": pl.String(), "open_us": pl.Int64()}
        begun = pl.DataFrame(open_pairs, schema=types, orient="row")
        pending = pending.with_columns(number_companies(self.rule))
        pending = pending.join(begun, on=["track_a", "track_b"], how="left", maintain_order="left")
        open_ = pending.select(waits).to_series()
        pending = pending.drop("company", "open_us")
        self._pending = pending.filter(open_)
        company = judge_company(pending.filter(~open_), self.rule)
        chosen = pl.concat([self._chosen, company.filter(pl.col("kind").is_in(CHOSEN))])
        if chosen.is_empty() and company.is_empty():
            self._chosen = chosen
            return self._nothing
        kept = pl.Series(self._wait(chosen, swept_us, open_pairs), dtype=pl.Boolean)
        self._chosen = chosen.filter(kept)
        done = groups.build(chosen.filter(~kept), self._state_of, self._role_of)
        return Formations(*done, company)

    def _wait(
        self, chosen: pl.DataFrame, swept_us: int | None, open_pairs: list[tuple[str, str, int]]
    ) -> list[bool]:
        """For each company, whether something still to come may belong to its formation."""
        import polars as pl

        if swept_us is None or chosen.is_empty():
            return [False] * len(chosen)
        begun: dict[str, int] = {}  # member -> when its first company yet open began
        start_us = pl.col("start_time").dt.epoch("us")
        rows = self._pending.select("track_a", "track_b", start_us).iter_rows()
        for a, b, start in chain(rows, open_pairs):
            for member in (a, b):
                begun[member] = min(start, begun.get(member, start))
        keys = groups.clusters(chosen, 0.0)
        ends = chosen.with_columns(pl.Series("cluster", keys, pl.Int64())).select(
            "cluster", "track_a", "track_b", pl.col("end_time").dt.epoch("us").max().over("cluster")
        )
        waiting = set()
        for key, a, b, end in ends.iter_rows():
            if end >= swept_us or any(m in begun and begun[m] <= end for m in (a, b)):
                waiting.add(key)
        return [key in waiting for key in keys]

    def _build(self, encounters: pl.DataFrame) -> Formations:
        import polars as pl

        company = judge_company(encounters, self.rule)
        chosen = pl.concat([self._chosen, company.filter(pl.col("kind").is_in(CHOSEN))])
        return Formations(*groups.build(chosen, self._state_of, self._role_of), company)

    def table(self) -> bytes:
        """The encounters and companies not yet complete, packed; see :meth:`save`."""
        packed = []
        for table in (self._pending, self._chosen):
            rows = io.BytesIO()
            table.write_ipc(rows)
            packed.append(rows.getvalue())
        return len(packed[0]).to_bytes(8, "little") + b"".join(packed)

    def save(self, table: bytes | None = None) -> bytes:
        """The whole state, without the functions that name states and roles.

        With what :meth:`table` gave just before, polars is not used.
        """
        return self._packed(self.encounters.save(), self.table() if table is None else table)

    def save_part(self, table: bytes | None = None) -> tuple[bytes, bytes]:
        """As :meth:`save`, and as :meth:`adiz.detect.encounters.EncountersFold.save_part`."""
        inner, part = self.encounters.save_part()
        return self._packed(inner, self.table() if table is None else table), part

    def _packed(self, inner: bytes, table: bytes) -> bytes:
        head = json.dumps({"rule": asdict(self.rule), "inner": len(inner)}).encode()
        parts = [len(head).to_bytes(4, "little"), head, inner, table]
        crc = 0
        for part in parts:  # one by one: they are large, and a copy less is time saved
            crc = zlib.crc32(part, crc)
        return b"".join([crc.to_bytes(4, "little"), *parts])

    @classmethod
    def restore(
        cls,
        state: bytes,
        parts: Sequence[bytes] = (),
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
        fold.encounters = EncountersFold.restore(body[start:inner], parts)
        middle = inner + 8 + int.from_bytes(body[inner : inner + 8], "little")
        fold._pending = pl.read_ipc(io.BytesIO(body[inner + 8 : middle]))
        fold._swept_us = None
        fold._label(state_of, role_of)
        fold._chosen = judge_company(_empty_encounters(), fold.rule)
        fold._nothing = fold._build(_empty_encounters())
        fold._chosen = pl.read_ipc(io.BytesIO(body[middle:]))
        return fold


def _lookup(given: StateOf | None) -> Callable[[str], str | None]:
    given = given or {}
    return given.get if isinstance(given, Mapping) else given


def _empty_encounters() -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame(schema=polars_schema(ENCOUNTERS))
