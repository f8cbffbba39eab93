"""The heartbeat from master to coreapp: one declared message, by POST, sealed as all others (reference 3.3)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import aiohttp
import msgspec
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from waemu import versions
from waemu.clock import Clock
from waemu.core.connection import Connection
from waemu.core.coreapp import Coreapp
from waemu.core.failure_detector import FailureDetector, LastHeard
from waemu.core.loopback import Loopback
from waemu.core.node import Node
from waemu.core.primary_api import PrimaryApi
from waemu.core.registrar import OwnRegistrar
from waemu.core.server import Server
from waemu.environment import DbEnv, NodeEnv
from waemu.protocol import seal
from waemu.protocol.client import CoreClient
from waemu.protocol.nodes import CoreError, Endpoints, Heartbeat, OwnershipGrant
from waemu.store.cluster import NodeRow
from waemu.store.engine import make_engine

SECRET = "between us"
READS = {"/status", "/missed-heartbeats", "/settings/application", "/stats"}
times = st.floats(allow_nan=False, allow_infinity=False)
grants = st.builds(
    OwnershipGrant,
    instance_id=st.text(),
    heard_at=times,
    unhealthy_interval=times,
    lease_left=times,
    generation=st.integers(0, 2**40),
    owned=st.frozensets(st.integers(-1, 31)),
)


class Cluster(NamedTuple):
    """A coreapp that listens, and a master's view of it. raw: bodies that crossed the wire."""

    coreapp: Coreapp
    client: CoreClient
    endpoints: Endpoints
    session: aiohttp.ClientSession
    server: Server
    raw: list[bytes]

    @property
    def row(self) -> NodeRow:
        """The coreapp's row in the database."""
        node = self.coreapp.node
        return NodeRow(node.me.node_key, node.instance_id, "coreapp", self.endpoints, "v2.63.0", 0.0)

    def grant(self, *, boot: str = "", owned: frozenset[int] = frozenset({0})) -> OwnershipGrant:
        """Something that protects this boot, or another one, for ten minutes from now."""
        node = self.coreapp.node
        return OwnershipGrant(boot or node.instance_id, node.clock.now(), 600.0, 600.0, 1, owned)


@pytest_asyncio.fixture(params=[SECRET, ""], ids=["sealed", "open"])
async def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Cluster]:
    """A coreapp of a cluster, whose database nobody needs."""
    db = DbEnv("MYSQL", "127.0.0.1", 1, "nobody", "")
    env = NodeEnv(db, versions.parse("v2.63.0"), "core", "core", multiconnect=True, secret=request.param)
    clock, engine, raw = Clock(), make_engine(db), []
    trace = aiohttp.TraceConfig()

    async def sent(_session: object, _context: object, chunk: aiohttp.TraceRequestChunkSentParams) -> None:
        raw.append(chunk.chunk)

    trace.on_request_chunk_sent.append(sent)
    async with aiohttp.ClientSession(trace_configs=[trace]) as session:
        client = CoreClient(session, clock, seal.make(env.secret))
        node = Node(env, clock, engine, client)
        node.written_at = clock.now()
        coreapp = Coreapp(node, Connection(Loopback(clock), clock), tmp_path)
        server = Server(node, coreapp, PrimaryApi(node, OwnRegistrar(env, clock.now), lambda: False))
        listening = [TestServer(app) for app in server.apps()]
        for one in listening:
            await one.start_server()
        endpoints = Endpoints("127.0.0.1", *(one.port or 0 for one in listening))
        yield Cluster(coreapp, client, endpoints, session, server, raw)
        for one in listening:
            await one.close()
        await engine.dispose()


@given(grants)
def test_a_heartbeat_arrives_as_it_was_sent(grant: OwnershipGrant) -> None:
    for heartbeat in (Heartbeat(grant), Heartbeat()):
        assert msgspec.json.decode(msgspec.json.encode(heartbeat), type=Heartbeat) == heartbeat


