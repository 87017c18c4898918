"""Runs the migrations on the connection that :mod:`adiz.incidents.store` has opened."""

from adiz.database import run_migrations

run_migrations()
