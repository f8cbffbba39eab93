"""How much there is of what: the numbers behind the statistics endpoints (reference 8)."""

from __future__ import annotations

import typing as t

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from waemu.schema import tables


async def callbacks(engine: AsyncEngine) -> int:
    """Callbacks that wait for delivery."""
    return await _count(engine, tables.callbacks)


async def receipts(engine: AsyncEngine) -> int:
    """Entries of the receipt log."""
    return await _count(engine, tables.message_receipt_log)


async def queued_messages(engine: AsyncEngine) -> int:
    """Messages that were accepted and not sent yet."""
    async with engine.connect() as connection:
        query = sa.select(sa.func.count()).where(
            (tables.messages.c.status == "queued") & (tables.messages.c.direction == "out")
        )
        return int(await connection.scalar(query) or 0)


async def api_users(engine: AsyncEngine) -> int:
    """Users of the API."""
    return await _count(engine, tables.api_users)


async def contacts(engine: AsyncEngine) -> tuple[int, int]:
    """Contacts that are WhatsApp users, and those that are not."""
    valid = sa.func.count(sa.case((tables.contacts.c.status == "valid", 1)))
    async with engine.connect() as connection:
        row = (await connection.execute(sa.select(valid, sa.func.count()).select_from(tables.contacts))).one()
    return int(row[0]), int(row[1]) - int(row[0])


async def messages_by_type(engine: AsyncEngine) -> dict[str, int]:
    """Messages in the database by type."""
    kind = tables.messages.c.type
    async with engine.connect() as connection:
        rows: t.Any = await connection.execute(sa.select(kind, sa.func.count()).group_by(kind))
        return {row[0]: int(row[1]) for row in rows}


async def _count(engine: AsyncEngine, table: sa.Table) -> int:
    async with engine.connect() as connection:
        return int(await connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)
