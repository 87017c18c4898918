"""Make the bundled demonstration capture from the PyPI package ``traffic`` 2.13 (MIT).

    pip download --no-deps traffic==2.13
    python tools/make_demo_capture.py traffic-2.13-py3-none-any.whl

The wheel is only unzipped, not imported. What comes out is the C-2A Greyhound ae0455 (PSWRD35)
of 14-15 September 2020 off San Diego, every row that has a position, as a reports table.
"""

from __future__ import annotations

import gzip
import io
import sys
import zipfile
from pathlib import Path

import polars as pl

from adiz.sources.reports import finish
from adiz.sources.tabular import Options, table_frame

MEMBER = "traffic/data/samples/military/aircraft_carrier.json.gz"
TARGET = Path(__file__).parent.parent / "src/adiz/data/c2a-san-diego-2020-09.parquet"


def main(wheel: str) -> None:
    with zipfile.ZipFile(wheel) as archive:
        raw = pl.read_json(io.BytesIO(gzip.decompress(archive.read(MEMBER))))
    frame, _ = table_frame(raw, MEMBER, Options())
    reports = finish(frame, f"traffic 2.13, {MEMBER}")
    reports.table.write_parquet(TARGET, compression="zstd", compression_level=19)
    print(
        f"{reports.table.height} reports, {reports.rejected_counts}, {TARGET.stat().st_size} bytes"
    )


if __name__ == "__main__":
    main(sys.argv[1])
