# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Database servers that want TLS, as RDS and Azure run them, and that do not belong to the cluster."""

from __future__ import annotations

import io
import tarfile
import time
import typing as t
from pathlib import Path

import docker
from ansible_collections.waent.fleet.plugins.module_utils._io.database import DatabaseAccess, Tls, read_database
from ansible_collections.waent.fleet.tests.support.certificates import Authority
from ansible_collections.waent.fleet.tests.support.engine_ports import start_with_ports
from ansible_collections.waent.fleet.tests.support.live_cluster import LiveCluster, Shape
from ansible_collections.waent.fleet.tests.support.playbook_runs import write_inventory
from ansible_collections.waent.fleet.tests.support.this_machine import machine_address

NAME = "tls-db.internal"
"""What the servers' certificates are for. Only containers know it, by wa_extra_hosts."""

PASSWORD = "canary-tls-%s'\"\\-5Kx"
PG_RULES = b"local all all trust\nhostssl all all all scram-sha-256 clientcert=verify-ca\n"


class Server(t.NamedTuple):
    """A server that runs. engine, user: as wa_db_engine and wa_db_username."""

    engine: str
    user: str
    address: str
    port: int
    authority: Authority

    def read(self, user: str, password: str, tls: Tls | None) -> t.Any:
        """What our own reader finds, as a user."""
        return read_database(DatabaseAccess(self.engine, self.address, self.port, user, password, tls=tls))


def run_server(
    engine: str, image: str, prefix: str, home: Path, command: list[str], environment: dict[str, str], inside: int
) -> t.Iterator[Server]:
    """A server with a certificate, as long as it is used; home: for the files."""
    client = docker.from_env(timeout=120)
    address = machine_address(client, image)
    home.mkdir()
    authority = Authority(home)
    cert, key = authority.sign(NAME)
    user = "mysql" if engine == "MYSQL" else "postgres"
    uid = int(client.containers.run(image, ["-u", user], entrypoint=["id"], remove=True))
    container = client.containers.create(
        image, command, name=prefix + "-server", environment=environment, ports={f"{inside}/tcp": (address, None)}
    )
    try:
        files = {"ca.pem": authority.ca.read_bytes(), "cert.pem": cert.read_bytes(), "key.pem": key.read_bytes()}
        container.put_archive("/opt", packed({**files, "pg_hba.conf": PG_RULES}, uid))
        start_with_ports(container)
        container.reload()
        port = int(container.ports[f"{inside}/tcp"][0]["HostPort"])
        server = Server(engine, environment.get("POSTGRES_USER", "root"), address, port, authority)
        wait_for(server, client_files(authority))
        yield server
    finally:
        container.remove(force=True, v=True)


def client_files(authority: Authority) -> Tls:
    """What a client needs for a server of this authority."""
    cert, key = authority.sign("client")
    return Tls(str(authority.ca), str(cert), str(key), True, NAME)


def packed(files: dict[str, bytes], uid: int) -> bytes:
    """Files of a user, for nobody else, as an archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.uid = len(content), 0o600, uid
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def wait_for(server: Server, tls: Tls) -> None:
    """Until it lets its first user in."""
    deadline = time.monotonic() + 60
    while (report := server.read(server.user, PASSWORD, tls)).failure is not None:
        assert time.monotonic() < deadline, report.failure
        time.sleep(0.3)


class OnServer(LiveCluster):
    """A cluster on a server that is there already; its one name for it is in the containers' own hosts file."""

    def begin_on(self, server: Server, **variables: t.Any) -> None:
        """The inventory, and nothing of the cluster."""
        given = self.shape.variables("")
        self._given = {name: value for name, value in given.items() if not name.startswith(("wa_database_", "wa_db_"))}
        self.declare(
            wa_db_engine=server.engine, wa_db_host=NAME, wa_db_port=server.port, wa_db_username=server.user,
            wa_db_password=PASSWORD, wa_extra_hosts={self.shape.host: "host-gateway", NAME: server.address},
            wa_extra_environment={"WAEMU_TIME_DIVISOR": str(self.shape.divisor)}, **variables,
        )  # fmt: skip
        self.inventory = write_inventory(self.home / "hosts.yml", {self.shape.host: self.shape.host_variables()})

    def remove(self) -> None:
        """Only the cluster: there is no gateway."""
        self.uninstall()


def cluster_on(server: Server, shape: Shape, home: Path, **variables: t.Any) -> t.Iterator[OnServer]:
    """Of the cluster there is nothing yet."""
    made = OnServer(home, shape)
    made.begin_on(server, **variables)
    yield made
    made.remove()
