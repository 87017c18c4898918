"""MEOS through pymeos: ``tpointseq_make_coords`` and ``tgeo_at_geom``, planar, one thread.

Line-based, so nothing is missed between two reports. Where MEOS raises (rarely, a roundoff error)
its stays of that track in that zone are unknown: a row without times.
"""

import numpy as np
import polars as pl
import pymeos_cffi as meos
from _job import STAYS, legs_broken, read_in_order, read_zones, run
from pymeos_cffi.functions import _ffi

EPOCH_US = 946_684_800_000_000  # MEOS counts from the year 2000


def _pointer(values: np.ndarray) -> object:
    return _ffi.cast("void *", values.ctypes.data)


def find(reports: str, zones: str) -> pl.DataFrame:
    meos.meos_initialize("UTC")
    table = read_in_order(reports)
    lon, lat = table["lon_deg"].to_numpy().copy(), table["lat_deg"].to_numpy().copy()
    time_us = table["time"].dt.epoch("us").to_numpy() - EPOCH_US
    starts = np.flatnonzero(table.select(legs_broken()).to_series().to_numpy())
    ends = np.append(starts[1:], len(lon))
    names = table["track_id"].gather(starts).to_list()
    areas = [(zone_id, meos.geo_from_geojson(text)) for zone_id, text in read_zones(zones)]
    boxes = [meos.geo_to_stbox(area) for _, area in areas]
    rows: list[tuple[str, str, int | None, int | None]] = []
    for name, a, b in zip(names, starts, ends, strict=True):
        if b - a < 2:
            continue
        leg_line = meos.tpointseq_make_coords(
            _pointer(lon[a:b]), _pointer(lat[a:b]), _ffi.NULL, _pointer(time_us[a:b]), b - a,
            4326, False, True, True, meos.InterpolationType.LINEAR, False,
        )  # fmt: skip
        box = meos.tspatial_to_stbox(leg_line)
        for (zone_id, area), zone_box in zip(areas, boxes, strict=True):
            if not meos.overlaps_stbox_stbox(box, zone_box):
                continue
            try:
                inside = meos.tgeo_at_geom(leg_line, area)
            except meos.MeosException:
                rows.append((name, zone_id, None, None))
                continue
            if inside is not None:
                spans = meos.temporal_time(inside)
                for i in range(meos.spanset_num_spans(spans)):
                    span = meos.spanset_span_n(spans, i + 1)
                    rows.append((name, zone_id, span.lower + EPOCH_US, span.upper + EPOCH_US))
    return pl.DataFrame(rows, schema=STAYS, orient="row")


if __name__ == "__main__":
    run(find, "pymeos pymeos-cffi numpy polars")
