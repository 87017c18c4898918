"""Flights and the traffic they make: airways, approaches, formations, joint patrols, orbits.

Strangers keep the separation that air traffic control gives them (1,000 ft, or 5 NM in trail on
one level of an airway; 90 s and more at the threshold), so that what keeps company closer than
that does so on purpose, and the truth about formations is what was made, not what was measured.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from adiz.simulate.paths import LatLon, Path, Racetrack, Route, Station, move
from adiz.units import KT_PER_MPS, M_PER_NM

Rng = np.random.Generator

# First address and number of addresses of some states' blocks (ICAO Annex 10 Vol III table 9-1).
_BLOCKS = {
    "CN": (0x780000, 0x40000),
    "RU": (0x100000, 0x100000),
    "KR": (0x718000, 0x8000),
    "JP": (0x840000, 0x40000),
    "US": (0xA00000, 0x100000),
}
_BOMBERS = {"CN": "TU16", "RU": "TU95"}
_FIGHTERS = {"CN": "J10", "RU": "SU27", "KR": "F15", "JP": "F2", "US": "F16"}


@dataclass(slots=True)
class Flight:
    """One aircraft in the air once.

    Attributes:
        icao24: also its track id.
        start_s, end_s: seconds since the world began; its path's clock begins at ``start_s``.
        alt_ft: (seconds since the start, feet) in order.
        holes: (from, to) seconds since the world began in which nobody receives it.
        kind: ``airway``, ``approach``, ``formation``, ``joint_patrol``, ``tanker``, ``receiver``
            or ``ghost`` (a false track under another's address).
    """

    icao24: str
    callsign: str
    type_code: str
    state: str
    kind: str
    path: Path
    start_s: float
    end_s: float
    alt_ft: list[tuple[float, float]]
    squawk: str = "2000"
    holes: list[tuple[float, float]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Member:
    """A flight's time in a group, seconds since the world began, on station."""

    icao24: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Group:
    """A true group: ``formation``, ``joint_patrol`` or ``orbit``."""

    kind: str
    members: tuple[Member, ...]


class Traffic:
    """Makes flights; every draw comes from one generator, so a seed gives one world."""

    def __init__(self, rng: Rng, center: LatLon, half_m: float, duration_s: float) -> None:
        self.rng, self.center, self.half_m, self.duration_s = rng, center, half_m, duration_s
        self.flights: list[Flight] = []
        self.groups: list[Group] = []
        self._given: dict[str, int] = {}

    def _address(self, state: str) -> str:
        """Addresses of a state one after the other, scattered over its block."""
        first, count = _BLOCKS[state]
        n = self._given.get(state, 0)
        self._given[state] = n + 1
        return f"{first + n * 0x9E35 % count:06x}"

    def _place(self, along_m: float, right_m: float, axis_deg: float) -> LatLon:
        azimuth = axis_deg + np.degrees(np.arctan2(right_m, along_m))
        lat, lon, _ = move(*self.center, azimuth, np.hypot(along_m, right_m))
        return float(lat), float(lon)

    def _anywhere(self, share: float) -> LatLon:
        """Some place in the middle of the world."""
        along, right = self.rng.uniform(-share, share, 2) * self.half_m
        return self._place(along, right, 0.0)

    def _add(
        self,
        state: str,
        kind: str,
        type_code: str,
        path: Path,
        start_s: float,
        end_s: float,
        alt_ft: list[tuple[float, float]] | float,
    ) -> Flight:
        n = len(self.flights)
        civil = kind in ("airway", "approach")
        flight = Flight(
            icao24=self._address(state),
            callsign=f"{'CIV' if civil else 'MIL'}{n:04d}",
            type_code=type_code,
            state=state,
            kind=kind,
            path=path,
            start_s=start_s,
            end_s=end_s,
            alt_ft=[(0.0, alt_ft)] if isinstance(alt_ft, int | float) else alt_ft,
            squawk=f"{self.rng.integers(1, 0o7000):04o}" if civil else "2000",
        )
        self.flights.append(flight)
        return flight

    def airways(self, count: int) -> None:
        """Airliners on a mesh of airways in six directions, one speed to a level."""
        rng, half = self.rng, self.half_m
        latest: dict[tuple[int, int, int, int], float] = {}
        ways = int(half // 80_000)
        for _ in range(count):
            direction, east, level = (int(rng.integers(n)) for n in (6, 2, 6))
            way = int(rng.integers(-ways, ways + 1))
            axis = 30.0 * direction + 180.0 * east
            right = way * 80_000.0 * (-1 if east else 1)
            reach = np.sqrt(max(half**2 - right**2, (half / 3) ** 2))
            points = [self._place(a, right, axis) for a in np.linspace(-reach, reach, 5)]
            speed = 430.0 + 8.0 * level
            route = Route(points, speed)
            # In trail on one level of one airway: at least 6.5 NM behind the one before.
            lane = (direction, way, east, level)
            if lane in latest:
                start = latest[lane] + (6.5 + rng.exponential(25.0)) * 3600.0 / speed
            else:
                start = float(rng.uniform(-0.9 * route.duration_s, self.duration_s / 2))
            latest[lane] = start
            state = str(rng.choice(list(_BLOCKS)))
            alt = 29_000.0 + 2000.0 * level + 1000.0 * east
            if start + route.duration_s > 0.0 and start < self.duration_s:
                self._add(state, "airway", "B738", route, start, start + route.duration_s, alt)

    def approaches(self, count: int) -> None:
        """Streams to parallel runways: 45 NM final, 250 kt to 140 kt, 3 degrees."""
        rng, made = self.rng, 0
        long_m = 45.0 * M_PER_NM
        while made < count:
            heading = float(rng.uniform(0, 360))
            airport = self._anywhere(0.6)
            for side in (-1, 1):
                runway = move(*airport, heading + 90.0, side * 1000.0)
                gate = move(runway[0], runway[1], heading + 180.0, long_m)
                points = [(float(p[0]), float(p[1])) for p in (gate, runway)]
                speeds = [(0.0, 250.0), (long_m - 28e3, 190.0), (long_m - 9e3, 140.0)]
                route = Route(points, speeds)
                times = np.arange(0.0, route.duration_s, 10.0)
                left = long_m - route.way_m(times)
                alt = np.minimum(11_000.0, left / M_PER_NM * 318.0 + 50.0)
                start = float(rng.uniform(0, 600))
                for _ in range(min(20, count - made)):
                    profile = list(zip(times.tolist(), alt.tolist(), strict=True))
                    state = str(rng.choice(list(_BLOCKS)))
                    end = start + route.duration_s
                    if start < self.duration_s:
                        self._add(state, "approach", "A320", route, start, end, profile)
                    made += 1
                    start += 90.0 + float(rng.exponential(45.0))

    def _long_route(self, speed_kt: float, duration_s: float) -> Route:
        """A route of gentle turns, long enough, across the middle of the world."""
        rng = self.rng
        course = float(rng.uniform(0, 360))
        length = speed_kt / KT_PER_MPS * duration_s
        lat, lon, _ = move(*self._anywhere(0.5), course + 180.0, length / 2)
        points, steps = [(float(lat), float(lon))], max(2, int(length // 150_000))
        for _ in range(steps):
            lat, lon, course_end = move(*points[-1], course, length * 1.02 / steps)
            points.append((float(lat), float(lon)))
            course = float(course_end + rng.uniform(-20, 20))
        return Route(points, speed_kt)

    def _span(self, least_s: float) -> tuple[float, float]:
        """A start and an end within the world."""
        length = float(self.rng.uniform(0.4, 0.9)) * max(self.duration_s, least_s)
        length = max(length, least_s)
        start = float(self.rng.uniform(0, max(self.duration_s - length, 1.0)))
        return start, min(start + length, self.duration_s)

    def formation(self) -> None:
        """Two to six of one state; some join on the way, some leave."""
        rng = self.rng
        state = str(rng.choice(list(_FIGHTERS)))
        start, end = self._span(3600.0)
        length = end - start
        leader = self._long_route(float(rng.uniform(350, 450)), length)
        level = float(rng.uniform(15_000, 28_000))
        lead = self._add(state, "formation", _FIGHTERS[state], leader, start, end, level)
        members = [Member(lead.icao24, start, end)]
        for k in range(int(rng.integers(1, 6))):
            station = (float(rng.uniform(150, 1500)) * (k // 2 + 1) * (-1) ** k,
                       float(rng.uniform(0, 800)) * (k // 2 + 1))  # fmt: skip
            on, off = 0.0, length
            if rng.random() < 0.3:
                on = float(rng.uniform(0.15, 0.35)) * length
            if rng.random() < 0.3:
                off = float(rng.uniform(0.65, 0.85)) * length
            # Away from the group each is by itself: 15 km and more from the next.
            path = Station(leader, _join_and_leave(station, on, off, length, 40e3 + 15e3 * k))
            wing = self._add(state, "formation", _FIGHTERS[state], path, start, end,
                             level + 100.0 * (k + 1))  # fmt: skip
            members.append(Member(wing.icao24, start + on, start + off))
        self.groups.append(Group("formation", tuple(members)))

    def joint_patrol(self) -> None:
        """Two bombers of one state, joined by two of another; they part again."""
        rng = self.rng
        start, end = self._span(5400.0)
        length = end - start
        leader = self._long_route(float(rng.uniform(380, 420)), length)
        level = float(rng.uniform(24_000, 32_000))
        on, off = 0.25 * length, 0.8 * length
        members = []
        for k, state in enumerate(("CN", "CN", "RU", "RU")):
            side = 900.0 if k % 2 else 0.0
            if state == "CN":
                nodes = [(0.0, side, side)]
            else:
                nodes = _join_and_leave((2500.0 + side, side), on, off, length, far_m=60_000.0)
            path = leader if k == 0 else Station(leader, nodes)
            flight = self._add(state, "joint_patrol", _BOMBERS[state], path, start, end,
                               level + 150.0 * k)  # fmt: skip
            members.append(
                Member(
                    flight.icao24, *((start, end) if state == "CN" else (start + on, start + off))
                )
            )
        self.groups.append(Group("joint_patrol", tuple(members)))

    def orbit(self) -> None:
        """A tanker on a racetrack, another stacked above it, receivers that come and go."""
        rng = self.rng
        center = self._anywhere(0.6)
        track = Racetrack(center, float(rng.uniform(0, 360)), 45_000.0, 9000.0, 290.0)
        tanker = self._add("US", "tanker", "K35R", track, 0.0, self.duration_s, 24_000.0)
        above = Station(track, [(0.0, 0.0, 0.0)], delay_s=float(rng.uniform(0, 900)))
        self._add("US", "tanker", "K35R", above, 0.0, self.duration_s, 26_000.0)
        at = float(rng.uniform(300, 900))
        while at + 2400 < self.duration_s:
            stay = float(rng.uniform(900, 1500))
            nodes = _join_and_leave((60.0, 120.0), 600.0, 600.0 + stay, 1200.0 + stay)
            path = Station(track, nodes, delay_s=at)
            end = at + 1200.0 + stay
            receiver = self._add("US", "receiver", "F16", path, at, end, 23_950.0)
            contact = (at + 600.0, at + 600.0 + stay)
            members = (Member(tanker.icao24, *contact), Member(receiver.icao24, *contact))
            self.groups.append(Group("orbit", members))
            at = end + float(rng.uniform(300, 1200))

    def ghost(self) -> None:
        """A false track: an airliner's address, seen somewhere else at once."""
        civil = self._airliners()
        real = civil[int(self.rng.integers(len(civil)))]
        route = self._long_route(420.0, max(real.end_s - real.start_s, 600.0))
        self.flights.append(replace(real, kind="ghost", path=route, alt_ft=[(0.0, 33_000.0)]))

    def duplicate(self) -> None:
        """Two airliners that send one address."""
        civil = self._airliners()
        one, other = self.rng.choice(len(civil), 2, replace=False)
        civil[one].icao24 = civil[other].icao24

    def _airliners(self) -> list[Flight]:
        return [f for f in self.flights if f.kind == "airway"]


def _join_and_leave(
    station: tuple[float, float], on_s: float, off_s: float, end_s: float, far_m: float = 40_000.0
) -> list[tuple[float, float, float]]:
    """Stations over time of one who comes from the side by ``on_s`` and goes from ``off_s``."""
    right, behind = station
    far = right + far_m * (1.0 if right >= 0 else -1.0)
    nodes = [(on_s, right, behind), (off_s, right, behind)]
    if on_s > 0.0:
        nodes.insert(0, (on_s - 600.0, far, behind))
    if off_s < end_s:
        nodes.append((off_s + 600.0, far, behind))
    return nodes
