"""The coreapp's duty: show that it is alive, connect for the shards it is given, drop them when they are taken.

For how long it may serve is in ownership.py; what it does with messages in sender.py, receiver.py,
callback_delivery.py and gc.py.
"""

from __future__ import annotations

import asyncio
import logging
import random
from pathlib import Path

from waemu.clock import LIVENESS_WRITE, RESHARD_STOP_MAX, RESHARD_STOP_MIN
from waemu.core import peers
from waemu.core.backoff import Backoff
from waemu.core.callback_delivery import CallbackDelivery
from waemu.core.callback_queue import CallbackQueue
from waemu.core.connection import Connection
from waemu.core.gc import GarbageCollector
from waemu.core.node import Node, not_instantiated
from waemu.core.ownership import Ownership
from waemu.core.receiver import Receiver
from waemu.core.schema_wait import Schema
from waemu.core.sender import Sender
from waemu.mediavolume import MEDIA_DIR
from waemu.protocol.nodes import Heartbeat, HeartbeatReply, NodeStatus
from waemu.shards import ranges
from waemu.store.engine import DB_ERRORS

log = logging.getLogger("waemu.coreapp")


class Restart(Exception):
    """This process has to end, for its restart policy to start it again (3.4)."""


class Coreapp:
    """One coreapp of a cluster, or the only node of a single instance."""

    def __init__(self, node: Node, connection: Connection, media_dir: Path = MEDIA_DIR) -> None:
        self.node, self.connection = node, connection
        self.ownership = Ownership(node, connection, self._drop)
        connection.link.allowed = lambda: self.ownership.lasts
        self.callbacks = CallbackQueue(node)
        self.delivery = CallbackDelivery(node, connection, self.callbacks)
        self.sender = Sender(node, connection, self.callbacks, media_dir)
        self.receiver = Receiver(node, connection, self.callbacks, media_dir)
        self.gc = GarbageCollector(node, connection, self.callbacks, media_dir)
        self.generation = 0  # the set-shards generation this boot started in
        self.stopping = False

    @property
    def ready(self) -> bool:
        """Whether the core is instantiated: until then it answers 1011 (3.5)."""
        node = self.node
        return node.schema_ready and node.registered and not (self.stopping or node.outlived)

    def heartbeat(self, heartbeat: Heartbeat) -> HeartbeatReply:
        """Answer a heartbeat, and rely on what the primary grants with it."""
        grant = heartbeat.grant
        if grant is not None:
            self.ownership.take(grant)
            if grant.generation > self.generation > 0:
                self.node.changed.set()
                self.ownership.outdate()
        now = self.node.clock.now()
        return HeartbeatReply(self.node.me.node_key, self.node.instance_id, "coreapp", self.generation, now)

    async def status(self) -> NodeStatus:
        """For health and support. Raises CoreError 1011 while the core is not instantiated."""
        await self.ownership.give_up_when_late()
        node = self.node
        gateway_status = self.connection.gateway_status
        if not node.schema_ready:
            gateway_status = "uninitialized"
        elif not node.registered and not node.env.multiconnect:
            gateway_status = "unregistered"
        elif not self.ready:
            raise not_instantiated()
        shown = ranges(self.connection.shards) if self.ready else []
        return NodeStatus(
            node.me.node_key,
            node.instance_id,
            "coreapp",
            gateway_status,
            shown,
            self.connection.socket_conn,
            str(node.env.version),
        )

    async def serving(self) -> None:
        """Make sure that this node still owns what it serves, before it takes a message. Raises CoreError 1011."""
        if not self.ready:
            raise not_instantiated()
        await self.ownership.give_up_when_late()

    async def run(self, schema: Schema) -> None:
        """Until cancelled. Raises Restart when the process has to end."""
        await schema.until_cluster()
        await self._write_first_row()
        if self.node.env.multiconnect:
            await schema.until_ready()
        else:
            await schema.bring_up_to_date()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.sender.run())
            group.create_task(self.receiver.run())
            group.create_task(self.delivery.run())
            group.create_task(self._recover())
            group.create_task(self.gc.run())
            if self.node.env.multiconnect:
                group.create_task(self.ownership.guard())
            group.create_task(self._live())

    async def _write_first_row(self) -> None:
        backoff = Backoff()
        while True:
            try:
                await self.node.write_row()
            except DB_ERRORS as error:
                log.error("Could not write the liveness row: %s", error)
                await self.node.clock.sleep(backoff.next())
                continue
            return

    async def _live(self) -> None:
        """Liveness row every 60 s, the map with it; the map at once when somebody says that it changed."""
        backoff, due = Backoff(), self.node.clock.now()
        known = False
        while True:
            try:
                if self.node.clock.now() >= due:
                    await self.node.write_row(serving=bool(self.connection.shards))
                    due = self.node.clock.now() + LIVENESS_WRITE
                await self.node.refresh()
                self.callbacks.wake()
                backoff.reset()
                await self._act()
                wait = due - self.node.clock.now()
            except DB_ERRORS as error:
                wait = backoff.next()
                log.error("Database error, next try in %d ms: %s", wait * 1000, error)
                due = min(due, self.node.clock.now())
            if not known and self.generation:
                known = True
                await peers.notify_masters(self.node)
            await self.node.wait_for_change(wait)

    async def _act(self) -> None:
        """Be what the database says this node is."""
        node = self.node
        assert node.state is not None
        if not self.generation:
            self.generation = node.state.generation
            log.info("Ready as standby, generation %d", self.generation)
        if node.env.multiconnect and node.state.generation > self.generation:
            await self._stop_for_restart()
        owned = node.owned if node.may_connect and not self.ownership.outdated else frozenset()
        if owned == self.connection.shards:
            wait = 0.0
        else:
            self.sender.forget()
            wait = await self.ownership.until_predecessor_is_gone() if owned else 0.0
        await self.connection.want(owned, "the shard map names this node" if owned else self._why_not(), after=wait)
        if self.connection.is_up:
            await self.sender.recover()

    def _why_not(self) -> str:
        if self.node.expired:
            return "the build is expired, upgrade needed"
        if self.node.outlived:
            return "a backup was restored, and this container has to be started again"
        if self.node.account is not None and not self.node.account.sound:
            return f"the account is {self.node.account.condition}"
        return "the shard map names another node"

    async def _stop_for_restart(self) -> None:
        """Set-shards, or another number: every coreapp ends and comes back as a secondary (3.4, 4.3)."""
        self.stopping = True
        log.info("The cluster was changed; stopping, to be restarted")
        await self.connection.drop("restart of all coreapps")
        await self.node.clock.sleep(random.uniform(RESHARD_STOP_MIN, RESHARD_STOP_MAX))
        raise Restart

    async def _recover(self) -> None:
        """Whenever the connection comes up: send what was accepted for these shards before."""
        backoff = Backoff()
        while True:
            await self.connection.until(lambda: self.connection.is_up)
            try:
                await self.sender.recover()
                backoff.reset()
            except DB_ERRORS as error:
                log.error("Could not read the queued messages: %s", error)
                await self.node.clock.sleep(backoff.next())
                continue
            await self.connection.until(lambda: not self.connection.is_up)

    async def _drop(self, why: str) -> None:
        await self.connection.drop(why)
        self.sender.forget()
        self.node.changed.set()
