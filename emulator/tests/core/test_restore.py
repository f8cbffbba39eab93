"""A backup restored into a registered client stops it until its containers are started again (reference 6.8)."""

from __future__ import annotations

import pytest

from tests.core.conftest import Start, until
from waemu.protocol.nodes import CoreError
from waemu.store import backup, config


async def test_it_stops_until_it_is_started_again(start: Start) -> None:
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
