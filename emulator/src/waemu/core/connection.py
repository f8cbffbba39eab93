"""A node's connection to WhatsApp: down, connecting, up; driven by the set of shards the node should serve."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from waemu.clock import Clock
from waemu.core.backoff import Backoff
from waemu.core.gateway_link import GatewayLink, LinkDown, Refused

DOWN, CONNECTING, UP = "DN", "SC", "UP"  # as support shows them (4.5)
RECEIVING = "UP receiving offline"  # up, and what had waited for the connection is still coming in
GATEWAY_STATUS = {DOWN: "disconnected", CONNECTING: "connecting", UP: "connected"}
log = logging.getLogger("waemu.connection")


class Connection:
    """Holds the link for exactly the desired shards; a change of the set is a new connection."""

    def __init__(
        self, link: GatewayLink, clock: Clock, on_refused: Callable[[Refused], Awaitable[None]] | None = None
    ) -> None:
        """on_refused: called when WhatsApp does not want this installation any more."""
        self.link = link
        self._clock, self._on_refused = clock, on_refused
        self._task: asyncio.Task[None] | None = None
        self.socket = DOWN
        self.shards: frozenset[int] = frozenset()
        self._pulse = asyncio.Event()

    @property
    def is_up(self) -> bool:
        """Whether messages can be sent."""
        return self.socket == UP

    @property
    def socket_conn(self) -> str:
        """The state as support shows it (4.5)."""
        return RECEIVING if self.is_up and self.link.backlog else self.socket

    @property
    def gateway_status(self) -> str:
        """connected, connecting or disconnected (3.5)."""
        return GATEWAY_STATUS[self.socket]

    async def want(self, shards: frozenset[int], why: str, *, after: float = 0.0) -> None:
        """Serve these shards from now on, none when empty. Returns at once; dropping is immediate.

        after: product seconds to wait before connecting.
        """
        if shards == self.shards:
            return
        await self.drop(why)
        if shards:
            log.info("Connecting for shards %s: %s", sorted(shards), why)
            self._set(shards, CONNECTING)
            self._task = asyncio.create_task(self._stay_connected(shards, after))

    async def drop(self, why: str) -> None:
        """Be disconnected now."""
        if self.shards:
            log.info("Dropping the connection for shards %s: %s", sorted(self.shards), why)
        self._set(frozenset(), DOWN)
        if self._task is not None:
            self._task.cancel()
            self._task = None
        await self.link.disconnect()

    async def lost(self) -> None:
        """The other end went away: connect again for the same shards."""
        if self.is_up:
            self._set(self.shards, CONNECTING)
            await self.link.disconnect()

    async def until(self, test: Callable[[], bool]) -> None:
        """Wait until a test of this connection holds."""
        while not test():
            await self._pulse.wait()

    def _set(self, shards: frozenset[int], socket: str) -> None:
        self.shards, self.socket = shards, socket
        self._pulse.set()
        self._pulse = asyncio.Event()

    async def _stay_connected(self, shards: frozenset[int], after: float) -> None:
        await self._clock.sleep(after)
        while True:
            await self._connect(shards)
            self._set(shards, UP)
            log.info("Connected for shards %s", sorted(shards))
            why = await self.link.until_down()
            log.warning("Connection for shards %s lost: %s", sorted(shards), why)
            self._set(shards, CONNECTING)
            await self._report(why)

    async def _connect(self, shards: frozenset[int]) -> None:
        backoff = Backoff()
        while True:
            try:
                await self.link.connect(shards)
                return
            except LinkDown as error:
                delay = backoff.next()
                log.warning("Could not connect, next try in %d ms: %s", delay * 1000, error)
                await self._report(error)
                await self._clock.sleep(delay)

    async def _report(self, why: LinkDown) -> None:
        if isinstance(why, Refused) and self._on_refused is not None:
            await self._on_refused(why)
