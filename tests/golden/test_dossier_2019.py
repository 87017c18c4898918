"""The dossier of 23 July 2019: what a reader of the page must find on it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import html as lxml_html

from adiz.cli import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dossier")
    arguments = ["incident", "dossier", "2019-07-23", "--out", str(folder), "--no-pdf"]
    assert main([*arguments, "--ring", "a50@ulleungdo"]) == 0
    return folder


@pytest.fixture(scope="module")
def text(folder: Path) -> str:
    tree = lxml_html.fromstring((folder / "index.html").read_text())
    for script in tree.xpath("//script|//style"):
        script.drop_tree()
    return " ".join(tree.text_content().split())


def _box(folder: Path, kind: str) -> str:
    tree = lxml_html.fromstring((folder / "index.html").read_text())
    (box,) = tree.xpath(f"//section[@class='box {kind}']")
    return " ".join(box.text_content().split())


def test_what_is_agreed(folder: Path) -> None:
    agreed = _box(folder, "agreed")
    assert "Republic of Korea, Japan and China say: there were 4 bombers" in agreed
    assert "Republic of Korea and Russia say" in agreed
    assert "some flares" in agreed


def test_what_is_disputed(folder: Path) -> None:
    disputed = _box(folder, "disputed")
    where, rounds = disputed.index("Where A-50 was"), disputed.index("How many rounds")
    assert where < rounds
    for words in ("more than 25 km", "Republic of Korea", "Japan", "Russia", "China"):
        assert words in disputed[where:rounds]
    assert "fired nothing" in disputed[rounds:]
    # Read at its widest ("about") the place is 8 km from the edge, which a minute's flight covers.
    assert "26 km inside KADIZ" in disputed


def test_what_is_impossible(folder: Path) -> None:
    impossible = _box(folder, "impossible")
    assert "P. Felgenhauer: A-50 entered KADIZ at 09:09" in impossible
    assert "27 km apart at the least" in impossible
    assert "26 km inside KADIZ" not in impossible


def test_what_is_unknown(folder: Path) -> None:
    unknown = _box(folder, "unknown")
    assert "It names only 2 × Tu-95" in unknown
    assert "No recorded positions" in unknown
    assert "worked out, not stated" in unknown


def test_circumstances_and_responses(text: str) -> None:
    assert "On the stated headings the sun stood on the left beam and on the right beam" in text
    assert re.search(r"on the left beam, 4[56]° up", text)
    assert re.search(r"on the right beam, 5[01]° up", text)
    assert "Moscow03:09, nautical twilight" in text.replace(" 03:09", "03:09")
    assert "about 80 + about 280 = 360 rounds" in text
    assert "about 10 + about 10 = 20 flares" in text
    assert "25 can stand with 50+" in text
    assert "13 can stand with 20+" in text


def test_names_are_neutral_and_paths_are_reconstructions(text: str, folder: Path) -> None:
    assert "Liancourt Rocks (Dokdo/Takeshima)" in text
    assert "It is not a recorded track" in text
    features = json.loads((folder / "dossier.geojson").read_text())["features"]
    lines = [f for f in features if f["geometry"]["type"] == "LineString"]
    assert lines
    assert all(f["properties"]["what"].startswith("reconstruction") for f in lines)


def test_same_input_same_bytes_in_another_process(folder: Path, tmp_path: Path) -> None:
    arguments = ["incident", "dossier", "2019-07-23", "--out", str(tmp_path), "--no-pdf"]
    subprocess.run(
        [sys.executable, "-m", "adiz", *arguments, "--ring", "a50@ulleungdo"],
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"},
    )
    for path in sorted(folder.iterdir()):
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name


def test_the_reconstruction_flies_as_the_account_says(folder: Path) -> None:
    data = json.loads((folder / "dossier.json").read_text())
    rows = [r for r in data["circumstances"]["sun"] if r["heading_claim"] == ""]
    headings = {r["moment"][11:16]: r["sun"]["heading_deg"] for r in rows}
    assert 135 < headings["00:12"] < 225  # southbound, out of the belt at 09:12
    assert not 90 < headings["00:37"] < 270  # northbound at 09:37
