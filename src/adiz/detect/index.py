"""Zones made ready for the kernels: dense rings, heights and dates in an index.

An index is built once from a :class:`~adiz.zones.model.Zones` and never changes; any number of
folds and threads may share it.
"""

from __future__ import annotations

import hashlib
import math
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from adiz.detect._stays import FROM_ALWAYS, TO_ALWAYS, Index
from adiz.errors import Fault, ZoneError
from adiz.zones.model import Limit, Zone, Zones
from adiz.zones.rings import TOLERANCE_M, dense_rings
from adiz.zones.seams import share_corners

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def build_index(zones: Zones, tolerance_m: float = TOLERANCE_M) -> Index:
    """Index zones for containment and crossings.

    Args:
        zones: the zones; their order gives their numbers.
        tolerance_m: how far the dense boundary may stray from the stated one.

    Raises:
        ZoneError: a zone is marked incomplete, or its rings cannot be used; says why.
    """
    index = Index()
    for zone in zones:
        if zone.incomplete:
            raise ZoneError(
                Fault(
                    f"zone {zone.zone_id} cannot be used for containment: {zone.incomplete}",
                    field="zones",
                    remedy="leave it out, or give its whole boundary in a file of your own",
                )
            )
        floor_ft, ceil_ft, unchecked = _heights(zone)
        try:
            index.add(
                dense_rings(share_corners(zone), tolerance_m),
                floor_ft,
                ceil_ft,
                _micros(zone.valid_from, FROM_ALWAYS),
                _micros(zone.valid_to, TO_ALWAYS),
                unchecked,
            )
        except ValueError as error:
            raise ZoneError(Fault(f"zone {zone.zone_id}: {error}", field="rings")) from None
    index.finish()
    return index


def fingerprint(zones: Zones) -> str:
    """A hash of everything about zones that a stay can depend on."""
    return _fingerprint(_This(zones))


class _This:
    """Zones as a key that is quick to compare: equal to themselves alone."""

    __slots__ = ("zones",)

    def __init__(self, zones: Zones) -> None:
        self.zones = zones

    def __hash__(self) -> int:
        return id(self.zones)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _This) and other.zones is self.zones


@lru_cache(maxsize=4)  # a watch asks with each state it saves
def _fingerprint(this: _This) -> str:
    text = repr(
        [
            (z.zone_id, z.rings, z.edge, z.floor, z.ceiling, z.valid_from, z.valid_to)
            for z in this.zones
        ]
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _heights(zone: Zone) -> tuple[float, float, bool]:
    """Floor and ceiling in feet, and whether they cannot be checked."""

    def value(limit: Limit, unlimited: float) -> float:
        if limit.reference in ("SFC", "UNL"):
            return -math.inf if limit.reference == "SFC" else math.inf
        return limit.value_ft if limit.reference != "AGL" or limit.value_ft else unlimited

    unchecked = any(x.reference == "AGL" and x.value_ft > 0 for x in (zone.floor, zone.ceiling))
    return value(zone.floor, -math.inf), value(zone.ceiling, math.inf), unchecked


def _micros(moment: datetime | None, unbounded: int) -> int:
    return unbounded if moment is None else (moment - _EPOCH) // timedelta(microseconds=1)
