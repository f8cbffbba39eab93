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
        "identities",
        sa.Column("wa_id", sa.String(64), primary_key=True),
        sa.Column("identity_key", sa.String(64), nullable=False),
        sa.Column("created_at", Micros, nullable=False),
    )
