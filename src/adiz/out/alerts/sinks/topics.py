"""Topics and subjects made of a template and an alert's values."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator

from adiz.options import OptionError
from adiz.out.alerts.message import Message

FIELDS = ("rule", "kind", "zone", "track", "icao24", "state", "role", "feed", "certainty")
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


def check_template(template: str, option: str) -> None:
    """Hold a template to the fields there are.

    Raises:
        OptionError: it names others, or cannot be read.
    """
    try:
        named = list(_fields(template))
    except ValueError:
        raise OptionError(
            f"{template!r} cannot be read", option, "write {kind}, {zone} …"
        ) from None
    wrong = [name for name in named if name not in FIELDS]
    if wrong:
        known = ", ".join(f"{{{name}}}" for name in FIELDS)
        raise OptionError(f"{{{wrong[0]}}} is not known", option, f"there are {known}")


def fill_template(template: str, message: Message) -> str:
    """The template with the values in; what has a meaning in topics becomes ``_``."""
    event = message.event
    values = {
        "rule": message.rule,
        "kind": event.kind,
        "zone": event.zone_id,
        "track": event.tracks[0] if event.tracks else None,
        "icao24": event.icao24,
        "state": event.state,
        "role": event.role,
        "feed": event.feed,
        "certainty": event.certainty,
    }
    safe = {name: _UNSAFE.sub("_", value or "none")[:100] or "_" for name, value in values.items()}
    return template.format(**safe)


def _fields(template: str) -> Iterator[str]:
    for _, name, form, conversion in string.Formatter().parse(template):
        if form or conversion:
            raise ValueError(template)
        if name is not None:
            yield name
