"""An incident file from its path to its assessment: reads zones and recorded tracks on the way."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from adiz.errors import Fault, FaultyInputError
from adiz.units import KT_PER_KMH

if TYPE_CHECKING:
    from adiz.incidents.against_tracks import RecordedTrack
    from adiz.incidents.model import Incident
    from adiz.incidents.verdicts import Assessment
    from adiz.zones.model import Zones


def assess_file(path: str | Path) -> tuple[Incident, Zones, Assessment]:
    """Read an incident file, its zones and its tracks, and assess it.

    Raises:
        AdizError: anything of it cannot be used.
    """
    from adiz.incidents.assess import assess
    from adiz.incidents.file import read_incident, zones_of

    incident = read_incident(path)
    zones = zones_of(incident)
    return incident, zones, assess(incident, zones, load_tracks(incident, zones))


def load_tracks(incident: Incident, zones: Zones) -> dict[str, RecordedTrack]:
    """The recorded tracks that subjects of an incident name, with their stays.

    Raises:
        FaultyInputError: a file holds no such track.
    """
    named = {zone for claim in incident.claims for zone in claim.zones}
    wanted = zones.select(sorted(z for z in named if not zones[z].incomplete))
    found = {}
    for subject in incident.subjects:
        if subject.track is None:
            continue
        import polars as pl

        import adiz
        from adiz.detect.stays import DEFAULT_MAX_GAP_S
        from adiz.incidents.account import speed_limit
        from adiz.incidents.against_tracks import RecordedTrack

        file = Path(incident.file).parent / subject.track.file
        table = adiz.read(str(file)).table
        table = table.filter(pl.col("track_id") == subject.track.track_id).sort("time")
        if table.is_empty():
            raise FaultyInputError(
                Fault(
                    f"{file} has no track {subject.track.track_id!r}",
                    incident.file,
                    subject.line,
                    "subjects.track",
                    "name a track_id of that file",
                )
            )
        limit = speed_limit(incident, subject.subject_id) or (0.0, 1200.0)
        stays = adiz.find_stays(table, wanted, max_speed_kt=limit[1] * KT_PER_KMH)
        found[subject.subject_id] = RecordedTrack(table, stays, DEFAULT_MAX_GAP_S, limit[1])
    return found
