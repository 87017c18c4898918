"""adiz: who was in which air defence identification zone, when, and how certain that is.

Importing the package reads no file and loads no other library; each public name is loaded when
first used.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "AdizError": "adiz.errors",
    "EncountersFold": "adiz.detect.encounters",
    "FormationsFold": "adiz.detect.formations",
    "Reports": "adiz.sources.reports",
    "StaysFold": "adiz.detect.stays",
    "Zone": "adiz.zones.model",
    "Zones": "adiz.zones.model",
    "demo_capture": "adiz.run.batch",
    "find_encounters": "adiz.run.together",
    "find_formations": "adiz.run.together",
    "find_stays": "adiz.run.batch",
    "identify_tracks": "adiz.tracks.identity",
    "read": "adiz.run.reading",
    "zones": "adiz.zones.load",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        value = getattr(importlib.import_module(_PUBLIC[name]), name)
        return globals().get(name, value)  # the package adiz.zones is itself the verb
    raise AttributeError(f"module 'adiz' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
