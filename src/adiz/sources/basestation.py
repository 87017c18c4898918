"""BaseStation (SBS) text: one message a line, a position made whole from several of them.

A report is a position message (MSG types 2 and 3). What it does not carry itself comes from the
messages of the same address before it: callsign (type 1) and squawk (type 6) as last sent; speed,
direction and rate of climb (type 4) if no older than 30 s. The first date and time of a line, when
the message was generated, are a clock without a zone: the zone has to be told.
"""

from __future__ import annotations

import polars as pl

from adiz.errors import Fault, ReportsError
from adiz.sources import convert
from adiz.sources.files import Input, as_utf8
from adiz.sources.tabular import Options

_FIELDS = [
    "kind", "type", "session", "aircraft", "hex", "flight", "date", "time", "date_logged",
    "time_logged", "callsign", "alt", "gs", "track", "lat", "lon", "vrate", "squawk", "alert",
    "emergency", "spi", "ground",
]  # fmt: skip
_HEADING = ",".join(_FIELDS).encode() + b"\n"
_KINDS = ["MSG", "SEL", "ID", "AIR", "STA", "CLK"]
_POSITION_TYPES = ["2", "3"]
_VELOCITY_AGE_S = 30


def read_frame(item: Input, options: Options) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The frame of one file of BaseStation messages; ``row`` is the line."""
    data, damage = item.content()
    try:
        raw = pl.read_csv(
            _HEADING + as_utf8(data),  # the first line need not have all fields
            infer_schema=False,
            quote_char=None,
            encoding="utf8-lossy",
            truncate_ragged_lines=True,
            row_index_name="row",
            row_index_offset=1,
        )
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0][:200]
        raise ReportsError(Fault(f"not BaseStation text: {reason}", item.name)) from None
    raw = raw.with_columns(generated=pl.col("date") + " " + pl.col("time"))
    when = convert.time(
        "generated", raw["generated"], factor=0.0, time_zone=options.time_zone, file=item.name
    )
    notes = (f"{item.name}: {damage}; kept what came before",) if damage else ()
    return _merge(raw.with_columns(when.alias("at")), options), notes


def _merge(raw: pl.DataFrame, options: Options) -> pl.DataFrame:
    """Position messages, each with the state of its address, and the lines that are none."""
    text = pl.String()
    last = [_number(n) for n in ("gs", "track", "vrate")]
    known = pl.col("kind").is_in(_KINDS).fill_null(False)
    position = (pl.col("kind") == "MSG") & pl.col("type").is_in(_POSITION_TYPES)
    hexed = convert.address("hex", text)
    return (
        raw.with_columns(
            hexed.alias("icao24"),
            pl.coalesce(hexed, convert.filled("hex")).alias("address"),
            # The eleventh field of STA is a status.
            pl.when(pl.col("kind").is_in(["MSG", "ID"])).then(convert.filled("callsign")),
            convert.squawk("squawk", text).alias("squawk"),
            *last,
        )
        .with_columns(
            pl.col("callsign", "squawk").forward_fill().over("address"),
            *(_recent(n) for n in ("gs", "track", "vrate")),
        )
        .filter(position.fill_null(False) | ~known)
        .select(
            "row",
            pl.col("at").alias("time"),
            pl.lit(options.track_id).alias("track_id")
            if options.track_id
            else pl.col("address").alias("track_id"),
            _number("lat").alias("lat_deg"),
            _number("lon").alias("lon_deg"),
            _number("alt").alias("alt_baro_ft"),
            pl.col("gs").alias("gs_kt"),
            pl.col("track").alias("track_true_deg"),
            pl.col("vrate").alias("vrate_fpm"),
            convert.truth("ground", text).alias("on_ground"),
            "icao24",
            "callsign",
            "squawk",
            convert.filled("generated").alias("time_text"),
            convert.filled("lat").alias("lat_text"),
            convert.filled("lon").alias("lon_text"),
            pl.when(~known).then(pl.lit("not a BaseStation message")).alias("fault"),
        )
    )


def _number(name: str) -> pl.Expr:
    return convert.number(name, pl.String(), 1.0).alias(name)


def _recent(name: str) -> pl.Expr:
    """The last value of its address, unless it is too old to belong to this position."""
    given = pl.col(name).is_not_null()
    told = pl.when(given).then("at").forward_fill().over("address")
    fresh = (pl.col("at") - told).dt.total_microseconds() <= _VELOCITY_AGE_S * 1_000_000
    return pl.when(fresh).then(pl.col(name).forward_fill().over("address")).alias(name)
