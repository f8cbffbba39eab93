"""The published set-ups, brought up with docker-compose from compose files that say what the product's own say.

Each: up, first login, registered, healthy, a message in the ledger of the gateway (reference 2.5, 6.2, 6.3, 6.4). The
files are used as they are; db.env, the place for what is one's own, gets the address of the gateway and a fast clock.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import time
import typing as t
import urllib.error
import urllib.request
from pathlib import Path

import docker
import pytest
from ansible_collections.waent.fleet.tests.support.engine_ports import run_with_ports
from ansible_collections.waent.fleet.tests.support.this_machine import machine_address
from docker.models.containers import Container

from tests.cluster.conftest import DB_IMAGE, GATEWAY_IMAGE
from tests.compose.project import PREFIX, Project, free_ports
from waemu.shards import shard_of

pytestmark = pytest.mark.cluster
DIVISOR = "10"
NUMBERS = itertools.count(5550200)
HEALTHY_HA = {
    ("coreapp", "connected"): 1,
    ("primary_master", "disconnected"): 1,
    ("secondary_master", "disconnected"): 1,
}


def recipient(shard: int, shards: int) -> str:
    """Some WhatsApp id of a shard."""
    return next(wa_id for wa_id in map(str, range(10**6, 10**7)) if shard_of(wa_id, shards) == shard)


class Gateway:
    """One for all set-ups, published on this machine as a host of its own would be."""

    def __init__(self, container: Container, host: str) -> None:
        self.container, self.host = container, host

    def port(self, inside: int) -> str:
        """The machine's port for one of the container's."""
        self.container.reload()
        return self.container.attrs["NetworkSettings"]["Ports"][f"{inside}/tcp"][0]["HostPort"]

    @property
    def for_nodes(self) -> str:
        """The value of WAEMU_GATEWAY_URL."""
        return f"http://{self.host}:{self.port(5222)}"

    def ask(self, path: str) -> t.Any:
        """The answer of its admin side; None for what is not there."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port(8080)}{path}", timeout=10) as reply:
                return json.load(reply)
        except urllib.error.HTTPError:
            return None


@pytest.fixture(scope="module")
def host(engine: docker.DockerClient) -> str:
    """The address of this machine that containers of any network reach."""
    return machine_address(engine, GATEWAY_IMAGE)


@pytest.fixture(scope="module")
def gateway(engine: docker.DockerClient, host: str) -> t.Iterator[Gateway]:
    """Started for this module."""
    container = run_with_ports(
        engine,
        GATEWAY_IMAGE,
        name=f"{PREFIX}-gateway-{time.monotonic_ns() % 10**6}",
        environment={"WAEMU_TIME_DIVISOR": DIVISOR},
        ports={"5222/tcp": None, "8080/tcp": None},
    )
    yield Gateway(container, host)
    container.remove(force=True, v=True)


Make = t.Callable[..., Project]


@pytest.fixture
def make(tmp_path: Path, gateway: Gateway) -> t.Iterator[Make]:
    """Makes projects; they are taken down at the end."""
    made: list[Project] = []

    def project(name: str, file: str, *, db_host: str = "db", db_port: str = "3306", **environment: str) -> Project:
        found = Project(name, file, tmp_path / name, **environment)
        found.db_env(
            WA_DB_HOSTNAME=db_host,
            WA_DB_PORT=db_port,
            WAEMU_TIME_DIVISOR=DIVISOR,
            WAEMU_GATEWAY_URL=gateway.for_nodes,
        )
        made.append(found)
        return found

    yield project
    for one in reversed(made):
        one.down()


def registered(project: Project, gateway: Gateway) -> str:
    """First login and registration; returns the number."""
    project.log_in()
    phone_number = str(next(NUMBERS))
    number = f"1{phone_number}"
    project.register(phone_number, lambda: gateway.ask(f"/numbers/{number}")["code"])
    return number


def proved(project: Project, gateway: Gateway, number: str, *, shards: int = 1) -> None:
    """A message of each shard is taken and comes to WhatsApp."""
    for shard in range(shards):
        wa_id = recipient(shard, shards)
        message = project.until("201", lambda wa_id=wa_id: project.send(wa_id))
        entry = project.until("entry in the ledger", lambda message=message: gateway.ask(f"/ledger/{number}/{message}"))
        assert (entry["wa_id"], entry["shard"]) == (wa_id, shard)


def test_single_instance(make: Make, gateway: Gateway) -> None:
    first = free_ports(2)
    project = make("single", "docker-compose.yml", EXTERNAL_WEBAPP_PORT=str(first), EXTERNAL_DB_PORT=str(first + 1))
    project.webapp = f"127.0.0.1:{first}"
    project.up()
    linked = project.container("waweb").exec_run(["env"]).output.decode()
    assert "WACORE_PORT_6250_TCP=" in linked  # what broke the product's own web now and then (10, pain 1)
    number = registered(project, gateway)
    project.until("connection", lambda: project.health() == {"gateway_status": "connected"})
    proved(project, gateway, number)
    project.compose("restart", "-t", "2", "waweb")  # without WA_WEB_JWT_CRYPTO_KEY its tokens die with it (3.9)
    # First nobody listens, and then it has not read the database yet.
    project.until("answer", lambda: project.call("GET", "/v1/health")[0] not in (0, 503))
    assert project.call("GET", "/v1/health")[0] == 401


