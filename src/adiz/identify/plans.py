"""Flight plans as they stand after every message about them.

FPL files a plan; CHG, DLA, CNL, DEP and ARR change one. A message belongs to the plan with its
callsign, departure and destination (for ARR the destination may differ: a diversion), and date of
flight where it gives one. A message that fits no plan, or several, is a fault, not a guess.

Days. ``DOF`` is the day of the filed off-block time. A delay past midnight moves to the next day:
a DLA can only be later. Without ``DOF`` a plan has a clock and no day; it is then taken on the day
that brings it nearest to what it is compared with, which :meth:`Plan.off_block` is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from adiz.errors import Fault
from adiz.identify.ats import AtsFile, AtsMessage, amend, day_of_flight, read_ats
from adiz.identify.route import PlanPath, Points, resolve_path, speed_kt

_DAY = timedelta(days=1)


@dataclass(slots=True)
class Plan:
    """One flight plan.

    Attributes:
        message: the FPL, as amended.
        path: where it leads, through the points known.
        status: ``filed``, ``cancelled``, ``departed`` or ``arrived``.
        days_late: midnights that delays passed.
        departed_clock, arrived_clock: ``HHMM`` of DEP and ARR, "" without.
        history: (kind, file, line) of every message applied, the FPL first.
    """

    message: AtsMessage
    path: PlanPath
    status: str = "filed"
    days_late: int = 0
    departed_clock: str = ""
    arrived_clock: str = ""
    history: list[tuple[str, str, int]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Callsign, departure and destination, and where it was read."""
        m = self.message
        return f"{m.callsign} {m.departure}-{m.destination} ({Path(m.file).name}:{m.line})"

    @property
    def day_known(self) -> bool:
        """Whether the plan says which day it is for."""
        return "DOF" in self.message.other

    @property
    def duration(self) -> timedelta:
        """Total estimated elapsed time."""
        eet = self.message.eet
        return timedelta(hours=int(eet[:2]), minutes=int(eet[2:]))

    @property
    def speed_kt(self) -> float:
        """Filed cruising speed, knots of true airspeed."""
        return speed_kt(self.message.speed, self.message.level) or 0.0

    def off_block(self, near: datetime) -> datetime:
        """The off-block time as it stands; ``near`` decides the day where there is no DOF."""
        clock = self.message.departure_time
        day = day_of_flight(self.message)
        if day is None:
            return _nearest(clock, near - self.duration / 2)
        return _on_day(day, clock) + self.days_late * _DAY

    def take_off(self, near: datetime) -> datetime:
        """When it left by the DEP message, else its off-block time."""
        off_block = self.off_block(near)
        if not self.departed_clock:
            return off_block
        return _nearest(self.departed_clock, off_block)

    def filed_at(self, near: datetime) -> datetime | None:
        """When the FPL was sent, by its AFTN envelope: the last such day before the flight."""
        filed = self.message.filed
        if not filed or int(filed[2:4]) > 23 or int(filed[4:]) > 59:
            return None
        latest = self.off_block(near) + self.duration
        for back in range(35):
            moment = _on_day(latest - back * _DAY, filed[2:])
            if moment.day == int(filed[:2]) and moment <= latest:
                return moment
        return None


@dataclass(frozen=True, slots=True)
class Plans:
    """All plans, what was wrong, and the files they came from."""

    plans: tuple[Plan, ...]
    faults: tuple[Fault, ...] = ()
    unknown_points: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.plans)


def read_plans(paths: Iterable[str | Path], points: Points | None = None) -> Plans:
    """Read files of ATS messages and apply them to each other, in the order given.

    Raises:
        FaultyInputError: a file cannot be opened. What is wrong inside is in ``faults``.
    """
    return build_plans([read_ats(path) for path in paths], points or {})


def build_plans(files: Sequence[AtsFile], points: Points) -> Plans:
    """Plans from messages already parsed."""
    faults = [fault for file in files for fault in file.faults]
    plans: dict[tuple[str, str], list[Plan]] = {}
    for message in (m for file in files for m in file.messages):
        same = plans.setdefault((message.callsign, message.departure), [])
        if message.kind == "FPL":
            twin = next((p for p in same if _is_same_flight(p, message)), None)
            if twin:
                known = f"repeats the plan of {twin.message.file}:{twin.message.line}"
                faults.append(_fault(message, known))
                continue
            plan = Plan(message, resolve_path(message, points))
            plan.history.append((message.kind, message.file, message.line))
            same.append(plan)
            continue
        fitting = [plan for plan in same if _fits(plan, message)]
        if len(fitting) == 1:
            _apply(fitting[0], message, points)
        else:
            number = f"{len(fitting)} plans" if fitting else "no plan read before it"
            faults.append(_fault(message, f"fits {number}", "give the plan first, with its DOF"))
    kept = tuple(plan for same in plans.values() for plan in same)
    unknown = sorted({name for plan in kept for name in plan.path.unknown})
    return Plans(kept, tuple(faults), tuple(unknown))


def _fault(message: AtsMessage, text: str, remedy: str | None = None) -> Fault:
    subject = f"{message.kind} {message.callsign} {message.departure}"
    return Fault(f"{subject}: {text}", message.file, message.line, remedy=remedy)


def _is_same_flight(plan: Plan, message: AtsMessage) -> bool:
    held = plan.message
    return plan.status != "cancelled" and (
        (held.destination, held.departure_time, held.other.get("DOF"))
        == (message.destination, message.departure_time, message.other.get("DOF"))
    )


def _fits(plan: Plan, message: AtsMessage) -> bool:
    if plan.status in ("cancelled", "arrived"):
        return False
    if message.kind != "ARR" and message.destination != plan.message.destination:
        # a DEP or DLA to ZZZZ names its destination in item 18
        if message.other.get("DEST") != plan.message.destination:
            return False
    elif (
        message.kind == "ARR"
        and message.departure_time
        and not _is_near(message.departure_time, plan.departed_clock or plan.message.departure_time)
    ):
        return False
    day, own = day_of_flight(message), day_of_flight(plan.message)
    return day is None or own is None or day in (own, own + plan.days_late * _DAY)


def _is_near(clock: str, other: str) -> bool:
    """Whether two clock times differ by less than three hours, across midnight too."""
    apart = abs(_minute(clock) - _minute(other))
    return min(apart, 1440 - apart) < 180


def _apply(plan: Plan, message: AtsMessage, points: Points) -> None:
    plan.history.append((message.kind, message.file, message.line))
    if message.kind == "CNL":
        plan.status = "cancelled"
    elif message.kind == "DLA":
        if _minute(message.departure_time) < _minute(plan.message.departure_time):
            plan.days_late += 1
        plan.message.departure_time = message.departure_time
    elif message.kind == "DEP":
        plan.status, plan.departed_clock = "departed", message.departure_time
    elif message.kind == "ARR":
        plan.status, plan.arrived_clock = "arrived", message.arrival_time
    else:
        amend(plan.message, message)
        plan.path = resolve_path(plan.message, points)


def _minute(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[2:])


def _on_day(day: datetime, clock: str) -> datetime:
    midnight = day.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(minutes=_minute(clock))


def _nearest(clock: str, near: datetime) -> datetime:
    """The moment with that clock time nearest to another."""
    return min((_on_day(near + n * _DAY, clock) for n in (-1, 0, 1)), key=lambda t: abs(t - near))
