"""The settings of warnings: their defaults, their limits, and their TOML table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

from adiz.errors import Fault, FaultyInputError

DEFAULT_HORIZONS_S: Mapping[str, float] = MappingProxyType(
    {
        "adiz": 600.0,
        "fir": 300.0,
        "territorial": 240.0,
        "prohibited": 300.0,
        "restricted": 300.0,
        "danger": 300.0,
        "other": 300.0,
    }
)
"""How far ahead an entry is warned of, in seconds, by the kind of the zone."""

# Least and most of each setting; whole numbers where both are.
_LIMITS: dict[str, tuple[float, float]] = {
    "agree": (1, 16),
    "of": (1, 16),
    "clear_after": (1, 16),
    "clear_factor": (1.0, 3.0),
    "cone_deg": (0.0, 90.0),
    "cone_horizon_s": (0.0, 3600.0),
    "turn_ahead_s": (0.0, 120.0),
    "turn_min_deg_s": (0.05, 10.0),
    "smooth_s": (0.0, 300.0),
    "every_s": (0.1, 600.0),
    "hold_s": (0.0, 60.0),
    "max_gap_s": (1.0, 3600.0),
    "min_speed_kt": (0.0, 1000.0),
    "max_speed_kt": (1.0, 10_000.0),
}


@dataclass(frozen=True, slots=True)
class WarningsParams:
    """Settings of the detector.

    Attributes:
        horizon_s: warning time by kind of zone; kinds not named have that of ``other``, and what
            is not given is as in :data:`DEFAULT_HORIZONS_S`. 0: no warnings for that kind.
        agree, of: a warning is raised when ``agree`` of the last ``of`` updates meet the zone.
        clear_after: updates in a row that come nowhere near before a warning is cleared.
        clear_factor: near is within the warning time times this.
        cone_deg: half-angle of the cone looked into on either side of the course. 0: none.
        cone_horizon_s: how far ahead the cone is looked into.
        turn_ahead_s: a turn under way opens the cone on its side by what it would turn in this
            time, at most 90 degrees.
        turn_min_deg_s: a slower change of course is no turn.
        smooth_s: time over which the course is averaged; a turn is followed at once.
        every_s: at most one report in this much event time is looked at.
        hold_s: a prediction stands for up to this long while the motion stays the same.
        max_gap_s: a track not heard for longer is lost.
        min_speed_kt, max_speed_kt: nothing is predicted for a track slower or faster.

    Raises:
        FaultyInputError: a setting out of range; says which and the remedy.
    """

    horizon_s: Mapping[str, float] = field(default_factory=lambda: DEFAULT_HORIZONS_S)
    agree: int = 3
    of: int = 5
    clear_after: int = 5
    clear_factor: float = 1.2
    cone_deg: float = 3.0
    cone_horizon_s: float = 180.0
    turn_ahead_s: float = 20.0
    turn_min_deg_s: float = 0.5
    smooth_s: float = 30.0
    every_s: float = 1.0
    hold_s: float = 10.0
    max_gap_s: float = 120.0
    min_speed_kt: float = 20.0
    max_speed_kt: float = 1500.0

    def __post_init__(self) -> None:
        faults = [f for name in _LIMITS if (f := _out_of_range(name, getattr(self, name)))]
        if not faults and self.agree > self.of:
            faults.append(
                Fault(
                    f"agree is {self.agree}, more than of, which is {self.of}",
                    field="agree",
                    remedy="give at most of",
                )
            )
        if not faults and self.min_speed_kt >= self.max_speed_kt:
            faults.append(Fault("min_speed_kt is not below max_speed_kt", field="min_speed_kt"))
        faults += _horizon_faults(self.horizon_s)
        if faults:
            raise FaultyInputError(faults)
        full = dict(DEFAULT_HORIZONS_S) | {k: float(v) for k, v in self.horizon_s.items()}
        object.__setattr__(self, "horizon_s", MappingProxyType(full))

    @classmethod
    def from_table(cls, table: Mapping[str, Any], where: str | None = None) -> WarningsParams:
        """The settings of a TOML table ``[warnings]``.

        Args:
            table: names as the attributes; ``horizon_s`` a table of seconds by kind.
            where: the file, for messages.

        Raises:
            FaultyInputError: with every fault found.
        """
        import difflib

        known = [f.name for f in fields(cls)]
        faults = []
        for name in table:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
                faults.append(Fault(f"[warnings] has no setting {name!r}", where, None, name, hint))
        try:
            params = cls(**{name: value for name, value in table.items() if name in known})
        except FaultyInputError as error:
            faults += [Fault(f.message, where, None, f.field, f.remedy) for f in error.faults]
        if faults:
            raise FaultyInputError(faults)
        return params

    def as_table(self) -> dict[str, Any]:
        """The settings as plain values, as :meth:`from_table` takes them."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return values | {"horizon_s": dict(self.horizon_s)}

    def horizon_of(self, kind: str) -> float:
        """The warning time of a kind of zone, seconds."""
        return self.horizon_s.get(kind, self.horizon_s["other"])


def _out_of_range(name: str, value: object) -> Fault | None:
    low, high = _LIMITS[name]
    whole = isinstance(low, int)
    kinds = int if whole else (int, float)
    if isinstance(value, kinds) and not isinstance(value, bool) and low <= value <= high:
        return None
    what = "a whole number" if whole else "a number"
    return Fault(f"{name} is {value!r}", field=name, remedy=f"give {what} from {low:g} to {high:g}")


def _horizon_faults(horizons: object) -> list[Fault]:
    if not isinstance(horizons, Mapping):
        return [
            Fault(
                f"horizon_s is {horizons!r}",
                field="horizon_s",
                remedy="give a table of seconds by kind, e.g. adiz = 600",
            )
        ]
    return [
        Fault(
            f"horizon_s of {kind} is {value!r}",
            field=f"horizon_s.{kind}",
            remedy="give seconds from 0 to 3600",
        )
        for kind, value in horizons.items()
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 3600
    ]
