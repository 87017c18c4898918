"""Runs the migrations on the connection that :mod:`adiz.incidents.store` has opened."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
