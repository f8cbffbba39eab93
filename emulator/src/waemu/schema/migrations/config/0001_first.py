"""First schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from waemu.schema.tables import Micros

revision = "1"
down_revision = None  # the schema only moves forward


def upgrade() -> None:
    """First schema."""
    account = op.create_table(
        "account",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("cc", sa.String(4), nullable=True),
        sa.Column("phone_number", sa.String(20), nullable=True),
        sa.Column("vname", sa.String(256), nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("pending_cc", sa.String(4), nullable=True),
        sa.Column("pending_phone_number", sa.String(20), nullable=True),
        sa.Column("pending_vname", sa.String(256), nullable=True),
        sa.Column("code_hash", sa.String(128), nullable=True),
        sa.Column("code_expires_at", Micros, nullable=True),
        sa.Column("registered_at", Micros, nullable=True),
        sa.Column("certified_at", Micros, nullable=True),
        sa.Column("pin_hash", sa.String(128), nullable=True),
        sa.Column("registration_id", sa.BigInteger, nullable=True),
        sa.Column("identity", sa.Text, nullable=True),
        sa.Column("condition", sa.String(16), nullable=False, server_default="ok"),
        sa.Column("condition_until", Micros, nullable=True),
    )
    op.bulk_insert(account, [{"id": 1, "state": "unregistered"}])
    op.create_table(
        "app_settings",
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("value", sa.JSON, nullable=False),
    )
    op.create_table(
        "api_users",
        sa.Column("username", sa.String(32), primary_key=True),
        sa.Column("password_hash", sa.String(256), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("must_change", sa.Boolean, nullable=False),
        sa.Column("token_epoch", sa.Integer, nullable=False),
    )
    op.create_table(
        "revoked_tokens",
        sa.Column("jti", sa.String(64), primary_key=True),
        sa.Column("expires_at", Micros, nullable=False),
    )
    op.create_table(
        "certificates",
        sa.Column("kind", sa.String(32), primary_key=True),
        sa.Column("pem", sa.Text, nullable=False),
    )
    op.create_table(
        "media_providers",
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("config", sa.JSON, nullable=False),
    )
    op.create_table(
        "profile",
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("value", sa.JSON, nullable=False),
    )
