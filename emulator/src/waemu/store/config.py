"""The account and the application settings."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from waemu import appsettings
from waemu.schema.tables import account, app_settings
from waemu.store.engine import in_seconds, utc_now

OK = "ok"
_RESTORED = "restored:"


@dataclass(frozen=True)
class Account:
    """The one number of this cluster. state: unregistered or registered.

    pending_*: the number a code was sent to; code_left: real seconds that code is still good for. *_age: real
    seconds since then, None if never. pin_hash is None without two-step verification. condition: ok, banned,
    logged_off, disconnected, or what C(restored) returns.
    """

    state: str
    cc: str | None
    phone_number: str | None
    vname: str | None
    pending_cc: str | None
    pending_phone_number: str | None
    code_hash: str | None
    code_left: float
    registered_age: float | None
    certified_age: float | None
    pin_hash: str | None
    registration_id: int | None
    identity: str | None
    registered_at: dt.datetime | None
    condition: str
    condition_left: float

    @property
    def registered(self) -> bool:
        """Whether the number can connect to WhatsApp at all."""
        return self.state == "registered"

    @property
    def restored(self) -> bool:
        """Whether a backup was restored over another registration; since then nothing else has happened to it."""
        return self.condition.startswith(_RESTORED)

    @property
    def sound(self) -> bool:
        """Whether WhatsApp has nothing against it."""
        return self.condition == OK or self.restored


def restored() -> str:
    """The condition of an account that was restored just now; every restore has its own."""
    return _RESTORED + secrets.token_hex(3)


async def read_account(engine: AsyncEngine) -> Account:
    """The account; a database that was never used has an unregistered one."""
    async with engine.connect() as connection:
        row = (await connection.execute(sa.select(account, utc_now().label("db_now")))).one()
    return Account(
        state=row.state,
        cc=row.cc,
        phone_number=row.phone_number,
        vname=row.vname,
        pending_cc=row.pending_cc,
        pending_phone_number=row.pending_phone_number,
        code_hash=row.code_hash,
        code_left=-_age(row.db_now, row.code_expires_at, 0.0),
        registered_age=_age(row.db_now, row.registered_at, None),
        certified_age=_age(row.db_now, row.certified_at, None),
        pin_hash=row.pin_hash,
        registration_id=row.registration_id,
        identity=row.identity,
        registered_at=row.registered_at,
        condition=row.condition,
        condition_left=-_age(row.db_now, row.condition_until, 0.0),
    )


def _age(now: dt.datetime, then: dt.datetime | None, missing: Any) -> Any:
    return missing if then is None else (now - then).total_seconds()


async def request_code(
    engine: AsyncEngine, cc: str, phone_number: str, vname: str, code_hash: str, good_for: float
) -> None:
    """Remember which number asked for a code; good_for: real seconds."""
    async with engine.begin() as connection:
        await connection.execute(
            account.update().values(
                pending_cc=cc,
                pending_phone_number=phone_number,
                pending_vname=vname,
                code_hash=code_hash,
                code_expires_at=in_seconds(good_for),
            )
        )


async def register(engine: AsyncEngine, registration_id: int, identity: str) -> None:
    """The code was right: the number is registered, with new keys."""
    async with engine.begin() as connection:
        await connection.execute(
            account.update().values(
                state="registered",
                cc=account.c.pending_cc,
                phone_number=account.c.pending_phone_number,
                vname=account.c.pending_vname,
                code_hash=None,
                code_expires_at=None,
                registered_at=utc_now(),
                certified_at=utc_now(),
                registration_id=registration_id,
                identity=identity,
                condition="ok",
                condition_until=None,
            )
        )


async def certified(engine: AsyncEngine) -> None:
    """A certificate was accepted now."""
    async with engine.begin() as connection:
        await connection.execute(account.update().values(certified_at=utc_now()))


async def set_condition(
    engine: AsyncEngine, condition: str, seconds: float = 0.0, *, registered: object = None
) -> None:
    """ok, logged_off, disconnected, or banned for so many real seconds.

    registered: the Account.registration_id this is about; nothing changes when there is another one meanwhile.
    """
    until = in_seconds(seconds) if seconds else None
    change = account.update().values(condition=condition, condition_until=until)
    if registered is not None:
        change = change.where(account.c.registration_id == registered)
    async with engine.begin() as connection:
        await connection.execute(change)


async def set_pin(engine: AsyncEngine, pin_hash: str | None) -> None:
    """Two-step verification on, or off with None."""
    async with engine.begin() as connection:
        await connection.execute(account.update().values(pin_hash=pin_hash))


async def read_settings(engine: AsyncEngine) -> dict[str, Any]:
    """All application settings, nested as the API shows them."""
    async with engine.connect() as connection:
        rows = await connection.execute(sa.select(app_settings.c.name, app_settings.c.value))
        return appsettings.nested({row.name: row.value for row in rows})


async def change_settings(engine: AsyncEngine, change: Mapping[str, Any]) -> dict[str, Any]:
    """Store the given subset, leave the rest; returns all settings."""
    async with engine.begin() as connection:
        for name, value in appsettings.leaves(change):
            updated = await connection.execute(
                app_settings.update().where(app_settings.c.name == name).values(value=value)
            )
            known = updated.rowcount or await connection.scalar(
                sa.select(sa.func.count()).where(app_settings.c.name == name)
            )
            if not known:
                await connection.execute(app_settings.insert().values(name=name, value=value))
    return await read_settings(engine)


async def reset_settings(engine: AsyncEngine) -> dict[str, Any]:
    """Back to the defaults."""
    async with engine.begin() as connection:
        await connection.execute(app_settings.delete())
    return await read_settings(engine)
