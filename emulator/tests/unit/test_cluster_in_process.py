"""Masters and coreapps in one process, over real HTTP, on a database in memory: heartbeats, failover, set-shards.

The same time lines on a real database and in containers: tests/cluster/test_failover.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from waemu import appsettings, versions
from waemu.clock import CONFIRMED_FOR, LIVENESS_STALE, Clock
from waemu.core.connection import Connection
from waemu.core.coreapp import Coreapp, Restart
from waemu.core.loopback import Loopback
from waemu.core.master import Master
from waemu.core.node import Node
from waemu.core.primary_api import PrimaryApi
from waemu.core.registrar import OwnRegistrar
from waemu.core.server import Server
from waemu.environment import DbEnv, NodeEnv
from waemu.protocol import seal
from waemu.protocol.client import CoreClient
from waemu.protocol.nodes import CoreError
from waemu.store import callbacks, certificates, cluster, config, counts, messages
from waemu.store.cluster import Lease, LeaseLost, NodeRow, Owner, State
from waemu.store.engine import make_engine

DIVISOR = 10.0
SECRET = "between us"
VERSION = versions.parse("v2.63.0")
ACCOUNT = config.Account(
    state="registered",
    cc="1",
    phone_number="5550100",
    vname="Shop",
    pending_cc=None,
    pending_phone_number=None,
    code_hash=None,
    code_left=0.0,
    registered_age=1.0,
    certified_age=None,
    pin_hash=None,
    registration_id=1,
    identity="keys",
    registered_at=None,
    condition="ok",
    condition_left=0.0,
)


class Database:
    """What the cluster's tables hold, and the calls of waemu.store that read and write them. down: it is away."""

    def __init__(self) -> None:
        self.down = False
        self.rows: dict[str, tuple[NodeRow, float]] = {}
        self.owners: dict[int, Owner] = {}
        self.shards, self.generation = 1, 1
        self.changed_at: float | None = None
        self.holder, self.expires, self.epoch = Owner("", ""), float("-inf"), 0

    def _reach(self) -> float:
        if self.down:
            raise TimeoutError("the database does not answer")
        return time.monotonic()

    async def write_node(self, _engine: object, node: NodeRow) -> None:
        self.rows[node.node_key] = (node, self._reach())

    async def read_nodes(self, _engine: object, *, max_age: float) -> dict[str, NodeRow]:
        now = self._reach()
        found = {key: replace(row, age=now - at) for key, (row, at) in self.rows.items()}
        return {key: row for key, row in found.items() if row.age <= max_age}

    async def forget_silent(self, _engine: object, *, max_age: float) -> int:  # noqa: ARG002
        return 0

    async def deposed_age(self, _engine: object, me: Owner) -> float:
        now, owners = self._reach(), {owner.node_key for owner in self.owners.values()}
        ages = [
            now - at
            for key, (row, at) in self.rows.items()
            if row.serving and row.role == "coreapp" and key != me.node_key and key not in owners
        ]
        return min(ages, default=float("inf"))

    async def take_lease(self, _engine: object, node_key: str, instance_id: str, ttl: float) -> bool:
        now = self._reach()
        if self.expires > now:
            return False
        self.holder, self.expires, self.epoch = Owner(node_key, instance_id), now + ttl, self.epoch + 1
        return True

    async def renew_lease(self, _engine: object, node_key: str, instance_id: str, ttl: float) -> bool:
        now = self._reach()
        if self.holder != Owner(node_key, instance_id) or self.expires <= now:
            return False
        self.expires = now + ttl
        return True

    async def read_lease(self, _engine: object) -> Lease:
        return Lease(self.holder.node_key, self.holder.instance_id, self.expires - self._reach(), self.epoch)

    async def read_map(self, _engine: object) -> dict[int, Owner]:
        self._reach()
        return dict(self.owners)

    async def read_for_node(self, _engine: object) -> tuple[dict[int, Owner], State]:
        now = self._reach()
        age = None if self.changed_at is None else now - self.changed_at
        return dict(self.owners), State(self.shards, self.generation, age)

    async def assign(
        self, _engine: object, master: Owner, generation: int, changes: Mapping[int, Owner | None]
    ) -> None:
        if self.holder != master or self.expires <= self._reach() or generation != self.generation:
            raise LeaseLost("the lease is another's")
        for shard, owner in changes.items():
            self.owners.pop(shard, None)
            if owner is not None:
                self.owners[shard] = owner

    def set_shards(self, shards: int) -> None:
        """As the primary does it."""
        self.owners, self.shards, self.generation = {}, shards, self.generation + 1
        self.changed_at = time.monotonic()

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Put these calls in the place of waemu.store's; there are no messages, callbacks or certificates."""
        for name in (
            *("write_node", "read_nodes", "forget_silent", "deposed_age", "take_lease", "renew_lease"),
            *("read_lease", "read_map", "read_for_node", "assign"),
        ):
            patch.setattr(cluster, name, getattr(self, name))
        self._answer(patch, config, "read_account", ACCOUNT)
        self._answer(patch, config, "read_settings", appsettings.nested({}))
        self._answer(patch, messages, "queued", [])
        self._answer(patch, callbacks, "due", [])
        self._answer(patch, callbacks, "next_due", None)
        self._answer(patch, certificates, "read", None)
        self._answer(patch, counts, "callbacks", 0)

    def _answer(self, patch: pytest.MonkeyPatch, module: object, name: str, answer: Any) -> None:
        async def call(*_arguments: object, **_more: object) -> Any:
            self._reach()
            return answer

        patch.setattr(module, name, call)


