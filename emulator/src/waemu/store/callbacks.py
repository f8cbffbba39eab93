"""The queue of callbacks (reference 4.8): one row per POST to the webhook, until that was answered with 200."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from waemu.schema.tables import callbacks
from waemu.store.engine import in_seconds, insert_now, utc_now

Kind = Literal["inbound_message", "status_change", "service"]
SERVICE_SHARD = 0  # whose owner, there whatever the shard count, delivers the reports of cleanup services


@dataclass(frozen=True)
class Callback:
    """One callback. shard: whose owner delivers it. attempts: those that failed. id: 0 until it has a row."""

    kind: Kind
    shard: int
    body: dict[str, Any]
    id: int = 0
    attempts: int = 0


async def add(connection: AsyncConnection, items: Sequence[Callback]) -> None:
    """Queue callbacks within the transaction that makes them necessary."""
    if items:
        rows = [{"kind": item.kind, "shard": item.shard, "body": item.body, "attempts": 0} for item in items]
        await insert_now(connection, callbacks, "next_try_at", rows)


async def queue(engine: AsyncEngine, items: Sequence[Callback]) -> None:
    """Queue callbacks."""
    async with engine.begin() as connection:
        await add(connection, items)


async def due(engine: AsyncEngine, shards: Collection[int], limit: int) -> list[Callback]:
    """Callbacks of some shards whose time has come: shard by shard as in the index, the longest waiting first."""
    ready = callbacks.c.shard.in_(shards) & (callbacks.c.next_try_at <= utc_now())
    query = sa.select(callbacks).where(ready).order_by(callbacks.c.shard, callbacks.c.next_try_at).limit(limit)
    async with engine.connect() as connection:
        rows = await connection.execute(query)
        return [Callback(row.kind, row.shard, row.body, row.id, row.attempts) for row in rows]


async def next_due(engine: AsyncEngine, shards: Collection[int]) -> float | None:
    """Real seconds until the next callback of some shards is due, None when there is none."""
    query = sa.select(sa.func.min(callbacks.c.next_try_at).label("at"), utc_now().label("db_now"))
    async with engine.connect() as connection:
        row = (await connection.execute(query.where(callbacks.c.shard.in_(shards)))).one()
    return (row.at - row.db_now).total_seconds() if row.at else None


async def delivered(engine: AsyncEngine, ids: Sequence[int]) -> None:
    """The webhook has these."""
    async with engine.begin() as connection:
        await connection.execute(callbacks.delete().where(callbacks.c.id.in_(ids)))


async def put_off(engine: AsyncEngine, callback_id: int, attempts: int, seconds: float) -> None:
    """Another attempt failed; the next one is so many real seconds away."""
    change = callbacks.update().where(callbacks.c.id == callback_id)
    async with engine.begin() as connection:
        await connection.execute(change.values(attempts=attempts, next_try_at=in_seconds(seconds)))
