"""Events, stays, encounters and checkpoints of a watch."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_EVENTS = (
    ("time_us", sa.BigInteger, False),
    ("detected_us", sa.BigInteger, False),
    ("kind", sa.Text, False),
    ("certainty", sa.Text, False),
    ("text", sa.Text, False),
    ("withdrawn", sa.Boolean, False),
    ("tracks", sa.Text, False),
    ("zone_id", sa.Text, True),
    ("feed", sa.Text, True),
    ("lat_deg", sa.Double, True),
    ("lon_deg", sa.Double, True),
    ("alt_ft", sa.Double, True),
    ("icao24", sa.Text, True),
    ("callsign", sa.Text, True),
    ("type_code", sa.Text, True),
    ("state", sa.Text, True),
    ("role", sa.Text, True),
    ("squawk", sa.Text, True),
    ("data", sa.Text, False),
)

_STAYS = (
    ("track_id", sa.Text),
    ("zone_id", sa.Text),
    ("entry_time_us", sa.BigInteger),
    ("exit_time_us", sa.BigInteger),
    ("entry_kind", sa.Text),
    ("exit_kind", sa.Text),
    ("entry_lat_deg", sa.Double),
    ("entry_lon_deg", sa.Double),
    ("exit_lat_deg", sa.Double),
    ("exit_lon_deg", sa.Double),
    ("duration_s", sa.Double),
    ("max_depth_m", sa.Double),
    ("certainty", sa.Text),
    ("earliest_entry_us", sa.BigInteger),
    ("latest_exit_us", sa.BigInteger),
    ("longest_inside_s", sa.Double),
    ("vertical", sa.Text),
    ("report_count", sa.BigInteger),
)

_ENCOUNTERS = (
    ("track_a", sa.Text),
    ("track_b", sa.Text),
    ("start_time_us", sa.BigInteger),
    ("end_time_us", sa.BigInteger),
    ("duration_s", sa.Double),
    ("start_kind", sa.Text),
    ("end_kind", sa.Text),
    ("min_lateral_m", sa.Double),
    ("time_of_min_us", sa.BigInteger),
    ("min_vertical_ft", sa.Double),
    ("vertical", sa.Text),
    ("mean_lateral_m", sa.Double),
    ("spread_lateral_m", sa.Double),
    ("mean_vertical_ft", sa.Double),
    ("speed_difference_kt", sa.Double),
    ("heading_difference_deg", sa.Double),
    ("in_trail", sa.Double),
    ("turn_deg_min", sa.Double),
    ("mean_speed_kt", sa.Double),
    ("mean_alt_ft", sa.Double),
    ("climb_fpm", sa.Double),
    ("start_lat_deg", sa.Double),
    ("start_lon_deg", sa.Double),
    ("end_lat_deg", sa.Double),
    ("end_lon_deg", sa.Double),
    ("source_a", sa.Text),
    ("source_b", sa.Text),
)


def upgrade() -> None:
    op.create_table(
        "watch_events",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        *(sa.Column(name, kind, nullable=empty) for name, kind, empty in _EVENTS),
        sa.UniqueConstraint("event_id", "revision"),
    )
    op.create_index("watch_events_time", "watch_events", ["time_us"])
    for table, key, columns in (
        ("watch_stays", "stay_id", _STAYS),
        ("watch_encounters", "encounter_id", _ENCOUNTERS),
    ):
        op.create_table(
            table,
            sa.Column(key, sa.Text, nullable=False),
            sa.Column("revision", sa.Integer, nullable=False),
            sa.Column("withdrawn", sa.Boolean, nullable=False),
            *(sa.Column(name, kind) for name, kind in columns),
            sa.PrimaryKeyConstraint(key, "revision"),
        )
    op.create_table(
        "watch_checkpoints",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("positions", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("state", sa.LargeBinary, nullable=False),
    )
