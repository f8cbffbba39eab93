"""Which node requests go to, over real ports (reference 3.2, 3.5, 3.8, 3.9)."""

from __future__ import annotations

import asyncio
import typing as t

import pytest

from tests.web.conftest import Api, Cluster, running, web_env
from tests.web.test_users import code
from waemu import shards
from waemu.clock import SHARD_MAP_CACHE
from waemu.environment import DbEnv
from waemu.schema import tables
from waemu.store import cluster

TEXT = {"type": "text", "text": {"body": "hello"}}


def recipient(shard: int, count: int) -> str:
    """Some WhatsApp id of a shard."""
    return next(n for n in map(str, range(10**6)) if shards.shard_of(n, count) == shard)


def accepting(node: t.Any) -> None:
    """Let a stand-in accept messages."""
    node.replies["POST /messages"] = lambda body: {"id": body["id"]}


async def test_a_message_goes_to_the_owner_of_its_shard(api: Api, nodes: Cluster) -> None:
    for shard, name in enumerate(("wa-coreapp-1", "wa-coreapp-2")):
        accepting(await nodes.add(name))
        await nodes.own(name, shard)
    await nodes.shards(2)
    for shard, name in enumerate(("wa-coreapp-1", "wa-coreapp-2")):
        to = recipient(shard, 2)
        status, body = await api.call("POST", "/v1/messages", {"to": to, **TEXT})
        assert status == 201, body
        [(call, sent)] = nodes.nodes[name].asked
        assert call == "POST /messages"
        assert (sent["wa_id"], sent["type"], sent["body"]["text"]) == (to, "text", {"body": "hello"})
        assert body["messages"] == [{"id": sent["id"]}]


async def test_without_owner_1018(api: Api, nodes: Cluster) -> None:
    await nodes.add("wa-coreapp-1")
    status, body = await api.call("POST", "/v1/messages", {"to": "1", **TEXT})
    assert (status, code(body)) == (503, 1018)


async def test_after_1018_the_map_is_read_once_more(api: Api, nodes: Cluster) -> None:
    old, new = await nodes.add("wa-coreapp-1"), await nodes.add("wa-coreapp-2")
    accepting(old)
    await nodes.own("wa-coreapp-1", 0)
    assert (await api.call("POST", "/v1/messages", {"to": "1", **TEXT}))[0] == 201  # the map is cached now
    await nodes.own("wa-coreapp-2", 0)
    old.replies["POST /messages"] = 1018
    accepting(new)
    assert (await api.call("POST", "/v1/messages", {"to": "1", **TEXT}))[0] == 201
    assert [call for call, _ in new.asked] == ["POST /messages"]


async def test_a_second_1018_is_answered(api: Api, nodes: Cluster) -> None:
    owner = await nodes.add("wa-coreapp-1")
    owner.replies["POST /messages"] = 1018
    await nodes.own("wa-coreapp-1", 0)
    status, body = await api.call("POST", "/v1/messages", {"to": "1", **TEXT})
    assert (status, code(body)) == (503, 1018)
    assert len(owner.asked) == 2


