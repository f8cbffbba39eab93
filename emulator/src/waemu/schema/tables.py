"""All tables as the newest migration leaves them. Groups and database names: reference 2.5.

Times are UTC without zone, microseconds, taken from the database's own clock wherever nodes compare them.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

GROUPS = ("axolotl", "callback", "cluster", "config", "contact", "jobqueue", "message")
VERSION_TABLE = "schema_version"

Micros = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql")
KEY = sa.String(190)  # <advertised host>:<container name>; 190 so that utf8mb4 fits any index

metadata = sa.MetaData()


def database_name(prefix: str, group: str) -> str:
    """The MySQL database, or PostgreSQL schema, of a group: C(<prefix>configStore)."""
    return f"{prefix}{group}Store"


# -- cluster ---------------------------------------------------------------------------------------

nodes = sa.Table(
    "nodes",
    metadata,
    sa.Column("node_key", KEY, primary_key=True),
    sa.Column("instance_id", sa.String(32), nullable=False),  # new at every boot
    sa.Column("role", sa.String(16), nullable=False),  # coreapp or master; who is primary is in the lease
    sa.Column("hostname", sa.String(190), nullable=False),
    sa.Column("port_messaging", sa.Integer, nullable=False),
    sa.Column("port_contacts", sa.Integer, nullable=False),
    sa.Column("port_control", sa.Integer, nullable=False),
    sa.Column("port_health", sa.Integer, nullable=False),
    sa.Column("version", sa.String(32), nullable=False),
    sa.Column("booted_at", Micros, nullable=False),
    sa.Column("last_seen", Micros, nullable=False),  # the liveness row of 3.3
    sa.Column("serving", sa.Boolean, nullable=False),  # connected, or about to be, when it wrote the row
    schema="cluster",
)

lease = sa.Table(
    "lease",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),  # always 1
    sa.Column("owner_key", KEY, nullable=True),
    sa.Column("owner_instance", sa.String(32), nullable=True),
    sa.Column("expires_at", Micros, nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),  # +1 whenever the mastership changes hands
    schema="cluster",
)

shard_map = sa.Table(
    "shard_map",
    metadata,
    sa.Column("shard", sa.Integer, primary_key=True, autoincrement=False),  # -1 is the control shard
    sa.Column("owner_key", KEY, nullable=False),  # a shard without owner has no row
    sa.Column("owner_instance", sa.String(32), nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    schema="cluster",
)

cluster_state = sa.Table(
    "cluster_state",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),  # always 1
    sa.Column("shards", sa.Integer, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),  # +1 at each set-shards: older boots exit
    sa.Column("changed_at", Micros, nullable=True),  # when the generation last changed
    schema="cluster",
)

# -- config ----------------------------------------------------------------------------------------

account = sa.Table(
    "account",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),  # always 1
    sa.Column("cc", sa.String(4), nullable=True),
    sa.Column("phone_number", sa.String(20), nullable=True),
    sa.Column("vname", sa.String(256), nullable=True),
    sa.Column("state", sa.String(16), nullable=False),  # unregistered, registered
    sa.Column("pending_cc", sa.String(4), nullable=True),  # the number a code was asked for, until verified
    sa.Column("pending_phone_number", sa.String(20), nullable=True),
    sa.Column("pending_vname", sa.String(256), nullable=True),
    sa.Column("code_hash", sa.String(128), nullable=True),
    sa.Column("code_expires_at", Micros, nullable=True),
    sa.Column("registered_at", Micros, nullable=True),
    sa.Column("certified_at", Micros, nullable=True),  # last time a certificate was accepted
    sa.Column("pin_hash", sa.String(128), nullable=True),
    sa.Column("registration_id", sa.BigInteger, nullable=True),
    sa.Column("identity", sa.Text, nullable=True),  # renewed at each registration: contacts see a change
    sa.Column("condition", sa.String(16), nullable=False, server_default="ok"),  # ok, banned, logged_off
    sa.Column("condition_until", Micros, nullable=True),
    schema="config",
)

app_settings = sa.Table(
    "app_settings",
    metadata,
    sa.Column("name", sa.String(100), primary_key=True),  # dotted: webhooks.url
    sa.Column("value", sa.JSON, nullable=False),
    schema="config",
)

api_users = sa.Table(
    "api_users",
    metadata,
    sa.Column("username", sa.String(32), primary_key=True),
    sa.Column("password_hash", sa.String(256), nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("must_change", sa.Boolean, nullable=False),
    sa.Column("token_epoch", sa.Integer, nullable=False),
    schema="config",
)

revoked_tokens = sa.Table(
    "revoked_tokens",
    metadata,
    sa.Column("jti", sa.String(64), primary_key=True),
    sa.Column("expires_at", Micros, nullable=False),
    sa.Index("revoked_tokens_by_time", "expires_at"),  # since v2.21
    schema="config",
)

certificates = sa.Table(
    "certificates",
    metadata,
    sa.Column("kind", sa.String(32), primary_key=True),  # external, webhooks
    sa.Column("pem", sa.Text, nullable=False),
    schema="config",
)

media_providers = sa.Table(
    "media_providers",
    metadata,
    sa.Column("name", sa.String(100), primary_key=True),
    sa.Column("type", sa.String(16), nullable=False),
    sa.Column("config", sa.JSON, nullable=False),
    schema="config",
)

profile = sa.Table(
    "profile",
    metadata,
    sa.Column("name", sa.String(100), primary_key=True),  # business, about, photo, compliance_info
    sa.Column("value", sa.JSON, nullable=False),
    schema="config",
)

# -- message ---------------------------------------------------------------------------------------

messages = sa.Table(
    "messages",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("direction", sa.String(3), nullable=False),  # out, in
    sa.Column("wa_id", sa.String(64), nullable=False),
    sa.Column("shard", sa.Integer, nullable=False),
    sa.Column("type", sa.String(32), nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),  # queued, sent, delivered, read, failed, deleted
    sa.Column("node_key", KEY, nullable=False),
    sa.Column("created_at", Micros, nullable=False),
    sa.Index("messages_by_shard_status", "shard", "status"),
    schema="message",
)

message_receipt_log = sa.Table(
    "message_receipt_log",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=True),
    sa.Column("message_id", sa.String(64), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("created_at", Micros, nullable=False),
    sa.Index("message_receipt_log_by_message", "message_id"),  # since v2.41
    schema="message",
)

media = sa.Table(
    "media",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("mime", sa.String(128), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("path", sa.String(512), nullable=False),
    sa.Column("created_at", Micros, nullable=False),
    sa.Column("last_used_at", Micros, nullable=False),
    schema="message",
)

# -- contact, callback, jobqueue, axolotl ----------------------------------------------------------

contacts = sa.Table(
    "contacts",
    metadata,
    sa.Column("wa_id", sa.String(64), primary_key=True),
    sa.Column("input", sa.String(64), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("checked_at", Micros, nullable=False),
    sa.Column("identity_hash", sa.String(64), nullable=True),
    sa.Column("blocked", sa.Boolean, nullable=False, server_default=sa.false()),  # since v2.43
    schema="contact",
)

callbacks = sa.Table(
    "callbacks",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=True),
    sa.Column("kind", sa.String(16), nullable=False),  # inbound_message, status_change, service
    sa.Column("shard", sa.Integer, nullable=False),  # the owner of this shard delivers it
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_try_at", Micros, nullable=False),
    sa.Index("callbacks_by_shard_time", "shard", "next_try_at"),
    schema="callback",
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("created_at", Micros, nullable=False),
    schema="jobqueue",
)

identities = sa.Table(
    "identities",
    metadata,
    sa.Column("wa_id", sa.String(64), primary_key=True),
    sa.Column("identity_key", sa.String(64), nullable=False),
    sa.Column("created_at", Micros, nullable=False),
    schema="axolotl",
)


def of_group(group: str) -> list[sa.Table]:
    """The tables of one group."""
    return [table for table in metadata.sorted_tables if table.schema == group]
