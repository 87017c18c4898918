"""A scene as one HTML file that needs nothing else.

The page's own script and style are named in its content security policy by their hashes, so
nothing that arrives as data can run, load or send anything.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from importlib import resources
from typing import Any

from adiz import __version__

SCRIPTS = (
    "codec.js",
    "sphere.js",
    "clock.js",
    "style.js",
    "shapes.js",
    "view.js",
    "labels.js",
    "paint.js",
    "moment.js",
    "panel.js",
    "table.js",
    "main.js",
)
MAX_TEXT = 600
UNSHOWN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff]"
)
"""Characters that show nothing or turn the text around them."""


def render(scene: dict[str, Any]) -> str:
    """The page of a scene; the same scene gives the same text."""
    scene = _clean(scene | {"credits": [*scene["credits"], f"Made with adiz {__version__}."]})
    script = '"use strict";(() => {\n' + "".join(_part(name) for name in SCRIPTS) + "})();\n"
    style = _part("style.css")
    filled = {
        "title": _escaped(scene["title"]),
        "style": style,
        "style-hash": _hash(style),
        "script": script,
        "script-hash": _hash(script),
        "scene": _inert_json(scene),
    }
    return re.sub(r"\{\{([a-z-]+)\}\}", lambda match: filled[match[1]], _part("page.html"))


def _part(name: str) -> str:
    return resources.files("adiz.out.map").joinpath("page", name).read_text("utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _clean(value: Any) -> Any:
    """Texts of bounded length without characters that deceive the eye."""
    if isinstance(value, str):
        # packed numbers are plain letters and may be long
        if len(value) > MAX_TEXT and not re.fullmatch(r"[\w-]+", value, re.ASCII):
            value = value[:MAX_TEXT] + "…"
        return UNSHOWN.sub("\ufffd", value)
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(item) for item in value]
    return value


def _inert_json(value: Any) -> str:
    """JSON that cannot end the element it stands in."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
