"""The tables of the product, declared once, as data.

Every reader fills :data:`REPORTS`, every detector reads it. A test holds the code and the
reference page to this declaration. Missing is null, never 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import polars as pl

Kind = Literal["time", "text", "number", "whole", "truth"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        name: carries the unit.
        kind: ``time`` (microseconds, UTC), ``text``, ``number`` (float64), ``whole`` (int64),
            ``truth`` (boolean).
        unit: as in the name, written out; "" where there is none.
        datum: what the number is measured from or on; "" where that means nothing.
        meaning: one line for the reference page.
        required: a row without it is rejected by a reader.
    """

    name: str
    kind: Kind
    unit: str
    datum: str
    meaning: str
    required: bool = False


REPORTS: tuple[Column, ...] = (
    Column("time", "time", "us", "UTC", "when the position was valid", required=True),
    Column("track_id", "text", "", "", "one aircraft from one source", required=True),
    Column("lat_deg", "number", "degree", "WGS84", "latitude, north positive", required=True),
    Column("lon_deg", "number", "degree", "WGS84", "longitude, east positive", required=True),
    Column("alt_baro_ft", "number", "foot", "1013.25 hPa", "pressure altitude"),
    Column("alt_geom_ft", "number", "foot", "WGS84 ellipsoid", "geometric altitude"),
    Column("gs_kt", "number", "knot", "ground", "ground speed"),
    Column("track_true_deg", "number", "degree", "true north", "direction of motion over ground"),
    Column("vrate_fpm", "number", "foot per minute", "as the altitude", "rate of climb"),
    Column("on_ground", "truth", "", "", "the aircraft says it is on the ground"),
    Column("icao24", "text", "", "ICAO Annex 10", "24-bit address, six lower-case hex digits"),
    Column("callsign", "text", "", "", "as sent, without trailing blanks"),
    Column("squawk", "text", "", "", "Mode A code, four octal digits"),
    Column("type_code", "text", "", "ICAO Doc 8643", "type designator"),
    Column("registration", "text", "", "", "tail number"),
    Column("position_error_m", "number", "metre", "95 %", "horizontal position error bound"),
    Column("flags", "whole", "", "", "plausibility bits, see adiz.tracks.flags"),
    Column("source", "text", "", "", "file or feed the report came from"),
)

STAYS: tuple[Column, ...] = (
    Column("track_id", "text", "", "", "whose stay"),
    Column("zone_id", "text", "", "", "in which zone (the version in force)"),
    Column("entry_time", "time", "us", "UTC", "when it began; null where only bounds are known"),
    Column("exit_time", "time", "us", "UTC", "when it ended; null where only bounds are known"),
    Column("entry_kind", "text", "", "", "crossed, appeared, reacquired, lost, activated"),
    Column("exit_kind", "text", "", "", "crossed, vanished, lost, reacquired, deactivated"),
    Column("entry_lat_deg", "number", "degree", "WGS84", "where it began"),
    Column("entry_lon_deg", "number", "degree", "WGS84", "where it began"),
    Column("exit_lat_deg", "number", "degree", "WGS84", "where it ended"),
    Column("exit_lon_deg", "number", "degree", "WGS84", "where it ended"),
    Column("duration_s", "number", "second", "", "exit_time minus entry_time"),
    Column("max_depth_m", "number", "metre", "WGS84", "greatest distance from the zone's edge"),
    Column("certainty", "text", "", "", "observed, possible or definite"),
    Column("earliest_entry", "time", "us", "UTC", "no path within the speed bound enters before"),
    Column("latest_exit", "time", "us", "UTC", "no path within the speed bound leaves after"),
    Column("longest_inside_s", "number", "second", "", "no path is inside for longer"),
    Column("vertical", "text", "", "", "unlimited, known, partly or unknown"),
    Column("report_count", "whole", "", "", "reports within the stay"),
)


def polars_schema(columns: tuple[Column, ...]) -> dict[str, pl.DataType]:
    """The polars types of a declared table, in its order."""
    import polars as pl

    types: dict[Kind, pl.DataType] = {
        "time": pl.Datetime("us", "UTC"),
        "text": pl.String(),
        "number": pl.Float64(),
        "whole": pl.Int64(),
        "truth": pl.Boolean(),
    }
    return {column.name: types[column.kind] for column in columns}
