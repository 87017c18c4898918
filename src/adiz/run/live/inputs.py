"""Plans, notices and contacts as the watch knows them: part of its records, as zones are.

The files may change while the watch runs. What the engine works with must follow from its records
alone, so each state of the files is copied to ``inputs/<hash>`` in the watch's folder, and a record
says from when on it holds. A restart that steps through old records reads the copies.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from adiz.errors import AdizError
from adiz.identify.compliance import Inputs
from adiz.identify.notices import read_contacts, read_notices
from adiz.identify.plans import read_plans
from adiz.identify.route import read_points

_log = logging.getLogger("adiz.watch")
_LOOK_S = 1.0
_KEPT = 100
GROUPS = ("points", "plans", "notices", "contacts")


class InputFiles:
    """The files of a configuration, and the copies in use.

    Args:
        files: by group: ``points``, ``plans``, ``notices``, ``contacts``.
        complete: these are all there are.
        folder: where copies are kept.

    Attributes:
        name: of the copy in use; None before the first: the files themselves are read.
    """

    def __init__(
        self,
        files: dict[str, list[Path]],
        complete: bool,
        folder: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name: str | None = None
        self._files, self._complete, self._folder = files, complete, folder
        self._clock = clock
        self._known: Inputs | None = None
        self._ages: tuple[tuple[int, int], ...] = ()
        self._looked_s = -_LOOK_S

    def __call__(self) -> Inputs:
        """What is known now; the same object until :meth:`use` is called.

        Raises:
            AdizError: a file cannot be used.
        """
        if self._known is None:
            self._known = self._read(self._files if self.name is None else self._copies(self.name))
        return self._known

    def use(self, name: str | None) -> None:
        """From now on that copy."""
        if name != self.name:
            self.name, self._known = name, None

    def changed(self) -> str | None:
        """The name of a copy to be used from now on, if the files have changed.

        Files that cannot be used are told to the log, and what was known before holds on.

        Raises:
            AdizError: they cannot be used, and nothing was known before.
        """
        now_s = self._clock()
        if now_s - self._looked_s < _LOOK_S or not any(self._files.values()):
            return None
        self._looked_s = now_s
        try:
            ages = tuple(_age(path) for group in self._files.values() for path in group)
            if ages == self._ages:
                return None
            name = self._copy()
            self._read(self._copies(name))
        except (AdizError, OSError) as error:
            if self.name is None:
                raise AdizError(f"plans, notices or contacts cannot be used: {error}") from None
            _log.error("what was known of plans, notices and contacts holds on: %s", error)
            return None
        self._ages = ages
        return None if name == self.name else name

    # ---- within ---------------------------------------------------------------------------------

    def _read(self, files: dict[str, list[Path]]) -> Inputs:
        points = {k: v for path in files["points"] for k, v in read_points(path).items()}
        return Inputs(
            plans=read_plans(files["plans"], points) if files["plans"] else None,
            notices=read_notices(files["notices"]) if files["notices"] else None,
            contacts=read_contacts(files["contacts"]) if files["contacts"] else None,
            complete=self._complete,
        )

    def _copies(self, name: str) -> dict[str, list[Path]]:
        folder = self._folder / name
        if not folder.is_dir():
            raise AdizError(
                f"{folder} is missing, the plans, notices and contacts of a while ago; put it back"
            )
        found = {
            group: [folder / f"{group}-{n}" / path.name for n, path in enumerate(paths)]
            for group, paths in self._files.items()
        }
        # The configuration may name more files by now than it did then.
        return {group: [p for p in paths if p.is_file()] for group, paths in found.items()}

    def _copy(self) -> str:
        """Copy the files as they are; the name says what is in them."""
        found = {
            Path(f"{group}-{n}") / path.name: path.read_bytes()
            for group, paths in self._files.items()
            for n, path in enumerate(paths)
        }
        mark = hashlib.sha256()
        for place, data in found.items():
            mark.update(f"{place}\n{len(data)}\n".encode() + data)
        name = mark.hexdigest()[:16]
        folder = self._folder / name
        if not folder.is_dir():
            draft = self._folder / f".{name}"
            shutil.rmtree(draft, ignore_errors=True)
            for place, data in found.items():
                (draft / place.parent).mkdir(parents=True)
                with open(draft / place, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
            draft.rename(folder)
        os.utime(folder)
        self._forget(folder)
        return name

    def _forget(self, newest: Path) -> None:
        """Remove copies that no record kept can name any more: all but the newest hundred."""
        copies = [path for path in self._folder.iterdir() if path.name[:1] != "."]
        copies.sort(key=lambda path: path.stat().st_mtime_ns)
        for path in copies[:-_KEPT]:
            if path not in (newest, self._folder / (self.name or "")):
                shutil.rmtree(path, ignore_errors=True)


def _age(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size
