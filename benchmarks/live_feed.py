"""The feeds of the load benchmark: aircraft that report once a second, as a document or as lines.

Started as a program it serves them: a whole second's `aircraft.json` over HTTP, or BaseStation
lines over TCP, each aircraft at its own moment of the second.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

REGION_DEG = (21.0, 41.0, 114.0, 136.0)
SLICES = 20
SPEEDS_S, NAMES_S = 5, 20  # how often a speed and a callsign are sent in lines of their own


class World:
    """Aircraft that fly straight and turn at the region's edge; each has its own tenth of a second.

    Attributes:
        phase_s: how far into each second an aircraft reports.
    """

    def __init__(self, count: int, seed: int = 1) -> None:
        rng = np.random.default_rng(seed)
        south, north, west, east = REGION_DEG
        self.lat, self.lon = rng.uniform(south, north, count), rng.uniform(west, east, count)
        self.heading, self.gs = rng.uniform(0, 360, count), rng.uniform(200, 480, count)
        self.alt = rng.integers(100, 400, count) * 100
        self.phase_s = rng.uniform(0, 0.9, count).round(2)
        self.names = [f"{0x780000 + i:06X}" for i in range(count)]

    def fly(self, which: slice | np.ndarray, seconds: float) -> None:
        """Move some of them on."""
        south, north, west, east = REGION_DEG
        heading, lat = np.radians(self.heading[which]), self.lat[which]
        step_deg = self.gs[which] * seconds / 3600 / 60
        lat = lat + step_deg * np.cos(heading)
        lon = self.lon[which] + step_deg * np.sin(heading) / np.cos(np.radians(lat))
        out = (lat < south) | (lat > north) | (lon < west) | (lon > east)
        self.lat[which], self.lon[which] = lat, lon
        self.heading[which] = np.where(out, (self.heading[which] + 180) % 360, self.heading[which])


def documents(count: int, moments: Iterator[float] | None = None) -> Iterator[bytes]:
    """Documents, one a second: at the moments given, else at the time they are asked for."""
    world = World(count)
    form = '{"now":%.3f,"aircraft":[' + ",".join(
        f'{{"hex":"{name.lower()}","flight":"T{name}","squawk":"1000","alt_baro":{alt},'
        f'"seen_pos":{0.95 - phase:.2f},"lat":%.6f,"lon":%.6f,"track":%.1f,"gs":%.1f}}'
        for name, alt, phase in zip(world.names, world.alt, world.phase_s, strict=True)
    ) + "]}"  # fmt: skip
    last = None
    while True:
        now = next(moments) if moments else time.time()
        world.fly(slice(None), 0.0 if last is None else now - last)
        last = now
        values = np.stack([world.lat, world.lon, world.heading, world.gs], axis=1)
        yield (form % (now, *values.ravel().tolist())).encode()


class Lines:
    """BaseStation lines of one slice of a second after the other."""

    def __init__(self, count: int) -> None:
        self.world = World(count)
        self._turn = 0
        of = (self.world.phase_s / 0.9 * SLICES).astype(int).clip(0, SLICES - 1)
        self._slices = [np.flatnonzero(of == n) for n in range(SLICES)]
        self._forms = [
            "".join(_line(3, world_name, f",{alt},,,%.5f,%.5f,,,0,0,0,0")
                    for world_name, alt in self._named(which))
            for which in self._slices
        ]  # fmt: skip

    def _named(self, which: np.ndarray) -> list[tuple[str, int]]:
        return [(self.world.names[i], int(self.world.alt[i])) for i in which]

    def next(self, now_s: float) -> bytes:
        """The lines of the next slice."""
        second, part = divmod(self._turn, SLICES)
        self._turn += 1
        world, which = self.world, self._slices[part]
        if second:
            world.fly(which, 1.0)
        places = np.stack([world.lat[which], world.lon[which]], axis=1).ravel().tolist()
        text = self._forms[part] % tuple(places)
        more = [
            _line(4, world.names[i], f",,{world.gs[i]:.1f},{world.heading[i]:.1f},,,0,,,,,0")
            for i in which[second % SPEEDS_S :: SPEEDS_S]
        ]
        more += [
            _line(1, world.names[i], f"T{world.names[i]},,,,,,,,,,,")
            for i in which[second % NAMES_S :: NAMES_S]
        ]
        moment = datetime.fromtimestamp(now_s, UTC)
        stamp = f"{moment:%Y/%m/%d,%H:%M:%S}.{moment.microsecond // 1000:03d}"
        return ("".join(more) + text).replace("@", stamp).encode()


def _line(kind: int, name: str, rest: str) -> str:
    return f"MSG,{kind},1,1,{name},1,@,@,{rest}\r\n"


def serve(kind: str, count: int) -> None:
    """Serve a feed for ever, on other cores than the watch; the port is printed."""
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    if len(cores) > 1:  # the last one is the watch's
        os.sched_setaffinity(0, cores - {max(cores)})
    if kind == "basestation":
        serve_lines(count)
    else:
        serve_documents(count)


def serve_documents(count: int) -> None:
    """A document each second."""
    made = documents(count)
    current = [next(made)]

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
    for current[0] in made:
        time.sleep(max(0.0, 1.0 - time.time() % 1.0))


def serve_lines(count: int) -> None:
    """Lines to whoever connects, one at a time."""
    lines = Lines(count)
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    connection, _ = listener.accept()
    began_s, turn = time.time(), 0
    with suppress(ConnectionError):
        while True:
            connection.sendall(lines.next(time.time()))
            turn += 1
            time.sleep(max(0.0, began_s + turn / SLICES - time.time()))


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
