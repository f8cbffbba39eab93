"""What one owner of a shard leaves undone, the next one does: messages and callbacks (reference 3.1, 4.8)."""

from __future__ import annotations

import asyncio
import contextlib
import typing as t
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio
import sqlalchemy as sa
from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.core.conftest import Boot, Hook, Start, until
from waemu.environment import DbEnv
from waemu.protocol.gateway import Inbound
from waemu.protocol.nodes import CoreError, Heartbeat, OwnershipGrant
from waemu.schema import tables
from waemu.shards import shard_of
from waemu.store import callbacks, cluster, messages
from waemu.store.callbacks import Callback
from waemu.store.cluster import Owner
from waemu.store.engine import make_engine
from waemu.store.messages import Message

MASTER = Owner("core:master", "boot")


class Map:
    """The shard map, written as a primary master writes it."""

    def __init__(self, db: DbEnv) -> None:
        self.engine = make_engine(db)
        self.generation = 0

    async def shards(self, count: int) -> None:
        """Another shard count, before anybody has started."""
        self.generation = (await cluster.set_shards(self.engine, MASTER, count)).generation

    async def give(self, shards: Sequence[int], owner: Boot, others: Sequence[Boot] = ()) -> None:
        """Name an owner, and notify everybody."""
        await cluster.assign(self.engine, MASTER, self.generation, dict.fromkeys(shards, owner.node.me))
        for boot in (owner, *others):
            boot.node.changed.set()


@pytest_asyncio.fixture
async def shard_map(clean: DbEnv) -> AsyncIterator[Map]:
    """One shard, nobody owns it."""
    found = Map(clean)
    assert await cluster.take_lease(found.engine, MASTER.node_key, MASTER.instance_id, 3600)
    await found.shards(1)
    yield found
    await found.engine.dispose()


def picture(number: int) -> Inbound:
    """A user writes."""
    return Inbound(f"in{number}", f"491700000{number}", "Anna", "text", {"body": "hello"}, 1)


def _report(deleted: int) -> dict[str, t.Any]:
    """The end of a cleanup, as the webhook hears it."""
    return {"services": [{"message": {"gc": {"messages_deleted": deleted, "status": "complete"}}}]}


async def test_the_next_owner_delivers_what_the_last_one_could_not(start: Start, hooked: Hook, shard_map: Map) -> None:
    async with start(member="a") as first, start(member="b") as second:
        await shard_map.give([-1, 0], first, [second])
        await until(lambda: first.duty.connection.is_up)
        hooked.always = 500
        first.deliver(*(picture(number) for number in range(5)))
        await until(lambda: len(hooked.tries) >= 5)
        await shard_map.give([-1, 0], second, [first])
        await until(lambda: second.duty.connection.is_up)
        assert not first.duty.connection.shards
        hooked.always = 200
        await until(lambda: len(hooked.got) == 5)
        assert sorted(body["messages"][0]["id"] for body in hooked.got) == [f"in{number}" for number in range(5)]

        def results(boot: Boot) -> set[str]:
            return {count.result for count in boot.duty.delivery.counts()}

        # The hook has a callback a moment before the node has its answer, and counts it.
        await until(lambda: "success" in results(second))
        assert "success" not in results(first)


@contextlib.asynccontextmanager
async def protected(
    start: Start, shard_map: Map, monkeypatch: pytest.MonkeyPatch, *away: str
) -> AsyncIterator[tuple[Boot, OwnershipGrant]]:
    """An owner that a heartbeat protects for long, and what it grants. away: calls the database does not answer."""

    async def unanswered(*_arguments: object) -> None:
        raise TimeoutError("the database does not answer")

    async with start(member="a") as boot:
        await shard_map.give([-1, 0], boot)
        await until(lambda: boot.duty.connection.is_up)
        for call in away:
            monkeypatch.setattr(cluster, call, unanswered)
        owned = frozenset({-1, 0})
        grant = OwnershipGrant(boot.node.instance_id, boot.node.clock.now(), 600.0, 600.0, boot.duty.generation, owned)
        boot.duty.heartbeat(Heartbeat(grant))
        yield boot, grant


