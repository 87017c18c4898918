"""scipy: the last report of each track in a bin of 5 s, one cKDTree a bin, ``query_pairs``.

Positions on a sphere in three dimensions, altitudes compared after; runs of bins make encounters.
Samples only: ends are right to a bin, and the distance is one between different instants.
"""

from itertools import pairwise

import numpy as np
import polars as pl
from encounters_job import FOR_S, MAX_GAP_S, WITHIN_FT, WITHIN_M, run
from scipy.spatial import cKDTree

BIN_S = 5


def find(reports: str) -> pl.DataFrame:
    table = pl.read_parquet(f"{reports}/*.parquet")
    table = table.with_columns(
        pl.col("time").dt.epoch("s").floordiv(BIN_S).alias("bin"),
        pl.col("track_id").cast(pl.Categorical).to_physical().alias("track"),
    )
    names = table.select("track", "track_id").unique().sort("track")
    bins, tracks = table["bin"].to_numpy(), table["track"].to_numpy().astype(np.int64)
    alt = table["alt_baro_ft"].to_numpy()
    lat, lon = np.radians(table["lat_deg"].to_numpy()), np.radians(table["lon_deg"].to_numpy())
    xyz = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], 1)
    xyz *= 6_371_008.8
    edges = np.flatnonzero(np.diff(bins, prepend=bins[0] - 1, append=bins[-1] + 1))
    last = np.empty(tracks.max() + 1, np.int64)
    found = []
    for a, b in pairwise(edges):
        rows = np.arange(a, b)
        last[tracks[a:b]] = rows
        rows = rows[last[tracks[a:b]] == rows]
        pairs = rows[cKDTree(xyz[rows]).query_pairs(WITHIN_M, output_type="ndarray")]
        pairs = pairs[np.abs(alt[pairs[:, 0]] - alt[pairs[:, 1]]) <= WITHIN_FT]
        one, other = tracks[pairs[:, 0]], tracks[pairs[:, 1]]
        key = np.minimum(one, other) << 32 | np.maximum(one, other)
        found.append(np.stack([key, bins[pairs[:, 0]]]))
    key, at = np.concatenate(found, 1)
    order = np.lexsort((at, key))
    key, at = key[order], at[order]
    new = (np.diff(key, prepend=-1) != 0) | (np.diff(at, prepend=at[0]) > MAX_GAP_S // BIN_S)
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(key)) - 1
    long = (at[last] - at[first] + 1) * BIN_S >= FOR_S
    text = dict(names.iter_rows())
    sides = [[text[int(k)] for k in key[first][long] >> s & 0xFFFFFFFF] for s in (32, 0)]
    return pl.DataFrame(
        {
            "track_a": [min(p) for p in zip(*sides, strict=True)],
            "track_b": [max(p) for p in zip(*sides, strict=True)],
            "start_us": at[first][long] * BIN_S * 1_000_000,
            "end_us": (at[last][long] + 1) * BIN_S * 1_000_000,
        }
    )


if __name__ == "__main__":
    run(find, "scipy numpy polars")
