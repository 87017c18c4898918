"""Whether a watch does what it should: in one word, with reasons."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adiz.out.alerts.words import clean
from adiz.out.face.model import Status

HUNG_S = 60.0
"""A loop that has not come round for so long hangs."""
QUEUE_SHARE = 0.5
"""Above this share of the queue the watch is behind."""
CHECKPOINT_S = 600.0
"""No state saved for so long, though the loop runs, is said."""
SINK_OLD_S = 300.0


def stalled(status: Status) -> str | None:
    """Why nothing is worked in just now; None: it is."""
    if status.stalled is not None:
        return f"the input is stopped: {clean(status.stalled, 300)}"
    if status.turn_age_s > HUNG_S:
        return f"the loop has not come round for {status.turn_age_s:.0f} s"
    if status.live and status.feeds and not any(f.state == "up" for f in status.feeds):
        waits = [f for f in status.feeds if f.state == "starting"]
        return None if waits and status.uptime_s < HUNG_S else "no feed is up"
    return None


def troubles(status: Status) -> Iterator[str]:
    """What is not as it should be, though the watch goes on."""
    for feed in status.feeds:
        if feed.state == "down":
            yield f"the feed {feed.name} is down: {clean(feed.reason or 'no reason is known', 300)}"
        if feed.clock in ("ahead", "behind") and feed.state == "up" and status.live:
            yield f"the feed {feed.name}: its clock is {feed.clock} by {feed.clock_delay_s:.0f} s"
    if status.live and status.queue_depth > QUEUE_SHARE * status.queue_size:
        yield f"{status.queue_depth} of {status.queue_size} places of the queue are taken"
    if status.live and status.checkpoint_age_s > CHECKPOINT_S:
        yield f"no state was saved for {status.checkpoint_age_s:.0f} s"
    if status.alerts_error:
        yield f"the rules of alerts cannot be applied: {clean(status.alerts_error, 300)}"
    for sink in status.sinks:
        if sink.state == "retrying" or sink.oldest_s > SINK_OLD_S:
            why = f": {clean(sink.last_error, 300)}" if sink.last_error else ""
            yield f"the sink {sink.name} has {sink.pending} messages waiting{why}"
        if sink.dead:
            yield f"the sink {sink.name} has {sink.dead} dead letters"


def health(status: Status | None) -> dict[str, Any]:
    """The answer of ``/health``: ``status`` (``ok``, ``degraded``, ``stalled``), ``reasons``, and
    a few figures. None: the watch is still taking up where it stopped.
    """
    if status is None:
        return {"status": "stalled", "reasons": ["the watch is starting"]}
    why = stalled(status)
    reasons = ([why] if why else []) + list(troubles(status))
    return {
        "status": "stalled" if why else "degraded" if reasons else "ok",
        "reasons": reasons,
        "version": status.version,
        "uptime_s": round(status.uptime_s, 1),
        "watermark_lag_s": None if status.lag_s is None else round(status.lag_s, 3),
        "tracks": status.tally.get("tracks", 0),
        "feeds": {feed.name: feed.state for feed in status.feeds},
        "sinks": {sink.name: sink.state for sink in status.sinks},
    }
