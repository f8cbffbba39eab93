"""Nodes, mastership lease and shard map: everything the cluster agrees on (reference 3).

Every comparison of times uses the database's clock. What only the primary may write is written in one
transaction with the proof that it still holds the lease, so that a primary that lost it changes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from waemu.protocol.nodes import Endpoints
from waemu.schema.tables import cluster_state, lease, nodes, shard_map
from waemu.store.engine import in_seconds, utc_now


@dataclass(frozen=True)
class NodeRow:
    """A node as it made itself known.

    age: real seconds since it last wrote its liveness row. serving: it was connected for shards then.
    """

    node_key: str
    instance_id: str
    role: str  # coreapp or master
    endpoints: Endpoints
    version: str
    age: float
    serving: bool = False


@dataclass(frozen=True)
class Owner:
    """Who holds a shard: node and the boot of it that was promoted."""

    node_key: str
    instance_id: str


@dataclass(frozen=True)
class Lease:
    """The mastership. left: real seconds until it expires, negative when it has."""

    owner_key: str | None
    owner_instance: str | None
    left: float
    epoch: int


@dataclass(frozen=True)
class State:
    """Configured shards; generation: +1 at each set-shards; age: real seconds since then, None if never."""

    shards: int
    generation: int
    age: float | None


class LeaseLost(Exception):
    """The writer is not the primary any more; nothing was written."""


def _endpoints(row: sa.Row[tuple[object, ...]]) -> Endpoints:
    return Endpoints(row.hostname, row.port_messaging, row.port_contacts, row.port_control, row.port_health)


async def write_node(engine: AsyncEngine, node: NodeRow) -> None:
    """Write the liveness row: a new boot replaces the row of the boot before it."""
    values = {
        "instance_id": node.instance_id,
        "role": node.role,
        "hostname": node.endpoints.hostname,
        "port_messaging": node.endpoints.messaging,
        "port_contacts": node.endpoints.contacts,
        "port_control": node.endpoints.control,
        "port_health": node.endpoints.health,
        "version": node.version,
        "serving": node.serving,
        "last_seen": utc_now(),
    }
    mine = (nodes.c.node_key == node.node_key) & (nodes.c.instance_id == node.instance_id)
    async with engine.begin() as connection:
        seen = await connection.execute(nodes.update().where(mine).values(last_seen=utc_now(), serving=node.serving))
        if seen.rowcount:
            return
        await connection.execute(nodes.delete().where(nodes.c.node_key == node.node_key))
        await connection.execute(nodes.insert().values(node_key=node.node_key, booted_at=utc_now(), **values))


async def remove_node(engine: AsyncEngine, node_key: str, instance_id: str) -> None:
    """Forget this boot of a node."""
    async with engine.begin() as connection:
        mine = (nodes.c.node_key == node_key) & (nodes.c.instance_id == instance_id)
        await connection.execute(nodes.delete().where(mine))


async def read_nodes(engine: AsyncEngine, *, max_age: float) -> dict[str, NodeRow]:
    """All nodes seen within max_age real seconds, by key."""
    async with engine.connect() as connection:
        rows = await connection.execute(sa.select(nodes, utc_now().label("db_now")))
        found = [_node(row) for row in rows]
    return {node.node_key: node for node in found if node.age <= max_age}


def _node(row: sa.Row[tuple[object, ...]]) -> NodeRow:
    age = (row.db_now - row.last_seen).total_seconds()
    return NodeRow(row.node_key, row.instance_id, row.role, _endpoints(row), row.version, age, row.serving)


async def deposed_age(engine: AsyncEngine, me: Owner) -> float:
    """Real seconds since a coreapp that owns nothing any more last said that it serves; infinity if none did."""
    owners = sa.select(shard_map.c.owner_key)
    deposed = (
        nodes.c.serving
        & (nodes.c.role == "coreapp")
        & (nodes.c.node_key != me.node_key)
        & nodes.c.node_key.not_in(owners)
    )
    async with engine.connect() as connection:
        query = sa.select(sa.func.max(nodes.c.last_seen).label("last_seen"), utc_now().label("db_now")).where(deposed)
        row = (await connection.execute(query)).one()
    return (row.db_now - row.last_seen).total_seconds() if row.last_seen else float("inf")


async def forget_silent(engine: AsyncEngine, *, max_age: float) -> int:
    """Drop the rows of nodes that are silent for longer than max_age real seconds and own nothing."""
    owners = sa.select(shard_map.c.owner_key)
    silent = (nodes.c.last_seen < in_seconds(-max_age)) & nodes.c.node_key.not_in(owners)
    async with engine.begin() as connection:
        return (await connection.execute(nodes.delete().where(silent))).rowcount


async def read_lease(engine: AsyncEngine) -> Lease:
    """The lease as it is now."""
    async with engine.connect() as connection:
        row = (await connection.execute(sa.select(lease, utc_now().label("db_now")))).one()
    left = (row.expires_at - row.db_now).total_seconds()
    return Lease(row.owner_key, row.owner_instance, left, row.epoch)


async def take_lease(engine: AsyncEngine, node_key: str, instance_id: str, ttl: float) -> bool:
    """Win the lease if it has expired; ttl in real seconds. Compare-and-set on the row as it was read."""
    async with engine.begin() as connection:
        row = (await connection.execute(sa.select(lease, utc_now().label("db_now")))).one()
        if row.expires_at > row.db_now:
            return False
        unchanged = (lease.c.epoch == row.epoch) & (lease.c.expires_at == row.expires_at)
        taken = await connection.execute(
            lease.update()
            .where(unchanged)
            .values(
                owner_key=node_key,
                owner_instance=instance_id,
                expires_at=in_seconds(ttl),
                epoch=lease.c.epoch + 1,
            )
        )
    return taken.rowcount == 1


async def renew_lease(engine: AsyncEngine, node_key: str, instance_id: str, ttl: float) -> bool:
    """Keep the lease if it is still this boot's and has not expired; ttl in real seconds."""
    async with engine.begin() as connection:
        mine = (lease.c.owner_key == node_key) & (lease.c.owner_instance == instance_id)
        kept = await connection.execute(
            lease.update().where(mine & (lease.c.expires_at > utc_now())).values(expires_at=in_seconds(ttl))
        )
    return kept.rowcount == 1


