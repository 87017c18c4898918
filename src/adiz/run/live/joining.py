"""Parts of the archive made into one, in a process of its own.

    python -m adiz.run.live.joining DRAFT PART…

Sorting and packing a million reports takes a second or two. Within the watch that second would be
lacking to the next batch, for polars has one pool of threads for all; and the memory it takes would
stay with the watch. The file is forced to the medium before the process ends; it has the name DRAFT
until the watch gives it its own.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import polars as pl

ROW_GROUP = 65_536
_NICE = 19


def start(draft: Path, parts: Sequence[Path]) -> subprocess.Popen[bytes]:
    """Begin to join parts into a draft.

    Raises:
        OSError: there is no room for another process.
    """
    command = [sys.executable, "-m", __name__, str(draft), *map(str, parts)]
    return subprocess.Popen(
        command,
        env={**os.environ, "POLARS_MAX_THREADS": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def join(draft: Path, parts: Sequence[Path]) -> None:
    """Join parts into a draft, here.

    Raises:
        OSError, polars.exceptions.PolarsError: a part cannot be read, or the disk is full.
    """
    write(draft, pl.read_parquet(list(parts), glob=False), small=True)


def write(draft: Path, reports: pl.DataFrame, *, small: bool = False) -> None:
    """Write reports to a file and force it to the medium; nothing stays of one that fails.

    Args:
        small: take the time to make it small; else the watch waits for it.

    Raises:
        OSError: the disk is full or fails.
    """
    made = io.BytesIO()
    if small:
        reports = reports.sort("track_id", "time", maintain_order=True)
    reports.write_parquet(
        made, compression="zstd" if small else "lz4", row_group_size=ROW_GROUP, statistics=small
    )
    try:
        with open(draft, "wb") as file:
            file.write(made.getbuffer())
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise


if __name__ == "__main__":
    os.nice(_NICE)
    join(Path(sys.argv[1]), [Path(part) for part in sys.argv[2:]])
