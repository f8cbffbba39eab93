# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster that docker-compose has started from a published set-up, and this collection is to take over.

The set-ups are those of the emulator's own tests, and so is what a person does with them: up, first login, registered.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

import docker
import docker.errors
import yaml
from ansible_collections.waent.fleet.emulator.build import MARIADB
from ansible_collections.waent.fleet.emulator.tests.compose.project import PASSWORD, Project, free_ports
from ansible_collections.waent.fleet.tests.support.checkout import ROOT
from ansible_collections.waent.fleet.tests.support.container_hosts import DATABASE_IMAGE, ContainerHosts
from ansible_collections.waent.fleet.tests.support.engine_ports import run_with_ports
from ansible_collections.waent.fleet.tests.support.killable_runs import KillableRuns
from ansible_collections.waent.fleet.tests.support.live_cluster import CODE, GATEWAY_IMAGE, _call
from ansible_collections.waent.fleet.tests.support.playbook_runs import Run, environment, play
from ansible_collections.waent.fleet.tests.support.this_machine import machine_address
from ansible_collections.waent.fleet.tests.support.tls_servers import NAME, Server
from ansible_collections.waent.fleet.tests.support.tls_servers import PASSWORD as TLS_PASSWORD
from waemu.probe import Options, Probe

DIVISOR = "4"
CERT = "Q2VydA=="
NUMBER = "5550100255"
HOST = "adopted"
CA_INSIDE = "/opt/certs/ca.pem"
NODES = ("webapp", "master", "coreapp")
AWAY = {"ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_connection": "ssh"}
"""A host where nobody answers."""


class Setup(t.NamedTuple):
    """One of the published set-ups. services: in the order in which a person starts them, the first ones together.

    shards: how many the cluster gets. compose: the numbers of nodes by kind that docker-compose starts.
    """

    name: str
    file: str
    services: tuple[str, ...]
    shards: int
    nodes: t.Mapping[str, int]


SINGLE = Setup("single", "docker-compose.yml", (), 1, {"webapp": 1, "coreapp": 1})
DEVELOPMENT = Setup("multi", "multiconnect-compose.yml", (), 2, {"webapp": 1, "master": 2, "coreapp": 3})
POSTGRES = DEVELOPMENT._replace(name="postgres", file="postgres/multiconnect-compose.yml")


PRODUCTION = Setup("prod", "prod-multiconnect-compose.yml", (), 1, {"webapp": 1, "master": 2, "coreapp": 2})
TWO_MACHINES = PRODUCTION._replace(name="two-machines")

MACHINES = FIRST, SECOND = ("first", "second")
MYSQL = """\
  db:
    image: {0}
    environment: {{MYSQL_ROOT_PASSWORD: testpass}}
    ports: ["3306:3306"]
    restart: unless-stopped
""".format(DATABASE_IMAGE)
"""The service that somebody has added."""


