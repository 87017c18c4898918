"""``adiz incident`` save, log, diff, show and evidence: what is kept of an incident."""

from __future__ import annotations

import argparse
from typing import Any

from adiz.cli._rows import printable
from adiz.errors import AdizError

_STORE = "incidents.db"


def add_actions(actions: Any) -> None:
    """Add the actions to the parser of ``adiz incident``."""
    save = actions.add_parser("save", help="keep the file as a new revision")
    save.add_argument("file", metavar="FILE", help="incident file, or id of a bundled incident")
    save.add_argument("--message", default="", help="why, or what changed")
    save.add_argument("--author", default="", help="who saves it")
    _add_store(save)
    save.set_defaults(act=_save)

    log = actions.add_parser("log", help="the revisions of an incident, and whether all are whole")
    log.add_argument("incident", metavar="ID", nargs="?", help="default: list the incidents kept")
    _add_store(log)
    log.set_defaults(act=_log)

    diff = actions.add_parser("diff", help="what changed between two revisions")
    diff.add_argument("incident", metavar="ID")
    diff.add_argument("old", metavar="OLD", type=int, nargs="?", help="default: the last but one")
    diff.add_argument("new", metavar="NEW", type=int, nargs="?", help="default: the last")
    _add_store(diff)
    diff.set_defaults(act=_diff)

    show = actions.add_parser("show", help="print a revision's file as it was saved")
    show.add_argument("incident", metavar="ID")
    show.add_argument("--revision", type=int, metavar="N", help="default: the last")
    _add_store(show)
    show.set_defaults(act=_show)

    _add_evidence(actions)


def _add_store(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--store", default=_STORE, metavar="URL", help=f"path or postgresql://… ({_STORE})"
    )


def _add_evidence(actions: Any) -> None:
    evidence = actions.add_parser("evidence", help="keep copies of sources, and verify them")
    acts = evidence.add_subparsers(dest="evidence", required=True, metavar="ACT")
    add = acts.add_parser("add", help="keep a file as the copy of a source")
    add.add_argument("file", metavar="FILE", help="incident file")
    add.add_argument("source", metavar="SOURCE", help="id of the source it is a copy of")
    add.add_argument("path", metavar="PATH", help="the file to keep")
    add.add_argument("--how", required=True, help='how it was collected ("saved from a browser")')
    add.add_argument("--collected", metavar="TIME", help="when, ISO 8601 with offset (now)")
    add.add_argument("--who", default="", help="by whom")
    add.set_defaults(act=_evidence_add)
    change = acts.add_parser("change", help="log what was done to a working copy")
    change.add_argument("file", metavar="FILE", help="incident file")
    change.add_argument("working", metavar="COPY", help="working copy, as 'verify' names it")
    change.add_argument("--what", required=True, help='what was done ("translated")')
    change.add_argument("--who", default="", help="by whom")
    change.set_defaults(act=_evidence_change)
    verify = acts.add_parser("verify", help="compare every kept file with the log")
    verify.add_argument("file", metavar="FILE", help="incident file")
    verify.set_defaults(act=_evidence_verify)


def _save(args: argparse.Namespace) -> int:
    from adiz import clock
    from adiz.incidents.catalogue import find_incident
    from adiz.incidents.evidence import hash_inputs
    from adiz.incidents.file import parse_incident
    from adiz.incidents.store import Store

    path = find_incident(args.file)
    data = path.read_bytes()
    incident = parse_incident(data, str(path))
    revision = Store(args.store, create=True).save(
        incident.incident_id,
        data.decode(),
        saved_at=clock.now(),
        author=args.author,
        message=args.message,
        inputs=hash_inputs(incident),
    )
    print(f"{revision.incident_id} revision {revision.number}  SHA-256 {revision.revision_sha256}")
    return 0


def _log(args: argparse.Namespace) -> int:
    from adiz.incidents.store import Store

    store = Store(args.store)
    if args.incident is None:
        print("\n".join(store.incidents()))
        return 0
    for revision in store.log(args.incident):
        by = f" by {printable(revision.author)}" if revision.author else ""
        print(f"revision {revision.number}  {revision.saved_at}{by}  adiz {revision.version}")
        if revision.message:
            print(f"  {printable(revision.message)}")
        print(f"  SHA-256 {revision.revision_sha256}")
    faults = store.verify(args.incident)
    print("\n".join(faults) if faults else "the chain of revisions is whole")
    return 1 if faults else 0


def _diff(args: argparse.Namespace) -> int:
    from adiz.incidents.diff import diff_texts
    from adiz.incidents.store import Store

    store = Store(args.store)
    new = store.get(args.incident, args.new)
    if args.old is None and new.number == 1:
        raise AdizError(f"{args.incident} has one revision only; there is nothing to compare")
    old = store.get(args.incident, args.old if args.old is not None else new.number - 1)
    differences = diff_texts(old.content, new.content)
    for difference in differences:
        print(difference)
    if not differences:
        print(f"revisions {old.number} and {new.number} say the same")
    return 0


def _show(args: argparse.Namespace) -> int:
    import sys

    from adiz.incidents.store import Store

    sys.stdout.write(Store(args.store).get(args.incident, args.revision).content)
    return 0


def _evidence_add(args: argparse.Namespace) -> int:
    from datetime import datetime
    from pathlib import Path

    from adiz import clock
    from adiz.incidents.evidence import add_evidence, folder_of, insert_evidence
    from adiz.incidents.file import parse_incident

    path = Path(args.file)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AdizError(f"{path} cannot be read: {error}") from None
    incident = parse_incident(text.encode(), str(path))
    if args.source not in {s.source_id for s in incident.sources}:
        raise AdizError(f"{path} has no source {args.source!r}; add it first")
    now = clock.now()
    try:
        collected = datetime.fromisoformat(args.collected) if args.collected else now
    except ValueError:
        raise AdizError(
            f"{args.collected!r} is no time; write it as 2019-07-24T10:00+09:00"
        ) from None
    folder = folder_of(path)
    entry = add_evidence(
        folder,
        args.source,
        Path(args.path),
        how=args.how,
        collected_at=collected,
        logged_at=now,
        who=args.who,
    )
    print(f"kept {folder / entry['original']}  SHA-256 {entry['sha256']}")
    path.write_text(insert_evidence(text, args.source, entry, folder), encoding="utf-8")
    print(f"work on {folder / entry['working']}; noted in {path}")
    return 0


def _evidence_change(args: argparse.Namespace) -> int:
    from adiz import clock
    from adiz.incidents.evidence import folder_of, log_change

    entry = log_change(
        folder_of(args.file), args.working, args.what, logged_at=clock.now(), who=args.who
    )
    print(f"logged: {entry['working']} is now SHA-256 {entry['working_sha256']}")
    return 0


def _evidence_verify(args: argparse.Namespace) -> int:
    from adiz.incidents.evidence import folder_of, verify_evidence

    findings = verify_evidence(folder_of(args.file))
    for finding in findings:
        print(f"{finding.state:9} {finding.file}: {finding.message}")
    return 0 if all(f.state == "good" for f in findings) else 1
