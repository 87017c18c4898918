"""How much a watch carries: aircraft at 1 Hz over many zones, beside bare decoding of the feed.

    python benchmarks/live.py --aircraft 20000 --zones 200 --minutes 10
    python benchmarks/live.py --feed basestation --minutes 10
    python benchmarks/live.py --minutes 5 --kill # how long it takes to go on
    python benchmarks/live.py --ramp             # the highest rate that is held, within 15 %

A server of its own (another process, on the other cores) gives all aircraft once a second: as an
`aircraft.json` that is polled, all of them at once, or as BaseStation lines over TCP, spread over
the second. `adiz watch` is pinned to one core, without reorder delay. Told are: how long reports
waited for their events to be stored (median, 99 %, most; the first ten seconds, in which every
aircraft is new, are left out), memory every 30 s, and processor time.

Of a polled document the wait begins when all of it has arrived. Of lines it begins, for each
report, when the server made it.

`--kill` ends the watch with ``kill -9`` after so many minutes and times how long a new process
takes to where it takes in what is new, five times.

`--ramp` looks for the highest rate between one that is held and one that is not, 20 s each after
what it takes to begin. Held is a rate of which half is stored within a second and 95 % of what was
to be sent is worked in, or less where the watch has a fifth of its core left: then the server could
not make more. Encounters look back on four minutes; what they cost then is not in it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count as counting
from pathlib import Path
from statistics import median

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.live_feed import SLICES, Lines, documents
from benchmarks.worlds import make_zones

WARM_S = 10.0
RUNG_S, RUNG_WARM_S = 20.0, 15.0
BEGIN_S = 3e-4  # an aircraft that is new takes so long, until the watch has caught up
RAMP_S = 540.0
STARTS = 5
START = """
import json, sys
from adiz.run.live.config import read_config
from adiz.run.live.loop import Watch
watch = Watch(read_config(sys.argv[1]))
told = {"of_it_restart_s": round(watch.figures.restart_s, 2),
        "tracks": watch.engine.tally()["tracks"],
        "records": watch.figures.records, "reports": watch.figures.reports,
        "state_mb": round(watch.states.size_bytes(watch._state_names[-1]) / 1e6, 1)}
print(json.dumps(told), flush=True)
sys.stdin.read()
"""
CONFIG = """
[watch]
zones = "zones.geojson"
lateness_s = 0
checkpoint_s = {checkpoint_s}

[[feeds]]
name = "feed"
"""
FEEDS = {
    "aircraft": """kind = "aircraft"
url = "http://127.0.0.1:{port}/"
every_s = 1.0
most_mb = 256
timeout_s = 30
""",
    "basestation": """kind = "basestation"
