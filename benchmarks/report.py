"""Write what was measured: ``results.json``, ``results.md`` and, with matplotlib, ``speed.svg``."""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import envs

if TYPE_CHECKING:
    from run import Taken

Results = dict[str, "dict[str, Taken]"]
HEAD = "| tool | seconds | spread | runs | whole process s | peak MB | stays | × scan | adiz is |"
NOTE = """\
Seconds are the median of the runs, from after the imports to the finished table of stays; spread
is the fastest and the slowest; the whole process has the interpreter's start and the imports too.
"× scan" compares with the bare polars scan of the same columns into memory, "adiz is" says how
many times the tool's seconds adiz's are, in the same job. Columns read: time, track_id, lat_deg,
lon_deg (and alt_baro_ft where zones have floors). Parquet with Snappy, as most tools write it.
A tool that takes over 30 s is run once; over 240 s it is stopped and shown only at smaller sizes.
"""


def _median(results: Results, job: str, tool: str) -> float:
    taken = results.get(job, {}).get(tool)
    return math.nan if taken is None or taken.median_s is None else taken.median_s


def exponent(taken: dict[str, Taken]) -> float:
    """The slope of log seconds over log reports, by least squares; names end in the size."""
    points = [
        (math.log(float(name.split()[-1])), math.log(one.median_s))
        for name, one in taken.items()
        if one.median_s
    ]
    if len(points) < 2:
        return math.nan
    mean_x, mean_y = (sum(axis) / len(points) for axis in zip(*points, strict=True))
    over = sum((x - mean_x) * (y - mean_y) for x, y in points)
    return over / sum((x - mean_x) ** 2 for x, _ in points)


def targets(results: Results) -> Iterator[tuple[str, str, float, bool]]:
    """What is aimed at: what, the bound, what was measured, whether it holds."""

    def ratio(job: str, over: str, under: str = "adiz") -> float:
        return _median(results, job, over) / _median(results, job, under)

    scan, shapely = "polars scan", "shapely + numpy"
    law = "adiz, geodesic edges, floors, ceilings, validity"
    out_of_core = results.get("out of core", {})
    peak = max((max(t.peak_mb, default=math.nan) for t in out_of_core.values()), default=math.nan)
    shell, python = "adiz stays small.parquet", "python -c 'import polars'"
    rows = [
        ("1e7 x 203: times faster than shapely", ">=", 20, ratio("1e7 x 203", shapely)),
        ("1e7 x 203: times the scan", "<=", 2.5, ratio("1e7 x 203", "adiz", scan)),
        ("1e7 x 203 by time: times the scan", "<=", 4, ratio("1e7 x 203, by time", "adiz", scan)),
        ("5e7 x 3: times faster than shapely", ">=", 5, ratio("5e7 x 3", shapely)),
        ("5e7 x 3: times the scan", "<=", 1.7, ratio("5e7 x 3", "adiz", scan)),
        ("law switched on: times without", "<=", 1.5, ratio("law", law, "adiz, planar edges only")),
        ("1e6 x 203: times faster than MEOS", ">=", 50, ratio("1e6 x 203", "MEOS")),
        ("out of core: exponent", "<=", 1.05, exponent(out_of_core)),
        ("out of core: peak MB", "<=", 2000, peak),
        ("start-up: times python with polars", "<=", 1.2, ratio("start-up", shell, python)),
    ]
    for what, sign, bound, got in rows:
        if not math.isnan(got):
            yield what, f"{sign} {bound:g}", got, got >= bound if sign == ">=" else got <= bound


def _job_rows(taken: dict[str, Taken]) -> Iterator[str]:
    ours = taken["adiz"].median_s if "adiz" in taken else None
    scan = taken["polars scan"].median_s if "polars scan" in taken else None
    for name, one in taken.items():
        if one.failed or not one.median_s:
            yield f"| {name} | {one.failed or 'not run'} |" + " |" * 7
            continue
        cells = [
            name,
            f"{one.median_s:.3f}",
            f"{min(one.seconds):.3f} to {max(one.seconds):.3f}",
            str(len(one.seconds)),
            f"{sorted(one.process_s)[len(one.process_s) // 2]:.2f}" if one.process_s else "",
            f"{max(one.peak_mb):.0f}",
            "" if one.stays is None else str(one.stays),
            f"{one.median_s / scan:.2f}" if scan else "",
            f"{one.median_s / ours:.1f} × faster" if ours and one.against_ours else "",
        ]
        yield f"| {' | '.join(cells)} |"


def _differences(results: Results) -> Iterator[str]:
    for job, taken in results.items():
        for name, one in taken.items():
            if (d := one.against_ours) is not None:
                cells = [job, name, d["one_to_one"], d["they_miss"], d["of_those_within_a_leg"],
                         d["we_miss"], d["failed_pairs"], f"{d['median_off_s'] or 0:.6f}",
                         f"{d['max_off_s'] or 0:.3f}", d["over_0.1_s"]]  # fmt: skip
                yield f"| {' | '.join(map(str, cells))} |"


def markdown(size: str, about: dict[str, str], versions: dict[str, str], results: Results) -> str:
    """The whole page."""
    page = ["# Benchmarks", "", f"Size: {size}. " + ", ".join(f"{k} {v}" for k, v in about.items())]
    page += ["", "Versions: " + ", ".join(f"{k} {v}" for k, v in sorted(versions.items())), ""]
    page += [NOTE]
    if aims := list(targets(results)):
        page += ["## Targets", "", "| what | target | measured | met |", "|---|---|---|---|"]
        page += [f"| {a} | {b} | {c:.2f} | {'yes' if ok else 'no'} |" for a, b, c, ok in aims]
        page += [""]
    for job, taken in results.items():
        page += [f"## {job}", "", HEAD, "|---|" + "---:|" * 8, *_job_rows(taken), ""]
    if rows := list(_differences(results)):
        page += ["## The same stays?", "", "Each peer's stays against adiz's observed stays.", ""]
        page += ["| job | peer | one to one | peer misses | of those within one leg | adiz misses "
                 "| raised | median s apart | most s apart | over 0.1 s |"]  # fmt: skip
        page += ["|---|---|" + "---:|" * 8, *rows, ""]
    return "\n".join(page)


def write(
    folder: Path, size: str, about: dict[str, str], versions: dict[str, str], results: Results
) -> None:
    """Write the results into a folder and print the page."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = {job: {k: asdict(t) for k, t in taken.items()} for job, taken in results.items()}
    file = folder / "results.json"
    document = {"size": size, "machine": about, "versions": versions, "jobs": plain}
    file.write_text(json.dumps(document, indent=1) + "\n")
    page = markdown(size, about, versions, results)
    (folder / "results.md").write_text(page)
    print(page)
    if python := envs.python_of("plot"):
        plot = Path(__file__).parent / "plot.py"
        subprocess.run([python, plot, file, folder / "speed.svg"], check=True)
