"""``adiz watch``: the live watch."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adiz.out.face.lines import Lines
    from adiz.run.live.config import Config
    from adiz.run.live.loop import Watch
    from adiz.run.live.service import Service


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
    return _watch(config, _view(args.view))


def _view(asked: str) -> str:
    """The view that can be shown.

    Raises:
        AdizError: a screen is asked for where there is none.
    """
    import os

    from adiz.errors import AdizError

    screen = sys.stdout.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "unknown")
    if asked == "screen" and not screen:
        raise AdizError("there is no terminal for --view screen; take lines or json")
    if asked == "auto":
        return "screen" if screen else "lines"
    return asked


def _watch(config: Config, view: str) -> int:
    import logging
    import os
    import signal
    import traceback

    from adiz.out.face.lines import Lines, as_json, as_line
    from adiz.run.live.service import Service

    logging.basicConfig(level=logging.WARNING, format="adiz: %(message)s", stream=sys.stderr)
    service = Service(config)
    try:
        watch = service.open()
        lines = Lines(as_json if view == "json" else as_line, sys.stdout, wait=not watch.live)

        def stop(*_: object) -> None:
            watch.stop()
            lines.hurry()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        signal.signal(signal.SIGHUP, lambda *_: service.reload())
        shown, status = True, 1
        try:
            if view == "screen":
                shown = _run_with_screen(service, watch, lines)
            else:
                if view != "none":
                    watch.listeners.append(lines.show)
                service.run()
            status = 0
        finally:
            if not (lines.close() and shown):
                # Whoever reads takes nothing, and to end in order would wait for that. All that
                # is to be kept is kept.
                if status:
                    traceback.print_exc()
                os._exit(status)
    finally:
        service.close()
    return 0


def _run_with_screen(service: Service, watch: Watch, lines: Lines) -> bool:
    """Run the watch with a screen; whether the screen was left."""
    import logging
    from collections import deque

    from adiz.out.face.lines import Notices
    from adiz.out.face.screen import Screen
    from adiz.run.live.status import Scenes, read_status

    said: deque[str] = deque(maxlen=5)
    root = logging.getLogger()
    before, root.handlers = root.handlers, [Notices(said)]  # nothing else writes over the screen

    def failed(reason: str) -> None:
        root.handlers = before
        logging.getLogger("adiz.watch").error("the screen is off, lines follow: %s", reason)
        watch.listeners.append(lines.show)

    screen = Screen(Scenes(watch), lambda: read_status(watch), failed, notices=said)
    screen.start()
    try:
        service.run()
    finally:
        left = screen.stop()
        root.handlers = before
    return left