host = "127.0.0.1"
port = {port}
""",
}


class Measure:
    """What a watch that runs is measured by."""

    def __init__(self, watch, kind: str, warm_s: float) -> None:
        self.watch, self.by_report = watch, kind == "basestation"
        self.waits: list[np.ndarray] = []
        self.slowest: list[tuple[float, float, bool]] = []
        self.memory_mb: list[int] = []
        self.began_s = time.monotonic()
        self.warm_s, self.warm_reports, self.warm_cpu_s = warm_s, 0, 0.0
        self._commit = watch._commit
        watch._commit = self._committed

    def _committed(self, out) -> None:
        self._commit(out)
        now_s = time.time()
        if out.reports.is_empty() or self.seconds < self.warm_s:
            return
        if self.by_report:
            waits = now_s - out.reports["time"].dt.epoch("us").to_numpy() / 1e6
        else:
            waits = np.full(len(out.reports), now_s - self.watch.arrived_us / 1e6)
        self.waits.append(waits.astype(np.float32))
        self.slowest.append((round(1e3 * float(waits.max())), round(self.seconds, 1),
                             self.watch.states.is_writing))  # fmt: skip

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began_s

    def look(self, seconds: float) -> None:
        """In a thread: memory every 30 s, and the end."""
        warm = False
        while self.seconds < seconds:
            time.sleep(0.2)
            if self.seconds >= 30 * (len(self.memory_mb) + 1):
                pages = int(Path("/proc/self/statm").read_text().split()[1])
                self.memory_mb.append(round(pages * resource.getpagesize() / 1e6))
            if not warm and self.seconds >= self.warm_s:
                warm, self.warm_s = True, self.seconds
                self.warm_reports, self.warm_cpu_s = self.watch.figures.reports, time.process_time()
        self.reports = self.watch.figures.reports - self.warm_reports
        self.cpu_s = time.process_time() - self.warm_cpu_s
        self.end_s = self.seconds
        self.watch.stop()

    def figures(self) -> dict[str, object]:
        """All of it, once the watch has ended."""
        waits = np.concatenate([*self.waits, np.zeros(1, np.float32)])
        span, figures = self.end_s - self.warm_s, self.watch.figures
        children = os.times()
        return {
            "seconds": round(self.end_s, 1),
            "reports": figures.reports,
            "events": figures.events,
            "reports_per_s": round(self.reports / span),
            "cpu_share": round(self.cpu_s / span, 3),
            "cpu_share_states": round(
                (children.children_user + children.children_system) / self.end_s, 3
            ),
            "wait_median_ms": round(1e3 * float(np.median(waits))),
            "wait_p99_ms": round(1e3 * float(np.quantile(waits, 0.99))),
            "wait_most_ms": round(1e3 * float(waits.max())),
            "slowest_ms_at_s_state_being_written": sorted(self.slowest, reverse=True)[:8],
            "memory_mb_every_30_s": self.memory_mb,
            "state_mb": round(figures.state_bytes / 1e6, 1),
            "checkpoints": figures.checkpoints,
            "late": self.watch.engine.tally()["late"],
        }


def run_watch(folder: Path, kind: str, seconds: float, warm_s: float) -> dict[str, object]:
    """The watch's process: runs for so long, and tells how it did."""
    os.environ["POLARS_MAX_THREADS"] = "1"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    from adiz.run.live.config import read_config
    from adiz.run.live.loop import Watch

    class Timed(Watch):
        arrived_us = 0

        def _step(self, record, arrived_us=None):
            self.arrived_us = arrived_us or record.received_us
            super()._step(record, arrived_us)

    watch = Timed(read_config(folder / "watch.toml"))
    measure = Measure(watch, kind, warm_s)
    thread = threading.Thread(target=measure.look, args=(seconds,))
    thread.start()
    watch.run()
    thread.join()
    return measure.figures()