class NoSchema:
    """It is there already."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def until_cluster(self) -> None:
        """At once."""

    async def until_ready(self) -> None:
        """At once."""
        self._node.schema_ready = True

    bring_up_to_date = until_ready


class Running:
    """One node that runs in this process."""

    def __init__(self, duty: Master | Coreapp, life: asyncio.Task[None], runners: list[web.AppRunner]) -> None:
        self.duty, self._life, self._runners = duty, life, runners

    @property
    def key(self) -> str:
        """Its key in health."""
        return self.duty.node.me.node_key

    @property
    def shards(self) -> frozenset[int]:
        """What it is connected for."""
        return self.duty.connection.shards if self.duty.connection.is_up else frozenset()

    async def kill(self) -> None:
        """Nothing is said to anybody."""
        self._life.cancel()
        with contextlib.suppress(asyncio.CancelledError, BaseExceptionGroup):
            await self._life
        for runner in self._runners:
            await runner.cleanup()
        await self.duty.connection.drop("killed")

    async def until_restart(self) -> bool:
        """Wait until it ends by itself; whether that is to be started again."""
        try:
            await self._life
        except BaseExceptionGroup as group:
            return group.subgroup(Restart) is not None
        return False


class Machine:
    """Starts nodes."""

    def __init__(self, database: Database, session: aiohttp.ClientSession, media_dir: Path) -> None:
        self.database, self._session, self._media_dir = database, session, media_dir
        self.running: list[Running] = []

    async def start(self, name: str, *, master: bool = False) -> Running:
        """A new boot of a node."""
        sockets = [socket.create_server(("127.0.0.1", 0)) for _port in range(4)]
        first, second, third, fourth = (one.getsockname()[1] for one in sockets)
        env = NodeEnv(
            DbEnv("MYSQL", "127.0.0.1", 1, "nobody", ""),
            VERSION,
            name,
            "127.0.0.1",
            (first, second, third, fourth),
            multiconnect=True,
            is_master=master,
            secret=SECRET,
            divisor=DIVISOR,
        )
        clock = Clock(DIVISOR)
        client = CoreClient(self._session, clock, seal.make(SECRET))
        node = Node(env, clock, make_engine(env.db), client)
        connection = Connection(Loopback(clock), clock, node.refused)
        duty = Master(node, connection) if master else Coreapp(node, connection, self._media_dir)
        server = Server(node, duty, PrimaryApi(node, OwnRegistrar(env, clock.now), lambda: False))
        runners = []
        for app, place in zip(server.apps(), sockets, strict=True):
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            await web.SockSite(runner, place).start()
            runners.append(runner)
        life = asyncio.create_task(duty.run(NoSchema(node)))  # type: ignore[arg-type]
        self.running.append(Running(duty, life, runners))
        return self.running[-1]


@pytest_asyncio.fixture
async def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Machine]:
    """Nothing runs on it yet."""
    database = Database()
    database.install(monkeypatch)
    async with aiohttp.ClientSession() as session:
        found = Machine(database, session, tmp_path)
        yield found
        for one in found.running:
            await one.kill()


async def until(test: Callable[[], object]) -> None:
    """Wait until something is true; far longer than it should take, for a busy machine."""
    async with asyncio.timeout(90):
        while not test():
            await asyncio.sleep(0.01)


async def test_a_killed_owner_is_replaced_and_gets_nothing_back(machine: Machine) -> None:
    await machine.start("m1", master=True)
    await machine.start("m2", master=True)
    owner, standby = await machine.start("a"), await machine.start("b")
    await until(lambda: owner.shards | standby.shards == {-1, 0})
    if standby.shards:
        owner, standby = standby, owner
    assert standby.shards == frozenset()
    killed_at = time.monotonic()
    await owner.kill()
    await until(lambda: standby.shards == {-1, 0})
    assert time.monotonic() - killed_at > 30.0 / DIVISOR  # not before both masters have missed it for so long
    again = await machine.start(owner.duty.node.env.container)
    await until(lambda: again.duty.generation or again.duty.node.read_once.is_set())  # type: ignore[union-attr]
    await asyncio.sleep(1.0)
    assert (again.shards, standby.shards) == (frozenset(), {-1, 0})


async def test_an_owner_stops_when_nobody_vouches_for_it_and_not_before(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await machine.start("m1", master=True)
    owner = await machine.start("a")
    await until(lambda: owner.shards == {-1, 0})
    duty = owner.duty
    assert isinstance(duty, Coreapp)
    node, ownership, drop, early = duty.node, duty.ownership, duty.connection.drop, []

    async def watched(why: str) -> None:
        early.append(node.clock.now() < ownership.may_serve_until)
        await drop(why)

    monkeypatch.setattr(duty.connection, "drop", watched)
    machine.database.down = True  # the lease cannot be renewed, nor the ownership confirmed
    await until(lambda: not owner.shards)
    assert early
    assert not any(early)
    with contextlib.suppress(CoreError):
        await duty.serving()
    assert not owner.shards
    machine.database.down = False
    await until(lambda: owner.shards == {-1, 0})


async def test_heartbeats_of_the_primary_spare_the_database(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    await machine.start("m1", master=True)
    owner = await machine.start("a")
    await until(lambda: owner.shards == {-1, 0})
    duty = owner.duty
    assert isinstance(duty, Coreapp)
    node, ownership, needless = duty.node, duty.ownership, []
    confirm = node.confirm

    def protected() -> bool:
        return node.clock.now() < min(ownership._safe_from_masters, node.written_at + LIVENESS_STALE) - CONFIRMED_FOR

    async def watched() -> None:
        needless.append(protected())
        await confirm()

    await until(protected)
    monkeypatch.setattr(node, "confirm", watched)
    monkeypatch.setattr(ownership, "_confirmed_for", CONFIRMED_FOR)  # as at the product's own speed
    await asyncio.sleep(30.0 / DIVISOR)
    assert not any(needless)
    machine.database.down = True
    await until(lambda: needless)  # there is nobody else to ask


async def test_set_shards_restarts_everybody_also_one_that_only_hears_of_it(machine: Machine) -> None:
    await machine.start("m1", master=True)
    first, second = await machine.start("a"), await machine.start("b")
    await until(lambda: first.shards | second.shards == {-1, 0})
    owner = first if first.shards else second
    machine.database.set_shards(2)
    for master in machine.running[:1]:
        master.duty.node.changed.set()
    await until(lambda: not owner.shards)
    assert await asyncio.gather(first.until_restart(), second.until_restart()) == [True, True]
    for one in (first, second):
        await one.kill()
    again = [await machine.start(name) for name in ("a", "b")]
    await until(lambda: sorted(map(sorted, (one.shards for one in again))) == [[0], [1]])
    await until(lambda: machine.running[0].shards == {-1})


async def test_only_one_of_two_masters_grants(machine: Machine) -> None:
    primary = await machine.start("m1", master=True)
    await until(lambda: isinstance(primary.duty, Master) and primary.duty.is_primary)
    other = await machine.start("m2", master=True)
    owner = await machine.start("a")
    await until(lambda: owner.shards == {-1, 0})
    assert isinstance(primary.duty, Master)
    assert isinstance(other.duty, Master)
    await until(lambda: other.duty.missed_heartbeats().seconds == {owner.key: 0.0})  # type: ignore[union-attr]
    heard = [master.duty.detector._heard[owner.key] for master in (primary, other)]  # type: ignore[union-attr]
    assert all(one.reply is not None for one in heard)
    grants = [master.duty.assignment.grant(one) for master, one in zip((primary, other), heard, strict=True)]  # type: ignore[union-attr]
    assert grants[0] is not None
    assert grants[0].owned == {-1, 0}
    assert grants[1] is None


async def test_a_node_with_another_secret_is_no_sign_of_life(machine: Machine) -> None:
    owner = await machine.start("a")
    await until(lambda: owner.key in machine.database.rows)
    async with aiohttp.ClientSession() as session:
        outsider = CoreClient(session, Clock(DIVISOR), seal.make("another"))
        with pytest.raises(CoreError) as refusal:
            await outsider.missed_heartbeats(owner.duty.node.endpoints)
    assert refusal.value.code == 1005
