"""The same job side by side with its peers: run, measure, compare, write down.

    python benchmarks/run.py --quick        1e5 reports, a few seconds, peers that are installed
    python benchmarks/run.py                1e6 reports, every peer, a few minutes
    python benchmarks/run.py --full         all sizes and targets, about an hour and 9 GB of disk

Run it with the interpreter in which the product is installed. Within a job the tools take turns
(A B C A B C …), each run in a fresh process, and the median counts. Nothing heavy is imported
here: a child's peak memory, as the kernel counts it, is never less than its parent's.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import envs
import report

HERE = Path(__file__).parent
DATA = HERE / ".data"
TOOLS = {  # name: (environment, script)
    "adiz": ("adiz", "adiz_stays.py"),
    "polars scan": ("scan", "scan.py"),
    "polars streamed sum": ("scan", "scan_sum.py"),
    "shapely + numpy": ("shapely", "shapely_numpy.py"),
    "DuckDB spatial": ("duckdb", "duckdb_spatial.py"),
    "MEOS": ("meos", "meos.py"),
    "MovingPandas": ("movingpandas", "moving_pandas.py"),
    "traffic": ("traffic", "traffic_clip.py"),
}
FLOOR = ("polars scan", "polars streamed sum")
FAST = ("adiz", *FLOOR, "shapely + numpy", "DuckDB spatial", "MEOS")
SLOW_S = 30  # a run that takes longer is not repeated
STOP_S = 240


@dataclass(frozen=True)
class Run:
    """One tool on one world: ``rows`` reports in ``order`` against ``zones`` of a ``kind``."""

    tool: str
    rows: int
    zones: int
    order: str = "track"
    kind: str = "planar"
    label: str = ""

    @property
    def name(self) -> str:
        return self.label or self.tool

    @property
    def reports(self) -> Path:
        return DATA / f"{self.order}-{self.rows}"

    @property
    def zone_file(self) -> Path:
        return DATA / f"zones-{self.zones}-{self.kind}-{self.rows}.geojson"


@dataclass(frozen=True)
class Job:
    """Runs that take turns; ``rounds`` of them, the first tool's stays held against the others'."""

    name: str
    runs: tuple[Run, ...]
    rounds: int = 5


@dataclass
class Taken:
    """What one tool took in one job."""

    seconds: list[float] = field(default_factory=list)
    process_s: list[float] = field(default_factory=list)
    peak_mb: list[float] = field(default_factory=list)
    stays: int | None = None
    failed: str = ""
    against_ours: dict[str, Any] | None = None

    @property
    def median_s(self) -> float | None:
        return statistics.median(self.seconds) if self.seconds and not self.failed else None


def side_by_side(name: str, rows: int, zones: int, *tools: str, order: str = "track") -> Job:
    return Job(name, tuple(Run(tool, rows, zones, order) for tool in tools))


def scaled(*sizes: int) -> Job:
    runs = (Run("adiz", n, 203, "days", label=f"adiz {n:.0e}".replace("+0", "")) for n in sizes)
    return Job("out of core", tuple(runs))


def with_law(rows: int) -> Job:
    plain = Run("adiz", rows, 203, label="adiz, planar edges only")
    law = replace(plain, kind="law", label="adiz, geodesic edges, floors, ceilings, validity")
    return Job("law", (plain, law))


def jobs(size: str) -> list[Job]:
    """The jobs of ``quick``, ``middle`` or ``full``."""
    m = 1_000_000
    if size == "quick":
        return [replace(side_by_side("1e5 x 203", m // 10, 203, *FAST), rounds=1)]
    small = [
        side_by_side("1e5 x 3", m // 10, 3, *TOOLS),
        side_by_side("1e5 x 203", m // 10, 203, *TOOLS),
        side_by_side("1e6 x 3", m, 3, *FAST, "traffic"),
        side_by_side("1e6 x 203", m, 203, *FAST),
        side_by_side("1e6 x 203, sparse", m, 203, *FAST, order="sparse"),
    ]
    if size == "middle":
        return [*small, with_law(m), scaled(m // 10, m)]
    return [
        *small,
        side_by_side("1e7 x 3", 10 * m, 3, *FAST),
        side_by_side("1e7 x 203", 10 * m, 203, *FAST),
        side_by_side("1e7 x 203, by time", 10 * m, 203, *FAST[:5], order="time"),
        side_by_side("5e7 x 3", 50 * m, 3, *FAST[:4]),
        with_law(10 * m),
        scaled(m, 10 * m, 100 * m),
    ]


def make_worlds(todo: list[Job]) -> None:
    """Write the reports and zones that are not there yet, in a process of its own."""
    command = [sys.executable, str(HERE / "worlds.py")]
    made = {run.reports: run for job in todo for run in job.runs}
    for run in made.values():
        command += ["--reports", str(run.rows), run.order, str(run.reports)]
    for run in {run.zone_file: run for job in todo for run in job.runs}.values():
        command += ["--zones", str(run.zones), run.kind, str(run.rows), str(run.zone_file)]
    subprocess.run(command, check=True)


def warm(folder: Path) -> None:
    """Have the files in the page cache, so that the first tool does not pay for the disk."""
    for path in folder.glob("*.parquet"):
        with path.open("rb", buffering=0) as file:
            while file.read(1 << 20):
                pass


def run_command(command: list[str]) -> tuple[str, float, float, int]:
    """Standard output, wall seconds, peak megabytes and exit code of a process."""
    usual = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=usual) as process:
        watch = threading.Timer(STOP_S, process.kill)
        watch.start()
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        watch.cancel()
    return said, seconds, usage.ru_maxrss / 1024, process.returncode


def run_job(job: Job, rounds: int, versions: dict[str, str]) -> dict[str, Taken]:
    """All rounds of a job; a tool whose environment is not there is left out."""
    taken = {run.name: Taken() for run in job.runs if envs.python_of(TOOLS[run.tool][0])}
    out = DATA / "out"
    out.mkdir(exist_ok=True)
    for reports in {run.reports for run in job.runs}:
        warm(reports)
    tables = {run.name: out / f"{job.name}-{run.name}.parquet" for run in job.runs}
    for turn in range(rounds):
        for run in job.runs:
            one = taken.get(run.name)
            if one is None or one.failed or max(one.seconds, default=0) > SLOW_S:
                continue
            environment, script = TOOLS[run.tool]
            files = (run.reports, run.zone_file, tables[run.name])
            command = [envs.python_of(environment), HERE / "peers" / script, *files]
            said, process_s, peak_mb, code = run_command([str(part) for part in command])
            if code:
                one.failed = f"over {STOP_S} s" if code == -9 else f"exit code {code}"
                continue
            answer = json.loads(said.splitlines()[-1])
            versions |= answer["versions"]
            one.stays = answer.get("stays")
            one.seconds.append(answer["seconds"])
            one.process_s.append(process_s)
            one.peak_mb.append(peak_mb)
            progress = f"{job.name}  {run.name}  {answer['seconds']:.3f} s"
            print(f"[{turn + 1}/{rounds}] {progress}", file=sys.stderr, flush=True)
    first, *others = job.runs
    for run in others if taken[first.name].seconds else ():
        if run.tool not in ("adiz", *FLOOR) and run.name in taken and taken[run.name].seconds:
            tables_of = [str(tables[first.name]), str(tables[run.name])]
            command = [sys.executable, str(HERE / "compare.py"), *tables_of]
            taken[run.name].against_ours = json.loads(run_command(command)[0])
    return taken


def run_startup(rounds: int) -> dict[str, Taken]:
    """One small file from the shell against Python that imports polars, whole processes."""
    small = Run("adiz", 5_000, 3)
    make_worlds([Job("", (small,))])
    adiz = str(Path(sys.executable).parent / "adiz")
    commands = {
        "adiz stays small.parquet": [adiz, "stays", *map(str, small.reports.glob("*")),
                                     "--zones", "KADIZ"],
        "python -c 'import polars'": [sys.executable, "-c", "import polars"],
    }  # fmt: skip
    taken = {name: Taken() for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            _, seconds, peak_mb, code = run_command(command)
            taken[name].failed = f"exit code {code}" if code else ""
            taken[name].seconds.append(seconds)
            taken[name].peak_mb.append(peak_mb)
    return taken


def machine() -> dict[str, str]:
    """What the figures were taken on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.split(":")[1].strip() for line in lines if "model name" in line), "")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "processor": model or platform.processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "load before": f"{os.getloadavg()[0]:.1f}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="1e5 reports, one round")
    size.add_argument("--full", action="store_true", help="all sizes and targets")
    parser.add_argument("--only", nargs="+", default=[], help="only the jobs of these names")
    parser.add_argument("--rounds", type=int, help="rounds of each job (default 5)")
    parser.add_argument("--out", type=Path, default=HERE / "results", help="folder of the results")
    args = parser.parse_args()
    size_name = "quick" if args.quick else "full" if args.full else "middle"
    todo = [job for job in jobs(size_name) if not args.only or job.name in args.only]
    if not args.quick:
        envs.make_all()
    about, versions, results = machine(), {}, {}
    make_worlds(todo)
    for job in todo:
        results[job.name] = run_job(job, args.rounds or job.rounds, versions)
    if not args.only or "start-up" in args.only:
        results["start-up"] = run_startup(3 if args.quick else 11)
    report.write(args.out, size_name, about, versions, results)
    sys.exit(any(one.failed for taken in results.values() for one in taken.values()))


if __name__ == "__main__":
    main()
