"""Clusters of emulator containers with a gateway, for benchmarks and chaos scripts. Everything made is removed."""

from __future__ import annotations

import contextlib
import os
import ssl
import time
import typing as t
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import docker
import msgspec
from ansible_collections.waent.fleet.emulator.build import GATEWAY as GATEWAY_IMAGE
from ansible_collections.waent.fleet.emulator.build import MARIADB
from ansible_collections.waent.fleet.tests.support.this_machine import machine_seen_by
from docker.errors import NotFound
from docker.models.containers import Container
from waemu.probe import Options

VERSION = os.environ.get("WAEMU_TEST_VERSION", "v2.19.4")
PREFIX = os.environ.get("WAEMU_TEST_PREFIX", "emu-gw")
GATEWAY = os.environ.get("WAEMU_TEST_GATEWAY", GATEWAY_IMAGE)
PASSWORD = "Bench-Password-1"
START = ["/opt/whatsapp/bin/wait_on_mysql.sh", "/opt/whatsapp/bin/launch_within_docker.sh"]
ACCOUNT = {"cc": "1", "phone_number": "5550100"}
CERT = "Q2VydA=="
RETRY = (500, 503)  # statuses of 1011, 1014, 1017: what was asked for may be asked for again
DATABASE = {
    "WA_DB_ENGINE": "MYSQL",
    "WA_DB_HOSTNAME": "db",
    "WA_DB_PORT": "3306",
    "WA_DB_USERNAME": "root",
    "WA_DB_PASSWORD": "testpass",
    "WA_APP_MULTICONNECT": "1",
}


class Failed(Exception):
    """The cluster did not do what it should; one sentence."""