def decode_s(kind: str, count: int) -> float:
    """Processor time to decode one second of the feed, and nothing else: median of nine."""
    from adiz.sources.feeds.aircraft import Snapshots
    from adiz.sources.feeds.basestation import BaseStation
    from adiz.sources.feeds.model import make_batch

    lines, made = Lines(count), documents(count, counting(1.7e9))  # type: ignore[arg-type]
    decoder, snapshots = BaseStation("UTC"), Snapshots()

    def pieces() -> Iterator[list[tuple[bytes, int]]]:  # of a tenth of a second, as it gathers them
        for n in range(SLICES // 2):
            yield [(lines.next(1.7e9 + n / 10 + half / 20), 0) for half in range(2)]

    times = []
    for _ in range(9):
        given = list(pieces()) if kind == "basestation" else [next(made)]
        began_s, reports = time.process_time(), 0
        for part in given:
            frame = snapshots.step(part) if isinstance(part, bytes) else decoder.step(part)
            reports += make_batch(frame, "feed", 0).reports.height
        times.append(time.process_time() - began_s)
        assert reports == count
    return median(times)


@contextmanager
def served(kind: str, aircraft: int, zones: int, checkpoint_s: float) -> Iterator[Path]:
    """A feed that runs, and the folder of a watch of it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "zones.geojson").write_text(json.dumps(make_zones(zones, False, 1)))
        feed = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("live_feed.py"), kind, str(aircraft)],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert feed.stdout
            port = int(feed.stdout.readline())
            text = CONFIG.format(checkpoint_s=checkpoint_s) + FEEDS[kind].format(port=port)
            (folder / "watch.toml").write_text(text)
            yield folder
        finally:
            feed.kill()
            feed.wait()


def command(folder: Path, kind: str, seconds: float, warm_s: float) -> list[str]:
    """What runs the watch."""
    return [sys.executable, __file__, "--watch", str(folder), "--feed", kind,
            "--seconds", str(seconds), "--warm-s", str(warm_s)]  # fmt: skip


def one(
    kind: str, aircraft: int, zones: int, seconds: float, warm_s: float, checkpoint_s: float
) -> dict[str, object]:
    """One run of feed and watch."""
    with served(kind, aircraft, zones, checkpoint_s) as folder:
        watch = subprocess.run(
            command(folder, kind, seconds, warm_s), stdout=subprocess.PIPE, text=True, check=True
        )
        return {"aircraft": aircraft, "zones": zones, **json.loads(watch.stdout)}


def kill(args: argparse.Namespace) -> dict[str, object]:
    """A watch killed after so many minutes, and how long new ones take to go on, killed as well."""
    with served(args.feed, args.aircraft, args.zones, args.checkpoint_s) as folder:
        watch = subprocess.Popen(command(folder, args.feed, 1e9, WARM_S))
        time.sleep(60 * args.minutes)
        watch.kill()
        watch.wait()
        starts = []
        for _ in range(STARTS):
            began_s = time.monotonic()
            with subprocess.Popen(
                [sys.executable, "-c", START, str(folder / "watch.toml")],
                stdout=subprocess.PIPE, text=True,
            ) as again:  # fmt: skip
                assert again.stdout
                told = json.loads(again.stdout.readline())
                starts.append({"start_s": round(time.monotonic() - began_s, 2), **told})
                again.kill()
        return {"aircraft": args.aircraft, "zones": args.zones, "killed_after_s": 60 * args.minutes,
                "starts": starts}  # fmt: skip


def ramp(args: argparse.Namespace) -> list[dict[str, object]]:
    """Runs at different rates, the last held and the first not held 15 % apart."""
    rate, held, missed, runs = args.aircraft, 0, 0, []
    began_s = time.monotonic()
    while time.monotonic() - began_s < RAMP_S and not (missed and missed <= 1.15 * held):
        warm_s = RUNG_WARM_S + BEGIN_S * rate
        run = one(args.feed, rate, args.zones, warm_s + RUNG_S, warm_s, args.checkpoint_s)
        idle = run["cpu_share"] + run["cpu_share_states"] < 0.8  # then the server is late, not it
        all_of_it = run["reports_per_s"] >= 0.95 * rate
        run["held"] = run["wait_median_ms"] < 1000 and (all_of_it or idle)
        print(json.dumps(run), flush=True)
        runs.append(run)
        held, missed = (rate, missed) if run["held"] else (held, rate)
        between = round((held * missed) ** 0.5 / 100) * 100
        rate = between or 2 * held or missed // 2
    return runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--feed", choices=sorted(FEEDS), default="aircraft")
    parser.add_argument("--aircraft", type=int, default=20_000)
    parser.add_argument("--zones", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--checkpoint-s", type=float, default=10.0)
    parser.add_argument("--ramp", action="store_true")
    parser.add_argument("--kill", action="store_true", help="then kill it, and time a new start")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--watch", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--warm-s", type=float, default=WARM_S, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.watch:
        print(json.dumps(run_watch(args.watch, args.feed, args.seconds, args.warm_s)))
        return
    told: dict[str, object] = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "cores": os.cpu_count(),
                               "feed": args.feed}  # fmt: skip
    told["decode_s_per_s"] = bare_s = round(decode_s(args.feed, args.aircraft), 4)
    told["decoded_alone_per_s"] = round(args.aircraft / bare_s)
    if args.kill:
        told.update(kill(args))
    elif args.ramp:
        told["runs"] = runs = ramp(args)
        told["held_per_s"] = best = max([r["reports_per_s"] for r in runs if r["held"]], default=0)
        told["held_of_decoded_alone"] = round(best * bare_s / args.aircraft, 3)
    else:
        told["runs"] = [one(args.feed, args.aircraft, args.zones, 60 * args.minutes, WARM_S,
                            args.checkpoint_s)]  # fmt: skip
    if args.out:
        args.out.write_text(json.dumps(told, indent=1) + "\n")
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
