from concurrent.futures import Executor

import polars as pl

COLUMNS: tuple[str, ...]
CHUNK_ROWS: int

class Sweep:
    def __init__(
        self,
        max_gap_us: int,
        for_us: int,
        lateness_us: int,
        step_us: int,
        within_m: float,
        within_ft: float,
        max_speed_mps: float,
    ) -> None: ...
    def step(
        self,
        columns: list[pl.Series],
        pool: Executor | None = None,
        ahead: int = 1,
    ) -> list[tuple[object, ...]]: ...
    def under_way(self) -> list[tuple[object, ...]]: ...
    def flush(self) -> list[tuple[object, ...]]: ...
    def save(self) -> bytes: ...
    @staticmethod
    def restore(state: bytes) -> Sweep: ...
    @property
    def counts(self) -> dict[str, int]: ...
    @property
    def held(self) -> tuple[int, int]: ...
    @property
    def swept_us(self) -> int | None: ...
    def open_pairs(self) -> list[tuple[str, str, int]]: ...
