"""Migrations: numbered files in a line, looked at only where one is missing."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import sqlalchemy as sa

import adiz
from adiz.database import migrate
from adiz.run.live.store import Store

SOURCE = Path(adiz.__file__).parent
FOLDERS = [SOURCE / "incidents/migrations", SOURCE / "run/live/migrations"]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_the_number_of_a_file_is_its_revision(folder: Path) -> None:
    before = None
    for path in sorted((folder / "versions").glob("[0-9]*.py")):
        name = ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts)
        found = import_module(name)
        assert (found.revision, found.down_revision) == (path.name.split("_")[0], before)
        before = found.revision
    assert before is not None


def test_tables_that_are_up_to_date_need_no_alembic(tmp_path: Path) -> None:
    path = str(tmp_path / "w.db")
    Store(path).close()
    code = (
        "import sys; from adiz.run.live.store import Store; "
        f"Store({path!r}).close(); print('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]


def test_what_is_missing_is_made(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path}/w.db")
    for state in ("nothing", "no version"):
        with engine.begin() as connection:
            if state == "no version":
                for name in sa.inspect(connection).get_table_names():
                    connection.execute(sa.text(f"DROP TABLE {name}"))
                connection.execute(sa.text("CREATE TABLE watch_version (version_num TEXT)"))
            migrate(connection, FOLDERS[1], "watch_version")
            found = connection.execute(sa.text("SELECT version_num FROM watch_version"))
            assert found.scalars().all() == ["0001"]
            assert sa.inspect(connection).has_table("watch_events")
    engine.dispose()
