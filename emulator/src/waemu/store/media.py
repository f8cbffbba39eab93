"""Which media there are; the bytes are on the shared volume."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from waemu.mediavolume import INCOMING
from waemu.schema.tables import cluster_state, jobs, media
from waemu.store.engine import in_seconds, utc_now

GC_JOB = "media_gc"
GC_ABANDONED = 3600.0  # real seconds after which a cleanup that never ended no longer blocks the next one


@dataclass(frozen=True)
class Media:
    """One uploaded or received file. incoming: from WhatsApp; its file may not have been downloaded yet (size 0)."""

    id: str
    mime: str
    size: int
    incoming: bool = False


async def add(engine: AsyncEngine, item: Media, path: str) -> None:
    """Remember a file that was uploaded. path: where it is, for whoever reads the database."""
    async with engine.begin() as connection:
        await insert(connection, item, path)


async def insert(connection: AsyncConnection, item: Media, path: str) -> None:
    """Remember a file within a transaction."""
    now = utc_now()
    values = {"id": item.id, "mime": item.mime, "size": item.size, "path": path}
    await connection.execute(media.insert().values(**values, created_at=now, last_used_at=now))


async def downloaded(engine: AsyncEngine, media_id: str, size: int) -> None:
    """The file of received media is on the volume now."""
    async with engine.begin() as connection:
        await connection.execute(media.update().where(media.c.id == media_id).values(size=size))


async def use(engine: AsyncEngine, media_id: str) -> Media | None:
    """A file by its id, marked as used now; None when there is no such file."""
    if len(media_id) > 64 or not media_id.isprintable():
        return None
    async with engine.begin() as connection:
        row = (await connection.execute(sa.select(media).where(media.c.id == media_id))).first()
        if row is None or row.id != media_id:
            return None
        await connection.execute(media.update().where(media.c.id == media_id).values(last_used_at=utc_now()))
    return Media(row.id, row.mime, row.size, f"/{INCOMING}/" in row.path)


async def forget(engine: AsyncEngine, media_id: str) -> None:
    """Drop the row of a file."""
    async with engine.begin() as connection:
        await connection.execute(media.delete().where(media.c.id == media_id))


async def unused(engine: AsyncEngine, seconds: float) -> list[str]:
    """Files nobody used for so many real seconds."""
    async with engine.connect() as connection:
        rows = await connection.execute(sa.select(media.c.id).where(media.c.last_used_at < in_seconds(-seconds)))
        return [row.id for row in rows]


async def begin_gc(engine: AsyncEngine) -> bool:
    """Claim the cleanup; False while another one runs anywhere in the cluster."""
    mine = jobs.c.kind == GC_JOB
    async with engine.begin() as connection:
        await connection.execute(sa.select(cluster_state.c.id).with_for_update())  # one claim at a time
        await connection.execute(jobs.delete().where(mine & (jobs.c.created_at < in_seconds(-GC_ABANDONED))))
        if await connection.scalar(sa.select(sa.func.count()).select_from(jobs).where(mine)):
            return False
        await connection.execute(jobs.insert().values(kind=GC_JOB, body={}, created_at=utc_now()))
    return True


async def end_gc(engine: AsyncEngine) -> None:
    """Free the cleanup for the next one."""
    async with engine.begin() as connection:
        await connection.execute(jobs.delete().where(jobs.c.kind == GC_JOB))
