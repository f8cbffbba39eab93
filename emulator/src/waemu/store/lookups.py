"""What the web looks up about messages before it calls a coreapp."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from waemu.schema.tables import messages

LONGEST_ID = 64


async def sender_of_incoming(engine: AsyncEngine, message_id: str) -> str | None:
    """The WhatsApp id of an incoming message's sender, None when there is no such message."""
    if len(message_id) > LONGEST_ID or not message_id.isprintable():
        return None
    query = sa.select(messages.c.wa_id).where((messages.c.id == message_id) & (messages.c.direction == "in"))
    async with engine.connect() as connection:
        return (await connection.execute(query)).scalar_one_or_none()


async def has_written(engine: AsyncEngine, wa_id: str) -> bool:
    """Whether there is a message from a user."""
    query = sa.select(messages.c.id).where((messages.c.wa_id == wa_id) & (messages.c.direction == "in")).limit(1)
    async with engine.connect() as connection:
        return (await connection.execute(query)).first() is not None
