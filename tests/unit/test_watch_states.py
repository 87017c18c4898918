"""The files of a watch's states: what is written, found again, damaged, left behind."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from adiz.run.live import states as module
from adiz.run.live.states import States


def saved(states: States, number: int, needed: int = 0, *, wait: bool = True) -> str:
    """A state whose octets tell its number, as its part's do."""
    names = states.write(
        number, lambda: (b"state %d" % number, b"part %d" % number), needed, wait=wait
    )
    if not wait:
        assert names is None
        assert states.is_writing
        names = states.wait()
    assert names is not None
    assert not states.is_writing
    return names


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("wait", [True, False])
def test_a_state_and_the_parts_it_needs(tmp_path: Path, wait: bool) -> None:
    states = States(tmp_path)
    first = saved(states, 1, wait=wait)
    second = saved(states, 2, 1, wait=wait)
    third = saved(states, 3, 1, wait=wait)
    assert States(tmp_path).find(first)
    again = States(tmp_path)
    assert again.find(third)
    assert again.take() == (b"state 3", [b"part 2", b"part 3"])
    assert again.size_bytes(third) == 3 * 32 + 7 + 6 + 6
    states.keep([second, third])
    assert len(files(tmp_path)) == 2 + 2 * 3
    assert again.find(second)
    fourth = saved(again, 4, 2, wait=wait)  # goes on from what it found
    again.keep([second, fourth])
    assert not again.find(third)
    assert again.find(fourth)
    assert again.take() == (b"state 4", [b"part 1", b"part 2", b"part 4"])


def _flip(path: Path) -> None:
    octets = bytearray(path.read_bytes())
    octets[len(octets) // 2] ^= 1
    path.write_bytes(octets)


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


@pytest.mark.parametrize("damage", [_flip, _cut, Path.unlink, lambda path: os.truncate(path, 5)])
def test_any_one_file_may_be_damaged(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    for k in range(6):
        folder = tmp_path / str(k)
        states = States(folder)
        both = [saved(states, 1), saved(states, 2, 1)]
        states.keep(both)
        present = sorted(files(folder))
        assert len(present) == 6
        damage(folder / present[k])
        found = [name for name in both if States(folder).find(name)]
        assert len(found) >= 1
        if present[k] not in (both[0].split("\n")[0], both[1].split("\n")[0]):
            assert found == both


def test_a_part_of_which_both_files_are_damaged(tmp_path: Path) -> None:
    states = States(tmp_path)
    first, second = saved(states, 1), saved(states, 2)
    part = second.split("\n")[1]
    _flip(tmp_path / part)
    assert states.find(second)
    assert states.take() == (b"state 2", [b"part 2"])
    _flip(tmp_path / f"{part}.copy")
    assert not states.find(second)
    assert states.find(first)


def test_an_empty_part_with_a_damaged_copy_is_whole(tmp_path: Path) -> None:
    states = States(tmp_path)
    names = states.write(1, lambda: (b"state", b""), 0, wait=True)
    assert names is not None
    _cut(tmp_path / f"{names.split(chr(10))[1]}.copy")
    assert states.find(names)
    assert states.take() == (b"state", [b""])


def test_a_state_of_before_there_were_parts(tmp_path: Path) -> None:
    states = States(tmp_path)
    own = saved(states, 1).split("\n")[0]
    assert states.find(own)
    assert states.take() == (b"state 1", [])
    states.keep([own])
    assert files(tmp_path) == {own}


def _fails() -> tuple[bytes, bytes]:
    raise OSError("no space left")


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    states = States(tmp_path)
    first = saved(states, 1)
    before = files(tmp_path)
    with pytest.raises(OSError, match="no space left"):
        states.write(2, _fails, 1, wait=True)
    assert states.parts == first.split("\n")[1:]  # nothing of it counts
    states.write(2, _fails, 1)
    with pytest.raises(OSError, match="could not be written"):
        states.wait()
    assert states.parts == []
    assert files(tmp_path) == before


@pytest.mark.parametrize("wait", [True, False])
def test_a_medium_that_fails_leaves_nothing(
    tmp_path: Path, wait: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    states, calls = States(tmp_path), []

    def fails(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 3:
            raise OSError("the medium has failed")

    monkeypatch.setattr(module.os, "fsync", fails)
    with pytest.raises(OSError, match="has failed"):
        saved(states, 1, wait=wait)
    assert files(tmp_path) == set()
    assert states.parts == []


def test_a_process_that_is_killed_leaves_no_state(tmp_path: Path) -> None:
    states = States(tmp_path)

    def dies() -> tuple[bytes, bytes]:
        os.kill(os.getpid(), signal.SIGKILL)
        return b"", b""

    states.write(1, dies, 0)
    with pytest.raises(OSError, match="could not be written"):
        states.wait()
    assert files(tmp_path) == set()


def test_what_a_killed_watch_left_is_removed_and_what_is_written_is_not(tmp_path: Path) -> None:
    (tmp_path / "state-0000000009-1-1.part").write_bytes(b"half")
    (tmp_path / "state-0000000009-1-1-reports.copy").write_bytes(b"half")
    states = States(tmp_path)
    first = saved(states, 1)

    def slow() -> tuple[bytes, bytes]:
        time.sleep(0.3)
        return b"state 2", b"part 2"

    states.write(2, slow, 1)
    while states.is_writing and (second := states.finish()) is None:
        states.keep([first])
        time.sleep(0.01)
    states.keep([first, second])
    assert states.find(second)
    assert len(files(tmp_path)) == 6
