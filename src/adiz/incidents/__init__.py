"""Incidents: who says what, what physics allows of it, and a path that fits an account."""
