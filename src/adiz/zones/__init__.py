"""Zones as law: the model, the catalogue, the readers and the writer.

``adiz.zones`` is both this package and, as the product's verb, ``adiz.zones("KADIZ")``: the
import system binds a package to its name in the parent, so the package itself is callable.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adiz.zones.model import Zones


class _Callable(ModuleType):
    def __call__(self, which: str | Path | Iterable[str | Path] | None = None) -> Zones:
        from adiz.zones.load import zones

        return zones(which)


sys.modules[__name__].__class__ = _Callable
