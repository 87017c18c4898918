"""Copies of sources, kept so that what was collected can be shown to be unchanged.

Follows the Berkeley Protocol on Digital Open Source Investigations (OHCHR and Human Rights
Center, UC Berkeley, 2022), chapters on collection and preservation: the original is kept as it was
collected, apart from working copies; its SHA-256 is taken at once; when, how and by whom it was
collected is recorded; every later act is logged.

Beside an incident file ``x.toml`` stands the folder ``x.evidence``::

    originals/SHA256.suffix    read-only, never written to again
    working/SOURCE/name        to annotate, crop, translate
    log.jsonl                  one act a line; each line holds the SHA-256 of the line before
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from adiz.errors import AdizError
from adiz.incidents.model import Incident


@dataclass(frozen=True, slots=True)
class Finding:
    """What verifying found of one file."""

    state: Literal["good", "changed", "missing", "unlogged", "broken"]
    file: str
    message: str


def folder_of(incident_file: str | Path) -> Path:
    """The evidence folder that belongs to an incident file."""
    return Path(incident_file).with_suffix(".evidence")


def hash_file(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_inputs(incident: Incident) -> dict[str, str]:
    """Name and SHA-256 of an incident's file, of those it names, and of its evidence log."""
    path = Path(incident.file)
    names = [*incident.zone_files, *(s.track.file for s in incident.subjects if s.track)]
    inputs = {path.name: incident.sha256} | {n: hash_file(path.parent / n) for n in names}
    log = folder_of(path) / "log.jsonl"
    if log.is_file():
        inputs[f"{log.parent.name}/{log.name}"] = hash_file(log)
    return inputs


def add_evidence(
    folder: Path,
    source_id: str,
    path: Path,
    *,
    how: str,
    collected_at: datetime,
    logged_at: datetime,
    who: str = "",
) -> dict[str, Any]:
    """Keep a copy of a source's file, make a working copy, and log both.

    Args:
        folder: see :func:`folder_of`; made where it is not there.
        source_id: of the incident's source the file is a copy of.
        path: the file.
        how: how it was collected ("page saved from a browser").
        collected_at: when; aware.
        logged_at: the present moment.
        who: by whom.

    Returns:
        The entry of the log: sequence, logged_at, act, source, who, original, working, sha256,
        size_bytes, name, collected_at, how, previous_sha256.

    Raises:
        AdizError: the file cannot be read, or this very file is already kept for the source.
    """
    if collected_at.tzinfo is None:
        raise AdizError(f"{collected_at} has no time zone; write e.g. 2019-07-24T10:00+09:00")
    if not path.is_file():
        raise AdizError(f"{path} is no file; give the file to keep")
    sha256 = hash_file(path)
    for entry in read_log(folder):
        if entry.get("source") == source_id and entry.get("sha256") == sha256:
            raise AdizError(f"{path} is already kept for source {source_id}: {entry['original']}")
    suffix = path.suffix if re.fullmatch(r"\.\w{1,8}", path.suffix) else ""
    original = folder / "originals" / (sha256 + suffix)
    working = _free(folder / "working" / _safe(source_id) / _safe(path.name))
    for target in (original, working):
        target.parent.mkdir(parents=True, exist_ok=True)
    if not original.exists():
        part = original.with_suffix(".part")
        shutil.copyfile(path, part)
        if hash_file(part) != sha256:
            part.unlink()
            raise AdizError(f"{path} changed while it was copied; add it again")
        part.chmod(0o444)
        part.rename(original)
    shutil.copyfile(original, working)
    return _append(
        folder,
        logged_at,
        act="add",
        source=source_id,
        who=who,
        name=path.name,
        original=original.relative_to(folder).as_posix(),
        working=working.relative_to(folder).as_posix(),
        sha256=sha256,
        size_bytes=original.stat().st_size,
        collected_at=collected_at.astimezone(UTC).isoformat(),
        how=how,
    )


def log_change(
    folder: Path, working: str, what: str, *, logged_at: datetime, who: str = ""
) -> dict[str, Any]:
    """Log what was done to a working copy, with its SHA-256 as it now is.

    Raises:
        AdizError: no such working copy is known.
    """
    known = sorted(_working_hashes(read_log(folder)))
    if working not in known:
        raise AdizError(f"{working} is no working copy; there are: {', '.join(known) or 'none'}")
    sha256 = hash_file(folder / working)
    return _append(
        folder, logged_at, act="change", who=who, working=working, working_sha256=sha256, what=what
    )


def read_log(folder: Path) -> list[dict[str, Any]]:
    """The entries of a folder's log, oldest first; empty where there is none.

    Raises:
        AdizError: a line is not an entry.
    """
    entries = []
    for number, line in enumerate(_lines(folder), start=1):
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if not isinstance(entry, dict):
            raise AdizError(f"{folder / 'log.jsonl'}:{number}: not an entry of the log")
        entries.append(entry)
    return entries


