"""Metrics in the text format of Prometheus (version 0.0.4), written anew for each request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate

from adiz.events import KINDS
from adiz.out.face.model import LATENCY_BOUNDS_S, Status

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_FEED_STATES = ("starting", "up", "down", "ended", "stopped")
_TALLIED = {
    "reports": "Reports worked in.",
    "late": "Reports that came after later ones of their track.",
    "revised": "Tracks folded anew because of late reports.",
    "repeated": "Reports that said nothing new.",
    "future": "Reports refused for a time too far ahead of their reception.",
    "late_for_encounters": "Reports that came too late for encounters.",
}

Sample = tuple[Mapping[str, str], float]


def metrics(status: Status) -> str:
    """All metrics of a watch.

    Every family has HELP and TYPE, names carry units, and counters end in ``_total``. Those of
    tracks and late reports go on where they were when the watch is started again; the others
    begin anew, as counters may.
    """
    return "".join(_families(status))


def _families(s: Status) -> Iterator[str]:
    yield _one("build_info", "gauge", "The version that runs.", [({"version": s.version}, 1)])
    yield _gauge("uptime_seconds", "Since the watch was started.", s.uptime_s)
    yield _gauge(
        "stalled", "1 while the input is stopped, as by a full disk.", s.stalled is not None
    )
    yield _gauge("loop_age_seconds", "Since the loop last came round.", s.turn_age_s)
    yield _counter("records", "Records worked in: batches, ticks, changes of feeds.", s.records)
    for name, meaning in _TALLIED.items():
        if name in s.tally:
            yield _counter(name, meaning, s.tally[name])
    yield _gauge("tracks", "Tracks that are not forgotten.", s.tally.get("tracks", 0))
    kinds = (*KINDS, *sorted(s.events.keys() - set(KINDS)))
    yield _one(
        "events_total",
        "counter",
        "Events told, revisions among them, by kind.",
        [({"kind": kind}, s.events.get(kind, 0)) for kind in kinds],
    )
    if s.lag_s is not None:
        yield _gauge("watermark_lag_seconds", "How far event time is behind.", s.lag_s)
    yield _gauge("queue_depth", "What has arrived and waits to be worked in.", s.queue_depth)
    yield _gauge("queue_size", "At so many feeds are held back.", s.queue_size)
    yield _gauge("journal_bytes", "Size of the journal.", s.journal_bytes)
    yield _counter("archive_outside_reports", "Reports the archive left out.", s.archive_outside)
    yield _counter("checkpoints", "States saved.", s.checkpoints)
    yield _gauge("checkpoint_age_seconds", "Since a state was last saved.", s.checkpoint_age_s)
    yield _gauge("checkpoint_bytes", "Size of the last state saved.", s.checkpoint_bytes)
    yield _gauge("restart_seconds", "How long it took to go on at the start.", s.restart_s)
    yield _histogram(s)
    yield from _of_feeds(s)
    yield from _of_sinks(s)


def _of_feeds(s: Status) -> Iterator[str]:
    def each(name: str, kind: str, meaning: str, found: Iterable[Sample]) -> str:
        return _one(f"feed_{name}", kind, meaning, found)

    yield each(
        "up",
        "gauge",
        "1 while the feed is up.",
        [({"feed": f.name, "kind": f.kind}, f.state == "up") for f in s.feeds],
    )
    yield each(
        "state",
        "gauge",
        "1 for the state the feed is in.",
        [
            ({"feed": f.name, "state": state}, f.state == state)
            for f in s.feeds
            for state in _FEED_STATES
        ],
    )
    yield each(
        "age_seconds",
        "gauge",
        "Since the feed last gave anything.",
        [({"feed": f.name}, f.age_s) for f in s.feeds if f.age_s is not None],
    )
    yield each(
        "clock_delay_seconds",
        "gauge",
        "Least delay of its reports; its clock's error.",
        [({"feed": f.name}, f.clock_delay_s) for f in s.feeds if f.clock_delay_s is not None],
    )
    yield each(
        "reports_total",
        "counter",
        "Reports the feed gave.",
        [({"feed": f.name}, f.reports) for f in s.feeds],
    )
    yield each(
        "batches_total",
        "counter",
        "Batches the feed gave.",
        [({"feed": f.name}, f.batches) for f in s.feeds],
    )
    yield each("rejected_total", "counter", "What the feed turned away, by reason.",
               [({"feed": f.name, "reason": reason}, count)
                for f in s.feeds for reason, count in sorted(f.rejected.items())])  # fmt: skip


def _of_sinks(s: Status) -> Iterator[str]:
    def each(name: str, kind: str, meaning: str, attribute: str) -> str:
        found = [({"sink": k.name}, getattr(k, attribute)) for k in s.sinks]
        return _one(f"sink_{name}", kind, meaning, found)

    yield each("pending", "gauge", "Messages that wait to be delivered.", "pending")
    yield each("dead", "gauge", "Messages that were given up or refused.", "dead")
    yield each("oldest_seconds", "gauge", "Age of the oldest that waits.", "oldest_s")
    yield each("delivered_total", "counter", "Messages delivered.", "delivered")
    yield each("failed_tries_total", "counter", "Tries that failed.", "failed_tries")
    yield _one("sink_retrying", "gauge", "1 while the sink is left alone after failures.",
               [({"sink": k.name}, k.state == "retrying") for k in s.sinks])  # fmt: skip
    error = s.alerts_error is not None
    yield _gauge("alerts_failing", "1 while the rules cannot be applied.", error)


def _histogram(s: Status) -> str:
    name = "arrival_to_store_seconds"
    bounds = [*map(_number, LATENCY_BOUNDS_S), "+Inf"]
    counts = list(accumulate(s.latency_counts))
    lines = [
        f'adiz_{name}_bucket{{le="{bound}"}} {count}'
        for bound, count in zip(bounds, counts, strict=True)
    ]
    lines += [f"adiz_{name}_sum {_number(s.latency_sum_s)}", f"adiz_{name}_count {counts[-1]}"]
    return _head(name, "histogram", "From a batch's arrival to its events being stored.") + (
        "\n".join(lines) + "\n"
    )


def _gauge(name: str, meaning: str, value: float) -> str:
    return _one(name, "gauge", meaning, [({}, value)])


def _counter(name: str, meaning: str, value: float) -> str:
    return _one(f"{name}_total", "counter", meaning, [({}, value)])


def _one(name: str, kind: str, meaning: str, found: Iterable[Sample]) -> str:
    lines = []
    for labels, value in found:
        inner = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        lines.append(f"adiz_{name}{{{inner}}} " if inner else f"adiz_{name} ")
        lines[-1] += _number(value)
    return _head(name, kind, meaning) + "".join(f"{line}\n" for line in lines)


def _head(name: str, kind: str, meaning: str) -> str:
    return f"# HELP adiz_{name} {meaning}\n# TYPE adiz_{name} {kind}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return repr(float(value)) if isinstance(value, float) else str(int(value))
