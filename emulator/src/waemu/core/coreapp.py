"""The coreapp's duty: show that it is alive, connect for the shards it is given, drop them when they are taken."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from dataclasses import dataclass
from pathlib import Path

from waemu import mediagc
from waemu.clock import (
    COLLECT_PERIOD,
    CONFIRMED_FOR,
    LIVENESS_STALE,
    LIVENESS_WRITE,
    RESHARD_STOP_MAX,
    RESHARD_STOP_MIN,
)
from waemu.core import decide
from waemu.core.backoff import Backoff
from waemu.core.callbacks import Callbacks
from waemu.core.connection import Connection
from waemu.core.node import Node
from waemu.core.receiver import Receiver
from waemu.core.schema_wait import Schema
from waemu.core.sender import Sender, not_instantiated
from waemu.mediavolume import MEDIA_DIR
from waemu.protocol.nodes import NodeStatus, Ping
from waemu.shards import ranges
from waemu.store import cluster, media
from waemu.store.callbacks import SERVICE_SHARD
from waemu.store.engine import DB_ERRORS

log = logging.getLogger("waemu.coreapp")


@dataclass(frozen=True)
class News:
    """What the primary tells a coreapp with a heartbeat.

    instance_id, heard_at: the boot it last heard, and what that boot's clock was then. unhealthy_interval and
    lease_left: product seconds, see decide.safe_after_ping. generation: that of the cluster. owned: the shards that
    this boot holds by the primary's map, separated by commas.
    """

    instance_id: str
    heard_at: float
    unhealthy_interval: float
    lease_left: float
    generation: int
    owned: str = ""

    @property
    def shards(self) -> frozenset[int]:
        """What is owned."""
        return frozenset(int(shard) for shard in self.owned.split(",") if shard)


class Restart(Exception):
    """This process has to end and be started anew by its restart policy (3.4)."""


class Coreapp:
    """One coreapp of a cluster, or the only node of a single instance."""

    def __init__(self, node: Node, connection: Connection, media_dir: Path = MEDIA_DIR) -> None:
        self.node, self.connection = node, connection
        connection.link.allowed = lambda: node.clock.now() < self.may_serve_until
        self.callbacks = Callbacks(node, connection)
        self.sender = Sender(node, connection, self.callbacks, media_dir)
        self.receiver = Receiver(node, connection, self.callbacks, media_dir)
        self._media_dir = media_dir
        self.collect_every = COLLECT_PERIOD
        self.generation = 0  # the set-shards generation this boot started in
        self.stopping = False
        self._safe_until, self._safe_for = float("-inf"), frozenset[int]()  # what the last heartbeat said
        self._doubt = asyncio.Event()  # the last heartbeat protects less than is served
        self._outdated: asyncio.Task[None] | None = None  # drops the connection, once there was a set-shards
        self._collect = asyncio.Event()
        # A fast clock must not make a slow machine look like a lost owner: at least one real second.
        self._confirmed_for = max(CONFIRMED_FOR, node.clock.product(1.0))

    @property
    def ready(self) -> bool:
        """Whether the core is instantiated: until then it answers 1011 (3.5)."""
        return self.node.schema_ready and self.node.registered and not self.stopping

    @property
    def _safe_from_masters(self) -> float:
        """Until when no master can promote another node for what this one serves."""
        return self._safe_until if self.connection.shards <= self._safe_for else float("-inf")

    @property
    def may_serve_until(self) -> float:
        """Product time after which another node could be serving in this one's place."""
        if not self.node.env.multiconnect:
            return float("inf")
        if self._outdated is not None:
            return float("-inf")
        return decide.ownership_ends(
            safe_from_masters=self._safe_from_masters,
            confirmed_at=self.node.confirmed_at,
            confirmed_for=self._confirmed_for,
            written_at=self.node.written_at,
        )

    def ping(self, news: News | None) -> Ping:
        """Answer a heartbeat; only the primary has news."""
        if news is not None and news.instance_id == self.node.instance_id:
            self._safe_until = decide.safe_after_ping(
                news.heard_at, interval=news.unhealthy_interval, lease_left=news.lease_left
            )
            # One that was silent for a while is heard again, and what it serves may be another's by now.
            self._safe_for = news.shards
            if self.connection.shards - self._safe_for:
                self._doubt.set()
        if news is not None and news.generation > self.generation > 0:
            self.node.changed.set()
            # The others serve by the new shard count soon, whether or not this node gets to read it.
            if self._outdated is None:
                self._outdated = asyncio.create_task(self._drop("a master tells of another generation"))
        now = self.node.clock.now()
        return Ping(self.node.me.node_key, self.node.instance_id, "coreapp", self.generation, now)

    async def status(self) -> NodeStatus:
        """For health and support. Raises CoreError 1011 while the core is not instantiated."""
        await self._give_up_when_late()
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
        await self._give_up_when_late()

    async def _give_up_when_late(self) -> None:
        """A process that was paused must not serve, nor say that it does, before the guard has had its turn."""
        if self.connection.is_up and self.node.clock.now() >= self.may_serve_until:
            await self._drop("it is too late to be sure of the ownership")

    def collect_soon(self) -> None:
        """The message clean-up service (4.7), in the background."""
        self._collect.set()

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
            group.create_task(self.callbacks.run())
            group.create_task(self._take_over())
            group.create_task(self._clean_up())
            if self.node.env.multiconnect:
                group.create_task(self._guard())
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
        """Liveness row every 60 s, the map with it; the map at once when told that it changed."""
        backoff, due = Backoff(), self.node.clock.now()
        known = False
        while True:
            try:
                if self.node.clock.now() >= due:
                    await self.node.write_row(serving=bool(self.connection.shards))
                    due = self.node.clock.now() + LIVENESS_WRITE
                await self.node.refresh()
                self.callbacks.look()
                backoff.reset()
                await self._act()
                wait = due - self.node.clock.now()
            except DB_ERRORS as error:
                wait = backoff.next()
                log.error("Database error, next try in %d ms: %s", wait * 1000, error)
                due = min(due, self.node.clock.now())
            if not known and self.generation:
                known = True
                await self.node.tell_masters()
            await self.node.wait_for_news(wait)

    async def _act(self) -> None:
        """Be what the database says this node is."""
        node = self.node
        assert node.state is not None
        if not self.generation:
            self.generation = node.state.generation
            log.info("Ready as standby, generation %d", self.generation)
        if node.env.multiconnect and node.state.generation > self.generation:
            await self._stop_for_restart()
        owned = node.owned if node.may_connect and self._outdated is None else frozenset()
        if owned == self.connection.shards:
            wait = 0.0
        else:
            self.sender.forget()
            wait = await self._until_predecessor_is_gone() if owned else 0.0
        await self.connection.want(owned, "the shard map names this node" if owned else self._why_not(), after=wait)
        if self.connection.is_up:
            await self.sender.recover()

    async def _until_predecessor_is_gone(self) -> float:
        """Product seconds for which an owner that was cut off from the masters may still believe in itself."""
        if not self.node.env.multiconnect:
            return 0.0
        age = self.node.clock.product(await self.node.db(cluster.deposed_age(self.node.engine, self.node.me)))
        return max(self._confirmed_for - age, 0.0)

    def _why_not(self) -> str:
        if self.node.expired:
            return "the build is expired, upgrade needed"
        if self.node.account is not None and self.node.account.condition != "ok":
            return f"the account is {self.node.account.condition}"
        return "the shard map names another node"

    async def _stop_for_restart(self) -> None:
        """Set-shards, or another number: every coreapp ends and comes back as a secondary (3.4, 4.3)."""
        self.stopping = True
        log.info("The cluster was changed; stopping, to be restarted")
        await self.connection.drop("restart of all coreapps")
        await self.node.clock.sleep(random.uniform(RESHARD_STOP_MIN, RESHARD_STOP_MAX))
        raise Restart

    async def _take_over(self) -> None:
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

    async def _clean_up(self) -> None:
        """When asked, with a callback that reports it; by itself every hour where the settings say so (4.4, 4.7)."""
        await self.node.read_once.wait()
        by_itself = self.node.at_boot("garbagecollector_enable.messages")
        media_too = self.node.at_boot("garbagecollector_enable.media")
        while True:
            try:
                async with asyncio.timeout(self.node.clock.scaled(self.collect_every)):
                    await self._collect.wait()
            except TimeoutError:
                if by_itself:
                    await self._delete_done()
                if media_too and SERVICE_SHARD in self.connection.shards:
                    await self._delete_media()
                continue
            self._collect.clear()
            await self._report(await self._delete_done())

    async def _delete_done(self) -> int | None:
        """Delete the messages of this node's shards that are done with; returns how many, None when that failed."""
        try:
            deleted = await self.sender.collect()
        except DB_ERRORS as error:
            log.error("Message clean-up failed: %s", error)
            return None
        log.info("Message clean-up complete: messages_deleted=%d", deleted)
        return deleted

    async def _delete_media(self) -> None:
        node = self.node
        try:
            if await node.db(media.begin_gc(node.engine)):
                await mediagc.run(node.engine, self._media_dir, node.clock)
        except DB_ERRORS as error:
            log.error("Media clean-up failed: %s", error)

    async def _report(self, deleted: int | None) -> None:
        report: dict[str, object] = {
            "messages_deleted": deleted or 0,
            "status": "failed" if deleted is None else "complete",
        }
        if self.node.env.multiconnect:
            report["node"] = self.node.me.node_key
        try:
            await self.callbacks.report({"services": [{"message": {"gc": report}}]})
        except DB_ERRORS as error:
            log.error("Could not report the message clean-up: %s", error)

    async def _guard(self) -> None:
        """While no master hears this owner, have the database confirm it; drop the connection in time otherwise.

        A cut-off owner could have been replaced without knowing it (11 Q19).
        """
        node = self.node
        while True:
            await self.connection.until(lambda: bool(self.connection.shards))
            quiet = min(self._safe_from_masters, node.written_at + LIVENESS_STALE) - self._confirmed_for
            if node.clock.now() < quiet:
                self._doubt.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(node.clock.scaled(quiet - node.clock.now())):
                        await self._doubt.wait()
                continue
            await self._confirm()
            await node.clock.sleep(self._confirmed_for / 4)

    async def _confirm(self) -> None:
        node = self.node
        left = self.may_serve_until - node.clock.now()
        try:
            async with asyncio.timeout(node.clock.scaled(left if left > 0 else self._confirmed_for)):
                await node.confirm()
        except DB_ERRORS as error:
            log.debug("Could not have the ownership confirmed: %s", error)
        if self.connection.shards - node.owned:
            await self._drop("the shard map names another node")
        elif node.clock.now() >= self.may_serve_until:
            await self._drop("neither a master nor the database confirms the ownership")

    async def _drop(self, why: str) -> None:
        await self.connection.drop(why)
        self.sender.forget()
        self.node.changed.set()
