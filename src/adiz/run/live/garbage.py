"""Cyclic garbage, collected between batches: else it would begin in the midst of one."""

from __future__ import annotations

import gc
import time
from types import TracebackType

_SWEEP_S, _SWEEP_ALL_S = 10.0, 3600.0


class Garbage:
    """While it is entered, garbage is collected by :meth:`sweep_if_due` alone."""

    def __enter__(self) -> Garbage:
        self._swept_s = self._swept_all_s = time.monotonic()
        self._enabled = gc.isenabled()
        gc.disable()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        gc.unfreeze()
        if self._enabled:
            gc.enable()

    def sweep_if_due(self) -> None:
        """Collect; what is left is not looked through again soon.

        All of it is as many objects as there are events of tracks still in the air: a tenth of a
        second. What became garbage of it is found within the hour.
        """
        now_s = time.monotonic()
        if now_s - self._swept_s < _SWEEP_S:
            return
        if now_s - self._swept_all_s >= _SWEEP_ALL_S:
            gc.unfreeze()
            self._swept_all_s = now_s
        gc.collect()
        gc.freeze()
        self._swept_s = now_s