class ComposeCluster(KillableRuns):
    """One on this machine's engine, with a gateway. Everything made is removed."""

    def __init__(self, home: Path, setup: Setup) -> None:
        self.home, self.setup = home, setup
        self.engine = docker.from_env(timeout=120)
        self.prefix = "adopt-" + os.urandom(3).hex()
        self.gateway_url = self.link = ""
        """Of the gateway: where it is asked, and where nodes connect to."""
        self.inventory = home / "adopted"
        self.address = machine_address(self.engine, GATEWAY_IMAGE)
        self.projects: list[Project] = []

    @property
    def project(self) -> Project:
        """The one with the webapp."""
        return self.projects[0]

    def _made(self) -> list[Project]:
        """The compose projects; the first has the webapp."""
        first = free_ports(2)
        ports = {"EXTERNAL_WEBAPP_PORT": str(first), "EXTERNAL_DB_PORT": str(first + 1)}
        project = Project("adopt-" + self.setup.name, self.setup.file, self.home / "compose", **ports)
        project.webapp = f"127.0.0.1:{first}"
        return [project]

    def _up(self) -> None:
        """What a person starts."""
        self.project.up(*self.setup.services)

    def __enter__(self) -> ComposeCluster:
        try:
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self.remove()

    def start(self) -> None:
        """Gateway, docker-compose up, first login, registration, shards, healthy."""
        self._start_gateway()
        self.projects = self._made()
        for project in self.projects:
            project.db_env(WAEMU_TIME_DIVISOR=DIVISOR, WAEMU_GATEWAY_URL=self.link)
        self._up()
        self.project.log_in()
        self.project.register(NUMBER, lambda: CODE)
        if self.setup.shards > 1:
            body = {"cc": "1", "phone_number": NUMBER, "shards": self.setup.shards, "cert": CERT}
            self.project.until("shards", lambda: self.project.call("POST", "/v1/account/shards", body)[0] == 201)
        self.project.until("service", self.serves)

    def _start_gateway(self) -> None:
        gateway = run_with_ports(
            self.engine, GATEWAY_IMAGE, name=self.prefix + "-gateway",
            environment={"WAEMU_TIME_DIVISOR": DIVISOR, "WAEMU_REGISTRATION_CODE": CODE},
            ports={"5222/tcp": None, "8080/tcp": ("127.0.0.1", None)},
        )  # fmt: skip
        ports = {inside: mapped[0]["HostPort"] for inside, mapped in gateway.ports.items()}
        self.gateway_url = "http://127.0.0.1:" + ports["8080/tcp"]
        self.link = "http://{0}:{1}".format(self.address, ports["5222/tcp"])

    def serves(self) -> bool:
        """Whether every shard is connected for, as the gateway sees it."""
        served = sorted(shard for link in self.connections() for shard in link["shards"] if shard >= 0)
        return served == list(range(self.setup.shards))

    def connections(self) -> list[dict[str, t.Any]]:
        """Who is connected for which shards."""
        found: list[dict[str, t.Any]] = _call(self.gateway_url + "/connections")
        return found

    def remove(self) -> None:
        """What docker-compose has made, what adopt.yml has, and the gateway."""
        label = {"label": "waent.fleet.cluster=" + self.prefix}
        for one in self.engine.containers.list(all=True, filters=label):
            one.remove(force=True, v=True)
        with contextlib.suppress(docker.errors.NotFound):
            self.engine.containers.get(self.prefix + "-gateway").remove(force=True)
        for project in self.projects:
            project.down()
        for kind in (self.engine.networks, self.engine.volumes):
            for one in kind.list(filters=label):
                one.remove()

    # -- playbooks -----------------------------------------------------------------------------------------

    def hosts(self) -> dict[str, dict[str, t.Any]]:
        """How Ansible reaches each host, by its name."""
        return {HOST: {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}}

    def first_inventory(self, away: t.Mapping[str, t.Any] | None = None, **variables: t.Any) -> Path:
        """What somebody writes who knows the hosts, the number and the password, and nothing of this collection.

        away: one more host, if there is one.
        """
        given = {
            "wa_cluster_name": self.prefix, "wa_name_prefix": self.prefix, "wa_admin_password": PASSWORD,
            "wa_cert": CERT, "wa_validate_certs": False, "wa_disk_free_mb": 100,
            # On a clock that runs faster a busy machine misses heartbeats.
            "wa_planned_heartbeat_interval": 3, "wa_planned_unhealthy_interval": 15, "wa_planned_wait_seconds": 1,
            "wa_rollout_error_seconds": 0.5, **variables,
        }  # fmt: skip
        path = self.home / "found.yml"
        hosts = {**self.hosts(), **({"away": dict(away)} if away else {})}
        path.write_text(yaml.safe_dump({"wa_adopt_hosts": {"hosts": hosts, "vars": given}}))
        return path

    def describe(self, *more: str, into: bool = True, **variables: t.Any) -> Run:
        """adopt.yml with the first inventory. into: whether it is said where to write."""
        inventory = str(self.first_inventory(**variables))
        where = ("-e", "into={0}".format(self.inventory)) if into else ()
        return play("playbooks/adopt.yml", "-i", inventory, *where, *more)

    def beside_one_that_is_away(self) -> Run:
        """adopt.yml, confirmed, with the inventory that was written and a host more, which does not answer."""
        hosts = self.written("hosts.yml")
        hosts["all"]["hosts"]["away"] = {**AWAY, "rack": "b"}
        hosts["all"]["children"]["wa_cluster"]["hosts"] = {"away": None}
        beside = self.home / "beside"
        shutil.copytree(self.inventory, beside)
        (beside / "hosts.yml").write_text(yaml.safe_dump(hosts))
        return play("playbooks/adopt.yml", "-i", str(beside), "-e", "confirm=yes")

    def play(self, playbook: str, *more: str, **extra: str) -> Run:
        """A playbook with the inventory that was written."""
        return play("playbooks/" + playbook, "-i", str(self.inventory), *more, **extra)

    def written(self, name: str) -> dict[str, t.Any]:
        """A file of that inventory, in clear."""
        found: dict[str, t.Any] = yaml.safe_load((self.inventory / name).read_text())
        return found

    def begin(self, playbook: str, *more: str, **extra: str) -> tuple[subprocess.Popen[bytes], Path]:
        """Start a playbook with the inventory that was written; its output goes to the file."""
        log = self.home / "killed.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                ["ansible-playbook", "playbooks/" + playbook, "-i", str(self.inventory), *more],
                cwd=ROOT, env=environment(**extra), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        return process, log

    # -- what is there -------------------------------------------------------------------------------------

    def containers(self) -> dict[str, str]:
        """Name of every container of the compose projects to its id."""
        return {
            one.name: one.id
            for project in self.projects
            for one in project.engine.containers.list(
                all=True, filters={"label": "com.docker.compose.project=" + project.name}
            )
        }

    def engines(self) -> dict[str, docker.DockerClient]:
        """Of each host, by its name."""
        return {HOST: self.engine}

    def nodes(self) -> dict[str, tuple[str, str]]:
        """Host and name of every node of this collection to its id and the moment it was started last."""
        label = {"label": "waent.fleet.cluster=" + self.prefix}
        return {
            "{0}/{1}".format(host, one.name): (one.id, one.attrs["State"]["StartedAt"])
            for host, engine in self.engines().items()
            for one in engine.containers.list(all=True, filters=label)
        }

    def adopted(self) -> dict[str, int]:
        """How many nodes of each kind there are when it is adopted: of a single instance the least for availability."""
        single = {"webapp": 1, "master": 2, "coreapp": 2}
        return dict(self.setup.nodes) if "master" in self.setup.nodes else single

    def volumes(self) -> set[str]:
        """The volumes of the compose projects."""
        label = "com.docker.compose.project="
        projects = [one.engine.volumes.list(filters={"label": label + one.name}) for one in self.projects]
        return {volume.name for found in projects for volume in found}

    def probe(self, rate: float = 10.0) -> Probe:
        """A sender of messages through the webapp."""
        return Probe(
            Options(
                webapps=("https://" + self.project.webapp,), gateway=self.gateway_url, password=PASSWORD,
                rate=rate, seconds=3600, shards=self.setup.shards,
            )
        )  # fmt: skip


