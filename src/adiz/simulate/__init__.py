"""Worlds of traffic with known truth, for tests, measurements and trying things."""
