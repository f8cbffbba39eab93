"""Certificates of an installation: its own CA, and those that were uploaded, the chain and the webhook's CA (4.6)."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from waemu.schema.tables import certificates

EXTERNAL = "external"
WEBHOOKS = "webhooks"
AUTHORITY = "authority"


async def read(engine: AsyncEngine, kind: str) -> str | None:
    """The PEM of a kind, None when none was uploaded."""
    async with engine.connect() as connection:
        query = sa.select(certificates.c.pem).where(certificates.c.kind == kind)
        return (await connection.execute(query)).scalar_one_or_none()


async def write(engine: AsyncEngine, kind: str, pem: str) -> None:
    """Replace the PEM of a kind."""
    async with engine.begin() as connection:
        await connection.execute(certificates.delete().where(certificates.c.kind == kind))
        await connection.execute(certificates.insert().values(kind=kind, pem=pem))


async def add(engine: AsyncEngine, kind: str, pem: str) -> str:
    """Add the PEM of a kind that has none; returns what is there then, which may be another webapp's."""
    try:
        async with engine.begin() as connection:
            await connection.execute(certificates.insert().values(kind=kind, pem=pem))
    except IntegrityError:
        return await read(engine, kind) or pem
    return pem


async def delete(engine: AsyncEngine, kind: str) -> bool:
    """Drop the PEM of a kind; False when there was none."""
    async with engine.begin() as connection:
        done = await connection.execute(certificates.delete().where(certificates.c.kind == kind))
    return bool(done.rowcount)
