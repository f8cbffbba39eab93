"""First schema."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from alembic import op

from waemu.schema.tables import Micros

revision = "1"
down_revision = None  # the schema only moves forward


def upgrade() -> None:
    """First schema."""
    op.create_table(
        "nodes",
        sa.Column("node_key", sa.String(190), primary_key=True),
        sa.Column("instance_id", sa.String(32), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("hostname", sa.String(190), nullable=False),
        sa.Column("port_messaging", sa.Integer, nullable=False),
        sa.Column("port_contacts", sa.Integer, nullable=False),
        sa.Column("port_control", sa.Integer, nullable=False),
        sa.Column("port_health", sa.Integer, nullable=False),
        sa.Column("version", sa.String(32), nullable=False),
        sa.Column("booted_at", Micros, nullable=False),
        sa.Column("last_seen", Micros, nullable=False),
        sa.Column("serving", sa.Boolean, nullable=False),
    )
    lease = op.create_table(
        "lease",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("owner_key", sa.String(190), nullable=True),
        sa.Column("owner_instance", sa.String(32), nullable=True),
        sa.Column("expires_at", Micros, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "shard_map",
        sa.Column("shard", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("owner_key", sa.String(190), nullable=False),
        sa.Column("owner_instance", sa.String(32), nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
    )
    state = op.create_table(
        "cluster_state",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("shards", sa.Integer, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("changed_at", Micros, nullable=True),
    )
    op.bulk_insert(lease, [{"id": 1, "expires_at": dt.datetime(2000, 1, 1), "epoch": 0}])
    op.bulk_insert(state, [{"id": 1, "shards": 1, "generation": 1}])
