"""WA_SECRET between nodes: encrypted both ways, refused when it is another one, late or repeated (reference 2.4)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import msgspec
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from waemu.clock import Clock
from waemu.core import server
from waemu.protocol.client import CoreClient
from waemu.protocol.nodes import CoreError, Endpoints, Heartbeat, HeartbeatReply, OwnershipGrant, PinRequest
from waemu.protocol.seal import BadSeal, Seal, make

SECRET = "between us"
HEARTBEAT = Heartbeat(OwnershipGrant("h:1", 1.5e-05, 30.0, 20.0, 1, frozenset({-1, 0})))


class Wall:
    """A host's clock."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_what_is_sealed_can_be_opened_once_and_in_its_place_only() -> None:
    seal = Seal(SECRET)
    sealed = seal.close("POST /messages", b"hello")
    assert b"hello" not in sealed
    with pytest.raises(BadSeal):
        seal.open("POST /account", sealed)
    with pytest.raises(BadSeal):
        Seal("another").open("POST /messages", sealed)
    with pytest.raises(BadSeal):
        seal.open("POST /messages", sealed[:-1] + bytes([sealed[-1] ^ 1]))
    for broken in (b"", b"x" * 19, b"x" * 40):
        with pytest.raises(BadSeal):
            seal.open("POST /messages", broken)
    assert seal.open("POST /messages", sealed) == b"hello"
    with pytest.raises(BadSeal, match="repeated"):
        seal.open("POST /messages", sealed)


@pytest.mark.parametrize(("apart", "good"), [(9.9, True), (-9.9, True), (10.1, False), (-10.1, False)])
def test_clocks_may_differ_by_ten_seconds(apart: float, good: bool) -> None:
    here, there = Wall(), Wall()
    there.now += apart
    sealed = Seal(SECRET, here).close("x", b"")
    if good:
        assert Seal(SECRET, there).open("x", sealed) == b""
    else:
        with pytest.raises(BadSeal, match="clocks"):
            Seal(SECRET, there).open("x", sealed)


def test_a_repetition_is_remembered_for_as_long_as_it_could_pass() -> None:
    here, there = Wall(), Wall()
    here.now += 9
    seal = Seal(SECRET, there)
    sealed = Seal(SECRET, here).close("x", b"")
    seal.open("x", sealed)
    for _ in range(25):
        there.now += 1
        seal.open("x", Seal(SECRET, there).close("x", b""))
        with pytest.raises(BadSeal):
            seal.open("x", sealed)


class Core:
    """A core's listener: remembers what crossed the wire."""

    def __init__(self) -> None:
        self.pins: list[str] = []
        self.raw: list[bytes] = []

    async def heartbeat(self, heartbeat: Heartbeat) -> HeartbeatReply:
        """Returns what came with it."""
        assert heartbeat.grant is not None
        return HeartbeatReply("a:a", heartbeat.grant.instance_id, "coreapp", at=heartbeat.grant.heard_at)

    async def query(self, request: web.Request) -> HeartbeatReply:
        """Something without a body, whose query counts."""
        return HeartbeatReply("a:a", request.query["boot"], "coreapp")

    async def pin(self, request: web.Request) -> HeartbeatReply:
        """Something with a body; 000000 is refused."""
        self.raw.append(await request.read())
        body = await server._body(request, PinRequest)
        if body.pin == "000000":
            raise CoreError(1009, "that pin")
        self.pins.append(body.pin)
        return HeartbeatReply("a:a", body.pin, "coreapp")


@pytest_asyncio.fixture
async def calls() -> AsyncIterator[tuple[Core, dict[str, Endpoints], aiohttp.ClientSession]]:
    """Cores with the secret and without one."""
    core, found = Core(), {}
    servers = []
    for secret in (SECRET, ""):
        app = web.Application(middlewares=[server.unsealing(make(secret))])
        app.add_routes([server._post("/heartbeat", server._with_body(Heartbeat, core.heartbeat))])
        app.add_routes([server._route("GET", "/query", core.query)])
        app.add_routes([server._post("/settings/account/two-step", core.pin)])
        servers.append(TestServer(app))
        await servers[-1].start_server()
        found[secret] = Endpoints("127.0.0.1", *[servers[-1].port] * 4)  # type: ignore[list-item]
    async with aiohttp.ClientSession() as session:
        yield core, found, session
    for one in servers:
        await one.close()


Calls = tuple[Core, dict[str, Endpoints], aiohttp.ClientSession]


async def test_both_with_the_secret(calls: Calls) -> None:
    core, found, session = calls
    client = CoreClient(session, Clock(), make(SECRET))
    answer = await client.heartbeat(found[SECRET], HEARTBEAT)
    assert (answer.instance_id, answer.at) == ("h:1", 1.5e-05)
    port = found[SECRET].control
    query = await client.call("127.0.0.1", port, "GET", "/query?boot=h%3A1&at=1.5e-05", HeartbeatReply)
    assert query.instance_id == "h:1"
    await client.call("127.0.0.1", port, "POST", "/settings/account/two-step", HeartbeatReply, PinRequest("123456"))
    assert core.pins == ["123456"]
    assert b"123456" not in core.raw[0]
    with pytest.raises(CoreError) as refusal:
        await client.set_pin(found[SECRET], PinRequest("000000"))
    assert (refusal.value.code, refusal.value.errors[0].details) == (1009, "that pin")


@pytest.mark.parametrize("secret", [SECRET, ""])
async def test_a_refusal_ends_the_connection(calls: Calls, secret: str) -> None:
    """Who asked may have meant another node, which had this address before."""
    _core, found, session = calls
    client = CoreClient(session, Clock(), make(secret))
    assert session.connector is not None
    await client.heartbeat(found[secret], HEARTBEAT)
    assert len(session.connector._conns) == 1
    with pytest.raises(CoreError):
        await client.set_pin(found[secret], PinRequest("000000"))
    assert not session.connector._conns


@pytest.mark.parametrize(("mine", "theirs", "code"), [("", SECRET, 1005), ("other", SECRET, 1005), (SECRET, "", 1014)])
async def test_only_one_with_the_secret(calls: Calls, mine: str, theirs: str, code: int) -> None:
    _core, found, session = calls
    with pytest.raises(CoreError) as refusal:
        await CoreClient(session, Clock(), make(mine)).heartbeat(found[theirs], HEARTBEAT)
    assert refusal.value.code == code


async def test_a_request_that_was_overheard_is_of_no_use(calls: Calls) -> None:
    core, found, session = calls
    client = CoreClient(session, Clock(), make(SECRET))
    call = (found[SECRET].control, "POST", "/settings/account/two-step", HeartbeatReply, PinRequest("123456"))
    await client.call("127.0.0.1", *call)
    url = f"http://127.0.0.1:{found[SECRET].control}/settings/account/two-step"
    async with session.post(url, data=core.raw[0]) as answer:
        assert answer.status == 403
        assert msgspec.json.decode(await answer.read())["errors"][0]["code"] == 1005
    assert core.pins == ["123456"]
