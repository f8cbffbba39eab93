"""The primary's part of a failover: who gets which shard, written to the shard map (reference 3.2, 3.3 and 3.4)."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable

from waemu.clock import RESHARD_ASSIGN_AFTER
from waemu.core import decide, peers
from waemu.core.failure_detector import FailureDetector, LastHeard
from waemu.core.lease import MastershipLease
from waemu.core.node import Node
from waemu.protocol.nodes import OwnershipGrant
from waemu.store import cluster
from waemu.store.cluster import LeaseLost, Owner
from waemu.store.engine import DB_ERRORS

QUERY_MASTERS = 2.0  # product seconds another master has to answer before it counts as not alive
log = logging.getLogger("waemu.master")


class Assignment:
    """Brings the shard map up to date whenever there is something to decide, while this master is the primary."""

    def __init__(
        self,
        node: Node,
        lease: MastershipLease,
        detector: FailureDetector,
        map_written: Callable[[], Awaitable[None]],
    ) -> None:
        """map_written: called after every change of the map that is in the database."""
        self._node, self._lease, self._detector, self._map_written = node, lease, detector, map_written
        self.map_known = False  # whether the shard map was read since the lease was won
        self._moving: frozenset[int] = frozenset()  # shards that change owners in the database, or may have
        self._db_since = node.clock.now()  # since when the database answers without a break
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """There may be something to decide."""
        self._wake.set()

    # -- what the database says ----------------------------------------------------------------------------

    def database_lost(self) -> None:
        """A call to the database failed."""
        self._db_since = math.inf

    def database_answers(self) -> None:
        """Everything could be read."""
        if self._db_since == math.inf:
            self._db_since = self._node.clock.now()

    @property
    def db_trusted(self) -> float:
        """For how many product seconds the database has answered without a break."""
        return max(self._node.clock.now() - self._db_since, 0.0)

    # -- what owners may rely on ---------------------------------------------------------------------------

    def grant(self, heard: LastHeard) -> OwnershipGrant | None:
        """What the primary vouches for to a coreapp with its next heartbeat."""
        node = self._node
        if not self._lease.held or not self.map_known or node.state is None or heard.reply is None:
            return None
        boot = Owner(heard.reply.node_key, heard.reply.instance_id)
        return OwnershipGrant(
            instance_id=heard.reply.instance_id,
            heard_at=heard.reply.at,
            unhealthy_interval=node.unhealthy_interval,
            lease_left=self._lease.left_at(heard.at),
            generation=node.state.generation,
            owned=decide.owned(node.owners, boot) - self._moving,
        )

    # -- decisions -----------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            wait = math.inf
            self._wake.clear()
            if self._lease.held and self.map_known and self._node.schema_ready and self._node.registered:
                try:
                    wait = await self._assign()
                except LeaseLost as error:
                    log.warning("Nothing assigned: %s", error)
                    self._node.changed.set()
                except DB_ERRORS as error:
                    log.error("Nothing assigned: %s", error or type(error).__name__)
                    wait = 1.0
            try:
                async with asyncio.timeout(None if wait == math.inf else self._node.clock.scaled(wait)):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _assign(self) -> float:
        """Bring the map up to date; returns product seconds after which to look again."""
        node, state = self._node, self._node.state
        assert state is not None
        if self._moving:  # it is not known what became of it
            await node.read_map()
            self._moving = frozenset()
        hold = self._hold_after_reshard()
        if hold > 0:
            return hold
        views = await self._views()
        if not self._lease.held:
            return 0.0
        old = decide.serves_as_before(
            views, generation=state.generation, owners=node.owners, interval=node.unhealthy_interval
        )
        if old:
            log.info("Nothing assigned yet: %s may still serve as before set-shards", ", ".join(old))
            return node.heartbeat_interval
        changes = decide.assign(
            shards=state.shards,
            generation=state.generation,
            owners=node.owners,
            views=views,
            primary=node.me,
            interval=node.unhealthy_interval,
            db_trusted=self.db_trusted,
        )
        if changes:
            await self._write(changes, views)
        owners = {owner.node_key for owner in node.owners.values()}
        watched = [view for key, view in views.items() if key in owners]
        return decide.next_check(watched, interval=node.unhealthy_interval)

    async def _views(self) -> dict[str, decide.NodeView]:
        """The coreapps as this master sees them, and as the others do where somebody may be dead."""
        views = self._detector.views([])
        interval = self._node.unhealthy_interval
        if not any(view.silent >= max(interval, view.known_interval) for view in views.values()):
            return views
        return self._detector.views(await self._detector.missed_elsewhere(self._node.me.node_key, QUERY_MASTERS))

    def _hold_after_reshard(self) -> float:
        """After set-shards all coreapps come back first (3.4, 3.9)."""
        state = self._node.state
        if state is None or state.age is None:
            return 0.0
        since = self._node.clock.product(state.age) + self._node.clock.now() - self._node.state_read_at
        return RESHARD_ASSIGN_AFTER - since

    async def _write(self, changes: decide.Changes, views: dict[str, decide.NodeView]) -> None:
        node = self._node
        assert node.state is not None
        self._log(changes, views)
        concerned = {owner.node_key for owner in (*changes.values(), *node.owners.values()) if owner is not None}
        self._moving = frozenset(changes)
        await node.db(cluster.assign(node.engine, node.me, node.state.generation, changes))
        await node.read_map()
        self._moving = frozenset()
        await self._map_written()
        await peers.notify(node, (row for key, row in self._detector.rows.items() if key in concerned))

    def _log(self, changes: decide.Changes, views: dict[str, decide.NodeView]) -> None:
        node = self._node
        for shard, owner in sorted(changes.items()):
            before = node.owners.get(shard)
            why = ""
            if before is not None and before.node_key in views:
                why = decide.unhealthy(
                    views[before.node_key], interval=node.unhealthy_interval, db_trusted=self.db_trusted
                )
            log.info(
                "Shard %d: %s -> %s%s",
                shard,
                before.node_key if before else "nobody",
                owner.node_key if owner else "nobody",
                f" ({why})" if why else "",
            )
