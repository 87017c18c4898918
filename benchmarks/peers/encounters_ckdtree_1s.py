"""scipy: every track interpolated to whole seconds, one cKDTree a second, ``query_pairs``.

What it takes for cKDTree to compare positions of one instant: ends are right to a second.
Interpolated along chords, a quarter of an hour at a time.
"""

from itertools import pairwise

import numpy as np
import polars as pl
from encounters_job import FOR_S, MAX_GAP_S, WITHIN_FT, WITHIN_M, run
from scipy.spatial import cKDTree

PART_S = 900


def find(reports: str) -> pl.DataFrame:
    table = pl.read_parquet(f"{reports}/*.parquet").with_columns(
        pl.col("time").dt.epoch("us") / 1e6,
        pl.col("track_id").cast(pl.Categorical).to_physical().alias("track"),
    )
    names = dict(table.select("track", "track_id").unique().iter_rows())
    table = table.sort("track", "time")
    time, track = table["time"].to_numpy(), table["track"].to_numpy().astype(np.int64)
    lat, lon = np.radians(table["lat_deg"].to_numpy()), np.radians(table["lon_deg"].to_numpy())
    places = (
        np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], 1)
        * 6_371_008.8
    )
    alt = table["alt_baro_ft"].to_numpy()
    leg = np.flatnonzero((track[1:] == track[:-1]) & (np.diff(time) <= MAX_GAP_S))
    first, last = np.ceil(time[leg]), np.ceil(time[leg + 1])  # whole seconds in [start, end)
    found = []
    for low in np.arange(first.min(), last.max(), PART_S):
        a, b = np.clip(first, low, low + PART_S), np.clip(last, low, low + PART_S)
        count = (b - a).astype(np.int64)
        rows = np.repeat(leg, count)
        begin = np.repeat(np.cumsum(count) - count, count)
        second = np.repeat(a, count) + np.arange(len(rows)) - begin
        order = np.argsort(second, kind="stable")
        rows, second = rows[order], second[order]
        share = (second - time[rows]) / (time[rows + 1] - time[rows])
        xyz = places[rows] + share[:, None] * (places[rows + 1] - places[rows])
        height = alt[rows] + share * (alt[rows + 1] - alt[rows])
        edges = np.flatnonzero(np.diff(second, prepend=-1, append=-1))
        for p, q in pairwise(edges):
            pairs = cKDTree(xyz[p:q]).query_pairs(WITHIN_M, output_type="ndarray") + p
            pairs = pairs[np.abs(height[pairs[:, 0]] - height[pairs[:, 1]]) <= WITHIN_FT]
            one, other = track[rows[pairs[:, 0]]], track[rows[pairs[:, 1]]]
            key = np.minimum(one, other) << 32 | np.maximum(one, other)
            found.append(np.stack([key, second[pairs[:, 0]].astype(np.int64)]))
    key, at = np.concatenate(found, 1)
    order = np.lexsort((at, key))
    key, at = key[order], at[order]
    new = (np.diff(key, prepend=-1) != 0) | (np.diff(at, prepend=at[0]) > 1)
    start = np.flatnonzero(new)
    stop = np.append(start[1:], len(key)) - 1
    long = at[stop] - at[start] >= FOR_S
    sides = [[names[int(k)] for k in key[start][long] >> s & 0xFFFFFFFF] for s in (32, 0)]
    return pl.DataFrame(
        {
            "track_a": [min(p) for p in zip(*sides, strict=True)],
            "track_b": [max(p) for p in zip(*sides, strict=True)],
            "start_us": at[start][long] * 1_000_000,
            "end_us": at[stop][long] * 1_000_000,
        }
    )


if __name__ == "__main__":
    run(find, "scipy numpy polars")
