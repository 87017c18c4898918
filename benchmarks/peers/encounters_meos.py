"""MEOS through pymeos: ``tdwithin`` of every pair whose boxes meet, planar (Lambert), one thread.

Line-based, like ours. Altitudes are compared at the ends of what it gives.
"""

import bisect

import numpy as np
import polars as pl
import pymeos_cffi as meos
from encounters_job import FOR_S, MAX_GAP_S, WITHIN_FT, WITHIN_M, run
from pymeos_cffi.functions import _ffi

EPOCH_US = 946_684_800_000_000  # MEOS counts from the year 2000
LAT_0, LON_0 = np.radians(30.0), np.radians(130.0)


def _conic(lat_deg: np.ndarray, lon_deg: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lambert conformal conic on a sphere, standard parallels 25 and 38 degrees."""
    lat, lon = np.radians(lat_deg), np.radians(lon_deg)
    one, two = np.radians(25.0), np.radians(38.0)

    def stretch(phi: np.ndarray | float) -> np.ndarray:
        return np.tan(np.pi / 4 + np.asarray(phi) / 2)

    n = np.log(np.cos(one) / np.cos(two)) / np.log(stretch(two) / stretch(one))
    f = 6_371_008.8 * np.cos(one) * stretch(one) ** n / n
    rho, turn = f / stretch(lat) ** n, n * (lon - LON_0)
    return rho * np.sin(turn), f / stretch(LAT_0) ** n - rho * np.cos(turn)


def _pointer(values: np.ndarray) -> object:
    return _ffi.cast("void *", values.ctypes.data)


def find(reports: str) -> pl.DataFrame:
    meos.meos_initialize("UTC")
    table = pl.read_parquet(f"{reports}/*.parquet").sort("track_id", "time")
    x, y = _conic(table["lat_deg"].to_numpy(), table["lon_deg"].to_numpy())
    x, y = np.ascontiguousarray(x), np.ascontiguousarray(y)
    time_us = table["time"].dt.epoch("us").to_numpy() - EPOCH_US
    name = table["track_id"].to_numpy()
    alt = table["alt_baro_ft"].to_numpy()
    new = (name[1:] != name[:-1]) | (np.diff(time_us) > MAX_GAP_S * 1_000_000)
    starts = np.concatenate([[0], np.flatnonzero(new) + 1])
    ends = np.append(starts[1:], len(x))
    parts = []
    for a, b in zip(starts, ends, strict=True):
        if b - a < 2:
            continue
        line = meos.tpointseq_make_coords(
            _pointer(x[a:b]), _pointer(y[a:b]), _ffi.NULL, _pointer(time_us[a:b]), b - a,
            0, False, True, True, meos.InterpolationType.LINEAR, False,
        )  # fmt: skip
        box = meos.stbox_expand_space(meos.tspatial_to_stbox(line), WITHIN_M / 2)
        parts.append((int(time_us[a]), int(time_us[b - 1]), str(name[a]), line, box, alt[a]))
    parts.sort(key=lambda p: p[0])
    begins = [p[0] for p in parts]
    rows = []
    for i, (_, end, one, line, box, height) in enumerate(parts):
        for other in parts[i + 1 : bisect.bisect_right(begins, end)]:
            if abs(height - other[5]) > WITHIN_FT or one == other[2]:
                continue
            if not meos.overlaps_stbox_stbox(box, other[4]):
                continue
            within = meos.tdwithin_tgeo_tgeo(line, other[3], WITHIN_M, True, True)
            held = meos.temporal_time(within) if within else None
            for k in range(meos.spanset_num_spans(held) if held else 0):
                span = meos.spanset_span_n(held, k + 1)
                if span.upper - span.lower >= FOR_S * 1_000_000:
                    pair = sorted((one, other[2]))
                    rows.append((*pair, span.lower + EPOCH_US, span.upper + EPOCH_US))
    schema = {"track_a": pl.String, "track_b": pl.String, "start_us": pl.Int64, "end_us": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


if __name__ == "__main__":
    run(find, "pymeos numpy polars")
