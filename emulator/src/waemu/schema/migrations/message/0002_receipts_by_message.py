"""Receipts are found by their message."""

from __future__ import annotations

from alembic import op

revision = "2"
down_revision = "1"  # the schema only moves forward


def upgrade() -> None:
    """Receipts are found by their message."""
    op.create_index("message_receipt_log_by_message", "message_receipt_log", ["message_id"])
