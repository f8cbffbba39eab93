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
        "jobs",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("created_at", Micros, nullable=False),
    )
