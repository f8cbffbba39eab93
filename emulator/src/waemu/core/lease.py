"""The mastership lease as one master sees it (reference 3.1): who holds it is the primary master."""

from __future__ import annotations

import logging

from waemu.clock import DB_CHECK_PERIOD, LEASE_RENEW, LEASE_TTL
from waemu.core.node import Node
from waemu.store import cluster

log = logging.getLogger("waemu.master")


class MastershipLease:
    """Held as long as it is renewed in time, counted by this node's clock."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._ends = float("-inf")  # product time; counted from the moment of asking, so never too late

    @property
    def held(self) -> bool:
        """Whether this master holds the lease now."""
        return self._node.clock.now() < self._ends

    @property
    def left(self) -> float:
        """Product seconds until the lease ends, negative when it has."""
        return self._ends - self._node.clock.now()

    def left_at(self, moment: float) -> float:
        """What was, or will be, left of it at a moment of product time."""
        return self._ends - moment

    @property
    def _renew_every(self) -> float:
        """Product seconds between renewals: the same part of a lease of any length."""
        return self._node.env.lease_seconds * LEASE_RENEW / LEASE_TTL

    async def claim(self) -> bool:
        """Renew the lease, or try to win it; True when it was won just now. Raises one of DB_ERRORS."""
        node, ttl = self._node, self._node.clock.scaled(self._node.env.lease_seconds)
        was_held, asked_at = self.held, node.clock.now()
        call = cluster.renew_lease if was_held else cluster.take_lease
        held = await node.db(call(node.engine, node.me.node_key, node.instance_id, ttl))
        if held:
            self._ends = asked_at + node.env.lease_seconds
            if not was_held:
                log.info("Won the mastership lease: primary master")
        elif was_held:
            self._ends = float("-inf")
            log.warning("Lost the mastership lease: secondary master")
        return held and not was_held

    async def until_next_claim(self) -> float:
        """Product seconds: the renewal period, or the end of another master's lease if that comes first."""
        if self.held:
            return min(self._renew_every, DB_CHECK_PERIOD)
        lease = await self._node.db(cluster.read_lease(self._node.engine))
        return min(self._renew_every, max(self._node.clock.product(lease.left), 0.0) + 0.1)
