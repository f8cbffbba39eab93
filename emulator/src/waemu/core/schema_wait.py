"""Getting from a database that may be away, empty or old to one a node can work with (reference 3.7, 6.4)."""

from __future__ import annotations

import asyncio
import logging
import sys

from waemu.core.backoff import Backoff
from waemu.core.node import Node
from waemu.schema import version
from waemu.store.engine import DB_ERRORS

POLL_FIRST, POLL_LONGEST = 0.25, 2.0  # product seconds between readings of a schema that somebody else makes
log = logging.getLogger("waemu.schema")


class Schema:
    """What one node sees of the schema, and the upgrade it may run."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._want = version.required(node.env.version)
        self._maker: asyncio.Task[None] | None = None  # an upgrade that goes on in the background

    async def until_cluster(self) -> None:
        """Wait for the tables nodes meet in; the cluster's first master makes them, and all others with them."""
        makes = self._node.env.is_master or not self._node.env.multiconnect
        poll = Backoff(POLL_FIRST, POLL_LONGEST)
        while not (await self._current())["cluster"]:
            if makes and self._maker is None:
                self._maker = asyncio.create_task(self.upgrade())
            await self._node.clock.sleep(poll.next())

    async def until_ready(self) -> None:
        """Wait until every group is as new as this client wants it."""
        poll = Backoff(POLL_FIRST, POLL_LONGEST)
        said: list[str] = []
        while late := await self._behind():
            if late != said:
                log.info("Waiting for the schema of %s", ", ".join(late))
                said = late
            await self._node.clock.sleep(poll.next())
        self._node.schema_ready = True

    async def bring_up_to_date(self) -> None:
        """What the primary, or a single instance, does at its start: upgrade where that is due (6.4)."""
        if self._maker is not None:
            # Who waits may be stopped, and wait again: a lease was lost and won. The upgrade goes on.
            await asyncio.shield(self._maker)
        elif await self._behind():
            await self.upgrade()
        await self.until_ready()

    async def upgrade(self) -> None:
        """Run the upgrade, in its own process so that this one stays small, until it works."""
        backoff = Backoff()
        while True:
            process = await asyncio.create_subprocess_exec(sys.executable, "-m", "waemu.upgrade")
            try:
                code = await process.wait()
            except asyncio.CancelledError:
                process.terminate()
                raise
            if code == 0:
                return
            delay = backoff.next()
            log.error("Schema upgrade failed, next try in %d ms", delay * 1000)
            await self._node.clock.sleep(delay)

    async def _behind(self) -> list[str]:
        return version.behind(await self._current(), self._want)

    async def _current(self) -> version.Levels:
        backoff = Backoff()
        while True:
            try:
                return await self._node.db(version.current(self._node.engine))
            except DB_ERRORS as error:
                delay = backoff.next()
                reason = getattr(error, "orig", None) or error or type(error).__name__
                log.error("Failed to initialise the cluster manager, next try in %d ms: %s", delay * 1000, reason)
                await self._node.clock.sleep(delay)
