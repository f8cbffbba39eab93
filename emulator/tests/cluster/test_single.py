"""A single instance with WA_SECRET, from the first login to a webhook that was away (reference 2.4, 4.8, 6.2)."""

from __future__ import annotations

import ssl
import typing as t
from pathlib import Path

import aiohttp
import docker
import pytest
import pytest_asyncio
from ansible_collections.waent.fleet.tests.support.this_machine import machine_seen_by

from tests.cluster.conftest import ACCOUNT
from tests.cluster.hook import Hook
from tests.cluster.test_api import PROBE, WebCluster
from tests.web.conftest import PASSWORD

pytestmark = pytest.mark.cluster

SINGLE = {"WA_APP_MULTICONNECT": "0", "WACORE_HOSTNAME": "wacore", "WA_SECRET": "between-us-17"}
MESSAGES = 3


class Single(WebCluster):
    """One webapp, one coreapp."""

    def _run(self, kind: str, image: str, **options: t.Any) -> t.Any:
        environment = {**options.pop("environment"), **SINGLE}
        return super()._run(kind, image, environment=environment, **options)

    async def is_up(self) -> bool:
        """Whether the coreapp is connected."""
        try:
            status, body = await self.api("GET", "/health", **PROBE)
        except aiohttp.ClientError:
            return False
        return status == 200 and body["health"] == {"gateway_status": "connected"}

    async def waiting(self) -> int:
        """Callbacks in the queue."""
        _, body = await self.api("GET", "/stats/app", **PROBE)
        return int(body["stats"]["app"]["callback_queue_size"]["data"][0]["value"])

    async def done(self, method: str, path: str, json: t.Any = None, expected: int = 200) -> t.Any:
        """The body of a call that has to work."""
        status, body = await self.api(method, path, json)
        assert status == expected, body
        return body


@pytest_asyncio.fixture
async def single() -> t.AsyncIterator[Single]:
    """Started; nobody has logged in."""
    found = Single(docker.from_env(timeout=60), "single")
    try:
        found.database()
        found.web("web1")
        found.node("wacore")
        async with aiohttp.ClientSession() as session:
            found.session = session
            yield found
    finally:
        found.close()


async def login(single: Single) -> bool:
    """The first login, as soon as somebody answers."""
    headers = {"Authorization": aiohttp.encode_basic_auth("admin", "secret")}
    try:
        status, body = await single.api("POST", "/users/login", {"new_password": PASSWORD}, **headers)
    except aiohttp.ClientError:
        return False
    if status == 200:
        single.token = body["users"][0]["token"]
    return bool(status == 200)


async def test_a_webhook_that_was_away_hears_everything(single: Single, tmp_path: Path) -> None:
    await single.until(lambda: login(single), 60)
    await single.until(lambda: registered(single), 60)
    await single.until(single.is_up, 60)
    hook = Hook(machine_seen_by(single.containers["db"]), tmp_path)
    url = f"https://{single.address('web1')}/v1/certificates/webhooks/ca"
    headers = {"Authorization": f"Bearer {single.token}", "Content-Type": "text/plain"}
    async with single.session.post(url, data=hook.ca, headers=headers, ssl=False) as response:
        assert response.status == 200
    desired = {"webhooks": {"url": hook.url}, "sent_status": True, "pass_through": False}
    await single.done("PATCH", "/settings/application", desired)
    single.containers["wacore"].restart(timeout=5)
    await single.until(single.is_up, 60)

    [contact] = (await single.done("POST", "/contacts", {"contacts": ["+49 170 00001"], "blocking": "wait"}))[
        "contacts"
    ]
    assert (contact["status"], contact["wa_id"]) == ("valid", "4917000001")
    text = {"type": "text", "text": {"body": "hello"}}
    ids = set()
    for _ in range(MESSAGES):
        body = await single.done("POST", "/messages", {**text, "to": "4917000001"}, expected=201)
        ids.add(body["messages"][0]["id"])
    own = ACCOUNT["cc"] + ACCOUNT["phone_number"]
    status, body = await single.api("POST", "/messages", {**text, "to": own})
    assert (status, body["errors"][0]["code"]) == (400, 1021)

    async def all_queued() -> bool:
        return await single.waiting() == 3 * MESSAGES

    async def all_gone() -> bool:
        return await single.waiting() == 0

    async def reported() -> bool:
        return any("services" in body for _sender, body in hook.got)

    await single.until(all_queued, 60)
    single.containers["wacore"].kill()
    hook.status = 200
    single.containers["wacore"].start()
    await single.until(all_gone, 120)
    assert hook.statuses() == {key: {"sent", "delivered", "read"} for key in ids}
    gc = await single.done("PUT", "/services/message/gc")
    assert gc["services"] == {"message": {"gc": {"status": "processing"}}}
    await single.until(reported, 120)
    assert hook.got[-1][1] == {"services": [{"message": {"gc": {"messages_deleted": MESSAGES, "status": "complete"}}}]}
    assert hook.broken == []
    hook.server.shutdown()


async def registered(single: Single) -> bool:
    """Register as soon as the coreapp is ready."""
    status, _ = await single.api("POST", "/account", {**ACCOUNT, "method": "sms", "cert": "Q2VydA=="})
    if status != 202:
        return False
    await single.done("POST", "/account/verify", {"code": "123456"}, expected=201)
    return True


FILES = {
    "web1": (
        "/var/log/whatsapp/web.log",
        "/var/log/lighttpd/error.log",
        "/var/run/lighttpd.pid",
        "/var/lib/whatsapp/tls/webapp.pem",
    ),
    "wacore": ("/usr/local/waent/logs/wa-service.log", "/var/run/wa-service.pid"),
}


async def has_logged(single: Single, name: str, request_id: str) -> bool:
    """Whether a node's log has the request; the line comes a moment after the answer."""
    return f"req_id={request_id} ".encode() in single.containers[name].logs()


async def test_what_tools_collect_and_clients_verify(single: Single) -> None:
    await single.until(lambda: login(single), 60)
    base, bearer = f"https://{single.address('web1')}/v1", {"Authorization": f"Bearer {single.token}"}
    async with single.session.get(f"{base}/settings/application", headers=bearer, ssl=False) as response:
        request_id = response.headers["X-Request-ID"]
        assert response.headers["X-Internal-Request-IDS"] == request_id
    for name, files in FILES.items():
        await single.until(lambda name=name: has_logged(single, name, request_id), 30)
        for file in files:
            assert single.containers[name].exec_run(["test", "-e", file]).exit_code == 0, file
        assert single.containers[name].exec_run("/opt/whatsapp/bin/cleanup.sh").exit_code == 0
    async with single.session.get(f"{base}/certificates/external/ca", headers=bearer, ssl=False) as response:
        trusted = ssl.create_default_context(cadata=await response.text())
    async with single.session.get(
        f"{base}/health", headers=bearer, ssl=trusted, server_hostname="localhost"
    ) as response:
        assert response.status == 200
