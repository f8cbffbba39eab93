"""Named documents of the configuration (business profile, about, compliance, sticker packs) and media providers."""

from __future__ import annotations

import typing as t

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from waemu.schema.tables import media_providers, profile


async def read(engine: AsyncEngine, name: str) -> t.Any:
    """A document, None when it was never written."""
    async with engine.connect() as connection:
        return (await connection.execute(sa.select(profile.c.value).where(profile.c.name == name))).scalar_one_or_none()


async def read_all(engine: AsyncEngine, prefix: str) -> dict[str, t.Any]:
    """All documents whose name starts with a prefix, by the rest of their name."""
    query = sa.select(profile.c.name, profile.c.value).where(profile.c.name.startswith(prefix, autoescape=True))
    async with engine.connect() as connection:
        rows = await connection.execute(query.order_by(profile.c.name))
        return {row.name.removeprefix(prefix): row.value for row in rows}


async def write(engine: AsyncEngine, name: str, value: t.Any) -> None:
    """Replace a document."""
    async with engine.begin() as connection:
        await connection.execute(profile.delete().where(profile.c.name == name))
        await connection.execute(profile.insert().values(name=name, value=value))


async def delete(engine: AsyncEngine, name: str) -> bool:
    """Drop a document; False when there was none."""
    async with engine.begin() as connection:
        return bool((await connection.execute(profile.delete().where(profile.c.name == name))).rowcount)


async def providers(engine: AsyncEngine) -> list[dict[str, t.Any]]:
    """All media providers by name."""
    async with engine.connect() as connection:
        rows = await connection.execute(sa.select(media_providers).order_by(media_providers.c.name))
        return [{"name": row.name, "type": row.type, "config": row.config} for row in rows]


async def write_providers(engine: AsyncEngine, items: t.Sequence[t.Mapping[str, t.Any]]) -> None:
    """Add media providers, or replace those of the same name."""
    async with engine.begin() as connection:
        for item in items:
            await _drop_provider(connection, item["name"])
            await connection.execute(media_providers.insert().values(**item))


async def delete_provider(engine: AsyncEngine, name: str) -> bool:
    """Drop a media provider; False when there was none."""
    async with engine.begin() as connection:
        return bool(await _drop_provider(connection, name))


async def _drop_provider(connection: AsyncConnection, name: str) -> int:
    return (await connection.execute(media_providers.delete().where(media_providers.c.name == name))).rowcount
