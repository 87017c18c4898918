"""Out of core: Parquet datasets streamed through the stays fold, memory bounded.

The files are taken in the order of their first reports. As long as each track's reports then come
in order (files sorted by time, or by track, or a dataset of daily files of either kind) one pass
is enough and only the state of the tracks is kept. Where they do not, the reports are first
spread over temporary files by track, each small enough to be sorted in memory.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable, Iterator
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import polars as pl

from adiz.detect.index import build_index
from adiz.detect.stays import (
    DisorderError,
    StaysFold,
    StaysParams,
    heights_matter,
    order_of,
    sort_stays,
)
from adiz.errors import Fault, ReportsError
from adiz.zones.model import Zones

Progress = Callable[[int, int], None]

BATCH_ROWS = 262_144
SPILL_ROWS = 4_000_000
"""Reports in one temporary file: what is sorted in memory at a time."""

_NEEDED = ("time", "track_id", "lat_deg", "lon_deg")
_HEIGHTS = ("alt_baro_ft", "alt_geom_ft", "on_ground")


def is_parquet(paths: Any) -> bool:
    """Whether every path is a Parquet file or a folder that holds nothing but such files."""
    listed = [paths] if isinstance(paths, str | PathLike) else list(paths)
    return bool(listed) and all(_is_parquet(Path(fspath(p))) for p in listed)


def _is_parquet(path: Path) -> bool:
    if path.is_dir():
        inside = [p for p in path.rglob("*") if p.is_file() and not p.name.startswith((".", "_"))]
        return bool(inside) and all(p.suffix == ".parquet" for p in inside)
    return path.suffix == ".parquet" or any(c in str(path) for c in "*?[")


def stream_stays(
    paths: Any,
    zones: Zones,
    params: StaysParams,
    progress: Progress | None = None,
    rejected: dict[str, int] | None = None,
) -> pl.DataFrame:
    """The stays of Parquet files; see :func:`adiz.find_stays`."""
    from adiz.sources.read import scan

    wanted = [*_NEEDED, *(_HEIGHTS if heights_matter(zones) else ())]
    if params.use_type_speed:
        wanted.append("type_code")
    lazy = scan(_by_first_report(paths)).select(wanted)
    total = int(lazy.select(pl.len()).collect().item())
    if not total:
        raise ReportsError(Fault("the files hold no reports", fspath_of(paths)))
    batches = _batches(lazy)  # decoding begins now, while the zones are indexed
    index = build_index(zones)
    counts = {} if rejected is None else rejected
    try:
        fold = StaysFold(zones, params, lateness_s=None, parts=_parts(total), index=index)
        found = _run(fold, batches, total, progress, counts)
    except DisorderError:
        counts.clear()
        found = _run_sorted(lazy, total, zones, params, index, progress, counts)
    if sum(counts.values()) >= total:
        said = ", ".join(f"{count} {reason}" for reason, count in counts.items())
        raise ReportsError(Fault(f"no usable row ({said})", fspath_of(paths)))
    return sort_stays(found)


def _parts(total: int) -> int:
    """Threads that share the fold: not worth their while for little."""
    return 1 if total < 1_000_000 else min(2, os.cpu_count() or 1)


def fspath_of(paths: Any) -> str:
    """The first of one or more paths, for a message."""
    return fspath(paths if isinstance(paths, str | PathLike) else next(iter(paths)))


def _by_first_report(paths: Any) -> list[str]:
    from adiz.sources.files import find_inputs
    from adiz.sources.read import scan

    names = [str(item.path) for item in find_inputs(paths)]
    if len(names) == 1:
        return names
    first = [scan(name).select("time").head(1).collect().to_series() for name in names]
    begin = [s[0].timestamp() if len(s) and s[0] is not None else math.inf for s in first]
    return [name for _, name in sorted(zip(begin, names, strict=True))]


def _batches(lazy: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    return lazy.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True)


def _run(
    fold: StaysFold,
    batches: Iterator[pl.DataFrame],
    total: int,
    progress: Progress | None,
    rejected: dict[str, int],
) -> pl.DataFrame:
    done = 0
    for batch in batches:
        _feed(fold, batch, rejected)
        done += len(batch)
        if progress:
            progress(done, total)
    return fold.flush()


def _feed(fold: StaysFold, batch: pl.DataFrame, rejected: dict[str, int]) -> None:
    """Fold in a batch; where that left rows out, count why."""
    before = fold.counts["invalid"]
    fold.feed(batch)
    if fold.counts["invalid"] > before or any(batch[name].null_count() for name in _NEEDED):
        from adiz.sources.reports import count_rejected

        for reason, count in count_rejected(batch).items():
            rejected[reason] = rejected.get(reason, 0) + count


def _run_sorted(
    lazy: pl.LazyFrame,
    total: int,
    zones: Zones,
    params: StaysParams,
    index: Any,
    progress: Progress | None,
    rejected: dict[str, int],
) -> pl.DataFrame:
    parts = math.ceil(total / SPILL_ROWS)
    found, done = [], 0
    with tempfile.TemporaryDirectory(prefix="adiz-") as folder:
        for part in range(parts):
            Path(folder, str(part)).mkdir()
        for i, batch in enumerate(_batches(lazy)):
            keyed = batch.with_columns(part=pl.col("track_id").hash(1) % parts)
            for (part,), rows in keyed.partition_by(
                ["part"], as_dict=True, include_key=False
            ).items():
                rows.write_parquet(Path(folder, str(part), f"{i}.parquet"), compression="lz4")
            done += len(batch)
            if progress:
                progress(done // 2, total)
        for part in range(parts):
            files = sorted(Path(folder, str(part)).iterdir())
            if not files:
                continue
            rows = pl.read_parquet(files)
            fold = StaysFold(zones, params, lateness_s=None, index=index)
            _feed(fold, rows.sort(order_of(rows)), rejected)
            found.append(fold.flush())
            done += len(rows)
            if progress:
                progress(done // 2, total)
    return pl.concat(found)
