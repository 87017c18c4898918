import pytest

from adiz.errors import AdizError
from adiz.incidents.diff import diff_texts

OLD = """
title = "x"
[[claims]]
id = "C1"
quote = "12 km"
zones = ["A"]
[[claims]]
id = "C2"
quote = "gone"
"""
NEW = """
title = "x"
time_zone = "Asia/Seoul"
[[claims]]
id = "C3"
quote = "new \\u001b[31m"
[[claims]]
id = "C1"
quote = "13 km"
zones = ["A", "B"]
"""


def test_parts_are_matched_by_id() -> None:
    assert [str(d) for d in diff_texts(OLD, NEW)] == [
        '+ time_zone: "Asia/Seoul"',
        '+ claims[C3]: {"id": "C3", "quote": "new \\u001b[31m"}',
        '~ claims[C1].quote: "12 km" → "13 km"',
        '~ claims[C1].zones: ["A"] → ["A", "B"]',
        '- claims[C2]: {"id": "C2", "quote": "gone"}',
    ]


def test_order_and_comments_are_no_difference() -> None:
    first = '# a\n[[s]]\nid = "1"\n[[s]]\nid = "2"'
    assert diff_texts(first, '[[s]]\nid = "2"\n[[s]]\nid = "1"') == []


def test_a_type_is_a_difference() -> None:
    assert [d.kind for d in diff_texts("a = 1\nb = 1", "a = true\nb = 1.0")] == ["changed"] * 2


def test_not_toml() -> None:
    with pytest.raises(AdizError, match="not TOML"):
        diff_texts("a = 1", "a = ")
