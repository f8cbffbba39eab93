"""The master's duty: win or watch the mastership lease; as primary, keep every shard on a live coreapp.

The lease is in lease.py, who is alive in failure_detector.py, who gets which shard in assignment.py.
"""

from __future__ import annotations

import asyncio
import logging

from waemu.clock import LIVENESS_STALE, NODE_ROW_KEPT
from waemu.core.assignment import Assignment
from waemu.core.backoff import Backoff
from waemu.core.connection import Connection
from waemu.core.failure_detector import FailureDetector
from waemu.core.lease import MastershipLease
from waemu.core.node import Node
from waemu.core.schema_wait import Schema
from waemu.protocol.nodes import Heartbeat, HeartbeatReply, MissedHeartbeats, NodeStatus
from waemu.shards import CONTROL_SHARD, ranges
from waemu.store import cluster
from waemu.store.engine import DB_ERRORS

log = logging.getLogger("waemu.master")


class Master:
    """One master: primary as long as it renews the lease in time."""

    def __init__(self, node: Node, connection: Connection) -> None:
        self.node, self.connection = node, connection
        connection.link.allowed = lambda: self.is_primary
        self.lease = MastershipLease(node)
        self.detector = FailureDetector(node.clock, node.client)
        self.assignment = Assignment(node, self.lease, self.detector, self._connect)
        self._new_coreapp = asyncio.Event()  # do not wait for the next heartbeat

    @property
    def is_primary(self) -> bool:
        """Whether this master holds the lease now."""
        return self.lease.held

    @property
    def role(self) -> str:
        """primary_master or secondary_master."""
        return "primary_master" if self.is_primary else "secondary_master"

    def heartbeat(self, _heartbeat: Heartbeat) -> HeartbeatReply:
        """Answer a heartbeat; nobody vouches for a master."""
        return HeartbeatReply(self.node.me.node_key, self.node.instance_id, self.role)

    def missed_heartbeats(self) -> MissedHeartbeats:
        """Which coreapps do not answer this master, for the primary."""
        return self.detector.missed()

    async def status(self) -> NodeStatus:
        """For health and support; a master is never 1011 (3.5)."""
        node = self.node
        if not self.is_primary:
            await self.connection.drop("the mastership lease ran out")
        gateway_status = self.connection.gateway_status
        if not node.schema_ready:
            gateway_status = "uninitialized"
        elif not node.registered:
            gateway_status = "unregistered"
        return NodeStatus(
            node.me.node_key,
            node.instance_id,
            self.role,
            gateway_status,
            ranges(self.connection.shards),
            self.connection.socket,
            str(node.env.version),
        )

    async def run(self, schema: Schema) -> None:
        """Until cancelled."""
        await schema.until_cluster()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hold_lease(schema))
            group.create_task(self._heartbeats())
            group.create_task(self.assignment.run())
            group.create_task(self._step_down_in_time())

    # -- lease ---------------------------------------------------------------------------------------------

    async def _hold_lease(self, schema: Schema) -> None:
        """Renew, or try to win, the lease; read the database with it, and act on what it says."""
        backoff = Backoff()
        while True:
            try:
                await self._claim()
                await self.node.write_row()
                if not self.node.schema_ready:
                    await self._wait_for_schema(schema)
                await self._read()
                wait = await self.lease.until_next_claim()
                backoff.reset()
            except DB_ERRORS as error:
                self.assignment.database_lost()
                wait = backoff.next()
                log.error("Database error, next try in %d ms: %s", wait * 1000, error or type(error).__name__)
            await self.node.wait_for_change(wait)

    async def _claim(self) -> None:
        if await self.lease.claim():
            self.assignment.map_known = False

    async def _wait_for_schema(self, schema: Schema) -> None:
        """The primary upgrades the schema (6.4) while it keeps renewing the lease; the others wait for it."""
        work = asyncio.create_task(schema.bring_up_to_date() if self.is_primary else schema.until_ready())
        try:
            while not work.done():
                wait = self.node.clock.scaled(await self.lease.until_next_claim())
                await asyncio.wait((work,), timeout=wait)
                was_primary = self.is_primary
                await self._claim()
                await self.node.write_row()
                if self.is_primary and not was_primary:
                    work.cancel()
                    work = asyncio.create_task(schema.bring_up_to_date())
            work.result()
        finally:
            work.cancel()

    async def _read(self) -> None:
        """Read the shard map first of all (3.1), then the nodes; wake whoever acts on it."""
        node = self.node
        await node.refresh()
        self.assignment.map_known = self.is_primary
        self.assignment.database_answers()
        if self.detector.update(await node.nodes()):
            self._new_coreapp.set()
        if self.is_primary and self.assignment.db_trusted > LIVENESS_STALE:
            await node.db(cluster.forget_silent(node.engine, max_age=node.clock.scaled(NODE_ROW_KEPT)))
        await self._connect()
        self.assignment.wake()

    async def _connect(self) -> None:
        """In Multiconnect the primary master holds the control shard and connects for it (3.5)."""
        mine = self.is_primary and self.node.shards > 1 and CONTROL_SHARD in self.node.owned
        desired = frozenset({CONTROL_SHARD}) if mine and self.node.may_connect else frozenset()
        await self.connection.want(desired, "control shard")

    async def _step_down_in_time(self) -> None:
        """Without a renewal in time another master may be primary: drop the control shard's connection."""
        while True:
            await self.connection.until(lambda: bool(self.connection.shards))
            left = self.lease.left
            if left > 0:
                await self.node.clock.sleep(left)
                continue
            await self.connection.drop("the mastership lease ran out")

    # -- heartbeats ----------------------------------------------------------------------------------------

    async def _heartbeats(self) -> None:
        node = self.node
        while True:
            every, started = node.heartbeat_interval, node.clock.now()
            await self.detector.round(self.assignment.grant, every=every, unhealthy_interval=node.unhealthy_interval)
            self.assignment.wake()
            self._new_coreapp.clear()
            left = every - (node.clock.now() - started)
            try:
                async with asyncio.timeout(node.clock.scaled(max(left, 0.0))):
                    await self._new_coreapp.wait()
            except TimeoutError:
                continue
