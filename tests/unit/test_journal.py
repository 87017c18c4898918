"""The journal: order, numbers, size; what a kill, a full disk or damage leave behind."""

from __future__ import annotations

from pathlib import Path

from tests.report_rows import reports

from adiz.run.live.journal import Journal, Record


def same(left: Record, right: Record) -> bool:
    """Equal in everything, reports included."""
    if left._replace(reports=None) != right._replace(reports=None):
        return False
    if left.reports is None or right.reports is None:
        return left.reports is right.reports
    return left.reports.equals(right.reports) and left.reports.schema == right.reports.schema


def fill(journal: Journal, count: int) -> list[Record]:
    """Records of every sort."""
    made = []
    for i in range(count):
        if i % 3 == 0:
            made.append(journal.append("tick", "", 1000 + i))
        elif i % 3 == 1:
            made.append(journal.append("reports", "a", 1000 + i, reports(i % 90), f"p{i}"))
        else:
            made.append(journal.append("feed_down", "b", 1000 + i, data={"reason": "가\n", "n": i}))
    return made


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.journal"))


def test_records_are_read_back_as_they_were(tmp_path: Path) -> None:
    journal = Journal(tmp_path, fsync_s=0)
    made = fill(journal, 100)
    assert [r.seq for r in made] == list(range(1, 101))
    assert all(same(a, b) for a, b in zip(journal.read(0), made, strict=True))
    assert [r.seq for r in journal.read(97)] == [98, 99, 100]
    journal.close()
    journal = Journal(tmp_path)
    assert journal.last_seq == 100
    assert all(same(a, b) for a, b in zip(journal.read(0), made, strict=True))
    assert journal.append("end", "", 5).seq == 101
    journal.close()
