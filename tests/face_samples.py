"""A status and a scene for tests of what a watch shows."""

from __future__ import annotations

from typing import Any

import adiz
from adiz.events import Event
from adiz.out.alerts import SinkHealth
from adiz.out.face.model import (
    LATENCY_BOUNDS_S,
    Ahead,
    FeedState,
    Inside,
    Scene,
    Seen,
    Status,
)

AT_US = 1_772_405_100_000_000  # 2026-03-01 22:45:00 UTC
HOSTILE = '[red]x[/red]\x1b[2J\x1b]0;t\x07"\\\n\u202ey'


def a_feed(**values: Any) -> FeedState:
    return FeedState(**{"name": "roof", "kind": "aircraft", "state": "up", "age_s": 0.4, **values})


def a_sink(**values: Any) -> SinkHealth:
    given = {
        "name": "log", "kind": "jsonl", "state": "ok", "pending": 0, "dead": 0, "oldest_s": 0.0,
        "delivered": 7, "failed_tries": 0, "last_delivered_us": None, "last_error": None,
        "last_error_us": None,
    }  # fmt: skip
    return SinkHealth(**{**given, **values})


def a_status(**values: Any) -> Status:
    given: dict[str, Any] = {
        "version": "1.2.3", "at_us": AT_US, "live": True, "uptime_s": 100.0, "turn_age_s": 0.1,
        "stalled": None, "records": 40, "events": {"entry": 3},
        "tally": {"reports": 1000, "late": 2, "revised": 1, "repeated": 5, "future": 0,
                  "tracks": 12},
        "lag_s": 5.25, "queue_depth": 1, "queue_size": 256, "journal_bytes": 12_345,
        "archive_outside": 0, "checkpoints": 4, "checkpoint_age_s": 3.0,
        "checkpoint_bytes": 99, "restart_s": 0.25,
        "latency_counts": (1, *[0] * (len(LATENCY_BOUNDS_S) - 1), 2), "latency_sum_s": 150.5,
        "feeds": (a_feed(),), "sinks": (a_sink(),),
    }  # fmt: skip
    return Status(**{**given, **values})


def a_track(track_id: str, lat_deg: float, lon_deg: float, **values: Any) -> Seen:
    given = {"time_us": AT_US, "alt_ft": 33_000.0, "callsign": track_id.upper(), "state": "KR"}
    return Seen(track_id=track_id, lat_deg=lat_deg, lon_deg=lon_deg, **{**given, **values})


def a_scene(**values: Any) -> Scene:
    tracks = [
        a_track("in1", 36.0, 129.0),
        a_track("ahead1", 34.0, 123.4),
        a_track("sos1", 35.5, 130.0, squawk="7700"),
        a_track("lost1", 37.0, 130.5, time_us=AT_US - 600_000_000),
        a_track("far1", 39.4, 127.0),
        a_track("away", -30.0, 10.0),
    ]
    zone = "KADIZ-2013"
    given: dict[str, Any] = {
        "at_us": AT_US,
        "zones": adiz.zones("KADIZ"),
        "tracks": {track.track_id: track for track in tracks},
        "track_count": 6,
        "inside": tuple(
            Inside(track_id=name, zone_id=zone, since_us=AT_US - 754_000_000,
                   last_us=tracks[0].time_us if name != "lost1" else AT_US - 600_000_000,
                   depth_m=18_520.0)
            for name in ("in1", "sos1", "lost1")
        ),
        "inside_count": 3,
        "ahead": (Ahead(track_id="ahead1", zone_id=zone, entry_us=AT_US + 90_000_000,
                        gs_kt=450.0, track_true_deg=90.0),),
        "ahead_count": 1,
        "recent": (an_event(),),
        "max_gap_s": 120.0,
    }  # fmt: skip
    return Scene(**{**given, **values})


def an_event(**values: Any) -> Event:
    given = {
        "event_id": "aaaa", "kind": "entry", "time_us": AT_US, "detected_us": AT_US,
        "certainty": "observed", "text": "IN1 (in1, B738) entered KADIZ.", "zone_id": "KADIZ-2013",
    }  # fmt: skip
    return Event(**{**given, **values})
