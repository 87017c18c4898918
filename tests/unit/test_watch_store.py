"""The watch's store, on SQLite and on a real PostgreSQL server where one is installed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa
from polars.testing import assert_frame_equal
from tests.report_rows import START_US

from adiz.detect.encounters import ENCOUNTERS
from adiz.errors import AdizError
from adiz.events import Event, event_id
from adiz.run.live.lock import LockedError
from adiz.run.live.rows import EVENT_SCHEMA
from adiz.run.live.store import Checkpoint, Store, StoreError
from adiz.schema import STAYS, Column, polars_schema


def event(i: int, **given: Any) -> Event:
    values: dict[str, Any] = {
        "event_id": event_id("entry", i),
        "kind": "entry",
        "time_us": START_US + i,
        "detected_us": START_US + i + 5,
        "certainty": "observed",
        "text": f"가 {i}",
        "tracks": (f"t{i % 3}", 'a"%_\\'),
        "zone_id": "KADIZ",
        "lat_deg": 0.1 + i,
        "data": {"depth_m": 0.1, "n": i, "list": [None, "\0"]},
    }
    return Event(**values | given)


def checkpoint(number: int, **given: Any) -> Checkpoint:
    values = {"seq": 10 * number, "at_us": number, "positions": {"f": "\0"}, "state": b"\0s" * 999}
    return Checkpoint(number=number, **values | given)


def table(columns: tuple[Column, ...], count: int, **given: Any) -> pl.DataFrame:
    """Rows with something in every column."""
    made = {
        "time": lambda i: START_US + i,
        "text": lambda i: f"x{i}",
        "number": lambda i: i + 0.1,
        "whole": lambda i: i,
        "truth": lambda i: bool(i % 2),
    }
    data = {c.name: [made[c.kind](i) for i in range(count)] for c in columns}
    return pl.DataFrame(data | given, schema_overrides=polars_schema(columns))


def test_events_are_numbered_as_they_come_and_once(url: str) -> None:
    store = Store(url)
    made = [event(i) for i in range(1200)]
    store.commit(made[:700])
    store.commit(made[650:] + made[:10])
    assert (store.repeated, store.differing) == (60, 0)
    assert store.events_after(0, 2000) == [(i + 1, e) for i, e in enumerate(made)]
    assert store.events_after(1198, 1) == [(1199, made[1198])]
    store.close()
    again = Store(url)
    again.commit([event(5, text="another")])
    assert (again.repeated, again.differing) == (1, 1)
    assert again.events_after(5, 1) == [(6, made[5])]
    later = event(5, revision=2, withdrawn=True)
    again.commit([later, later])
    assert again.events_after(1200, 5) == [(1201, later)]
    again.close()


def test_events_are_found(url: str) -> None:
    store = Store(url)
    store.commit([event(0), event(1, kind="exit"), event(2, zone_id="ADIZ", tracks=())])
    store.commit([event(1, kind="exit", revision=2, text="new"), event(2, revision=2)])
    store.commit([event(0, revision=2, withdrawn=True)])
    assert dict(store.events().schema) == EVENT_SCHEMA
    assert store.events()["number"].to_list() == [4, 5]
    assert store.events(latest=False)["number"].to_list() == [1, 2, 3, 4, 5, 6]
    assert store.events(kinds=["exit"], latest=False)["number"].to_list() == [2, 4]
    assert store.events(zones=["ADIZ"], latest=False)["number"].to_list() == [3]
    assert store.events(track='a"%_\\')["number"].to_list() == [4, 5]
    assert store.events(track="a")["number"].to_list() == []
    assert store.events(track="t1", limit=1, latest=False)["number"].to_list() == [4]
    found = store.events(from_us=START_US + 1, to_us=START_US + 2, latest=False)
    assert found["revision"].to_list() == [1, 2]
    row = store.events(kinds=["exit"]).row(0, named=True)
    assert (row["tracks"], row["text"]) == (["t1", 'a"%_\\'], "new")
    store.close()


def test_text_may_hold_anything(url: str) -> None:
    store = Store(url)
    store.commit([event(0, callsign="A\0B'; --", text="\u2028")])
    (_, kept), *_ = store.events_after(0, 9)
    assert (kept.callsign, kept.text, kept.data) == ("A\ufffdB'; --", "\u2028", event(0).data)
    store.commit([event(0, callsign="A\0B'; --", text="\u2028")])
    assert (store.repeated, store.differing) == (1, 0)
    store.close()


def test_stays_and_encounters_are_kept_by_identity(url: str) -> None:
    store = Store(url)
    stays, meets = table(STAYS, 600), table(ENCOUNTERS, 3)
    for _ in range(2):
        store.commit(stays=stays, encounters=meets)
    assert_frame_equal(store.encounters(), meets, check_row_order=False)
    assert_frame_equal(store.stays(), stays.sort("track_id"), check_row_order=True)
    gap = stays[:1].with_columns(entry_time=pl.lit(None, polars_schema(STAYS)["entry_time"]))
    store.commit(stays=gap)
    assert len(store.stays()) == 601 - (gap["earliest_entry"][0] == stays["entry_time"][0])
    known = store.stays(latest=False)
    again = known[:2].with_columns(revision=pl.lit(2), withdrawn=pl.Series([True, False]))
    again = again.with_columns(max_depth_m=pl.lit(77.0))
    store.commit(stays=again)
    assert len(store.stays(latest=False)) == len(known) + 2
    assert store.stays().filter(pl.col("max_depth_m") == 77).height == 1
    assert len(store.stays()) == len(known) - 1
    assert store.stays().columns == [c.name for c in STAYS]
    store.close()


def test_empty_results_have_their_columns(url: str) -> None:
    store = Store(url)
    assert dict(store.stays().schema) == polars_schema(STAYS)
    assert dict(store.encounters().schema) == polars_schema(ENCOUNTERS)
    assert store.checkpoint() is None
    assert store.covered() is None
    store.close()


def test_the_last_two_checkpoints_are_kept(url: str) -> None:
    store = Store(url)
    for number in range(1, 5):
        store.commit([event(number)], checkpoint=checkpoint(number))
        assert store.checkpoint() == checkpoint(number)
        assert store.covered() == (None if number == 1 else (number - 1, 10 * (number - 1)))
    store.close()
    store = Store(url, writer=False)
    assert store.checkpoint() == checkpoint(4)
    with pytest.raises(StoreError, match="opened for reading"):
        store.commit([event(9)])
    store.close()


@pytest.mark.parametrize(
    "damage",
    ["state = x'00'", "seq = 7", "positions = '{'", "positions = '{}'", "sha256 = ''"],
)
def test_a_damaged_checkpoint_gives_way_to_the_one_before(url: str, damage: str) -> None:
    store = Store(url)
    for number in range(1, 4):
        store.commit(checkpoint=checkpoint(number))
    if url.startswith("postgresql"):
        damage = damage.replace("x'00'", "'\\x00'::bytea")
    with store.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE watch_checkpoints SET {damage} WHERE number = 3")
    assert store.checkpoint() == checkpoint(2)
    assert store.damaged == 1
    store.commit(checkpoint=checkpoint(3, seq=99))  # worked out again from the one before
    assert store.checkpoint() == checkpoint(3, seq=99)
    assert store.covered() == (2, 20)
    with store.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE watch_checkpoints SET {damage}")
    with pytest.raises(StoreError, match="2 checkpoints and all are damaged; put back"):
        store.checkpoint()
    store.close()


def test_a_commit_is_all_or_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(url)
    store.commit([event(0)], checkpoint=checkpoint(1))
    monkeypatch.setattr(Checkpoint, "digest", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        store.commit([event(1)], table(STAYS, 2), table(ENCOUNTERS, 2), checkpoint(2))
    monkeypatch.undo()
    assert [number for number, _ in store.events_after(0, 9)] == [1]
    assert store.stays().is_empty()
    assert store.encounters().is_empty()
    store.commit([event(1)], checkpoint=checkpoint(2))
    assert [number for number, _ in store.events_after(0, 9)] == [1, 2]
    store.close()


def test_columns_of_the_tables_are_those_declared(url: str) -> None:
    store = Store(url)
    inspector = sa.inspect(store.engine)
    for name, columns in (("watch_stays", STAYS), ("watch_encounters", ENCOUNTERS)):
        stored = [c["name"] for c in inspector.get_columns(name)][3:]
        assert [n.removesuffix("_us") for n in stored] == [c.name for c in columns]
    assert {c["name"] for c in inspector.get_columns("watch_events")} == EVENT_SCHEMA.keys()
    store.close()


def test_a_reader_never_sees_numbers_out_of_order(url: str) -> None:
    """While events are committed, each look goes on where the one before ended."""
    store, reader = Store(url), Store(url, writer=False)
    made = [event(i) for i in range(300)]
    seen: list[Event] = []
    done = threading.Event()

    def follow() -> None:
        last = 0
        while True:
            over = done.is_set()
            found = reader.events_after(last, 7)
            seen.extend(e for _, e in found)
            last = found[-1][0] if found else last
            if over and not found:
                return

    thread = threading.Thread(target=follow)
    thread.start()
    chance = random.Random(1)
    i = 0
    while i < len(made):
        count = chance.randint(1, 9)
        store.commit(made[max(i - 3, 0) : i + count])
        i += count
    done.set()
    thread.join()
    assert seen == made
    store.close()
    reader.close()


def test_others_write_their_tables_meanwhile(url: str) -> None:
    store = Store(url)
    with store.engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE mine (n INTEGER)"))

    def others() -> None:
        for n in range(50):
            with store.engine.begin() as connection:
                connection.execute(sa.text("SELECT count(*) FROM mine")).scalar()
                connection.execute(sa.text("INSERT INTO mine VALUES (:n)"), {"n": n})

    threads = [threading.Thread(target=others) for _ in range(3)]
    for thread in threads:
        thread.start()
    for i in range(50):
        store.commit([event(i)], checkpoint=checkpoint(i + 1) if i % 10 == 0 else None)
    for thread in threads:
        thread.join()
    with store.engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM mine")).scalar() == 150
    assert len(store.events_after(0, 99)) == 50
    store.close()


HOLDER = """
import sys, time
from adiz.run.live.store import Store
store = Store(sys.argv[1])
print("held", flush=True)
time.sleep(60)
"""


def test_two_watches_cannot_have_one_store(url: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, url], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(LockedError, match="in use by"):
            Store(url)
        Store(url, writer=False).close()
        other.kill()
    for _ in range(50):  # the server notices a little later that its client is gone
        try:
            Store(url).close()
            return
        except LockedError:
            threading.Event().wait(0.1)
    pytest.fail("the lock was not let go")


def test_a_server_that_goes_away_is_found_again(postgresql: str) -> None:
    store = Store(postgresql)
    store.commit([event(0)])
    assert store._connection is not None
    backend = store._connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    store._connection.rollback()
    with store.engine.begin() as connection:
        connection.execute(sa.text(f"SELECT pg_terminate_backend({backend})"))
    with pytest.raises(StoreError):
        store.commit([event(1)])
    store.commit([event(1)])
    assert [e for _, e in store.events_after(0, 9)] == [event(0), event(1)]
    with pytest.raises(LockedError):
        Store(postgresql)
    store.close()


def test_a_server_that_falls_silent_is_given_up_and_found_again(
    postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session that hangs keeps its lock; what it was told may be kept when it wakes up."""
    monkeypatch.setattr("adiz.database.ANSWER_S", 1.0)
    monkeypatch.setattr("adiz.run.live.store._LOCK_WAIT_S", 0.5)
    store = Store(postgresql)
    store.commit([event(0)])
    assert store._connection is not None
    backend = store._connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    store._connection.rollback()
    os.kill(backend, signal.SIGSTOP)
    try:
        begun_s = time.monotonic()
        with pytest.raises(StoreError):
            store.commit([event(1)])
        assert time.monotonic() - begun_s < 3
        with pytest.raises(StoreError, match="a session that was lost"):
            store.commit([event(1)])
    finally:
        os.kill(backend, signal.SIGCONT)
    for _ in range(50):
        try:
            store.commit([event(1)])
            break
        except StoreError:
            time.sleep(0.1)
    store.commit([event(2)])
    assert [e for _, e in store.events_after(0, 9)] == [event(0), event(1), event(2)]
    store.close()


