"""Real clusters of containers, their clock running fast. Everything made here is removed at the end."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import docker
import msgspec
import pytest
from docker.errors import DockerException, ImageNotFound, NotFound
from docker.models.containers import Container

from waemu.appsettings import DEFAULTS
from waemu.clock import HEARTBEAT_INTERVAL
from waemu.protocol.nodes import CoreError, NodeStatus

T = TypeVar("T")
DIVISOR = 10.0
VERSION = os.environ.get("WAEMU_TEST_VERSION", "v2.19.4")
CORE_IMAGE = f"docker.whatsapp.biz/coreapp:{VERSION}"
DB_IMAGE = "waent/mariadb:10.11"
POSTGRES_IMAGE = "waent/postgres:15"
PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
GATEWAY_IMAGE = os.environ.get("WAEMU_TEST_GATEWAY", f"waent/gateway:{PROJECT['version']}")
SLACK = 60  # real seconds a busy machine may take longer before a wait counts as failed
# Set by benchmarks/emulator_time_lines.py: the file for the ratios of time lines to the longest the product allows.
RATIOS = os.environ.get("WAEMU_TIME_LINE_RATIOS")
PREFIX = os.environ.get("WAEMU_TEST_PREFIX", "emu-core")
STATE_TABLES = (("configStore", "account"), ("clusterStore", "cluster_state"))
HEARD_OF = 6 * HEARTBEAT_INTERVAL  # product seconds after which every node has heard of other settings
BACKOFF_CHECK = 0.5  # real seconds between checks for containers that the engine makes wait
LAUNCH = "/opt/whatsapp/bin/launch_within_docker.sh"
START = ["/opt/whatsapp/bin/wait_on_mysql.sh", LAUNCH]
START_POSTGRES = ["/opt/whatsapp/bin/wait_on_postgres.sh", LAUNCH]
DATABASE = {
    "WA_DB_ENGINE": "MYSQL",
    "WA_DB_HOSTNAME": "db",
    "WA_DB_PORT": "3306",
    "WA_DB_USERNAME": "root",
    "WA_DB_PASSWORD": "testpass",
}
POSTGRES_DATABASE = {**DATABASE, "WA_DB_ENGINE": "PGSQL", "WA_DB_PORT": "5432"}
ACCOUNT = {"cc": "1", "phone_number": "5550100"}
CERT = "Q2VydA=="
SOAK = Path(__file__).resolve().parents[3] / "tests" / "chaos" / "emulator_soak.py"
SOAK_MINUTES = 3.0
# The same mishaps for everybody; another seed shows others: WAEMU_SOAK_SEED=7 pytest -m soak.
SOAK_SEED = os.environ.get("WAEMU_SOAK_SEED", "1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this directory starts containers; the soak comes last."""
    for item in items:
        if "/cluster/" in str(item.path):
            item.add_marker(pytest.mark.cluster)
    items.sort(key=lambda item: item.get_closest_marker("soak") is not None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that failed has spoilt its clusters: the next one gets new ones, so that it fails alone."""
    report = yield
    if report.failed:
        for value in item.funcargs.values():
            if isinstance(value, Cluster):
                value.spoilt = True
    return report


@pytest.fixture(scope="session")
def engine() -> docker.DockerClient:
    """The Docker Engine, with the emulator's images in it."""
    try:
        client = docker.from_env(timeout=60)
        client.ping()
    except DockerException:
        pytest.skip("no Docker Engine answers")
    for image in (CORE_IMAGE, DB_IMAGE):
        try:
            client.images.get(image)
        except ImageNotFound:
            pytest.fail(f"{image} is not there: run emulator/build.py first")
    return client


@dataclass(frozen=True)
class Soak:
    """The benchmark, running."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        """All it has said so far."""
        return self.log.read_text(errors="replace")


@pytest.fixture
def soak(engine: docker.DockerClient, tmp_path: Path) -> Iterator[Soak]:
    """Three minutes of mishaps in a cluster of their own; stopped, and tidied up, when their test gives up on them."""
    assert engine.ping()
    log = tmp_path / "log"
    command = [sys.executable, str(SOAK), "--minutes", str(SOAK_MINUTES), "--seed", SOAK_SEED]
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True)
    yield Soak(process, log)
    if process.poll() is None:
        process.send_signal(signal.SIGINT)  # it removes its containers
        process.wait(timeout=60)


@pytest.fixture(scope="session")
def postgres_image(engine: docker.DockerClient) -> str:
    """The PostgreSQL image, which is made only when it is asked for."""
    try:
        engine.images.get(POSTGRES_IMAGE)
    except ImageNotFound:
        pytest.skip(f"{POSTGRES_IMAGE} is not there: emulator/build.py --postgres makes it")
    return POSTGRES_IMAGE


needs_root = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("nsenter") or not shutil.which("ip"), reason="needs root, nsenter and ip"
)


def took_about(product_seconds: float, shortest: float, longest: float, *, ending: float = 0.0) -> None:
    """A time line was not shorter than the product's, whatever the machine is busy with.

    longest: what it may take on a machine that is idle; benchmarks/emulator_time_lines.py compares. ending: product
    seconds of the call within which the time line began, as Cluster.end gives them.
    """
    assert product_seconds + ending >= shortest, f"{product_seconds:.1f} product seconds after {ending:.1f} of ending"
    if RATIOS:
        test = os.environ.get("PYTEST_CURRENT_TEST", "").partition(" ")[0].rpartition("/")[2]
        with Path(RATIOS).open("a") as file:
            file.write(f"{test}\t{product_seconds / longest:.3f}\n")


def sole_owner(owners: dict[int, str]) -> str | None:
    """The coreapp that serves all there is while there is one shard; None between two. owners: shard to node."""
    return owners[0] if owners.keys() == {-1, 0} and owners[-1] == owners[0] else None


class Cluster:
    """Containers on one network. Times given and returned are product seconds."""

    def __init__(
        self,
        engine: docker.DockerClient,
        name: str,
        *,
        postgres: bool = False,
        divisor: float = DIVISOR,
        **environment: str,
    ) -> None:
        """postgres: the database, which is a MariaDB otherwise. environment: of every node."""
        self.engine, self.name = engine, f"{PREFIX}-{name}-{os.urandom(3).hex()}"
        self.postgres, self.divisor = postgres, divisor
        self.environment = {**(POSTGRES_DATABASE if postgres else DATABASE), **environment}
        self.network = engine.networks.create(self.name)
        self.containers: dict[str, Container] = {}
        self.spoilt = False  # a test that failed has left it in no known state
        self._held_back: set[str] = set()  # containers that waited for a restart at the last check
        self._checked_at = time.monotonic()

    def database(self) -> Container:
        """A database with an empty volume."""
        if self.postgres:
            environment = {"POSTGRES_USER": "root", "POSTGRES_PASSWORD": "testpass"}
            return self._run("db", POSTGRES_IMAGE, environment=environment)
        return self._run("db", DB_IMAGE, environment={"MYSQL_ROOT_PASSWORD": "testpass"})

    def node(self, kind: str, command: list[str] | None = None, **environment: str) -> Container:
        """A node: the kind is coreapp1, master2 ...; its host name is that kind."""
        settings = {
            "WA_APP_MULTICONNECT": "1",
            "COREAPP_HOSTNAME": kind,
            "WAEMU_TIME_DIVISOR": str(self.divisor),
            **({"WA_MASTER_NODE": "1"} if kind.startswith("master") else {}),
            **self.environment,
            **environment,
        }
        return self._run(
            kind,
            CORE_IMAGE,
            command=command or (START_POSTGRES if self.postgres else START),
            environment=settings,
            cap_drop=["MKNOD"],
            restart_policy={"Name": "unless-stopped"},
        )

    def oneshot(self, name: str, **environment: str) -> tuple[int, str]:
        """Run a container of the image coreapp to its end: exit code and log."""
        container = self.node(name, **environment)
        self.engine.api.update_container(container.id, restart_policy={"Name": "no"})
        code = container.wait(timeout=60)["StatusCode"]
        log = container.logs().decode()
        container.remove(force=True, v=True)
        del self.containers[name]
        return code, log

    def _run(self, kind: str, image: str, **options: Any) -> Container:
        # By the label site.yml, which other tests run on this engine meanwhile, knows it for another cluster.
        labels = {"waent.fleet.cluster": self.name}
        name = f"{self.name}-{kind}"
        container = self.engine.containers.create(image, name=name, hostname=kind, labels=labels, **options)
        self.containers[kind] = container
        self.network.connect(container, aliases=[kind])
        container.start()
        return container

    def empty(self) -> None:
        """Remove all containers, with their data and with what was done to their networks."""
        for container in self.containers.values():
            with contextlib.suppress(NotFound):
                container.remove(force=True, v=True)
        self.containers.clear()

    def close(self) -> None:
        """Remove everything."""
        self.empty()
        self.network.remove()

    # -- what a test begins with ---------------------------------------------------------------------------

    def ready(self, build: Callable[[Any], None], request: pytest.FixtureRequest) -> None:
        """The state that a test asks for with its mark served, whatever the test before has done.

        What a failed test has left is built again: nobody knows all that is still changed in it. So is what
        is in another state than asked for, so that each test can be run alone.
        """
        mark = request.node.get_closest_marker("served")
        desired: tuple[int, ...] = mark.args if mark else ()
        is_new = self.spoilt or not self.containers
        shards = self.served() if desired and not is_new else 0
        if is_new or (desired and shards not in desired):
            self.spoilt = True
            self.empty()
            build(self)
            shards = desired[0] if desired else 0
            if shards:
                self.serve(shards)
            self.spoilt = False
        if shards:
            self.wait(lambda: self.healthy(shards), 200)

    def served(self) -> int:
        """The number of shards of a cluster that is registered, 0 for one that is not."""
        quote = '"' if self.postgres else "`"
        account, state = (f"{quote}{store}{quote}.{table}" for store, table in STATE_TABLES)
        databases = "pg_namespace WHERE nspname" if self.postgres else "information_schema.schemata WHERE schema_name"
        if self.sql(f"SELECT COUNT(*) FROM {databases} IN ('configStore', 'clusterStore')") != ["2"]:
            return 0
        found = self.sql(f"SELECT s.shards FROM {state} s, {account} a WHERE a.state = 'registered'")
        return int(found[0]) if found else 0

    def serve(self, shards: int) -> None:
        """Register, and set the shards."""
        self.register()
        self.wait(lambda: self.healthy(1), 200)
        if shards > 1:
            self.on_primary("POST", "/account/shards", {**ACCOUNT, "shards": shards, "cert": CERT})

    def healthy(self, shards: int) -> bool:
        """Whether as many shards as can be have an owner, all other coreapps stand by, and a master is primary."""
        coreapps = [kind for kind in self.containers if kind.startswith("coreapp")]
        owned, owners = min(shards, len(coreapps)), self.owners()
        complete = owners.keys() == {-1, *owners.keys()} and len(owners.keys() - {-1}) == owned
        return complete and len(self.standbys()) == len(coreapps) - owned and self.primary() is not None

    @contextlib.contextmanager
    def settings(self, **changed: object) -> Iterator[dict[str, Any]]:
        """Other application settings, and the product's own afterwards, whatever happens; the value is the answer."""
        try:
            yield self.on_primary("PATCH", "/settings/application", changed)["application"]
        finally:
            back = self.on_primary("DELETE", "/settings/application")["application"]
            # An owner that heard of a longer interval may rely on it until it hears otherwise.
            time.sleep(HEARD_OF / self.divisor)
        assert {name: back[name] for name in changed} == {name: DEFAULTS[name] for name in changed}

    def rule_that_replaced(self, before: str) -> str:
        """By which rule the masters took an owner for dead the last time, as the primary logs it."""
        masters = [kind for kind in self.containers if kind.startswith("master")]
        # Which of them was primary at the time may change: what they say is put in the order of time.
        said = sorted(
            line for kind in masters for line in self.containers[kind].logs(timestamps=True).decode().splitlines()
        )
        found = re.findall(rf"Shard \d+: {before}:{before} -> \S+ \((\w+)\)", "\n".join(said))
        return found[-1] if found else ""

    # -- looking -------------------------------------------------------------------------------------------

    def call(self, kind: str, port: int, method: str, path: str, body: Any = None) -> Any:
        """One request to a node, at the address of its container. Raises CoreError; 1014 when nobody answers."""
        data = None if body is None else msgspec.json.encode(body)
        connection = http.client.HTTPConnection(self.address(kind), port, timeout=5)
        try:
            connection.request(method, path, data)
            answer = connection.getresponse()
            content = answer.read()
        except OSError as error:
            raise CoreError(1014, str(error)) from error
        finally:
            connection.close()
        if answer.status != 200:
            raise CoreError.of_reply(answer.status, content)
        return msgspec.json.decode(content)

    def address(self, kind: str) -> str:
        """The IP address of a container, now. Raises CoreError 1014 while it is not running."""
        container = self.containers[kind]
        container.reload()
        if container.status != "running":
            raise CoreError(1014, f"{kind} is {container.status}")
        return container.attrs["NetworkSettings"]["Networks"][self.name]["IPAddress"]

    def status(self, kind: str) -> NodeStatus | int | None:
        """What a node says of itself: its status, its error code, or None when it does not answer."""
        try:
            return msgspec.convert(self.call(kind, 6252, "GET", "/status"), NodeStatus)
        except CoreError as error:
            return None if error.code == 1014 else error.code

    def statuses(self) -> dict[str, NodeStatus | int | None]:
        """Of all nodes."""
        return {kind: self.status(kind) for kind in self.containers if kind != "db"}

    def owners(self) -> dict[int, str]:
        """Shard to the node that is connected for it. Two at once fail the test: that is a split brain."""
        found: dict[int, str] = {}
        for kind, status in self.statuses().items():
            if isinstance(status, NodeStatus) and status.gateway_status == "connected":
                for first, last in status.shards:
                    for shard in range(first, last + 1):
                        assert shard not in found, f"{found[shard]} and {kind} are both connected for {shard}"
                        found[shard] = kind
        return found

    def only_owner(self) -> str | None:
        """The sole owner, by what the nodes say.

        Which one that is depends on who answered in time: rules are proved in tests/unit, where nobody is late.
        """
        return sole_owner(self.owners())

    def standbys(self) -> set[str]:
        """Coreapps that are booted and hold nothing."""
        return {
            kind
            for kind, status in self.statuses().items()
            if kind.startswith("coreapp") and isinstance(status, NodeStatus) and status.gateway_status == "disconnected"
        }

    def primary(self) -> str | None:
        """The node that says it is the primary master. Two at once fail the test."""
        primaries = [
            kind for kind, s in self.statuses().items() if isinstance(s, NodeStatus) and s.role == "primary_master"
        ]
        assert len(primaries) <= 1
        return primaries[0] if primaries else None

    def sql(self, statement: str) -> list[str]:
        """Rows of a query, tab-separated."""
        client = ["mariadb", "-uroot", "-ptestpass", "-N", "-e", statement]
        if self.postgres:
            client = ["psql", "-U", "root", "-d", "postgres", "-AtF", "\t", "-c", statement]
        result = self.containers["db"].exec_run(client)
        assert result.exit_code == 0, result.output.decode()
        return result.output.decode().splitlines()

    def seconds_until(self, done: Callable[[], object], within: float) -> float:
        """Product seconds until something is true; fails after within (and a little for the machine)."""
        started = time.monotonic()
        while not done():
            self.hurry()
            if time.monotonic() - started > within / self.divisor + SLACK:
                pytest.fail(f"not within {within} product seconds: {self.statuses()}\n{self.logs()}")
            time.sleep(0.02)
        return (time.monotonic() - started) * self.divisor

    def replaced(self, before: str, within: float = 60) -> float:
        """Product seconds until another coreapp has taken over all there is."""
        return self.seconds_until(lambda: self.only_owner() not in (None, before), within)

    def wait(self, what: Callable[[], T], within: float) -> T:
        """Until something is true, at most so many product seconds (and a little for the machine)."""
        deadline = time.monotonic() + within / self.divisor + SLACK
        while True:
            value = what()
            if value:
                return value
            self.hurry()
            if time.monotonic() > deadline:
                pytest.fail(f"not within {within} product seconds: {self.statuses()}\n{self.logs()}")
            time.sleep(0.05)

    def logs(self) -> str:
        """The last lines of all nodes, for a failure."""
        return "\n".join(f"--- {kind}\n{c.logs(tail=15).decode()}" for kind, c in self.containers.items())

    # -- doing ---------------------------------------------------------------------------------------------

    def hurry(self) -> None:
        """Start what Docker holds back: each restart of a container that ran for less than 10 s waits twice as long.

        A test that has the coreapps restarted a dozen times would wait for the engine most of its time.
        """
        if time.monotonic() - self._checked_at < BACKOFF_CHECK:
            return
        self._checked_at = time.monotonic()
        waiting = self.engine.api.containers(filters={"name": self.name, "status": "restarting"}, quiet=True)
        found = {container["Id"] for container in waiting}
        for container in found & self._held_back:
            with contextlib.suppress(NotFound):
                self.engine.api.restart(container, timeout=1)
        self._held_back = found - self._held_back

    def end(self, *kinds: str) -> float:
        """End nodes as a loss of power does: the product seconds that the engine took. They died within them."""
        started = time.monotonic()
        for kind in kinds:
            self.containers[kind].kill()
        return (time.monotonic() - started) * self.divisor

    def cut(self, kind: str, away: str, *, on: bool) -> None:
        """Drop everything from one container to another: a route in its network name space that leads nowhere."""
        address, pid = self.address(away), str(self.containers[kind].attrs["State"]["Pid"])
        route = ["ip", "route", "add" if on else "del", "blackhole", address]
        subprocess.run(["nsenter", "-t", pid, "-n", *route], check=True)

    def on_primary(self, method: str, path: str, body: Any = None) -> Any:
        """One request to the primary, again while there is none. Raises CoreError."""
        while True:
            try:
                return self.call(self.wait(self.primary, 60), 6252, method, path, body)
            except CoreError as error:
                if error.code not in (1011, 1017):  # primary for no time yet, or no more: nothing was done
                    raise

    def register(self) -> None:
        """Request a code, verify it."""
        self.wait(lambda: self.code_requested("sms"), 60)
        self.on_primary("POST", "/account/verify", {"code": "123456"})

    def code_requested(self, method: str) -> bool:
        """Whether a code was sent; what a cluster that has just started answers is to be tried again."""
        primary = self.primary()
        if primary is None:
            return False
        request = {**ACCOUNT, "method": method, "cert": CERT}
        try:
            return bool(self.call(primary, 6252, "POST", "/account", request)["http_status"] == 202)
        except CoreError as error:
            assert error.code in (1011, 1014, 1017), error
            return False

    def send(self, kind: str, wa_id: str = "15550001") -> None:
        """One text message to a node. Raises CoreError."""
        message = {"id": os.urandom(8).hex(), "to": wa_id, "wa_id": wa_id, "type": "text", "body": {"text": {}}}
        self.call(kind, 6250, "POST", "/messages", message)


@pytest.fixture(scope="module")
def new_cluster(engine: docker.DockerClient) -> Iterator[Callable[..., Cluster]]:
    """Makes clusters; their containers and networks go when the module is done."""
    made: list[Cluster] = []

    def make(name: str, **environment: str) -> Cluster:
        cluster = Cluster(engine, name, **environment)
        made.append(cluster)
        return cluster

    yield make
    for cluster in made:
        cluster.close()