class ProductionCluster(ComposeCluster):
    """The production set-up twice on this machine, on other ports than usual, with an external volume for media.

    The database is elsewhere: in a container that no compose file knows.
    """

    def _made(self) -> list[Project]:
        # Four a node: the coreapps of both, and the masters in between.
        core, web = free_ports(16), free_ports(2)
        self.ports = (web, web + 1)
        return [self._one(number, core + 8 * number) for number in range(2)]

    def _one(self, number: int, core: int) -> Project:
        ports = {f"EXTERNAL_COREAPP_PORT{n}": str(core + n) for n in range(4)}
        ports |= {f"EXTERNAL_MASTER_PORT{n}": str(core + 4 + n) for n in range(4)}
        ports |= {"EXTERNAL_HOSTNAME": self.address, "EXTERNAL_WEBAPP_PORT": str(self.ports[0])}
        project = Project(f"adopt-prod{number}", self.setup.file, self.home / f"compose{number}", **ports)
        project.webapp = f"127.0.0.1:{self.ports[0]}"
        file = project.directory / project.file.name
        file.write_text(self._edited(file.read_text()))
        project.db_env(WA_DB_HOSTNAME=self.address, WA_DB_PORT=str(self.ports[1]))
        return project

    def _edited(self, text: str) -> str:
        """The compose file as somebody has changed it for several machines."""
        external = "whatsappMedia: {external: true, name: " + self.media + "}"
        return text.replace("whatsappMedia: {}", external)

    @property
    def media(self) -> str:
        """The volume that no compose file makes."""
        return self.prefix + "-shared"

    def _up(self) -> None:
        self.engine.volumes.create(self.media)
        self._database()
        first, second = self.projects
        first.up("waweb", "master", "wacore")
        second.up("master", "wacore")

    def _database(self) -> None:
        self.engine.containers.run(
            MARIADB, name=self.prefix + "-db", detach=True, environment={"MYSQL_ROOT_PASSWORD": "testpass"},
            ports={"3306/tcp": self.ports[1]},
        )  # fmt: skip

    def volumes(self) -> set[str]:
        return {one.name for one in self.engine.volumes.list() if one.name == self.media}

    def remove(self) -> None:
        super().remove()
        with contextlib.suppress(docker.errors.NotFound):
            self.engine.containers.get(self.prefix + "-db").remove(force=True, v=True)
        with contextlib.suppress(docker.errors.NotFound):
            self.engine.volumes.get(self.media).remove(force=True)