async def read_map(engine: AsyncEngine) -> dict[int, Owner]:
    """Owner by shard; a shard without owner is missing. -1 is the control shard."""
    async with engine.connect() as connection:
        rows = await connection.execute(sa.select(shard_map))
        return {row.shard: Owner(row.owner_key, row.owner_instance) for row in rows}


async def read_state(engine: AsyncEngine) -> State:
    """Configured shard count and generation."""
    async with engine.connect() as connection:
        row = (await connection.execute(sa.select(cluster_state, utc_now().label("db_now")))).one()
    age = (row.db_now - row.changed_at).total_seconds() if row.changed_at else None
    return State(row.shards, row.generation, age)


async def read_for_node(engine: AsyncEngine) -> tuple[dict[int, Owner], State]:
    """Map and state as of one moment: what a node reads whenever it writes its liveness row."""
    return await read_map(engine), await read_state(engine)


async def assign(engine: AsyncEngine, master: Owner, generation: int, changes: Mapping[int, Owner | None]) -> None:
    """Give shards to owners, or (None) take them away.

    Raises LeaseLost; also when set-shards came in between (generation is that of the state decided upon).
    """
    if not changes:
        return
    async with engine.begin() as connection:
        epoch = await _hold_lease(connection, master)
        state = (await connection.execute(sa.select(cluster_state.c.generation).with_for_update())).one()
        if state.generation != generation:
            raise LeaseLost("set-shards came in between")
        for shard, owner in changes.items():
            await connection.execute(shard_map.delete().where(shard_map.c.shard == shard))
            if owner is not None:
                await connection.execute(
                    shard_map.insert().values(
                        shard=shard, owner_key=owner.node_key, owner_instance=owner.instance_id, epoch=epoch
                    )
                )


async def set_shards(engine: AsyncEngine, master: Owner, shards: int) -> State:
    """Change the shard count: nobody owns anything, and every coreapp booted before now has to exit."""
    async with engine.begin() as connection:
        await _hold_lease(connection, master)
        await connection.execute(shard_map.delete())
        await connection.execute(
            cluster_state.update().values(
                shards=shards, generation=cluster_state.c.generation + 1, changed_at=utc_now()
            )
        )
    return await read_state(engine)


async def restart_all(engine: AsyncEngine, master: Owner) -> State:
    """Every coreapp has to exit and start again (another number was registered, 4.3)."""
    state = await read_state(engine)
    return await set_shards(engine, master, state.shards)


async def _hold_lease(connection: AsyncConnection, master: Owner) -> int:
    """Lock the lease row for this transaction and prove that it is the master's; returns its epoch."""
    row = (await connection.execute(sa.select(lease, utc_now().label("db_now")).with_for_update())).one()
    mine = row.owner_key == master.node_key and row.owner_instance == master.instance_id
    if not mine or row.expires_at <= row.db_now:
        raise LeaseLost(f"the lease is held by {row.owner_key}")
    return int(row.epoch)


async def db_time(engine: AsyncEngine) -> dt.datetime:
    """The database's clock, UTC without zone."""
    async with engine.connect() as connection:
        return (await connection.execute(sa.select(utc_now()))).scalar_one()
