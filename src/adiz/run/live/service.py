"""A watch as a service: its configuration read again on request, systemd told, figures served."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from adiz.errors import AdizError
from adiz.out.face.http import StatusServer, place_of
from adiz.out.face.model import Status
from adiz.run.live.config import Config, read_config
from adiz.run.live.loop import Watch
from adiz.run.live.make import normal_zones
from adiz.run.live.notify import Notifier
from adiz.run.live.status import read_status

_log = logging.getLogger("adiz.watch")
HUNG_S = 60.0


class Service:
    """The watch of a configuration, and what surrounds it.

    Args:
        config: of the watch.
        notifier: default: as the environment says.
        say: told what a person should know of a reload.

    Attributes:
        watch: once :meth:`open` has taken up where the last run stopped.

    Raises:
        AdizError: figures cannot be served where the configuration says.
    """

    def __init__(
        self,
        config: Config,
        *,
        notifier: Notifier | None = None,
        say: Callable[[str], None] = _log.warning,
    ) -> None:
        self.config = config
        self.watch: Watch | None = None
        self._say = say
        self._notifier = notifier or Notifier()
        self._reloading = threading.Lock()
        place = config.values["watch"]["status"]
        self.server = StatusServer(place_of(place), self._status) if place else None

    def open(self) -> Watch:
        """Take up where the last run stopped; meanwhile health says that it starts.

        Raises:
            AdizError: as :class:`adiz.run.live.loop.Watch`.
        """
        self.watch = Watch(self.config)
        return self.watch

    def run(self) -> None:
        """Watch until it is stopped, or every replay has ended."""
        assert self.watch is not None
        self._notifier.ready()
        self._notifier.watch_over(self._alive)
        try:
            self.watch.run()
        finally:
            self._notifier.stopping()

    def close(self) -> None:
        """Serve no more."""
        if self.server is not None:
            self.server.close()

    def reload(self) -> None:
        """Read the configuration again, in a thread of its own, and watch the zones it names."""
        threading.Thread(target=self._reload, name="reload", daemon=True).start()

    def _reload(self) -> None:
        with self._reloading:
            self._notifier.reloading()
            try:
                self._take_zones()
            except AdizError as error:
                self._say(f"nothing was changed, the configuration is faulty: {error}")
            except Exception as error:
                self._say(f"nothing was changed: {type(error).__name__}: {error}")
            self._notifier.ready()

    def _take_zones(self) -> None:
        config = read_config(self.config.path)
        zones = normal_zones(config)
        unusable = next((zone for zone in zones if zone.incomplete), None)
        if unusable is not None:
            raise AdizError(f"zone {unusable.zone_id} cannot be watched: {unusable.incomplete}")
        if self.watch is not None:
            self.watch.set_zones(zones)
        self._say(f"zones watched from now on: {len(zones)}")
        others = _changed(self.config, config)
        if others:
            self._say(
                f"changes of {', '.join(others)} wait for a restart: while it runs, only zones and "
                "the files of [identification] are read again"
            )

    def _alive(self) -> bool:
        """Whether the loop comes round, or says why it cannot: a restart frees no disk."""
        assert self.watch is not None
        status = read_status(self.watch)
        return status.stalled is not None or status.turn_age_s < HUNG_S

    def _status(self) -> Status | None:
        return read_status(self.watch) if self.watch is not None else None


def _changed(old: Config, new: Config) -> list[str]:
    """The tables that are not as they were, but for the zones."""
    mine, theirs = old.tables, new.tables
    names = [*mine, *(name for name in theirs if name not in mine)]

    def without_zones(table: object) -> object:
        if isinstance(table, dict):
            return {key: value for key, value in table.items() if key != "zones"}
        return table

    return [
        f"[{name}]"
        for name in names
        if (without_zones(mine.get(name)) if name == "watch" else mine.get(name))
        != (without_zones(theirs.get(name)) if name == "watch" else theirs.get(name))
    ]
