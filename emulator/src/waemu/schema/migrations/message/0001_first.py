"""First schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from waemu.schema.tables import Micros

revision = "1"
down_revision = None  # the schema only moves forward


def upgrade() -> None:
    """First schema."""
    op.create_table(
        "messages",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("direction", sa.String(3), nullable=False),
        sa.Column("wa_id", sa.String(64), nullable=False),
        sa.Column("shard", sa.Integer, nullable=False),
        sa.Column("type", sa.String(32), nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("node_key", sa.String(190), nullable=False),
        sa.Column("created_at", Micros, nullable=False),
    )
    op.create_index("messages_by_shard_status", "messages", ["shard", "status"])
    op.create_table(
        "message_receipt_log",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=True),
        sa.Column("message_id", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("created_at", Micros, nullable=False),
    )
    op.create_table(
        "media",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("mime", sa.String(128), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("path", sa.String(512), nullable=False),
        sa.Column("created_at", Micros, nullable=False),
        sa.Column("last_used_at", Micros, nullable=False),
    )
