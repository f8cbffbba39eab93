"""The mastership lease of another length than the default, 30 s (reference 3.1)."""

from __future__ import annotations

import asyncio
import contextlib

from tests.core.conftest import DIVISOR, until
from waemu import versions
from waemu.clock import Clock
from waemu.core.connection import Connection
from waemu.core.loopback import Loopback
from waemu.core.master import Master
from waemu.core.node import Node
from waemu.core.schema_wait import Schema
from waemu.environment import DbEnv, NodeEnv
from waemu.protocol.client import CoreClient, new_session
from waemu.store import cluster
from waemu.store.engine import make_engine

LEASE = 30 * DIVISOR  # product seconds: long for the database, and well over what a busy machine needs for a renewal


async def test_the_lease_is_as_long_as_asked_for(clean: DbEnv) -> None:
    version = versions.parse("v2.63.0")
    env = NodeEnv(clean, version, "m", "core", multiconnect=True, is_master=True, divisor=DIVISOR, lease_seconds=LEASE)
    clock, engine = Clock(DIVISOR), make_engine(clean, size=2)
    async with new_session() as session:
        node = Node(env, clock, engine, CoreClient(session, clock))
        master = Master(node, Connection(Loopback(clock), clock))
        life = asyncio.create_task(master.run(Schema(node)))
        try:
            await until(lambda: master.is_primary or life.done())
            lease = await cluster.read_lease(engine)
            assert lease.owner_instance == node.instance_id
            assert 20 < lease.left <= LEASE / DIVISOR
        finally:
            life.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await life
            await asyncio.gather(*node.calls.ending, return_exceptions=True)
            await engine.dispose()
