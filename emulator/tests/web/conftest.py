"""A real database for the whole run, a webapp and stand-ins for nodes for each test."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import typing as t
from dataclasses import replace
from pathlib import Path

import aiohttp
import pymysql
import pytest
import pytest_asyncio
import sqlalchemy as sa
from aiohttp.test_utils import TestClient, TestServer
from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE
from ansible_collections.waent.fleet.tests.support.webapp_process import API_KEY, JWT_KEY, SOURCE, free_port

from tests.web.standin import StandIn
from waemu import versions
from waemu.environment import DbEnv, WebEnv
from waemu.schema import tables
from waemu.store import cluster
from waemu.store.engine import in_seconds, make_engine
from waemu.web.app import make_app
from waemu.web.main import open_webapp, prepare
from waemu.web.webapp import Webapp

PASSWORD = "Correct-Horse-1"
DB_PASSWORD = "db-pass-7"
DB_IMAGE = "waent/mariadb:10.11"


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[DbEnv]:
    """A database server with the schema created by the upgrade program.

    WAEMU_TEST_DATABASE (C(PGSQL://user:password@host:port), or MYSQL) names one that is there for these tests alone;
    without it a MariaDB server is started for this run: the one installed here, else the emulator's image.
    """
    named = os.environ.get("WAEMU_TEST_DATABASE")
    if named:
        url = sa.make_url(named)
        given = DbEnv(url.drivername.upper(), url.host or "", url.port or 0, url.username or "", str(url.password))
        upgrade(given, "v2.63.0")
        yield given
        return
    port = free_port()
    env = DbEnv(engine="MYSQL", hostname="127.0.0.1", port=port, username="wa", password=DB_PASSWORD)
    if shutil.which("mariadbd"):
        server = _mariadb(tmp_path_factory.mktemp("mariadb"), port)
    else:
        env = replace(env, username="root")
        server = _mariadb_container(port)
    with server:
        upgrade(env, "v2.63.0")
        yield env


@contextlib.contextmanager
def _mariadb(home: Path, port: int) -> t.Iterator[None]:
    # The server refuses to run as root, and a test's directory is closed to others.
    own = ["--user=root"] if os.geteuid() == 0 else []
    install = [
        "mariadb-install-db",
        "--no-defaults",
        f"--datadir={home}/data",
        "--auth-root-authentication-method=normal",
    ]
    subprocess.run([*install, *own], check=True, capture_output=True)
    start = home / "start.sql"
    start.write_text(
        f"CREATE USER wa@'127.0.0.1' IDENTIFIED BY '{DB_PASSWORD}';\nGRANT ALL ON *.* TO wa@'127.0.0.1';\n"
    )
    command = [
        *("mariadbd", "--no-defaults", f"--datadir={home}/data", f"--socket={home}/socket", f"--port={port}"),
        *(
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            f"--init-file={start}",
            "--innodb-flush-log-at-trx-commit=0",
            *own,
        ),
    ]
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _wait_for(port, server, home / "log")
        yield
    finally:
        server.terminate()
        server.wait(timeout=PATIENCE)


@contextlib.contextmanager
def _mariadb_container(port: int) -> t.Iterator[None]:
    name = f"emu-web-db-{os.urandom(3).hex()}"
    command = ["docker", "run", "--detach", "--name", name, "--publish", f"127.0.0.1:{port}:3306"]
    subprocess.run(
        [*command, "--tmpfs", "/var/lib/mysql", "--env", f"MYSQL_ROOT_PASSWORD={DB_PASSWORD}", DB_IMAGE],
        check=True,
        capture_output=True,
    )
    try:
        _wait_for_login(port)
        yield
    finally:
        subprocess.run(["docker", "rm", "--force", "--volumes", name], check=True, capture_output=True)


def _wait_for_login(port: int) -> None:
    """The container's port is open before its server is ready: only a login proves it."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            pymysql.connect(host="127.0.0.1", port=port, user="root", password=DB_PASSWORD).close()
            return
        except pymysql.Error:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise RuntimeError(f"the database did not start:\n{log.read_text()}")


def upgrade(env: DbEnv, version: str) -> None:
    """Create or upgrade the schema as the product does: with its own program."""
    variables = {
        "PATH": os.environ["PATH"],
        "WAEMU_VERSION": version,
        "WA_DB_UPGRADE": "1",
        "WA_DB_ENGINE": env.engine,
        "WA_DB_HOSTNAME": env.hostname,
        "WA_DB_PORT": str(env.port),
        "WA_DB_USERNAME": env.username,
        "WA_DB_PASSWORD": env.password,
        "WA_DB_NAME_PREFIX": env.name_prefix,
    }
    command = [sys.executable, "-m", "waemu.upgrade"]
    done = subprocess.run(command, cwd=SOURCE, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


async def empty(env: DbEnv) -> None:
    """Leave the schema, drop what tests wrote, and restore the rows a new database starts with."""
    engine = make_engine(env)
    keep = {"lease", "cluster_state", "account"}
    async with engine.begin() as connection:
        for table in tables.metadata.sorted_tables:
            if table.name not in keep:
                await connection.execute(table.delete())
        await connection.execute(
            tables.lease.update().values(owner_key=None, owner_instance=None, expires_at=in_seconds(-1), epoch=0)
        )
        await connection.execute(tables.cluster_state.update().values(shards=1, generation=0))
        await connection.execute(
            tables.account.update().values(
                state="unregistered", cc=None, phone_number=None, pin_hash=None, condition="ok", condition_until=None
            )
        )
    await engine.dispose()


class Api:
    """The client side of one webapp in this process."""

    def __init__(self, client: TestClient[t.Any, t.Any], webapp: Webapp) -> None:
        self.client = client
        self.webapp = webapp
        self.token = ""

    async def call(
        self, method: str, path: str, json: t.Any = None, *, auth: str | None = None, **more: t.Any
    ) -> tuple[int, t.Any]:
        """Status and decoded body; C(auth) replaces the administrator's token, empty sends none."""
        response = await self.request(method, path, json, auth=auth, **more)
        if response.content_type == "application/json":
            return response.status, await response.json()
        return response.status, await response.read()

    async def request(
        self, method: str, path: str, json: t.Any = None, *, auth: str | None = None, **more: t.Any
    ) -> aiohttp.ClientResponse:
        """The response itself."""
        header = f"Bearer {self.token}" if auth is None else auth
        headers = {**more.pop("headers", {}), **({"Authorization": header} if header else {})}
        return await self.client.request(method, path, json=json, headers=headers, **more)

    async def login(self, username: str, password: str, body: t.Any = None) -> tuple[int, t.Any]:
        """Log in and return what was answered."""
        header = aiohttp.encode_basic_auth(username, password)
        return await self.call("POST", "/v1/users/login", body, auth=header)


def web_env(database: DbEnv, **changes: t.Any) -> WebEnv:
    """A webapp's environment with the given changes."""
    version = versions.parse(changes.pop("version", "v2.19.4"))
    values: dict[str, t.Any] = {"multiconnect": True, "api_key": API_KEY, "jwt_key": JWT_KEY, "rate_limit_factor": 0.0}
    return WebEnv(db=database, version=version, container="wa-webapp-1", hostname="web", **{**values, **changes})


@contextlib.asynccontextmanager
async def running(env: WebEnv, media: Path) -> t.AsyncIterator[Api]:
    """A webapp that serves (without TLS) on a port of its own."""
    async with open_webapp(env, media) as webapp, TestClient(TestServer(make_app(webapp))) as client:
        await asyncio.wait_for(prepare(webapp, None), PATIENCE)
        yield Api(client, webapp)


@pytest_asyncio.fixture
async def clean(database: DbEnv) -> DbEnv:
    """The database as a new one is."""
    await empty(database)
    return database


@pytest_asyncio.fixture
async def fresh(clean: DbEnv, tmp_path: Path) -> t.AsyncIterator[Api]:
    """A webapp on a new database: nobody has logged in yet."""
    async with running(web_env(clean), tmp_path) as api:
        yield api


@pytest_asyncio.fixture
async def api(fresh: Api) -> Api:
    """A webapp with the administrator logged in."""
    status, body = await fresh.login("admin", "secret", {"new_password": PASSWORD})
    assert status == 200, body
    fresh.token = body["users"][0]["token"]
    return fresh


class Cluster:
    """Stand-ins for nodes, made known in the database as real nodes make themselves known."""

    def __init__(self, env: DbEnv) -> None:
        self.engine = make_engine(env)
        self.nodes: dict[str, StandIn] = {}

    async def add(self, name: str, role: str = "coreapp") -> StandIn:
        """Start a stand-in that answers on a port of its own and write its liveness row."""
        node = await StandIn.start(f"127.0.0.1:{name}", role)
        self.nodes[name] = node
        row = cluster.NodeRow(node.key, node.instance, role, node.endpoints, "v2.19.4", 0.0)
        await cluster.write_node(self.engine, row)
        return node

    async def own(self, name: str, shard: int) -> None:
        """Write an owner into the shard map."""
        node = self.nodes[name]
        table = tables.shard_map
        async with self.engine.begin() as connection:
            await connection.execute(table.delete().where(table.c.shard == shard))
            await connection.execute(
                table.insert().values(shard=shard, owner_key=node.key, owner_instance=node.instance, epoch=1)
            )

    async def primary(self, name: str) -> None:
        """Give a master the lease."""
        node = self.nodes[name]
        assert await cluster.take_lease(self.engine, node.key, node.instance, 3600)

    async def shards(self, count: int) -> None:
        """Configure the shard count."""
        async with self.engine.begin() as connection:
            await connection.execute(tables.cluster_state.update().values(shards=count))

    async def insert(self, table: sa.Table, **values: t.Any) -> None:
        """One row."""
        async with self.engine.begin() as connection:
            await connection.execute(table.insert().values(**values))


@pytest_asyncio.fixture
async def nodes(clean: DbEnv) -> t.AsyncIterator[Cluster]:
    """No nodes yet; they end with the test."""
    found = Cluster(clean)
    yield found
    for node in found.nodes.values():
        await node.stop()
    await found.engine.dispose()
