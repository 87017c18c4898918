"""How long the watch takes to go on after a kill, with as many tracks as a region has.

So many aircraft report once a second; the watch has a checkpoint, and behind it the longest journal
there can be by the default settings (``checkpoint_s`` of reports). Timed is a new process from its
start to where it takes in what is new.

    python tools/time_restart.py --tracks 20000
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import kill_parts as parts
import numpy as np
import polars as pl

from adiz.run.live.config import read_config
from adiz.run.live.journal import Journal
from adiz.run.live.loop import Watch
from adiz.schema import REPORTS, polars_schema

EVERY_S = 10
START_US = 1_790_000_000_000_000
SCHEMA = polars_schema(REPORTS)
SCRIPT = """
import sys
from adiz.run.live.config import read_config
from adiz.run.live.loop import Watch
watch = Watch(read_config(sys.argv[1]))
print(watch.figures.restart_s, watch.figures.records, watch.figures.reports, flush=True)
sys.stdin.read()
"""


def second(tracks: int, number: int) -> pl.DataFrame:
    """One second of reports: aircraft all over the Sea of Japan and Korea, each on its way."""
    chance = np.random.default_rng(5)
    lat, lon = chance.uniform(30, 42, tracks), chance.uniform(122, 136, tracks)
    course, speed_kt = chance.uniform(0, 2 * np.pi, tracks), chance.uniform(250, 500, tracks)
    moved_deg = speed_kt / 3600 * number / 60
    names = [f"{0x710000 + i:06x}" for i in range(tracks)]
    frame = pl.DataFrame(
        {
            "time": START_US + number * 1_000_000 + chance.integers(0, 1_000_000, tracks),
            "track_id": names,
            "lat_deg": lat + moved_deg * np.cos(course),
            "lon_deg": lon + moved_deg * np.sin(course) / np.cos(np.radians(lat)),
            "alt_baro_ft": chance.integers(50, 400, tracks) * 100.0,
            "gs_kt": speed_kt,
            "track_true_deg": np.degrees(course),
            "icao24": names,
            "source": ["roof"] * tracks,
        }
    )
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in SCHEMA.items()
    )


def journal(config: Path, tracks: int, seconds: range, least_seq: int) -> None:
    """Journal so many seconds, in five batches a second."""
    kept = Journal(config.parent / "journal", least_seq=least_seq)
    for number in seconds:
        reports = second(tracks, number).sort("time")
        for i, part in enumerate(reports.iter_slices(-(-tracks // 5))):
            at_us = START_US + number * 1_000_000 + (i + 1) * 200_000
            kept.append("reports", "roof", at_us, part)
    kept.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tracks", type=int, default=20_000)
    parser.add_argument("--before", type=int, default=270, help="seconds before the checkpoint")
    parser.add_argument("--after", type=int, default=10, help="seconds journaled after it")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="adiz-restart-") as folder:
        config = parts.write_config(Path(folder, "run"), parts.tcp_feed(9), "watch.db")
        config.write_text(config.read_text().replace("max_mb = 8", "max_mb = 4000"))
        last = 0
        for first in range(0, args.before, EVERY_S):  # a state and its part each
            until = min(first + EVERY_S, args.before)
            journal(config, args.tracks, range(first, until), last + 1)
            watch = Watch(read_config(config))
            watch.stop()
            watch.run()
            last = watch.journal.last_seq
        state_bytes = watch.figures.state_bytes
        journal(config, args.tracks, range(args.before, args.before + args.after), last + 1)
        whole, inside, busy = [], [], []
        cached = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": f"{folder}/compiled"}
        for _ in range(6):
            began_s, used = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
            with subprocess.Popen(
                [sys.executable, "-c", SCRIPT, str(config)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ | cached,
            ) as process:
                assert process.stdout is not None
                told = process.stdout.readline().split()
                whole.append(time.monotonic() - began_s)
                process.kill()
            inside.append(float(told[0]))
            now = resource.getrusage(resource.RUSAGE_CHILDREN)
            busy.append(now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime)
        del whole[0], inside[0], busy[0]  # it compiled the modules
        print(
            f"{args.tracks:,} tracks, state {state_bytes / 1e6:.1f} MB, {told[1]} records with "
            f"{int(told[2]):,} reports behind the checkpoint: restart "
            f"{statistics.median(whole):.2f} s from the start of the process "
            f"(from {min(whole):.2f} to {max(whole):.2f}), of it {statistics.median(inside):.2f} s "
            f"without interpreter and imports; processor time {statistics.median(busy):.2f} s"
        )


if __name__ == "__main__":
    main()
