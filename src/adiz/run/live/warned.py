"""Predicted entries as a watch tells them: raised, and cleared with a reason."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import polars as pl

from adiz.detect.warnings import WarningsFold, WarningsParams
from adiz.events import Event, event_id, iso, spoken
from adiz.run.live.labels import Labels
from adiz.run.live.told import micros
from adiz.zones.model import Zones

Row = dict[str, Any]

_CLEARED = {
    "entered": "it has entered",
    "turned_away": "it is no longer heading there",
    "lost": "it is not heard any more",
    "zone_ended": "the zone is no longer in force",
    "suppressed": "it is identified or exempt",
}


class Warned:
    """The fold of warnings and its events.

    A warning that is raised is one event; what changes of it, and its clearing, are further
    revisions of the same.
    """

    def __init__(self, labels: Labels, zones: Zones, params: WarningsParams) -> None:
        self._labels, self._params = labels, params
        self._set_zones(zones)
        self._fold = WarningsFold(zones, params)
        self._revisions: dict[str, int] = {}

    def _set_zones(self, zones: Zones) -> None:
        self._names = {zone.zone_id: zone.name or zone.zone_id for zone in zones}

    def step(
        self, reports: pl.DataFrame, now_us: int, suppressed: Collection[str] = ()
    ) -> list[Event]:
        """Take reports, each track's in the order of time."""
        return self._tell(self._fold.step(reports, suppressed), now_us)

    def silent(self, before_us: int, now_us: int) -> list[Event]:
        """Clear the warnings of tracks not heard since."""
        return self._tell(self._fold.silent(before_us), now_us)

    def under_way(self) -> pl.DataFrame:
        """The warnings that stand, each as last predicted."""
        return self._fold.under_way()

    def flush(self, now_us: int) -> list[Event]:
        """Clear what stands at the end."""
        return self._tell(self._fold.flush(), now_us)

    def rezone(self, zones: Zones, now_us: int) -> list[Event]:
        """Other zones: warnings of those that are gone or altered are cleared."""
        events = self._tell(self._fold.rezone(zones), now_us)
        self._set_zones(zones)
        return events

    def _tell(self, changes: pl.DataFrame, now_us: int) -> list[Event]:
        return [self._event(row, now_us) for row in changes.iter_rows(named=True)]

    def _event(self, row: Row, now_us: int) -> Event:
        label = self._labels[row["track_id"]]
        zone = self._names.get(row["zone_id"], row["zone_id"])
        raised_us, time_us = _known(row["raised_time"]), _known(row["time"])
        entry_us = _known(row["predicted_entry_time"])
        raised = row["change"] == "raised"
        if raised:
            nominal = row["course"] == "nominal"
            text = (
                f"{label.name} is predicted to enter {zone} at {spoken(entry_us)}, "
                f"in {row['lead_s'] / 60:.1f} minutes, "
                f"{'on its present course and speed' if nominal else 'if it turns'}."
            )
        else:
            why = _CLEARED.get(row["reason"], row["reason"])
            text = f"The warning of {label.name} for {zone} is over at {spoken(time_us)}: {why}."
        identity = event_id("warning", label.track_id, row["zone_id"], raised_us)
        revision = self._revisions.pop(identity, 0) + 1
        if raised:
            self._revisions[identity] = revision
        return Event(
            event_id=identity,
            revision=revision,
            kind="warning",
            time_us=raised_us,
            detected_us=now_us,
            certainty="predicted",
            text=text,
            tracks=(label.track_id,),
            zone_id=row["zone_id"],
            lat_deg=label.lat_deg,
            lon_deg=label.lon_deg,
            alt_ft=row["alt_ft"],
            **label.facts(),
            data={
                "change": row["change"],
                "reason": row["reason"],
                "changed_time": iso(time_us),
                "predicted_entry_time": iso(entry_us),
                "predicted_lat_deg": row["predicted_lat_deg"],
                "predicted_lon_deg": row["predicted_lon_deg"],
                "lead_s": row["lead_s"],
                "course": row["course"],
                "gs_kt": row["gs_kt"],
                "track_true_deg": row["track_true_deg"],
                "vertical": row["vertical"],
            },
        )

    def save(self) -> list[Any]:
        """The state, for :meth:`restore`."""
        return [self._fold.save(), self._revisions]

    def restore(self, state: list[Any], zones: Zones) -> None:
        """Take up what was saved."""
        self._set_zones(zones)
        self._fold = WarningsFold.restore(state[0], zones)
        self._revisions = dict(state[1])


def _known(moment: Any) -> int:
    time_us = micros(moment)
    assert time_us is not None
    return time_us
