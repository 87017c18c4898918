"""``adiz events``: what a watch has told."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from adiz.cli._frames import add_output, write_frame
from adiz.errors import AdizError, Fault, FaultyInputError
from adiz.events import KINDS

if TYPE_CHECKING:
    import polars as pl

_COLUMNS = ("time", "kind", "zone_id", "tracks", "event_id", "revision", "text")


def build_parser(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("source", metavar="CONFIG|STORE", help="the configuration of a watch, or its store")
    add("--kind", metavar="KIND[,…]", default="", help="only these kinds, e.g. entry,exit")
    add("--zone", metavar="ID[,…]", default="", help="only of these zones")
    add("--track", metavar="ID", help="only of this track")
    add("--from", dest="since", metavar="TIME", help="event time, ISO 8601; from then on")
    add("--to", dest="until", metavar="TIME", help="event time, ISO 8601; up to, not including")
    add("--last", type=int, metavar="N", help="only the last N")
    add("--all", action="store_true", help="all revisions, and what was withdrawn")
    add_output(parser)


def run(args: argparse.Namespace) -> int:
    """Print or write events, in the order they were told."""
    from adiz.run.live.store import Store

    kinds, zones = _listed(args.kind), _listed(args.zone)
    _check_kinds(kinds)
    if args.last is not None and args.last < 1:
        raise FaultyInputError(Fault("--last is below 1", field="--last", remedy="give 1 or more"))
    since_us, until_us = _micros(args.since, "--from"), _micros(args.until, "--to")
    store = Store(_store_of(args.source), writer=False)
    try:
        found = store.events(
            kinds=kinds,
            zones=zones,
            track=args.track,
            from_us=since_us,
            to_us=until_us,
            latest=not args.all,
            limit=args.last,
        )
    finally:
        store.close()
    write_frame(_told(found, args.format), args, _COLUMNS)
    return 0


def _told(found: pl.DataFrame, form: str) -> pl.DataFrame:
    """Events with their moments as times; tracks as text where a list cannot stand."""
    import polars as pl

    utc = pl.Datetime("us", "UTC")
    told = found.with_columns(
        pl.col("time_us").cast(utc).alias("time"),
        pl.col("detected_us").cast(utc).alias("detected_time"),
    ).drop("time_us", "detected_us")
    if form in ("table", "csv"):
        told = told.with_columns(pl.col("tracks").list.join(" "))
    first = ["number", "event_id", "revision", "kind", "time", "detected_time"]
    return told.select(*first, pl.exclude(first))


def _listed(text: str) -> list[str]:
    return [name for part in text.split(",") if (name := part.strip())]


def _check_kinds(kinds: list[str]) -> None:
    import difflib

    for kind in kinds:
        if kind not in KINDS:
            near = difflib.get_close_matches(kind, KINDS, n=1)
            remedy = f"did you mean {near[0]}?" if near else f"there are {', '.join(KINDS)}"
            fault = Fault(f"no event is of kind {kind!r}", field="--kind", remedy=remedy)
            raise FaultyInputError(fault)


def _micros(text: str | None, option: str) -> int | None:
    """Microseconds since 1970 of a moment; a day alone begins at 0 h UTC."""
    from datetime import UTC, datetime, timedelta

    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        remedy = "write it as 2026-03-01T22:45Z"
        raise FaultyInputError(
            Fault(f"{text!r} is no moment", field=option, remedy=remedy)
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _store_of(source: str) -> str:
    """The store that is named, or that a configuration names."""
    from adiz.cli.alerts import store_of

    if "://" in source:
        return source
    path = Path(source)
    if not path.is_file():
        raise AdizError(f"{source} is neither the configuration of a watch nor its store")
    with path.open("rb") as file:
        is_store = file.read(15) == b"SQLite format 3"
    return source if is_store else store_of(source)
