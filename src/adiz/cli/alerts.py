"""``adiz alerts``: what was told, who has seen it, and what could not be delivered.

These work beside a watch that runs, on the store that its configuration names. Neither the sinks
nor their secrets are needed.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from adiz.errors import AdizError

if TYPE_CHECKING:
    from adiz.out.alerts import Outbox


def build_parser(parser: argparse.ArgumentParser) -> None:
    """The actions and their options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="alerts that nobody has acknowledged")
    listing.add_argument("--all", action="store_true", help="all alerts, also those not told")
    listing.add_argument("--limit", type=int, default=100, metavar="N", help="the last N (100)")
    listing.set_defaults(act=_list)
    ack = actions.add_parser("ack", help="acknowledge alerts")
    ack.set_defaults(act=_ack)
    dead = actions.add_parser("dead", help="deliveries that were refused or given up")
    dead.set_defaults(act=_dead)
    resend = actions.add_parser("resend", help="try dead letters again")
    resend.set_defaults(act=_resend)
    for action in (listing, ack, dead, resend):
        action.add_argument("config", metavar="CONFIG", help="the configuration of the watch")
    ack.add_argument("events", nargs="+", metavar="EVENT", help="event ids")
    ack.add_argument("--who", metavar="NAME", help="who has seen it (the name of the account)")
    resend.add_argument("ids", nargs="*", type=int, metavar="ID", help="as 'dead' lists them")
    resend.add_argument("--all", action="store_true", help="all of them")
    for action in (dead, resend):
        action.add_argument("--sink", metavar="NAME", help="only those of one sink")
    for action in (listing, dead):
        action.add_argument("--json", action="store_true", help="one JSON object a line")


def run(args: argparse.Namespace) -> int:
    """Do what was asked; 1: nothing was found to do it to."""
    status: int = args.act(_outbox(args.config), args)
    return status


def _list(outbox: Outbox, args: argparse.Namespace) -> int:
    from adiz.events import iso

    rows = outbox.alerts(unacknowledged=not args.all, limit=args.limit)
    for row in reversed(rows):
        if args.json:
            print(json.dumps(row))
            continue
        words = [iso(row["time_us"]), row["event_id"], row["rule"], _state(row), row["text"]]
        print("  ".join(words))
    return 0


def _state(row: dict[str, Any]) -> str:
    from adiz.events import iso

    if row["withdrawn"]:
        return "withdrawn"
    if row["who"] is not None:
        return f"seen by {row['who']}"
    if row["state"] == "held":
        return f"held till {iso(row['release_us'])}"
    if row["state"] == "repeat":
        return f"repeats {row['because']}"
    return str(row["state"])


def _ack(outbox: Outbox, args: argparse.Namespace) -> int:
    import getpass

    try:
        who = args.who or getpass.getuser()
    except (KeyError, OSError):
        raise AdizError("this account has no name; say who with --who") from None
    unknown = [event for event in args.events if not outbox.ack(event, who, _now_us())]
    for event in unknown:
        print(f"adiz alerts: no alert was made of event {event}", file=sys.stderr)
    return 1 if unknown else 0


def _dead(outbox: Outbox, args: argparse.Namespace) -> int:
    from adiz.events import iso

    for row in outbox.dead(args.sink):
        if args.json:
            print(json.dumps({name: row[name] for name in row if name != "body"}))
            continue
        words = [str(row["id"]), iso(row["created_us"]), row["sink"], row["error"], row["text"]]
        print("  ".join(words))
    return 0


def _resend(outbox: Outbox, args: argparse.Namespace) -> int:
    if not (args.ids or args.sink or args.all):
        raise AdizError("say which: IDs as 'adiz alerts dead' lists them, --sink, or --all")
    count = outbox.resend(_now_us(), ids=args.ids or None, sink=args.sink)
    print(f"{count} to be sent again; the watch that runs, or the next, sends them")
    return 0 if count else 1


def _outbox(path: str) -> Outbox:
    """The outbox of the store that a configuration names."""
    import sqlalchemy as sa

    from adiz.out.alerts import Outbox
    from adiz.run.live.store import Store

    store = Store(store_of(path), writer=False)
    if not sa.inspect(store.engine).has_table("alert_told"):
        raise AdizError(f"{store} has no alerts yet: a watch with rules makes them")
    return Outbox(store)


def store_of(path: str) -> str:
    """The store's URL; the rest of the configuration is neither read nor checked."""
    import tomllib
    from pathlib import Path

    from adiz.run.live.config import WATCH

    try:
        watch = tomllib.loads(Path(path).read_text(encoding="utf-8")).get("watch", {})
    except (OSError, ValueError, RecursionError) as error:
        raise AdizError(f"{path} is no configuration that can be read: {error}") from None
    usual = next(option.default for option in WATCH if option.name == "store")
    url = watch.get("store", usual) if isinstance(watch, dict) else usual
    if not isinstance(url, str):
        raise AdizError(f"{path}: watch.store is no text; 'adiz watch --check {path}' says more")
    return url if "://" in url else str(Path(path).parent / url)


def _now_us() -> int:
    from datetime import UTC, datetime, timedelta

    from adiz import clock

    return (clock.now() - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