def two_masters_three_cores(make: Make, gateway: Gateway, name: str, file: str) -> None:
    """The documented steps of the development cluster (6.2), with the third coreapp last."""
    first = free_ports(2)
    project = make(name, file, EXTERNAL_WEBAPP_PORT=str(first), EXTERNAL_DB_PORT=str(first + 1))
    project.webapp = f"127.0.0.1:{first}"
    project.up("db", "waweb", "master1", "master2", "wacore1", "wacore2")
    number = registered(project, gateway)
    project.until("high availability", lambda: project.states() == {**HEALTHY_HA, ("coreapp", "disconnected"): 1})
    assert set(project.health()) == {project.key(name) for name in ("master1", "master2", "wacore1", "wacore2")}
    proved(project, gateway, number)
    request_body = {"cc": "1", "phone_number": number[1:], "shards": 2, "cert": "Q2VydA=="}
    assert project.call("POST", "/v1/account/shards", request_body)[0] == 201
    two = {
        ("coreapp", "connected"): 2,
        ("primary_master", "connected"): 1,
        ("secondary_master", "disconnected"): 1,
    }
    project.until("two shards", lambda: project.states() == two)
    project.up("wacore3")
    project.until("standby", lambda: project.states() == {**two, ("coreapp", "disconnected"): 1})
    proved(project, gateway, number, shards=2)


def test_development_multiconnect(make: Make, gateway: Gateway) -> None:
    two_masters_three_cores(make, gateway, "multi", "multiconnect-compose.yml")


@pytest.mark.usefixtures("postgres_image")
def test_development_multiconnect_on_postgresql(make: Make, gateway: Gateway) -> None:
    two_masters_three_cores(make, gateway, "postgres", "postgres/multiconnect-compose.yml")


@pytest.fixture
def database(engine: docker.DockerClient) -> t.Iterator[Container]:
    """A MariaDB on a machine of its own: published, in no project's network."""
    container = run_with_ports(
        engine,
        DB_IMAGE,
        name=f"{PREFIX}-db-{time.monotonic_ns() % 10**6}",
        environment={"MYSQL_ROOT_PASSWORD": "testpass"},
        ports={"3306/tcp": None},
    )
    try:
        deadline = time.monotonic() + 60
        # Its published port is open before it listens, and an upgrade asks once.
        while container.exec_run(["mariadb", "-uroot", "-ptestpass", "-e", "SELECT 1"]).exit_code:
            assert time.monotonic() < deadline, container.logs().decode()
            time.sleep(0.2)
        yield container
    finally:
        with contextlib.suppress(docker.errors.NotFound):
            container.remove(force=True, v=True)


def port_of(database: Container) -> str:
    """Where this machine publishes it."""
    database.reload()
    return database.attrs["NetworkSettings"]["Ports"]["3306/tcp"][0]["HostPort"]


def sql(database: Container, statement: str) -> list[str]:
    """Rows of a query, tab-separated."""
    result = database.exec_run(["mariadb", "-uroot", "-ptestpass", "-N", "-e", statement])
    assert result.exit_code == 0, result.output.decode()
    return result.output.decode().splitlines()


def test_upgrade_then_production_on_two_machines(make: Make, gateway: Gateway, database: Container, host: str) -> None:
    """The schema ahead of time, twice; then webapp, coreapp and master of two machines from one file."""
    where = {"db_host": host, "db_port": port_of(database)}
    upgrade = make("upgrade", "dbupgrade-compose.yml", **where)
    for said in ("Schema of message is now at version", "Schema is up to date"):
        assert said in upgrade.compose("up", "--exit-code-from", "dbupgrade").stdout
    assert upgrade.container("dbupgrade").attrs["State"]["ExitCode"] == 0

    core = free_ports(16, 6250)  # coreapp 6250-6253, master 6254-6257 where nobody else has them
    other, web = core + 8, free_ports(1, 9090)
    first = make("machine1", "prod-multiconnect-compose.yml", **where, **machine(host, core, web))
    second = make("machine2", "prod-multiconnect-compose.yml", **where, **machine(host, other, web))
    first.webapp = f"127.0.0.1:{web}"
    first.up("waweb")
    for project in (first, second):
        project.up("master")
        project.up("wacore")
    number = registered(first, gateway)
    first.until("high availability", lambda: first.states() == {**HEALTHY_HA, ("coreapp", "disconnected"): 1})
    nodes = [(project, service) for project in (first, second) for service in ("wacore", "master")]
    assert set(first.health()) == {project.key(service, host) for project, service in nodes}
    dialled = sql(database, "SELECT port_messaging, port_health FROM clusterStore.nodes ORDER BY 1")
    starts = sorted((core, core + 4, other, other + 4))
    assert dialled == [f"{start}\t{start + 3}" for start in starts]
    proved(first, gateway, number)

    owner = next(link["node"] for link in gateway.ask(f"/connections?number={number}"))
    machines = {project.key("wacore", host): project for project in (first, second)}
    machines[owner].container("wacore").kill()
    (heir,) = set(machines) - {owner}
    first.until("failover", lambda: first.health().get(heir, {}).get("gateway_status") == "connected")
    proved(first, gateway, number)


def machine(host: str, core: int, web: int) -> dict[str, str]:
    """What a machine's docker-compose gets: its address, and its ports as far as they are not the usual ones."""
    ports = {f"EXTERNAL_COREAPP_PORT{n}": str(core + n) for n in range(4)}
    ports |= {f"EXTERNAL_MASTER_PORT{n}": str(core + 4 + n) for n in range(4)}
    usual = {f"EXTERNAL_COREAPP_PORT{n}": str(6250 + n) for n in range(4)}
    usual |= {f"EXTERNAL_MASTER_PORT{n}": str(6254 + n) for n in range(4)}
    return {
        "EXTERNAL_HOSTNAME": host,
        "EXTERNAL_WEBAPP_PORT": str(web),
        **{name: port for name, port in ports.items() if usual[name] != port},
    }
