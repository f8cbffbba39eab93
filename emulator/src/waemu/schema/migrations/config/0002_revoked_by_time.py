"""Expired revocations are found by their time."""

from __future__ import annotations

from alembic import op

revision = "2"
down_revision = "1"  # the schema only moves forward


def upgrade() -> None:
    """Expired revocations are found by their time."""
    op.create_index("revoked_tokens_by_time", "revoked_tokens", ["expires_at"])
