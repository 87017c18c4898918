from typing import Any

class Kernel:
    def step(self, time: Any, track_id: Any, places: list[Any], texts: list[Any]) -> list[int]: ...
    def get(
        self, track_id: str
    ) -> tuple[int, int, float | None, float | None, float | None] | None: ...
    def put(
        self,
        track_id: str,
        first_us: int,
        last_us: int,
        lat_deg: float | None,
        lon_deg: float | None,
        alt_ft: float | None,
    ) -> None: ...
    def forget(self, before_us: int) -> list[str]: ...
    def __len__(self) -> int: ...
