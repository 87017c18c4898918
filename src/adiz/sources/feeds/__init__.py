"""Feeds: sources that go on for ever. One module a kind; a supervisor keeps each of them up.

A feed turns what it receives into batches of finished reports, with the same code that reads files
of its format. It changes nothing else: duplicates and reports out of order are passed on. Whatever
arrives, nothing grows without bound, and all that is turned away is counted with its reason.
"""

from adiz.sources.feeds.health import ClockWatch
from adiz.sources.feeds.kinds import KINDS, from_table
from adiz.sources.feeds.model import Batch, Feed, FeedError
from adiz.sources.feeds.supervisor import Health, Supervisor

__all__ = [
    "KINDS",
    "Batch",
    "ClockWatch",
    "Feed",
    "FeedError",
    "Health",
    "Supervisor",
    "from_table",
]
