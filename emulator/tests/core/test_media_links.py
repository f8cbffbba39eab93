"""Media by link: downloaded by the coreapp, with a provider's credentials, before the message goes out (4.4, 4.7)."""

from __future__ import annotations

import asyncio
import typing as t
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from tests.core.conftest import Boot, Hook, Start, until
from waemu import mediavolume
from waemu.core.medialinks import MediaLink, links_of
from waemu.store import profile

BASIC = {"type": "www", "config": {"bearer": None, "basic": {"username": "joe", "password": "pw-17"}}}
BEARER = {"type": "www", "config": {"bearer": "token-17", "basic": None}}


class Elsewhere:
    """Somebody's web server. asked: path and Authorization of each request."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[tuple[str, str]] = []
        self.answers = asyncio.Event()
        self.answers.set()

    async def answer(self, request: web.Request) -> web.Response:
        """A file for those who know the secret, where there is one."""
        self.asked.append((request.path, request.headers.get("Authorization", "")))
        await self.answers.wait()
        return web.Response(status=404 if request.path == "/gone" else 200, body=b"x" * 100)


@pytest_asyncio.fixture
async def elsewhere() -> AsyncIterator[Elsewhere]:
    """It serves."""
    found = Elsewhere()
    app = web.Application()
    app.router.add_get("/{name}", found.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


def test_links_are_found_wherever_they_may_be() -> None:
    header = {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://a/1"}}]}
    provided = {"link": "https://a/2", "provider": {"name": "p"}}
    assert list(links_of({"to": "1", "type": "text", "text": {"body": "https://a"}})) == []
    assert list(links_of({"type": "image", "image": {"id": "m1"}})) == []
    assert list(links_of({"type": "template", "template": {"components": [header]}})) == [
        MediaLink("image", "https://a/1", "")
    ]
    assert list(links_of({"interactive": {"header": {"type": "video", "video": provided}}})) == [
        MediaLink("video", "https://a/2", "p")
    ]


async def send(boot: Boot, message_id: str, link: str, provider: str = "") -> None:
    """A picture by link."""
    image: dict[str, t.Any] = {"link": link, **({"provider": {"name": provider}} if provider else {})}
    await boot.send(message_id, kind="image", image=image)


async def test_a_message_goes_out_when_its_media_are_there(start: Start, hooked: Hook, elsewhere: Elsewhere) -> None:
    async with start() as boot:
        elsewhere.answers.clear()
        await send(boot, "m1", f"{elsewhere.url}/picture")
        await boot.send("m2")  # nobody waits for somebody else's server
        await until(lambda: "read" in hooked.statuses("m2"))
        assert hooked.statuses("m1") == []
        elsewhere.answers.set()
        await until(lambda: "read" in hooked.statuses("m1"))
        assert elsewhere.asked == [("/picture", "")]


async def test_providers_have_credentials(start: Start, hooked: Hook, elsewhere: Elsewhere) -> None:
    async with start() as boot:
        providers = [{"name": "one", **BASIC}, {"name": "two", **BEARER}]
        await profile.write_providers(boot.node.engine, providers)
        for provider in ("one", "two"):
            await send(boot, provider, f"{elsewhere.url}/{provider}", provider)
            await until(lambda provider=provider: "read" in hooked.statuses(provider))
        basic = aiohttp.encode_basic_auth("joe", "pw-17")
        assert elsewhere.asked == [("/one", basic), ("/two", "Bearer token-17")]


async def test_without_its_media_a_message_fails(
    start: Start, hooked: Hook, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(mediavolume.LARGEST_OF, "image", 99)
    cases = {
        "gone": (f"{elsewhere.url}/gone?key=Canary-17", "", "answered 404"),
        "large": (f"{elsewhere.url}/large", "", "more than the 99 bytes"),
        "nobody": ("http://127.0.0.1:9/Canary-17", "", "ClientConnectorError"),
        "unknown": (f"{elsewhere.url}/x", "three", "no media provider 'three'"),
    }
    async with start() as boot:
        for name, (link, provider, _why) in cases.items():
            await send(boot, name, link, provider)
        await until(lambda: all(hooked.statuses(name) for name in cases))
        for name, (_link, _provider, why) in cases.items():
            [status] = [body["statuses"][0] for body in hooked.got if body["statuses"][0]["id"] == name]
            assert status["status"] == "failed"
            assert (status["errors"][0]["code"], why in status["errors"][0]["details"]) == (400, True), status
    assert "Canary" not in caplog.text


async def test_the_next_owner_fetches_what_the_last_one_could_not(
    start: Start, hooked: Hook, elsewhere: Elsewhere
) -> None:
    elsewhere.answers.clear()
    async with start() as boot:
        await send(boot, "m1", f"{elsewhere.url}/picture")
        await until(lambda: elsewhere.asked)
    elsewhere.answers.set()
    async with start():
        await until(lambda: "read" in hooked.statuses("m1"))
    assert len(elsewhere.asked) == 2
