"""Checked contacts and their identities (contact and axolotl groups).

Columns are named one by one: C(blocked) is there only since v2.43.
"""

from __future__ import annotations

import datetime as dt
import secrets
import typing as t
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from waemu import phone
from waemu.schema.tables import contacts, identities
from waemu.store.engine import in_seconds, utc_now

LONGEST_ID = 64
BLOCK_SINCE = (2, 43)  # reference 4.7


@dataclass(frozen=True)
class Checked:
    """The result of a contact check; wa_id is None for an input that is no WhatsApp user."""

    input: str
    status: str
    wa_id: str | None


@dataclass(frozen=True)
class Identity:
    """A contact's identity: its hash now, the one the business has acknowledged, and since when."""

    hash: str
    acknowledged: str | None
    created_at: dt.datetime


async def read(engine: AsyncEngine, inputs: t.Sequence[str], life: float) -> dict[str, Checked]:
    """Results that are not older than C(life) real seconds, by input. All forms of a number have the same one."""
    keys = {text: _key(text) for text in inputs}
    query = sa.select(contacts.c.wa_id, contacts.c.status).where(
        contacts.c.wa_id.in_([key for key in keys.values() if len(key) <= LONGEST_ID])
        & (contacts.c.checked_at > in_seconds(-life))
    )
    async with engine.connect() as connection:
        rows = {row.wa_id: row for row in await connection.execute(query)}
    return {text: Checked(text, rows[key].status, _wa_id(rows[key])) for text, key in keys.items() if key in rows}


async def write(engine: AsyncEngine, results: t.Iterable[Checked]) -> None:
    """Keep results: one for each WhatsApp id, whatever form of the number was asked about."""
    for item in results:
        key = item.wa_id or _key(item.input)
        if len(key) > LONGEST_ID or len(item.input) > LONGEST_ID:
            continue
        values = {"input": item.input, "status": item.status, "checked_at": utc_now()}
        try:
            async with engine.begin() as connection:
                mine = contacts.c.wa_id == key
                known = await connection.scalar(sa.select(sa.func.count()).select_from(contacts).where(mine))
                if known:
                    await connection.execute(contacts.update().where(mine).values(values))
                else:
                    await connection.execute(sa.insert(contacts).values(wa_id=key, **values))
        except IntegrityError:
            continue  # another webapp checked the same contact at the same moment


async def identity(engine: AsyncEngine, wa_id: str) -> Identity | None:
    """The identity of a contact that was checked; None for others."""
    if not _plausible(wa_id):
        return None
    async with engine.connect() as connection:
        query = sa.select(contacts.c.status, contacts.c.identity_hash).where(contacts.c.wa_id == wa_id)
        contact = (await connection.execute(query)).first()
    if contact is None or contact.status != "valid":
        return None
    key, created_at = await _identity_key(engine, wa_id)
    return Identity(key, contact.identity_hash, created_at)


async def is_known(engine: AsyncEngine, wa_id: str) -> bool:
    """Whether a WhatsApp id is the result of a contact check."""
    if not _plausible(wa_id):
        return False
    query = sa.select(contacts.c.wa_id).where((contacts.c.wa_id == wa_id) & (contacts.c.status == "valid"))
    async with engine.connect() as connection:
        return (await connection.execute(query)).first() is not None


async def acknowledge(engine: AsyncEngine, wa_id: str, hash_: str) -> None:
    """Remember which identity of a contact the business accepts."""
    async with engine.begin() as connection:
        await connection.execute(contacts.update().where(contacts.c.wa_id == wa_id).values(identity_hash=hash_))


async def block(engine: AsyncEngine, wa_id: str, *, blocked: bool) -> bool:
    """Block or unblock a contact that was checked; False when it was not."""
    if not _plausible(wa_id):
        return False
    async with engine.begin() as connection:
        await connection.execute(contacts.update().where(contacts.c.wa_id == wa_id).values(blocked=blocked))
        query = sa.select(sa.func.count()).select_from(contacts).where(contacts.c.wa_id == wa_id)
        return bool(await connection.scalar(query))


async def blocked(engine: AsyncEngine, wa_ids: t.Collection[str]) -> set[str]:
    """Those of some users who are blocked; only with the schema of BLOCK_SINCE."""
    query = sa.select(contacts.c.wa_id).where(contacts.c.wa_id.in_(wa_ids) & contacts.c.blocked)
    async with engine.connect() as connection:
        return set(await connection.scalars(query))


async def _identity_key(engine: AsyncEngine, wa_id: str) -> tuple[str, dt.datetime]:
    """A contact's key, made up the first time anybody asks for it."""
    query = sa.select(identities.c.identity_key, identities.c.created_at).where(identities.c.wa_id == wa_id)
    for _ in range(2):
        async with engine.begin() as connection:
            row = (await connection.execute(query)).first()
        if row is not None:
            return row.identity_key, row.created_at
        try:
            async with engine.begin() as connection:
                values = {"wa_id": wa_id, "identity_key": secrets.token_urlsafe(16), "created_at": utc_now()}
                await connection.execute(identities.insert().values(values))
        except IntegrityError:
            continue  # another webapp was faster: its key is the one
    async with engine.connect() as connection:
        row = (await connection.execute(query)).one()
    return row.identity_key, row.created_at


def _key(text: str) -> str:
    """What a result is kept under: the number, or a text that is none as it is."""
    return phone.digits(text) or text


def _plausible(wa_id: str) -> bool:
    return wa_id.isascii() and wa_id.isdigit() and len(wa_id) <= LONGEST_ID


def _wa_id(row: t.Any) -> str | None:
    return row.wa_id if row.status == "valid" else None
