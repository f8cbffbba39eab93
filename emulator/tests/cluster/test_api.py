"""The API over a real cluster of containers, from the first login to a failover (reference 3.3, 3.4, 3.5, 6.2)."""

from __future__ import annotations

import asyncio
import collections
import time
import typing as t

import aiohttp
import docker
import pytest
import pytest_asyncio
from ansible_collections.waent.fleet.tests.support.webapp_process import API_KEY, JWT_KEY

from tests.cluster.conftest import ACCOUNT, CERT, DATABASE, DIVISOR, SLACK, START, VERSION, Cluster
from tests.web.conftest import PASSWORD
from waemu import shards

pytestmark = pytest.mark.cluster

WEB_IMAGE = f"docker.whatsapp.biz/web:{VERSION}"
PROBE = {"Authorization": f"Apikey {API_KEY}"}


class WebCluster(Cluster):
    """A cluster with webapps, and the client side of its API."""

    token = ""
    session: aiohttp.ClientSession

    def web(self, kind: str) -> None:
        """A webapp; all of them share key and API key."""
        environment = {
            **DATABASE,
            "WA_APP_MULTICONNECT": "1",
            "WA_API_KEY": API_KEY,
            "WA_WEB_JWT_CRYPTO_KEY": JWT_KEY,
            "WAEMU_TIME_DIVISOR": str(DIVISOR),
        }
        self._run(kind, WEB_IMAGE, command=START, environment=environment, cap_drop=["MKNOD"])

    async def api(self, method: str, path: str, json: t.Any = None, *, web: str = "web1", **headers: str) -> t.Any:
        """Status and body of a call."""
        headers = headers or {"Authorization": f"Bearer {self.token}"}
        url = f"https://{self.address(web)}/v1{path}"
        async with self.session.request(method, url, json=json, headers=headers, ssl=False) as response:
            is_json = response.content_type == "application/json"
            return response.status, await response.json() if is_json else None

    async def until(self, done: t.Callable[[], t.Awaitable[t.Any]], within: float) -> t.Any:
        """Repeat until something is true, at most so many product seconds and a little for the machine."""
        deadline = time.monotonic() + within / DIVISOR + SLACK
        while not (found := await done()):
            if time.monotonic() > deadline:
                pytest.fail(f"not within {within} product seconds\n{self.logs()}")
            await asyncio.sleep(0.1)
        return found

    async def health(self, web: str = "web1") -> dict[str, t.Any]:
        """The nodes of a health answer, none while there is no good one."""
        try:
            status, body = await self.api("GET", "/health", web=web, **PROBE)
        except aiohttp.ClientError:
            return {}
        return body["health"] if status == 200 else {}

    async def states(self) -> collections.Counter[tuple[str, str]]:
        """How many nodes have which role and gateway status."""
        nodes = (await self.health()).values()
        return collections.Counter((node.get("role"), node.get("gateway_status")) for node in nodes)

    async def owners(self) -> dict[int, str]:  # type: ignore[override]
        """Shard to the key of its owner, as support shows it."""
        _, body = await self.api("GET", "/support")
        nodes = {key: node for key, node in body["support"].items() if isinstance(node, dict) and "shards" in node}
        return {first: key for key, node in nodes.items() for first, _ in node["shards"]}


@pytest_asyncio.fixture
async def cluster() -> t.AsyncIterator[WebCluster]:
    """Two webapps, two masters, three coreapps."""
    found = WebCluster(docker.from_env(timeout=60), "web")
    try:
        found.database()
        for kind in ("web1", "web2"):
            found.web(kind)
        for kind in ("master1", "master2", "coreapp1", "coreapp2", "coreapp3"):
            found.node(kind)
        async with aiohttp.ClientSession() as session:
            found.session = session
            yield found
    finally:
        found.close()


def recipient(shard: int) -> str:
    """Some WhatsApp id of one of two shards."""
    return next(n for n in map(str, range(10**6, 10**7)) if shards.shard_of(n, 2) == shard)


async def send(cluster: WebCluster, shard: int) -> int:
    """Send a text and return the status."""
    message = {"to": recipient(shard), "type": "text", "text": {"body": "hello"}}
    status, _ = await cluster.api("POST", "/messages", message)
    return int(status)


