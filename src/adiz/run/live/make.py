"""From a checked configuration to the parts of a watch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from adiz.out.alerts import Alerts
from adiz.run.live.archive import Archive
from adiz.run.live.config import Config
from adiz.run.live.engine import Engine, zones_of
from adiz.run.live.identifying import Identifying, Silencer
from adiz.run.live.inputs import GROUPS, InputFiles
from adiz.run.live.store import Store
from adiz.tracks.registry import read_registry
from adiz.zones.geojson_write import write_geojson
from adiz.zones.load import zones as load_zones
from adiz.zones.model import Zones


def make_engine(config: Config, archive: Archive) -> tuple[Engine, Zones]:
    """The engine, still empty, and the zones the configuration names now."""
    zones = normal_zones(config)
    load = inputs_of(config)
    registry = config.values["watch"]["registry"]

    def history(track_ids: Sequence[str] | pl.Expr, since_us: int) -> pl.DataFrame:
        return archive.read(track_ids, since_us)

    engine = Engine(
        zones,
        config.engine,
        registry=read_registry(config.place(registry)) if registry else None,
        identifying=Identifying(zones, load) if config.identification else None,
        silencer=Silencer(config.quiet, load) if config.quiet else None,
        history=history,
        inputs=load,
    )
    return engine, zones


def normal_zones(config: Config) -> Zones:
    """The zones named, as the watch keeps them."""
    return zones_of(zones_text(load_zones(config.zone_names)))


def zones_text(zones: Zones) -> str:
    """Zones as the text they are kept in."""
    return write_geojson(zones)


def inputs_of(config: Config) -> InputFiles:
    """The files that a configuration names."""
    values = config.values["identification"]
    named = {**values, "points": [values["points"]] if values["points"] else []}
    files = {group: [config.place(path) for path in named[group]] for group in GROUPS}
    return InputFiles(files, values["complete"], config.folder / "inputs")


def changes(zones: Zones | None, inputs: InputFiles | None) -> Iterator[tuple[str, dict[str, str]]]:
    """Records that are of no feed: their kinds and data.

    Args:
        zones: those to be watched from now on; None: as before.
        inputs: files that may have changed.
    """
    if zones is not None:
        yield "zones", {"geojson": zones_text(zones)}
    if inputs is not None and (name := inputs.changed()):
        yield "inputs", {"name": name}


def alerts_of(config: Config, store: Store) -> Alerts | None:
    """The alerts; None where no rule is configured."""
    if not config.alerts.rules:
        return None
    return Alerts(store, config.alerts.sinks, config.alerts.rules)
