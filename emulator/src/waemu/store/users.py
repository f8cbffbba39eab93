"""API users and revoked tokens. Every webapp works on the same rows; none of them remembers anything."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from waemu.schema.tables import api_users, revoked_tokens
from waemu.store.engine import utc_now

LONGEST_NAME = 32


@dataclass(frozen=True)
class User:
    """One API user. must_change: it still has the password every installation starts with."""

    username: str
    password_hash: str
    role: str
    must_change: bool
    epoch: int


@dataclass(frozen=True)
class Standing:
    """What is known about one token: its user's role and token epoch, and whether it was revoked."""

    role: str
    epoch: int
    revoked: bool


async def add_first(engine: AsyncEngine, username: str, password_hash: str, role: str) -> bool:
    """Create the first user unless there are users already; False when there were, or another webapp was faster."""
    async with engine.connect() as connection:
        if await connection.scalar(sa.select(sa.func.count()).select_from(api_users)):
            return False
    return await add(engine, username, password_hash, role, must_change=True)


async def add(engine: AsyncEngine, username: str, password_hash: str, role: str, *, must_change: bool = False) -> bool:
    """Create a user; False when the name is taken.

    The token epoch starts at a random number, so that tokens of a deleted user do not fit a later one of its name.
    """
    values = {
        "username": username,
        "password_hash": password_hash,
        "role": role,
        "must_change": must_change,
        "token_epoch": secrets.randbelow(2**31 - 1),
    }
    try:
        async with engine.begin() as connection:
            await connection.execute(api_users.insert().values(values))
    except IntegrityError:
        return False
    return True


async def get(engine: AsyncEngine, username: str) -> User | None:
    """A user by the exact name: MySQL's comparison ignores case, user names do not."""
    if not _may_exist(username):
        return None
    query = sa.select(api_users).where(api_users.c.username == username)
    async with engine.connect() as connection:
        row = (await connection.execute(query)).first()
    if row is None or row.username != username:
        return None
    return User(row.username, row.password_hash, row.role, bool(row.must_change), row.token_epoch)


async def set_password(engine: AsyncEngine, username: str, password_hash: str) -> None:
    """Give an existing user another password."""
    change = api_users.update().where(api_users.c.username == username)
    async with engine.begin() as connection:
        await connection.execute(change.values(password_hash=password_hash, must_change=False))


async def delete(engine: AsyncEngine, username: str) -> None:
    """Remove a user, and with it all its tokens."""
    async with engine.begin() as connection:
        await connection.execute(api_users.delete().where(api_users.c.username == username))


async def standing(engine: AsyncEngine, username: str, jti: str) -> Standing | None:
    """What is known about a token, in one query; None when its user is gone."""
    revoked = sa.exists().where(revoked_tokens.c.jti == jti).label("revoked")
    query = sa.select(api_users.c.username, api_users.c.role, api_users.c.token_epoch, revoked)
    async with engine.connect() as connection:
        row = (await connection.execute(query.where(api_users.c.username == username))).first()
    if row is None or row.username != username:
        return None
    return Standing(row.role, row.token_epoch, bool(row.revoked))


async def revoke(engine: AsyncEngine, jti: str, expires: dt.datetime) -> None:
    """Make one token void; rows of tokens that have expired anyway are dropped on the way."""
    naive = expires.astimezone(dt.UTC).replace(tzinfo=None)
    try:
        async with engine.begin() as connection:
            await connection.execute(revoked_tokens.delete().where(revoked_tokens.c.expires_at < utc_now()))
            await connection.execute(revoked_tokens.insert().values(jti=jti, expires_at=naive))
    except IntegrityError:
        return  # revoked at the same moment through another webapp


def _may_exist(username: str) -> bool:
    """Names that no user can have are not asked for: a NUL is an error in PostgreSQL, a long name never matches."""
    return 0 < len(username) <= LONGEST_NAME and username.isprintable()
