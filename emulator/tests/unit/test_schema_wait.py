"""Whoever waits for the schema may stop and begin again: the upgrade that goes on meanwhile is not ended by it."""

from __future__ import annotations

import asyncio
import types
import typing as t

from waemu.core.schema_wait import Schema


def schema_in_the_making() -> tuple[Schema, asyncio.Event, list[str]]:
    """One whose upgrade ends when the event is set; what has become of it."""
    over, ends = asyncio.Event(), []
    env = types.SimpleNamespace(version=types.SimpleNamespace(major=2, minor=19))
    node = t.cast(t.Any, types.SimpleNamespace(env=env, schema_ready=False))
    schema = Schema(node)

    async def make() -> None:
        try:
            await over.wait()
            ends.append("made")
        except asyncio.CancelledError:
            ends.append("cancelled")
            raise

    async def behind() -> list[str]:
        return []

    schema._behind = behind  # type: ignore[method-assign]
    schema._maker = asyncio.create_task(make())
    return schema, over, ends


async def test_a_lease_that_is_lost_and_won_again_leaves_the_upgrade_alone() -> None:
    """The wait of the first time is cancelled; that of the second sees the same upgrade to its end."""
    schema, over, ends = schema_in_the_making()
    first = asyncio.create_task(schema.bring_up_to_date())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait((first,))
    second = asyncio.create_task(schema.bring_up_to_date())
    await asyncio.sleep(0)
    assert first.cancelled() and not second.done() and ends == []
    over.set()
    await second
    assert ends == ["made"] and schema._node.schema_ready
