"""Encounters as a watch has told them, so that late reports can revise them.

An encounter is known by its two tracks and when it began. What was told of it is held for as long
as both tracks are remembered: found anew, it is told again only where it differs, and withdrawn
where it never was.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import polars as pl

from adiz.detect.encounters import ENCOUNTERS
from adiz.events import Event, event_id, iso, spoken
from adiz.run.live.labels import Labels
from adiz.run.live.told import micros
from adiz.schema import polars_schema
from adiz.units import M_PER_NM

_NOTED = {"encounter_id": pl.String(), "revision": pl.Int64(), "withdrawn": pl.Boolean()}
SCHEMA = {**_NOTED, **polars_schema(ENCOUNTERS)}
_MOMENTS = tuple(column.name for column in ENCOUNTERS if column.kind == "time")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Row = dict[str, Any]
Key = tuple[str, str, int]


@dataclass(slots=True)
class Told:
    """An encounter as it was last told.

    Attributes:
        revision: of its event.
        kept: revision of its row in the store; 0: it has none.
        row: that row; None while the encounter goes on.
        withdrawn: it turned out that there was none.
    """

    revision: int = 0
    kept: int = 0
    row: Row | None = None
    withdrawn: bool = False


@dataclass(slots=True)
class Met:
    """Turns encounters into events and rows, and remembers them."""

    labels: Labels
    told: dict[Key, Told] = field(default_factory=dict)

    def goes_on(self, row: Row, detected_us: int) -> list[Event]:
        """One under way: told once."""
        told = self.told.setdefault(key_of(row), Told())
        if told.revision and not told.withdrawn:
            return []
        return [self._event(told, row, detected_us, ended=False)]

    def ended(self, row: Row, detected_us: int) -> tuple[list[Event], list[Row]]:
        """One that is over; nothing if it was told just so."""
        told = self.told.setdefault(key_of(row), Told())
        if told.row == row and not told.withdrawn:
            return [], []
        event = self._event(told, row, detected_us, ended=True)
        told.row, told.kept = row, told.kept + 1
        return [event], [self._noted(told, event.event_id)]

    def withdraw(self, key: Key, detected_us: int) -> tuple[list[Event], list[Row]]:
        """One that was told and never was."""
        told = self.told[key]
        told.revision, told.withdrawn = told.revision + 1, True
        a, b = self.labels[key[0]], self.labels[key[1]]
        event = Event(
            event_id=event_id("encounter", *key),
            revision=told.revision,
            kind="encounter",
            time_us=key[2],
            detected_us=detected_us,
            certainty="observed",
            text=f"Withdrawn: encounter of {a.name} and {b.name}, {spoken(key[2])}: a late report "
            "shows otherwise.",
            withdrawn=True,
            tracks=key[:2],
            **a.facts(),
        )
        if told.row is None:
            return [event], []
        told.kept += 1
        rows = [self._noted(told, event.event_id)]
        told.row = None
        return [event], rows

    def standing(self, concerns: Callable[[str, str, int, int], bool]) -> list[Key]:
        """Those told and not withdrawn that concern somebody: asked by tracks, begin and end."""
        found = []
        for key, told in self.told.items():
            if told.withdrawn or not told.revision:
                continue
            end_us = 1 << 62 if told.row is None else known(told.row["end_time"])
            if concerns(*key, end_us):
                found.append(key)
        return sorted(found)

    def _noted(self, told: Told, identity: str) -> Row:
        assert told.row is not None
        noted = {"encounter_id": identity, "revision": told.kept, "withdrawn": told.withdrawn}
        return noted | told.row

    def _event(self, told: Told, row: Row, detected_us: int, *, ended: bool) -> Event:
        told.revision, told.withdrawn = told.revision + 1, False
        return replace(self._telling(row, detected_us, ended=ended), revision=told.revision)

    def _telling(self, row: Row, detected_us: int, *, ended: bool) -> Event:
        a, b = self.labels[row["track_a"]], self.labels[row["track_b"]]
        start_us, least_us = known(row["start_time"]), known(row["time_of_min"])
        lateral = row["min_lateral_m"] / M_PER_NM
        height = row["min_vertical_ft"]
        above = "at unknown heights" if height is None else f"{height:,.0f} ft"
        lasted = f"for {row['duration_s'] / 60:.0f} minutes" + ("" if ended else " so far")
        return Event(
            event_id=event_id("encounter", a.track_id, b.track_id, start_us),
            kind="encounter",
            time_us=start_us,
            detected_us=detected_us,
            certainty="observed",
            text=f"{a.name} and {b.name} were near each other from {spoken(start_us)} {lasted}; "
            f"least distance {lateral:.2f} NM, {above}.",
            tracks=(a.track_id, b.track_id),
            lat_deg=row["start_lat_deg"],
            lon_deg=row["start_lon_deg"],
            alt_ft=row["mean_alt_ft"],
            **a.facts(),
            data={
                "ended": ended,
                "end_time": iso(known(row["end_time"])),
                "duration_s": row["duration_s"],
                "min_lateral_m": row["min_lateral_m"],
                "min_vertical_ft": height,
                "vertical": row["vertical"],
                "time_of_min": iso(least_us),
            },
        )

    # ---- memory ---------------------------------------------------------------------------------

    def forget(self, track_ids: Collection[str]) -> None:
        """Forget the encounters of tracks that have ended, and of whom they met."""
        gone = set(track_ids)
        if gone:
            self.told = {k: t for k, t in self.told.items() if not gone & set(k[:2])}

    def save(self) -> list[Any]:
        """The state, for :meth:`restore`."""
        return [
            [*key, asdict(told) | {"row": _packed(told.row)}] for key, told in self.told.items()
        ]

    def restore(self, state: Iterable[Any]) -> None:
        """Take up what was saved."""
        self.told = {}
        for a, b, start_us, told in state:
            row = _unpacked(told["row"])
            self.told[a, b, start_us] = replace(
                msgspec.convert(told | {"row": None}, Told), row=row
            )


def frame(rows: list[Row]) -> pl.DataFrame:
    """Rows as the store keeps them (``SCHEMA``)."""
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def key_of(row: Row) -> Key:
    """What an encounter is known by."""
    return row["track_a"], row["track_b"], known(row["start_time"])


def known(moment: Any) -> int:
    """Microseconds since 1970 of a moment that is never missing."""
    time_us = micros(moment)
    assert time_us is not None
    return time_us


def _packed(row: Mapping[str, Any] | None) -> Row | None:
    return None if row is None else {**row, **{name: micros(row[name]) for name in _MOMENTS}}


def _unpacked(row: Mapping[str, Any] | None) -> Row | None:
    if row is None:
        return None
    moments = {
        name: None if row[name] is None else _EPOCH + timedelta(microseconds=row[name])
        for name in _MOMENTS
    }
    return {**row, **moments}
