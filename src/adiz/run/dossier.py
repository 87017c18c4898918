"""From an incident file to its dossier: reads, assesses, gathers circumstances, writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from adiz import __version__


def make_dossier(
    path: Path,
    folder: Path,
    *,
    rings: Sequence[tuple[str, str]] = (),
    near_km: float = 100.0,
    pdf: bool = True,
    warn: Callable[[str], None] = print,
) -> list[Path]:
    """Write the dossier of an incident file into a folder.

    Args:
        rings: (subject id, place id): the subject's published range about the place.
        near_km: how near a place must be to a reconstruction to be listed.
        pdf: write the PDF too.
        warn: told why there is no PDF, where one was wanted and a library is missing.

    Returns:
        The files written.

    Raises:
        AdizError: the file cannot be used, or the folder cannot be written to.
    """
    from adiz.incidents.evidence import folder_of, hash_inputs, read_log
    from adiz.incidents.responses import check_tallies, total_responses
    from adiz.incidents.surroundings import gather_circumstances
    from adiz.out.dossier import Material, write_dossier
    from adiz.run.incidents import assess_file

    incident, zones, assessment = assess_file(path)
    circumstances = gather_circumstances(
        incident, assessment, zones, near_km=near_km, rings=tuple(rings)
    )
    parameters: dict[str, Any] = {"places listed within": f"{near_km:g} km"}
    if incident.wind_kmh:
        parameters["wind"] = f"{incident.wind_kmh:g} km/h"
    material = Material(
        incident,
        assessment,
        circumstances,
        tuple(total_responses(incident)),
        tuple(check_tallies(incident, zones)),
        zones,
        tuple(entry for entry in read_log(folder_of(path)) if entry.get("act") == "add"),
        hash_inputs(incident),
        parameters,
        __version__,
    )
    return write_dossier(material, folder, pdf=pdf, warn=warn)