class Rig:
    """One cluster on a network of its own. Times are real seconds."""

    def __init__(self, name: str, *, divisor: float = 1.0) -> None:
        self.engine = docker.from_env(timeout=120)
        self.name = f"{PREFIX}-{name}-{os.urandom(3).hex()}"
        self.divisor = divisor
        self.network = self.engine.networks.create(self.name)
        self.containers: dict[str, Container] = {}
        self._token = ""

    def __enter__(self) -> Rig:
        return self

    def __exit__(self, *_error: object) -> None:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self._remove, self.containers.values()))
        self.network.remove()

    @staticmethod
    def _remove(container: Container) -> None:
        with contextlib.suppress(NotFound):
            container.remove(force=True, v=True)

    # -- starting ------------------------------------------------------------------------------------------

    def start(self, *, masters: int, coreapps: int, webapps: int) -> None:
        """Database, gateway, nodes; returns when the last container was started."""
        self.run("db", MARIADB, {"MYSQL_ROOT_PASSWORD": "testpass"}, command=["--max-connections=2000"])
        self.run("gateway", GATEWAY, {"WAEMU_TIME_DIVISOR": str(self.divisor)})
        for index in range(1, masters + 1):
            self.node(f"master{index}")
        for index in range(1, webapps + 1):
            self.webapp(f"web{index}")
        for index in range(1, coreapps + 1):
            self.node(f"coreapp{index:02d}")

    def node(self, kind: str) -> Container:
        """A master or coreapp."""
        environment = {
            **DATABASE,
            "COREAPP_HOSTNAME": kind,
            "WAEMU_TIME_DIVISOR": str(self.divisor),
            "WAEMU_GATEWAY_URL": "http://gateway:5222",
            **({"WA_MASTER_NODE": "1"} if kind.startswith("master") else {}),
        }
        return self.run(kind, f"docker.whatsapp.biz/coreapp:{VERSION}", environment, command=START)

    def webapp(self, kind: str) -> Container:
        """A webapp without rate limits."""
        environment = {
            **DATABASE,
            "WA_WEB_JWT_CRYPTO_KEY": "benchmark-key-that-is-long-enough-for-it",
            "WAEMU_RATE_LIMIT_FACTOR": "0",
            "WAEMU_TIME_DIVISOR": str(self.divisor),
        }
        return self.run(kind, f"docker.whatsapp.biz/web:{VERSION}", environment, command=START)

    def run(self, kind: str, image: str, environment: dict[str, str], *, command: list[str] | None = None) -> Container:
        """Start one container; kind is its host name."""
        container = self.engine.containers.create(
            image,
            command=command,
            name=f"{self.name}-{kind}",
            hostname=kind,
            environment=environment,
            labels={"waent.fleet.cluster": self.name},
            restart_policy={"Name": "unless-stopped"},
        )
        self.containers[kind] = container
        self.network.connect(container, aliases=[kind])
        container.start()
        return container

    # -- asking --------------------------------------------------------------------------------------------

    def address(self, kind: str) -> str:
        """The address of a container now."""
        container = self.containers[kind]
        container.reload()
        return container.attrs["NetworkSettings"]["Networks"][self.name]["IPAddress"]

    @property
    def host(self) -> str:
        """The address of this machine in the cluster's network."""
        return machine_seen_by(self.containers["db"])

    @property
    def gateway(self) -> str:
        """URL of the gateway's admin side."""
        return f"http://{self.address('gateway')}:8080"

    def webapps(self) -> tuple[str, ...]:
        """URLs of all webapps."""
        return tuple(f"https://{self.address(kind)}" for kind in self.containers if kind.startswith("web"))

    def options(self, **more: t.Any) -> Options:
        """For a probe of this cluster."""
        return Options(webapps=self.webapps(), gateway=self.gateway, password=PASSWORD, **more)

    def ask(self, method: str, url: str, body: t.Any = None, **headers: str) -> tuple[int, t.Any]:
        """Status and body; (0, None) while nobody answers. A body that is text goes as it is."""
        data = body.encode() if isinstance(body, str) else None if body is None else msgspec.json.encode(body)
        request = urllib.request.Request(url, data, method=method, headers=headers)
        request.add_header("Content-Type", "text/plain" if isinstance(body, str) else "application/json")
        context = ssl._create_unverified_context()  # the images' own certificate is self-signed
        try:
            with urllib.request.urlopen(request, timeout=15, context=context) as reply:
                return reply.status, msgspec.json.decode(reply.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, None
        except OSError:
            return 0, None

    def api(self, method: str, path: str, body: t.Any = None) -> tuple[int, t.Any]:
        """One call to the first webapp."""
        url = f"https://{self.address('web1')}/v1{path}"
        return self.ask(method, url, body, Authorization=f"Bearer {self._token}")

    def upload(self, path: str, text: str) -> None:
        """POST a text. Raises Failed."""
        status, _ = self.api("POST", path, text)
        if status != 200:
            raise Failed(f"{path} answered {status}")

    def receipts(self, statuses: t.Collection[str]) -> dict[tuple[str, str], float]:
        """When the gateway reported which status of which message (Unix time)."""
        found: dict[tuple[str, str], float] = {}
        entries, after = [{}], 0
        while entries:
            entries = self.admin("GET", f"/ledger?after={after}")
            for entry in entries:
                after = entry["seq"]
                found |= {(entry["id"], name): entry[f"{name}_at"] for name in statuses if entry[f"{name}_at"]}
        return found

    def admin(self, method: str, path: str, body: t.Any = None) -> t.Any:
        """One call to the gateway. Raises Failed."""
        status, answer = self.ask(method, self.gateway + path, body)
        if status != 200:
            raise Failed(f"the gateway answered {method} {path} with {status}: {answer}")
        return answer

    def until(self, what: str, test: t.Callable[[], t.Any], seconds: float = 120.0, *, every: float = 0.2) -> float:
        """Seconds until something is true. Raises Failed."""
        started = time.monotonic()
        while not test():
            if time.monotonic() - started > seconds:
                raise Failed(f"{what}: not within {seconds:.0f} s")
            time.sleep(every)
        return time.monotonic() - started

    def nodes(self) -> dict[str, dict[str, t.Any]]:
        """What health says, by node key; empty while it says nothing."""
        status, body = self.api("GET", "/health")
        return body["health"] if status == 200 else {}

    def connected(self) -> int:
        """How many coreapps are connected."""
        nodes = self.nodes().values()
        return sum(node.get("role") == "coreapp" and node.get("gateway_status") == "connected" for node in nodes)

    def owners(self) -> dict[int, str]:
        """Shard to the kind of the node that is connected for it, as the gateway sees it."""
        links = self.admin("GET", "/connections")
        return {shard: link["node"].rpartition(":")[2] for link in links for shard in link["shards"]}

    # -- doing ---------------------------------------------------------------------------------------------

    def log_in(self) -> None:
        """Set the password and get a token."""
        basic = "Basic YWRtaW46c2VjcmV0"  # admin:secret, as the product ships
        url = f"https://{self.address('web1')}/v1/users/login"

        def login() -> bool:
            status, body = self.ask("POST", url, {"new_password": PASSWORD}, Authorization=basic)
            if status == 200:
                self._token = body["users"][0]["token"]
            return status == 200

        self.until("login", login)

    def register(self) -> None:
        """Get a code from the gateway and register with it."""
        self.log_in()
        request = {**ACCOUNT, "method": "sms", "cert": CERT}
        self.until("registration code", lambda: self.api("POST", "/account", request)[0] == 202)
        number = ACCOUNT["cc"] + ACCOUNT["phone_number"]
        code = self.admin("GET", f"/numbers/{number}")["code"]
        self.call_until_taken("/account/verify", {"code": code})
        self.until("first connection", lambda: self.connected() == 1)

    def call_until_taken(self, path: str, body: t.Any) -> None:
        """POST until 201: a busy machine may be without a primary master for a moment (1011, 1017). Raises Failed."""
        seen = 0

        def taken() -> bool:
            nonlocal seen
            seen, _ = self.api("POST", path, body)
            return seen not in RETRY

        self.until(f"POST {path} without {', '.join(map(str, RETRY))}", taken, 60.0, every=0.5)
        if seen != 201:
            raise Failed(f"{path} answered {seen}")

    def set_shards(self, shards: int) -> float:
        """Seconds until so many coreapps are connected; there are others than so many before."""
        started = time.monotonic()
        self.call_until_taken("/account/shards", {**ACCOUNT, "shards": shards, "cert": CERT})

        def assigned() -> bool:
            return self.connected() == shards and len(self.owners()) == shards + 1

        # A busy machine with a fast clock can be done before anybody sees that nobody was connected.
        self.until("restart", lambda: self.connected() == 0 or assigned(), 60)
        self.until(f"{shards} connected", assigned, 300)
        return time.monotonic() - started
