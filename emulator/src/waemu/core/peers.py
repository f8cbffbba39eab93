"""Notifying other nodes that the database has news; one that misses it reads it later by itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from waemu.clock import NODE_ROW_KEPT
from waemu.core.node import Node
from waemu.protocol.nodes import CoreError
from waemu.store.cluster import NodeRow
from waemu.store.engine import DB_ERRORS

NOTIFY_CALL = 2.0  # product seconds one call may take
log = logging.getLogger("waemu.node")


async def notify(node: Node, rows: Iterable[NodeRow]) -> None:
    """Notify some nodes, all at once; the node itself is left out."""
    await asyncio.gather(*(_notify(node, row) for row in rows if row.node_key != node.me.node_key))


async def notify_masters(node: Node) -> None:
    """A new boot makes itself known, so that nobody waits for the masters' next reading of the rows."""
    try:
        rows = await node.nodes()
    except DB_ERRORS as error:
        log.debug("Could not read the masters to notify: %s", error)
        return
    alive = node.clock.scaled(NODE_ROW_KEPT)
    await notify(node, (row for row in rows.values() if row.role == "master" and row.age <= alive))


async def notify_all(node: Node) -> None:
    """Everybody reads the database now, this node first of all. Raises one of DB_ERRORS."""
    node.changed.set()
    await notify(node, (await node.nodes()).values())


async def _notify(node: Node, row: NodeRow) -> None:
    try:
        await node.client.changed(row.endpoints, timeout=max(node.clock.scaled(NOTIFY_CALL), 0.5))
    except CoreError as error:
        log.debug("Could not notify %s: %s", row.node_key, error)
