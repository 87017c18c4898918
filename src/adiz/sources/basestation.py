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
_VELOCITY = ("gs", "track", "vrate")
STATE = ("address", "callsign", "squawk", *_VELOCITY, *(f"{n}_at" for n in _VELOCITY))
"""What is known of an address from its messages; ``_at``: when it was told."""


def read_frame(item: Input, options: Options) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The frame of one file of BaseStation messages; ``row`` is the line."""
    data, damage = item.content()
    told = parse_lines(as_utf8(data), item.name, options)
    notes = (f"{item.name}: {damage}; kept what came before",) if damage else ()
    return positions(carry_forward(told), options), notes


def parse_lines(data: bytes, name: str, options: Options) -> pl.DataFrame:
    """What each line says: its text, and the columns of :data:`STATE`.

    Raises:
        ReportsError: that is no text of lines, or its times carry no zone and none was told.
    """
    try:
        raw = pl.read_csv(
            _HEADING + data,  # the first line need not have all fields
            infer_schema=False,
            quote_char=None,
            encoding="utf8-lossy",
            truncate_ragged_lines=True,
            row_index_name="row",
            row_index_offset=1,
        )
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0][:200]
        raise ReportsError(Fault(f"not BaseStation text: {reason}", name)) from None
    raw = raw.with_columns(generated=pl.col("date") + " " + pl.col("time"))
    when = convert.time(
        "generated", raw["generated"], factor=0.0, time_zone=options.time_zone, file=name
    )
    text = pl.String()
    hexed = convert.address("hex", text)
    told = raw.with_columns(
        when.alias("at"),
        hexed.alias("icao24"),
        pl.coalesce(hexed, convert.filled("hex")).alias("address"),
        # The eleventh field of STA is a status.
        pl.when(pl.col("kind").is_in(["MSG", "ID"])).then(convert.filled("callsign")),
        convert.squawk("squawk", text).alias("squawk"),
        *(_number(n) for n in _VELOCITY),
    )
    since = [pl.when(pl.col(n).is_not_null()).then("at").alias(f"{n}_at") for n in _VELOCITY]
    return told.with_columns(since)


def carry_forward(told: pl.DataFrame) -> pl.DataFrame:
    """Lines with the state of their address, each part of it as last told."""
    state = [n for n in STATE if n != "address"]
    return told.with_columns(pl.col(state).forward_fill().over("address"))


def positions(known: pl.DataFrame, options: Options) -> pl.DataFrame:
    """The frame of the position messages, and of the lines that are no messages."""
    text = pl.String()
    is_message = pl.col("kind").is_in(_KINDS).fill_null(False)
    position = (pl.col("kind") == "MSG") & pl.col("type").is_in(_POSITION_TYPES)
    track = pl.lit(options.track_id) if options.track_id else pl.col("address")
    return known.filter(position.fill_null(False) | ~is_message).select(
        "row",
        pl.col("at").alias("time"),
        track.alias("track_id"),
        _number("lat").alias("lat_deg"),
        _number("lon").alias("lon_deg"),
        _number("alt").alias("alt_baro_ft"),
        _fresh("gs").alias("gs_kt"),
        _fresh("track").alias("track_true_deg"),
        _fresh("vrate").alias("vrate_fpm"),
        convert.truth("ground", text).alias("on_ground"),
        "icao24",
        "callsign",
        "squawk",
        convert.filled("generated").alias("time_text"),
        convert.filled("lat").alias("lat_text"),
        convert.filled("lon").alias("lon_text"),
        pl.when(~is_message).then(pl.lit("not a BaseStation message")).alias("fault"),
    )


def _number(name: str) -> pl.Expr:
    return convert.number(name, pl.String(), 1.0).alias(name)


def _fresh(name: str) -> pl.Expr:
    """A value unless it is too old to belong to this position."""
    age = (pl.col("at") - pl.col(f"{name}_at")).dt.total_microseconds()
    return pl.when(age <= _VELOCITY_AGE_S * 1_000_000).then(name)
