"""Messages on their way through a coreapp."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from waemu.schema.tables import message_receipt_log, messages
from waemu.store.engine import utc_now


@dataclass(frozen=True)
class Message:
    """An outgoing message as the core took it."""

    id: str
    wa_id: str
    shard: int
    type: str
    body: dict[str, Any]


async def queue(engine: AsyncEngine, node_key: str, new: Sequence[Message]) -> None:
    """Keep messages before they are sent: once this returns, none is lost."""
    rows = [
        {
            "id": message.id,
            "direction": "out",
            "wa_id": message.wa_id,
            "shard": message.shard,
            "type": message.type,
            "body": message.body,
            "status": "queued",
            "node_key": node_key,
        }
        for message in new
    ]
    async with engine.begin() as connection:
        await connection.execute(messages.insert().values(created_at=utc_now()), rows)


async def queued(engine: AsyncEngine, shard: int, limit: int = 500) -> list[Message]:
    """The oldest messages of a shard that nobody has sent yet: what a new owner takes over."""
    wanted = (messages.c.shard == shard) & (messages.c.status == "queued") & (messages.c.direction == "out")
    query = sa.select(messages).where(wanted).order_by(messages.c.created_at).limit(limit)
    async with engine.connect() as connection:
        rows = await connection.execute(query)
        return [Message(row.id, row.wa_id, row.shard, row.type, row.body) for row in rows]


async def advance(engine: AsyncEngine, ids: Sequence[str], status: str) -> None:
    """The messages reached a status; each is written to the receipt log as well."""
    if not ids:
        return
    async with engine.begin() as connection:
        await connection.execute(messages.update().where(messages.c.id.in_(ids)).values(status=status))
        await connection.execute(
            message_receipt_log.insert().values(created_at=utc_now()),
            [{"message_id": message_id, "status": status} for message_id in ids],
        )


async def mark_read(engine: AsyncEngine, message_id: str) -> bool:
    """An inbound message was read by the business; False when there is no such message."""
    async with engine.begin() as connection:
        mine = (messages.c.id == message_id) & (messages.c.direction == "in")
        await connection.execute(messages.update().where(mine).values(status="read"))
        return bool(await connection.scalar(sa.select(sa.func.count()).select_from(messages).where(mine)))


async def collect(engine: AsyncEngine, shard: int) -> int:
    """The clean-up service: drop the messages of a shard that are done with; returns how many."""
    done = (messages.c.shard == shard) & messages.c.status.in_(("delivered", "read", "failed", "deleted"))
    async with engine.begin() as connection:
        return (await connection.execute(messages.delete().where(done))).rowcount
