"""What a configuration means, in words: ``adiz watch --check``."""

from __future__ import annotations

from collections.abc import Iterator

from adiz.errors import Fault, ZoneError
from adiz.run.live.config import Config
from adiz.run.live.make import inputs_of, normal_zones
from adiz.tracks.registry import read_registry


def explain(config: Config) -> str:
    """The configuration in words, its zones and files read; nothing is connected or written.

    Raises:
        AdizError: a zone, or a file it names, cannot be used.
    """
    return "\n".join(_lines(config))


def _lines(config: Config) -> Iterator[str]:
    watch = config.values["watch"]
    zones = normal_zones(config)
    unusable = [zone for zone in zones if zone.incomplete]
    if unusable:
        zone = unusable[0]
        raise ZoneError(
            Fault(f"zone {zone.zone_id} cannot be watched: {zone.incomplete}", str(config.path),
                  field="watch.zones", remedy="leave it out")
        )  # fmt: skip
    yield f"{config.path} can be used."
    yield ""
    yield f"Zones ({len(list(zones))}):"
    for zone in list(zones)[:20]:
        yield f"  {zone.zone_id:<24}{zone.kind:<12}{zone.name}"
    if len(list(zones)) > 20:
        yield f"  and {len(list(zones)) - 20} more"
    yield "Feeds:"
    for feed in config.feeds:
        kept = "is played again after a restart" if feed.replayable else "is journaled before use"
        yield f"  {feed.name:<24}{feed.kind:<12}{kept}"
    yield "Time:"
    yield f"  Reports may come {watch['lateness_s']:g} s out of order; later ones bring revisions."
    yield f"  Two reports more than {watch['max_gap_s']:g} s apart leave a gap: the track is lost."
    yield f"  A feed silent for {watch['silent_s']:g} s holds the others back no more."
    yield "Told:"
    yield from (f"  {line}" for line in _told(config))
    yield "Kept:"
    days = config.values["archive"]["days"]
    yield f"  events, stays, encounters and the watch's state in {_without_secret(config.store)}"
    yield f"  reports for {days} days, as Parquet by day, in {config.folder / 'archive'}"
    if not any(feed.replayable for feed in config.feeds):
        loss = config.values["journal"]["fsync_s"]
        yield f"  what feeds say in {config.folder / 'journal'}; a power failure loses {loss:g} s"
    yield f"  the state every {watch['checkpoint_s']:g} s"
    yield "Alerts:"
    if not config.alerts.rules:
        yield "  none: there is no [[rules]] table"
    for rule in config.alerts.rules:
        kinds = ", ".join(rule.events) or "all events"
        yield f"  {rule.name}: {kinds} to {', '.join(rule.sinks)}"
    status = watch["status"]
    yield f"Metrics and health: {f'http://{status}/' if status else 'not served'}"


def _told(config: Config) -> Iterator[str]:
    params = config.engine
    yield "entry, exit, cross, lost, reacquired; squawks 7500, 7600, 7700; feeds up and down"
    if params.dwell_s:
        yield f"dwell: after {params.dwell_s / 60:g} minutes inside"
    if params.warnings is None:
        yield "no warnings"
    else:
        kinds = sorted({zone.kind for zone in normal_zones(config)})
        ahead = ", ".join(f"{k} {params.warnings.horizon_of(k) / 60:g} min" for k in kinds)
        yield f"warning: ahead of entry by up to ({ahead})"
    quiet = config.quiet
    if quiet:
        who = ["those a plan or notice names"] * quiet.identified
        who += sorted(quiet.states) + sorted(quiet.uses)
        yield f"no warnings of {', '.join(who)}"
    if params.company is None:
        yield "no encounters, formations and joint patrols"
    else:
        c = params.company
        yield (
            f"encounter: {c.within_nm:g} NM and {c.within_ft:g} ft for {c.for_s / 60:g} minutes; "
            "formation, joint_patrol"
        )
    if config.identification:
        inputs = inputs_of(config)()
        found = [
            f"{len(part.rows) if hasattr(part, 'rows') else len(part)} {name}"
            for name, part in (
                ("plans", inputs.plans),
                ("notices", inputs.notices),
                ("contacts", inputs.contacts),
            )
            if part is not None
        ]
        yield f"identification: {', '.join(found) or 'nothing given'}"
    else:
        yield "no identification: there is no [identification] table"
    registry = config.values["watch"]["registry"]
    if registry:
        read_registry(config.place(registry))
        yield f"states and roles also from {registry}"


def _without_secret(store: str) -> str:
    if "://" not in store:
        return store
    from adiz.database import parse_url

    return parse_url(store).render_as_string(hide_password=True)