async def test_an_owner_that_hears_of_set_shards_serves_no_more_though_it_cannot_read(
    start: Start, shard_map: Map, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with protected(start, shard_map, monkeypatch, "read_for_node", "read_map") as (boot, grant):
        await asyncio.sleep(0.3)
        assert boot.duty.connection.is_up
        await shard_map.shards(2)
        boot.duty.heartbeat(Heartbeat(replace(grant, generation=shard_map.generation)))
        await until(lambda: not boot.duty.connection.shards)
        with pytest.raises(CoreError):
            await boot.send("m1")
        await asyncio.sleep(0.5)
        assert not boot.duty.connection.shards


async def test_a_heartbeat_keeps_nobody_safe_whose_shard_was_given_away(
    start: Start, shard_map: Map, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with protected(start, shard_map, monkeypatch, "read_for_node", "read_map", "write_node") as (boot, grant):
        await asyncio.sleep(2)
        assert boot.duty.connection.is_up
        boot.duty.heartbeat(Heartbeat(replace(grant, owned=frozenset({0}))))
        await until(lambda: not boot.duty.connection.shards)


async def test_a_standby_delivers_nothing(start: Start, hooked: Hook, shard_map: Map) -> None:
    async with start(member="a") as boot:
        await callbacks.queue(shard_map.engine, [Callback("service", 0, _report(0))])
        boot.duty.callbacks.wake()
        await asyncio.sleep(0.5)
        assert hooked.tries == []
        await shard_map.give([-1, 0], boot)
        await until(lambda: hooked.got)


async def test_owners_deliver_only_their_own(start: Start, hooked: Hook, shard_map: Map) -> None:
    await shard_map.shards(2)
    async with start(member="a") as first, start(member="b") as second:
        await shard_map.give([0], first)
        await callbacks.queue(shard_map.engine, [Callback("service", n, _report(n)) for n in (0, 1)])
        await until(lambda: hooked.got)
        await asyncio.sleep(0.3)
        assert hooked.got == [_report(0)]
        await shard_map.give([1], second, [first])
        await until(lambda: len(hooked.got) == 2)


async def test_what_was_queued_under_another_shard_count_is_not_forgotten(
    start: Start, hooked: Hook, shard_map: Map
) -> None:
    ids = [f"4917000{number}" for number in range(20)]
    new = [Message(f"m{wa_id}", wa_id, shard_of(wa_id, 32), "text", {"text": {"body": "x"}}) for wa_id in ids]
    assert len({message.shard for message in new}) > 8
    await messages.queue(shard_map.engine, "core:old", new)
    await callbacks.queue(shard_map.engine, [Callback("service", n, _report(n)) for n in range(32)])
    await shard_map.shards(2)
    async with start(member="a") as first, start(member="b") as second:
        await shard_map.give([0], first)
        await shard_map.give([1], second, [first])
        await until(lambda: len([body for body in hooked.got if "services" in body]) == 32)
        await until(lambda: all("read" in hooked.statuses(message.id) for message in new))
        async with shard_map.engine.connect() as connection:
            assert set(await connection.scalars(sa.select(tables.messages.c.status))) == {"read"}


async def test_the_owner_delivers_what_a_standby_reports(start: Start, hooked: Hook, shard_map: Map) -> None:
    async with start(member="a") as owner, start(member="b") as standby:
        await shard_map.give([-1, 0], owner, [standby])
        await until(lambda: owner.duty.connection.is_up)
        standby.duty.gc.request()
        await until(lambda: hooked.got)
        report = {"messages_deleted": 0, "node": "core:b", "status": "complete"}
        assert hooked.got == [{"services": [{"message": {"gc": report}}]}]


async def test_a_database_that_is_too_slow_for_many_rows_keeps_no_message_back(
    start: Start, shard_map: Map, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark, most = messages.sent, 100

    async def slow(engine: AsyncEngine, ids: Sequence[str], calls: Sequence[Callback] = ()) -> None:
        if len(ids) > most:
            raise TimeoutError("the database does not answer")
        await mark(engine, ids, calls)

    monkeypatch.setattr(messages, "sent", slow)
    left = [Message(f"m{number}", "4917000001", 0, "text", {"text": {"body": "hi"}}) for number in range(1200)]
    await messages.queue(shard_map.engine, "before", left)
    async with start(member="a") as boot:
        await shard_map.give([-1, 0], boot)

        async def queued() -> int:
            return len(await messages.queued(shard_map.engine, [0], limit=2000))

        async with asyncio.timeout(PATIENCE):
            while await queued():
                await asyncio.sleep(0.1)


async def test_those_that_wait_are_read_in_parts(shard_map: Map) -> None:
    left = [Message(f"m{number:02d}", "4917000001", 0, "text", {}) for number in range(25)]
    await messages.queue(shard_map.engine, "before", left)
    first = await messages.queued(shard_map.engine, [0], limit=10)
    second = await messages.queued(shard_map.engine, [0], after=first[-1], limit=10)
    third = await messages.queued(shard_map.engine, [0], after=second[-1], limit=10)
    assert [one.id for one in first + second + third] == [one.id for one in left]
    assert await messages.queued(shard_map.engine, [0], after=third[-1]) == []
