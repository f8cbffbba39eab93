"""Which schema each client version wants, and what a database has: a small integer per group."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from waemu.schema.tables import GROUPS, VERSION_TABLE
from waemu.versions import Version

# Per group: the first major.minor that wants each schema version; index 0 is schema version 1.
# 2.41 indexes the receipt log, as the vendor's public change log says, and 2.43 blocks contacts (reference 4.7); 2.21
# is an index of our own, so that an upgrade away from the oldest line has work to do.
STEPS: dict[str, tuple[tuple[int, int], ...]] = {
    "axolotl": ((0, 0),),
    "callback": ((0, 0),),
    "cluster": ((0, 0),),
    "config": ((0, 0), (2, 21)),
    "contact": ((0, 0), (2, 43)),
    "jobqueue": ((0, 0),),
    "message": ((0, 0), (2, 41)),
}

Levels = dict[str, int]


def required(version: Version) -> Levels:
    """Schema version per group that a client of this version works with."""
    line = (version.major, version.minor)
    return {group: sum(1 for since in STEPS[group] if since <= line) for group in GROUPS}


def behind(current: Levels, want: Levels) -> list[str]:
    """The groups a client has to wait for: those with an older schema than it wants."""
    return [group for group in GROUPS if current.get(group, 0) < want[group]]


async def current(engine: AsyncEngine) -> Levels:
    """Schema version per group as the database has it; 0 where the group does not exist yet."""
    async with engine.connect() as connection:
        return {group: await _level(connection, group) for group in GROUPS}


async def _level(connection: AsyncConnection, group: str) -> int:
    """0 when the version table, or the whole database of the group, does not exist."""
    # A whole Table: the lighter sa.table() is left out of the translation of schema names.
    table = sa.Table(VERSION_TABLE, sa.MetaData(), sa.Column("version_num", sa.String(32)), schema=group)
    try:
        async with connection.begin():
            text = await connection.scalar(sa.select(table.c.version_num))
    except DBAPIError as error:
        if _is_missing(error):
            return 0
        raise
    return int(text) if text is not None else 0


def _is_missing(error: DBAPIError) -> bool:
    """Unknown database or table: MySQL 1049, 1146; PostgreSQL 42P01 (table), 3F000 (schema)."""
    original = error.orig
    if getattr(original, "sqlstate", None) in ("42P01", "3F000"):
        return True
    return next(iter(getattr(original, "args", ())), None) in (1049, 1146)
