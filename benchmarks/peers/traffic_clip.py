"""``traffic``: ``Flight.clip_iterate`` for each flight and zone, one thread.

Line-based in finding the intersection, but what it returns are the samples between the two
instants, so a stay begins and ends at its first and last report inside and a pass within one leg
comes back as nothing. Does not import with pandas 3.
"""

import pandas as pd
import polars as pl
import shapely
from _job import COLUMNS, MAX_GAP_S, STAYS, read_zones, run
from traffic.core import Traffic


def find(reports: str, zones: str) -> pl.DataFrame:
    table = pd.read_parquet(reports, columns=COLUMNS)
    table = table.rename(
        columns={"time": "timestamp", "lat_deg": "latitude", "lon_deg": "longitude"}
    ).sort_values(["track_id", "timestamp"], kind="stable")
    broken = table["timestamp"].diff() > pd.Timedelta(seconds=MAX_GAP_S)
    table["flight_id"] = table["track_id"] + "/" + broken.cumsum().astype(str)
    table["icao24"] = table["callsign"] = table["track_id"]
    areas = [(zone_id, shapely.from_geojson(text)) for zone_id, text in read_zones(zones)]
    rows = []
    for flight in Traffic(table):
        name = flight.flight_id.split("/")[0]
        for zone_id, area in areas:
            for stay in flight.clip_iterate(area):
                ends = (int(end.timestamp() * 1e6) for end in (stay.start, stay.stop))
                rows.append((name, zone_id, *ends))
    return pl.DataFrame(rows, schema=STAYS, orient="row")


if __name__ == "__main__":
    run(find, "traffic pandas shapely")