async def test_what_the_primary_grants_protects_the_owner(cluster: Cluster) -> None:
    ownership, clock = cluster.coreapp.ownership, cluster.coreapp.node.clock
    assert not ownership.lasts
    detector = FailureDetector(clock, cluster.client)
    detector.update({cluster.row.node_key: cluster.row})
    await detector.round(lambda _heard: None, every=5.0, unhealthy_interval=30.0)
    assert not ownership.lasts
    await detector.round(lambda _heard: cluster.grant(), every=5.0, unhealthy_interval=40.0)
    assert ownership.lasts
    view = detector.views([])[cluster.row.node_key]
    assert (view.answered, view.silent, view.known_interval, view.known_generation) == (True, 0.0, 40.0, 1)


async def test_the_next_grant_is_about_what_was_heard_last(cluster: Cluster) -> None:
    clock, heard_at = cluster.coreapp.node.clock, list[float]()
    detector = FailureDetector(clock, cluster.client)
    detector.update({cluster.row.node_key: cluster.row})

    def granted(heard: LastHeard) -> OwnershipGrant | None:
        heard_at.append(-1.0 if heard.reply is None else heard.reply.at)
        return None

    before = clock.now()
    for _ in range(2):
        await detector.round(granted, every=5.0, unhealthy_interval=30.0)
    assert heard_at[0] == -1.0
    assert before <= heard_at[1] <= clock.now()


async def test_a_grant_of_another_boot_protects_nobody(cluster: Cluster) -> None:
    await cluster.client.heartbeat(cluster.endpoints, Heartbeat(cluster.grant(boot="the one before")))
    assert not cluster.coreapp.ownership.lasts


async def test_another_node_at_the_address_is_no_sign_of_life(cluster: Cluster) -> None:
    detector = FailureDetector(cluster.coreapp.node.clock, cluster.client)
    row = NodeRow("core:other", "boot", "coreapp", cluster.endpoints, "v2.63.0", 0.0)
    detector.update({row.node_key: row})
    await detector.round(lambda _heard: None, every=5.0, unhealthy_interval=30.0)
    view = detector.views([])["core:other"]
    assert not view.answered
    assert view.silent > 0
    assert detector.missed().seconds["core:other"] > 0


async def test_no_get_can_change_anything(cluster: Cluster) -> None:
    """All that a node answers to GET is this list of reads, which grows only by somebody who thought of it."""
    routes = [route for app in cluster.server.apps() for route in app.router.routes()]
    methods = [(route.method, route.resource.canonical) for route in routes if route.resource is not None]
    assert {path for method, path in methods if method in ("GET", "HEAD", "*")} == READS
    assert {method for method, path in methods if path == "/heartbeat"} == {"POST"}


@pytest.mark.parametrize("body", [b"", b"[]", b'{"grant": 1}', b'{"grant": {"instance_id": "x"}}'])
async def test_a_broken_heartbeat_is_refused_and_protects_nobody(cluster: Cluster, body: bytes) -> None:
    broken = msgspec.Raw(body) if body else None
    with pytest.raises(CoreError) as refusal:
        await cluster.client.call("127.0.0.1", cluster.endpoints.health, "POST", "/heartbeat", Heartbeat, broken)
    assert refusal.value.code == 1025
    assert not cluster.coreapp.ownership.lasts


@pytest.mark.parametrize("cluster", [SECRET], indirect=True)
async def test_a_heartbeat_that_was_overheard_is_of_no_use(cluster: Cluster) -> None:
    await cluster.client.heartbeat(cluster.endpoints, Heartbeat(cluster.grant(owned=frozenset({5}))))
    assert cluster.coreapp.ownership.lasts
    [overheard] = cluster.raw
    assert b"owned" not in overheard
    url = f"http://127.0.0.1:{cluster.endpoints.health}/heartbeat"
    for body in (overheard, msgspec.json.encode(Heartbeat(cluster.grant()))):
        async with cluster.session.post(url, data=body) as answer:
            assert answer.status == 403
            assert msgspec.json.decode(await answer.read())["errors"][0]["code"] == 1005
