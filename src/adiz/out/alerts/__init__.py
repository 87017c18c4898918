"""Alerts: rules over a watch's events, an outbox in its store, and the sinks they go to."""

from adiz.out.alerts.config import Setup, from_tables, options_of
from adiz.out.alerts.outbox import EventLog, Outbox
from adiz.out.alerts.rules import Rule
from adiz.out.alerts.service import Alerts, SinkHealth

__all__ = [
    "Alerts",
    "EventLog",
    "Outbox",
    "Rule",
    "Setup",
    "SinkHealth",
    "from_tables",
    "options_of",
]
