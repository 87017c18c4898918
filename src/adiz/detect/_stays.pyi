from array import array
from typing import Any

FROM_ALWAYS: int
TO_ALWAYS: int

class DisorderError(Exception): ...

class Index:
    def add(
        self,
        rings: list[array[float]],
        floor_ft: float,
        ceil_ft: float,
        from_us: int,
        to_us: int,
        unchecked: bool,
    ) -> None: ...
    def finish(self) -> None: ...
    @property
    def counts(self) -> tuple[int, int, int]: ...
    def at(self, lat_deg: float, lon_deg: float) -> list[int]: ...
    def distance_m(self, zone: int, lat_deg: float, lon_deg: float) -> float: ...
    def prism(
        self,
        zone: int,
        lat1: float,
        lon1: float,
        lat2: float,
        lon2: float,
        inside1: bool,
        inside2: bool,
        budget_m: float,
    ) -> tuple[bool, bool, float, float, float]: ...

class Fold:
    index: Index
    part: int
    parts: int
    def __init__(
        self,
        index: Index,
        max_gap_us: int,
        track_end_us: int,
        max_speed_mps: float,
        part: int = 0,
        parts: int = 1,
    ) -> None: ...
    def step(
        self, time: Any, track_id: Any, lat: Any, lon: Any, alt: Any = None, speed: Any = None
    ) -> None: ...
    def flush(self) -> None: ...
    @property
    def counts(self) -> tuple[int, int, int]: ...
    def take(self) -> dict[str, Any]: ...
    def names(self) -> Any: ...
    def save(self) -> bytes: ...
    def restore(self, state: bytes) -> None: ...
