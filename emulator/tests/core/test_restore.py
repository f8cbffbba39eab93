"""Backups restored into a registered client, and what one without a number needs before (reference 6.8)."""

from __future__ import annotations

import asyncio
import contextlib
from unittest.mock import Mock

import pytest

from tests.core.conftest import DIVISOR, Start, until
from waemu import versions
from waemu.clock import Clock
from waemu.core.connection import Connection
from waemu.core.loopback import Loopback
from waemu.core.master import Master
from waemu.core.node import Node
from waemu.core.primary_api import PrimaryApi
from waemu.core.schema_wait import Schema
from waemu.environment import DbEnv, NodeEnv
from waemu.protocol.client import CoreClient, new_session
from waemu.protocol.nodes import CoreError, ShardsRequest
from waemu.store import backup, cluster, config
from waemu.store.engine import make_engine


async def test_a_registered_client_stops_until_it_is_started_again(start: Start) -> None:
    async with start() as boot:
        saved = await backup.export(boot.node.engine)
        await boot.send("m1")
        await backup.restore(boot.node.engine, saved)
        boot.node.changed.set()
        await until(lambda: not boot.duty.connection.is_up)
        with pytest.raises(CoreError) as refusal:
            await boot.send("m2")
        assert refusal.value.code == 1011
        with pytest.raises(CoreError) as refusal:
            await boot.duty.status()
        assert refusal.value.code == 1011
    async with start() as boot:
        await boot.send("m3")
        assert (await boot.duty.status()).gateway_status == "connected"
        await backup.restore(boot.node.engine, saved)  # once more
        boot.node.changed.set()
        await until(lambda: not boot.duty.connection.is_up)
    async with start() as boot:
        assert (await boot.duty.status()).gateway_status == "connected"
        assert (await config.read_account(boot.node.engine)).sound


async def test_a_client_without_a_number_gets_as_many_shards_as_the_backup_has(clean: DbEnv) -> None:
    """Nobody at WhatsApp is asked: there is no connection, and no registration that could be disconnected."""
    env = NodeEnv(clean, versions.parse("v2.63.0"), "m", "core", multiconnect=True, is_master=True, divisor=DIVISOR)
    clock, engine = Clock(DIVISOR), make_engine(clean, size=2)
    async with new_session() as session:
        node = Node(env, clock, engine, CoreClient(session, clock))
        master = Master(node, Connection(Loopback(clock), clock))
        api = PrimaryApi(node, Mock(spec=()), lambda: master.is_primary)
        life = asyncio.create_task(master.run(Schema(node)))
        try:
            await until(lambda: (master.is_primary and node.schema_ready) or life.done())
            with pytest.raises(CoreError) as refusal:
                await api.set_shards(ShardsRequest("1", "5550100", 3))
            assert refusal.value.code == 1009
            await api.set_shards(ShardsRequest("1", "5550100", 4))
            assert (await cluster.read_state(engine)).shards == 4
            account = await config.read_account(engine)
            assert not account.registered
        finally:
            life.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await life
            await asyncio.gather(*node.calls.ending, return_exceptions=True)
            await engine.dispose()
