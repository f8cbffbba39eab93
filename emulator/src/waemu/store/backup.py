"""What a backup holds of the database: the registration with its keys (reference 4.4 and 6.8)."""

from __future__ import annotations

import datetime as dt
import typing as t

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from waemu.schema.tables import account, cluster_state
from waemu.store import config

_KEPT = (
    "cc",
    "phone_number",
    "vname",
    "state",
    "registered_at",
    "certified_at",
    "pin_hash",
    "registration_id",
    "identity",
)


class Refused(Exception):
    """The backup does not fit this installation; the text is one sentence."""


async def export(engine: AsyncEngine) -> dict[str, t.Any]:
    """Registration and shard count as plain data. Raises Refused when the number is not registered."""
    async with engine.connect() as connection:
        row = (await connection.execute(sa.select(account))).one()
        shards = await connection.scalar(sa.select(cluster_state.c.shards))
    if row.state != "registered":
        raise Refused("Only a registered client can be backed up")
    kept = {name: _plain(getattr(row, name)) for name in _KEPT}
    return {"shards": shards, "account": kept}


async def restore(engine: AsyncEngine, saved: t.Mapping[str, t.Any]) -> None:
    """Restore a registration. Raises Refused when the shard count differs.

    Where there is one already, the application stops until its containers are started again (reference 6.8).
    """
    values = {name: saved["account"][name] for name in _KEPT}
    for name in ("registered_at", "certified_at"):
        values[name] = dt.datetime.fromisoformat(values[name]) if values[name] else None
    async with engine.begin() as connection:
        row = (await connection.execute(sa.select(account.c.state).with_for_update())).one()
        shards = await connection.scalar(sa.select(cluster_state.c.shards))
        if shards != saved["shards"]:
            raise Refused(f"The backup is of {saved['shards']} shards, this installation has {shards}")
        condition = config.restored() if row.state == "registered" else config.OK
        await connection.execute(account.update().values(**values, condition=condition, condition_until=None))


def _plain(value: t.Any) -> t.Any:
    return value.isoformat() if isinstance(value, dt.datetime) else value
