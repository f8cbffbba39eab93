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
        "callbacks",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("shard", sa.Integer, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_try_at", Micros, nullable=False),
    )
    op.create_index("callbacks_by_shard_time", "callbacks", ["shard", "next_try_at"])
