"""What stands beside the picture: who is in or about to enter, what was told, how feeds do."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from rich.table import Table
from rich.text import Text

from adiz.events import Event
from adiz.out.alerts.words import clean
from adiz.out.face.health import stalled, troubles
from adiz.out.face.model import Ahead, FeedState, Inside, Scene, Seen, Status
from adiz.out.face.picture import EMERGENCY, INSIDE, LOOKS, LOST, WARNED, Motions, classes_of
from adiz.units import M_PER_NM

_WIDE = 60
_WIDER = 84
_DATED = 90
_SOON_S = 120.0
_RATE_S = 10.0
_STATES = {"up": "green", "starting": "yellow", "down": "bold red"}
_SINKS = {"ok": "green", "retrying": "bold red", "not configured": "yellow"}
_KINDS = {
    "warning": "yellow",
    "entry": "bright_red",
    "cross": "bright_red",
    "exit": "green",
    "joint_patrol": "magenta",
    "feed_down": "bold red",
    "feed_up": "green",
}


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def said(text: object, style: str = "", most: int = 300) -> Text:
    """A value as text: whatever it holds neither styles nor steers."""
    return Text(clean(text, most), style)


def moment(time_us: int) -> str:
    """Date and time of day, whole seconds."""
    at = EPOCH + timedelta(microseconds=time_us)
    return f"{at:%Y-%m-%d %H:%M:%S}"


def span(seconds: float) -> str:
    """A length of time in at most six letters."""
    whole = max(0, int(seconds))
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d}"
    if whole < 100 * 3600:
        return f"{whole // 3600}h{whole // 60 % 60:02d}"
    return f"{whole // 86_400}d"


class Rates:
    """Reports a second of each feed, over some ten seconds."""

    def __init__(self) -> None:
        self._past: deque[tuple[float, dict[str, int]]] = deque()

    def learn(self, status: Status) -> None:
        """Take in the counts of a moment."""
        now = (status.uptime_s, {feed.name: feed.reports for feed in status.feeds})
        self._past.append(now)
        while len(self._past) > 2 and now[0] - self._past[1][0] >= _RATE_S:
            self._past.popleft()

    def of(self, name: str) -> float:
        """The rate of a feed; 0 before it is known."""
        if len(self._past) < 2:
            return 0.0
        (then_s, then), (now_s, now) = self._past[0], self._past[-1]
        past_s = max(now_s - then_s, 1e-3)
        return max(0, now.get(name, 0) - then.get(name, 0)) / past_s


def head(
    status: Status, scene: Scene | None, rates: Rates, notices: Sequence[str], columns: int
) -> Text:
    """One line of figures, and one of what is wrong, where something is."""
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append(" adiz watch ", "bold reverse")
    now = moment(status.at_us)
    line.append(f" {now if columns >= _DATED else now[11:]} UTC", "bold")
    if not status.live:
        line.append(" replay", "yellow")
    lag = "–" if status.lag_s is None else f"{status.lag_s:.1f} s"
    count = scene.track_count if scene else 0
    rate = sum(rates.of(feed.name) for feed in status.feeds)
    events = sum(status.events.values())
    line.append(f"  {count:,} tracks  {rate:,.0f}/s  {events:,} events  lag {lag}")
    why = stalled(status)
    if why:
        line.append("\n")
        line.append(f" STALLED: {clean(why, 400)} ", "bold white on red")
        return line
    wrong = [*troubles(status), *notices]
    if wrong:
        line.append("\n")
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        line.append(f" {clean(wrong[0], 400)}{more}", "yellow")
    return line


def tracks(scene: Scene, motions: Motions, columns: int, rows: int) -> Table:
    """Those warned of, soonest first; then those inside, latest first."""
    wide, wider = columns >= _WIDE, columns >= _WIDER
    table = Table(box=None, padding=(0, 1, 0, 0), expand=True, header_style="dim", pad_edge=False)
    table.add_column("track", no_wrap=True, width=8)
    table.add_column("who" if wide else "st", no_wrap=True, width=18 if wide else 2)
    table.add_column("zone", no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column("since/in", no_wrap=True, width=8, justify="right")
    table.add_column("ft", no_wrap=True, width=6, justify="right")
    if wide:
        table.add_column("kt", no_wrap=True, width=4, justify="right")
        table.add_column("", no_wrap=True, width=1)
    if wider:
        table.add_column("depth NM", no_wrap=True, width=8, justify="right")
    classes = classes_of(scene)
    inside = sorted(scene.inside, key=lambda stay: classes.get(stay.track_id) == LOST)
    chosen: list[Ahead | Inside] = [*scene.ahead, *inside]
    for row in chosen[: max(0, rows - 1)]:
        cells = _row(row, scene, motions, classes.get(row.track_id), wide)
        table.add_row(*cells[: len(table.columns)])
    return table


def _row(
    row: Ahead | Inside, scene: Scene, motions: Motions, look: int | None, wide: bool
) -> list[Text]:
    seen = scene.tracks.get(row.track_id)
    lost = look == LOST and isinstance(row, Inside)
    style = LOOKS[WARNED if isinstance(row, Ahead) else LOST if lost else INSIDE]
    when, urgency = _when(row, scene.at_us, lost)
    cells = [
        said(seen.name if seen else row.track_id, LOOKS[look] if look == EMERGENCY else style, 8),
        said(_who(seen, wide)),
        said(row.zone_id),
        said(when, urgency),
        said("" if seen is None or seen.alt_ft is None else f"{seen.alt_ft:.0f}"),
    ]
    if wide:
        motion = motions.of(seen) if seen else None
        depth_m = row.depth_m if isinstance(row, Inside) else None
        cells.append(said(f"{motion.gs_kt:.0f}" if motion else ""))
        cells.append(said(motion.arrow if motion else ""))
        cells.append(said("" if depth_m is None else f"{depth_m / M_PER_NM:.1f}"))
    return cells


def _when(row: Ahead | Inside, at_us: int, lost: bool) -> tuple[str, str]:
    """How long to the entry, or since; and its style."""
    if isinstance(row, Ahead):
        left_s = (row.entry_us - at_us) / 1e6
        return f"in {span(left_s)}", "bold red" if left_s < _SOON_S else "bold yellow"
    if lost:
        silent_s = (at_us - row.last_us) / 1e6
        return f"lost {silent_s / 60:.0f}m" if silent_s < 60_000 else "lost", LOOKS[LOST]
    return ("?" if row.since_us is None else span((at_us - row.since_us) / 1e6)), ""


def _who(seen: Seen | None, wide: bool) -> str:
    if seen is None:
        return ""
    if not wide:
        return seen.state or ""
    return " ".join(part for part in (seen.state, seen.role, seen.type_code) if part)


def events(recent: Sequence[Event], rows: int) -> Table:
    """The last events as sentences, the newest first."""
    table = Table.grid(padding=(0, 1, 0, 0), expand=True)
    table.add_column(no_wrap=True, width=14)
    table.add_column(ratio=1)
    for event in reversed(recent[-rows:] if rows > 0 else []):
        style = _KINDS.get(event.kind, "bold red" if event.kind.startswith("squawk") else "cyan")
        text = said(event.text)
        text.append(" withdrawn" if event.withdrawn else "", "bold")
        text.append(f" (revision {event.revision})" if event.revision > 1 else "", "dim")
        table.add_row(said(event.kind, style, 14), text)
    return table


def feeds(status: Status, rates: Rates) -> Text:
    """How feeds and sinks do, one a line."""
    text = Text(no_wrap=True, overflow="ellipsis")
    for feed in status.feeds:
        _add_feed(text, feed, rates.of(feed.name))
    for sink in status.sinks:
        text.append("▸ ", _SINKS.get(sink.state, "dim"))
        text.append_text(said(f"{sink.name} {sink.state}", "bold", 40))
        text.append(f"  {sink.pending} waiting")
        if sink.oldest_s >= 1:
            text.append(f" for {span(sink.oldest_s)}")
        if sink.dead:
            text.append(f"  {sink.dead} dead", "red")
        if sink.state == "retrying" and sink.last_error:
            text.append_text(said(f"  {sink.last_error}", "red", 120))
        text.append("\n")
    if status.alerts_error:
        text.append_text(said(f"▸ rules: {status.alerts_error}\n", "bold red", 200))
    return text


def _add_feed(text: Text, feed: FeedState, rate: float) -> None:
    style = _STATES.get(feed.state, "dim")
    text.append("● ", style)
    text.append_text(said(feed.name, "bold", 24))
    text.append(f" {feed.state}", style)
    if feed.state == "down":
        text.append_text(said(f"  {feed.reason or ''}\n", "red", 160))
        return
    if feed.age_s is not None:
        text.append(f"  {feed.age_s:.1f} s ago")
    text.append(f"  {rate:,.0f}/s")
    count = sum(feed.rejected.values())
    if count:
        text.append(f"  {count:,} rejected", "yellow")
    if feed.clock in ("ahead", "behind"):
        text.append(f"  clock {feed.clock} {abs(feed.clock_delay_s or 0):.0f} s", "bold yellow")
    text.append("\n")
