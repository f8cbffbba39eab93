"""One docker-compose project made from a file of setups/, and the API of its webapp as a person with curl sees it."""

from __future__ import annotations

import base64
import collections
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import time
import typing as t
from pathlib import Path

import docker
import pytest
from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE
from docker.models.containers import Container

SETUPS = Path(__file__).parent / "setups"
PACKAGES = Path(__file__).parents[3] / "tools" / "packages.sh"
VERSION = os.environ.get("WAEMU_TEST_VERSION", "v2.19.4").removeprefix("v")
PREFIX = os.environ.get("WAEMU_TEST_PREFIX", "emu") + "-compose"
PASSWORD = "Compose-Password-1"
CERT = "Q2VydA=="


def program() -> str:
    """docker-compose 1.29, installed from Debian where that can be done; skips the test where it cannot."""
    found = shutil.which("docker-compose")
    if found:
        return found
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        pytest.skip("docker-compose is not installed (Debian's package docker-compose), and only root could install it")
    install = [str(PACKAGES), "The test of the published set-ups", "docker-compose"]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    found = shutil.which("docker-compose")
    if not found:
        pytest.skip(f"docker-compose could not be installed from Debian: {done.stderr.strip()[-200:]}")
    return found


_given: set[int] = set()  # ports that were found free here and may not be taken yet


def free_ports(count: int, first: int = 0) -> int:
    """The first of so many ports in a row that nobody listens on; from a given one where that is free."""
    starts = range(20000 + os.getpid() % 100 * 100, 32000, count)
    for start in [first, *starts] if first else starts:
        ports = set(range(start, start + count))
        if not ports & _given and all(_is_free(port) for port in ports):
            _given.update(ports)
            return start
    raise RuntimeError(f"no {count} free ports in a row in {starts}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True


class Project:
    """A directory with a compose file and its db.env, as a person would copy it to a server. Times are real seconds."""

    def __init__(self, name: str, file: str, directory: Path, **environment: str) -> None:
        """environment: what stands before docker-compose on the command line."""
        self.program = program()
        self.name = f"{PREFIX}-{name}-{os.urandom(3).hex()}"
        self.file = SETUPS / file
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        for source in (self.file, self.file.parent / "db.env"):
            shutil.copy(source, directory)
        self.environment = {**os.environ, "WA_API_VERSION": VERSION, **environment}
        # The one to which docker-compose talks, which may be another machine's.
        self.engine = docker.from_env(timeout=60, environment=self.environment)
        self.webapp = ""  # host:port of the API
        self.token = ""

    def db_env(self, **changes: str) -> None:
        """Change values of db.env, or add some."""
        path = self.directory / "db.env"
        values = dict(line.split("=", 1) for line in path.read_text().splitlines())
        path.write_text("".join(f"{name}={value}\n" for name, value in {**values, **changes}.items()))

    def compose(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run docker-compose with this file; the test fails when it does."""
        command = [self.program, "-p", self.name, "-f", self.file.name, *arguments]
        done = subprocess.run(
            command,
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr[-3000:]}\n{self.logs()}"
        return done

    def up(self, *services: str) -> None:
        """docker-compose up -d."""
        self.compose("up", "-d", *services)

    def down(self) -> None:
        """docker-compose down -v."""
        self.compose("down", "-v", "-t", "0")

    def container(self, service: str) -> Container:
        """The one container of a service."""
        labels = [f"com.docker.compose.project={self.name}", f"com.docker.compose.service={service}"]
        (found,) = self.engine.containers.list(all=True, filters={"label": labels})
        return found

    def key(self, service: str, host: str = "") -> str:
        """How health names the node of a service."""
        return f"{host or service}:{self.container(service).attrs['Config']['Hostname']}"

    def logs(self) -> str:
        """The last lines of all containers, for a failure."""
        label = {"label": f"com.docker.compose.project={self.name}"}
        found = self.engine.containers.list(all=True, filters=label)
        return "\n".join(f"--- {one.name}\n{one.logs(tail=15).decode(errors='replace')}" for one in found)

    # -- the API -------------------------------------------------------------------------------------------

    def call(self, method: str, path: str, body: t.Any = None, auth: str = "") -> tuple[int, t.Any]:
        """Status and body; (0, None) while nobody answers."""
        context = ssl._create_unverified_context()  # the images' own certificate is self-signed
        connection = http.client.HTTPSConnection(self.webapp, timeout=15, context=context)
        headers = {"Content-Type": "application/json", "Authorization": auth or f"Bearer {self.token}"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            return 0, None
        finally:
            connection.close()
        is_json = answer.headers.get_content_type() == "application/json"
        return answer.status, json.loads(content) if is_json else content

    def until(self, what: str, test: t.Callable[[], t.Any]) -> t.Any:
        """The first true answer."""
        deadline = time.monotonic() + PATIENCE
        while not (found := test()):
            if time.monotonic() > deadline:
                pytest.fail(f"no {what} within {PATIENCE:.0f} s: {self.call('GET', '/v1/health')}\n{self.logs()}")
            time.sleep(0.1)
        return found

    def log_in(self) -> None:
        """The first login, which has to change the password (6.2); before that the balancer's probe."""
        self.until("web server", lambda: self.call("GET", "/")[0] == 200)
        basic = "Basic " + base64.b64encode(b"admin:secret").decode()

        def login() -> bool:
            status, body = self.call("POST", "/v1/users/login", {"new_password": PASSWORD}, basic)
            if status == 200:
                self.token = body["users"][0]["token"]
            return status == 200

        self.until("login", login)
        again = self.call("POST", "/v1/users/login", None, basic)
        assert again[0] == 401, again

    def register(self, phone_number: str, code: t.Callable[[], str]) -> None:
        """Request a code, wait until WhatsApp has sent it, verify it."""
        request = {"cc": "1", "phone_number": phone_number, "method": "sms", "cert": CERT}
        self.until("registration code", lambda: self.call("POST", "/v1/account", request)[0] == 202)

        def verified() -> bool:
            # Of a call whose answer was lost nobody knows whether it was carried out.
            taken = self.call("POST", "/v1/account/verify", {"code": code()})[0] == 201
            return taken or self.number() == "1" + phone_number

        self.until("registration", verified)
        assert self.call("POST", "/v1/account", request)[0] == 201  # already registered

    def number(self) -> str:
        """The number that is registered; empty while there is no good answer."""
        status, body = self.call("GET", "/v1/support")
        return str(body["support"].get("debug_info", "")) if status == 200 else ""

    def health(self) -> dict[str, t.Any]:
        """The part below health, empty while there is no good answer."""
        status, body = self.call("GET", "/v1/health")
        return body["health"] if status == 200 else {}

    def states(self) -> collections.Counter[tuple[str, str]]:
        """How many nodes have which role and gateway status."""
        return collections.Counter((one.get("role"), one.get("gateway_status")) for one in self.health().values())

    def send(self, wa_id: str) -> str:
        """The id of a text message that was taken, empty when it was not."""
        status, body = self.call("POST", "/v1/messages", {"to": wa_id, "type": "text", "text": {"body": "hello"}})
        return body["messages"][0]["id"] if status == 201 else ""