async def test_from_the_first_login_to_a_failover(cluster: WebCluster) -> None:
    await cluster.until(lambda: _unregistered(cluster), 60)
    basic = {"Authorization": aiohttp.encode_basic_auth("admin", "secret")}
    status, body = await cluster.api("POST", "/users/login", {"new_password": PASSWORD}, **basic)
    assert status == 200
    cluster.token = body["users"][0]["token"]

    request = {**ACCOUNT, "method": "sms", "cert": CERT}
    await cluster.until(lambda: _code_sent(cluster, request), 60)
    assert (await cluster.api("POST", "/account/verify", {"code": "123456"}, web="web2"))[0] == 201
    assert (await cluster.api("POST", "/account", request))[0] == 201
    one = {("coreapp", "connected"): 1, ("coreapp", "disconnected"): 2}
    masters = {("primary_master", "disconnected"): 1, ("secondary_master", "disconnected"): 1}
    await cluster.until(lambda: _is(cluster, {**one, **masters}), 60)
    await cluster.until(lambda: _owners(cluster, 1), 30)
    assert await send(cluster, 0) == 201

    change = {"unhealthy_interval": "40"}  # a busy machine must not look like a dead owner
    assert (await cluster.api("PATCH", "/settings/application", change, web="web2"))[0] == 200
    _, body = await cluster.api("GET", "/settings/application")
    assert body["settings"]["application"]["unhealthy_interval"] == 40

    assert (await cluster.api("POST", "/account/shards", {**ACCOUNT, "shards": 2, "cert": CERT}))[0] == 201
    two = {("coreapp", "connected"): 2, ("coreapp", "disconnected"): 1}
    masters = {("primary_master", "connected"): 1, ("secondary_master", "disconnected"): 1}
    await cluster.until(lambda: _is(cluster, {**two, **masters}), 120)
    assert (await cluster.api("GET", "/account/shards", web="web2"))[1]["account"] == {"shards": 2}
    for shard in (0, 1):
        await cluster.until(lambda shard=shard: _accepted(cluster, shard), 5)

    await _failover(cluster)

    assert (await cluster.api("POST", "/users/logout"))[0] == 200
    assert (await cluster.api("GET", "/account/shards"))[0] == 401
    await cluster.until(lambda: _logged_out(cluster, "web2"), 20)


async def _failover(cluster: WebCluster) -> None:
    """Kill the owner of shard 1: shard 0 never fails, shard 1 comes back with another owner."""
    before = await cluster.until(lambda: _owners(cluster, 2), 30)
    cluster.containers[before[1].partition(":")[0]].kill()
    assert await send(cluster, 1) in (500, 503)
    deadline = time.monotonic() + 60 / DIVISOR + SLACK
    while await send(cluster, 1) != 201:
        assert await send(cluster, 0) == 201
        assert time.monotonic() < deadline, cluster.logs()
        await asyncio.sleep(0.2)
    after = await cluster.until(lambda: _owners(cluster, 2), 30)
    assert after[0] == before[0]
    assert after[1] not in (before[0], before[1])


async def _owners(cluster: WebCluster, shards: int) -> dict[int, str]:
    """Shard to owner when each shard has one that was quick enough for support, otherwise nothing."""
    owners = await cluster.owners()
    return owners if owners.keys() == {-1, *range(shards)} else {}


async def _is(cluster: WebCluster, desired: dict[tuple[str, str], int]) -> bool:
    return await cluster.states() == desired


async def _accepted(cluster: WebCluster, shard: int) -> bool:
    return await send(cluster, shard) == 201


async def _code_sent(cluster: WebCluster, request: dict[str, str]) -> bool:
    """Whether it worked; what a cluster that has just started answers is to be tried again."""
    status, body = await cluster.api("POST", "/account", request)
    assert status == 202 or body["errors"][0]["code"] in (1011, 1014, 1017), body
    return bool(status == 202)


async def _unregistered(cluster: WebCluster) -> bool:
    """Both webapps know both masters and all coreapps, and one master is primary."""
    for web in ("web1", "web2"):
        nodes = await cluster.health(web)
        if len(nodes) != 5 or not any(node.get("role") == "primary_master" for node in nodes.values()):
            return False
    return True


async def _logged_out(cluster: WebCluster, web: str) -> bool:
    return (await cluster.api("GET", "/account/shards", web=web))[0] == 401
