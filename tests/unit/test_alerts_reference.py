"""The reference page and the guide of alerts, held to the code."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import tomllib
from collections.abc import Iterable
from typing import Any

import pytest
from tests.alert_log import make_message
from tests.conftest import ROOT

from adiz.options import REQUIRED, Option
from adiz.out.alerts import from_tables, options_of
from adiz.out.alerts.config import COMMON, KINDS, QUIET, RULE
from adiz.out.alerts.sinks.topics import FIELDS

PAGE = (ROOT / "docs" / "reference" / "watch.md").read_text()
GUIDE = (ROOT / "docs" / "how-to" / "alerts.md").read_text()
PARTS = {
    "## Sinks": COMMON,
    "## Rules": RULE,
    "### Quiet times": QUIET,
    **{f"### Sink `{kind}`": options_of(kind) for kind in KINDS},
}


def table_of(options: Iterable[Option]) -> str:
    """Options as the reference page has them."""

    def shown(default: Any) -> str:
        if default is REQUIRED:
            return "needed"
        if default is None or default in ("", (), {}):
            return ""
        if isinstance(default, tuple):
            return ", ".join(f"`{one}`" for one in default)
        return f"`{str(default).lower() if isinstance(default, bool) else default}`"

    rows = [f"| `{o.name}` | {o.kind} | {shown(o.default)} | {o.meaning} |" for o in options]
    return "\n".join(["| key | value | default | meaning |", "|---|---|---|---|", *rows, ""])


@pytest.mark.parametrize("part", PARTS)
def test_the_reference_page_has_every_option(part: str) -> None:
    text = PAGE.split(f"\n{part}\n", 1)[1]
    assert table_of(PARTS[part]) in text.split("\n## ", 1)[0]


def test_the_reference_page_has_every_field_of_an_alert() -> None:
    part = PAGE.split("### What an alert says", 1)[1].split("\n### ", 1)[0]
    assert re.findall(r"^\| `(\w+)`", part, re.M) == list(make_message().body())
    assert all(f"`{{{name}}}`" in PAGE for name in FIELDS)


def test_the_examples_of_the_guide_are_good(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in re.findall(r'_env = "(\w+)"', GUIDE):
        monkeypatch.setenv(name, "x")
    files = "ca_file|cert_file|key_file"
    sinks, rules = [], []
    for block in re.findall(r"```toml\n(.*?)```", GUIDE, re.S):
        tables = tomllib.loads(re.sub(rf"^({files}) = .*\n", "", block, flags=re.M))
        sinks += tables.get("sinks", [])
        rules += tables.get("rules", [])
    setup = from_tables(sinks, rules)
    assert {sink.kind for sink in setup.sinks} == set(KINDS)
    assert len(setup.rules) >= 3


def test_the_check_of_a_signature_in_the_guide() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE, re.S)
    names: dict[str, Any] = {}
    exec(code, names)
    key = b"0123456789abcdef01234567"
    secret = "whsec_" + base64.b64encode(key).decode()
    body, stamp = b'{"a": 1}', "1700000000"
    signed = b"id." + stamp.encode() + b"." + body
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    headers = {
        "webhook-id": "id",
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{signature}",
    }
    is_genuine = names["is_genuine"]
    assert is_genuine(secret, headers, body, now_s=1700000100)
    assert not is_genuine(secret, headers, body + b" ", now_s=1700000100)
    assert not is_genuine(secret, headers, body, now_s=1700001000)
    assert not is_genuine("whsec_AAAA", headers, body, now_s=1700000100)
