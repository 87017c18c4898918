"""MovingPandas: ``TrajectoryCollection.clip`` with each zone in turn, one thread.

Line-based. Two traps, both silent: a Parquet file with millisecond timestamps gives a millisecond
index, in which the clipped ends no longer meet and every stay falls into pieces (so the times are
cast to nanoseconds here); and a trajectory whose clipping raises is left out.
"""

import warnings

import movingpandas
import pandas as pd
import polars as pl
import shapely
from _job import COLUMNS, MAX_GAP_S, STAYS, read_zones, run

warnings.simplefilter("ignore")  # about naive times, one a trajectory


def find(reports: str, zones: str) -> pl.DataFrame:
    table = pd.read_parquet(reports, columns=COLUMNS)
    table["time"] = table["time"].dt.tz_localize(None).astype("datetime64[ns]")
    table = table.sort_values(["track_id", "time"], kind="stable")
    broken = table["time"].diff() > pd.Timedelta(seconds=MAX_GAP_S)
    table["part"] = table["track_id"] + "/" + broken.cumsum().astype(str)
    trajectories = movingpandas.TrajectoryCollection(
        table, traj_id_col="part", t="time", x="lon_deg", y="lat_deg"
    )
    rows = []
    for zone_id, text in read_zones(zones):
        for stay in trajectories.clip(shapely.from_geojson(text)):
            ends = (
                int(end.timestamp() * 1e6) for end in (stay.get_start_time(), stay.get_end_time())
            )
            rows.append((str(stay.id).split("/")[0], zone_id, *ends))
    return pl.DataFrame(rows, schema=STAYS, orient="row")


if __name__ == "__main__":
    run(find, "movingpandas pandas shapely")
