"""Encounters side by side with peers: cKDTree by bins of time, traffic, MEOS.

    python benchmarks/encounters.py                    2e5, 1e6 and 1e7 reports, about half an hour
    python benchmarks/encounters.py --sizes 1000000    one size; the others stay as they were
    python benchmarks/encounters.py --growth           the fold alone, from 1e6 to 1e8 reports

Run with the interpreter in which the product is installed. Tools take turns, each run in a fresh
process; the medians count. Writes ``benchmarks/results/encounters.md`` and ``.json``.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

import envs
from encounters_world import make

HERE = Path(__file__).parent
TOOLS = {  # name: (environment, script, most reports)
    "adiz": ("adiz", "encounters_adiz.py", 10**9),
    "cKDTree, last report in 5 s": ("scipy", "encounters_ckdtree.py", 10**7),
    "cKDTree, interpolated to 1 s": ("scipy", "encounters_ckdtree_1s.py", 10**6),
    "MEOS (pymeos)": ("meos", "encounters_meos.py", 10**6),
    "traffic": ("traffic", "encounters_traffic.py", 2 * 10**5),
}
STOP_S = 600
SLOW_S = 60  # a run that takes longer is not repeated


def run_once(tool: str, reports: Path) -> dict[str, Any]:
    env, script, _ = TOOLS[tool]
    out = HERE / ".data" / "encounters-out.parquet"
    command = [str(envs.python_of(env)), str(HERE / "peers" / script), str(reports), str(out)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=STOP_S, check=False)
    except subprocess.TimeoutExpired:
        return {"failed": f"over {STOP_S} s"}
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1][:200]}
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    said["table"] = pl.read_parquet(out).select("track_a", "track_b", "start_us", "end_us")
    return said


def compare(ours: pl.DataFrame, theirs: pl.DataFrame) -> str:
    """How many of ours the peer has (same pair, overlapping), and how far its ends are off."""
    ours = ours.with_row_index("k")
    both = ours.join(theirs, on=["track_a", "track_b"], suffix="_b").filter(
        (pl.col("start_us") < pl.col("end_us_b")) & (pl.col("start_us_b") < pl.col("end_us"))
    )
    if both.is_empty():
        return f"0 of {ours.height}"
    off = both.select(
        pl.concat_list(
            (pl.col("start_us") - pl.col("start_us_b")).abs(),
            (pl.col("end_us") - pl.col("end_us_b")).abs(),
        )
        .explode(empty_as_null=True)
        .quantile(0.5)
        / 1e6
    ).item()
    return f"{both['k'].n_unique()} of {ours.height}, ends off by {off:.1f} s (median)"


def measure(rows: int, rounds: int) -> dict[str, Any]:
    reports = make(rows, HERE / ".data")
    tools = [t for t, (env, _, most) in TOOLS.items() if rows <= most and envs.python_of(env)]
    runs: dict[str, list[dict[str, Any]]] = {tool: [] for tool in tools}
    for _ in range(rounds):
        for tool in tools:
            before = runs[tool]
            if before and ("failed" in before[0] or before[0]["seconds"] > SLOW_S):
                continue
            before.append(run_once(tool, reports))
            shown = {k: v for k, v in before[-1].items() if k != "table"}
            print(f"{rows:>10,} {tool}: {shown}", file=sys.stderr, flush=True)
    result: dict[str, Any] = {}
    ours = runs["adiz"][0]["table"]
    for tool, taken in runs.items():
        if "failed" in taken[0]:
            result[tool] = taken[0]
            continue
        result[tool] = {
            "seconds": statistics.median(r["seconds"] for r in taken),
            "cpu_s": statistics.median(r["cpu_s"] for r in taken),
            "peak_mb": max(r["peak_mb"] for r in taken),
            "runs": len(taken),
            "encounters": taken[0]["encounters"],
            "finds": compare(ours, taken[0]["table"]),
            "versions": taken[0]["versions"],
        }
    return result


def growth() -> dict[str, Any]:
    """CPU seconds of the fold alone: the world of 1e7 reports again and again, a day later."""
    import time
    from datetime import timedelta

    from adiz.detect.encounters import EncountersFold
    from adiz.run.together import slices_of

    parts = list(slices_of([make(10**7, HERE / ".data")]))
    fold, rows, used, points = EncountersFold(lateness_s=0.0), 0, 0.0, {}
    most = 0
    for day in range(10):
        for part in parts:
            later = part.with_columns(pl.col("time") + timedelta(days=day))
            start = time.process_time()
            fold.step(later)
            used += time.process_time() - start
            most = max(most, fold.held[0])
            before, rows = rows, rows + part.height
            for size in (10**6, 10**7, 10**8):
                if before < size <= rows:
                    points[size] = used
    mx, my = (statistics.mean(map(math.log, v)) for v in (points, points.values()))
    slope = sum((math.log(x) - mx) * (math.log(y) - my) for x, y in points.items()) / sum(
        (math.log(x) - mx) ** 2 for x in points
    )
    return {"cpu_s": {f"{k:.0e}": round(v, 2) for k, v in points.items()},
            "exponent": round(slope, 3), "most_reports_held": most}  # fmt: skip


def write(said: dict[str, Any]) -> None:
    (HERE / "results" / "encounters.json").write_text(json.dumps(said, indent=1) + "\n")
    lines = [f"# Encounters, {said['date']}", "", said["machine"] + ".", ""]
    for rows, tools in said["sizes"].items():
        adiz = tools["adiz"]
        lines += [
            f"## {int(rows):,} reports",
            "",
            "| tool | seconds | CPU s | adiz is | by CPU | peak MB | runs | finds |",
            "|---|---|---|---|---|---|---|---|",
        ]
        for tool, r in tools.items():
            if "failed" in r:
                lines.append(f"| {tool} | {r['failed']} | | | | | | |")
                continue
            lines.append(
                f"| {tool} | {r['seconds']:.2f} | {r['cpu_s']:.2f} | "
                f"{r['seconds'] / adiz['seconds']:.1f}× | {r['cpu_s'] / adiz['cpu_s']:.1f}× | "
                f"{r['peak_mb']:,.0f} | {r['runs']} | {r['finds']} |"
            )
        lines.append("")
    if grown := said.get("growth"):
        used = ", ".join(f"{v} s at {k}" for k, v in grown["cpu_s"].items())
        lines.append(
            f"The fold alone (CPU): {used} reports, exponent {grown['exponent']}; at most "
            f"{grown['most_reports_held']:,} reports held at a time."
        )
    (HERE / "results" / "encounters.md").write_text("\n".join(lines).rstrip() + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="*", default=[200_000, 10**6, 10**7])
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    (HERE / "results").mkdir(exist_ok=True)
    kept = HERE / "results" / "encounters.json"
    said = json.loads(kept.read_text()) if kept.exists() else {"sizes": {}}
    said["date"] = f"{datetime.now(UTC):%Y-%m-%d}"
    said["machine"] = (
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"load average {os.getloadavg()[2]:.1f} (shared with other work: compare CPU seconds)"
    )
    if args.growth:
        said["growth"] = growth()
        write(said)
        return
    envs.make_all()
    for rows in args.sizes:
        said["sizes"][str(rows)] = measure(rows, args.rounds)
        write(said)


if __name__ == "__main__":
    main()
