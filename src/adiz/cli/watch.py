"""``adiz watch``: the live watch."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adiz.events import Event
    from adiz.run.live.config import Config
    from adiz.run.live.loop import Watch


def build_parser(parser: argparse.ArgumentParser) -> None:
    """The options of ``adiz watch``."""
    parser.add_argument("config", metavar="CONFIG", help="the configuration, a TOML file")
    parser.add_argument(
        "--check", action="store_true", help="check and explain the configuration, do not watch"
    )
    parser.add_argument(
        "--view",
        choices=("auto", "screen", "lines", "json", "none"),
        default="auto",
        help="what to show: a screen (where there is a terminal), a line or JSON an event, nothing",
    )


def run(args: argparse.Namespace) -> int:
    """Watch, or check the configuration."""
    import os

    # Its tables are small and many: threads of polars' own would only wait for each other.
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    from adiz.run.live.config import read_config

    config = read_config(args.config)
    if args.check:
        from adiz.run.live.explain import explain

        print(explain(config))
        return 0
    return _watch(config, args.view)


def _watch(config: Config, view: str) -> int:
    import logging
    import signal

    from adiz.run.live.loop import Watch
    from adiz.run.live.make import normal_zones

    logging.basicConfig(level=logging.WARNING, format="adiz: %(message)s", stream=sys.stderr)
    watch = Watch(config)

    def reload(*_: object) -> None:
        try:
            watch.set_zones(normal_zones(config))
        except Exception as error:
            print(f"adiz: the zones stay as they are: {error}", file=sys.stderr)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: watch.stop())
    signal.signal(signal.SIGHUP, reload)
    _show(watch, view)
    return 0


def _show(watch: Watch, view: str) -> None:
    """Run the watch, its events shown as asked."""
    if view == "auto":
        view = "lines"
    if view == "none":
        watch.run()
        return
    told = _as_json if view == "json" else _as_line
    watch.listeners.append(lambda events: print(*map(told, events), sep="\n", flush=True))
    watch.run()


def _as_line(event: Event) -> str:
    revised = f" (revision {event.revision})" if event.revision > 1 else ""
    return f"{event.kind:<14}{event.text}{revised}"


def _as_json(event: Event) -> str:
    import json
    from dataclasses import asdict

    from adiz.events import iso

    row = asdict(event)
    row["time"], row["detected_time"] = iso(row.pop("time_us")), iso(row.pop("detected_us"))
    return json.dumps(row)
