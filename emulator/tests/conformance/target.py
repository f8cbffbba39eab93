"""Whom the tables are compared with: the emulator in this process, or any client of the product at a base URL."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import typing as t
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE
from ansible_collections.waent.fleet.tests.support.webapp_process import API_KEY
from yarl import URL

from tests.conformance.row import Answer, Request
from tests.core.conftest import until
from tests.web.conftest import PASSWORD, web_env
from waemu import versions
from waemu.clock import Clock
from waemu.core.connection import Connection
from waemu.core.coreapp import Coreapp
from waemu.core.loopback import Loopback
from waemu.core.node import Node
from waemu.core.primary_api import PrimaryApi
from waemu.core.registrar import OwnRegistrar
from waemu.core.schema_wait import Schema
from waemu.core.server import Server
from waemu.environment import DbEnv, NodeEnv
from waemu.protocol.client import CoreClient, new_session
from waemu.protocol.nodes import Endpoints
from waemu.store import config
from waemu.store.engine import make_engine
from waemu.web.app import make_app
from waemu.web.main import open_webapp, prepare
from waemu.web.routing import Cores

DIVISOR = 20.0
CC, PHONE = "1", "5550100"
TOO_MANY = 429
AGENT = "user"


class Target:
    """One installation. version: what it says it is. values: what C({name}) in a path stands for."""

    def __init__(self, base_url: str, session: aiohttp.ClientSession, api_key: str = "") -> None:
        self._base_url, self._session, self._api_key = base_url.rstrip("/"), session, api_key
        self._tokens: dict[str, str] = {}
        self.version = versions.Version(0, 0, 0)

    @property
    def port(self) -> int:
        """Where it listens."""
        return URL(self._base_url).port or 0

    async def log_in(self, username: str, password: str, auth: str = "admin", **body: str) -> None:
        """Get the token that requests with C(auth) are sent with."""
        basic = f"basic:{username}:{password}"
        answer = await self.send(Request("POST", "/v1/users/login", json=body or None, auth=basic))
        assert answer.status == 200, f"{username} cannot log in: HTTP status {answer.status}"
        found = json.loads(answer.body)
        self._tokens[auth] = found["users"][0]["token"]
        self.version = versions.parse(found["meta"]["version"])

    @contextlib.asynccontextmanager
    async def with_agent(self) -> t.AsyncIterator[None]:
        """Meanwhile there is a user of the lower role, whom requests with C(auth) user are from."""
        name = f"agent-{secrets.token_hex(4)}"
        created = await self.send(Request("POST", "/v1/users", json={"username": name, "password": PASSWORD}))
        assert created.status == 201, f"no user can be created: HTTP status {created.status}"
        try:
            await self.log_in(name, PASSWORD, AGENT)
            yield
        finally:
            await self.send(Request("DELETE", f"/v1/users/{name}"))

    async def send(self, request: Request) -> Answer:
        """One request; it is repeated while the rate limit does not let it through."""
        headers = {"Authorization": self._authorization(request.auth)} if request.auth != "none" else {}
        if request.type:
            headers["Content-Type"] = request.type
        url = self._base_url + request.path
        while True:
            async with self._session.request(
                request.method, url, json=request.json, data=request.data, headers=headers, ssl=False
            ) as response:
                answer = Answer(response.status, response.headers, await response.read())
            if answer.status != TOO_MANY:
                return answer
            await asyncio.sleep(1.0)

    def _authorization(self, auth: str) -> str:
        kind, _, rest = auth.partition(":")
        if kind == "basic":
            name, _, password = rest.partition(":")
            return aiohttp.encode_basic_auth(name, password)
        if kind == "key":
            return f"Apikey {self._api_key}"
        return f"Bearer {self._tokens.get(kind, 'nobody-issued-this')}"


@contextlib.asynccontextmanager
async def in_process(database: DbEnv, version: str, folder: Path, *, registered: bool) -> t.AsyncIterator[Target]:
    """A single instance of the emulator: webapp and coreapp, an administrator and a user."""
    env = web_env(database, version=version, multiconnect=False, divisor=DIVISOR)
    async with contextlib.AsyncExitStack() as stack:
        ports = await stack.enter_async_context(_core(database, version, folder, registered=registered))
        webapp = await stack.enter_async_context(open_webapp(env, folder))
        webapp.cores = Cores(webapp.engine, webapp.cores.client, webapp.clock, single=Endpoints("127.0.0.1", *ports))
        await asyncio.wait_for(prepare(webapp, None), PATIENCE)
        server = await stack.enter_async_context(TestServer(make_app(webapp)))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        target = Target(str(server.make_url("")), session, API_KEY)
        await target.log_in("admin", "secret", new_password=PASSWORD)
        async with target.with_agent():
            yield target


@contextlib.asynccontextmanager
async def _core(database: DbEnv, version: str, folder: Path, *, registered: bool) -> t.AsyncIterator[list[int]]:
    """The one coreapp of a single instance on ports of its own, which are returned."""
    env = NodeEnv(db=database, version=versions.parse(version), container="core", hostname="127.0.0.1", divisor=DIVISOR)
    clock, engine = Clock(DIVISOR), make_engine(database, size=2)
    if registered:
        await config.request_code(engine, CC, PHONE, "Shop", "hash", 600)
        await config.register(engine, 7, secrets.token_hex(8))
    async with new_session() as session:
        node = Node(env, clock, engine, CoreClient(session, clock))
        connection = Connection(Loopback(clock), clock, node.refused)
        duty = Coreapp(node, connection, folder)
        server = Server(node, duty, PrimaryApi(node, OwnRegistrar(env, clock.now), lambda: True))
        runners = [web.AppRunner(app, access_log=None) for app in server.apps()]
        life = asyncio.create_task(duty.run(Schema(node)))
        try:
            ports = [await _listen(runner) for runner in runners]
            await until(lambda: (connection.is_up if registered else node.schema_ready) or life.done())
            yield ports
        finally:
            life.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await life
            await connection.drop("the test is over")
            for runner in runners:
                await runner.cleanup()
            await asyncio.gather(*node.calls.ending, return_exceptions=True)
            await engine.dispose()


async def _listen(runner: web.AppRunner) -> int:
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return int(runner.addresses[0][1])
