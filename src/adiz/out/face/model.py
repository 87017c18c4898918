"""What a watch shows of itself: plain copies that no other thread changes."""

from __future__ import annotations

from dataclasses import dataclass, field

from adiz.events import Event
from adiz.out.alerts import SinkHealth
from adiz.zones.model import Zones

LATENCY_BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of the histogram of latencies; above the last there is one more class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """How a feed does.

    Attributes:
        state: ``starting``, ``up``, ``down``, ``ended`` or ``stopped``.
        age_s: since it last gave anything; None: it never did.
        clock, clock_delay_s: verdict on its clock, and the least delay of its reports.
        reports, batches, rejected: since the watch started; rejected by reason.
    """

    name: str
    kind: str
    state: str
    reason: str | None = None
    age_s: float | None = None
    clock: str = "unknown"
    clock_delay_s: float | None = None
    reports: int = 0
    batches: int = 0
    rejected: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The figures of a watch at one moment. Counts are since it started, unless told otherwise.

    Attributes:
        at_us: the moment, in the watch's own time (that of the recording, for a replay).
        live: its feeds are live; False: it replays.
        turn_age_s: since the loop last came round.
        stalled: why the input is stopped; None: it is not.
        tally: the engine's counts, since the watch was first started.
        lag_s: how far the watermark is behind; None before the first report.
        checkpoint_age_s: since the last one that succeeded, or since the start.
        latency_counts: batches by time from arrival to store, by :data:`LATENCY_BOUNDS_S`.
        alerts_error: why rules cannot be applied just now.
    """

    version: str
    at_us: int
    live: bool
    uptime_s: float
    turn_age_s: float
    stalled: str | None
    records: int
    events: dict[str, int]
    tally: dict[str, int]
    lag_s: float | None
    queue_depth: int
    queue_size: int
    journal_bytes: int
    archive_outside: int
    checkpoints: int
    checkpoint_age_s: float
    checkpoint_bytes: int
    restart_s: float
    latency_counts: tuple[int, ...]
    latency_sum_s: float
    feeds: tuple[FeedState, ...]
    sinks: tuple[SinkHealth, ...] = ()
    alerts_error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A track where it was last seen."""

    track_id: str
    time_us: int
    lat_deg: float
    lon_deg: float
    alt_ft: float | None = None
    callsign: str | None = None
    type_code: str | None = None
    squawk: str | None = None
    state: str | None = None
    role: str | None = None

    @property
    def name(self) -> str:
        return self.callsign or self.track_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """A stay under way.

    Attributes:
        since_us: when it began; None where only bounds are known.
        last_us: the track's last report.
        depth_m: the greatest distance from the boundary so far.
    """

    track_id: str
    zone_id: str
    since_us: int | None
    last_us: int
    depth_m: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """A warning that stands."""

    track_id: str
    zone_id: str
    entry_us: int
    gs_kt: float | None = None
    track_true_deg: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What there is to see at one moment.

    Attributes:
        tracks: those in, warned of, or near zones; at most as many as were asked for.
        track_count: of all tracks.
        inside: the newest stays under way; inside_count of all.
        recent: the last events, oldest first.
        max_gap_s: a track silent for longer is lost.
    """

    at_us: int
    zones: Zones
    tracks: dict[str, Seen]
    track_count: int
    inside: tuple[Inside, ...]
    inside_count: int
    ahead: tuple[Ahead, ...]
    ahead_count: int
    recent: tuple[Event, ...]
    max_gap_s: float