def test_errors_say_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no store of a watch"):
        Store(str(tmp_path / "none.db"), writer=False)
    with pytest.raises(AdizError, match="use SQLite or PostgreSQL"):
        Store("mysql://x/y")
    with pytest.raises(StoreError) as error:
        Store("postgresql://user:secret@127.0.0.1:1/none")
    assert "secret" not in str(error.value)
    (tmp_path / "text.db").write_text("this is not a database, only a text file\n" * 50)
    with pytest.raises(StoreError, match="not a database"):
        Store(str(tmp_path / "text.db"))
    with Store(str(tmp_path / "made" / "w.db")).engine.begin() as connection:
        connection.execute(sa.text("UPDATE watch_version SET version_num = '9999'"))
    with pytest.raises(AdizError, match=r"in use|later version"):
        Store(str(tmp_path / "made" / "w.db"))


def test_a_watch_and_incidents_can_share_a_database(tmp_path: Path) -> None:
    from adiz.incidents.store import Store as Incidents

    path = str(tmp_path / "both.db")
    Incidents(path, create=True)
    store = Store(path)
    store.commit([event(0)])
    assert Incidents(path).incidents() == []
    store.close()


def test_an_sqlite_store_torn_anywhere_is_that_of_some_commit(tmp_path: Path) -> None:
    """The log cut or spoilt at any octet, as after a power failure: never part of a commit."""
    source = tmp_path / "w.db"
    store = Store(str(source))
    with store.engine.connect() as connection:
        connection.connection.cursor().execute("PRAGMA wal_autocheckpoint = 0")
    states = [0]
    for i in range(6):
        store.commit(
            [event(10 * i + k) for k in range(3)],
            table(STAYS, 2, track_id=[f"a{i}", f"b{i}"]),
            checkpoint=replace(checkpoint(i + 1), state=b"s" * 20_000) if i == 0 else None,
        )
        states.append(3 * (i + 1))
    folder = tmp_path / "torn"
    folder.mkdir()
    log = Path(f"{source}-wal").read_bytes()
    chance = random.Random(3)
    cuts = [chance.randrange(len(log)) for _ in range(60)] + [len(log) - 1, len(log)]
    for n, cut in enumerate(cuts):
        for old in folder.iterdir():
            old.unlink()
        shutil.copy(source, folder / "w.db")
        hole = 0 if n % 2 else min(4096, len(log) - cut)
        torn = log[:cut] + bytes(hole) + (log[cut + hole :] if hole else b"")
        (folder / "w.db-wal").write_bytes(torn)
        opened = Store(str(folder / "w.db"))
        events = len(opened.events_after(0, 99))
        assert events in states
        assert len(opened.stays()) * 3 == events * 2
        last = opened.checkpoint()
        assert (last is not None) == (events > 0)
        opened.commit([event(500)])
        assert len(opened.events_after(0, 99)) == events + 1
        opened.close()
    store.close()


def test_sqlite_keeps_its_files_small(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "w.db"))
    for number in range(1, 12):
        store.commit([event(number)], checkpoint=checkpoint(number, state=b"x" * 5_000_000))
        for i in range(3):
            store.commit([event(100 * number + i)])
    assert sum(p.stat().st_size for p in tmp_path.iterdir()) < 30_000_000
    store.close()
    with sqlite3.connect(tmp_path / "w.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
