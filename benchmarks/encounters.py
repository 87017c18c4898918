"""Encounters side by side with peers: cKDTree by bins of time, traffic, MEOS.

    python benchmarks/encounters.py                    all sizes and the growth, about 35 minutes
    python benchmarks/encounters.py --sizes 10000000 --only adiz cKDTree    a quick look, 3 minutes
    python benchmarks/encounters.py --sizes --growth   1e6 to 1e8 reports (2.3 GB), about 5 minutes

Sizes and tools that are not run stay as they were. Run with the interpreter in which the product is
installed. Tools take turns, each run in a fresh process; the medians count. Writes
``benchmarks/results/encounters.md`` and ``.json``.
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
from encounters_world import in_the_air, make

HERE = Path(__file__).parent
TOOLS = {  # name: (environment, script, most reports)
    "adiz": ("adiz", "encounters_adiz.py", 10**9),
    "cKDTree, last report in 5 s": ("scipy", "encounters_ckdtree.py", 10**7),
    "cKDTree, interpolated to 1 s": ("scipy", "encounters_ckdtree_1s.py", 10**7),
    "MEOS (pymeos)": ("meos", "encounters_meos.py", 10**7),
    "traffic": ("traffic", "encounters_traffic.py", 10**6),
}
STOP_S = 600  # and larger sizes are not tried then
SIZES = [50_000, 200_000, 10**6, 10**7]
SLOW_S = 60  # a run that takes longer is not repeated


def run_once(tool: str, reports: Path) -> dict[str, Any]:
    env, script, _ = TOOLS[tool]
    out = HERE / ".data" / "encounters-out.parquet"
    command = [str(envs.python_of(env)), str(HERE / "peers" / script), str(reports), str(out)]
    for path in reports.glob("*.parquet"):  # no tool pays for the disk, whatever ran before it
        path.read_bytes()
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


def measure(rows: int, rounds: int, only: list[str], beaten: set[str]) -> dict[str, Any]:
    """One size; tools that did not finish a smaller one, or do not now, are added to .beaten."""
    reports = make(rows, HERE / ".data")
    tools = [t for t, (env, _, most) in TOOLS.items() if rows <= most and envs.python_of(env)]
    tools = [t for t in tools if not only or t == "adiz" or any(o in t for o in only)]
    stopped = {"failed": f"over {STOP_S} s at a smaller size"}
    result: dict[str, Any] = {t: stopped for t in tools if t in beaten}
    tools = [t for t in tools if t not in beaten]
    runs: dict[str, list[dict[str, Any]]] = {tool: [] for tool in tools}
    for _ in range(rounds):
        for tool in tools:
            before = runs[tool]
            if before and ("failed" in before[0] or before[0]["seconds"] > SLOW_S):
                continue
            before.append(run_once(tool, reports))
            shown = {k: v for k, v in before[-1].items() if k != "table"}
            print(f"{rows:>10,} {tool}: {shown}", file=sys.stderr, flush=True)
    ours = runs["adiz"][0]["table"]
    for tool, taken in runs.items():
        if "failed" in taken[0]:
            result[tool] = taken[0]
            beaten.add(tool)
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


def growth(rounds: int) -> dict[str, Any]:
    """``find_encounters`` on worlds that go on for longer and longer, none of it repeated."""
    points = {}
    for size in (10**6, 10**7, 10**8):
        runs = [run_once("adiz", make(size, HERE / ".data")) for _ in range(rounds)]
        points[size] = {k: statistics.median(r[k] for r in runs) for k in ("seconds", "cpu_s")}
        points[size]["peak_mb"] = max(r["peak_mb"] for r in runs)
        points[size]["encounters"] = runs[0]["encounters"]
        print(f"{size:>11,} adiz: {points[size]}", file=sys.stderr, flush=True)
    logs = [(math.log(size), math.log(p["cpu_s"])) for size, p in points.items()]
    mx, my = (statistics.mean(v) for v in zip(*logs, strict=True))
    slope = sum((x - mx) * (y - my) for x, y in logs) / sum((x - mx) ** 2 for x, _ in logs)
    return {"points": points, "exponent": round(slope, 3), "machine": machine()}


def machine() -> str:
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, load average {os.getloadavg()[2]:.1f}"
    )


def write(said: dict[str, Any]) -> None:
    (HERE / "results" / "encounters.json").write_text(json.dumps(said, indent=1) + "\n")
    lines = [
        "# Encounters",
        "",
        "Made by `python benchmarks/encounters.py`. Where the load average is above 1 the machine",
        "was shared with other work: compare CPU seconds there. What has fewer runs than the rest",
        "took long or was run apart.",
        "",
    ]
    for rows, tools in said["sizes"].items():
        adiz = tools["adiz"]
        lines += [
            f"## {int(rows):,} reports, {in_the_air(int(rows)):,} aircraft at a time",
            "",
            said["machines"].get(rows, "") + ".",
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
        lines += ["## Growth", "", grown["machine"] + ".", ""]
        lines += ["| reports | seconds | CPU s | peak MB | encounters |", "|---|---|---|---|---|"]
        lines += [
            f"| {int(size):,} | {p['seconds']:.2f} | {p['cpu_s']:.2f} | {p['peak_mb']:,.0f} | "
            f"{p['encounters']:,} |"
            for size, p in grown["points"].items()
        ]
        lines += ["", f"Exponent of the CPU seconds: {grown['exponent']}."]
    (HERE / "results" / "encounters.md").write_text("\n".join(lines).rstrip() + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--only", nargs="*", default=[], help="tools whose name has one of these")
    parser.add_argument("--growth", action="store_true", help="also without --sizes")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    (HERE / "results").mkdir(exist_ok=True)
    kept = HERE / "results" / "encounters.json"
    said = json.loads(kept.read_text()) if kept.exists() else {"sizes": {}, "machines": {}}
    envs.make_all({env for env, _, _ in TOOLS.values()} - {"adiz"})
    beaten: set[str] = set()
    for rows in sorted(args.sizes):
        measured = measure(rows, args.rounds, args.only, beaten)
        before = said["sizes"].get(str(rows), {}) if args.only else {}
        said["sizes"][str(rows)] = {**before, **measured}
        said["sizes"] = dict(sorted(said["sizes"].items(), key=lambda item: int(item[0])))
        said["machines"][str(rows)] = machine()
        write(said)
    if args.growth or args.sizes == SIZES:
        said["growth"] = json.loads(json.dumps(growth(args.rounds)))
        write(said)


if __name__ == "__main__":
    main()
