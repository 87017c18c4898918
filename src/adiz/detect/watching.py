"""Stays while they happen: the fold of :mod:`adiz.detect.stays` for a watch that runs for months.

The stays are those of the batch run. Besides, a watch is told of each stay that begins, can ask
which are open, sets reports aside that come too late for their track (to be worked in again from
the track's history), forgets tracks that have ended, and goes on when zones change.
"""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from adiz.detect.index import build_index, fingerprint
from adiz.detect.stays import StaysFold, StaysParams, heights_matter, opened_state
from adiz.units import US_PER_S
from adiz.zones.model import Zones


class Step(NamedTuple):
    """What a step told.

    Attributes:
        finished: stays that are complete (:data:`adiz.schema.STAYS`), in the order they ended.
        opened: stays that began, their ends not known; those that ended in the same step too.
        late: numbers of the rows that came too late for their track and were left out.
    """

    finished: pl.DataFrame
    opened: pl.DataFrame
    late: list[int]


class WatchedStays(StaysFold):
    """The stays detector of a watch.

    Reports must come in the order of time, latitude, longitude and altitude for each track; those
    that do not are named in :attr:`Step.late`.

    Args:
        zones: the zones; none may be incomplete.
        params: settings.
    """

    def __init__(self, zones: Zones, params: StaysParams | None = None) -> None:
        super().__init__(zones, params, lateness_s=None)
        self._fold = self._folds[0]
        self._fold.watch()

    def watch(self, reports: pl.DataFrame) -> Step:
        """Fold in reports."""
        self.feed(reports.rechunk())
        return Step(self._take(), self._opened(), self._fold.take_late())

    def open_stays(self) -> pl.DataFrame:
        """The stays under way; ``exit_time`` is the time of the track's last report."""
        return self._table(self._fold, self._fold.open_rows())

    def retire(self, watermark_us: int) -> pl.DataFrame:
        """End and forget the tracks that cannot go on any more at this time; their last stays."""
        self._fold.retire(watermark_us - round(self.params.track_end_s * US_PER_S))
        finished = self._take()
        self._fold.compact()
        return finished

    def refold(self, track_id: str, reports: pl.DataFrame) -> Step:
        """Fold one track anew from all its reports, sorted; nothing else changes.

        What is told is all that the track's reports tell, from the first of them.
        """
        self._fold.drop(track_id)
        return self.watch(reports)

    def rezone(self, zones: Zones) -> Step:
        """Other zones from here on.

        Stays in zones that are as before go on. Those in zones that are gone or altered end as
        ``deactivated`` where their track was last seen, and begin there as ``activated`` in new
        ones.
        """
        index = build_index(zones)
        new = {fingerprint(Zones((zone,))): number for number, zone in enumerate(zones)}
        numbers = [new.get(fingerprint(Zones((zone,))), -1) for zone in self.zones]
        self._fold.rezone(index, numbers)
        ended = self._take()
        self.zones, self._index = zones, index
        self._zone_ids = pl.Series([z.zone_id for z in zones], dtype=pl.String)
        self._heights_matter = heights_matter(zones)
        return Step(ended, self._opened(), [])

    @classmethod
    def restore(cls, state: bytes, zones: Zones) -> WatchedStays:
        """As :meth:`StaysFold.restore`."""
        head, blocks = opened_state(state, zones)
        fold = cls(zones, StaysParams(**head["params"]))
        fold._take_up(head, blocks)
        return fold

    def _opened(self) -> pl.DataFrame:
        return self._table(self._fold, self._fold.take_opened())
