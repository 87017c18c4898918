"""``adiz alerts``, on the store of a watch."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.alert_log import make_event

from adiz.cli import alerts
from adiz.errors import AdizError
from adiz.out.alerts import Alerts, Rule
from adiz.out.alerts.model import RefusedError
from adiz.out.alerts.sinks.terminal import TerminalSink
from adiz.run.live.store import Store


class Refusing(TerminalSink):
    def deliver(self, message: object) -> None:
        raise RefusedError("the receiver answered 400")


@pytest.fixture
def config(tmp_path: Path) -> str:
    """A watch that has told three alerts, one of them to nobody."""
    path = tmp_path / "watch.toml"
    path.write_text('[watch]\nstore = "kept/w.db"\n[[sinks]]\nname = "s"\nsecret_env = "GONE"\n')
    (tmp_path / "kept").mkdir()
    store = Store(str(tmp_path / "kept" / "w.db"))
    sinks = [Refusing("bad", open("/dev/null", "w"))]  # noqa: SIM115
    alerts = Alerts(store, sinks, [Rule(name="r", sinks=("bad",), repeat_s=60)])
    entry = make_event(event_id="aaaa", text="A entered\x1b[2J")
    gone = make_event(event_id="bbbb", track="B")
    store.commit([entry, gone, make_event(event_id="cccc", at_s=5)])
    store.commit([replace(gone, revision=2, withdrawn=True)])
    alerts.start()
    assert alerts.drain(20)
    assert alerts.stop()
    store.close()
    return str(path)


def adiz(*args: str) -> int:
    parser = argparse.ArgumentParser()
    alerts.build_parser(parser)
    return alerts.run(parser.parse_args(list(args)))


def test_list_and_ack(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert adiz("list", config) == 0
    assert capsys.readouterr().out == ("2023-11-14T22:13:20Z  aaaa  r  told  A entered\ufffd[2J\n")
    assert adiz("list", "--all", config) == 0
    states = [line.split("  ")[1:4] for line in capsys.readouterr().out.splitlines()]
    assert states == [
        ["aaaa", "r", "told"],
        ["bbbb", "r", "withdrawn"],
        ["cccc", "r", "repeats aaaa"],
    ]
    assert adiz("ack", config, "aaaa", "zzzz", "--who", "Lee") == 1
    assert "no alert was made of event zzzz" in capsys.readouterr().err
    assert adiz("list", config) == 0
    assert capsys.readouterr().out == ""
    assert adiz("list", "--all", "--json", config) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["who"] for row in rows] == ["Lee", None, None]


def test_dead_and_resend(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert adiz("dead", config, "--json") == 0
    letters = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [letter["event_id"] for letter in letters] == ["aaaa", "bbbb", "bbbb"]
    assert adiz("dead", config, "--sink", "other") == 0
    assert capsys.readouterr().out == ""
    with pytest.raises(AdizError, match="say which"):
        adiz("resend", config)
    assert adiz("resend", config, str(letters[0]["id"])) == 0
    assert adiz("dead", config) == 0
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) == 3
    assert "  bad  the receiver answered 400  " in shown[-1]
    assert adiz("resend", config, "--all") == 0
    assert adiz("resend", config, "--all") == 1


def test_stores_without_alerts(tmp_path: Path) -> None:
    path = tmp_path / "w.toml"
    with pytest.raises(AdizError, match="no configuration that can be read"):
        adiz("list", str(path))
    path.write_text("watch = 3")
    with pytest.raises(AdizError, match="no store of a watch is at"):
        adiz("list", str(path))
    path.write_text("[watch]\nstore = 5")
    with pytest.raises(AdizError, match="is no text"):
        adiz("list", str(path))
    path.write_text('[watch]\nstore = "w.db"')
    Store(str(tmp_path / "w.db")).close()
    with pytest.raises(AdizError, match="has no alerts yet"):
        adiz("list", str(path))
