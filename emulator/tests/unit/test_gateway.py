"""The gateway as nodes and tests see it: connections, bans, ledger, mailbox, registration, faults."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE

from waemu.clock import Clock
from waemu.core.gateway_link import LinkDown, Refused
from waemu.core.registrar import GatewayRegistrar
from waemu.core.remote_link import RemoteLink
from waemu.environment import ConfigError, GatewayEnv, gateway_env
from waemu.gateway import links, main, receipts
from waemu.gateway.accounts import Accounts
from waemu.gateway.faults import CRASHES
from waemu.gateway.mailbox import Mailbox
from waemu.protocol.client import CoreClient
from waemu.protocol.gateway import Hello, Inbound, Receipt
from waemu.protocol.nodes import CoreError
from waemu.shards import shard_of
from waemu.store.messages import Message
from waemu.whatsapp import certificate
from waemu.whatsapp.attempts import ATTEMPTS_WITHIN, MOST_ATTEMPTS, Attempts

DIVISOR = 50.0
NUMBER = "15550100"


class World:
    """A gateway, and nodes made for it."""

    def __init__(self, listening: main.Listening, session: aiohttp.ClientSession) -> None:
        self.gateway, self.session = listening.gateway, session
        self.url = f"http://127.0.0.1:{listening.node_port}"
        self.admin_url = f"http://127.0.0.1:{listening.admin_port}"
        self.links: list[RemoteLink] = []

    def node(
        self, name: str, *, identity: str = "keys", instance: str = "", count: int = 2, version: str = ""
    ) -> RemoteLink:
        """A node that is not connected yet."""

        def hello(shards: frozenset[int]) -> Hello:
            return Hello(NUMBER, identity, name, instance or name, sorted(shards), count, version)

        link = RemoteLink(self.session, self.url, Clock(DIVISOR), hello)
        self.links.append(link)
        return link

    async def admin(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        """One call to the admin side."""
        async with self.session.request(method, self.admin_url + path, json=body) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json()


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    """A gateway on free ports."""
    env = GatewayEnv(node_port=0, admin_port=0, divisor=DIVISOR)
    async with main.serve(env, "127.0.0.1") as listening, aiohttp.ClientSession() as session:
        found = World(listening, session)
        yield found
        for link in found.links:
            await link.disconnect()
        await asyncio.sleep(0.05)


def message(message_id: str, wa_id: str = "15550001") -> Message:
    """A text."""
    return Message(message_id, wa_id, 0, "text", {"text": {"body": "hi"}})


async def test_messages_are_in_the_ledger_when_send_returns(world: World) -> None:
    node = world.node("a:a", count=1)
    await node.connect(frozenset({-1, 0}))
    await node.send([message("1"), message("2")])
    await node.send([message("2")])
    entries = await world.admin("GET", "/ledger")
    assert [(entry["id"], entry["node"], entry["repeats"]) for entry in entries] == [("1", "a:a", 0), ("2", "a:a", 1)]
    assert [entry["id"] for entry in await world.admin("GET", "/ledger?after=1")] == ["2"]
    assert (await world.admin("GET", "/"))["repeats"] == 1
    await world.admin("GET", f"/ledger/{NUMBER}/9", status=404)
    await world.admin("GET", "/ledger?after=x", status=400)


async def test_two_nodes_for_one_shard_are_banned_both(world: World) -> None:
    first, second = world.node("a:a"), world.node("b:b")
    await first.connect(frozenset({0}))
    with pytest.raises(Refused) as refusal:
        await second.connect(frozenset({0}))
    assert refusal.value.reason == "banned"
    assert refusal.value.seconds > 0
    why = await asyncio.wait_for(first.until_down(), PATIENCE)
    assert isinstance(why, Refused)
    with pytest.raises(LinkDown):
        await first.send([message("1")])
    bans = await world.admin("GET", "/bans")
    assert [node.split()[0] for node in bans[0]["nodes"]] == ["a:a", "b:b"]
    assert (await world.admin("DELETE", f"/bans/{NUMBER}"))["lifted"] == 1
    await second.connect(frozenset({0}))


async def test_a_node_that_may_not_serve_any_more_when_it_has_dialled_does_not_connect(world: World) -> None:
    owner, late = world.node("a:a"), world.node("b:b")
    await owner.connect(frozenset({0}))
    late.allowed = lambda: False
    with pytest.raises(LinkDown, match="may not serve"):
        await late.connect(frozenset({0}))
    assert await world.admin("GET", "/bans") == []
    await owner.send([message("1")])


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (({0}, 2), ({1}, 2), False),
        (({0}, 2), ({0}, 2), True),
        (({0}, 1), ({1}, 2), True),  # they believe in different counts, and share recipients
        (({1}, 2), ({2}, 4), False),
        (({1}, 2), ({3}, 4), True),
        (({-1}, 2), ({0}, 2), False),
        (({-1}, 2), ({-1, 0}, 1), True),
    ],
)
def test_overlap(one: tuple[set[int], int], other: tuple[set[int], int], expected: bool) -> None:
    first, second = (Hello(NUMBER, "k", "n", "i", sorted(shards), count) for shards, count in (one, other))
    assert links.overlap(first, second) is links.overlap(second, first) is expected


async def test_different_shards_and_a_new_connection_of_the_same_boot_are_fine(world: World) -> None:
    first, second, again = world.node("a:a"), world.node("b:b"), world.node("a:a")
    await first.connect(frozenset({0}))
    await second.connect(frozenset({1}))
    await again.connect(frozenset({0}))
    assert not await world.admin("GET", "/bans")
    assert sorted(link["node"] for link in await world.admin("GET", "/connections")) == ["a:a", "b:b"]


async def test_a_node_that_may_not_serve_gives_no_sign_of_life(world: World) -> None:
    paused, successor = world.node("a:a"), world.node("b:b")
    await paused.connect(frozenset({0}))
    paused.allowed = lambda: False
    await successor.connect(frozenset({0}))
    assert not await world.admin("GET", "/bans")
    with pytest.raises(LinkDown):
        await paused.send([message("1")])
    assert not await world.admin("GET", "/ledger")


async def test_cut_closes_and_refuses_for_a_while(world: World) -> None:
    node = world.node("a:a")
    await node.connect(frozenset({0}))
    assert await world.admin("POST", "/cuts", {"node": "a:a", "seconds": 100}) == {"closed": 1}
    await asyncio.wait_for(node.until_down(), PATIENCE)
    with pytest.raises(LinkDown, match="cut"):
        await node.connect(frozenset({0}))
    await asyncio.sleep(100 / DIVISOR)
    await node.connect(frozenset({0}))


async def test_events_come_until_they_are_acknowledged(world: World) -> None:
    node = world.node("a:a", count=1)
    request_body = {"number": NUMBER, "wa_id": "15550001", "body": {"body": "hello"}}
    message_id = (await world.admin("POST", "/inbound", request_body))["id"]
    for attempt in range(2):  # the first connection ends before it acknowledges
        await node.connect(frozenset({-1, 0}))
        events = await asyncio.wait_for(node.receive(), PATIENCE)
        assert [(event.id, event.body) for event in events if isinstance(event, Inbound)] == [
            (message_id, {"body": "hello"})
        ]
        assert (await world.admin("GET", f"/inbound/{NUMBER}/{message_id}"))["waiting"]
        if attempt == 0:
            await node.disconnect()
    await node.acknowledge(events)
    with pytest.raises(LinkDown):
        await node.acknowledge(events)
    await node.send([message("1")])
    statuses = []
    while len(statuses) < 2:
        events = await asyncio.wait_for(node.receive(), PATIENCE)
        statuses += [event.status for event in events if isinstance(event, Receipt)]
        await node.acknowledge(events)
    assert statuses == ["delivered", "read"]
    entry = await world.admin("GET", f"/ledger/{NUMBER}/1")
    assert entry["accepted_at"] <= entry["delivered_at"] <= entry["read_at"]
    inbound = f"/inbound/{NUMBER}/{message_id}"
    assert await world.admin("GET", inbound) == {"waiting": False, "read": False}
    await node.mark_read(message_id)
    async with asyncio.timeout(PATIENCE):
        while not (await world.admin("GET", inbound))["read"]:
            await asyncio.sleep(0.01)


async def test_nodes_hear_of_receipts_one_after_the_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    now = world.gateway.clock.now()  # stands still, so that all receipts are due at the same moment
    monkeypatch.setattr(world.gateway.clock, "now", lambda: now)
    nodes = [world.node(f"{shard}:node", count=4) for shard in range(4)]
    for shard, node in enumerate(nodes):
        await node.connect(frozenset({shard}))
        await node.send([message(str(shard), user_of(shard, 4))])
    heard: list[RemoteLink] = []
    pauses: list[tuple[int, float]] = []  # how many had been woken and had heard by then, and for how long

    async def hear(node: RemoteLink) -> None:
        assert [event.status for event in await node.receive()] == ["delivered"]  # type: ignore[union-attr]
        heard.append(node)

    async def sleep(seconds: float) -> None:
        """The pause of the gateway's round: whoever was woken before it hears of it within it."""
        async with asyncio.timeout(PATIENCE):
            while len(heard) < min(woken, len(nodes)):
                await real_sleep(0.01)
        await real_sleep(0.05)  # whoever was not woken has time to hear, too
        pauses.append((len(heard), seconds))

    def wake(link: links.Link) -> None:
        nonlocal woken
        woken += 1
        wake_link(link)

    woken, real_sleep, wake_link = 0, asyncio.sleep, world.gateway.wake_link
    monkeypatch.setattr(world.gateway, "wake_link", wake)
    monkeypatch.setattr(receipts, "RECEIPTS_FLOOR", 1.0)
    monkeypatch.setattr(receipts, "asyncio", Asyncio(sleep))
    now += receipts.DELIVERED_AFTER
    await asyncio.wait_for(asyncio.gather(*map(hear, nodes)), PATIENCE)
    async with asyncio.timeout(PATIENCE):
        while not pauses or pauses[-1][0] < len(nodes):
            await real_sleep(0.01)
    first = next(number for number, (so_far, _seconds) in enumerate(pauses) if so_far)
    assert pauses[first : first + 4] == [(so_far, 1.0 / 4) for so_far in (1, 2, 3, 4)]


