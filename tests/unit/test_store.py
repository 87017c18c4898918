"""The store, on SQLite and on a real PostgreSQL server where one is installed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from adiz.errors import AdizError
from adiz.incidents.store import Store

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)


def _engine(store: Store) -> sa.Engine:
    return store._engine


def test_revisions_are_appended_and_read_back(url: str) -> None:
    store = Store(url, create=True)
    first = store.save("i", "a = '가 <b>'", saved_at=MOMENT, author="A", inputs={"f": "0" * 64})
    second = store.save("i", "a = 2", saved_at=MOMENT, message="more", parameters={"v": 900.5})
    store.save("other", "x", saved_at=MOMENT)
    assert Store(url).log("i") == [first, second]
    assert (first.number, first.saved_at) == (1, "2026-01-02T03:04:05.000678Z")
    assert second.parent_sha256 == first.revision_sha256
    assert store.get("i") == second
    assert store.get("i", 1) == first
    assert store.incidents() == ["i", "other"]
    assert store.verify("i") == []


def test_saving_the_same_again_adds_nothing(url: str) -> None:
    store = Store(url, create=True)
    first = store.save("i", "a", saved_at=MOMENT)
    assert store.save("i", "a", saved_at=datetime(2027, 1, 1, tzinfo=UTC)) == first
    assert len(store.log("i")) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE revisions SET content = 'forged'",
        "DELETE FROM revisions",
        "TRUNCATE revisions",
        "INSERT OR REPLACE INTO revisions SELECT incident_id, number, saved_at, author, message, "
        "version, inputs, parameters, 'forged', parent_sha256, revision_sha256 FROM revisions",
        "REPLACE INTO revisions SELECT incident_id, 9, saved_at, author, message, "
        "version, inputs, parameters, 'forged', parent_sha256, revision_sha256 FROM revisions",
    ],
)
def test_the_database_refuses_to_change_or_remove(tmp_path: Path, statement: str) -> None:
    store = Store(str(tmp_path / "i.db"), create=True)
    saved = store.save("i", "a", saved_at=MOMENT)
    with pytest.raises(sa.exc.DBAPIError), _engine(store).begin() as connection:
        connection.execute(sa.text(statement))
    assert store.log("i") == [saved]


def test_postgresql_refuses_to_change_or_remove(postgresql: str) -> None:
    store = Store(postgresql)
    saved = store.save("i", "a", saved_at=MOMENT)
    for statement in (
        "UPDATE revisions SET content = 'forged'",
        "DELETE FROM revisions",
        "TRUNCATE revisions",
    ):
        with (
            pytest.raises(sa.exc.DBAPIError, match="never changed"),
            _engine(store).begin() as connection,
        ):
            connection.execute(sa.text(statement))
    assert store.log("i") == [saved]


def test_a_forged_revision_is_noticed(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "i.db"), create=True)
    for text in "abc":
        store.save("i", text, saved_at=MOMENT)
    with _engine(store).begin() as connection:
        connection.execute(sa.text("DROP TRIGGER revisions_no_update"))
        connection.execute(sa.text("DROP TRIGGER revisions_no_delete"))
        connection.execute(sa.text("UPDATE revisions SET content = 'x' WHERE number = 3"))
    assert store.verify("i") == ["revision 3 of i is not what was saved: its SHA-256 differs"]
    with _engine(store).begin() as connection:
        connection.execute(sa.text("DELETE FROM revisions WHERE number = 2"))
    assert [fault.split(":")[0] for fault in store.verify("i")] == [
        "revision 3 of i follows number 1",
        "revision 3 of i does not follow from the revision before it",
        "revision 3 of i is not what was saved",
    ]


def test_of_two_savers_at_once_none_is_lost(url: str) -> None:
    Store(url, create=True)

    def save(text: str) -> str:
        try:
            Store(url).save("i", text, saved_at=MOMENT)
        except AdizError:
            return ""
        return text

    with ThreadPoolExecutor(4) as pool:
        saved = sorted(filter(None, pool.map(save, "abcdefgh")))
    store = Store(url)
    assert saved
    assert sorted(r.content for r in store.log("i")) == saved
    assert store.verify("i") == []


def test_errors_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(AdizError, match="'adiz incident save' makes one"):
        Store(str(tmp_path / "none.db"))
    with pytest.raises(AdizError, match="use SQLite or PostgreSQL"):
        Store("mysql://x/y")
    with pytest.raises(AdizError) as error:
        Store("postgresql://user:secret@127.0.0.1:1/none")
    assert "secret" not in str(error.value)
    store = Store(str(tmp_path / "i.db"), create=True)
    with pytest.raises(AdizError, match="none yet"):
        store.log("i")
    with pytest.raises(AdizError, match="NUL"):
        store.save("i", "a\0", saved_at=MOMENT)
    store.save("i", "a", saved_at=MOMENT)
    with pytest.raises(AdizError, match="it has 1 to 1"):
        store.get("i", 2)


def test_a_store_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    path = str(tmp_path / "i.db")
    with _engine(Store(path, create=True)).begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(AdizError, match="later version"):
        Store(path)


def test_a_file_that_is_no_store(tmp_path: Path) -> None:
    path = tmp_path / "text.db"
    path.write_text("this is not a database, only a text file\n" * 50)
    with pytest.raises(AdizError, match="not a database"):
        Store(str(path))
