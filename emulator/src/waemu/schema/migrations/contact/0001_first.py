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
        "contacts",
        sa.Column("wa_id", sa.String(64), primary_key=True),
        sa.Column("input", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("checked_at", Micros, nullable=False),
        sa.Column("identity_hash", sa.String(64), nullable=True),
    )
