"""Contacts can be blocked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"  # the schema only moves forward


def upgrade() -> None:
    """Contacts can be blocked."""
    op.add_column("contacts", sa.Column("blocked", sa.Boolean, nullable=False, server_default=sa.false()))
