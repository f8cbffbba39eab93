"""One coreapp in this process, on a real database, with the loopback, and a webhook with a certificate of its own."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import ipaddress
import json
import ssl
import time
import typing as t
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from ansible_collections.waent.fleet.tests.support import callback_schema
from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.web.conftest import clean, database
from waemu import versions
from waemu.appsettings import of_version
from waemu.clock import Clock
from waemu.core.connection import Connection
from waemu.core.coreapp import Coreapp
from waemu.core.loopback import Loopback
from waemu.core.node import Node
from waemu.core.schema_wait import Schema
from waemu.environment import DbEnv, NodeEnv
from waemu.protocol.client import CoreClient, new_session
from waemu.protocol.gateway import Directory, Event
from waemu.protocol.nodes import MessageRequest
from waemu.store import certificates, config
from waemu.store.engine import make_engine
from waemu.whatsapp.users import Users

__all__ = ["clean", "database"]

DIVISOR = 20.0
NUMBER = "15550100"


def certificate(folder: Path, address: str = "127.0.0.1") -> tuple[ssl.SSLContext, str]:
    """A server's TLS for an address, and the PEM of its own CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "webhook")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), False)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "webhook.pem").write_bytes(secret + pem)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "webhook.pem")
    return context, pem.decode()


class Hook:
    """The business's webhook: keeps what it was sent, answers what the test wants."""

    def __init__(self) -> None:
        self.url = self.ca = self.authorization = ""
        self.broken: list[str] = []  # callbacks that do not fit their schema, and why
        self.answers: list[int] = []  # for the next requests; then 200
        self.always = 200
        self.together = 0  # nobody is answered before so many have asked at the same moment
        self.got: list[dict[str, t.Any]] = []  # what was answered with 200
        self.tries: list[tuple[float, int]] = []  # when, and what was answered
        self.most = self._now = 0

    async def answer(self, request: web.Request) -> web.Response:
        """One POST."""
        raw = await request.read()
        try:
            callback_schema.read(raw)
        except ValueError as error:
            self.broken.append(f"{error}: {raw.decode()}")
        body = json.loads(raw)
        self.authorization = request.headers.get("Authorization", "")
        self._now += 1
        self.most = max(self.most, self._now)
        await until(lambda: self.most >= self.together)
        self._now -= 1
        status = self.answers.pop(0) if self.answers else self.always
        self.tries.append((time.monotonic(), status))
        if status == 200:
            self.got.append(body)
        return web.Response(status=status)

    def statuses(self, message_id: str) -> list[str]:
        """What was reported about a message, in the order of arrival."""
        items = [item for body in self.got for item in body.get("statuses", ())]
        return [item["status"] for item in items if item["id"] == message_id]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither webhook nor database is given up for being slow: on this clock that would be after half a real second."""
    monkeypatch.setattr("waemu.core.webhook.CALLBACK_TIMEOUT", PATIENCE * DIVISOR)
    monkeypatch.setattr("waemu.core.database_calls.DB_CALL", PATIENCE * DIVISOR)


@pytest_asyncio.fixture
async def hook(tmp_path: Path) -> AsyncIterator[Hook]:
    """A webhook that serves HTTPS."""
    found = Hook()
    context, found.ca = certificate(tmp_path)
    app = web.Application()
    app.router.add_post("/hook", found.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    found.url = f"https://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield found
    await runner.cleanup()
    assert found.broken == []


class Boot:
    """One life of a single instance."""

    def __init__(self, duty: Coreapp, link: Loopback) -> None:
        self.duty, self.link, self.node = duty, link, duty.node

    async def send(self, message_id: str, wa_id: str = "4917000001", kind: str = "text", **body: t.Any) -> None:
        """One message, as a webapp passes it on. Raises CoreError."""
        content = body or {"text": {"body": "hi"}}
        await self.duty.serving()
        await self.duty.sender.accept(MessageRequest(message_id, wa_id, wa_id, kind, content))

    def deliver(self, *events: Event) -> None:
        """WhatsApp has news."""
        self.link.inject(events)

    async def change(self, **settings: t.Any) -> None:
        """PATCH of the settings; returns when the node has heard of it."""
        desired = of_version(await config.change_settings(self.node.engine, settings), self.node.env.version)
        self.node.changed.set()
        await until(lambda: self.node.settings == desired)


Start = Callable[..., contextlib.AbstractAsyncContextManager[Boot]]


@pytest.fixture
def start(clean: DbEnv, tmp_path: Path) -> Start:
    """Starts a registered coreapp, a connected single instance unless of a cluster; leaving the context is a kill."""

    @contextlib.asynccontextmanager
    async def boot(
        *,
        limit: int = 100000,
        directory: Directory | None = None,
        users: Users | None = None,
        member: str = "",
        version: str = "v2.63.0",
    ) -> AsyncIterator[Boot]:
        """member: its name, where it is one of a cluster."""
        env = NodeEnv(
            db=clean,
            version=versions.parse(version),
            container=member or "core",
            hostname="core",
            multiconnect=bool(member),
            divisor=DIVISOR,
            callback_limit=limit,
        )
        clock, engine = Clock(DIVISOR), make_engine(clean, size=2)
        if not (await config.read_account(engine)).registered:
            await config.request_code(engine, "1", "5550100", "Shop", "hash", 600)
            await config.register(engine, 7, "identity")
        async with new_session() as session:
            node = Node(env, clock, engine, CoreClient(session, clock))
            link = Loopback(clock, directory, users)
            duty = Coreapp(node, Connection(link, clock, node.refused), tmp_path)
            life = asyncio.create_task(duty.run(Schema(node)))
            try:
                await until(lambda: duty.connection.is_up or life.done() or (member and duty.generation))
                yield Boot(duty, link)
            finally:
                life.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await life
                await duty.connection.drop("the test is over")
                await asyncio.gather(*node.calls.ending, return_exceptions=True)
                await engine.dispose()

    return boot


@pytest_asyncio.fixture
async def hooked(clean: DbEnv, hook: Hook) -> AsyncIterator[Hook]:
    """The webhook, with its CA and URL in the settings before anybody starts."""
    engine = make_engine(clean)
    await certificates.write(engine, certificates.WEBHOOKS, hook.ca)
    await config.change_settings(engine, {"webhooks": {"url": hook.url}, "callback_backoff_delay_ms": 2000})
    yield hook
    await config.reset_settings(engine)
    await engine.dispose()


async def until(test: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(seconds):
        while not test():
            await asyncio.sleep(0.01)
