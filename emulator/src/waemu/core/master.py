"""The master's duty: win or watch the mastership lease; as primary, keep every shard on a live coreapp."""

from __future__ import annotations

import asyncio
import logging
import math
from dataclasses import asdict
from urllib.parse import urlencode

from waemu.clock import DB_CHECK_PERIOD, LEASE_RENEW, LEASE_TTL, LIVENESS_STALE, NODE_ROW_KEPT, RESHARD_ASSIGN_AFTER
from waemu.core import decide
from waemu.core.backoff import Backoff
from waemu.core.connection import Connection
from waemu.core.coreapp import News
from waemu.core.lookout import Heard, Lookout
from waemu.core.node import Node
from waemu.core.schema_wait import Schema
from waemu.protocol.nodes import NodeStatus, Ping, Silence
from waemu.shards import CONTROL_SHARD, ranges
from waemu.store import cluster
from waemu.store.cluster import LeaseLost, Owner
from waemu.store.engine import DB_ERRORS

ASK_MASTERS = 2.0  # product seconds another master has to answer before it counts as not alive
log = logging.getLogger("waemu.master")


class Master:
    """One master: primary as long as it renews the lease in time."""

    def __init__(self, node: Node, connection: Connection) -> None:
        self.node, self.connection = node, connection
        connection.link.allowed = lambda: self.is_primary
        self.lookout = Lookout(node.clock, node.client)
        self._lease_ends = float("-inf")  # product time; renewed from the moment of asking, so never too late
        self._map_known = False  # whether the shard map was read since the lease was won
        self._giving: frozenset[int] = frozenset()  # shards that change hands in the database, or may have
        self._db_since = node.clock.now()  # since when the database answers without a break
        self._look = asyncio.Event()  # there is something to decide
        self._beat = asyncio.Event()  # a coreapp is new: do not wait for the next heartbeat

    @property
    def _renew_every(self) -> float:
        """Product seconds between renewals: the same part of a lease of any length."""
        return self.node.env.lease_seconds * LEASE_RENEW / LEASE_TTL

    @property
    def is_primary(self) -> bool:
        """Whether this master holds the lease now."""
        return self.node.clock.now() < self._lease_ends

    def ping(self) -> Ping:
        """Answer a heartbeat."""
        return Ping(self.node.me.node_key, self.node.instance_id, self.role)

    def silence(self) -> Silence:
        """What this master tells the primary about the coreapps."""
        return self.lookout.silence()

    @property
    def role(self) -> str:
        """primary_master or secondary_master."""
        return "primary_master" if self.is_primary else "secondary_master"

    async def status(self) -> NodeStatus:
        """For health and support; a master is never 1011 (11 Q25)."""
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
            group.create_task(self._decide())
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
                wait = await self._until_next_claim()
                backoff.reset()
            except DB_ERRORS as error:
                self._db_since = math.inf
                wait = backoff.next()
                log.error("Database error, next try in %d ms: %s", wait * 1000, error or type(error).__name__)
            await self.node.wait_for_news(wait)

    async def _claim(self) -> None:
        node, ttl = self.node, self.node.clock.scaled(self.node.env.lease_seconds)
        was_primary, asked_at = self.is_primary, node.clock.now()
        call = cluster.renew_lease if was_primary else cluster.take_lease
        held = await node.db(call(node.engine, node.me.node_key, node.instance_id, ttl))
        if held:
            self._lease_ends = asked_at + node.env.lease_seconds
            if not was_primary:
                self._map_known = False
                log.info("Won the mastership lease: primary master")
        elif was_primary:
            self._lease_ends = float("-inf")
            log.warning("Lost the mastership lease: secondary master")

    async def _until_next_claim(self) -> float:
        """Product seconds: the renewal period, or the end of another master's lease if that comes first."""
        if self.is_primary:
            return min(self._renew_every, DB_CHECK_PERIOD)
        lease = await self.node.db(cluster.read_lease(self.node.engine))
        return min(self._renew_every, max(self.node.clock.product(lease.left), 0.0) + 0.1)

    async def _wait_for_schema(self, schema: Schema) -> None:
        """The primary upgrades the schema (6.4) while it keeps renewing the lease; the others wait for it."""
        work = asyncio.create_task(schema.bring_up_to_date() if self.is_primary else schema.until_ready())
        try:
            while not work.done():
                await asyncio.wait((work,), timeout=self.node.clock.scaled(await self._until_next_claim()))
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
        self._map_known = self.is_primary
        if self._db_since == math.inf:
            self._db_since = node.clock.now()
        if self.lookout.update(await node.nodes()):
            self._beat.set()
        if self.is_primary and self._db_trusted > LIVENESS_STALE:
            await node.db(cluster.forget_silent(node.engine, max_age=node.clock.scaled(NODE_ROW_KEPT)))
        await self._connect()
        self._look.set()

    async def _connect(self) -> None:
        """In Multiconnect the primary master holds the control shard and connects for it (3.5)."""
        mine = self.is_primary and self.node.shards > 1 and CONTROL_SHARD in self.node.owned
        wanted = frozenset({CONTROL_SHARD}) if mine and self.node.may_connect else frozenset()
        await self.connection.want(wanted, "control shard")

    async def _step_down_in_time(self) -> None:
        """Without a renewal in time another master may be primary: drop the control shard's connection."""
        while True:
            await self.connection.until(lambda: bool(self.connection.shards))
            left = self._lease_ends - self.node.clock.now()
            if left > 0:
                await self.node.clock.sleep(left)
                continue
            await self.connection.drop("the mastership lease ran out")

    # -- heartbeats ----------------------------------------------------------------------------------------

    async def _heartbeats(self) -> None:
        while True:
            node = self.node
            interval = node.heartbeat_interval
            started = node.clock.now()
            generation = node.state.generation if node.state else 0
            await self.lookout.round(self._news, interval, node.unhealthy_interval, generation)
            self._look.set()
            self._beat.clear()
            left = interval - (node.clock.now() - started)
            try:
                async with asyncio.timeout(node.clock.scaled(max(left, 0.0))):
                    await self._beat.wait()
            except TimeoutError:
                continue

    def _news(self, heard: Heard) -> str:
        """What a heartbeat of the primary tells a node: see coreapp.News."""
        if not self.is_primary or not self._map_known or self.node.state is None or heard.answer is None:
            return ""
        boot = Owner(heard.answer.node_key, heard.answer.instance_id)
        news = News(
            instance_id=heard.answer.instance_id,
            heard_at=heard.answer.at,
            unhealthy_interval=self.node.unhealthy_interval,
            lease_left=self._lease_ends - heard.at,
            generation=self.node.state.generation,
            owned=",".join(map(str, sorted(decide.owned(self.node.owners, boot) - self._giving))),
        )
        return "?" + urlencode(asdict(news))

    # -- decisions -----------------------------------------------------------------------------------------

    @property
    def _db_trusted(self) -> float:
        return max(self.node.clock.now() - self._db_since, 0.0)

    async def _decide(self) -> None:
        while True:
            wait = math.inf
            self._look.clear()
            if self.is_primary and self._map_known and self.node.schema_ready and self.node.registered:
                try:
                    wait = await self._assign()
                except LeaseLost as error:
                    log.warning("Nothing assigned: %s", error)
                    self.node.changed.set()
                except DB_ERRORS as error:
                    log.error("Nothing assigned: %s", error or type(error).__name__)
                    wait = 1.0
            try:
                async with asyncio.timeout(None if wait == math.inf else self.node.clock.scaled(wait)):
                    await self._look.wait()
            except TimeoutError:
                continue

    async def _assign(self) -> float:
        """Bring the map up to date; returns product seconds after which to look again."""
        node, state = self.node, self.node.state
        assert state is not None
        if self._giving:  # it is not known what became of it
            await node.read_map()
            self._giving = frozenset()
        hold = self._hold_after_reshard()
        if hold > 0:
            return hold
        sights = self.lookout.sights([])
        if any(sight.silent >= max(node.unhealthy_interval, sight.told) for sight in sights.values()):
            sights = self.lookout.sights(await self.lookout.silence_elsewhere(node.me.node_key, ASK_MASTERS))
        if not self.is_primary:
            return 0.0
        old = decide.serves_as_before(
            sights, generation=state.generation, owners=node.owners, interval=node.unhealthy_interval
        )
        if old:
            log.info("Nothing assigned yet: %s may still serve as before set-shards", ", ".join(old))
            return node.heartbeat_interval
        changes = decide.assign(
            shards=state.shards,
            generation=state.generation,
            owners=node.owners,
            sights=sights,
            primary=node.me,
            interval=node.unhealthy_interval,
            db_trusted=self._db_trusted,
        )
        if changes:
            await self._write(changes, sights)
        owners = {owner.node_key for owner in node.owners.values()}
        watched = [sight for key, sight in sights.items() if key in owners]
        return decide.next_look(watched, interval=node.unhealthy_interval)

    def _hold_after_reshard(self) -> float:
        """After set-shards all coreapps come back first (3.4, 3.9)."""
        state = self.node.state
        if state is None or state.age is None:
            return 0.0
        since = self.node.clock.product(state.age) + self.node.clock.now() - self.node.state_read_at
        return RESHARD_ASSIGN_AFTER - since

    async def _write(self, changes: decide.Changes, sights: dict[str, decide.Sight]) -> None:
        node = self.node
        assert node.state is not None
        for shard, owner in sorted(changes.items()):
            before = node.owners.get(shard)
            why = ""
            if before is not None and before.node_key in sights:
                why = decide.unhealthy(
                    sights[before.node_key], interval=node.unhealthy_interval, db_trusted=self._db_trusted
                )
            log.info(
                "Shard %d: %s -> %s%s",
                shard,
                before.node_key if before else "nobody",
                owner.node_key if owner else "nobody",
                f" ({why})" if why else "",
            )
        concerned = {owner.node_key for owner in (*changes.values(), *node.owners.values()) if owner is not None}
        self._giving = frozenset(changes)
        await node.db(cluster.assign(node.engine, node.me, node.state.generation, changes))
        await node.read_map()
        self._giving = frozenset()
        await self._connect()
        await node.tell(row for key, row in self.lookout.rows.items() if key in concerned)
