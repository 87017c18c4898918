"""Plans, notices and contacts of a watch: part of its records, whatever becomes of the files."""

from __future__ import annotations

import os
import shutil
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from tests.feed_servers import tcp_server, wait_for
from tests.live_worlds import running
from tests.property.test_stays_fold import square

from adiz.errors import AdizError
from adiz.run.live.config import read_config
from adiz.run.live.inputs import InputFiles
from adiz.run.live.loop import Watch
from adiz.run.live.store import Store
from adiz.zones.geojson_write import write_geojson

HEAD = "icao24,notified_at,zone,entry_time\n"
BEGIN = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30)


def files(tmp_path: Path) -> tuple[InputFiles, Path, list[float]]:
    now = [0.0]
    path = tmp_path / "notices.csv"
    groups: dict[str, list[Path]] = {"points": [], "plans": [], "notices": [path], "contacts": []}
    return InputFiles(groups, True, tmp_path / "inputs", lambda: now[0]), path, now


def write(path: Path, *addresses: str, at_s: int = 0) -> None:
    told, entry = (BEGIN + timedelta(minutes=m) for m in (-60, 5))
    rows = (f"{a},{told:%Y-%m-%dT%H:%M:%SZ},BOX,{entry:%Y-%m-%dT%H:%M:%SZ}\n" for a in addresses)
    path.write_text(HEAD + "".join(rows))
    os.utime(path, (1e9 + at_s, 1e9 + at_s))


def known(inputs: InputFiles) -> list[str]:
    notices = inputs().notices
    assert notices is not None
    return [row.who["icao24"].lower() for row in notices.rows]


def test_each_state_of_the_files_has_a_name_and_can_be_had_again(tmp_path: Path) -> None:
    inputs, path, now = files(tmp_path)
    write(path, "780a01")
    first = inputs.changed()
    inputs.use(first)
    assert known(inputs) == ["780a01"]
    write(path, "780a02", at_s=1)
    assert inputs.changed() is None  # looked at a moment ago
    now[0] += 1
    second = inputs.changed()
    assert second not in (None, first)
    assert known(inputs) == ["780a01"]  # until a record says so
    inputs.use(second)
    assert known(inputs) == ["780a02"]
    write(path, "780a02", at_s=2)  # written again, the same
    now[0] += 1
    assert inputs.changed() is None
    inputs.use(first)
    assert known(inputs) == ["780a01"]


def test_files_that_cannot_be_used_change_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    inputs, path, now = files(tmp_path)
    with pytest.raises(AdizError, match="cannot be used"):
        inputs.changed()
    write(path, "780a01")
    now[0] += 1
    inputs.use(inputs.changed())
    for damage in (lambda: path.write_text("nonsense,x\n1,2\n"), path.unlink):
        damage()
        now[0] += 1
        assert inputs.changed() is None
        assert "holds on" in caplog.text
        caplog.clear()
    assert known(inputs) == ["780a01"]


def test_few_copies_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adiz.run.live.inputs._KEPT", 3)
    inputs, path, now = files(tmp_path)
    for number in range(10):
        write(path, f"780a{number:02d}", at_s=number)
        now[0] += 1
        inputs.use(inputs.changed())
    assert len(list((tmp_path / "inputs").iterdir())) == 3
    assert known(inputs) == ["780a09"]


def told(config: Path) -> pl.DataFrame:
    store = Store(read_config(config).store, writer=False)
    try:
        return store.events(kinds=["identification"], latest=False)
    finally:
        store.close()


def test_a_restart_knows_what_was_known_then(tmp_path: Path) -> None:
    """The journal is stepped through anew when the file has long changed again."""

    def lines(address: str, first: int, last: int) -> bytes:
        out = b""
        for s in range(first, last, 5):
            at = f"{BEGIN + timedelta(seconds=s):%Y/%m/%d,%H:%M:%S.000}"
            out += (
                f"MSG,3,1,1,{address},1,{at},{at},,10000,,,10.5,{19.8 + s / 1000:.4f},,,,0,0,0\n"
            ).encode()
        return out

    go_on = threading.Event()

    def serve(sock: object, number: int) -> None:
        if number == 0:
            sock.sendall(lines("780A01", 0, 600))  # type: ignore[attr-defined]
            go_on.wait(30)
            sock.sendall(lines("780A02", 600, 1200))  # type: ignore[attr-defined]
        go_on.wait(30)
        time.sleep(5)

    run, again = tmp_path / "run", tmp_path / "again"
    run.mkdir()
    zone = square("BOX", 10.0, 20.0, 1.0, kind="adiz")
    (run / "zones.geojson").write_text(write_geojson([zone]))
    notices = run / "notices.csv"
    write(notices, "780a01")
    config = run / "watch.toml"
    with tcp_server(serve) as port:
        config.write_text(
            '[watch]\nzones = "zones.geojson"\ncheckpoint_s = 1000\nsilent_s = 600\n'
            '[identification]\nnotices = ["notices.csv"]\ncomplete = true\n[[feeds]]\n'
            f'name = "sbs"\nkind = "basestation"\nhost = "127.0.0.1"\nport = {port}\n'
        )
        with running(config) as watch:
            wait_for(lambda: watch.figures.kinds["identification"] >= 1, 60)
            write(notices, "780a02", at_s=5)
            first = watch.engine.inputs
            assert first is not None
            before = first.name
            wait_for(lambda: first.name != before, 30)
            go_on.set()
            wait_for(lambda: watch.figures.kinds["identification"] >= 2, 60)
            again.mkdir()
            for name in ("watch.toml", "zones.geojson"):
                shutil.copy(run / name, again)
            for name in ("journal", "inputs"):
                shutil.copytree(run / "watch" / name, again / "watch" / name)
            found = told(config)
    write(again / "notices.csv", "999999")
    once = Watch(read_config(again / "watch.toml"))
    once.stop()
    once.run()
    both = told(again / "watch.toml")
    assert both[: len(found)].equals(found)
    assert dict(zip(found["icao24"], found["data"], strict=True)).keys() == {"780a01", "780a02"}
    assert all('"identified":"yes"' in data for data in found["data"]), found["text"].to_list()
