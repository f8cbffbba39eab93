"""Who is connected for which shards of a number, and the rule that two at once are banned (reference 1).

The documentation speaks of two installations; that two nodes for one shard count as two is our choice.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

from waemu.clock import Clock
from waemu.gateway.accounts import BAN_SECONDS, Accounts
from waemu.protocol import gateway as protocol
from waemu.protocol.gateway import Closed, Hello
from waemu.shards import CONTROL_SHARD

PROBE = 2.0  # product seconds the former holder of a shard has to prove that it lives
PROBE_FLOOR = 1.0  # real seconds
log = logging.getLogger("waemu.gateway")
Write = Callable[[protocol.FromGateway], Awaitable[None]]
_ids = itertools.count(1)


class Link:
    """One node's connection. write: sends a frame; shut: ends the connection."""

    def __init__(self, hello: Hello, write: Write, shut: Callable[[], Awaitable[None]], clock: Clock) -> None:
        self.id = next(_ids)
        self.hello = hello
        self.shards = frozenset(hello.shards)
        self.since = time.time()
        self.heard_at = clock.now()
        self.is_open = True
        self.batch = 0  # of events
        self.sign = asyncio.Event()
        self._write, self._shut, self._clock = write, shut, clock

    def heard(self, *, answers: bool = False) -> None:
        """A frame came in. answers: it answers a ping, so that it cannot be older than that."""
        self.heard_at = self._clock.now()
        if answers:
            self.sign.set()

    async def write(self, frame: protocol.FromGateway) -> None:
        """Send a frame; a connection that breaks meanwhile is found by its reader."""
        with suppress(ConnectionError, RuntimeError):
            await self._write(frame)

    async def close(self, reason: str, seconds: float = 0.0) -> None:
        """Send the node the reason, then end the connection."""
        if self.is_open:
            self.is_open = False
            log.info("%s: closing the connection for shards %s: %s", self.hello.node, sorted(self.shards), reason)
            await self.write(Closed(reason, seconds))
            await self._shut()

    async def lives(self) -> bool:
        """Whether the node at the other end answers."""
        self.sign.clear()
        await self.write(protocol.Ping())
        try:
            async with asyncio.timeout(max(self._clock.scaled(PROBE), PROBE_FLOOR)):
                await self.sign.wait()
        except TimeoutError:
            return False
        return self.is_open


def overlap(one: Hello, other: Hello) -> bool:
    """Whether both nodes would serve some recipient, also when they believe in different shard counts."""
    if CONTROL_SHARD in one.shards and CONTROL_SHARD in other.shards:
        return True
    count = min(one.count, other.count)
    mine = {shard % count for shard in one.shards if shard != CONTROL_SHARD}
    return any(shard % count in mine for shard in other.shards if shard != CONTROL_SHARD)


class Links:
    """All open connections."""

    def __init__(self, accounts: Accounts, clock: Clock) -> None:
        self._accounts, self._clock = accounts, clock
        self.open: dict[int, Link] = {}
        self._cuts: dict[str, float] = {}  # node key: product time until which it is cut off
        self._admission: dict[str, asyncio.Lock] = {}

    def of(self, number: str) -> list[Link]:
        """The open connections of a number."""
        return [link for link in self.open.values() if link.hello.number == number and link.is_open]

    def refusal(self, hello: Hello) -> Closed | None:
        """Why a node may not connect now, None when it may."""
        now = self._clock.now()
        banned = self._accounts.banned_for(hello.number, now)
        if banned > 0:
            return Closed(protocol.BANNED, self._clock.scaled(banned))
        if self._cuts.get(hello.node, now) > now:
            return Closed(protocol.CUT)
        out = self._accounts.out(hello.number, hello.identity)
        return Closed(out) if out else None

    async def admit(self, link: Link) -> bool:
        """Let a link in, or refuse it; two live nodes for one recipient are a ban for the number."""
        hello = link.hello
        async with self._admission.setdefault(hello.number, asyncio.Lock()):
            refusal = self.refusal(hello)
            if refusal is None:
                await self._meet(link)
                refusal = self.refusal(hello)
            if refusal is not None:
                await link.close(refusal.reason, refusal.seconds)
                return False
            self.open[link.id] = link
            log.info("%s: connected for shards %s of %d", hello.node, sorted(link.shards), hello.count)
            return True

    async def _meet(self, link: Link) -> None:
        """Handle the connections that overlap with a new one."""
        for other in self.of(link.hello.number):
            if not overlap(other.hello, link.hello):
                continue
            if other.hello.instance == link.hello.instance:
                await other.close(protocol.REPLACED)
            elif await other.lives():
                nodes = [f"{one.hello.node} ({one.hello.instance})" for one in (other, link)]
                shards = ", ".join(str(shard) for shard in sorted(other.shards | link.shards))
                await self.ban(link.hello.number, f"two nodes are connected at once (shards {shards})", nodes)
            else:
                await other.close(protocol.SILENT)

    async def ban(self, number: str, reason: str, nodes: Iterable[str], seconds: float = BAN_SECONDS) -> None:
        """Ban a number for product seconds and close all its connections."""
        log.error("+%s is banned for %d s: %s: %s", number, seconds, reason, ", ".join(nodes))
        self._accounts.ban(number, reason, list(nodes), self._clock.now(), time.time(), seconds)
        await self.close(self.of(number), protocol.BANNED, self._clock.scaled(seconds))

    async def evict(self, number: str, reason: str, *, but: str = "") -> int:
        """Close the connections of a number, except those with the keys of but; returns how many."""
        links = [link for link in self.of(number) if not but or link.hello.identity != but]
        await self.close(links, reason)
        return len(links)

    async def cut(self, node: str, seconds: float) -> int:
        """Close a node's connections and refuse new ones for product seconds; returns how many were closed."""
        self._cuts[node] = self._clock.now() + seconds
        links = [link for link in self.open.values() if link.hello.node == node]
        await self.close(links, protocol.CUT)
        return len(links)

    async def close(self, links: list[Link], reason: str, seconds: float = 0.0) -> None:
        """Close some connections at the same time."""
        await asyncio.gather(*(link.close(reason, seconds) for link in links))

    def remove(self, link: Link) -> None:
        """The connection has ended."""
        link.is_open = False
        link.sign.set()
        self.open.pop(link.id, None)
