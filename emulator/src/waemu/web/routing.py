"""Which node a request goes to: the shard map, the primary master, every node (reference 3.2, 3.5 and 3.8).

The web reads who is where from the database and dials the host and ports each node advertises.
"""

from __future__ import annotations

import asyncio
import typing as t
from dataclasses import dataclass

import aiohttp
from sqlalchemy.ext.asyncio import AsyncEngine

from waemu import shards
from waemu.clock import NODE_ROW_KEPT, SHARD_MAP_CACHE, Clock
from waemu.protocol.client import CoreClient
from waemu.protocol.nodes import CoreError, Endpoints, NodeStatus, StatsReply
from waemu.store import cluster
from waemu.store.cluster import NodeRow

T = t.TypeVar("T")

QUERY_TIMEOUT: t.Final = 3.0
"""Product seconds a node has to answer for health and support; at least QUERY_TIMEOUT_FLOOR real ones."""
QUERY_TIMEOUT_FLOOR: t.Final = 1.0

NOT_PRIMARY_MASTER: t.Final = 1017
NOT_PRIMARY_COREAPP: t.Final = 1018

MASTER: t.Final = "master"


@dataclass(frozen=True)
class Routes:
    """The cluster as the database had it at one moment."""

    nodes: t.Mapping[str, NodeRow]
    owners: t.Mapping[int, cluster.Owner]
    shards: int

    def endpoints_of(self, shard: int) -> Endpoints:
        """Where the owner of a shard is reached. Raises CoreError 1018 while nobody owns it."""
        owner = self.owners.get(shard)
        node = self.nodes.get(owner.node_key) if owner else None
        if node is None:
            raise CoreError(NOT_PRIMARY_COREAPP, f"Shard {shard} has no owner at the moment")
        return node.endpoints

    def shard_of(self, wa_id: str) -> int:
        """The shard of a recipient."""
        return shards.shard_of(wa_id, self.shards)


class Cores:
    """All that a webapp says to masters and coreapps."""

    def __init__(self, engine: AsyncEngine, client: CoreClient, clock: Clock, *, single: Endpoints | None) -> None:
        """single: where the one coreapp of a single instance is, None in a cluster."""
        self.client = client
        self._engine = engine
        self._clock = clock
        self._single = single
        self._routes: Routes | None = None
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    @property
    def is_cluster(self) -> bool:
        """Whether there are masters and a shard map."""
        return self._single is None

    async def send(self, wa_id: str, call: t.Callable[[Endpoints], t.Awaitable[T]]) -> T:
        """Call the owner of a recipient's shard; after 1018 the map is read again and the call repeated once."""
        return await self._at_owner(lambda routes: routes.shard_of(wa_id), call)

    async def at_shard(self, shard: int, call: t.Callable[[Endpoints], t.Awaitable[T]]) -> T:
        """Call the owner of a shard, with the same one repetition."""
        return await self._at_owner(lambda _routes: shard, call)

    async def _at_owner(self, choose: t.Callable[[Routes], int], call: t.Callable[[Endpoints], t.Awaitable[T]]) -> T:
        if self._single is not None:
            return await call(self._single)
        try:
            routes = await self.routes()
            return await call(routes.endpoints_of(choose(routes)))
        except CoreError as error:
            if error.code != NOT_PRIMARY_COREAPP:
                raise
        routes = await self.routes(fresh=True)
        return await call(routes.endpoints_of(choose(routes)))

    async def on_primary(self, call: t.Callable[[Endpoints], t.Awaitable[T]]) -> T:
        """Call the primary master. Raises CoreError 1017 when no master is, or none that can be reached."""
        if self._single is not None:
            return await call(self._single)
        unreachable: list[str] = []
        for node in await self._masters():
            try:
                return await call(node.endpoints)
            except CoreError as error:
                if not _never_arrived(error):
                    raise
                unreachable.append(f"{node.endpoints.hostname}:{node.endpoints.control}")
        tried = f": {', '.join(unreachable)} could not be reached" if unreachable else ""
        raise CoreError(NOT_PRIMARY_MASTER, f"There is no primary master at the moment{tried}")

    async def _masters(self) -> list[NodeRow]:
        """Masters in the order to ask them: the holder of the lease, then the ones seen last."""
        lease = await cluster.read_lease(self._engine)
        routes = await self.routes(fresh=True)
        masters = [node for node in routes.nodes.values() if node.role == MASTER]
        holder = lease.owner_key if lease.left > 0 else None
        return sorted(masters, key=lambda node: (node.node_key != holder, node.age))

    async def coreapps(self) -> dict[str, Endpoints]:
        """Every coreapp by its key; a single instance's is keyed by its host."""
        if self._single is not None:
            return {self._single.hostname: self._single}
        routes = await self.routes(fresh=True)
        return {key: node.endpoints for key, node in routes.nodes.items() if node.role != MASTER}

    async def statuses(self) -> dict[str, NodeStatus | CoreError]:
        """What every node of a cluster says of itself, asked all at once; errors stand where a node gave none."""
        routes = await self.routes(fresh=True)
        keys = sorted(routes.nodes)
        answers = await asyncio.gather(*(self._status(key, routes.nodes[key].endpoints) for key in keys))
        return dict(zip(keys, answers, strict=True))

    async def stats(self) -> dict[str, StatsReply]:
        """What each coreapp counts, asked all at once; one that does not answer is left out."""
        nodes = await self.coreapps()
        answers = await asyncio.gather(*(self._stats(node) for node in nodes.values()))
        return {key: answer for key, answer in zip(nodes, answers, strict=True) if answer is not None}

    async def _stats(self, node: Endpoints) -> StatsReply | None:
        try:
            return await self.client.stats(node, timeout=self._query_timeout())
        except CoreError:
            return None

    async def single_status(self) -> NodeStatus:
        """What the one coreapp of a single instance says. Raises CoreError."""
        if self._single is None:
            raise TypeError("a cluster has no single coreapp")
        return await self.client.status(self._single, timeout=self._query_timeout())

    async def routes(self, *, fresh: bool = False) -> Routes:
        """The cluster as read at most SHARD_MAP_CACHE ago; C(fresh) reads it now."""
        asked_at = self._clock.now()
        async with self._reading:  # whoever waited here meanwhile uses what the first one read
            age = asked_at - self._read_at
            if self._routes is None or age >= (0 if fresh else SHARD_MAP_CACHE):
                started = self._clock.now()
                self._routes = await self._read()
                self._read_at = started
            return self._routes

    async def _read(self) -> Routes:
        nodes = await cluster.read_nodes(self._engine, max_age=self._clock.scaled(NODE_ROW_KEPT))
        owners, state = await cluster.read_for_node(self._engine)
        return Routes(nodes, owners, state.shards)

    async def _status(self, key: str, node: Endpoints) -> NodeStatus | CoreError:
        try:
            status = await self.client.status(node, timeout=self._query_timeout())
        except CoreError as error:
            return error
        if status.node_key != key:  # nodes that restart can take over each other's addresses
            return CoreError(1014, f"{node.hostname}:{node.control} is {status.node_key} at the moment")
        return status

    def _query_timeout(self) -> float:
        return max(self._clock.scaled(QUERY_TIMEOUT), QUERY_TIMEOUT_FLOOR)


def _never_arrived(error: CoreError) -> bool:
    """Whether the node refused, or there was none to connect to: then asking another one repeats nothing."""
    return isinstance(error.__cause__, aiohttp.ClientConnectorError)
