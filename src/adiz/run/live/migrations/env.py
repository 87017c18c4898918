"""Runs the migrations on the connection that :mod:`adiz.run.live.store` has opened."""

from adiz.database import run_migrations

run_migrations()
