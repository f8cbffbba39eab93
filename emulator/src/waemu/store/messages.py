"""Messages on their way through a coreapp."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from waemu.schema.tables import message_receipt_log, messages
from waemu.store import callbacks, media
from waemu.store.callbacks import Callback
from waemu.store.engine import insert_now, utc_now
from waemu.store.media import Media

DONE = ("delivered", "read", "failed", "deleted")  # nothing more happens to a message in these
QUEUED_BATCH = 500  # messages that are read at a time by who takes them over
COLLECT_BATCH = 500  # rows in one transaction, so that nobody waits long for a lock


@dataclass(frozen=True)
class Message:
    """A message as the core took it.

    age: real seconds it had waited when it was read from the database. created_at: when it was written there, by the
    database's clock.
    """

    id: str
    wa_id: str
    shard: int
    type: str
    body: dict[str, Any]
    age: float = 0.0
    created_at: dt.datetime | None = None


async def queue(engine: AsyncEngine, node_key: str, new: Sequence[Message]) -> None:
    """Keep messages before they are sent: once this returns, none is lost."""
    async with engine.begin() as connection:
        rows = [_row(message, "out", "queued", node_key) for message in new]
        await insert_now(connection, messages, "created_at", rows)


async def queued(
    engine: AsyncEngine, shards: Collection[int], *, after: Message | None = None, limit: int = QUEUED_BATCH
) -> list[Message]:
    """The oldest messages of some shards that nobody has sent yet: what a new owner takes over.

    after: the last one of those that were read before, to go on from there.
    """
    condition = messages.c.shard.in_(shards) & (messages.c.status == "queued") & (messages.c.direction == "out")
    if after is not None:
        assert after.created_at is not None
        condition &= sa.tuple_(messages.c.created_at, messages.c.id) > (after.created_at, after.id)
    columns = sa.select(messages, utc_now().label("db_now"))
    query = columns.where(condition).order_by(messages.c.created_at, messages.c.id).limit(limit)
    async with engine.connect() as connection:
        return [
            Message(
                row.id,
                row.wa_id,
                row.shard,
                row.type,
                row.body,
                (row.db_now - row.created_at).total_seconds(),
                row.created_at,
            )
            for row in await connection.execute(query)
        ]


async def sent(engine: AsyncEngine, ids: Sequence[str], calls: Sequence[Callback] = ()) -> None:
    """WhatsApp has these messages. calls: the callbacks that report so, queued in the same transaction."""
    if not ids:
        return
    async with engine.begin() as connection:
        waiting = messages.c.id.in_(ids) & (messages.c.status == "queued")  # a receipt may have been faster
        await connection.execute(messages.update().where(waiting).values(status="sent"))
        await _log(connection, [(message_id, "sent") for message_id in ids])
        await callbacks.add(connection, calls)


async def statuses(engine: AsyncEngine, ids: Collection[str]) -> dict[str, str]:
    """The status of those messages that are still in the database."""
    query = sa.select(messages.c.id, messages.c.status).where(messages.c.id.in_(ids))
    async with engine.connect() as connection:
        return {row.id: row.status for row in await connection.execute(query)}


async def receive(
    engine: AsyncEngine,
    node_key: str,
    *,
    reached: Mapping[str, Sequence[str]],
    inbound: Sequence[Message] = (),
    files: Sequence[tuple[Media, str]] = (),
    drop: Collection[str] = (),
    calls: Sequence[Callback] = (),
) -> None:
    """Keep what WhatsApp reported, in one transaction.

    reached: status to the ids of messages that reached it. inbound: messages to the business. files: their
    media, with paths. drop: ids of messages
    nobody needs any more. calls: the callbacks about all this.
    """
    async with engine.begin() as connection:
        gone = set(drop)
        for status, ids in reached.items():
            kept = [message_id for message_id in ids if message_id not in gone]
            if kept:
                await connection.execute(messages.update().where(messages.c.id.in_(kept)).values(status=status))
            await _log(connection, [(message_id, status) for message_id in ids])
        if inbound:
            rows = [_row(message, "in", "received", node_key) for message in inbound]
            await insert_now(connection, messages, "created_at", rows)
        for item, path in files:
            await media.insert(connection, item, path)
        if drop:
            await connection.execute(messages.delete().where(messages.c.id.in_(drop)))
        await callbacks.add(connection, calls)


async def _log(connection: AsyncConnection, entries: Sequence[tuple[str, str]]) -> None:
    """Write to the receipt log which message reached which status."""
    rows = [{"message_id": message_id, "status": status} for message_id, status in entries]
    await insert_now(connection, message_receipt_log, "created_at", rows)


def _row(message: Message, direction: str, status: str, node_key: str) -> dict[str, Any]:
    return {
        "id": message.id,
        "direction": direction,
        "wa_id": message.wa_id,
        "shard": message.shard,
        "type": message.type,
        "body": message.body,
        "status": status,
        "node_key": node_key,
    }


async def mark_read(engine: AsyncEngine, message_id: str) -> bool:
    """An inbound message was read by the business; False when there is no such message."""
    async with engine.begin() as connection:
        mine = (messages.c.id == message_id) & (messages.c.direction == "in")
        await connection.execute(messages.update().where(mine).values(status="read"))
        return bool(await connection.scalar(sa.select(sa.func.count()).select_from(messages).where(mine)))


async def collect(engine: AsyncEngine, shards: Collection[int]) -> int:
    """The cleanup service: drop the messages of some shards that are done with; returns how many.

    With them go receipts, also those of messages that pass_through has dropped already.
    """
    done, log = messages.c.shard.in_(shards) & messages.c.status.in_(DONE), message_receipt_log
    dropped = ~sa.exists().where(messages.c.id == log.c.message_id)
    deleted = 0
    while True:
        async with engine.begin() as connection:
            ids = (await connection.scalars(sa.select(messages.c.id).where(done).limit(COLLECT_BATCH))).all()
            if ids:
                await connection.execute(log.delete().where(log.c.message_id.in_(ids)))
                await connection.execute(messages.delete().where(messages.c.id.in_(ids)))
            left = (await connection.scalars(sa.select(log.c.id).where(dropped).limit(COLLECT_BATCH))).all()
            if left:
                await connection.execute(log.delete().where(log.c.id.in_(left)))
        if not ids and not left:
            return deleted
        deleted += len(ids)