class Asyncio:
    """The module asyncio as one module of the emulator sees it, with another sleep."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        self.sleep = sleep

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)


def user_of(shard: int, count: int) -> str:
    """Some WhatsApp id of a shard."""
    return next(wa_id for wa_id in map(str, range(15550000, 15560000)) if shard_of(wa_id, count) == shard)


def test_mailbox_gives_each_shard_its_own_once() -> None:
    mailbox = Mailbox()
    for number in range(20):
        mailbox.put(Receipt(str(number), f"1555{number}", "read", 0))
    first = mailbox.take(1, frozenset({0}), 2, 1)
    second = mailbox.take(2, frozenset({1}), 2, 1)
    assert len(first) + len(second) == 20
    assert not mailbox.take(1, frozenset({0}), 2, 2)
    mailbox.handled(1, 1)
    mailbox.requeue(2)
    assert mailbox.take(3, frozenset({0, 1}), 2, 1) == second


async def test_what_waited_is_a_backlog_until_it_is_acknowledged(world: World) -> None:
    node = world.node("a:a", count=1)
    for number in range(3):
        await world.admin("POST", "/inbound", {"number": NUMBER, "wa_id": f"4917{number}", "body": {"body": "x"}})
    await node.connect(frozenset({0}))
    assert node.backlog == 3
    await world.admin("POST", "/inbound", {"number": NUMBER, "wa_id": "49179", "body": {"body": "x"}})
    await node.acknowledge(await asyncio.wait_for(node.receive(), PATIENCE))
    assert node.backlog == 0


async def test_registration_logs_the_former_installation_off(world: World) -> None:
    registrar = GatewayRegistrar(CoreClient(world.session, Clock(DIVISOR)), world.url)
    await registrar.send_code(NUMBER, "sms")
    code = (await world.admin("GET", f"/numbers/{NUMBER}"))["code"]
    assert not await registrar.verify(NUMBER, "wrong", "first", None)  # type: ignore[arg-type]
    assert await registrar.verify(NUMBER, code, "first", None)  # type: ignore[arg-type]
    node = world.node("a:a", identity="first")
    await node.connect(frozenset({0}))
    await registrar.send_code(NUMBER, "voice")
    code = (await world.admin("GET", f"/numbers/{NUMBER}"))["code"]
    assert await registrar.verify(NUMBER, code, "second", None)  # type: ignore[arg-type]
    why = await asyncio.wait_for(node.until_down(), PATIENCE)
    assert isinstance(why, Refused)
    assert why.reason == "logged_off"
    with pytest.raises(Refused):
        await node.connect(frozenset({0}))
    assert not await world.admin("GET", "/bans")


async def test_too_many_codes(world: World) -> None:
    registrar = GatewayRegistrar(CoreClient(world.session, Clock(DIVISOR)), world.url)
    for _ in range(MOST_ATTEMPTS):
        await registrar.send_code(NUMBER, "sms")
    with pytest.raises(CoreError) as refusal:
        await registrar.send_code(NUMBER, "sms")
    assert (refusal.value.code, refusal.value.http_status) == (1015, 429)
    await registrar.send_code("4915550101", "sms")


def test_attempts_are_forgotten_after_an_hour() -> None:
    now = 0.0
    attempts = Attempts(lambda: now)
    for _ in range(MOST_ATTEMPTS):
        attempts.another(NUMBER)
    now = ATTEMPTS_WITHIN - 1
    with pytest.raises(CoreError):
        attempts.another(NUMBER)
    now = ATTEMPTS_WITHIN + 1
    attempts.another(NUMBER)


def test_installations_that_evict_each_other() -> None:
    accounts = Accounts(fixed_code="123456")
    for now, identity in enumerate(("a", "b", "a")):
        accounts.send_code(NUMBER, "sms", now)
        assert accounts.verify(NUMBER, "123456", identity, now, former_is_live=now > 0)
        assert accounts.evict_each_other(NUMBER) is (now == 2)


async def test_set_shards_faults_and_what_they_do_to_connections(world: World) -> None:
    registrar = GatewayRegistrar(CoreClient(world.session, Clock(DIVISOR)), world.url)
    node = world.node("a:a")
    await node.connect(frozenset({0}))
    await world.admin("POST", "/faults", {"set_shards": "nonsense"}, status=400)
    await world.admin("POST", "/faults", {}, status=400)
    await world.admin("POST", "/faults", {"set_shards": "refused", "crash": "before_map"})
    result = await registrar.shards(NUMBER, None, 0.0)
    assert (result.outcome, result.crash_at) == ("refused", "before_map")
    assert (await registrar.shards(NUMBER, None, 0.0)).outcome == "ok"
    assert (await registrar.shards(NUMBER, None, 8 * 86400.0)).outcome == "disconnected"
    with pytest.raises(Refused, match="disconnected"):
        await node.connect(frozenset({0}))
    assert (await registrar.shards(NUMBER, "Q2VydA==", 8 * 86400.0)).outcome == "ok"
    await node.connect(frozenset({0}))
    assert (await registrar.shards(NUMBER, "not base64!", 0.0)).outcome == "logged_off"
    expired = base64.b64encode(json.dumps({"expires": "2020-01-01"}).encode()).decode()
    result = await registrar.shards(NUMBER, expired, 0.0)
    assert result.outcome == "banned"
    assert result.seconds > 0
    assert (await registrar.shards(NUMBER, "Q2VydA==", 0.0)).outcome == "banned"


@pytest.mark.parametrize(
    ("given", "age", "outcome"),
    [
        (None, 7 * 86400.0, certificate.OK),
        (None, 7 * 86400.0 + 1, certificate.DISCONNECTED),
        ({"phone_number": NUMBER}, 0.0, certificate.OK),
        ({"phone_number": "499999"}, 0.0, certificate.LOGGED_OFF),
        ({"expires": "2024-01-30"}, 0.0, certificate.BANNED),
        ({"expires": "2024-01-31"}, 0.0, certificate.OK),
    ],
)
def test_certificate_rules(given: dict[str, str] | None, age: float, outcome: str) -> None:
    text = None if given is None else base64.b64encode(json.dumps(given).encode()).decode()
    assert certificate.check(text, NUMBER, age, dt.date(2024, 1, 31)).outcome == outcome


def test_environment() -> None:
    assert gateway_env({}) == GatewayEnv()
    assert gateway_env({"WAEMU_REGISTRATION_CODE": "1", "WAEMU_TIME_DIVISOR": "5"}).divisor == 5
    with pytest.raises(ConfigError, match="WAEMU_GATEWAY_ADMIN_PORT"):
        gateway_env({"WAEMU_GATEWAY_ADMIN_PORT": "0"})
    assert len(CRASHES) == 8
