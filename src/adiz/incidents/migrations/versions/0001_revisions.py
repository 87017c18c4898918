"""The table of revisions, and triggers that refuse to change or remove one."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_REFUSAL = "revisions are never changed or removed"


def upgrade() -> None:
    op.create_table(
        "revisions",
        sa.Column("incident_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("saved_at", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("inputs", sa.Text, nullable=False),
        sa.Column("parameters", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("parent_sha256", sa.Text, nullable=False),
        sa.Column("revision_sha256", sa.Text, nullable=False, unique=True),
        sa.PrimaryKeyConstraint("incident_id", "number"),
    )
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgresql()
    else:
        _guard_sqlite()


def _guard_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION adiz_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER revisions_stay BEFORE UPDATE OR DELETE ON revisions "
        "FOR EACH ROW EXECUTE FUNCTION adiz_refuse()"
    )
    op.execute(
        "CREATE TRIGGER revisions_remain BEFORE TRUNCATE ON revisions "
        "FOR EACH STATEMENT EXECUTE FUNCTION adiz_refuse()"
    )


def _guard_sqlite() -> None:
    for event in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER revisions_no_{event.lower()} BEFORE {event} ON revisions "
            f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        )
    # INSERT OR REPLACE removes the old row without running its DELETE trigger.
    op.execute(
        "CREATE TRIGGER revisions_no_replace BEFORE INSERT ON revisions WHEN EXISTS "
        "(SELECT 1 FROM revisions WHERE (incident_id = NEW.incident_id AND number = NEW.number) "
        "OR revision_sha256 = NEW.revision_sha256) "
        f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
    )