async def test_the_map_is_cached_for_a_second(api: Api, nodes: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = await nodes.add("wa-coreapp-1"), await nodes.add("wa-coreapp-2")
    accepting(old)
    accepting(new)
    now = 1000.0
    monkeypatch.setattr(api.webapp.clock, "now", lambda: now)
    await nodes.own("wa-coreapp-1", 0)
    await api.call("POST", "/v1/messages", {"to": "1", **TEXT})
    await nodes.own("wa-coreapp-2", 0)
    now += SHARD_MAP_CACHE * 0.75
    await api.call("POST", "/v1/messages", {"to": "1", **TEXT})
    assert (len(old.asked), len(new.asked)) == (2, 0)
    now += SHARD_MAP_CACHE * 0.25
    await api.call("POST", "/v1/messages", {"to": "1", **TEXT})
    assert (len(old.asked), len(new.asked)) == (2, 1)
    assert SHARD_MAP_CACHE == 1.0


async def test_a_dead_owner_is_1014_naming_host_and_port(api: Api, nodes: Cluster) -> None:
    owner = await nodes.add("wa-coreapp-1")
    await nodes.own("wa-coreapp-1", 0)
    await owner.stop()
    status, body = await api.call("POST", "/v1/messages", {"to": "1", **TEXT})
    assert (status, code(body)) == (500, 1014)
    assert f"127.0.0.1:{owner.endpoints.messaging}" in body["errors"][0]["details"]


async def test_health_asks_every_node(api: Api, nodes: Cluster) -> None:
    (await nodes.add("wa-master-1", "master")).status("primary_master", "connected")
    (await nodes.add("wa-coreapp-1")).status("coreapp", "connecting")
    await nodes.add("wa-coreapp-2")  # answers 1011
    dead = await nodes.add("wa-coreapp-3")
    await dead.stop()
    status, body = await api.call("GET", "/v1/health")
    assert status == 200
    health = body["health"]
    assert health["127.0.0.1:wa-master-1"] == {"gateway_status": "connected", "role": "primary_master"}
    assert health["127.0.0.1:wa-coreapp-1"] == {"gateway_status": "connecting", "role": "coreapp"}
    [error] = health["127.0.0.1:wa-coreapp-2"]["errors"]
    assert error == {
        "code": 1011,
        "title": "Service not ready",
        "details": "Wacore is not instantiated. Please check wacore log for details.",
    }
    assert [e["code"] for e in health["127.0.0.1:wa-coreapp-3"]["errors"]] == [1014]
    assert set(health) == {f"127.0.0.1:{name}" for name in nodes.nodes}


async def test_another_node_at_the_address_of_one_is_not_taken_for_it(api: Api, nodes: Cluster) -> None:
    node = await nodes.add("wa-coreapp-1")
    node.status("coreapp", "connected")
    node.replies["GET /status"]["node_key"] = "127.0.0.1:wa-coreapp-2"
    _, body = await api.call("GET", "/v1/health")
    assert code(body["health"][node.key]) == 1014
    node.status("coreapp", "connected")
    _, body = await api.call("GET", "/v1/health")
    assert body["health"][node.key]["gateway_status"] == "connected"


async def test_nodes_silent_for_four_minutes_drop_out(api: Api, nodes: Cluster) -> None:
    await nodes.add("wa-coreapp-1")
    await nodes.add("wa-coreapp-2")
    for name, seconds in (("wa-coreapp-1", 239), ("wa-coreapp-2", 241)):
        key = nodes.nodes[name].key
        past = cluster.in_seconds(-seconds)
        async with nodes.engine.begin() as connection:
            await connection.execute(tables.nodes.update().where(tables.nodes.c.node_key == key).values(last_seen=past))
    _, body = await api.call("GET", "/v1/health")
    assert set(body["health"]) == {"127.0.0.1:wa-coreapp-1"}


async def test_dead_nodes_can_be_left_out_of_health(clean: DbEnv, api: Api, nodes: Cluster) -> None:
    await nodes.add("wa-coreapp-1")  # answers 1011, which is no death
    await (await nodes.add("wa-coreapp-2")).stop()
    async with running(web_env(clean, health_drops_dead=True), api.webapp.media_dir) as other:
        _, body = await other.call("GET", "/v1/health", auth=f"Bearer {api.token}")
        assert set(body["health"]) == {"127.0.0.1:wa-coreapp-1"}
    assert set((await api.call("GET", "/v1/health"))[1]["health"]) == {f"127.0.0.1:wa-coreapp-{n}" for n in (1, 2)}


async def test_a_hanging_node_does_not_hold_up_health(api: Api, nodes: Cluster) -> None:
    (await nodes.add("wa-coreapp-1")).status("coreapp", "connected")
    server = await asyncio.start_server(lambda _r, _w: asyncio.sleep(60), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    endpoints = cluster.Endpoints("127.0.0.1", port, port, port, port)
    await cluster.write_node(
        nodes.engine, cluster.NodeRow("127.0.0.1:stuck", "1", "coreapp", endpoints, "v2.19.4", 0.0)
    )
    started = asyncio.get_running_loop().time()
    _, body = await api.call("GET", "/v1/health")
    assert asyncio.get_running_loop().time() - started < 4
    assert body["health"]["127.0.0.1:stuck"]["errors"][0]["code"] == 1014
    assert "timed out" in body["health"]["127.0.0.1:stuck"]["errors"][0]["details"]
    assert body["health"]["127.0.0.1:wa-coreapp-1"]["gateway_status"] == "connected"
    server.close()


async def test_support_shows_who_owns_what(api: Api, nodes: Cluster, database: DbEnv) -> None:
    (await nodes.add("wa-master-1", "master")).status("primary_master", "connected", [[-1, -1]], "UP")
    (await nodes.add("wa-coreapp-1")).status("coreapp", "connected", [[0, 0]], "UP")
    (await nodes.add("wa-coreapp-2")).status("coreapp", "disconnected")
    status, body = await api.call("GET", "/v1/support")
    assert status == 200
    support, engine = body["support"], database.engine
    assert support["127.0.0.1:wa-master-1"] == {"role": "primary_master", "shards": [[-1, -1]], "socket_conn": "UP"}
    assert support["127.0.0.1:wa-coreapp-1"] == {"role": "coreapp", "shards": [[0, 0]], "socket_conn": "UP"}
    assert support["127.0.0.1:wa-coreapp-2"] == {"role": "coreapp", "shards": [], "socket_conn": "DN"}
    assert (support["debug_info"], support["multi_connect"], support["db_engine"]) == ("unregistered", True, engine)
    assert set(support["schema"]) == {"axolotl", "callback", "cluster", "config", "contact", "jobqueue", "message"}
    assert support["free_space_media_incoming"] > 0


async def test_a_single_instance_is_asked_at_its_host(clean: DbEnv, api: Api) -> None:
    single = web_env(clean, multiconnect=False, wacore_hostname="localhost-does-not-exist.invalid")
    async with running(single, api.webapp.media_dir) as other:
        status, body = await other.call("GET", "/v1/health", auth=f"Bearer {api.token}")
    assert (status, code(body)) == (500, 1014)
    assert "localhost-does-not-exist.invalid:6252" in body["errors"][0]["details"]


async def test_settings_go_to_the_holder_of_the_lease(api: Api, nodes: Cluster) -> None:
    for name in ("wa-master-1", "wa-master-2"):
        master = await nodes.add(name, "master")
        master.replies["GET /settings/application"] = {"application": {"from": name}}
    await nodes.primary("wa-master-2")
    assert (await api.call("GET", "/v1/settings/application"))[1]["settings"]["application"] == {"from": "wa-master-2"}
    assert nodes.nodes["wa-master-1"].asked == []


async def test_without_a_primary_1017(api: Api, nodes: Cluster) -> None:
    status, body = await api.call("GET", "/v1/settings/application")
    assert (status, code(body)) == (503, 1017)
    primary, secondary = await nodes.add("wa-master-1", "master"), await nodes.add("wa-master-2", "master")
    await nodes.primary("wa-master-1")
    await primary.stop()
    secondary.replies["GET /settings/application"] = 1017
    status, body = await api.call("GET", "/v1/settings/application")
    assert (status, code(body)) == (503, 1017)
    await secondary.stop()
    status, body = await api.call("GET", "/v1/settings/application")
    assert (status, code(body)) == (503, 1017)
    assert f"127.0.0.1:{primary.endpoints.control}" in body["errors"][0]["details"]


@pytest.mark.parametrize("refusal", [1005, 1009, 1014])
async def test_a_masters_refusal_is_passed_on_as_it_is(api: Api, nodes: Cluster, refusal: int) -> None:
    master = await nodes.add("wa-master-1", "master")
    await nodes.add("wa-master-2", "master")
    await nodes.primary("wa-master-1")
    master.replies["POST /account/verify"] = refusal
    status, body = await api.call("POST", "/v1/account/verify", {"code": "123456"})
    assert (status, code(body)) == ({1005: 403, 1009: 400, 1014: 500}[refusal], refusal)
    assert nodes.nodes["wa-master-2"].asked == []