class BoundCluster(ProductionCluster):
    """The same with a directory of the host for media, as a mounted share is."""

    @property
    def directory(self) -> Path:
        """On the host."""
        return self.home / "media"

    def _edited(self, text: str) -> str:
        return text.replace("whatsappMedia:/usr/local/wamedia", "{0}:/usr/local/wamedia".format(self.directory))

    def _up(self) -> None:
        self.directory.mkdir()
        self.directory.chmod(0o777)
        super()._up()

    def mounts(self) -> dict[str, str]:
        """What each node of this collection has for media, by its name."""
        return {
            name: mount["Source"]
            for name, (identity, _started) in self.nodes().items()
            for mount in self.engine.containers.get(identity).attrs["Mounts"]
            if mount["Destination"] == "/usr/local/wamedia"
        }


class SpreadCluster(ComposeCluster):
    """The production set-up on two machines, each with an engine of its own; MySQL is on the first, in the same file.

    docker-compose runs here and works over there: by the engine's socket, which SSH brings here.
    """

    def __init__(self, home: Path, setup: Setup) -> None:
        super().__init__(home, setup)
        (home / "fleet").mkdir()
        variables = {"test_speed": DIVISOR, "wa_registration_code": CODE}
        self.fleet = ContainerHosts(home / "fleet", MACHINES, scenario="compose", variables=variables)
        self._closing = contextlib.ExitStack()
        self._engines: dict[str, docker.DockerClient] = {}

    def _start_gateway(self) -> None:
        """With the machines, beside them."""
        self.fleet.create()
        gateway = self.fleet.gateway_address()
        self.gateway_url, self.link = "http://{0}:8080".format(gateway), "http://{0}:5222".format(gateway)
        for name in MACHINES:
            self.fleet.start_engine(name)

    def _made(self) -> list[Project]:
        return [self._one(name) for name in MACHINES]

    def _one(self, name: str) -> Project:
        socket = self._closing.enter_context(self.fleet.engine_socket(name))
        where = {"DOCKER_HOST": "unix://{0}".format(socket), "EXTERNAL_HOSTNAME": self.fleet.address(name)}
        project = Project("adopt-" + name, self.setup.file, self.home / name, **where)
        project.webapp = "{0}:9090".format(self.fleet.address(name))
        project.db_env(WA_DB_HOSTNAME=self.fleet.address(FIRST))
        if name == FIRST:
            file = project.directory / project.file.name
            file.write_text(file.read_text().replace("\nservices:\n", "\nservices:\n" + MYSQL))
        self._engines[name] = project.engine
        return project

    def _up(self) -> None:
        first, second = self.projects
        first.up("db", "waweb", "master", "wacore")
        second.up("master", "wacore")

    def engines(self) -> dict[str, docker.DockerClient]:
        return self._engines

    def hosts(self) -> dict[str, dict[str, t.Any]]:
        return {name: {**self.fleet.reached(name), "rack": name} for name in MACHINES}

    def remove(self) -> None:
        """The machines, with all that is on them."""
        self._closing.close()
        self.fleet.destroy()


class TlsCluster(ProductionCluster):
    """The same on a server that lets nobody in without TLS; its CA is a file beside the compose files."""

    def __init__(self, home: Path, setup: Setup, server: Server) -> None:
        self.server = server
        super().__init__(home, setup)

    def _one(self, number: int, core: int) -> Project:
        project = super()._one(number, core)
        where = {"WA_DB_HOSTNAME": NAME, "WA_DB_PORT": str(self.server.port), "WA_DB_USERNAME": self.server.user}
        project.db_env(**where, WA_DB_PASSWORD=TLS_PASSWORD, WA_DB_SSL_CA=CA_INSIDE)
        return project

    def _edited(self, text: str) -> str:
        known = '\\1extra_hosts: ["{0}:{1}"]'.format(NAME, self.server.address)
        mounts = '\\1volumes: ["whatsappMedia:/usr/local/wamedia", "{0}:{1}:ro"]'.format(
            self.server.authority.ca, CA_INSIDE
        )
        found = re.compile(r'^( +)volumes: \["whatsappMedia:/usr/local/wamedia"\]$', re.MULTILINE)
        return found.sub(known + "\n" + mounts, super()._edited(text))

    def _database(self) -> None:
        """It is there."""
