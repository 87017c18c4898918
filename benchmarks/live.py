"""How much a watch carries: aircraft at 1 Hz over many zones, beside bare decoding of the feed.

    python benchmarks/live.py --aircraft 20000 --zones 200 --minutes 10
    python benchmarks/live.py --ramp             # the highest rate that is held

A server of its own (another process, on the other cores) gives an `aircraft.json` with every
aircraft moved on, once a second. `adiz watch` polls it, pinned to one core, without reorder delay.
Told are: from arrival of the document to its events in the store (median, 99 %, most), memory after
a third of the time and at the end, and processor time. `--ramp` doubles the number of aircraft
until the watch does not keep up.
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
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import numpy as np

REGION_DEG = (21.0, 41.0, 114.0, 136.0)
CONFIG = """
[watch]
zones = "zones.geojson"
lateness_s = 0
checkpoint_s = {checkpoint_s}

[[feeds]]
name = "json"
kind = "aircraft"
url = "http://127.0.0.1:{port}/"
every_s = 1.0
most_mb = 256
timeout_s = 30
"""


def documents(count: int, seed: int = 1):
    """Endless documents: every aircraft flies straight and turns at the region's edge."""
    rng = np.random.default_rng(seed)
    south, north, west, east = REGION_DEG
    lat, lon = rng.uniform(south, north, count), rng.uniform(west, east, count)
    heading, gs = rng.uniform(0, 360, count), rng.uniform(200, 480, count)
    alt = rng.integers(100, 400, count) * 100
    names = [f"{0x780000 + i:06x}" for i in range(count)]
    last = time.time()
    while True:
        now = time.time()
        step_deg = gs * (now - last) / 3600 / 60
        last = now
        lat = lat + step_deg * np.cos(np.radians(heading))
        lon = lon + step_deg * np.sin(np.radians(heading)) / np.cos(np.radians(lat))
        out = (lat < south) | (lat > north) | (lon < west) | (lon > east)
        heading = np.where(out, (heading + 180) % 360, heading)
        rows = zip(names, lat.round(6).tolist(), lon.round(6).tolist(), heading.round(1).tolist(),
                   gs.round(1).tolist(), alt.tolist(), rng.uniform(0, 0.9, count).round(2).tolist(),
                   strict=True)  # fmt: skip
        yield now, json.dumps({
            "now": round(now, 3),
            "aircraft": [
                {"hex": h, "flight": f"T{h}", "lat": a, "lon": o, "track": t, "gs": g,
                 "alt_baro": f, "seen_pos": s, "squawk": "1000"}
                for h, a, o, t, g, f, s in rows
            ],
        }).encode()  # fmt: skip


def serve(count: int) -> None:
    """The feed's process: documents made ahead, given at their second."""
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    if len(cores) > 1:  # the last one is the watch's
        os.sched_setaffinity(0, cores - {max(cores)})
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    current = [b"{}"]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = current[0]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    for _, body in documents(count):
        current[0] = body
        time.sleep(max(0.0, 1.0 - time.time() % 1.0))


def run_watch(folder: Path, minutes: float) -> dict[str, float]:
    """The watch's process: runs for so long, and tells how it did."""
    os.environ["POLARS_MAX_THREADS"] = "1"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    from adiz.run.live.config import read_config
    from adiz.run.live.loop import Watch

    watch = Watch(read_config(folder / "watch.toml"))
    started, cpu = time.monotonic(), time.process_time()
    memory: list[float] = []
    waits: list[float] = []

    def look() -> None:
        while not watch._stop.wait(5.0):
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            memory.append(pages * resource.getpagesize() / 1e6)
            if time.monotonic() - started > 60 * minutes:
                waits.extend(wait for wait, _ in watch.figures.latencies_s)
                watch.stop()

    thread = threading.Thread(target=look)
    thread.start()
    watch.run()
    thread.join()
    waits = sorted(waits[5:] or [0.0])
    seconds = time.monotonic() - started
    warm = memory[len(memory) // 3 :] or [0.0]
    return {
        "reports": watch.figures.reports,
        "events": watch.figures.events,
        "seconds": seconds,
        "reports_per_s": watch.figures.reports / seconds,
        "cpu_share": (time.process_time() - cpu) / seconds,
        "wait_median_ms": 1e3 * median(waits),
        "wait_p99_ms": 1e3 * waits[int(0.99 * (len(waits) - 1))],
        "wait_most_ms": 1e3 * waits[-1],
        "memory_third_mb": warm[0],
        "memory_end_mb": warm[-1],
        "checkpoints": watch.figures.checkpoints,
        "late": watch.engine.tally()["late"],
    }


def decode_s(count: int) -> float:
    """Processor time to decode one second of the feed, and nothing else: median of nine."""
    from adiz.sources.feeds.aircraft import Snapshots
    from adiz.sources.feeds.model import make_batch

    decoder = Snapshots()
    made = documents(count)
    times = []
    for _ in range(9):
        _, body = next(made)
        started = time.process_time()
        batch = make_batch(decoder.step(body), "json", 0)
        times.append(time.process_time() - started)
        assert batch.reports.height == count
    return median(times)


def one(aircraft: int, zones: int, minutes: float, checkpoint_s: float) -> dict[str, float]:
    """One run of feed and watch."""
    sys.path.insert(0, str(Path(__file__).parent.parent))
    from benchmarks.worlds import make_zones

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "zones.geojson").write_text(json.dumps(make_zones(zones, False, 1)))
        feed = subprocess.Popen(
            [sys.executable, __file__, "--serve", str(aircraft)], stdout=subprocess.PIPE, text=True
        )
        try:
            assert feed.stdout
            port = int(feed.stdout.readline())
            (folder / "watch.toml").write_text(CONFIG.format(port=port, checkpoint_s=checkpoint_s))
            watch = subprocess.run(
                [sys.executable, __file__, "--watch", name, "--minutes", str(minutes)],
                stdout=subprocess.PIPE, text=True, check=True,
            )  # fmt: skip
        finally:
            feed.kill()
        return json.loads(watch.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--aircraft", type=int, default=20_000)
    parser.add_argument("--zones", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--checkpoint-s", type=float, default=10.0)
    parser.add_argument("--ramp", action="store_true")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--watch", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve(args.serve)
        return
    if args.watch:
        print(json.dumps(run_watch(args.watch, args.minutes)))
        return
    told: dict[str, object] = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "cores": os.cpu_count()}
    told["decode_s_per_s"] = decode_s(args.aircraft)
    rate, runs = args.aircraft, []
    while True:
        runs.append({"aircraft": rate, "zones": args.zones,
                     **one(rate, args.zones, args.minutes, args.checkpoint_s)})  # fmt: skip
        print(json.dumps(runs[-1]), flush=True)
        if not args.ramp or runs[-1]["reports_per_s"] < 0.8 * rate:
            break
        rate *= 2
    told["runs"] = runs
    if args.out:
        args.out.write_text(json.dumps(told, indent=1) + "\n")
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
