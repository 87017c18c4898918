"""Prepared shapely with numpy on two threads: bounding box, ``contains_xy``, run lengths.

Points only: a zone crossed between two reports is missed, and a stay begins and ends at its first
and last report inside.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl
import shapely
from _job import STAYS, legs_broken, read_in_order, read_zones, run

CHUNK = 1 << 18  # the best of 2^14 to all rows, tried at 1e7 reports


def find(reports: str, zones: str) -> pl.DataFrame:
    table = read_in_order(reports)
    lon, lat = table["lon_deg"].to_numpy(), table["lat_deg"].to_numpy()
    broken = table.select(legs_broken()).to_series().to_numpy()
    areas = [(zone_id, shapely.from_geojson(text)) for zone_id, text in read_zones(zones)]
    shapely.prepare([area for _, area in areas])

    def rows_inside(first: int) -> list[np.ndarray]:
        x, y = lon[first : first + CHUNK], lat[first : first + CHUNK]
        found = []
        for _, area in areas:
            west, south, east, north = area.bounds
            rows = np.flatnonzero((x >= west) & (x <= east) & (y >= south) & (y <= north))
            found.append(first + rows[shapely.contains_xy(area, x[rows], y[rows])])
        return found

    with ThreadPoolExecutor(2) as pool:
        chunks = list(pool.map(rows_inside, range(0, len(lon), CHUNK)))
    firsts, lasts, names = [], [], []
    for (zone_id, _), parts in zip(areas, zip(*chunks, strict=True), strict=True):
        rows = np.concatenate(parts)
        starts = np.flatnonzero((np.diff(rows, prepend=-2) != 1) | broken[rows])
        firsts.append(rows[starts])
        lasts.append(rows[np.append(starts[1:], len(rows))[: len(starts)] - 1])
        names += [zone_id] * len(starts)
    entries, exits = table[np.concatenate(firsts)], table[np.concatenate(lasts)]["time"]
    columns = entries["track_id"], names, entries["time"].dt.epoch("us"), exits.dt.epoch("us")
    return pl.DataFrame(dict(zip(STAYS, columns, strict=True)))


if __name__ == "__main__":
    run(find, "shapely numpy polars")
