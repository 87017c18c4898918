"""``traffic``: ``Traffic.closest_point_of_approach``, resampled to 5 s, on two processes.

Samples only; it gives every sample of pairs that come near (distances in nautical miles and feet),
from which those within the limits are taken and made into runs here.
"""

import cartopy.crs
import pandas as pd
import polars as pl
from encounters_job import FOR_S, MAX_GAP_S, WITHIN_FT, WITHIN_M, run
from traffic.core import Traffic


def find(reports: str) -> pl.DataFrame:
    table = pd.read_parquet(reports).rename(
        columns={
            "time": "timestamp",
            "lat_deg": "latitude",
            "lon_deg": "longitude",
            "alt_baro_ft": "altitude",
        }
    )
    table["flight_id"] = table["icao24"] = table["callsign"] = table.pop("track_id")
    traffic = Traffic(table).resample("5s").eval(max_workers=2)
    near = traffic.closest_point_of_approach(
        lateral_separation=WITHIN_M,
        vertical_separation=WITHIN_FT,
        projection=cartopy.crs.LambertConformal(130, 30, standard_parallels=(25, 38)),
        max_workers=2,
    )
    rows = pl.from_pandas(
        near.data.query(f"lateral <= {WITHIN_M / 1852} and vertical <= {WITHIN_FT}")[
            ["flight_id_x", "flight_id_y", "timestamp"]
        ]
        if near is not None
        else pd.DataFrame({"flight_id_x": [], "flight_id_y": [], "timestamp": []})
    )
    pair = ["track_a", "track_b"]
    rows = rows.select(
        pl.min_horizontal("flight_id_x", "flight_id_y").alias("track_a"),
        pl.max_horizontal("flight_id_x", "flight_id_y").alias("track_b"),
        pl.col("timestamp").dt.epoch("us").alias("us"),
    ).sort(*pair, "us")
    broken = (pl.col("us").diff().over(pair) > MAX_GAP_S * 1_000_000).fill_null(True)
    return (
        rows.with_columns(broken.cum_sum().over(pair).alias("run"))
        .group_by([*pair, "run"])
        .agg(pl.col("us").min().alias("start_us"), pl.col("us").max().alias("end_us"))
        .filter(pl.col("end_us") - pl.col("start_us") >= FOR_S * 1_000_000)
        .drop("run")
    )


if __name__ == "__main__":
    run(find, "traffic pandas polars")
