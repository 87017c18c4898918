"""Options of a configuration, declared as data: the same validates, explains and documents."""

from __future__ import annotations

import difflib
import importlib.util
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from adiz.errors import Fault, FaultyInputError

REQUIRED = object()
Kind = Literal["text", "texts", "number", "whole", "truth", "table", "place"]
_WORDS: dict[Kind, str] = {
    "text": "text in quotes",
    "texts": "text in quotes, or an array of it",
    "number": "a number",
    "whole": "a whole number",
    "truth": "true or false",
    "table": "a table",
    "place": "LAT,LON,HEIGHT_M as text or an array of three numbers",
}


@dataclass(frozen=True, slots=True)
class Option:
    """One key of a table of the configuration.

    Attributes:
        name: of the key.
        kind: what its value is.
        meaning: for the reference page and ``--check``.
        default: taken where the key is absent; :data:`REQUIRED`: there has to be one.
        least, most: bounds of a number, both allowed.
        choices: the only texts allowed, where not empty.
    """

    name: str
    kind: Kind
    meaning: str
    default: Any = REQUIRED
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()


class OptionError(ValueError):
    """A value that fits its declaration and is impossible all the same.

    Attributes:
        field: the option; ``remedy``: what to write instead.
    """

    def __init__(self, message: str, field: str | None, remedy: str | None = None) -> None:
        super().__init__(message)
        self.field = field
        self.remedy = remedy


def read_options(
    table: Mapping[str, Any], options: Iterable[Option], label: str, where: str | None
) -> dict[str, Any]:
    """The values of a table, checked, with the defaults filled in.

    Raises:
        FaultyInputError: with every fault of the table.
    """
    declared = {option.name: option for option in options}
    faults = [_unknown(key, declared, label, where) for key in table if key not in declared]
    values: dict[str, Any] = {}
    for name, option in declared.items():
        if name in table:
            wrong = _wrong(option, table[name])
            if wrong:
                faults.append(Fault(wrong[0], where, field=f"{label}.{name}", remedy=wrong[1]))
            values[name] = _value(option, table[name])
        elif option.default is REQUIRED:
            remedy = f"write {name} = {_example(option)}: {option.meaning}"
            faults.append(
                Fault(f"no {name} is given", where, field=f"{label}.{name}", remedy=remedy)
            )
        else:
            values[name] = option.default
    if faults:
        raise FaultyInputError(faults)
    return values


def needs_package(module: str, package: str, extra: str) -> None:
    """Raise an OptionError unless a package that only some need is there."""
    if importlib.util.find_spec(module) is None:
        raise OptionError(
            f"the Python package {package} is not installed", "kind", f"pip install 'adiz[{extra}]'"
        )


def nearest(word: str, known: Iterable[str]) -> str:
    """A remedy for a word that is none of those known."""
    known = list(known)
    near = difflib.get_close_matches(word, known, 1)
    listed = "there are " + ", ".join(known)
    return f"did you mean '{near[0]}'? {listed}" if near else listed


def _unknown(key: str, known: Iterable[str], label: str, where: str | None) -> Fault:
    return Fault(
        f"there is no option '{key}' here",
        where,
        field=f"{label}.{key}",
        remedy=nearest(key, known),
    )


def _wrong(option: Option, value: Any) -> tuple[str, str] | None:
    """What is wrong with a value, and the remedy."""
    if not _fits(option.kind, value):
        return f"{value!r} is not what this has to be", f"write {_WORDS[option.kind]}"
    if option.choices and value not in option.choices:
        return f"'{value}' is not known", nearest(str(value), option.choices)
    if option.kind in ("number", "whole"):
        low, high = option.least, option.most
        if (low is not None and not value >= low) or (high is not None and not value <= high):
            return f"{value} is out of range", _range(low, high)
    if option.kind in ("text", "texts") and value in ("", []):
        return "it is empty", option.meaning
    return None


def _range(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return f"at least {low:g}" if low is not None else f"at most {high:g}"
    return f"from {low:g} to {high:g}"


def _fits(kind: Kind, value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "texts":
        return isinstance(value, str) or (
            isinstance(value, list) and all(isinstance(v, str) for v in value)
        )
    if kind == "place":
        return isinstance(value, str | list)
    fits = {
        "text": isinstance(value, str),
        "number": number and value == value,
        "whole": number and isinstance(value, int),
        "truth": isinstance(value, bool),
        "table": isinstance(value, dict),
    }
    return fits[kind]


def _value(option: Option, value: Any) -> Any:
    if option.kind == "texts" and isinstance(value, str):
        return [value]
    return float(value) if option.kind == "number" and _fits("number", value) else value


def _example(option: Option) -> str:
    return {"number": "1.0", "whole": "1", "truth": "true", "table": "{}"}.get(option.kind, '"…"')
