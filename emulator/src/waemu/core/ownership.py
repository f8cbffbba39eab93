"""For how long an owner may go on serving: it stops by itself before another node can be serving in its place.

Two live connections for one number are a ban (reference 1), and an owner that is cut off from the masters can have been
replaced without knowing it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from waemu.clock import CONFIRMED_FOR, LIVENESS_STALE
from waemu.core import decide
from waemu.core.connection import Connection
from waemu.core.node import Node
from waemu.protocol.nodes import OwnershipGrant
from waemu.store import cluster
from waemu.store.engine import DB_ERRORS

log = logging.getLogger("waemu.coreapp")


class Ownership:
    """What one coreapp knows about its right to serve."""

    def __init__(self, node: Node, connection: Connection, drop: Callable[[str], Coroutine[Any, Any, None]]) -> None:
        """drop: ends the connection, with the reason for the log."""
        self._node, self._connection, self._drop = node, connection, drop
        self._safe_until, self._safe_for = float("-inf"), frozenset[int]()  # what the last heartbeat granted
        self._revalidate = asyncio.Event()  # the last heartbeat protects less than is served
        self._dropping: asyncio.Task[None] | None = None  # once there was a set-shards
        # A fast clock must not make a slow machine look like a lost owner: at least one real second.
        self._confirmed_for = max(CONFIRMED_FOR, node.clock.product(1.0))

    @property
    def outdated(self) -> bool:
        """Whether the others serve by another shard count than this boot started in."""
        return self._dropping is not None

    @property
    def _safe_from_masters(self) -> float:
        """Until when no master can promote another node for what this one serves."""
        return self._safe_until if self._connection.shards <= self._safe_for else float("-inf")

    @property
    def may_serve_until(self) -> float:
        """Product time after which another node could be serving in this one's place."""
        if not self._node.env.multiconnect:
            return float("inf")
        if self.outdated:
            return float("-inf")
        return decide.ownership_ends(
            safe_from_masters=self._safe_from_masters,
            confirmed_at=self._node.confirmed_at,
            confirmed_for=self._confirmed_for,
            written_at=self._node.written_at,
        )

    @property
    def lasts(self) -> bool:
        """Whether this node may serve now."""
        return self._node.clock.now() < self.may_serve_until

    def take(self, grant: OwnershipGrant) -> None:
        """The primary vouches for something; for this boot, or for the one before it."""
        if grant.instance_id != self._node.instance_id:
            return
        self._safe_until = decide.safe_after_heartbeat(
            grant.heard_at, interval=grant.unhealthy_interval, lease_left=grant.lease_left
        )
        # One that was silent for a while is heard again, and what it serves may be another's by now.
        self._safe_for = grant.owned
        if self._connection.shards - self._safe_for:
            self._revalidate.set()

    def outdate(self) -> None:
        """The others serve by the new shard count soon, whether or not this node gets to read it: serve no more."""
        if self._dropping is None:
            self._dropping = asyncio.create_task(self._drop("a master reports another generation"))

    async def give_up_when_late(self) -> None:
        """A process that was paused must not serve, nor say that it does, before the guard has had its turn."""
        if self._connection.is_up and not self.lasts:
            await self._drop("it is too late to be sure of the ownership")

    async def until_predecessor_is_gone(self) -> float:
        """Product seconds for which an owner that was cut off from the masters may still believe in itself."""
        if not self._node.env.multiconnect:
            return 0.0
        node = self._node
        age = node.clock.product(await node.db(cluster.deposed_age(node.engine, node.me)))
        return max(self._confirmed_for - age, 0.0)

    async def guard(self) -> None:
        """While no master hears this owner, have the database confirm it; drop the connection in time otherwise."""
        node = self._node
        while True:
            await self._connection.until(lambda: bool(self._connection.shards))
            quiet = min(self._safe_from_masters, node.written_at + LIVENESS_STALE) - self._confirmed_for
            if node.clock.now() < quiet:
                self._revalidate.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(node.clock.scaled(quiet - node.clock.now())):
                        await self._revalidate.wait()
                continue
            await self._confirm()
            await node.clock.sleep(self._confirmed_for / 4)

    async def _confirm(self) -> None:
        node = self._node
        left = self.may_serve_until - node.clock.now()
        try:
            async with asyncio.timeout(node.clock.scaled(left if left > 0 else self._confirmed_for)):
                await node.confirm()
        except DB_ERRORS as error:
            log.debug("Could not have the ownership confirmed: %s", error)
        if self._connection.shards - node.owned:
            await self._drop("the shard map names another node")
        elif not self.lasts:
            await self._drop("neither a master nor the database confirms the ownership")