def verify_evidence(folder: Path) -> list[Finding]:
    """Compare every kept file with the log, and the log with itself.

    Raises:
        AdizError: there is no log, or it cannot be read.
    """
    entries = read_log(folder)
    if not entries:
        raise AdizError(f"{folder} holds no evidence; 'adiz incident evidence add' keeps some")
    findings = _verify_chain(folder, entries)
    expected: set[str] = set()
    for entry in entries:
        if entry.get("act") == "add" and entry["original"] not in expected:
            expected.add(entry["original"])
            findings.append(_compare(folder, entry["original"], entry["sha256"], "as collected"))
    for working, sha256 in _working_hashes(entries).items():
        found = _compare(folder, working, sha256, "as logged")
        if found.state == "changed":
            found = Finding(
                "unlogged", working, "changed, and no entry says why; log it with 'evidence change'"
            )
        findings.append(found)
    kept = {p.relative_to(folder).as_posix() for p in (folder / "originals").glob("*")}
    findings += [
        Finding("unlogged", name, "is among the originals but in no entry of the log")
        for name in sorted(kept - expected)
    ]
    return findings


def _verify_chain(folder: Path, entries: list[dict[str, Any]]) -> list[Finding]:
    previous = ""
    for number, (line, entry) in enumerate(zip(_lines(folder), entries, strict=True), start=1):
        if entry.get("previous_sha256") != previous or entry.get("sequence") != number:
            message = f"entry {number} does not follow from the one before: the log was altered"
            return [Finding("broken", "log.jsonl", message)]
        previous = hashlib.sha256(line.encode()).hexdigest()
    message = f"{len(entries)} entries, last one {previous}"
    return [Finding("good", "log.jsonl", message)]


def _compare(folder: Path, name: str, sha256: str, good: str) -> Finding:
    path = folder / name
    if not path.is_file():
        return Finding("missing", name, "is not there")
    found = hash_file(path)
    if found != sha256:
        return Finding("changed", name, f"SHA-256 is {found}, was {sha256}")
    return Finding("good", name, f"{good}, SHA-256 {sha256}")


def _working_hashes(entries: list[dict[str, Any]]) -> dict[str, str]:
    """Each working copy and the SHA-256 last logged for it."""
    hashes: dict[str, str] = {}
    for entry in entries:
        if entry.get("working"):
            hashes[entry["working"]] = entry.get("working_sha256") or entry["sha256"]
    return hashes


def _append(folder: Path, logged_at: datetime, **fields: Any) -> dict[str, Any]:
    lines = _lines(folder)
    entry = {
        "sequence": len(lines) + 1,
        "logged_at": logged_at.astimezone(UTC).isoformat(),
        **fields,
        "previous_sha256": hashlib.sha256(lines[-1].encode()).hexdigest() if lines else "",
    }
    with (folder / "log.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps(entry, ensure_ascii=False) + "\n")
        log.flush()
        os.fsync(log.fileno())
    return entry


def _lines(folder: Path) -> list[str]:
    log = folder / "log.jsonl"
    return log.read_text(encoding="utf-8").split("\n")[:-1] if log.is_file() else []


def _safe(name: str) -> str:
    """A name that stays in its folder."""
    return re.sub(r"[^\w.-]", "_", name).lstrip(".") or "file"


def _free(path: Path) -> Path:
    """The path, or the next one like it that is not taken."""
    number = 2
    free = path
    while free.exists():
        free = path.with_stem(f"{path.stem}-{number}")
        number += 1
    return free


def insert_evidence(text: str, source_id: str, entry: dict[str, Any], folder: Path) -> str:
    """An incident file's text with a ``[[sources.evidence]]`` block for an entry of the log.

    The block goes after the source it belongs to; nothing else is touched.

    Raises:
        AdizError: the block cannot be put in without changing something else (the message holds
            it, to be put in by hand), or the file has no such source.
    """
    import tomllib

    quoted = {
        "file": f"{folder.name}/{entry['original']}",
        "sha256": entry["sha256"],
        "collected_at": entry["collected_at"],
        "collected_how": entry["how"],
        "collected_by": entry["who"],
        "working_copy": f"{folder.name}/{entry['working']}",
    }
    block = "[[sources.evidence]]\n" + "".join(
        f"{name} = {json.dumps(value, ensure_ascii=False)}\n"
        for name, value in quoted.items()
        if value
    )
    wanted = tomllib.loads(text)
    sources = [s for s in wanted.get("sources", []) if s.get("id") == source_id]
    if len(sources) != 1:
        raise AdizError(f"the incident file has no source {source_id!r}; add it first")
    sources[0].setdefault("evidence", []).append({k: v for k, v in quoted.items() if v})
    lines = text.splitlines(keepends=True)
    heads = [i for i, line in enumerate(lines) if re.match(r"\s*\[", line)]
    for end in [*heads[1:], len(lines)]:
        before = "".join(lines[:end]).rstrip()
        changed = f"{before}\n\n{block}\n{''.join(lines[end:])}"
        try:
            if tomllib.loads(changed) == wanted:
                return changed.rstrip() + "\n"
        except tomllib.TOMLDecodeError:
            continue
    raise AdizError(f"put this after the source {source_id} of the incident file:\n\n{block}")
