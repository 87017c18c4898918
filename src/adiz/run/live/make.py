"""From a checked configuration to the parts of a watch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from adiz.identify.compliance import Inputs
from adiz.identify.notices import read_contacts, read_notices
from adiz.identify.plans import read_plans
from adiz.identify.route import read_points
from adiz.out.alerts import Alerts
from adiz.run.live.archive import Archive
from adiz.run.live.config import Config
from adiz.run.live.engine import Engine, zones_of
from adiz.run.live.identifying import Identifying, Silencer
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
    )
    return engine, zones


def normal_zones(config: Config) -> Zones:
    """The zones named, as the watch keeps them."""
    return zones_of(zones_text(load_zones(config.zone_names)))


def zones_text(zones: Zones) -> str:
    """Zones as the text they are kept in."""
    return write_geojson(zones)


def inputs_of(config: Config) -> Callable[[], Inputs]:
    """Plans, notices and contacts; files that change are read again when next asked for."""
    values = config.values["identification"]
    paths = {n: [config.place(p) for p in values[n]] for n in ("plans", "notices", "contacts")}
    points = config.place(values["points"]) if values["points"] else None
    named: list[Path] = [p for group in paths.values() for p in group] + (
        [points] if points else []
    )
    last: list[tuple[tuple[float, ...], Inputs]] = []

    def load() -> Inputs:
        ages = tuple(path.stat().st_mtime if path.exists() else 0.0 for path in named)
        if not last or last[0][0] != ages:
            last[:] = [(ages, read_all())]
        return last[0][1]

    def read_all() -> Inputs:
        known = read_points(points) if points else {}
        return Inputs(
            plans=read_plans(paths["plans"], known) if paths["plans"] else None,
            notices=read_notices(paths["notices"]) if paths["notices"] else None,
            contacts=read_contacts(paths["contacts"]) if paths["contacts"] else None,
            complete=values["complete"],
        )

    return load


def alerts_of(config: Config, store: Store) -> Alerts | None:
    """The alerts; None where no rule is configured."""
    if not config.alerts.rules:
        return None
    return Alerts(store, config.alerts.sinks, config.alerts.rules)
