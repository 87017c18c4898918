"""The databases of ``tools/kill_watch.py``: SQLite files, or a PostgreSQL server of its own.

Rows are read as they lie there, without the watch's own code, so that nothing is mended by reading.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

TABLES = {
    "watch_events": "number",
    "watch_stays": "track_id, zone_id, stay_id, revision",
    "watch_encounters": "track_a, track_b, encounter_id, revision",
}
Content = dict[str, list[tuple[Any, ...]]]


class Databases(Protocol):
    """Where the stores of the runs are."""

    def new(self, folder: Path) -> str:
        """An empty store for a run in that folder; what its configuration says."""

    def content(self, folder: Path) -> Content:
        """All rows of the store of the run in that folder."""


class Files:
    """SQLite: a file in the folder of the run."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch

    def new(self, folder: Path) -> str:
        """See :class:`Databases`."""
        return "watch.db"

    def content(self, folder: Path) -> Content:
        """See :class:`Databases`; a copy is read."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch.mkdir(parents=True)
        for suffix in ("", "-wal"):
            with contextlib.suppress(FileNotFoundError):
                shutil.copy(folder / f"watch.db{suffix}", self._scratch / f"copy.db{suffix}")
        found: Content = {}
        with contextlib.closing(sqlite3.connect(self._scratch / "copy.db")) as connection:
            for table, order in TABLES.items():
                try:
                    query = f"SELECT * FROM {table} ORDER BY {order}"
                    found[table] = connection.execute(query).fetchall()
                except sqlite3.OperationalError:  # killed before its tables were made
                    found[table] = []
        return found


class Server:
    """A PostgreSQL server with a database for each run; it can be killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True)
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:  # the server refuses to run as root
            account = pwd.getpwnam("postgres")
            os.chown(folder, account.pw_uid, account.pw_gid)
            for parent in folder.parents[:2]:
                parent.chmod(parent.stat().st_mode | 0o011)
            self._user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self._names: dict[Path, str] = {}
        self._count = 0
        self._run([_program("initdb"), "-D", "data", "-U", "adiz", "-A", "trust", "-E", "UTF8"])
        self.start()

    def _run(self, command: list[str]) -> None:
        quiet: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(command, check=True, cwd=self._folder, **quiet, **self._user)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        log = open(self._folder / "server.log", "ab")  # noqa: SIM115 - the server keeps it
        command = [_program("postgres"), "-D", "data", "-p", str(self._port), "-h", "127.0.0.1",
                   "-k", str(self._folder)]  # fmt: skip
        self._process = subprocess.Popen(
            command, cwd=self._folder, stdout=log, stderr=log, **self._user
        )
        log.close()
        with contextlib.closing(self._connect("postgres")):
            return

    def stop(self) -> None:
        """End it in order."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(30)

    def kill(self) -> None:
        """End it with ``kill -9``, and all its processes; start it again a moment later."""
        children = _children(self._process.pid)
        for pid in (self._process.pid, *children):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()

    def kill_session(self, chance: random.Random) -> bool:
        """End one of its sessions with ``kill -9``: the server ends all others, and recovers."""
        sessions = [pid for pid in _children(self._process.pid) if b" adiz " in _command(pid)]
        if sessions:
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(sessions), signal.SIGKILL)
        return bool(sessions)

    def new(self, folder: Path) -> str:
        """See :class:`Databases`."""
        self._count += 1
        name = f"run_{self._count}"
        with contextlib.closing(self._connect("postgres")) as connection:
            connection.autocommit = True
            connection.cursor().execute(f"CREATE DATABASE {name}")
        self._names[folder] = name
        return f"postgresql://adiz@127.0.0.1:{self._port}/{name}"

    def content(self, folder: Path) -> Content:
        """See :class:`Databases`."""
        import pg8000.dbapi

        for _ in range(100):
            found: Content = {}
            try:
                with contextlib.closing(self._connect(self._names[folder])) as connection:
                    cursor = connection.cursor()
                    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
                    there = {name for (name,) in cursor.fetchall()}
                    for table, order in TABLES.items():
                        found[table] = []
                        if table in there:
                            cursor.execute(f"SELECT * FROM {table} ORDER BY {order}")
                            found[table] = [tuple(row) for row in cursor.fetchall()]
                return found
            except (pg8000.dbapi.Error, OSError):  # it is just being killed
                time.sleep(0.1)
        raise TimeoutError("the PostgreSQL server cannot be read")

    def _connect(self, name: str) -> Any:
        import pg8000.dbapi

        for _ in range(300):
            try:
                return pg8000.dbapi.connect(
                    "adiz", host="127.0.0.1", port=self._port, database=name, timeout=20
                )
            except (pg8000.dbapi.Error, OSError):
                time.sleep(0.1)
        raise TimeoutError("the PostgreSQL server does not answer")

    @contextlib.contextmanager
    def being_killed(self, chance: random.Random, figures: Counter[str]) -> Iterator[None]:
        """Now and then it, or one of its sessions, is killed, while this is open."""
        over = threading.Event()

        def kill() -> None:
            while not over.wait(chance.uniform(0.5, 4)):
                if chance.random() < 0.5:
                    figures["session killed"] += self.kill_session(chance)
                else:
                    self.kill()
                    figures["server killed"] += 1
                    over.wait(chance.uniform(0, 1.5))
                    self.start()

        thread = threading.Thread(target=kill)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def installed() -> bool:
    """Whether there is a PostgreSQL server to start."""
    with contextlib.suppress(ImportError, KeyError):
        import pg8000  # noqa: F401

        if os.geteuid() == 0:
            pwd.getpwnam("postgres")
        return bool(_program("initdb") and _program("postgres"))
    return False


def _program(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name) or ""


def _children(pid: int) -> list[int]:
    """The processes that it has started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid:
                found.append(int(path.parent.name))
    return found


def _command(pid: int) -> bytes:
    """What it says it does, as ``postgres: adiz run_1 127.0.0.1(40000) COMMIT``."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
