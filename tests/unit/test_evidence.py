import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adiz.errors import AdizError
from adiz.incidents.evidence import (
    add_evidence,
    folder_of,
    log_change,
    read_log,
    verify_evidence,
)

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.html"
    path.write_text("<p>twelve kilometres</p>")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "incident.toml")


def _add(folder: Path, path: Path, source: str = "S1") -> dict[str, object]:
    return add_evidence(
        folder, source, path, how="saved", collected_at=MOMENT, logged_at=MOMENT, who="an analyst"
    )


def _states(folder: Path) -> dict[str, str]:
    return {f.file.split("/")[0]: f.state for f in verify_evidence(folder) if f.state != "good"}


def test_an_original_is_kept_apart_from_its_working_copy(folder: Path, page: Path) -> None:
    entry = _add(folder, page)
    original, working = folder / str(entry["original"]), folder / str(entry["working"])
    assert original.read_bytes() == working.read_bytes() == page.read_bytes()
    assert original.stat().st_mode & 0o222 == 0
    assert original.stem == entry["sha256"]
    assert entry["collected_at"] == "2026-01-01T00:00:00+00:00"
    assert _states(folder) == {}


def test_a_changed_original_is_found(folder: Path, page: Path) -> None:
    original = folder / str(_add(folder, page)["original"])
    original.chmod(0o644)
    original.write_text("thirteen kilometres")
    assert _states(folder) == {"originals": "changed"}
    original.unlink()
    assert _states(folder) == {"originals": "missing"}


def test_a_working_copy_may_change_if_it_is_logged(folder: Path, page: Path) -> None:
    entry = _add(folder, page)
    (folder / str(entry["working"])).write_text("translated")
    assert _states(folder) == {"working": "unlogged"}
    log_change(folder, str(entry["working"]), "translated", logged_at=MOMENT)
    assert _states(folder) == {}
    with pytest.raises(AdizError, match="no working copy"):
        log_change(folder, "working/../../etc/passwd", "x", logged_at=MOMENT)


def test_an_altered_log_is_found(folder: Path, page: Path) -> None:
    _add(folder, page)
    _add(folder, page, "S2")
    log = folder / "log.jsonl"
    log.write_text(log.read_text().replace("an analyst", "someone else", 1))
    assert _states(folder)["log.jsonl"] == "broken"
    log.write_text(log.read_text().split("\n")[1] + "\n")
    assert _states(folder)["log.jsonl"] == "broken"
    log.write_text("not json\n")
    with pytest.raises(AdizError, match=r"log.jsonl:1"):
        read_log(folder)


def test_a_file_slipped_among_the_originals_is_found(folder: Path, page: Path) -> None:
    _add(folder, page)
    (folder / "originals" / "other.html").write_text("x")
    assert _states(folder) == {"originals": "unlogged"}


def test_names_cannot_leave_the_folder(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "..name with space;\n.html"
    path.write_text("x")
    entry = _add(folder, path, "../../S1")
    assert (folder / str(entry["working"])).resolve().is_relative_to(folder.resolve())
    assert len((folder / "log.jsonl").read_text().splitlines()) == 1
    assert json.loads((folder / "log.jsonl").read_text())["name"] == path.name


def test_two_files_of_one_name_are_both_kept(folder: Path, page: Path) -> None:
    first = _add(folder, page)
    page.write_text("a later state of the page")
    second = _add(folder, page)
    assert first["working"] != second["working"]
    assert _states(folder) == {}


def test_errors(folder: Path, page: Path) -> None:
    with pytest.raises(AdizError, match="holds no evidence"):
        verify_evidence(folder)
    _add(folder, page)
    with pytest.raises(AdizError, match="already kept"):
        _add(folder, page)
    with pytest.raises(AdizError, match="is no file"):
        _add(folder, folder)
    with pytest.raises(AdizError, match="no time zone"):
        add_evidence(
            folder,
            "S1",
            page,
            how="x",
            collected_at=datetime(2026, 1, 1),  # noqa: DTZ001
            logged_at=MOMENT,
        )
