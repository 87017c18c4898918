"""DuckDB with its spatial extension: an ``ST_Within`` join, then window functions.

Points only, as the prepared shapely peer. The extension comes as a Python package and is loaded
by its path, so nothing is fetched at run time.
"""

from pathlib import Path

import duckdb
import duckdb_extension_spatial
import polars as pl
from _job import MAX_GAP_S, STAYS, read_zones, run

SQL = f"""
with numbered as (
    select track_id, time, lat_deg, lon_deg,
           row_number() over track as n,
           coalesce(time - lag(time) over track > interval {MAX_GAP_S} second, true) as broken
    from read_parquet($reports)
    window track as (partition by track_id order by time)
),
inside as (
    select track_id, zone_id, time, n, broken
    from numbered join zones on ST_Within(ST_Point(lon_deg, lat_deg), area)
),
marked as (
    select *, (broken or n - lag(n) over visit is distinct from 1)::int as starts
    from inside
    window visit as (partition by track_id, zone_id order by n)
),
counted as (
    select *, sum(starts) over (partition by track_id, zone_id order by n) as stay from marked
)
select track_id, zone_id, epoch_us(min(time)) as entry_us, epoch_us(max(time)) as exit_us
from counted group by track_id, zone_id, stay
"""


def find(reports: str, zones: str) -> pl.DataFrame:
    db = duckdb.connect(config={"threads": 2, "allow_unsigned_extensions": True})
    home = Path(duckdb_extension_spatial.__path__[0])
    db.load_extension(str(next(home.glob("extensions/*/spatial.duckdb_extension"))))
    db.execute("create table zones (zone_id varchar, area geometry)")
    db.executemany("insert into zones values (?, ST_GeomFromGeoJSON(?))", read_zones(zones))
    rows = db.execute(SQL, {"reports": f"{reports}/*.parquet"}).fetchall()
    return pl.DataFrame(rows, schema=STAYS, orient="row")


if __name__ == "__main__":
    run(find, "duckdb duckdb-extension-spatial")
