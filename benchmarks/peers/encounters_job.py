"""What the peers of encounters share: Parquet files in time order in, pairs and times out."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import polars as pl

WITHIN_M, WITHIN_FT, FOR_S, MAX_GAP_S = 5 * 1852.0, 2000.0, 300, 120


def peak_mb() -> float:
    """Of this program alone: ``ru_maxrss`` begins with what the one that started it had."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def run(find: Callable[[str], pl.DataFrame], packages: str) -> None:
    """Time one job (from after the imports to the finished table) and print what came of it."""
    reports, out = sys.argv[1:3]
    start, start_cpu = time.perf_counter(), time.process_time()
    table = find(reports)
    seconds, cpu_s = time.perf_counter() - start, time.process_time() - start_cpu
    table.write_parquet(out)
    said = {
        "seconds": seconds,
        "cpu_s": cpu_s,
        "peak_mb": peak_mb(),
        "encounters": table.height,
        "versions": {name: version(name) for name in packages.split()},
    }
    print(json.dumps(said))
